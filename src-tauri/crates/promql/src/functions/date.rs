//! Calendar fields of times given in seconds since 1970, in UTC; without an argument, of the time of evaluation.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use lab_metrics::Labels;

use super::{TableCall, map_values};
use crate::error::EvalError;
use crate::eval::{Cells, Row};

pub(super) fn year(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.year()))
}

pub(super) fn month(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.month()))
}

pub(super) fn day_of_month(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.day()))
}

pub(super) fn day_of_week(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.weekday().to_sunday_zero_offset()))
}

pub(super) fn day_of_year(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.day_of_year()))
}

pub(super) fn days_in_month(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.days_in_month()))
}

pub(super) fn hour(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.hour()))
}

pub(super) fn minute(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    field(call, |t| f64::from(t.minute()))
}

fn field(mut call: TableCall<'_, '_>, read: fn(DateTime) -> f64) -> Result<Cells, EvalError> {
    // Fractions of a second are cut off. NaN, and years that no calendar names, give NaN; Prometheus gives what
    // Go's conversion to a whole number happens to leave.
    let at = |seconds: f64| {
        let time = if seconds.is_nan() { None } else { Timestamp::from_second(seconds as i64).ok() };
        time.map_or(f64::NAN, |time| read(TimeZone::UTC.to_datetime(time)))
    };
    if call.args.is_empty() {
        let values = call.grid.times().map(|t_ms| at((t_ms / 1000) as f64)).collect();
        return Ok(Cells::Vector(vec![Row { labels: Labels::default(), values }]));
    }
    map_values(call.vector(0)?, at).map(Cells::Vector)
}
