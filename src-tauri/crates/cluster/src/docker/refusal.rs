//! What the engine's refusals mean for a cluster. The engine tells most of them by a sentence and not by a code, so the
//! sentences that matter are known here (moby, `libnetwork/portallocator`, `cmd/docker-proxy`, and the kernel's own).

use std::time::Duration;

use bollard::errors::Error as ApiError;
use tokio::time::timeout;

use super::Engine;
use super::engine::last_cause;
use crate::ClusterError;

/// Whether what was asked about is not there.
pub(super) fn is_absent(error: &ApiError) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code: 404, .. })
}

/// Whether it is so already, or somebody else is at it.
pub(super) fn is_conflict(error: &ApiError) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code: 304 | 409, .. })
}

/// Whether these words of the engine's say that its disk is full.
pub(super) fn is_full(message: &str) -> bool {
    ["no space left on device", "disk quota exceeded"].iter().any(|said| message.contains(said))
}

/// What an error means, of an engine that was asked to `doing`, such as "start etcd-1".
pub(super) fn told(engine: &Engine, doing: &str, error: &ApiError) -> ClusterError {
    match error {
        ApiError::DockerResponseServerError { message, .. }
        | ApiError::DockerStreamError { error: message }
        | ApiError::DockerContainerWaitError { error: message, .. } => {
            if is_full(message) {
                ClusterError::EngineFull { reason: message.clone() }
            } else {
                ClusterError::EngineRefused { doing: doing.to_owned(), reason: message.clone() }
            }
        }
        other => lost(engine, last_cause(other)),
    }
}

/// Asks the engine to do something, and gives up when it takes too long.
pub(super) async fn ask<T>(
    engine: &Engine,
    within: Duration,
    doing: &str,
    question: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ClusterError> {
    let answer = timeout(within, question).await.map_err(|_| silent(engine, within))?;
    answer.map_err(|error| told(engine, doing, &error))
}

/// The engine took longer than that to answer.
pub(super) fn silent(engine: &Engine, within: Duration) -> ClusterError {
    lost(engine, format!("it said nothing for {} s", within.as_secs()))
}

/// The engine doesn't answer.
pub(super) fn lost(engine: &Engine, reason: String) -> ClusterError {
    ClusterError::EngineLost { endpoint: engine.info().endpoint.clone(), reason }
}

/// The host port that is the reason for a refusal, if one is: taken by another container (`port is already allocated`)
/// or by a program (`address already in use`).
pub(super) fn taken_port(error: &ApiError) -> Option<u16> {
    let ApiError::DockerResponseServerError { message, .. } = error else { return None };
    let said = ["port is already allocated", "address already in use", "ports are not available"];
    if !said.iter().any(|said| message.contains(said)) {
        return None;
    }
    let digits = message.split("127.0.0.1:").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_that_is_in_the_way_is_found_in_what_the_engine_says() {
        let cases = [
            (
                "driver failed programming external connectivity on endpoint e (1f): Bind for 127.0.0.1:2379 failed: port is already allocated",
                Some(2379),
            ),
            (
                "driver failed programming external connectivity on endpoint e (1f): Error starting userland proxy: listen tcp4 127.0.0.1:11180: bind: address already in use",
                Some(11180),
            ),
            (
                "Ports are not available: exposing port TCP 127.0.0.1:2379 -> 0.0.0.0:0: ports are not available: listen tcp",
                Some(2379),
            ),
            ("no such image: 127.0.0.1:5000/etcd", None),
        ];
        for (message, port) in cases {
            let error = ApiError::DockerResponseServerError { status_code: 500, message: message.to_owned() };
            assert_eq!(taken_port(&error), port, "{message}");
        }
    }
}
