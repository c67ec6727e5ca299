//! `query` and `query_range`.

use axum::extract::State;
use lab_metrics::Storage;
use lab_promql::{Answer, Engine, EvalError, Query};

use super::PrometheusApi;
use super::params::Params;
use super::reply::{ApiError, ApiResult, success_with};
use crate::evaluation::Unanswered;

pub(super) async fn instant(State(api): State<PrometheusApi>, params: Params) -> ApiResult {
    let t_ms = params.time_ms("time")?.unwrap_or_else(|| (api.clock)());
    let query = parse(params.query())?;
    api.evaluate(&params, move |engine, store| engine.instant(store, &query, t_ms)).await
}

pub(super) async fn range(State(api): State<PrometheusApi>, params: Params) -> ApiResult {
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
    api.evaluate(&params, move |engine, store| engine.range(store, &query, start_ms, end_ms, step_ms)).await
}

impl PrometheusApi {
    async fn evaluate(
        self,
        params: &Params,
        ask: impl FnOnce(&Engine, &dyn Storage) -> Result<Answer, EvalError> + Send + 'static,
    ) -> ApiResult {
        let PrometheusApi { store, engine, turns, timeout, .. } = self;
        let within = params.timeout(timeout)?;
        let answer = turns.evaluate(&engine, within, move |engine| {
            let answer = ask(engine, store.as_ref())?;
            success_with(&answer.value, &answer.warnings)
        });
        answer.await.unwrap_or_else(|error| {
            let kind = if matches!(error, Unanswered::NoTurn) { "timeout" } else { "internal" };
            Err(ApiError::new(kind, error.to_string()))
        })
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
