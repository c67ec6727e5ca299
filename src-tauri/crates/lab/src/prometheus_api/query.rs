//! `query` and `query_range`. Evaluation runs off the async threads, takes turns, and ends when its time is up or
//! nobody waits for the answer any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use lab_metrics::Storage;
use lab_promql::{Answer, Engine, EvalError, Interrupt, Query};
use tokio::time::Instant;

use super::Context;
use super::params::Params;
use super::reply::{ApiError, ApiResult, success_with};

pub(super) async fn instant(State(context): State<Context>, params: Params) -> ApiResult {
    let t_ms = params.time_ms("time")?.unwrap_or_else(|| (context.api.clock)());
    let query = parse(params.query())?;
    context.evaluate(&params, move |engine, store| engine.instant(store, &query, t_ms)).await
}

pub(super) async fn range(State(context): State<Context>, params: Params) -> ApiResult {
    let start_ms = params.required_time_ms("start")?;
    let end_ms = params.required_time_ms("end")?;
    if end_ms < start_ms {
        return Err(ApiError::bad_parameter("end", "end timestamp must not be before start time"));
    }
    let step_ms = params.step_ms()?;
    if step_ms <= 0 {
        let message =
            "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::bad_parameter("step", message));
    }
    let query = parse(params.query())?;
    context
        .evaluate(&params, move |engine, store| engine.range(store, &query, start_ms, end_ms, step_ms))
        .await
}

impl Context {
    async fn evaluate(
        self,
        params: &Params,
        ask: impl FnOnce(&Engine, &dyn Storage) -> Result<Answer, EvalError> + Send + 'static,
    ) -> ApiResult {
        let deadline = Instant::now() + params.timeout(self.api.timeout)?;
        let turn = tokio::time::timeout_at(deadline, self.turns.acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(ApiError::new("timeout", "query timed out in query queue"));
        };
        let waiting = Waiting::default();
        let given_up = waiting.given_up.clone();
        let engine = self.api.engine.with_interrupt(Arc::new(move || {
            if given_up.load(Ordering::Relaxed) {
                Some(Interrupt::Canceled)
            } else {
                (Instant::now() >= deadline).then_some(Interrupt::Timeout)
            }
        }));
        let store = self.api.store;
        let evaluation = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let answer = ask(&engine, store.as_ref())?;
            success_with(&answer.value, &answer.warnings)
        });
        let answer = evaluation.await;
        drop(waiting);
        answer.unwrap_or_else(|error| Err(ApiError::new("internal", error.to_string())))
    }
}

/// Held while somebody waits for an answer; a client that goes away drops it, and with it the evaluation.
#[derive(Default)]
struct Waiting {
    given_up: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

fn parse(text: &str) -> Result<Query, ApiError> {
    lab_promql::parse(text).map_err(|error| {
        // Line and column from 1, in bytes, as Prometheus counts.
        let before = text.get(..error.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        ApiError::bad_parameter("query", format_args!("{line}:{column}: parse error: {}", error.message))
    })
}
