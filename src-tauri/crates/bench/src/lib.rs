//! The load generator: what a load is ([`BenchSpec`]), how it goes ([`Progress`]) and what came of it
//! ([`Report`]). Callers see a spec in, progress and a report out ([`run`]), and nothing of the engine between.
//!
//! Refuses to know the lab, its members' names and how anything is shown: members are the endpoints it was
//! given, figures are figures.

mod address;
mod bench_error;
mod engine;
mod errors;
mod latency;
mod pacer;
mod progress;
mod schedule;
mod spec;
mod workload;

pub use bench_error::BenchError;
pub use engine::run;
pub use errors::{ErrorCount, GrpcCode};
pub use latency::{LatencyHistogram, LatencySummary, Percentile};
pub use progress::{Compactions, Ended, MemberProgress, MemberReport, Progress, Report, Unanswered};
pub use spec::{BenchSpec, Compact, Consistency, Put, Range, SpecError, Workload};
pub use tokio_util::sync::CancellationToken;
