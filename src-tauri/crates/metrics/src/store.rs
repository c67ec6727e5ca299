//! Where samples are kept: the interface, and one store in memory behind it.
//!
//! [`Storage`] is all that scraper, session and API know, so that another store can take the place of
//! [`MemoryStore`]. Refuses to know the time: what has expired is judged by the newest sample appended.

mod bits;
mod chunk;
mod index;
mod memory;
mod openmetrics;
mod series;

pub use memory::{MemoryStore, StoreConfig};
pub use openmetrics::write_openmetrics;

use crate::exposition::MetricKind;
use crate::model::{Labels, Matcher, Queryable, Sample};

/// A series of one store. Stays valid until the series has expired; an id is never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesId {
    slot: u32,
    generation: u32,
}

/// Why a series can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The series is new, and the store holds as many as it may.
    #[error("the store is full: it keeps at most {limit} series")]
    TooManySeries {
        /// [`StoreConfig::max_series`].
        limit: usize,
    },
    /// A series without labels has no identity.
    #[error("a series needs at least one label")]
    NoLabels,
}

/// What became of the samples of one [`Storage::append`]. Prometheus' rules (`tsdb/head_append.go`), less its
/// option to take samples out of order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples stored.
    pub stored: usize,
    /// The same value again at the same time: accepted, nothing to store.
    pub repeated: usize,
    /// Rejected: another value at the time of the series' last sample.
    pub duplicate: usize,
    /// Rejected: older than the series' last sample.
    pub out_of_order: usize,
    /// Rejected: older than what the store retains.
    pub too_old: usize,
    /// Positions in the batch whose series has expired meanwhile: resolve its labels anew.
    pub expired: Vec<usize>,
}

/// What `# TYPE` and `# HELP` say of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Declared kind.
    pub kind: MetricKind,
    /// Help text, possibly empty.
    pub help: String,
}

/// How full a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Series held.
    pub series: usize,
    /// Samples held.
    pub samples: u64,
    /// Bytes of compressed samples, with what it takes to hold them.
    pub sample_bytes: u64,
    /// Bytes of labels and their index, estimated.
    pub label_bytes: u64,
    /// Samples rejected so far as duplicate, out of order or too old.
    pub rejected: u64,
    /// Time of the newest sample ever appended, milliseconds since the Unix epoch.
    pub newest_ms: Option<i64>,
}

/// A store of time series. Reads go on while samples are appended.
pub trait Storage: Queryable {
    /// The series with these labels, created where it is new.
    ///
    /// # Errors
    /// When the series is new and can't be taken in.
    fn resolve(&self, labels: &Labels) -> Result<SeriesId, ResolveError>;

    /// Appends all samples at once: a reader sees the whole batch or nothing of it.
    fn append(&self, batch: &[(SeriesId, Sample)]) -> Appended;

    /// Notes what an exposition says of the metric family `metric`; the latest word counts.
    fn describe(&self, metric: &str, metadata: Metadata);

    /// Metadata of `metric`, or of all metrics, in order of their names.
    fn metadata(&self, metric: Option<&str>) -> Vec<(String, Metadata)>;

    /// Series that meet all `matchers` and may have a sample in `start_ms..=end_ms`, in order of labels.
    fn series(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<Labels>;

    /// Names of the labels of [`Self::series`], sorted.
    fn label_names(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<String>;

    /// Values that the label `name` has in [`Self::series`], sorted.
    fn label_values(&self, name: &str, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<String>;

    /// How full the store is. Walks over every series: for a status line, not for a loop.
    fn stats(&self) -> StoreStats;
}
