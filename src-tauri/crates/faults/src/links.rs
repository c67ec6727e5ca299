//! The links between members, wherever the proxy runs that makes them: in this program, or as `link-proxy` in a
//! container, spoken with over its control API.
//!
//! Refuses to know who started that proxy.

use reqwest::{Client, Method, StatusCode, Url};

use crate::ask::{self, Failure, WITHIN};
use crate::control::{NO_SUCH_LINK, Refusal};
use crate::{LinkError, LinkProxy, LinkState, Shape};

/// Why links can't be told or shaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
    /// It is the link, or what is to be done to it.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// That is no address of a proxy's control API.
    #[error("{url} is no address of a proxy: {reason}")]
    BadAddress {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy is gone: nobody listens at its address any more, or who did left before it had answered.
    #[error("the proxy at {url} is gone: {reason}")]
    Gone {
        /// Its control API.
        url: String,
        /// As the system puts it.
        reason: String,
    },
    /// The proxy was asked and didn't answer in time.
    #[error("the proxy at {url} did not answer within {} s", WITHIN.as_secs())]
    TimedOut {
        /// Its control API.
        url: String,
    },
    /// It answered something else.
    #[error("the proxy at {url} answered {status}: {message}")]
    Refused {
        /// Its control API.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it calls the reason, such as `bad-shape`; absent when it isn't the proxy that answers.
        code: Option<String>,
        /// Its words.
        message: String,
    },
}

/// All links of a cluster. Clones speak with the same proxy.
#[derive(Clone)]
pub struct Links {
    proxy: Place,
}

#[derive(Clone)]
enum Place {
    Here(LinkProxy),
    At { url: Url, client: Client },
}

impl Links {
    /// Those of a proxy in this program, which runs at least as long.
    #[must_use]
    pub fn here(proxy: LinkProxy) -> Self {
        Self { proxy: Place::Here(proxy) }
    }

    /// Those of a proxy whose control API is at `url`, such as `http://127.0.0.1:8474`. Nothing is asked yet.
    ///
    /// # Errors
    /// When that is no such address.
    pub fn at(url: &str) -> Result<Self, LinksError> {
        let bad = |reason: String| LinksError::BadAddress { url: url.into(), reason };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if parsed.scheme() != "http" || parsed.path() != "/" {
            return Err(bad("it has the form http://HOST:PORT".into()));
        }
        let client = ask::client().map_err(|error| bad(error.to_string()))?;
        Ok(Self { proxy: Place::At { url: parsed, client } })
    }

    /// Says what is done to the bytes of a link, in place of what was: at once, those already held included.
    ///
    /// # Errors
    /// When there is no such link, it can't be shaped so, or the proxy doesn't answer.
    pub async fn shape(&self, from: &str, to: &str, shape: Shape) -> Result<(), LinksError> {
        match &self.proxy {
            Place::Here(proxy) => Ok(proxy.shape(from, to, shape)?),
            Place::At { url, client } => {
                shape.check()?;
                match ask(client, url, Method::PUT, &["links", from, to], Some(&shape)).await {
                    Err(LinksError::Refused { code: Some(code), .. }) if code == NO_SUCH_LINK => {
                        Err(LinkError::NoSuchLink { from: from.into(), to: to.into() }.into())
                    }
                    answered => answered.map(drop),
                }
            }
        }
    }

    /// Lets all links pass everything at once.
    ///
    /// # Errors
    /// When the proxy doesn't answer.
    pub async fn heal(&self) -> Result<(), LinksError> {
        match &self.proxy {
            Place::Here(proxy) => proxy.heal(),
            Place::At { url, client } => drop(ask(client, url, Method::DELETE, &["links"], None).await?),
        }
        Ok(())
    }

    /// All links, in the order of the members.
    ///
    /// # Errors
    /// When the proxy doesn't answer, or not as one does.
    pub async fn links(&self) -> Result<Vec<LinkState>, LinksError> {
        match &self.proxy {
            Place::Here(proxy) => Ok(proxy.links()),
            Place::At { url, client } => {
                let answer = ask(client, url, Method::GET, &["links"], None).await?;
                serde_json::from_str(&answer).map_err(|error| LinksError::Refused {
                    url: shown(url),
                    status: StatusCode::OK.as_u16(),
                    code: None,
                    message: format!("no links: {error}"),
                })
            }
        }
    }

    /// Whether the proxy is there and answers.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn health(&self) -> Result<(), LinksError> {
        match &self.proxy {
            Place::Here(_) => Ok(()),
            Place::At { url, client } => ask(client, url, Method::GET, &["health"], None).await.map(drop),
        }
    }
}

/// The text of an answer that says yes.
async fn ask(
    client: &Client,
    url: &Url,
    method: Method,
    path: &[&str],
    body: Option<&Shape>,
) -> Result<String, LinksError> {
    let mut full = url.clone();
    if let Ok(mut segments) = full.path_segments_mut() {
        segments.clear().extend(path);
    }
    let request = client.request(method, full);
    let request = match body {
        Some(shape) => request.json(shape),
        None => request,
    };
    let url = shown(url);
    match ask::ask(request).await {
        Ok((status, answer)) if status.is_success() => Ok(answer),
        Ok((status, answer)) => {
            let (code, message) = match serde_json::from_str(&answer) {
                Ok(Refusal { code, sentence }) => (Some(code), sentence),
                Err(_) => (None, answer),
            };
            Err(LinksError::Refused { url, status: status.as_u16(), code, message })
        }
        Err(Failure::Unreachable(reason) | Failure::Broke(reason)) => Err(LinksError::Gone { url, reason }),
        Err(Failure::TimedOut) => Err(LinksError::TimedOut { url }),
        Err(Failure::TooLong(status)) => {
            let (status, message) = (status.as_u16(), Failure::too_long());
            Err(LinksError::Refused { url, status, code: None, message })
        }
    }
}

fn shown(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
