//! `*_over_time` and its kin: what the samples of a window come to, each by itself.

use lab_metrics::Sample;

use super::WindowCall;
use super::numeric::{self, KahanSum, Mean, RunningMean, Variance};
use crate::engine::Semantics;
use crate::error::EvalError;

type Done = Result<(), EvalError>;

pub(super) fn sum(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| {
        let mut sum = KahanSum::default();
        window.iter().for_each(|sample| sum.add(sample.value));
        Some(sum.total())
    });
    Ok(())
}

pub(super) fn avg(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| {
        let values = window.iter().map(|sample| sample.value);
        Some(match call.semantics {
            Semantics::V2_42 => RunningMean::of(values),
            Semantics::V3 => Mean::of(values),
        })
    });
    Ok(())
}

pub(super) fn count(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each_range(samples, out, |_, window| Some(window.len() as f64));
    Ok(())
}

pub(super) fn present(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each_range(samples, out, |_, _| Some(1.0));
    Ok(())
}

pub(super) fn first(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| window.first().map(|sample| sample.value));
    Ok(())
}

pub(super) fn last(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| window.last().map(|sample| sample.value));
    Ok(())
}

pub(super) fn max(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| extreme(window, |v, max| v > max).map(|sample| sample.value));
    Ok(())
}

pub(super) fn min(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| extreme(window, |v, min| v < min).map(|sample| sample.value));
    Ok(())
}

/// The sample that no later one is `beyond`; NaN gives way to anything.
fn extreme(window: &[Sample], beyond: impl Fn(f64, f64) -> bool) -> Option<&Sample> {
    window.iter().reduce(|found, sample| {
        if beyond(sample.value, found.value) || found.value.is_nan() { sample } else { found }
    })
}

pub(super) fn time_of_first(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| window.first().map(seconds));
    Ok(())
}

pub(super) fn time_of_last(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| window.last().map(seconds));
    Ok(())
}

// Of several equal extremes, the latest counts.

pub(super) fn time_of_max(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| extreme(window, |v, max| v >= max).map(seconds));
    Ok(())
}

pub(super) fn time_of_min(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| extreme(window, |v, min| v <= min).map(seconds));
    Ok(())
}

fn seconds(sample: &Sample) -> f64 {
    sample.t_ms as f64 / 1000.0
}

pub(super) fn stdvar(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| Some(Variance::of(window.iter().map(|sample| sample.value))));
    Ok(())
}

pub(super) fn stddev(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    call.each(samples, out, |_, window| Some(Variance::of(window.iter().map(|sample| sample.value)).sqrt()));
    Ok(())
}

pub(super) fn quantile(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    let mut values = Vec::new();
    call.each(samples, out, |step, window| {
        values.clear();
        values.extend(window.iter().map(|sample| sample.value));
        Some(numeric::quantile(call.scalar(0, step), &mut values))
    });
    Ok(())
}

pub(super) fn mad(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    let mut values = Vec::new();
    call.each(samples, out, |_, window| {
        values.clear();
        values.extend(window.iter().map(|sample| sample.value));
        // NaN would sort to an end and go unnoticed.
        if values.iter().any(|value| value.is_nan()) {
            return Some(f64::NAN);
        }
        let median = numeric::quantile(0.5, &mut values);
        values.iter_mut().for_each(|value| *value = (*value - median).abs());
        Some(numeric::quantile(0.5, &mut values))
    });
    Ok(())
}

pub(super) fn resets(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    count_pairs(call, samples, out, |before, after| after < before);
    Ok(())
}

pub(super) fn changes(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Done {
    count_pairs(call, samples, out, |before, after| after != before && !(after.is_nan() && before.is_nan()));
    Ok(())
}

/// Counts neighbours for which `counts` holds, by the difference of running counts.
fn count_pairs(
    call: &WindowCall<'_>,
    samples: &[Sample],
    out: &mut [f64],
    counts: impl Fn(f64, f64) -> bool,
) {
    let mut so_far = 0u32;
    let mut running = Vec::with_capacity(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        if index > 0 && counts(samples[index - 1].value, sample.value) {
            so_far += 1;
        }
        running.push(so_far);
    }
    call.each_range(samples, out, |_, window| {
        Some(f64::from(running[window.end - 1] - running[window.start]))
    });
}
