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

use lab_metrics::{Queryable, Sample, SeriesData};

use crate::engine::Engine;
use crate::error::EvalError;
use crate::functions::{self, Function, TableCall};
use crate::plan::{Call, Expr, Kind};
use crate::value::{Value, VectorSample};

pub(crate) use grid::{Grid, Windows};
pub(crate) use table::{ABSENT, Cells, Row, is_absent, merged, without_name, without_names};

/// One evaluation of one query.
pub(crate) struct Evaluator<'a> {
    pub engine: &'a Engine,
    store: &'a dyn Queryable,
    /// The query's own start and end, for `@ start()` and `@ end()`.
    start_ms: i64,
    end_ms: i64,
    /// Values held at the moment.
    held: usize,
}

pub(crate) fn instant(
    engine: &Engine,
    store: &dyn Queryable,
    root: &Expr,
    t_ms: i64,
) -> Result<Value, EvalError> {
    let mut evaluator = Evaluator { engine, store, start_ms: t_ms, end_ms: t_ms, held: 0 };
    let grid = Grid { start_ms: t_ms, step_ms: 1, steps: 1 };
    if matches!(root.kind, Kind::Range(_) | Kind::Subquery(_)) {
        return evaluator.matrix(root, grid).map(Value::Matrix);
    }
    let sample = |values: &[f64]| values.first().map(|value| Sample { t_ms, value: *value });
    match evaluator.eval(root, grid)? {
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

pub(crate) fn range(
    engine: &Engine,
    store: &dyn Queryable,
    root: &Expr,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
) -> Result<Vec<SeriesData>, EvalError> {
    let mut evaluator = Evaluator { engine, store, start_ms, end_ms, held: 0 };
    let grid = Grid::new(start_ms, end_ms, step_ms);
    let rows = match evaluator.eval(root, grid)? {
        Cells::Text(_) => return Err(EvalError::Internal("a string has no range")),
        Cells::Scalar(values) => vec![Row { labels: lab_metrics::Labels::default(), values }],
        Cells::Vector(rows) => rows,
    };
    let mut series = as_series(rows, grid);
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(series)
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

impl Evaluator<'_> {
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
