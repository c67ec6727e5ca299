//! Rounding, bounding and angles.

use super::{TableCall, map_values};
use crate::error::EvalError;
use crate::eval::{Cells, Row, is_absent, without_names};

pub(super) fn degrees(v: f64) -> f64 {
    v * 180.0 / std::f64::consts::PI
}

pub(super) fn radians(v: f64) -> f64 {
    v * std::f64::consts::PI / 180.0
}

/// -1, 0 or 1; NaN and the zeros stay themselves.
pub(super) fn sign(v: f64) -> f64 {
    if v < 0.0 {
        -1.0
    } else if v > 0.0 {
        1.0
    } else {
        v
    }
}

pub(super) fn clamp(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let (mut rows, low, high) = (call.vector(0)?, call.scalar(1)?, call.scalar(2)?);
    for row in &mut rows {
        for ((value, low), high) in row.values.iter_mut().zip(&low).zip(&high) {
            if !is_absent(*value) {
                // Bounds the wrong way round leave nothing.
                *value = if high < low { crate::eval::ABSENT } else { larger(*low, smaller(*high, *value)) };
            }
        }
    }
    rows.retain(Row::has_values);
    without_names(rows).map(Cells::Vector)
}

pub(super) fn clamp_max(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let (rows, bound) = (call.vector(0)?, call.scalar(1)?);
    bounded(rows, &bound, smaller)
}

pub(super) fn clamp_min(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let (rows, bound) = (call.vector(0)?, call.scalar(1)?);
    bounded(rows, &bound, larger)
}

pub(super) fn min_of(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    of_two(call, smaller)
}

pub(super) fn max_of(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    of_two(call, larger)
}

fn of_two(mut call: TableCall<'_, '_>, choose: impl Fn(f64, f64) -> f64) -> Result<Cells, EvalError> {
    let (a, b) = (call.scalar(0)?, call.scalar(1)?);
    Ok(Cells::Scalar(a.into_iter().zip(b).map(|(a, b)| choose(a, b)).collect()))
}

pub(super) fn round(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let rows = call.vector(0)?;
    if call.args.len() < 2 {
        return map_values(rows, |v| (v + 0.5).floor()).map(Cells::Vector);
    }
    let nearest = call.scalar(1)?;
    // Dividing by the inverse is off by fewer digits than multiplying (Prometheus, `funcRound`).
    bounded(rows, &nearest, |nearest, v| {
        let inverse = 1.0 / nearest;
        (v * inverse + 0.5).floor() / inverse
    })
}

fn bounded(mut rows: Vec<Row>, scalar: &[f64], f: impl Fn(f64, f64) -> f64) -> Result<Cells, EvalError> {
    for row in &mut rows {
        for (value, scalar) in row.values.iter_mut().zip(scalar).filter(|(value, _)| !is_absent(**value)) {
            *value = f(*scalar, *value);
        }
    }
    without_names(rows).map(Cells::Vector)
}

// Unlike Rust's, Go's minimum and maximum are NaN when either side is.

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
