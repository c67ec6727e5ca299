//! Prometheus' HTTP API, read-only, over the lab's own samples: a real Grafana takes the running lab as its data
//! source without noticing the difference. Paths, parameters, shapes, error types and status codes are those of
//! Prometheus' `web/api/v1/api.go`.
//!
//! Knows a store and an engine; knows no cluster and no session, and opens no port by itself.

mod catalog;
mod params;
mod query;
mod reply;
mod selector;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use axum::routing::{get, on};
use lab_metrics::{Clock, Storage};
use lab_promql::{Engine, Semantics};
use serde_json::json;

use crate::evaluation::{TIMEOUT, Turns};
use reply::{ApiResult, success};

/// What the API answers from.
#[derive(Clone)]
pub struct PrometheusApi {
    /// Where samples are.
    pub store: Arc<dyn Storage>,
    /// Who evaluates, with limits and dialect; an interrupt check of its own is replaced.
    pub engine: Engine,
    /// The time where a request names none.
    pub clock: Clock,
    /// How long a query may take, waiting for its turn included. A request may ask for less.
    pub timeout: Duration,
    /// The turns that queries take.
    pub turns: Turns,
}

impl PrometheusApi {
    /// An API with Prometheus' time-out of two minutes.
    pub fn new(store: Arc<dyn Storage>, engine: Engine, clock: Clock) -> Self {
        Self { store, engine, clock, timeout: TIMEOUT, turns: Turns::default() }
    }

    /// The routes, ready to be served. The lab has neither rules nor alerts, and says so as a Prometheus without any;
    /// of exemplars, targets and settings it keeps none, and Grafana takes the 404 for that.
    pub fn router(self) -> Router {
        let get_or_post = MethodFilter::GET.or(MethodFilter::POST);
        let api = Router::new()
            .route("/query", on(get_or_post, query::instant))
            .route("/query_range", on(get_or_post, query::range))
            .route("/series", on(get_or_post, catalog::series))
            .route("/labels", on(get_or_post, catalog::label_names))
            .route("/label/{name}/values", get(catalog::label_values))
            .route("/metadata", get(catalog::metadata))
            .route("/status/buildinfo", get(build_info))
            .route("/rules", get(async || success(&json!({"groups": []}))))
            .route("/alerts", get(async || success(&json!({"alerts": []}))))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .with_state(self);
        Router::new()
            .nest("/api/v1", api)
            .route("/-/healthy", get(|| async { "Prometheus Server is Healthy.\n" }))
            .route("/-/ready", get(|| async { "Prometheus Server is Ready.\n" }))
    }
}

/// Grafana decides by the version what it may ask. Named is the one whose PromQL the engine speaks.
async fn build_info(axum::extract::State(api): axum::extract::State<PrometheusApi>) -> ApiResult {
    let version = match api.engine.semantics {
        Semantics::V2_42 => "2.42.0",
        Semantics::V3 => "3.0.0",
    };
    success(&json!({
        "version": version,
        "revision": concat!("etcd-lab-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }))
}

#[cfg(test)]
mod tests;
