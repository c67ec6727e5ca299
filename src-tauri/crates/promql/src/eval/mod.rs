//! Evaluation: every expression once for the whole grid of steps, bottom up.
//!
//! A series' labels are the same at every step, so that matching, grouping and looking up happen once a series,
//! and the work a step is arithmetic on rows. Samples are read once a selector, for the whole range.

mod aggregate;
mod binary;
mod grid;
mod rank;
mod select;
mod sets;
mod table;

use lab_metrics::{Labels, Queryable, Sample, SeriesData};

use crate::engine::Engine;
use crate::error::EvalError;
use crate::functions::{self, Function, TableCall};
use crate::number::format_float;
use crate::plan::{Call, Expr, Kind};
use crate::value::{Value, VectorSample};

pub(crate) use grid::{Grid, Windows};
pub(crate) use table::{ABSENT, Cells, Row, is_absent, merged, without_name, without_names};

/// One evaluation of one query.
pub(crate) struct Evaluator<'a> {
    pub engine: &'a Engine,
    store: &'a dyn Queryable,
    pub request: Request,
    /// Values held at the moment.
    held: usize,
    warnings: Vec<String>,
}

/// What was asked for, whatever grid a part of it is evaluated on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub start_ms: i64,
    pub end_ms: i64,
    /// 0 for an instant query.
    pub step_ms: i64,
}

/// Rows as samples; rows without any are left out.
fn as_series(rows: Vec<Row>, grid: Grid) -> Vec<SeriesData> {
    rows.into_iter()
        .map(|row| SeriesData {
            labels: row.labels,
            samples: (grid.times().zip(row.values))
                .filter(|(_, value)| !is_absent(*value))
                .map(|(t_ms, value)| Sample { t_ms, value })
                .collect(),
        })
        .filter(|series| !series.samples.is_empty())
        .collect()
}

impl<'a> Evaluator<'a> {
    pub fn new(engine: &'a Engine, store: &'a dyn Queryable, request: Request) -> Self {
        Self { engine, store, request, held: 0, warnings: Vec::new() }
    }

    /// The value of `root` at the request's start.
    pub fn instant(&mut self, root: &Expr) -> Result<Value, EvalError> {
        let t_ms = self.request.start_ms;
        let grid = Grid { start_ms: t_ms, step_ms: 1, steps: 1 };
        if matches!(root.kind, Kind::Range(_) | Kind::Subquery(_)) {
            return self.matrix(root, grid).map(Value::Matrix);
        }
        let sample = |values: &[f64]| values.first().map(|value| Sample { t_ms, value: *value });
        match self.eval(root, grid)? {
            Cells::Text(text) => Ok(Value::String { t_ms, text: text.as_ref().to_owned() }),
            Cells::Scalar(values) => {
                sample(&values).map(Value::Scalar).ok_or(EvalError::Internal("a scalar without a value"))
            }
            Cells::Vector(rows) => Ok(Value::Vector(
                rows.into_iter()
                    .filter(Row::has_values)
                    .filter_map(|row| Some(VectorSample { sample: sample(&row.values)?, labels: row.labels }))
                    .collect(),
            )),
        }
    }

    /// The values of `root` at every step of the request, in order of labels.
    pub fn range(&mut self, root: &Expr) -> Result<Value, EvalError> {
        let Request { start_ms, end_ms, step_ms } = self.request;
        let grid = Grid::new(start_ms, end_ms, step_ms);
        let rows = match self.eval(root, grid)? {
            Cells::Text(_) => return Err(EvalError::Internal("a string has no range")),
            Cells::Scalar(values) => vec![Row { labels: Labels::default(), values }],
            Cells::Vector(rows) => rows,
        };
        let mut series = as_series(rows, grid);
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(Value::Matrix(series))
    }

    /// What there is to say about the answer.
    pub fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// The value of `expr` at every step of `grid`.
    pub fn eval(&mut self, expr: &Expr, grid: Grid) -> Result<Cells, EvalError> {
        self.engine.check_interrupt()?;
        let held_before = self.held;
        self.hold(grid.steps)?;
        let cells = if expr.invariant && grid.steps > 1 {
            let once = self.eval_kind(expr, grid.first())?;
            self.hold(once.len().saturating_mul(grid.steps))?;
            once.repeated(grid.steps)
        } else {
            self.eval_kind(expr, grid)?
        };
        // What the parts held is free again; what they came to is not.
        self.held = held_before;
        self.hold(cells.len())?;
        Ok(cells)
    }

    fn eval_kind(&mut self, expr: &Expr, grid: Grid) -> Result<Cells, EvalError> {
        match &expr.kind {
            Kind::Number(value) => Ok(Cells::Scalar(vec![*value; grid.steps])),
            Kind::Text(text) => Ok(Cells::Text(text.clone())),
            Kind::Select(selector) => self.select(selector, grid).map(Cells::Vector),
            Kind::Range(_) | Kind::Subquery(_) => {
                Err(EvalError::Internal("a range vector is no value of its own"))
            }
            Kind::Negate(inner) => match self.eval(inner, grid)? {
                Cells::Scalar(values) => Ok(Cells::Scalar(values.into_iter().map(|v| -v).collect())),
                cells => functions::map_values(cells.vector()?, |v| -v).map(Cells::Vector),
            },
            Kind::Binary(binary) => self.binary(binary, grid),
            Kind::Aggregate(aggregate) => self.aggregate(aggregate, grid).map(Cells::Vector),
            Kind::Call(call) => self.call(call, grid),
        }
    }

    fn call(&mut self, call: &Call, grid: Grid) -> Result<Cells, EvalError> {
        match call.function {
            Function::Window { .. } | Function::AbsentOverTime => {
                self.window_call(call, grid).map(Cells::Vector)
            }
            Function::Timestamp => {
                if let Some(Kind::Select(selector)) = call.args.first().map(|arg| &arg.kind) {
                    return self.timestamps(selector, grid).map(Cells::Vector);
                }
                let rows = self.eval(call.args.first().ok_or(functions::MISSING)?, grid)?.vector()?;
                functions::timestamp_of_steps(rows, grid).map(Cells::Vector)
            }
            Function::Map(map) => {
                let rows = self.eval(call.args.first().ok_or(functions::MISSING)?, grid)?.vector()?;
                functions::map_values(rows, map).map(Cells::Vector)
            }
            Function::Table(evaluate) => {
                let args = call.args.iter().map(|arg| self.eval(arg, grid)).collect::<Result<_, _>>()?;
                evaluate(TableCall { args, exprs: &call.args, grid, evaluator: self })
            }
        }
    }

    /// Notes what the person who asked should know; the same is said once.
    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Warns of a quantile outside of 0 to 1, which gives an infinity.
    pub fn check_quantiles(&mut self, quantiles: &[f64]) {
        if let Some(q) = quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            let q = format_float(*q);
            self.warn(format!("PromQL warning: quantile value should be between 0 and 1, got {q}"));
        }
    }

    /// Counts `samples` more as held.
    ///
    /// # Errors
    /// When that is more than a query may hold.
    pub fn hold(&mut self, samples: usize) -> Result<(), EvalError> {
        let limit = self.engine.limits.samples;
        self.held = self.held.saturating_add(samples);
        if self.held > limit { Err(EvalError::TooManySamples { limit }) } else { Ok(()) }
    }
}
