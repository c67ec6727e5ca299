//! What came against what was expected, with the tolerance of Prometheus' own runner: scripts give six digits.

use std::collections::BTreeMap;

use lab_metrics::{Labels, Sample, SeriesData};

use super::script::Expected;
use super::series::Slot;
use crate::number::format_float;
use crate::value::{Value, VectorSample};

const TOLERANCE: f64 = 1e-6;

/// Compares the answer of an instant query.
pub(super) fn instant(value: &Value, expected: &Expected, ordered: bool) -> Result<(), String> {
    match (value, expected) {
        (Value::Scalar(sample), Expected::Number(number)) => same(*number, sample.value, || "scalar".into()),
        (Value::String { text, .. }, Expected::Text(wanted)) if text == wanted => Ok(()),
        (Value::Vector(elements), Expected::Series(series)) => vector(elements, series, ordered),
        (Value::Matrix(series), Expected::Matrix { start_ms, step_ms, series: wanted }) => {
            matrix(series, wanted, *start_ms, *step_ms)
        }
        (value, _) => Err(format!("expected another type of answer than {}", value.value_type())),
    }
}

fn vector(elements: &[VectorSample], expected: &[(Labels, Vec<Slot>)], ordered: bool) -> Result<(), String> {
    // As in Prometheus' runner, of two lines with the same labels the last counts.
    let wanted: BTreeMap<&Labels, (usize, &[Slot])> = expected
        .iter()
        .enumerate()
        .map(|(place, (labels, slots))| (labels, (place, slots.as_slice())))
        .collect();
    let mut seen = Vec::new();
    for (place, element) in elements.iter().enumerate() {
        let name = || format!("{:?}", element.labels.iter().collect::<Vec<_>>());
        let (wanted_place, slots) =
            wanted.get(&element.labels).ok_or_else(|| format!("unexpected element {}", name()))?;
        if ordered && *wanted_place != place {
            return Err(format!("{} belongs at place {wanted_place}, not {place}", name()));
        }
        let [Slot::Value(number)] = slots else { return Err(format!("one value is wanted for {}", name())) };
        same(*number, element.sample.value, name)?;
        seen.push(&element.labels);
    }
    match wanted.keys().find(|labels| !seen.contains(labels)) {
        Some(labels) => Err(format!("{:?} is missing", labels.iter().collect::<Vec<_>>())),
        None => Ok(()),
    }
}

/// Compares series whose samples lie on a grid.
pub(super) fn matrix(
    series: &[SeriesData],
    expected: &[(Labels, Vec<Slot>)],
    start_ms: i64,
    step_ms: i64,
) -> Result<(), String> {
    for (labels, slots) in expected {
        let name = || format!("{:?}", labels.iter().collect::<Vec<_>>());
        let wanted: Vec<Sample> = (0..)
            .zip(slots)
            .filter_map(|(step, slot)| match slot {
                Slot::Value(value) => Some(Sample { t_ms: start_ms + step * step_ms, value: *value }),
                _ => None,
            })
            .collect();
        let found =
            series.iter().find(|series| series.labels == *labels).map(|series| series.samples.as_slice());
        let found = found.unwrap_or_default();
        if found.len() != wanted.len() {
            return Err(format!("{} samples are wanted of {}, {} came", wanted.len(), name(), found.len()));
        }
        for (wanted, found) in wanted.iter().zip(found) {
            if wanted.t_ms != found.t_ms {
                return Err(format!("{} has a sample at {} ms, not {}", name(), found.t_ms, wanted.t_ms));
            }
            same(wanted.value, found.value, || format!("{} at {} ms", name(), found.t_ms))?;
        }
    }
    match series.iter().find(|series| expected.iter().all(|(labels, _)| *labels != series.labels)) {
        Some(series) => Err(format!("unexpected series {:?}", series.labels.iter().collect::<Vec<_>>())),
        None => Ok(()),
    }
}

fn same(wanted: f64, found: f64, what: impl FnOnce() -> String) -> Result<(), String> {
    if almost_equal(wanted, found) {
        return Ok(());
    }
    Err(format!("{} is {}, not {}", what(), format_float(found), format_float(wanted)))
}

fn almost_equal(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || difference < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / (a.abs() + b.abs()) < TOLERANCE
}
