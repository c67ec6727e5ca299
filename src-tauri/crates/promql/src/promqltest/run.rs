//! Plays a script's commands.

use lab_metrics::Sample;

use super::script::{Action, Command, Eval, Expected, When, parse};
use super::series::Slot;
use super::{MemoryStore, Remark, ScriptReport, compare, pin};
use crate::engine::{Engine, Semantics};
use crate::parse::Query;
use crate::plan::ValueType;
use crate::value::{Value, VectorSample};

/// Half the width of the range in which an instant expression is evaluated once more, and the step of it.
const AROUND_MS: i64 = 60_000;

pub(super) fn run(text: &str, semantics: Semantics) -> ScriptReport {
    let mut runner = Runner {
        engine: Engine::new(semantics),
        store: MemoryStore::new(),
        native: Vec::new(),
        report: ScriptReport::default(),
    };
    for command in parse(text) {
        match command {
            Ok(command) => runner.play(command),
            Err((line, text, reason)) => runner.fail(line, text, reason),
        }
    }
    runner.report
}

struct Runner {
    engine: Engine,
    store: MemoryStore,
    /// Metrics of which native histograms were to be loaded.
    native: Vec<String>,
    report: ScriptReport,
}

impl Runner {
    fn play(&mut self, command: Command) {
        match command.action {
            Action::Clear => {
                self.store = MemoryStore::new();
                self.native.clear();
            }
            Action::Load { step_ms, series, with_native } => {
                for (labels, slots) in series {
                    let name = labels.metric();
                    if slots.contains(&Slot::Native) {
                        self.native.push(name.to_owned());
                    }
                    if let Some(base) = name.strip_suffix("_bucket").filter(|_| with_native) {
                        self.native.push(base.to_owned());
                    }
                    let samples = (0..).zip(slots).filter_map(|(step, slot)| match slot {
                        Slot::Value(value) => Some(Sample { t_ms: step * step_ms, value }),
                        _ => None,
                    });
                    self.store.add(labels, samples);
                }
            }
            Action::Eval(eval) => match self.outside(&eval) {
                Some(reason) => self.skip(command.line, eval.expr, reason),
                None => match self.check(&eval) {
                    Ok(()) => self.report.passed += 1,
                    Err(reason) => self.fail(command.line, eval.expr, reason),
                },
            },
        }
    }

    fn fail(&mut self, line: usize, text: String, reason: String) {
        self.report.failed += 1;
        self.report.failures.push(Remark { line, text, reason });
    }

    fn skip(&mut self, line: usize, text: String, reason: String) {
        self.report.skipped += 1;
        self.report.skips.push(Remark { line, text, reason });
    }

    /// Why an evaluation cannot be judged here.
    fn outside(&self, eval: &Eval) -> Option<String> {
        let expects_native = match &eval.expected {
            Expected::Series(series) | Expected::Matrix { series, .. } => {
                series.iter().any(|(_, slots)| slots.contains(&Slot::Native))
            }
            _ => false,
        };
        let mut words = eval.expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
        let reads_native = words.any(|word| self.native.iter().any(|name| name == word));
        let may_read_native = !self.native.is_empty() && eval.expr.contains("__name__=~");
        (expects_native || reads_native || may_read_native)
            .then(|| "native histograms are not offered".into())
    }

    fn check(&self, eval: &Eval) -> Result<(), String> {
        let query = match crate::parse::parse(&eval.expr) {
            Ok(query) => query,
            Err(_) if eval.fails => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        match eval.when {
            When::At(t_ms) => {
                self.check_instant(eval, &query, t_ms)?;
                self.check_pinned(eval, t_ms)
            }
            When::Range { start_ms, end_ms, step_ms } => {
                let answer = self.engine.range(&self.store, &query, start_ms, end_ms, step_ms);
                match (answer, &eval.expected) {
                    (Err(_), _) if eval.fails => Ok(()),
                    (Err(error), _) => Err(error.to_string()),
                    (Ok(_), _) if eval.fails => Err("it should have failed".into()),
                    (Ok(answer), Expected::Series(expected)) => match &answer.value {
                        Value::Matrix(series) => compare::matrix(series, expected, start_ms, step_ms),
                        _ => Err("a range query gave no range vector".into()),
                    },
                    _ => Err("series are expected of a range query".into()),
                }
            }
        }
    }

    /// Held in place by `@`, an expression gives at any time what it gives at its own.
    fn check_pinned(&self, eval: &Eval, t_ms: i64) -> Result<(), String> {
        let Some(query) = pin::pinned(&eval.expr, t_ms).map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let times =
            if t_ms == 0 { vec![-1_000, 0, 1_000] } else { vec![-10 * t_ms, 0, t_ms / 5, t_ms, 10 * t_ms] };
        for at_ms in times {
            self.check_instant(eval, &query, at_ms)
                .map_err(|reason| format!("by @ {t_ms} ms, at {at_ms} ms: {reason}"))?;
        }
        Ok(())
    }

    fn check_instant(&self, eval: &Eval, query: &Query, t_ms: i64) -> Result<(), String> {
        let answer = match self.engine.instant(&self.store, query, t_ms) {
            Err(_) if eval.fails => return Ok(()),
            Err(error) => return Err(error.to_string()),
            Ok(_) if eval.fails => return Err("it should have failed".into()),
            Ok(answer) => answer,
        };
        compare::instant(&answer.value, &eval.expected, eval.ordered)?;
        // Order has no meaning in a range query, strings and range vectors have none, and start(), end(), step()
        // and range() differ in one.
        let of_request =
            ["start()", "end()", "step()", "range()"].iter().any(|call| eval.expr.contains(call));
        let has_range = matches!(query.value_type(), ValueType::Scalar | ValueType::Vector);
        if eval.ordered || !has_range || (of_request && !eval.expr.contains('@')) {
            return Ok(());
        }
        let around = self
            .engine
            .range(&self.store, query, t_ms - AROUND_MS, t_ms + AROUND_MS, AROUND_MS)
            .map_err(|error| format!("as a range query: {error}"))?;
        let Value::Matrix(series) = around.value else {
            return Err("a range query gave no range vector".into());
        };
        let elements: Vec<VectorSample> = series
            .into_iter()
            .filter_map(|series| {
                let sample = series.samples.iter().find(|sample| sample.t_ms == t_ms).copied()?;
                Some(VectorSample { labels: series.labels, sample })
            })
            .collect();
        let middle = match (query.value_type(), elements.first()) {
            (ValueType::Scalar, Some(element)) => Value::Scalar(element.sample),
            _ => Value::Vector(elements),
        };
        compare::instant(&middle, &eval.expected, false)
            .map_err(|reason| format!("as a range query: {reason}"))
    }
}
