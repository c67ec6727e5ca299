//! Aggregations over groups of series: one pass a group, one accumulator a step.

use std::collections::HashMap;

use lab_metrics::{Labels, METRIC_NAME};

use super::{ABSENT, Evaluator, Grid, Row, is_absent, rank};
use crate::engine::Semantics;
use crate::error::EvalError;
use crate::functions::numeric::{KahanSum, Mean, quantile};
use crate::plan::{Aggregate, Aggregator, Grouping};

impl Evaluator<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let param = aggregate.param.as_ref().map(|param| self.eval(param, grid)).transpose()?;
        let rows = self.eval(&aggregate.expr, grid)?.vector()?;
        let semantics = self.engine.semantics;
        if aggregate.op == Aggregator::CountValues {
            let param = param.ok_or(EvalError::Internal("count_values without a label"))?;
            return rank::count_values(self, &rows, param.text()?, &aggregate.grouping, grid);
        }
        let numbers = match param {
            Some(param) => param.scalar()?,
            None => Vec::new(),
        };
        if matches!(aggregate.op, Aggregator::TopK | Aggregator::BottomK | Aggregator::LimitK) {
            return rank::select(aggregate, rows, &numbers);
        }
        if aggregate.op == Aggregator::Quantile {
            self.check_quantiles(&numbers);
        }
        let groups = groups(&rows, &aggregate.grouping);
        self.hold(groups.len().saturating_mul(grid.steps))?;
        let mut out = Vec::with_capacity(groups.len());
        for (labels, members) in groups {
            self.engine.check_interrupt()?;
            let members: Vec<&[f64]> =
                members.into_iter().map(|index| rows[index].values.as_slice()).collect();
            out.push(Row { labels, values: reduce(aggregate.op, &members, &numbers, grid.steps, semantics) });
        }
        Ok(out)
    }
}

/// Rows by the labels of their group, in order of appearance.
pub(super) fn groups(rows: &[Row], grouping: &Grouping) -> Vec<(Labels, Vec<usize>)> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<(Labels, Vec<usize>)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let labels = group_labels(&row.labels, grouping);
        let place = *places.entry(labels.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, members)) => members.push(index),
            None => groups.push((labels, vec![index])),
        }
    }
    groups
}

pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    labels.filtered(|name| {
        let listed = grouping.labels.iter().any(|label| label == name);
        if grouping.without { !listed && name != METRIC_NAME } else { listed }
    })
}

fn reduce(
    op: Aggregator,
    members: &[&[f64]],
    numbers: &[f64],
    steps: usize,
    semantics: Semantics,
) -> Vec<f64> {
    let v3 = semantics == Semantics::V3;
    match op {
        Aggregator::Sum if v3 => {
            fold(members, steps, KahanSum::default(), |sum, v| sum.add(v), |sum| sum.total())
        }
        Aggregator::Sum => fold(
            members,
            steps,
            None,
            |sum, v| *sum = Some(sum.map_or(v, |s| s + v)),
            Option::unwrap_or_default,
        ),
        Aggregator::Avg if v3 => {
            fold(members, steps, Mean::default(), |mean, v| mean.add(v), |mean| mean.value())
        }
        Aggregator::Avg => {
            fold(members, steps, RunningMean::default(), |mean, v| mean.add(v), |mean| mean.mean)
        }
        Aggregator::Min => fold(
            members,
            steps,
            f64::NAN,
            |min, v| {
                if *min > v || min.is_nan() {
                    *min = v
                }
            },
            |min| min,
        ),
        Aggregator::Max => fold(
            members,
            steps,
            f64::NAN,
            |max, v| {
                if *max < v || max.is_nan() {
                    *max = v
                }
            },
            |max| max,
        ),
        Aggregator::Group => fold(members, steps, (), |(), _| (), |()| 1.0),
        Aggregator::Stdvar => fold(members, steps, Spread::new(v3), |s, v| s.add(v), |s| s.variance()),
        Aggregator::Stddev => fold(members, steps, Spread::new(v3), |s, v| s.add(v), |s| s.variance().sqrt()),
        Aggregator::Quantile => {
            let mut values = Vec::with_capacity(members.len());
            (0..steps)
                .map(|step| {
                    values.clear();
                    values.extend(members.iter().map(|member| member[step]).filter(|v| !is_absent(*v)));
                    let q = numbers.get(step).copied().unwrap_or(f64::NAN);
                    if values.is_empty() { ABSENT } else { quantile(q, &mut values) }
                })
                .collect()
        }
        // The rest have been dealt with: they give elements of the input, or labels of their own.
        _ => fold(members, steps, 0.0, |count, _| *count += 1.0, |count| count),
    }
}

/// Feeds every member's values into one accumulator a step; steps without any value stay absent.
fn fold<A: Clone>(
    members: &[&[f64]],
    steps: usize,
    empty: A,
    add: impl Fn(&mut A, f64),
    finish: impl Fn(A) -> f64,
) -> Vec<f64> {
    let mut accumulators = vec![(empty, false); steps];
    for member in members {
        for ((accumulator, any), value) in
            accumulators.iter_mut().zip(*member).filter(|(_, v)| !is_absent(**v))
        {
            add(accumulator, *value);
            *any = true;
        }
    }
    accumulators
        .into_iter()
        .map(|(accumulator, any)| if any { finish(accumulator) } else { ABSENT })
        .collect()
}

/// The mean as Prometheus 2.42 runs it: adjusted by each value, an infinite one kept.
#[derive(Clone, Copy, Default)]
struct RunningMean {
    mean: f64,
    count: f64,
}

impl RunningMean {
    fn add(&mut self, v: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = v;
            return;
        }
        let same_infinity = v.is_infinite() && (self.mean > 0.0) == (v > 0.0);
        if self.mean.is_infinite() && (same_infinity || v.is_finite()) {
            return;
        }
        self.mean += v / self.count - self.mean / self.count;
    }
}

/// Variance by Welford's recurrence.
#[derive(Clone, Copy)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
    /// Prometheus 3 makes an infinite or NaN first value spoil the result; 2.42 takes it for any other.
    strict: bool,
}

impl Spread {
    fn new(strict: bool) -> Self {
        Self { count: 0.0, mean: 0.0, squares: 0.0, strict }
    }

    fn add(&mut self, v: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = v;
            self.squares = if self.strict && !v.is_finite() { f64::NAN } else { 0.0 };
            return;
        }
        let delta = v - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (v - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / self.count
    }
}
