//! What a load is, in the terms and with the defaults of etcd's own `benchmark` (etcd,
//! `tools/benchmark/cmd/{root,put,range}.go`), plus a duration, a seed and time-outs.
//!
//! Pure data and its rules. Refuses to know how it is carried out.

mod command_line;
mod seconds;
mod validate;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use validate::SpecError;

/// A load to put on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchSpec {
    /// Client addresses of the members, `host:port` or `http://host:port`. Connection `i` belongs to endpoint
    /// `i mod n`, for good.
    pub endpoints: Vec<String>,
    /// Connections in all. More connections than clients is allowed, as in etcd's tool: the rest stay idle.
    pub conns: u32,
    /// Requests at a time. Client `j` uses connection `j mod conns`.
    pub clients: u32,
    /// What each request is.
    pub workload: Workload,
    /// Requests in all, answered or failed. `None`: until the duration is over, which must then be given.
    pub total: Option<u64>,
    /// Requests a second (open loop: latency counts from the scheduled instant). `None`: each client sends its
    /// next request when the last one is answered (closed loop).
    pub rate: Option<u32>,
    /// Ends the run after this long, if the total isn't reached before.
    #[serde(rename = "duration_s", default, with = "seconds")]
    pub duration: Option<Duration>,
    /// How long one request may take before it counts as `DeadlineExceeded`. `None`: for ever, as etcd's tool.
    #[serde(rename = "timeout_s", default, with = "seconds")]
    pub timeout: Option<Duration>,
    /// How long opening one connection may take. `None`: [`BenchSpec::DEFAULT_DIAL_TIMEOUT`].
    #[serde(rename = "dial_timeout_s", default, with = "seconds")]
    pub dial_timeout: Option<Duration>,
    /// Where random keys and the value's bytes come from: the same seed gives the same load.
    #[serde(default)]
    pub seed: u64,
}

impl BenchSpec {
    /// Requests of etcd's tool when nothing else is said.
    pub const DEFAULT_TOTAL: u64 = 10_000;

    /// Longest a request may take when nothing else is said. Longer than anything an etcd that is alive lets
    /// a request wait, so that only what is truly lost runs into it.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

    /// Longest that opening a connection may take when nothing else is said. etcd's tool waits for ever.
    pub const DEFAULT_DIAL_TIMEOUT: Duration = Duration::from_secs(5);

    /// A load with the defaults of etcd's tool: one client, one connection, 10,000 requests.
    pub fn new(endpoints: impl IntoIterator<Item = impl Into<String>>, workload: Workload) -> Self {
        Self {
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            conns: 1,
            clients: 1,
            workload,
            total: Some(Self::DEFAULT_TOTAL),
            rate: None,
            duration: None,
            timeout: Some(Self::DEFAULT_TIMEOUT),
            dial_timeout: None,
            seed: 0,
        }
    }
}

/// What each request of a load is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Workload {
    /// One key is written.
    Put(Put),
    /// One key or a range of keys is read.
    Range(Range),
}

/// Puts. [`Put::default`] has the sizes of etcd's tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub val_size: u32,
    /// Number of different keys.
    pub key_space_size: u64,
    /// Request `i` writes key `i mod key_space_size`; otherwise a key drawn from the seed and `i`.
    pub sequential_keys: bool,
    /// Compactions while the load runs.
    #[serde(default)]
    pub compact: Option<Compact>,
}

impl Default for Put {
    fn default() -> Self {
        Self { key_size: 8, val_size: 8, key_space_size: 1, sequential_keys: false, compact: None }
    }
}

/// Compactions beside the puts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compact {
    /// From one compaction to the next.
    #[serde(rename = "interval_s", with = "seconds::required")]
    pub interval: Duration,
    /// Revisions kept: at revision `r` the history before `r - index_delta` goes.
    pub index_delta: u64,
}

impl Compact {
    /// Revisions kept by etcd's tool when nothing else is said.
    pub const DEFAULT_INDEX_DELTA: u64 = 1_000;
}

/// Ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First key.
    pub key: String,
    /// End of the range, exclusive. `None`: the one key.
    #[serde(default)]
    pub range_end: Option<String>,
    /// Who may answer.
    #[serde(default)]
    pub consistency: Consistency,
}

/// Who may answer a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consistency {
    /// The answer reflects every write acknowledged before: the member asks the leader first.
    #[default]
    Linearizable,
    /// The member asked answers from what it has, without a quorum.
    Serializable,
}
