//! `histogram_quantile` of classic histograms: buckets are told apart by `le`, and found once a query, not once a
//! step.

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
    let steps = call.grid.steps;
    let semantics = call.evaluator.engine.semantics;
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<Histogram> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        // A series without a readable bound is no bucket.
        let Ok(bound) = row.labels.get(BOUND).parse::<f64>() else { continue };
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
                *out = bucket_quantile(q[step], &mut buckets, semantics);
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
