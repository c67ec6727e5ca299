//! One GET, bounded in bytes. The bound in time is the caller's.

use std::error::Error;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::ScrapeError;

/// A client that goes where it is told and nowhere else: through no proxy, after no redirect.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().no_proxy().redirect(Policy::none()).user_agent("etcd-lab").build()
}

/// Reads the exposition at `url` into `body`, which is emptied first.
pub(super) async fn fetch(
    client: &Client,
    url: &Url,
    timeout: Duration,
    body_bytes: usize,
    body: &mut Vec<u8>,
) -> Result<(), ScrapeError> {
    body.clear();
    let read = read(client, url, timeout, body_bytes, body);
    tokio::time::timeout(timeout, read).await.unwrap_or(Err(ScrapeError::Timeout { limit: timeout }))
}

async fn read(
    client: &Client,
    url: &Url,
    timeout: Duration,
    limit: usize,
    body: &mut Vec<u8>,
) -> Result<(), ScrapeError> {
    let request = client
        .get(url.clone())
        .header(ACCEPT, "text/plain;version=0.0.4;q=1,*/*;q=0.1")
        .header("X-Prometheus-Scrape-Timeout-Seconds", timeout.as_secs_f64().to_string());
    let mut response = request.send().await.map_err(failure)?;
    if response.status() != StatusCode::OK {
        return Err(ScrapeError::Status { status: response.status().as_u16() });
    }
    while let Some(bytes) = response.chunk().await.map_err(failure)? {
        if bytes.len() > limit - body.len() {
            return Err(ScrapeError::BodyTooLarge { limit });
        }
        body.extend_from_slice(&bytes);
    }
    Ok(())
}

fn failure(error: reqwest::Error) -> ScrapeError {
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let reason = innermost.to_string();
    if error.is_connect() { ScrapeError::Connect { reason } } else { ScrapeError::Transport { reason } }
}
