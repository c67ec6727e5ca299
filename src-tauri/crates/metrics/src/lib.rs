//! Metrics as numbers: parse what a member exposes, scrape it, keep it. Knows no PromQL and no etcd.

pub mod exposition;
mod model;
pub mod scrape;
pub mod store;

pub use exposition::MetricKind;
pub use model::{
    Labels, METRIC_NAME, MatchOp, Matcher, Queryable, STALE_NAN_BITS, Sample, SeriesData, is_stale,
    stale_marker,
};
pub use scrape::{Clock, Round, Scrape, ScrapeConfig, ScrapeError, Scraper, Target, system_clock};
pub use store::{MemoryStore, Storage, StoreConfig};
