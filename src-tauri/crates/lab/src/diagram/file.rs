//! The file format of diagrams. Differs from what goes to the window in one thing: a step has either `metric` or
//! `no_metric`. Strict, because a diagram that names the wrong metric teaches something false.

use std::collections::HashSet;

use lab_dashboards::Unit;
use lab_promql::ValueType;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Diagram, Lane, Measure, MetricKind, SourcePlace, Step, StepKind, mermaid};
use crate::mistake::{Mistake, Mistakes};

/// Release lines of etcd that the lab runs: each arrow says where in both it happens.
const RELEASE_LINES: [&str; 2] = ["3.5", "3.7"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiagramFile {
    id: Spanned<String>,
    place: u32,
    title: String,
    about: String,
    lanes: Vec<Spanned<Lane>>,
    steps: Vec<Spanned<StepFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    from: Spanned<String>,
    to: Spanned<String>,
    label: String,
    kind: StepKind,
    about: String,
    source: Vec<SourcePlace>,
    metric: Option<Spanned<MetricFile>>,
    no_metric: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricFile {
    name: Spanned<String>,
    query: Spanned<String>,
    unit: Spanned<String>,
    statistic: String,
    kind: MetricKind,
    #[serde(default)]
    hot: bool,
    means: String,
}

/// A diagram, and where it stands among others.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Diagrams are shown in this order.
    pub place: u32,
    /// The diagram.
    pub diagram: Diagram,
}

/// Reads a diagram.
///
/// # Errors
/// With every mistake found: a field that is unknown or missing; a lane that is not there or twice; lanes of a
/// group that don't stand together; a step whose kind and ends disagree, or that has both or none of `metric` and
/// `no_metric`; a query that isn't understood, doesn't use its metric or gives no value a member; a unit that
/// the lab can't write; a duration that isn't in seconds; a source that is missing for one of the etcd versions.
pub fn read(file: &str, text: &str) -> Result<Placed, Vec<Mistake>> {
    let mut mistakes = Mistakes::of(file);
    let Some(raw) = mistakes.yaml::<DiagramFile>(text) else { return Err(mistakes.into_list()) };
    check_lanes(&raw, &mut mistakes);
    for step in &raw.steps {
        check_step(step, &raw.lanes, &mut mistakes);
    }
    let list = mistakes.into_list();
    if list.is_empty() { Ok(Placed { place: raw.place, diagram: raw.into() }) } else { Err(list) }
}

fn check_lanes(raw: &DiagramFile, mistakes: &mut Mistakes) {
    if raw.lanes.is_empty() || raw.steps.is_empty() {
        mistakes.add(&raw.id, "a diagram has lanes and steps");
    }
    let mut ids = HashSet::new();
    let mut groups: Vec<&str> = Vec::new();
    for lane in &raw.lanes {
        let Lane { id, group, about, .. } = &lane.value;
        if !ids.insert(id.as_str()) {
            mistakes.add(lane, format!("another lane has the id {id} too"));
        }
        if about.trim().is_empty() {
            mistakes.add(lane, "the lane says nothing about itself");
        }
        if groups.last() != Some(&group.as_str()) {
            if groups.contains(&group.as_str()) {
                mistakes.add(lane, format!("lanes of the group {group} must stand side by side"));
            }
            groups.push(group);
        }
    }
}

fn check_step(step: &Spanned<StepFile>, lanes: &[Spanned<Lane>], mistakes: &mut Mistakes) {
    let StepFile { from, to, label, kind, about, source, metric, no_metric } = &step.value;
    for end in [from, to] {
        if !lanes.iter().any(|lane| lane.value.id == end.value) {
            mistakes.add(end, format!("there is no lane {}", end.value));
        }
    }
    match (kind, from.value == to.value) {
        (StepKind::Within, false) => mistakes.add(to, "a step within a lane ends where it begins"),
        (StepKind::Call | StepKind::Return, true) => {
            mistakes.add(to, "a call or its return leads to another lane");
        }
        _ => {}
    }
    if label.trim().is_empty() || about.trim().is_empty() {
        mistakes.add(step, "a step has a label and says what happens");
    }
    for line in RELEASE_LINES {
        if !source.iter().any(|place| place.etcd == line) {
            mistakes.add(step, format!("it doesn't say where in etcd {line} it happens"));
        }
    }
    match (metric, no_metric) {
        (Some(metric), None) => check_metric(&metric.value, mistakes),
        (None, Some(why)) if !why.trim().is_empty() => {}
        (None, Some(_)) => mistakes.add(step, "`no_metric` doesn't say why"),
        (Some(_), Some(_)) => mistakes.add(step, "a step has `metric` or `no_metric`, not both"),
        (None, None) => mistakes.add(step, "a step has `metric`, or `no_metric` with the reason"),
    }
}

fn check_metric(metric: &MetricFile, mistakes: &mut Mistakes) {
    let MetricFile { name, query, unit, statistic, kind, hot, means } = metric;
    match lab_promql::parse(&query.value) {
        Err(error) => mistakes.add(query, format!("the query is not understood: {error}")),
        Ok(parsed) if parsed.value_type() != ValueType::Vector => {
            mistakes.add(query, "the query gives no value a member");
        }
        Ok(_) => {}
    }
    if !query.value.contains(&name.value) {
        mistakes.add(query, format!("the query doesn't ask for {}", name.value));
    }
    if !query.value.contains("by (instance") {
        mistakes.add(query, "the query must keep one value a member: aggregate `by (instance)`");
    }
    if matches!(Unit::from_grafana(&unit.value), Unit::Other(_)) {
        mistakes.add(unit, format!("the lab can't write the unit {}", unit.value));
    }
    if *kind == MetricKind::Latency && unit.value != "s" {
        mistakes.add(unit, "a latency is in seconds (`s`), so that latencies can be compared");
    }
    if *hot && *kind != MetricKind::Latency {
        mistakes.add(name, "only a latency can be hot");
    }
    if statistic.trim().is_empty() || means.trim().is_empty() {
        mistakes.add(name, "a metric names its statistic and says what it means");
    }
}

impl From<DiagramFile> for Diagram {
    fn from(raw: DiagramFile) -> Self {
        let lanes: Vec<Lane> = raw.lanes.into_iter().map(|lane| lane.value).collect();
        let steps: Vec<Step> = raw.steps.into_iter().map(|step| step.value.into()).collect();
        let mermaid = mermaid::written(&lanes, &steps);
        Self { id: raw.id.value, title: raw.title, about: raw.about, lanes, steps, mermaid }
    }
}

impl From<StepFile> for Step {
    fn from(raw: StepFile) -> Self {
        let measure = match raw.metric {
            Some(metric) => metric.value.into(),
            None => Measure::Nothing { why: raw.no_metric.unwrap_or_default() },
        };
        let StepFile { from, to, label, kind, about, source, .. } = raw;
        Self { from: from.value, to: to.value, label, kind, about, source, measure }
    }
}

impl From<MetricFile> for Measure {
    fn from(raw: MetricFile) -> Self {
        let MetricFile { name, query, unit, statistic, kind, hot, means } = raw;
        Self::Metric { name: name.value, query: query.value, unit: unit.value, statistic, kind, hot, means }
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    const SMALL: &str = r#"id: small
place: 1
title: Small
about: A small one.
lanes:
  - { id: a, title: A, group: One, about: The first. }
  - { id: b, title: B, group: Two, about: The second. }
steps:
  - from: a
    to: b
    label: ask
    kind: call
    about: It asks.
    source: [{ etcd: "3.5", file: f.go, function: F }, { etcd: "3.7", file: f.go, function: F }]
    metric:
      name: asked_total
      query: sum by (instance) (rate(asked_total[15s]))
      unit: ops
      statistic: a second
      kind: rate
      means: How often it asks.
"#;

    #[test]
    fn the_labs_diagrams_come_in_their_order() {
        let ids: Vec<&str> = builtin().iter().map(|diagram| diagram.id.as_str()).collect();
        assert_eq!(ids[..3], ["puts", "ranges", "compaction"]);
    }

    #[test]
    fn about_half_of_a_puts_arrows_have_no_metric() {
        let puts = &builtin()[0];
        let without =
            puts.steps.iter().filter(|step| matches!(step.measure, Measure::Nothing { .. })).count();
        assert_eq!((puts.steps.len(), without), (22, 9));
    }

    #[test]
    fn a_slow_fsync_can_be_the_hot_arrow_and_what_contains_it_cannot() {
        let hot: Vec<&str> = builtin()[0]
            .steps
            .iter()
            .filter_map(|step| match &step.measure {
                Measure::Metric { name, hot: true, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(hot, ["etcd_disk_wal_fsync_duration_seconds", "etcd_server_apply_duration_seconds"]);
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        assert!(read("small.yaml", SMALL).is_ok());
        let cases = [
            ("label: ask", "label: ask\n    colour: red", 12, "unknown field"),
            ("to: b", "to: nowhere", 10, "there is no lane nowhere"),
            ("to: b", "to: a", 10, "leads to another lane"),
            ("kind: call", "kind: within", 10, "ends where it begins"),
            ("kind: call", "kind: shout", 12, "unknown variant"),
            ("id: b", "id: a", 7, "another lane has the id a"),
            (r#"{ etcd: "3.7""#, r#"{ etcd: "3.6""#, 9, "where in etcd 3.7"),
            ("    metric:", "    no_metric: Twice.\n    metric:", 9, "not both"),
            ("asked_total[15s]", "asked_total[15s", 17, "not understood"),
            ("name: asked_total", "name: other_total", 17, "doesn't ask for other_total"),
            ("sum by (instance) (", "sum(", 17, "one value a member"),
            ("unit: ops", "unit: furlong", 18, "the unit furlong"),
            ("kind: rate", "kind: latency", 18, "in seconds"),
            ("means:", "hot: true\n      means:", 16, "only a latency can be hot"),
        ];
        for (from, to, line, reason) in cases {
            let mistakes = read("small.yaml", &SMALL.replacen(from, to, 1)).unwrap_err();
            assert!(
                mistakes.iter().any(|mistake| mistake.line == line && mistake.reason.contains(reason)),
                "{from} -> {to}: {mistakes:?}"
            );
        }
        let shown = read("small.yaml", &SMALL.replacen("to: b", "to: c", 1)).unwrap_err()[0].to_string();
        assert_eq!(shown, "small.yaml:10: there is no lane c");
    }
}
