//! Asking over HTTP what is on this machine: through no proxy, with a deadline, and no more of an answer than it can have.

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

/// Within this an answer comes, even from one whose cores are busy with a load.
pub(crate) const WITHIN: Duration = Duration::from_secs(3);
/// Largest answer that is read: the longest lists have some twenty lines.
const ANSWER_BYTES: usize = 1 << 20;

/// Why there is no answer; the reasons are the system's words.
pub(crate) enum Failure {
    /// Nobody listens there.
    Unreachable(String),
    /// It was reached, and the connection broke before it had answered: it may have done what was asked.
    Broke(String),
    /// It didn't answer within [`WITHIN`].
    TimedOut,
    /// The answer has no end, or none that is read.
    TooLong(StatusCode),
}

/// A client that goes through no proxy and follows nothing.
///
/// # Errors
/// When the system gives no resources for one.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(WITHIN)
        .timeout(WITHIN)
        .user_agent("etcd-lab")
        .build()
}

/// Sends a request and reads its answer to the end.
///
/// # Errors
/// When there is none.
pub(crate) async fn ask(request: RequestBuilder) -> Result<(StatusCode, String), Failure> {
    let mut response = request.send().await?;
    let status = response.status();
    let mut answer = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        answer.extend_from_slice(&bytes);
        if answer.len() > ANSWER_BYTES {
            return Err(Failure::TooLong(status));
        }
    }
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}

impl Failure {
    /// What is said of an answer that is too long.
    pub(crate) fn too_long() -> String {
        format!("more than {ANSWER_BYTES} bytes")
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let mut innermost: &dyn Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let reason = innermost.to_string();
        if error.is_connect() { Self::Unreachable(reason) } else { Self::Broke(reason) }
    }
}
