//! Asks every target for its exposition, tick after tick, and puts the answers into a store, by Prometheus'
//! rules (`scrape/scrape.go`): `up` and its companions, and staleness markers for what is no longer there.
//!
//! Ticks are multiples of the interval, the same for all targets, and all samples of a round bear one time: who
//! evaluates at [`Round::t_ms`] sees every answer of that round. Where the time comes from is passed in.
//! Refuses to know what the metrics mean.

mod cache;
mod fetch;
mod ingest;
mod report;
mod rounds;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exposition::{Limits, ParseError};
use crate::model::Labels;
use crate::store::Storage;

/// The time in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock of the machine.
pub fn system_clock() -> Clock {
    use std::time::SystemTime;
    Arc::new(|| {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    })
}

/// How to scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapeConfig {
    /// Time from one tick to the next.
    pub interval: Duration,
    /// When a target that has not answered in full is given up; at most the interval.
    pub timeout: Duration,
    /// Largest body read, in bytes.
    pub body_bytes: usize,
    /// Where an exposed label has the name of one of the target's: `true` lets the exposed one stand, `false`
    /// renames it to `exported_…`. As in Prometheus' `honor_labels`.
    pub honor_labels: bool,
    /// Bounds on lines and labels.
    pub limits: Limits,
}

impl Default for ScrapeConfig {
    /// Each second, as the lab shows it; a target that hangs is given up before the next tick.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            timeout: Duration::from_millis(900),
            body_bytes: 16 << 20,
            honor_labels: false,
            limits: Limits::default(),
        }
    }
}

/// Something with an exposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    labels: Labels,
    url: Url,
}

impl Target {
    /// A target whose series get the labels `job` and `instance`.
    ///
    /// # Errors
    /// When `url` is not an `http://` URL.
    pub fn new(job: &str, instance: &str, url: &str) -> Result<Self, TargetError> {
        Self::with_labels(Labels::from_pairs([("job", job), ("instance", instance)]), url)
    }

    /// A target whose series get `labels`.
    ///
    /// # Errors
    /// When `url` is not an `http://` URL.
    pub fn with_labels(labels: Labels, url: &str) -> Result<Self, TargetError> {
        let error = |reason: String| TargetError { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|reason| error(reason.to_string()))?;
        if parsed.scheme() != "http" || parsed.host().is_none() {
            return Err(error("only http:// can be scraped".to_owned()));
        }
        Ok(Self { labels, url: parsed })
    }

    /// Labels given to every series of the target.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Where the exposition is.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

/// A URL that can't be scraped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no target: {reason}")]
pub struct TargetError {
    /// The URL as given.
    pub url: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a scrape failed. The target then counts as down, and its series as stale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// Not answered in full in time.
    #[error("no full answer within {} ms", .limit.as_millis())]
    Timeout {
        /// [`ScrapeConfig::timeout`].
        limit: Duration,
    },
    /// Nobody listens there, or not for us.
    #[error("cannot connect: {reason}")]
    Connect {
        /// The innermost cause.
        reason: String,
    },
    /// The connection broke, or what came over it is not HTTP.
    #[error("the answer broke off: {reason}")]
    Transport {
        /// The innermost cause.
        reason: String,
    },
    /// An HTTP status other than 200.
    #[error("answered with HTTP status {status}")]
    Status {
        /// The status code.
        status: u16,
    },
    /// More than [`ScrapeConfig::body_bytes`].
    #[error("the answer is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// Not text.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// Text, but no exposition.
    #[error("the answer is not an exposition: {0}")]
    Parse(#[from] ParseError),
    /// The target was taken away meanwhile.
    #[error("the target was removed")]
    Removed,
}

/// What one scrape of one target came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// The target's labels.
    pub target: Labels,
    /// Why it failed, if it did; `up` is 1 without, 0 with an error.
    pub error: Option<ScrapeError>,
    /// From asking to having parsed.
    pub duration: Duration,
    /// Samples exposed, up to where a failing text stopped making sense.
    pub samples: usize,
    /// Series the target had not exposed before.
    pub series_added: usize,
    /// Samples that the store refused, or that claim to be from the future.
    pub rejected: usize,
    /// New series that the store had no room for.
    pub refused_series: usize,
}

impl Scrape {
    /// Whether the target answered, and with sense.
    pub fn up(&self) -> bool {
        self.error.is_none()
    }
}

/// All targets' answers to one tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// The time that the round's samples bear, milliseconds since the Unix epoch.
    pub t_ms: i64,
    /// What became of each target, in the order the targets were given.
    pub scrapes: Vec<Scrape>,
}

/// Why a scraper can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The interval is under a millisecond, or the timeout is zero or longer than the interval.
    #[error(
        "interval {interval:?} and timeout {timeout:?} don't go together: 1 ms ≤ interval, 0 < timeout ≤ interval"
    )]
    Times {
        /// [`ScrapeConfig::interval`].
        interval: Duration,
        /// [`ScrapeConfig::timeout`].
        timeout: Duration,
    },
    /// The HTTP client can't be set up.
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
}

/// A running scraper. When it is dropped, or its token cancelled, all of its series end with a staleness marker.
#[derive(Debug)]
pub struct Scraper {
    targets: watch::Sender<Vec<Target>>,
    rounds: watch::Receiver<Option<Arc<Round>>>,
    cancel: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Scraper {
    /// Starts scraping nothing; [`Self::set_targets`] names what. To be called within a tokio runtime.
    ///
    /// # Errors
    /// When the configuration contradicts itself, or the HTTP client can't be set up.
    pub fn start(
        config: ScrapeConfig,
        store: Arc<dyn Storage>,
        clock: Clock,
        cancel: &CancellationToken,
    ) -> Result<Self, StartError> {
        let ScrapeConfig { interval, timeout, .. } = config;
        if interval.as_millis() == 0 || timeout.is_zero() || timeout > interval {
            return Err(StartError::Times { interval, timeout });
        }
        let client = fetch::client()?;
        let cancel = cancel.child_token();
        let (targets, wanted) = watch::channel(Vec::new());
        let (finished, rounds) = watch::channel(None);
        let rounds_task = rounds::Rounds::new(config, store, clock, client, cancel.clone());
        let task = tokio::spawn(rounds_task.run(wanted, finished));
        Ok(Self { targets, rounds, cancel, task: Some(task) })
    }

    /// Replaces the targets. Those that stay go on undisturbed; those that go end with staleness markers.
    /// Of targets with equal labels and URL, one is scraped.
    pub fn set_targets(&self, targets: Vec<Target>) {
        self.targets.send_replace(targets);
    }

    /// The latest finished round. A round is finished when each target has answered, failed or timed out, and
    /// its samples are in the store.
    pub fn rounds(&self) -> watch::Receiver<Option<Arc<Round>>> {
        self.rounds.clone()
    }

    /// Stops, and returns once the staleness markers are in the store.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the scraper did not end in order");
        }
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests;
