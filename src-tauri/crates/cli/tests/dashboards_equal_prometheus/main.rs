//! The lab's answers against those of a real Prometheus 2.42.
//!
//! [`equality`]: both hold the same samples, taken from a real cluster under load, and every query of every
//! dashboard must be answered alike. [`staleness`]: both scrape the same server, because what is exported to make
//! the samples the same leaves staleness markers out. [`api`]: what both tell over HTTP of what they scraped there.
//! [`live`]: every query asked of a Prometheus that scraped a live cluster, by `etcd-labctl dashboards check`.
//!
//! Needs the binaries that `make etcd` builds, and `prometheus` and `promtool` of Debian.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

#[path = "../../src/dashboards/answer.rs"]
mod answer;
mod api;
mod capture;
mod equality;
mod live;
mod prometheus;
mod questions;
mod staleness;
