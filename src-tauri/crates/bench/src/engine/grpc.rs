//! One unary gRPC call over an open HTTP/2 connection (grpc, `doc/PROTOCOL-HTTP2.md`).
//!
//! Over `h2` rather than a gRPC library: a load asks the same thing a million times, so the request's head is made
//! once, its body comes as bytes, and an answer that nobody reads isn't decoded.

use bytes::{Bytes, BytesMut};
use h2::{Reason, RecvStream, client::SendRequest};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version, header};

use crate::{
    errors::{Failure, GrpcCode},
    workload::FRAME_HEADER,
};

/// Why a call has no answer, and what that says of the connection.
#[derive(Debug)]
pub(super) enum CallError {
    /// The connection takes no more requests.
    Lost(Failure),
    /// This request failed.
    Failed(Failure),
}

/// Whether an answer's message is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Keep,
    Drop,
}

/// The head of each request for `method` at `authority`.
pub(super) fn head(authority: &str, method: &str) -> Result<Request<()>, http::Error> {
    Request::builder()
        .method(Method::POST)
        .version(Version::HTTP_2)
        .uri(format!("http://{authority}{method}"))
        .header(header::TE, "trailers")
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::USER_AGENT, concat!("etcd-labctl/", env!("CARGO_PKG_VERSION")))
        .body(())
}

/// Sends `body`, a framed message, and waits for the answer's end. The message without its frame, or nothing
/// when it isn't wanted.
pub(super) async fn unary(
    sender: SendRequest<Bytes>,
    head: Request<()>,
    body: Bytes,
    answer: Answer,
) -> Result<Bytes, CallError> {
    let mut sender = sender.ready().await.map_err(lost)?;
    let (response, mut stream) = sender.send_request(head, false).map_err(lost)?;
    stream.send_data(body, true).map_err(failed)?;
    let (head, mut body) = response.await.map_err(failed)?.into_parts();
    if let Some(status) = status(&head.headers) {
        // Without a message, the status comes with the headers.
        return status.map(|()| Bytes::new()).map_err(CallError::Failed);
    }
    if head.status != StatusCode::OK {
        let what = format!("the member answered with HTTP status {}", head.status);
        return Err(CallError::Failed(Failure::new(GrpcCode::Unknown, what)));
    }
    let message = message(&mut body, answer).await.map_err(failed)?;
    let trailers = body.trailers().await.map_err(failed)?.unwrap_or_default();
    match status(&trailers) {
        Some(Ok(())) => Ok(message),
        Some(Err(failure)) => Err(CallError::Failed(failure)),
        None => Err(CallError::Failed(Failure::new(GrpcCode::Internal, "the answer ended without a status"))),
    }
}

async fn message(body: &mut RecvStream, answer: Answer) -> Result<Bytes, h2::Error> {
    let mut kept = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if answer == Answer::Keep {
            kept.extend_from_slice(&chunk);
        }
    }
    Ok(if kept.len() >= FRAME_HEADER { kept.split_off(FRAME_HEADER).freeze() } else { Bytes::new() })
}

/// The status that headers or trailers carry, if they do.
fn status(headers: &HeaderMap) -> Option<Result<(), Failure>> {
    let code = GrpcCode::from_trailer(headers.get("grpc-status")?.as_bytes());
    if code == GrpcCode::Ok {
        return Some(Ok(()));
    }
    let message = headers.get("grpc-message").map(HeaderValue::as_bytes).unwrap_or_default();
    let message = percent_encoding::percent_decode(message).decode_utf8_lossy();
    Some(Err(Failure::new(code, message)))
}

fn lost(error: h2::Error) -> CallError {
    CallError::Lost(connection_lost(&error))
}

fn failed(error: h2::Error) -> CallError {
    if error.is_io() || error.is_go_away() {
        return lost(error);
    }
    CallError::Failed(match error.reason() {
        Some(reason) => Failure::new(code_of(reason), format!("the member reset the request: {reason}")),
        None => Failure::new(GrpcCode::Internal, error.to_string()),
    })
}

/// What each request on a broken connection is told.
pub(super) fn connection_lost(error: &h2::Error) -> Failure {
    let why = match error.get_io() {
        Some(io) => io.to_string(),
        None => error.to_string(),
    };
    Failure::unavailable(format!("the connection was lost: {why}"))
}

/// gRPC's reading of HTTP/2's reasons (grpc, `doc/PROTOCOL-HTTP2.md`, "Errors").
fn code_of(reason: Reason) -> GrpcCode {
    match reason {
        Reason::REFUSED_STREAM => GrpcCode::Unavailable,
        Reason::CANCEL => GrpcCode::Cancelled,
        Reason::ENHANCE_YOUR_CALM => GrpcCode::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => GrpcCode::PermissionDenied,
        _ => GrpcCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn statuses_as_etcd_sends_them() {
        assert_eq!(status(&headers(&[])), None);
        assert_eq!(status(&headers(&[("grpc-status", "0")])), Some(Ok(())));
        let quota =
            headers(&[("grpc-status", "8"), ("grpc-message", "etcdserver: mvcc: database space exceeded")]);
        let failure = Failure::new(GrpcCode::ResourceExhausted, "etcdserver: mvcc: database space exceeded");
        assert_eq!(status(&quota), Some(Err(failure)));
        let escaped = headers(&[("grpc-status", "2"), ("grpc-message", "100%25 full%0A")]);
        assert_eq!(status(&escaped), Some(Err(Failure::new(GrpcCode::Unknown, "100% full\n"))));
    }

    #[test]
    fn a_head_is_what_grpc_wants() {
        let head = head("127.0.0.1:2379", "/etcdserverpb.KV/Put").unwrap();
        assert_eq!(head.uri(), "http://127.0.0.1:2379/etcdserverpb.KV/Put");
        assert_eq!(head.headers()["te"], "trailers");
    }
}
