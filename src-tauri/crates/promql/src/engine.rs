//! The door to evaluation: limits, dialect and interruption are decided here, once a query.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lab_metrics::Queryable;

use crate::error::EvalError;
use crate::eval::{Evaluator, Request};
use crate::parse::Query;
use crate::plan::ValueType;
use crate::value::{Answer, Value};

/// Times beyond this (the year 285,000 or so) are refused, so that sums of a few of them never overflow.
pub(crate) const MAX_TIME_MS: i64 = 1 << 53;

/// Whose PromQL is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// Prometheus 2.42: the sample exactly at a range's left edge is in it.
    V2_42,
    /// Prometheus 3: it is not.
    #[default]
    V3,
}

/// What a query may use. The defaults are Prometheus'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of a range query, less one.
    pub points_per_series: usize,
    /// Samples held at once, those read and those computed.
    pub samples: usize,
    /// Series in an answer.
    pub series: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { points_per_series: 11_000, samples: 50_000_000, series: 100_000 }
    }
}

/// Why an evaluation should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// Its deadline passed.
    Timeout,
    /// Nobody waits for it any more.
    Canceled,
}

/// Asked again and again during an evaluation; the clock, if any, is the caller's.
pub type InterruptCheck = Arc<dyn Fn() -> Option<Interrupt> + Send + Sync>;

/// Evaluates queries. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// What each query may use.
    pub limits: Limits,
    /// The dialect.
    pub semantics: Semantics,
    /// How long a sample stands for its series when no newer one follows.
    pub lookback: Duration,
    /// The step of a subquery that names none.
    pub default_step: Duration,
    /// Asked again and again whether to go on; see [`Engine::with_interrupt`].
    pub interrupt: Option<InterruptCheck>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            semantics: Semantics::default(),
            lookback: Duration::from_secs(300),
            default_step: Duration::from_secs(60),
            interrupt: None,
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.limits)
            .field("semantics", &self.semantics)
            .field("lookback", &self.lookback)
            .field("default_step", &self.default_step)
            .field("interruptible", &self.interrupt.is_some())
            .finish()
    }
}

impl Engine {
    /// An engine with Prometheus' limits that speaks `semantics`.
    pub fn new(semantics: Semantics) -> Self {
        Self { semantics, ..Self::default() }
    }

    /// The same engine, which asks `check` whether to go on.
    #[must_use]
    pub fn with_interrupt(self, check: InterruptCheck) -> Self {
        Self { interrupt: Some(check), ..self }
    }

    /// Evaluates `query` at one time.
    ///
    /// # Errors
    /// When a limit is passed, the check interrupts, or the data makes the expression meaningless.
    pub fn instant(&self, store: &dyn Queryable, query: &Query, t_ms: i64) -> Result<Answer, EvalError> {
        check_time("time", t_ms)?;
        let request = Request { start_ms: t_ms, end_ms: t_ms, step_ms: 0 };
        self.answer(store, request, |evaluator| evaluator.instant(query.root()))
    }

    /// Evaluates `query` at `start_ms`, and every `step_ms` from there up to `end_ms`, which is included.
    ///
    /// # Errors
    /// As [`Engine::instant`]; and when the step is not above zero, the end is before the start, more points a
    /// series are asked for than allowed, or the query's type is neither scalar nor vector.
    pub fn range(
        &self,
        store: &dyn Queryable,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<Answer, EvalError> {
        check_time("start", start_ms)?;
        check_time("end", end_ms)?;
        if end_ms < start_ms {
            return Err(EvalError::BadRequest("end timestamp must not be before start time".into()));
        }
        if step_ms <= 0 {
            let message =
                "zero or negative query resolution step widths are not accepted. Try a positive integer";
            return Err(EvalError::BadRequest(message.into()));
        }
        let limit = self.limits.points_per_series;
        if usize::try_from((end_ms - start_ms) / step_ms).map_or(true, |steps| steps > limit) {
            return Err(EvalError::TooManyPoints { limit });
        }
        let value_type = query.value_type();
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            return Err(EvalError::BadRequest(format!(
                "invalid expression type \"{value_type}\" for range query, must be Scalar or instant Vector"
            )));
        }
        let request = Request { start_ms, end_ms, step_ms };
        self.answer(store, request, |evaluator| evaluator.range(query.root()))
    }

    fn answer(
        &self,
        store: &dyn Queryable,
        request: Request,
        evaluate: impl FnOnce(&mut Evaluator<'_>) -> Result<Value, EvalError>,
    ) -> Result<Answer, EvalError> {
        let mut evaluator = Evaluator::new(self, store, request);
        let value = evaluate(&mut evaluator)?;
        let (found, limit) = (value.series_count(), self.limits.series);
        if found > limit {
            return Err(EvalError::TooManySeries { limit, found });
        }
        Ok(Answer { value, warnings: evaluator.into_warnings() })
    }

    pub(crate) fn check_interrupt(&self) -> Result<(), EvalError> {
        match self.interrupt.as_ref().and_then(|check| check()) {
            None => Ok(()),
            Some(Interrupt::Timeout) => Err(EvalError::Timeout),
            Some(Interrupt::Canceled) => Err(EvalError::Canceled),
        }
    }
}

fn check_time(name: &str, t_ms: i64) -> Result<(), EvalError> {
    if t_ms.unsigned_abs() > MAX_TIME_MS.unsigned_abs() {
        return Err(EvalError::BadRequest(format!("the {name} is out of bounds")));
    }
    Ok(())
}
