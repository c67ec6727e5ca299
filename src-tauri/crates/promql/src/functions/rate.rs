//! How fast counters and gauges move: `rate`, `increase`, `delta` over whole windows, `irate` and `idelta` over the
//! last two samples.
//!
//! A window's rate needs its first and last sample and the counter resets between; resets are found once a series,
//! so that a step costs what its window's resets are, mostly nothing, and not its samples.

use std::ops::Range;

use lab_metrics::Sample;

use super::WindowCall;
use crate::engine::Semantics;
use crate::error::EvalError;

pub(super) fn rate(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    extrapolated(call, samples, out, true, true);
    Ok(())
}

pub(super) fn increase(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    extrapolated(call, samples, out, true, false);
    Ok(())
}

pub(super) fn delta(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    extrapolated(call, samples, out, false, false);
    Ok(())
}

pub(super) fn irate(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    call.each(samples, out, |_, window| {
        let [.., previous, last] = window else { return None };
        let change = if last.value < previous.value { last.value } else { last.value - previous.value };
        Some(change / ((last.t_ms - previous.t_ms) as f64 / 1000.0))
    });
    Ok(())
}

pub(super) fn idelta(call: &WindowCall<'_>, samples: &[Sample], out: &mut [f64]) -> Result<(), EvalError> {
    call.each(samples, out, |_, window| match window {
        [.., previous, last] => Some(last.value - previous.value),
        _ => None,
    });
    Ok(())
}

fn extrapolated(
    call: &WindowCall<'_>,
    samples: &[Sample],
    out: &mut [f64],
    is_counter: bool,
    per_second: bool,
) {
    let resets = if is_counter { Resets::of(samples) } else { Resets::default() };
    let mut next_reset = 0;
    call.each_range(samples, out, |step, window| {
        let seen = &samples[window.clone()];
        let [first, .., last] = seen else { return None };
        let mut change = last.value - first.value;
        for lost in resets.within(window, &mut next_reset) {
            change += lost;
        }
        let counter_start = (is_counter && change > 0.0 && first.value >= 0.0).then_some(first.value);
        let edges = Edges {
            to_start_s: (first.t_ms - call.windows.start(step)) as f64 / 1000.0,
            to_end_s: (call.windows.end(step) - last.t_ms) as f64 / 1000.0,
            sampled_s: (last.t_ms - first.t_ms) as f64 / 1000.0,
            gaps: (seen.len() - 1) as f64,
        };
        let mut factor = edges.extrapolated_s(counter_start, change, call.semantics) / edges.sampled_s;
        if per_second {
            factor /= call.windows.range_ms as f64 / 1000.0;
        }
        Some(change * factor)
    });
}

/// Where a counter fell, and from which value.
#[derive(Default)]
struct Resets {
    /// Index of the sample after the fall, value before it.
    falls: Vec<(usize, f64)>,
}

impl Resets {
    fn of(samples: &[Sample]) -> Self {
        let falls = samples.windows(2).enumerate().filter(|(_, pair)| pair[1].value < pair[0].value);
        Self { falls: falls.map(|(index, pair)| (index + 1, pair[0].value)).collect() }
    }

    /// What was lost inside `window`. `next` remembers between windows, which only advance, where to look.
    fn within(&self, window: Range<usize>, next: &mut usize) -> impl Iterator<Item = f64> {
        while self.falls.get(*next).is_some_and(|(index, _)| *index <= window.start) {
            *next += 1;
        }
        self.falls[*next..].iter().take_while(move |(index, _)| *index < window.end).map(|(_, lost)| *lost)
    }
}

/// How the samples of a window lie in it, in seconds.
struct Edges {
    to_start_s: f64,
    to_end_s: f64,
    sampled_s: f64,
    gaps: f64,
}

impl Edges {
    /// The time for which the samples are taken to speak: up to the window's edges where they come close, else half
    /// a gap further; and not to before a counter's zero (Prometheus, `extrapolatedRate`).
    fn extrapolated_s(&self, counter_start: Option<f64>, change: f64, semantics: Semantics) -> f64 {
        let gap_s = self.sampled_s / self.gaps;
        let threshold_s = gap_s * 1.1;
        let up_to_edge = |distance_s: f64| if distance_s < threshold_s { distance_s } else { gap_s / 2.0 };
        let up_to_zero = |distance_s: f64| match counter_start {
            Some(value) => {
                let to_zero_s = self.sampled_s * (value / change);
                if to_zero_s < distance_s { to_zero_s } else { distance_s }
            }
            None => distance_s,
        };
        let before_s = match semantics {
            Semantics::V2_42 => up_to_edge(up_to_zero(self.to_start_s)),
            Semantics::V3 => up_to_zero(up_to_edge(self.to_start_s)),
        };
        self.sampled_s + before_s + up_to_edge(self.to_end_s)
    }
}
