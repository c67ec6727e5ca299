//! A member's failpoints, through the HTTP endpoint that gofail opens in it (`runtime/http.go`).
//!
//! A failpoint that sleeps doesn't hold the endpoint: setting and clearing answer at once, and what sleeps already
//! sleeps on.

use reqwest::{Client, Method, StatusCode};

use crate::Term;
use crate::ask::{self, Failure, WITHIN};

/// A failpoint of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failpoint {
    /// Its name, such as `walBeforeFdatasync`.
    pub name: String,
    /// Its term, as it was set; `None` while it isn't set. Text, since others may set what [`Term`] refuses.
    pub term: Option<String>,
}

/// Why a member's failpoints can't be told or set.
#[derive(Debug, thiserror::Error)]
pub enum GofailError {
    /// Nobody listens there.
    #[error("{url} can't be reached: {reason}")]
    Unreachable {
        /// Where its failpoints are.
        url: String,
        /// As the system puts it.
        reason: String,
    },
    /// It was reached, and the connection broke before it had answered: it may have done what was asked.
    #[error("the connection with {url} broke: {reason}")]
    Broke {
        /// Where its failpoints are.
        url: String,
        /// As the system puts it.
        reason: String,
    },
    /// It was asked and didn't answer in time.
    #[error("{url} did not answer within {} s", WITHIN.as_secs())]
    TimedOut {
        /// Where its failpoints are.
        url: String,
    },
    /// It has no such failpoint.
    #[error("there is no failpoint {name} at {url}")]
    NoSuchFailpoint {
        /// Where its failpoints are.
        url: String,
        /// As asked.
        name: String,
    },
    /// It answered something else.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Where its failpoints are.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
}

/// Asks and sets failpoints. A member is given as the address of its endpoint, `http://127.0.0.1:11180`.
#[derive(Clone, Debug)]
pub struct Gofail {
    client: Client,
}

/// What was asked about a failpoint that isn't set, in gofail's words (`runtime/runtime.go`, `ErrDisabled`).
const NOT_SET: &str = "failpoint is disabled";
/// And about one that isn't there (`ErrNoExist`).
const NOT_THERE: &str = "failpoint does not exist";

impl Gofail {
    /// A client that goes through no proxy and follows nothing.
    ///
    /// # Errors
    /// When the system gives no resources for one.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { client: ask::client()? })
    }

    /// All failpoints of a member, by name.
    ///
    /// # Errors
    /// When it doesn't answer, or not as gofail does.
    pub async fn list(&self, url: &str) -> Result<Vec<Failpoint>, GofailError> {
        let (status, answer) = self.ask(Method::GET, url, "", None).await?;
        if status != StatusCode::OK {
            return Err(refused(url, status, answer));
        }
        let lines = answer.lines().filter_map(|line| line.split_once('='));
        let failpoint = |(name, term): (&str, &str)| Failpoint {
            name: name.into(),
            term: Some(term.to_owned()).filter(|term| !term.is_empty()),
        };
        Ok(lines.map(failpoint).collect())
    }

    /// Sets a failpoint, in place of what was set; its count begins anew.
    ///
    /// # Errors
    /// When the member has no such failpoint or doesn't answer.
    pub async fn set(&self, url: &str, name: &str, term: &Term) -> Result<(), GofailError> {
        let answer = self.ask(Method::PUT, url, name, Some(term.to_string())).await?;
        match answer {
            (status, _) if status.is_success() => Ok(()),
            (status, answer) => Err(told(url, name, status, answer)),
        }
    }

    /// Clears a failpoint. One that isn't set is as it should be.
    ///
    /// # Errors
    /// When the member has no such failpoint or doesn't answer.
    pub async fn clear(&self, url: &str, name: &str) -> Result<(), GofailError> {
        match self.ask(Method::DELETE, url, name, None).await? {
            (status, _) if status.is_success() => Ok(()),
            (_, answer) if answer.contains(NOT_SET) => Ok(()),
            (status, answer) => Err(told(url, name, status, answer)),
        }
    }

    /// A failpoint's term, `None` while it isn't set.
    ///
    /// # Errors
    /// When the member has no such failpoint or doesn't answer.
    pub async fn read(&self, url: &str, name: &str) -> Result<Option<String>, GofailError> {
        match self.ask(Method::GET, url, name, None).await? {
            (StatusCode::OK, answer) => Ok(Some(answer.trim_end().to_owned())),
            (_, answer) if answer.contains(NOT_SET) => Ok(None),
            (status, answer) => Err(told(url, name, status, answer)),
        }
    }

    /// How often a failpoint was reached, and its term done, since it was set; `None` while it isn't set.
    ///
    /// # Errors
    /// When the member has no such failpoint, doesn't answer, or is built with a gofail that doesn't count.
    pub async fn count(&self, url: &str, name: &str) -> Result<Option<u64>, GofailError> {
        match self.ask(Method::GET, url, &format!("{name}/count"), None).await? {
            (status @ StatusCode::OK, answer) => {
                answer.trim().parse().map(Some).map_err(|_| refused(url, status, answer))
            }
            (_, answer) if answer.contains(NOT_SET) => Ok(None),
            (status, answer) => Err(told(url, name, status, answer)),
        }
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<(StatusCode, String), GofailError> {
        // gofail takes the path as it comes, so a name that would have to be escaped is none of its.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        if !path.chars().all(plain) {
            return Err(GofailError::NoSuchFailpoint { url: url.into(), name: path.into() });
        }
        let mut request = self.client.request(method, format!("{}/{path}", url.trim_end_matches('/')));
        if let Some(body) = body {
            request = request.body(body);
        }
        ask::ask(request).await.map_err(|failure| failed(url, failure))
    }
}

fn told(url: &str, name: &str, status: StatusCode, answer: String) -> GofailError {
    if answer.contains(NOT_THERE) {
        return GofailError::NoSuchFailpoint { url: url.into(), name: name.into() };
    }
    refused(url, status, answer)
}

fn refused(url: &str, status: StatusCode, answer: String) -> GofailError {
    GofailError::Refused { url: url.into(), status: status.as_u16(), message: answer.trim().to_owned() }
}

fn failed(url: &str, failure: Failure) -> GofailError {
    let url = url.to_owned();
    match failure {
        Failure::Unreachable(reason) => GofailError::Unreachable { url, reason },
        Failure::Broke(reason) => GofailError::Broke { url, reason },
        Failure::TimedOut => GofailError::TimedOut { url },
        Failure::TooLong(status) => refused(&url, status, Failure::too_long()),
    }
}
