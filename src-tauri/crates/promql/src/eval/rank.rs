//! Aggregations that give elements of their input, or labels made from its values: `topk`, `bottomk`, `limitk`,
//! `count_values`.

use std::cmp::Ordering;
use std::collections::HashMap;

use lab_metrics::Labels;

use super::aggregate::{group_labels, groups};
use super::{Evaluator, Grid, Row, is_absent};
use crate::error::EvalError;
use crate::functions::label::check_name;
use crate::number::format_float;
use crate::plan::{Aggregate, Aggregator, Grouping};

/// Keeps of every group and step the `k` elements that the operator wants.
pub(super) fn select(aggregate: &Aggregate, rows: Vec<Row>, k: &[f64]) -> Result<Vec<Row>, EvalError> {
    let k = k.iter().map(|k| count(*k)).collect::<Result<Vec<_>, _>>()?;
    let mut kept: Vec<Row> = rows.iter().map(|row| Row::empty(row.labels.clone(), k.len())).collect();
    let mut order = Vec::with_capacity(rows.len());
    for (_, members) in groups(&rows, &aggregate.grouping) {
        for (step, k) in k.iter().enumerate() {
            let present = members.iter().copied().filter(|index| !is_absent(rows[*index].values[step]));
            let mut chosen: Vec<usize> = present.collect();
            if aggregate.op != Aggregator::LimitK {
                chosen.sort_by(|a, b| {
                    let (a, b) = (rows[*a].values[step], rows[*b].values[step]);
                    if aggregate.op == Aggregator::TopK { nan_last(b, a, a, b) } else { nan_last(a, b, a, b) }
                });
            }
            chosen.truncate(*k);
            for index in &chosen {
                kept[*index].values[step] = rows[*index].values[step];
            }
            if step == 0 {
                order.append(&mut chosen);
            }
        }
    }
    // An instant query shows them ranked; over a range there is no one order.
    let mut ranked: Vec<Row> = Vec::with_capacity(kept.len());
    if k.len() == 1 {
        ranked.extend(order.into_iter().map(|index| kept[index].clone()));
    } else {
        ranked.extend(kept.into_iter().filter(Row::has_values));
    }
    Ok(ranked)
}

/// Compares `x` with `y`, unless `a` or `b` is NaN, which comes last.
fn nan_last(x: f64, y: f64, a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(x.partial_cmp(&y).unwrap_or(Ordering::Equal))
}

fn count(k: f64) -> Result<usize, EvalError> {
    // The bounds within which Go converts a float to an int64.
    if !(-9.223_372_036_854_775e18..=9.223_372_036_854_775e18).contains(&k) {
        return Err(EvalError::Argument(format!("Scalar value {} overflows int64", format_float(k))));
    }
    Ok(if k < 1.0 { 0 } else { k as usize })
}

/// How many elements of each group have each value, the value becoming a label.
pub(super) fn count_values(
    evaluator: &mut Evaluator<'_>,
    rows: &[Row],
    label: &str,
    grouping: &Grouping,
    grid: Grid,
) -> Result<Vec<Row>, EvalError> {
    check_name(label, evaluator.engine.semantics, || format!("invalid label name {label:?}"))?;
    let mut places: HashMap<(usize, u64), usize> = HashMap::new();
    let mut by_labels: HashMap<Labels, usize> = HashMap::new();
    let mut counts: Vec<Row> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        evaluator.engine.check_interrupt()?;
        for (step, value) in row.values.iter().enumerate().filter(|(_, value)| !is_absent(**value)) {
            let place = match places.get(&(index, value.to_bits())) {
                Some(place) => *place,
                None => {
                    let labels = value_labels(&row.labels, label, *value, grouping);
                    let place = *by_labels.entry(labels.clone()).or_insert(counts.len());
                    if place == counts.len() {
                        evaluator.hold(grid.steps)?;
                        counts.push(Row::empty(labels, grid.steps));
                    }
                    places.insert((index, value.to_bits()), place);
                    place
                }
            };
            let count = &mut counts[place].values[step];
            *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
        }
    }
    counts.retain(Row::has_values);
    Ok(counts)
}

fn value_labels(labels: &Labels, label: &str, value: f64, grouping: &Grouping) -> Labels {
    let value = format_float(value);
    if grouping.without {
        return group_labels(&labels.with(label, &value), grouping);
    }
    group_labels(labels, grouping).with(label, &value)
}
