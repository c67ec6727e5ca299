//! Functions of classic histograms: buckets are told apart by `le`, and found once a query, not once a step.

use std::collections::HashMap;

use lab_metrics::{Labels, METRIC_NAME};

use super::TableCall;
use crate::engine::Semantics;
use crate::error::EvalError;
use crate::eval::{Cells, Row, is_absent, merged};

/// The label that holds a bucket's upper bound.
const BOUND: &str = "le";

pub(super) fn quantile(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let (q, rows) = (call.scalar(0)?, call.vector(1)?);
    let semantics = call.evaluator.engine.semantics;
    call.evaluator.check_quantiles(&q);
    each_histogram(call, &rows, |step, buckets| bucket_quantile(q[step], buckets, semantics))
}

/// The share of observations between two bounds. Prometheus 2.42 has it for native histograms only.
pub(super) fn fraction(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let (lower, upper, rows) = (call.scalar(0)?, call.scalar(1)?, call.vector(2)?);
    if call.evaluator.engine.semantics == Semantics::V2_42 {
        return Ok(Cells::Vector(Vec::new()));
    }
    each_histogram(call, &rows, |step, buckets| bucket_fraction(lower[step], upper[step], buckets))
}

/// Functions that take native histograms and pass over floats, which is all there is here.
pub(super) fn native_only(_: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    Ok(Cells::Vector(Vec::new()))
}

/// Gives each histogram among `rows` the value that `value` makes of its buckets, in order of bounds, at each step.
fn each_histogram(
    call: TableCall<'_, '_>,
    rows: &[Row],
    value: impl Fn(usize, &mut [Bucket]) -> f64,
) -> Result<Cells, EvalError> {
    let steps = call.grid.steps;
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<Histogram> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let bound = row.labels.get(BOUND);
        let Ok(bound) = bound.parse::<f64>() else {
            call.evaluator.warn(format!(
                "PromQL warning: bucket label \"le\" is missing or has a malformed value of {bound:?}"
            ));
            continue;
        };
        let labels = row.labels.filtered(|name| name != BOUND);
        let place = *places.entry(labels.clone()).or_insert(histograms.len());
        if place == histograms.len() {
            histograms.push(Histogram { labels, buckets: Vec::new() });
        }
        histograms[place].buckets.push((bound, index));
    }
    call.evaluator.hold(histograms.len().saturating_mul(steps))?;
    let mut out = Vec::with_capacity(histograms.len());
    let mut buckets = Vec::new();
    for mut histogram in histograms {
        call.evaluator.engine.check_interrupt()?;
        histogram.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut row = Row::empty(histogram.labels.filtered(|name| name != METRIC_NAME), steps);
        for (step, out) in row.values.iter_mut().enumerate() {
            buckets.clear();
            for (bound, index) in &histogram.buckets {
                let count = rows[*index].values[step];
                if !is_absent(count) {
                    push_bucket(&mut buckets, Bucket { bound: *bound, count });
                }
            }
            if !buckets.is_empty() {
                *out = value(step, &mut buckets);
            }
        }
        if row.has_values() {
            out.push(row);
        }
    }
    merged(out).map(Cells::Vector)
}

/// One histogram: its bounds in ascending order, each with the row of its counts.
struct Histogram {
    labels: Labels,
    buckets: Vec<(f64, usize)>,
}

#[derive(Clone, Copy)]
struct Bucket {
    bound: f64,
    /// Observations up to the bound.
    count: f64,
}

/// Adds a bucket; two of the same bound, written differently (`1`, `1.0`), are one.
fn push_bucket(buckets: &mut Vec<Bucket>, bucket: Bucket) {
    match buckets.last_mut() {
        Some(last) if last.bound == bucket.bound => last.count += bucket.count,
        _ => buckets.push(bucket),
    }
}

/// The value below which the fraction `q` of the observations lies, taking them for evenly spread inside a bucket
/// (Prometheus, `bucketQuantile`). `buckets` are in order of bounds, all different.
fn bucket_quantile(q: f64, buckets: &mut [Bucket], semantics: Semantics) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let [.., below_top, top] = &*buckets else { return f64::NAN };
    if top.bound != f64::INFINITY {
        return f64::NAN;
    }
    let highest_bound = below_top.bound;
    make_monotonic(buckets, semantics);
    let top = buckets.len() - 1;
    let observations = buckets[top].count;
    if observations == 0.0 {
        return f64::NAN;
    }
    let rank = q * observations;
    let found = first_at_least(&buckets[..top], rank);
    if found == top {
        return highest_bound;
    }
    let bucket = buckets[found];
    if found == 0 {
        return if bucket.bound <= 0.0 { bucket.bound } else { bucket.bound * (rank / bucket.count) };
    }
    let below = buckets[found - 1];
    let within = (rank - below.count) / (bucket.count - below.count);
    below.bound + (bucket.bound - below.bound) * within
}

/// The share of the observations between `lower` and `upper` (Prometheus, `BucketFraction`).
fn bucket_fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let count = match buckets {
        [.., top] if top.bound == f64::INFINITY => top.count,
        _ => return f64::NAN,
    };
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (observations_below(upper, buckets) - observations_below(lower, buckets)) / count
}

/// How many observations lie below `value`, were they evenly spread inside each bucket. A bucket without end has
/// none to spread: below +Inf those of the bucket before count, above -Inf the bucket's own.
fn observations_below(value: f64, buckets: &[Bucket]) -> f64 {
    let total = buckets.last().map_or(0.0, |top| top.count);
    let mut from = match buckets.first() {
        Some(first) if first.bound <= 0.0 => f64::NEG_INFINITY,
        _ => 0.0,
    };
    let mut below = 0.0;
    for bucket in buckets {
        if from >= value {
            return f64::min(below, total);
        }
        if bucket.bound > value {
            let spread = if from == f64::NEG_INFINITY {
                bucket.count
            } else {
                below + (bucket.count - below) * (value - from) / (bucket.bound - from)
            };
            return if spread > total { total } else { spread };
        }
        (from, below) = (bucket.bound, bucket.count);
    }
    total
}

/// Bisects for the first bucket whose count reaches `rank`, probing as Go's `sort.Search` does: with NaN among the
/// counts the result depends on it.
fn first_at_least(buckets: &[Bucket], rank: f64) -> usize {
    let (mut from, mut to) = (0, buckets.len());
    while from < to {
        let middle = (from + to) / 2;
        if buckets[middle].count >= rank { to = middle } else { from = middle + 1 }
    }
    from
}

/// A scrape that misses some buckets can leave a count below that of a lower bound, and bisecting would then find
/// anything; counts are lifted to what came before.
fn make_monotonic(buckets: &mut [Bucket], semantics: Semantics) {
    let Some(mut highest) = buckets.first().map(|bucket| bucket.count) else { return };
    for bucket in &mut buckets[1..] {
        let negligible = semantics == Semantics::V3 && almost_equal(highest, bucket.count);
        if bucket.count > highest && !negligible {
            highest = bucket.count;
        } else if bucket.count < highest || negligible {
            bucket.count = highest;
        }
    }
}

/// Prometheus 3 takes counts that differ by a rounding error for equal (`util/almost`, tolerance 1e-12).
fn almost_equal(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (difference, magnitude) = ((a - b).abs(), a.abs() + b.abs());
    if a == 0.0 || b == 0.0 || magnitude < f64::MIN_POSITIVE {
        return difference < 1e-12 * f64::MIN_POSITIVE;
    }
    difference / magnitude.min(f64::MAX) < 1e-12
}
