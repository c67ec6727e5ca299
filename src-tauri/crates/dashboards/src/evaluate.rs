//! Asks a panel's queries of a store and makes lines of the answers.

use lab_metrics::{Labels, Queryable, SeriesData};
use lab_promql::{Engine, EvalError, ParseError, Query, Value, ValueType, parse};

use crate::legend::{AUTO_LEGEND, automatic, distinguish, legend};
use crate::model::{Panel, PanelKind};
use crate::variables::{Scope, substitute};

/// The times a panel is asked for: `start_ms`, and every `step_ms` from there up to `end_ms`. Milliseconds since
/// the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First time.
    pub start_ms: i64,
    /// No time lies after it.
    pub end_ms: i64,
    /// Between two times; above zero.
    pub step_ms: i64,
}

impl Window {
    /// The times, oldest first; none when the end lies before the start or the step is not above zero.
    pub fn times_ms(&self) -> impl ExactSizeIterator<Item = i64> + use<> {
        let Self { start_ms, step_ms, .. } = *self;
        (0..self.len()).map(move |at| start_ms + at as i64 * step_ms)
    }

    /// How many times there are.
    fn len(&self) -> usize {
        if self.step_ms <= 0 || self.end_ms < self.start_ms {
            return 0;
        }
        usize::try_from((self.end_ms - self.start_ms) / self.step_ms + 1).unwrap_or(0)
    }
}

/// A panel's data: lines over the same times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frames {
    /// Milliseconds since the Unix epoch.
    pub times_ms: Vec<i64>,
    /// Lines, in order of targets and then as the query gives them.
    pub lines: Vec<Line>,
    /// Targets that gave no answer; the others did.
    pub problems: Vec<TargetProblem>,
}

/// One line of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// As the legend names it; no two lines of a panel have the same name.
    pub name: String,
    /// All its labels.
    pub labels: Labels,
    /// Index of its target in the panel.
    pub target: usize,
    /// One a time; a gap is `None`, and so are NaN and infinities, which cannot be drawn.
    pub values: Vec<Option<f64>>,
}

/// A target that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query {ref_id}: {error}")]
pub struct TargetProblem {
    /// The target's letter.
    pub ref_id: String,
    /// Why.
    pub error: TargetError,
}

impl TargetProblem {
    /// Whether its query was understood, and yet could not be evaluated.
    pub fn is_of_evaluation(&self) -> bool {
        !matches!(self.error, TargetError::Parse(_))
    }
}

/// Why a target gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Its query is not understood.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Its query could not be evaluated.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// Its answer is text.
    #[error("the query answers with a {0}, which has no line")]
    NoLine(ValueType),
}

/// A panel's queries, understood once and asked as often as wanted, as long as the [`Scope`] holds.
#[derive(Clone, Debug)]
pub struct PanelQueries {
    targets: Vec<Prepared>,
    problems: Vec<TargetProblem>,
}

#[derive(Clone, Debug)]
struct Prepared {
    target: usize,
    ref_id: String,
    query: Query,
    legend_format: String,
    instant: bool,
}

impl PanelQueries {
    /// Fills in variables and parses; hidden targets and those without a query are left out.
    pub fn new(panel: &Panel, scope: &Scope<'_>) -> Self {
        let mut queries = Self { targets: Vec::with_capacity(panel.targets.len()), problems: Vec::new() };
        for (at, target) in panel.targets.iter().enumerate() {
            if target.hidden || target.expr.trim().is_empty() {
                continue;
            }
            match parse(&substitute(&target.expr, scope)) {
                Ok(query) => queries.targets.push(Prepared {
                    target: at,
                    ref_id: target.ref_id.clone(),
                    query,
                    legend_format: target.legend_format.clone(),
                    instant: target.instant && panel.kind == PanelKind::Stat,
                }),
                Err(error) => queries
                    .problems
                    .push(TargetProblem { ref_id: target.ref_id.clone(), error: error.into() }),
            }
        }
        queries
    }

    /// PromQL as it is asked, by index of target.
    pub fn exprs(&self) -> impl Iterator<Item = (usize, &str)> {
        self.targets.iter().map(|prepared| (prepared.target, prepared.query.text()))
    }

    /// The panel's lines. A target that asks for one time only gives a value at the window's last time and gaps
    /// before it.
    pub fn evaluate(&self, engine: &Engine, store: &dyn Queryable, window: Window) -> Frames {
        let mut frames = Frames {
            times_ms: window.times_ms().collect(),
            lines: Vec::new(),
            problems: self.problems.clone(),
        };
        for prepared in &self.targets {
            match prepared.ask(engine, store, window, &frames.times_ms) {
                Ok(lines) => frames.lines.extend(lines),
                Err(error) => {
                    frames.problems.push(TargetProblem { ref_id: prepared.ref_id.clone(), error });
                }
            }
        }
        let mut names: Vec<String> =
            frames.lines.iter_mut().map(|line| std::mem::take(&mut line.name)).collect();
        distinguish(&mut names);
        for (line, name) in frames.lines.iter_mut().zip(names) {
            line.name = name;
        }
        frames
    }
}

impl Prepared {
    fn ask(
        &self,
        engine: &Engine,
        store: &dyn Queryable,
        window: Window,
        times_ms: &[i64],
    ) -> Result<Vec<Line>, TargetError> {
        let Some(&last_ms) = times_ms.last() else { return Ok(Vec::new()) };
        let answer = if self.instant {
            engine.instant(store, &self.query, last_ms)?
        } else {
            engine.range(store, &self.query, window.start_ms, window.end_ms, window.step_ms)?
        };
        let series = match answer.value {
            Value::Matrix(series) => series,
            Value::Vector(elements) => elements
                .into_iter()
                .map(|element| SeriesData { labels: element.labels, samples: vec![element.sample] })
                .collect(),
            Value::Scalar(sample) => vec![SeriesData { labels: Labels::default(), samples: vec![sample] }],
            other @ Value::String { .. } => return Err(TargetError::NoLine(other.value_type())),
        };
        let names = self.names(&series);
        Ok(series
            .into_iter()
            .zip(names)
            .map(|(series, name)| {
                let values = on_times(&series, window, times_ms.len());
                Line { name, labels: series.labels, target: self.target, values }
            })
            .collect())
    }

    fn names(&self, series: &[SeriesData]) -> Vec<String> {
        let labels: Vec<&Labels> = series.iter().map(|series| &series.labels).collect();
        if self.legend_format == AUTO_LEGEND {
            return automatic(&labels, self.query.text());
        }
        labels.into_iter().map(|labels| legend(&self.legend_format, labels, self.query.text())).collect()
    }
}

fn on_times(series: &SeriesData, window: Window, len: usize) -> Vec<Option<f64>> {
    let mut values = vec![None; len];
    for sample in &series.samples {
        let offset_ms = sample.t_ms - window.start_ms;
        if offset_ms % window.step_ms == 0
            && let Ok(at) = usize::try_from(offset_ms / window.step_ms)
            && let Some(value) = values.get_mut(at)
        {
            *value = sample.value.is_finite().then_some(sample.value);
        }
    }
    values
}

/// A panel's lines, for who asks once; [`PanelQueries`] is for who asks again.
pub fn evaluate(
    panel: &Panel,
    scope: &Scope<'_>,
    engine: &Engine,
    store: &dyn Queryable,
    window: Window,
) -> Frames {
    PanelQueries::new(panel, scope).evaluate(engine, store, window)
}
