//! Prometheus' HTTP API over the lab's samples, read-only, on loopback: so that a Grafana on the same machine
//! can draw the running lab.

use std::net::SocketAddr;
use std::sync::Arc;

use lab_metrics::{Clock, MemoryStore};
use lab_promql::Engine;
use tokio::net::TcpListener;

use crate::api::Problem;
use crate::evaluation::Turns;
use crate::prometheus_api::PrometheusApi;

/// Listens, on loopback only; returns the URL to give to Grafana.
///
/// # Errors
/// When the address isn't loopback, or is taken.
pub async fn bind(address: SocketAddr) -> Result<(TcpListener, String), Problem> {
    if !address.ip().is_loopback() {
        return Err(Problem::new(
            "not-loopback",
            format!("{address} can be reached from other machines."),
            "Serve on 127.0.0.1: the lab listens on loopback only.",
        ));
    }
    let taken = |error: std::io::Error| {
        Problem::new(
            "serve-address-taken",
            format!("The lab can't listen on {address}."),
            "Choose another port, or end what listens there.",
        )
        .detail(error)
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let url = format!("http://{}", listener.local_addr().map_err(taken)?);
    Ok((listener, url))
}

/// Answers requests for as long as the program lives.
pub fn run(listener: TcpListener, store: Arc<MemoryStore>, engine: Engine, turns: Turns, clock: Clock) {
    let router = PrometheusApi { turns, ..PrometheusApi::new(store, engine, clock) }.router();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "Prometheus' API is no longer served");
        }
    });
}
