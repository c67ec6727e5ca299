//! The envelope around every answer, and Prometheus' kinds of failure.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lab_promql::EvalError;
use serde::Serialize;

/// What a handler yields.
pub(super) type ApiResult = Result<Success, ApiError>;

/// JSON of a `success` envelope.
#[derive(Debug)]
pub(super) struct Success(Vec<u8>);

#[derive(Serialize)]
struct Envelope<'a, T> {
    status: &'static str,
    data: &'a T,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// Wraps `data`.
pub(super) fn success(data: &impl Serialize) -> ApiResult {
    success_with(data, &[])
}

/// Wraps `data` and what the person who asked should know besides.
pub(super) fn success_with(data: &impl Serialize, warnings: &[String]) -> ApiResult {
    serde_json::to_vec(&Envelope { status: "success", data, warnings })
        .map(Success)
        .map_err(|error| ApiError::new("internal", error.to_string()))
}

impl IntoResponse for Success {
    fn into_response(self) -> Response {
        json(StatusCode::OK, self.0)
    }
}

/// A failure, in Prometheus' categories.
#[derive(Debug)]
pub(super) struct ApiError {
    error_type: &'static str,
    message: String,
}

impl ApiError {
    /// A failure of one of Prometheus' types.
    pub fn new(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into() }
    }

    /// The request makes no sense.
    pub fn bad_data(message: impl Into<String>) -> Self {
        Self::new("bad_data", message)
    }

    /// A parameter makes no sense.
    pub fn bad_parameter(name: &str, message: impl std::fmt::Display) -> Self {
        Self::bad_data(format!("invalid parameter \"{name}\": {message}"))
    }

    fn status(&self) -> StatusCode {
        match self.error_type {
            "bad_data" => StatusCode::BAD_REQUEST,
            "execution" => StatusCode::UNPROCESSABLE_ENTITY,
            "timeout" | "canceled" | "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            "not_found" => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<EvalError> for ApiError {
    fn from(error: EvalError) -> Self {
        Self::new(error.error_type(), error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body =
            serde_json::json!({"status": "error", "errorType": self.error_type, "error": self.message});
        json(self.status(), body.to_string().into_bytes())
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}
