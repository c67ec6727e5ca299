//! Where a gauge is heading: `deriv`, `predict_linear`, `holt_winters`.

use lab_metrics::Sample;

use super::WindowCall;
use super::numeric::linear_regression;
use crate::error::EvalError;

pub(super) fn deriv(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    call.each(samples, out, |_, window| {
        let [first, _, ..] = window else { return None };
        // Times count from near the samples, or their squares would lose digits.
        Some(linear_regression(points(window, first.t_ms)).0)
    });
    Ok(())
}

pub(super) fn predict_linear(
    call: &WindowCall<'_>,
    samples: &[Sample],
    out: &mut [f64],
) -> Result<(), EvalError> {
    call.each(samples, out, |step, window| {
        if window.len() < 2 {
            return None;
        }
        let (slope, now) = linear_regression(points(window, call.grid.time(step)));
        Some(slope * call.scalar(0, step) + now)
    });
    Ok(())
}

fn points(window: &[Sample], zero_ms: i64) -> impl Iterator<Item = (f64, f64)> + Clone + use<'_> {
    window.iter().map(move |sample| ((sample.t_ms - zero_ms) as f64 / 1000.0, sample.value))
}

/// `double_exponential_smoothing`, formerly `holt_winters`.
pub(super) fn double_exponential_smoothing(
    call: &WindowCall<'_>,
    samples: &[Sample],
    out: &mut [f64],
) -> Result<(), EvalError> {
    let mut wrong = None;
    call.each(samples, out, |step, window| {
        let (smoothing, trend) = (call.scalar(0, step), call.scalar(1, step));
        for (name, factor) in [("smoothing", smoothing), ("trend", trend)] {
            if factor <= 0.0 || factor >= 1.0 {
                wrong = Some((name, factor));
                return None;
            }
        }
        smoothed(window, smoothing, trend)
    });
    match wrong {
        None => Ok(()),
        Some((name, factor)) => Err(EvalError::Argument(format!(
            "invalid {name} factor. Expected: 0 < {} < 1, got: {factor:.6}",
            if name == "smoothing" { "sf" } else { "tf" }
        ))),
    }
}

fn smoothed(window: &[Sample], smoothing: f64, trend_factor: f64) -> Option<f64> {
    let [first, second, ..] = window else { return None };
    let (mut before, mut level) = (0.0, first.value);
    let mut trend = second.value - first.value;
    for (index, sample) in window[1..].iter().enumerate() {
        if index > 0 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * sample.value + (1.0 - smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    Some(level)
}
