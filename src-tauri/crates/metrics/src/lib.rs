//! Metrics as numbers: parse what a member exposes, scrape it, keep it. Knows no PromQL and no etcd.

pub mod exposition;
mod model;
pub mod store;

pub use exposition::MetricKind;
pub use model::{
    Labels, METRIC_NAME, MatchOp, Matcher, Queryable, STALE_NAN_BITS, Sample, SeriesData, is_stale,
    stale_marker,
};
pub use store::{MemoryStore, Storage, StoreConfig};
