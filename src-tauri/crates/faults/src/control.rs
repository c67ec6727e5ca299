//! The control API of a proxy that runs as a program of its own: HTTP with JSON, for [`crate::Links`] and for curl.
//!
//! | request | does | answers |
//! | --- | --- | --- |
//! | `GET /links` | | an array, an object a link |
//! | `PUT /links/FROM/TO` | shapes a link: `{"delayMs": 100, "jitterMs": 10}` | the link as it is now |
//! | `DELETE /links` | heals all | nothing |
//! | `GET /health` | | `{"links": 6}` |
//!
//! What isn't done is answered with `{"code": …, "sentence": …}`. A shape has the names and units that it has in the
//! lab's own language. Times are milliseconds, and `lastSecondBytes` and `heldMs` are of the second just past.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::{LinkError, LinkProxy, LinkState, Shape};

/// The code of a refusal for a link that there isn't.
pub(crate) const NO_SUCH_LINK: &str = "no-such-link";

/// Why something isn't done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// Stable, for programs: `no-such-link`, `bad-shape`, `no-such-request`.
    pub code: String,
    /// For people.
    pub sentence: String,
}

/// How a proxy fares that answers at all.
#[derive(Serialize)]
struct Health {
    links: usize,
}

/// The API of a proxy, which it keeps alive.
pub fn control(proxy: LinkProxy) -> Router {
    Router::new()
        .route("/links", get(links).delete(heal))
        .route("/links/{from}/{to}", put(shape))
        .route("/health", get(health))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(proxy)
}

async fn links(State(proxy): State<LinkProxy>) -> Json<Vec<LinkState>> {
    Json(proxy.links())
}

async fn heal(State(proxy): State<LinkProxy>) -> StatusCode {
    proxy.heal();
    tracing::info!("all links healed");
    StatusCode::NO_CONTENT
}

async fn health(State(proxy): State<LinkProxy>) -> Json<Health> {
    Json(Health { links: proxy.links().len() })
}

/// Takes the body for JSON whatever it is called: `curl -d` calls it a form.
async fn shape(
    State(proxy): State<LinkProxy>,
    Path((from, to)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let shape: Shape = match serde_json::from_slice(&body) {
        Ok(shape) => shape,
        Err(error) => {
            let sentence = format!("The body is no shape of a link: {error}.");
            return refusal(StatusCode::BAD_REQUEST, "bad-shape", sentence);
        }
    };
    match proxy.shape(&from, &to, shape) {
        Ok(()) => {
            tracing::info!(from, to, ?shape, "a link is shaped");
            let link = proxy.links().into_iter().find(|link| link.from == from && link.to == to);
            Json(link).into_response()
        }
        Err(LinkError::NoSuchLink { from, to }) => {
            refusal(StatusCode::NOT_FOUND, NO_SUCH_LINK, format!("There is no link from {from} to {to}."))
        }
        Err(error) => {
            let sentence = format!("The link can't be shaped so: {error}.");
            refusal(StatusCode::BAD_REQUEST, "bad-shape", sentence)
        }
    }
}

async fn unknown(method: Method, uri: Uri) -> Response {
    let sentence = format!(
        "{method} {} is no request of this API: there are GET and DELETE /links, PUT /links/FROM/TO, GET /health.",
        uri.path()
    );
    refusal(StatusCode::NOT_FOUND, "no-such-request", sentence)
}

fn refusal(status: StatusCode, code: &str, sentence: String) -> Response {
    (status, Json(Refusal { code: code.into(), sentence })).into_response()
}
