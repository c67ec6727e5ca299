//! Evaluates what one listener watches, after each round of scrapes. Pure: samples and the time come in, a
//! frame goes out.

use std::collections::{BTreeMap, HashMap};

use lab_dashboards::Window;
use lab_metrics::Queryable;
use lab_promql::{Engine, Query, Value, parse};

use crate::api::{ArrowFrame, ArrowValue, DiagramFrame, Frame, PanelFrame, PanelRef, SeriesFrame, WatchSet};
use crate::boards::{QueryCache, SCRAPE_MS};
use crate::diagram::{self, Measure};
use crate::problems;

/// How far an arrow's little line looks back, seconds.
const RECENT_S: i64 = 60;
/// A listener that asks for more panels than any screen has gets this many.
const MOST_PANELS: usize = 64;

/// One listener's wishes, with their queries ready.
#[derive(Default)]
pub struct Watch {
    set: WatchSet,
    panels: QueryCache,
    arrows: HashMap<String, Option<Query>>,
}

impl Watch {
    /// Replaces what is watched.
    pub fn set(&mut self, mut set: WatchSet) {
        set.panels.truncate(MOST_PANELS);
        set.range_s = set.range_s.clamp(10, 24 * 3600);
        set.max_points = set.max_points.clamp(10, 2_000);
        self.set = set;
    }

    /// Whether there is anything to evaluate.
    pub fn is_empty(&self) -> bool {
        self.set.panels.is_empty() && self.set.diagrams.is_empty()
    }

    /// Everything watched, as it is at `t_ms`. `members` gives the order of lines.
    pub fn frame(&mut self, engine: &Engine, store: &dyn Queryable, t_ms: i64, members: &[String]) -> Frame {
        let window = window(t_ms, self.set.range_s, self.set.max_points);
        let range_ms = i64::from(self.set.range_s) * 1_000;
        let panels = self
            .set
            .panels
            .iter()
            .map(|panel| panel_frame(&mut self.panels, panel, engine, store, window, range_ms, members))
            .collect();
        let diagrams = self
            .set
            .diagrams
            .iter()
            .filter_map(|id| diagram_frame(&mut self.arrows, id, engine, store, t_ms, members))
            .collect();
        let times = window.times_ms().map(seconds).collect();
        Frame { at_s: seconds(t_ms), times, panels, diagrams }
    }
}

/// A window that ends at `t_ms` and has at most `max_points` points, a whole number of scrapes apart. Times are
/// multiples of the step, so that a point once drawn stays where and what it is.
fn window(t_ms: i64, range_s: u32, max_points: u32) -> Window {
    let scrapes = i64::from(range_s.div_ceil(max_points)).max(1);
    let step_ms = scrapes * SCRAPE_MS;
    let end_ms = t_ms - t_ms.rem_euclid(step_ms);
    let points = i64::from(range_s) * 1_000 / step_ms;
    Window { start_ms: end_ms - points * step_ms, end_ms, step_ms }
}

fn seconds(t_ms: i64) -> f64 {
    // Exact: milliseconds since 1970 are far below 2^53.
    t_ms as f64 / 1_000.0
}

fn panel_frame(
    cache: &mut QueryCache,
    panel: &PanelRef,
    engine: &Engine,
    store: &dyn Queryable,
    window: Window,
    range_ms: i64,
    members: &[String],
) -> PanelFrame {
    let Some(queries) = cache.get(panel, window.step_ms, range_ms) else {
        let problem = problems::query(format!("dashboard {} has no panel {}", panel.dashboard, panel.panel));
        return PanelFrame { panel: panel.clone(), series: vec![], problem: Some(problem) };
    };
    let frames = queries.evaluate(engine, store, window);
    let mut series: Vec<SeriesFrame> = frames
        .lines
        .into_iter()
        .map(|line| {
            let instance = line.labels.get("instance");
            SeriesFrame {
                name: line.name,
                member: (!instance.is_empty()).then(|| instance.to_owned()),
                labels: line.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                // A panel has a handful of queries.
                target: line.target as u32,
                values: line.values,
            }
        })
        .collect();
    let place = |series: &SeriesFrame| {
        let member = series.member.as_deref();
        members.iter().position(|name| Some(name.as_str()) == member).unwrap_or(usize::MAX)
    };
    series.sort_by(|a, b| (a.target, place(a), &a.name).cmp(&(b.target, place(b), &b.name)));
    let problem = frames.problems.first().map(|problem| problems::query(&problem.error));
    PanelFrame { panel: panel.clone(), series, problem }
}

fn diagram_frame(
    queries: &mut HashMap<String, Option<Query>>,
    id: &str,
    engine: &Engine,
    store: &dyn Queryable,
    t_ms: i64,
    members: &[String],
) -> Option<DiagramFrame> {
    let diagram = diagram::builtin().iter().find(|diagram| diagram.id == id)?;
    let start_ms = t_ms - (RECENT_S - 1) * 1_000;
    let mut arrows = Vec::new();
    for (number, step) in (1..).zip(&diagram.steps) {
        let Measure::Metric { query, .. } = &step.measure else { continue };
        let query = queries.entry(query.clone()).or_insert_with(|| parse(query).ok());
        let matrix = query.as_ref().and_then(|query| engine.range(store, query, start_ms, t_ms, 1_000).ok());
        let mut by_member: BTreeMap<usize, ArrowValue> = BTreeMap::new();
        if let Some(Value::Matrix(series)) = matrix.map(|answer| answer.value) {
            for one in series {
                let Some(at) = members.iter().position(|name| name == one.labels.get("instance")) else {
                    continue;
                };
                let mut recent = vec![None; RECENT_S as usize];
                for sample in &one.samples {
                    if let Ok(slot) = usize::try_from((sample.t_ms - start_ms) / 1_000)
                        && let Some(place) = recent.get_mut(slot)
                    {
                        *place = sample.value.is_finite().then_some(sample.value);
                    }
                }
                let value = recent.last().copied().flatten();
                by_member.insert(at, ArrowValue { member: members[at].clone(), value, recent });
            }
        }
        arrows.push(ArrowFrame { step: number, values: by_member.into_values().collect() });
    }
    Some(DiagramFrame { diagram: id.to_owned(), arrows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_whole_steps_and_stay_below_the_wanted_points() {
        let two_minutes = window(1_000_500, 120, 300);
        assert_eq!((two_minutes.step_ms, two_minutes.end_ms), (1_000, 1_000_000));
        assert_eq!(two_minutes.times_ms().len(), 121);
        let an_hour = window(3_600_000 * 5 + 7_000, 3_600, 300);
        assert_eq!(an_hour.step_ms, 12_000);
        assert_eq!(an_hour.end_ms % 12_000, 0);
        assert!(an_hour.times_ms().len() <= 301);
    }
}
