//! PromQL's functions: one map from name to function, one family a file.
//!
//! Three kinds cover nearly all. A *map* turns one number into another. A *window* function goes through one
//! series' windows, for all steps in one call, so that each may carry what it learned from one window into the
//! next. A *table* function sees whole vectors.

mod absent;
mod date;
mod histogram;
pub(crate) mod label;
mod math;
pub(crate) mod numeric;
mod over_time;
mod rate;
mod scalar;
mod sort;
mod trend;

use std::ops::Range;

use lab_metrics::Sample;

use crate::engine::Semantics;
use crate::error::EvalError;
use crate::eval::{Cells, Evaluator, Grid, Row, Windows, is_absent, without_names};
use crate::plan::Expr;

pub(crate) use absent::absent_labels;
pub(crate) use scalar::timestamp_of_steps;

/// How a function is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    /// Element by element; the metric name is dropped.
    Map(fn(f64) -> f64),
    /// Series by series, through windows.
    Window { run: WindowFn, keeps_name: bool },
    /// `absent_over_time`: a window function whose result is turned inside out.
    AbsentOverTime,
    /// `timestamp`: looks through its argument at the samples behind it.
    Timestamp,
    /// From whole arguments to a whole result.
    Table(fn(TableCall<'_, '_>) -> Result<Cells, EvalError>),
}

/// Fills in the value of one series at each step; what it leaves alone stays absent.
pub(crate) type WindowFn = fn(&WindowCall<'_>, &[Sample], &mut [f64]) -> Result<(), EvalError>;

/// What a window function works with, besides the samples.
pub(crate) struct WindowCall<'a> {
    pub windows: Windows,
    pub grid: Grid,
    /// The other arguments, each with one value a step.
    pub scalars: &'a [Vec<f64>],
    pub semantics: Semantics,
}

impl WindowCall<'_> {
    /// The value of scalar argument `index` at `step`.
    pub fn scalar(&self, index: usize, step: usize) -> f64 {
        self.scalars.get(index).and_then(|values| values.get(step)).copied().unwrap_or(f64::NAN)
    }

    /// Gives each step the value that `value` makes of its window.
    pub fn each(
        &self,
        samples: &[Sample],
        out: &mut [f64],
        mut value: impl FnMut(usize, &[Sample]) -> Option<f64>,
    ) {
        self.each_range(samples, out, |step, window| value(step, &samples[window]));
    }

    /// As [`WindowCall::each`], with the window as indices into `samples`.
    pub fn each_range(
        &self,
        samples: &[Sample],
        out: &mut [f64],
        mut value: impl FnMut(usize, Range<usize>) -> Option<f64>,
    ) {
        self.windows.each(samples, |step, window| {
            if let Some(value) = value(step, window) {
                out[step] = value;
            }
        });
    }
}

/// What a table function works with.
pub(crate) struct TableCall<'c, 'e> {
    pub args: Vec<Cells>,
    /// The arguments as written.
    pub exprs: &'c [Expr],
    pub grid: Grid,
    pub evaluator: &'c mut Evaluator<'e>,
}

impl TableCall<'_, '_> {
    pub fn vector(&mut self, index: usize) -> Result<Vec<Row>, EvalError> {
        self.take(index)?.vector()
    }

    pub fn scalar(&mut self, index: usize) -> Result<Vec<f64>, EvalError> {
        self.take(index)?.scalar()
    }

    pub fn text(&self, index: usize) -> Result<&str, EvalError> {
        self.args.get(index).ok_or(MISSING)?.text()
    }

    fn take(&mut self, index: usize) -> Result<Cells, EvalError> {
        self.args.get_mut(index).map(|arg| std::mem::replace(arg, Cells::Scalar(Vec::new()))).ok_or(MISSING)
    }
}

/// The grammar checks how many arguments there are.
pub(crate) const MISSING: EvalError = EvalError::Internal("an argument is missing");

/// `present_over_time`, and the first half of `absent_over_time`.
pub(crate) const PRESENT: WindowFn = over_time::present;

/// Applies `map` to every value and drops the metric name.
pub(crate) fn map_values(mut rows: Vec<Row>, map: impl Fn(f64) -> f64) -> Result<Vec<Row>, EvalError> {
    for value in rows.iter_mut().flat_map(|row| &mut row.values).filter(|value| !is_absent(**value)) {
        *value = map(*value);
    }
    without_names(rows)
}

