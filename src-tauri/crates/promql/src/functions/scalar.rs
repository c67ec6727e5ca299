//! Between scalars, vectors and time: `scalar`, `vector`, `time`, `pi`, `timestamp`.

use lab_metrics::Labels;

use super::TableCall;
use crate::error::EvalError;
use crate::eval::{Cells, Grid, Row, is_absent, without_names};

pub(super) fn pi(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    Ok(Cells::Scalar(vec![std::f64::consts::PI; call.grid.steps]))
}

pub(super) fn time(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    Ok(Cells::Scalar(call.grid.times().map(|t_ms| t_ms as f64 / 1000.0).collect()))
}

// What was asked for, in seconds: the query's bounds and step, also inside a subquery. Experimental in Prometheus 3.

pub(super) fn query_start(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    everywhere(&call, call.evaluator.request.start_ms)
}

pub(super) fn query_end(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    everywhere(&call, call.evaluator.request.end_ms)
}

pub(super) fn query_range(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    everywhere(&call, call.evaluator.request.end_ms - call.evaluator.request.start_ms)
}

pub(super) fn query_step(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    everywhere(&call, call.evaluator.request.step_ms)
}

fn everywhere(call: &TableCall<'_, '_>, ms: i64) -> Result<Cells, EvalError> {
    Ok(Cells::Scalar(vec![ms as f64 / 1000.0; call.grid.steps]))
}

pub(super) fn vector(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    Ok(Cells::Vector(vec![Row { labels: Labels::default(), values: call.scalar(0)? }]))
}

/// The value of a vector's only element, NaN when it has none or several.
pub(super) fn scalar(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let rows = call.vector(0)?;
    let only = (0..call.grid.steps).map(|step| {
        let mut present = rows.iter().map(|row| row.values[step]).filter(|value| !is_absent(*value));
        match (present.next(), present.next()) {
            (Some(value), None) => value,
            _ => f64::NAN,
        }
    });
    Ok(Cells::Scalar(only.collect()))
}

/// `timestamp` of anything but a selector: computed values are as old as their step.
pub(crate) fn timestamp_of_steps(mut rows: Vec<Row>, grid: Grid) -> Result<Vec<Row>, EvalError> {
    for row in &mut rows {
        for (value, t_ms) in row.values.iter_mut().zip(grid.times()).filter(|(value, _)| !is_absent(**value))
        {
            *value = t_ms as f64 / 1000.0;
        }
    }
    without_names(rows)
}
