//! Selectors: samples into rows, and windows of samples into rows through the functions that take them.

use lab_metrics::{Sample, SeriesData, is_stale};

use super::{
    ABSENT, Evaluator, Grid, Row, Windows, as_series, is_absent, merged, without_name, without_names,
};
use crate::engine::Semantics;
use crate::error::EvalError;
use crate::functions::{self, Function, WindowCall};
use crate::plan::{At, Call, Expr, Kind, RangeSelector, Selector, Shift, Subquery};

impl Evaluator<'_> {
    /// The latest sample of each series at each step, if it is neither a staleness marker nor too old.
    pub(super) fn select(&mut self, selector: &Selector, grid: Grid) -> Result<Vec<Row>, EvalError> {
        self.latest(selector, grid, |sample| sample.value)
    }

    /// `timestamp()` of a selector: when the latest sample was taken, rather than the time of the step.
    pub(super) fn timestamps(&mut self, selector: &Selector, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let rows = self.latest(selector, grid, |sample| sample.t_ms as f64 / 1000.0)?;
        without_names(rows)
    }

    fn latest(
        &mut self,
        selector: &Selector,
        grid: Grid,
        value_of: fn(&Sample) -> f64,
    ) -> Result<Vec<Row>, EvalError> {
        let lookback_ms = i64::try_from(self.engine.lookback.as_millis()).unwrap_or(i64::MAX / 4);
        // The window of one step is the lookback; a selector is a range of which the last sample counts.
        let windows = self.windows(selector.shift, lookback_ms, grid);
        let series = self.fetch(selector, windows)?;
        let mut rows = Vec::with_capacity(series.len());
        for data in series {
            self.engine.check_interrupt()?;
            self.hold(grid.steps)?;
            let mut row = Row::empty(data.labels, grid.steps);
            windows.each(&data.samples, |step, window| {
                let last = &data.samples[window.end - 1];
                if !is_stale(last.value) {
                    row.values[step] = value_of(last);
                }
            });
            if row.has_values() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn fetch(&mut self, selector: &Selector, windows: Windows) -> Result<Vec<SeriesData>, EvalError> {
        if windows.steps == 0 {
            return Ok(Vec::new());
        }
        let (from_ms, to_ms) = windows.span();
        let series = self.store.select(&selector.matchers, from_ms, to_ms);
        self.hold(series.iter().map(|s| s.samples.len()).sum())?;
        Ok(series)
    }

    /// Where the windows of a selector or subquery lie, given what it says of offset and `@`.
    fn windows(&self, shift: Shift, range_ms: i64, grid: Grid) -> Windows {
        let (anchor_ms, step_ms) = match shift.at {
            None => (grid.start_ms, grid.step_ms),
            Some(At::Time(t_ms)) => (t_ms, 0),
            Some(At::Start) => (self.request.start_ms, 0),
            Some(At::End) => (self.request.end_ms, 0),
        };
        Windows {
            end_ms: anchor_ms - shift.offset_ms,
            step_ms,
            steps: grid.steps,
            range_ms,
            left_open: self.engine.semantics == Semantics::V3,
        }
    }

    /// The series behind a range selector or a subquery, and the windows to look at them through.
    fn ranged(&mut self, expr: &Expr, grid: Grid) -> Result<(Vec<SeriesData>, Windows), EvalError> {
        match &expr.kind {
            Kind::Range(RangeSelector { selector, range_ms }) => {
                let windows = self.windows(selector.shift, *range_ms, grid);
                let mut series = self.fetch(selector, windows)?;
                for data in &mut series {
                    data.samples.retain(|sample| !is_stale(sample.value));
                }
                Ok((series, windows))
            }
            Kind::Subquery(subquery) => {
                let windows = self.windows(subquery.shift, subquery.range_ms, grid);
                let series = self.subquery(subquery, windows)?;
                Ok((series, windows))
            }
            _ => Err(EvalError::Internal("a range vector was expected")),
        }
    }

    /// Evaluates the inner expression at every multiple of the subquery's step that a window reaches.
    fn subquery(&mut self, subquery: &Subquery, windows: Windows) -> Result<Vec<SeriesData>, EvalError> {
        if windows.steps == 0 {
            return Ok(Vec::new());
        }
        let default_ms = i64::try_from(self.engine.default_step.as_millis()).unwrap_or(i64::MAX / 4);
        let step_ms = subquery.step_ms.unwrap_or(default_ms).max(1);
        let (from_ms, to_ms) = windows.span();
        let earliest = from_ms + i64::from(windows.left_open);
        let start_ms = earliest.div_euclid(step_ms) * step_ms;
        let start_ms = if start_ms < earliest { start_ms + step_ms } else { start_ms };
        let grid = Grid::new(start_ms, to_ms, step_ms);
        let rows = self.eval(&subquery.expr, grid)?.vector()?;
        Ok(as_series(rows, grid))
    }

    /// A range vector as the answer of an instant query: the samples of its one window.
    pub(super) fn matrix(&mut self, expr: &Expr, grid: Grid) -> Result<Vec<SeriesData>, EvalError> {
        let (series, windows) = self.ranged(expr, grid)?;
        let mut matrix = Vec::with_capacity(series.len());
        for data in series {
            windows.each(&data.samples, |_, window| {
                matrix
                    .push(SeriesData { labels: data.labels.clone(), samples: data.samples[window].to_vec() });
            });
        }
        matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(matrix)
    }

    /// A function of a range vector: each series through its windows.
    pub(super) fn window_call(&mut self, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let (run, keeps_name) = match call.function {
            Function::Window { run, keeps_name } => (run, keeps_name),
            _ => (functions::PRESENT, false),
        };
        let mut scalars = Vec::new();
        let mut source = None;
        for arg in &call.args {
            match arg.kind {
                Kind::Range(_) | Kind::Subquery(_) => source = Some(arg),
                _ => scalars.push(self.eval(arg, grid)?.scalar()?),
            }
        }
        let source = source.ok_or(functions::MISSING)?;
        let (series, windows) = self.ranged(source, grid)?;
        let window_call = WindowCall { windows, grid, scalars: &scalars, semantics: self.engine.semantics };
        let mut rows = Vec::with_capacity(series.len());
        for data in &series {
            self.engine.check_interrupt()?;
            self.hold(grid.steps)?;
            let labels = if keeps_name { data.labels.clone() } else { without_name(&data.labels) };
            let mut row = Row::empty(labels, grid.steps);
            run(&window_call, &data.samples, &mut row.values)?;
            if row.has_values() {
                rows.push(row);
            }
        }
        if matches!(call.function, Function::AbsentOverTime) {
            return Ok(absent_where_none(&rows, source, grid));
        }
        merged(rows)
    }
}

/// One row that is 1 wherever none of `rows` has a value.
fn absent_where_none(rows: &[Row], source: &Expr, grid: Grid) -> Vec<Row> {
    let mut row = Row { labels: functions::absent_labels(source), values: vec![1.0; grid.steps] };
    for (step, value) in row.values.iter_mut().enumerate() {
        if rows.iter().any(|row| !is_absent(row.values[step])) {
            *value = ABSENT;
        }
    }
    if row.has_values() { vec![row] } else { Vec::new() }
}