/// Whether a function's result can change with the time of evaluation though its arguments do not
/// (Prometheus: `AtModifierUnsafeFunctions`).
pub(crate) fn depends_on_time(name: &str) -> bool {
    matches!(
        name,
        "days_in_month"
            | "day_of_month"
            | "day_of_week"
            | "day_of_year"
            | "end"
            | "hour"
            | "minute"
            | "month"
            | "year"
            | "predict_linear"
            | "range"
            | "start"
            | "step"
            | "time"
            | "timestamp"
    )
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<Function> {
    use Function::{AbsentOverTime, Map, Table, Timestamp};
    let window = |run| Function::Window { run, keeps_name: false };
    let naming = |run| Function::Window { run, keeps_name: true };
    Some(match name {
        "abs" => Map(f64::abs),
        "absent" => Table(absent::absent),
        "absent_over_time" => AbsentOverTime,
        "acos" => Map(f64::acos),
        "acosh" => Map(f64::acosh),
        "asin" => Map(f64::asin),
        "asinh" => Map(f64::asinh),
        "atan" => Map(f64::atan),
        "atanh" => Map(f64::atanh),
        "avg_over_time" => window(over_time::avg),
        "ceil" => Map(f64::ceil),
        "changes" => window(over_time::changes),
        "clamp" => Table(math::clamp),
        "clamp_max" => Table(math::clamp_max),
        "clamp_min" => Table(math::clamp_min),
        "cos" => Map(f64::cos),
        "cosh" => Map(f64::cosh),
        "count_over_time" => window(over_time::count),
        "day_of_month" => Table(date::day_of_month),
        "day_of_week" => Table(date::day_of_week),
        "day_of_year" => Table(date::day_of_year),
        "days_in_month" => Table(date::days_in_month),
        "deg" => Map(math::degrees),
        "delta" => window(rate::delta),
        "deriv" => window(trend::deriv),
        "double_exponential_smoothing" | "holt_winters" => window(trend::double_exponential_smoothing),
        "end" => Table(scalar::query_end),
        "exp" => Map(f64::exp),
        "first_over_time" => naming(over_time::first),
        "floor" => Map(f64::floor),
        "histogram_avg" | "histogram_count" | "histogram_stddev" | "histogram_stdvar" | "histogram_sum" => {
            Table(histogram::native_only)
        }
        "histogram_fraction" => Table(histogram::fraction),
        "histogram_quantile" => Table(histogram::quantile),
        "hour" => Table(date::hour),
        "idelta" => window(rate::idelta),
        "increase" => window(rate::increase),
        "irate" => window(rate::irate),
        "label_join" => Table(label::join),
        "label_replace" => Table(label::replace),
        "last_over_time" => naming(over_time::last),
        "ln" => Map(f64::ln),
        "log10" => Map(f64::log10),
        "log2" => Map(f64::log2),
        "mad_over_time" => window(over_time::mad),
        "max_of" => Table(math::max_of),
        "max_over_time" => window(over_time::max),
        "min_of" => Table(math::min_of),
        "min_over_time" => window(over_time::min),
        "minute" => Table(date::minute),
        "month" => Table(date::month),
        "pi" => Table(scalar::pi),
        "predict_linear" => window(trend::predict_linear),
        "present_over_time" => window(PRESENT),
        "quantile_over_time" => window(over_time::quantile),
        "rad" => Map(math::radians),
        "range" => Table(scalar::query_range),
        "rate" => window(rate::rate),
        "resets" => window(over_time::resets),
        "round" => Table(math::round),
        "scalar" => Table(scalar::scalar),
        "sgn" => Map(math::sign),
        "sin" => Map(f64::sin),
        "sinh" => Map(f64::sinh),
        "sort" => Table(sort::ascending),
        "sort_by_label" => Table(sort::by_label),
        "sort_by_label_desc" => Table(sort::by_label_descending),
        "sort_desc" => Table(sort::descending),
        "sqrt" => Map(f64::sqrt),
        "start" => Table(scalar::query_start),
        "stddev_over_time" => window(over_time::stddev),
        "stdvar_over_time" => window(over_time::stdvar),
        "step" => Table(scalar::query_step),
        "sum_over_time" => window(over_time::sum),
        "tan" => Map(f64::tan),
        "tanh" => Map(f64::tanh),
        "time" => Table(scalar::time),
        "timestamp" => Timestamp,
        "ts_of_first_over_time" => window(over_time::time_of_first),
        "ts_of_last_over_time" => window(over_time::time_of_last),
        "ts_of_max_over_time" => window(over_time::time_of_max),
        "ts_of_min_over_time" => window(over_time::time_of_min),
        "vector" => Table(scalar::vector),
        "year" => Table(date::year),
        _ => return None,
    })
}
