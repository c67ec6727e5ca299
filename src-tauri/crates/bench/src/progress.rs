//! What a load tells while it runs, once a second, and when it is over. All times in seconds.

use serde::Serialize;

use crate::{ErrorCount, LatencySummary, Percentile, latency::LatencyHistogram};

/// One second of a load. "Answers" are requests answered without an error.
#[derive(Clone, Debug, Serialize)]
pub struct Progress {
    /// Since the first request was due.
    pub elapsed_s: f64,
    /// What this second really took.
    pub interval_s: f64,
    /// Answers since the load began.
    pub answers: u64,
    /// Errors since the load began.
    pub errors: u64,
    /// Answers a second, over this second.
    pub rate: f64,
    /// Errors a second, over this second.
    pub error_rate: f64,
    /// Of this second's answers; absent when there were none.
    pub latency: Option<LatencySummary>,
    /// Of all answers so far.
    pub latency_so_far: Option<LatencySummary>,
    /// By endpoint, in the order of the spec.
    pub members: Vec<MemberProgress>,
    /// Since the load began, by code and message, most first.
    pub error_counts: Vec<ErrorCount>,
    /// Requests of an open loop that were due by now, but which no client was free to send.
    pub backlog: u64,
    /// Compactions so far, when the load compacts.
    pub compactions: Option<Compactions>,
    /// Latencies of this second's answers, in microseconds.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
}

/// What one member did in one second.
#[derive(Clone, Debug, Serialize)]
pub struct MemberProgress {
    /// As in the spec.
    pub endpoint: String,
    /// Connections given to it, open or not.
    pub conns: u32,
    /// Of these, open now.
    pub conns_open: u32,
    /// Answers since the load began.
    pub answers: u64,
    /// Errors since the load began.
    pub errors: u64,
    /// Answers a second, over this second.
    pub rate: f64,
    /// Errors a second, over this second.
    pub error_rate: f64,
    /// Of this second's answers; absent when there were none.
    pub latency: Option<LatencySummary>,
}

/// What came of a load.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Why it ended.
    pub ended: Ended,
    /// From when the first request was due to the last answer or the cancellation.
    pub duration_s: f64,
    /// Requests answered without an error.
    pub answers: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Answers a second, over the whole run.
    pub rate: f64,
    /// Of all answers; absent when there were none.
    pub latency: Option<LatencySummary>,
    /// Of all answers.
    pub percentiles: Vec<Percentile>,
    /// How long requests took to fail; not in `latency`.
    pub error_latency: Option<LatencySummary>,
    /// By endpoint, in the order of the spec.
    pub members: Vec<MemberReport>,
    /// By code and message, most first.
    pub error_counts: Vec<ErrorCount>,
    /// Compactions, when the load compacts.
    pub compactions: Option<Compactions>,
    /// Requests that were under way when the run ended and are in none of the figures above.
    pub unanswered: Unanswered,
    /// Requests of an open loop that were due before the end, but which no client was free to send.
    pub backlog: u64,
    /// Seed of keys and values.
    pub seed: u64,
    /// Latencies of all answers, in microseconds.
    #[serde(skip)]
    pub histogram: LatencyHistogram,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All requests were sent and came to an end.
    Total,
    /// Its time was over.
    Duration,
    /// It was told to stop.
    Cancelled,
}

/// What one member did in a whole run.
#[derive(Clone, Debug, Serialize)]
pub struct MemberReport {
    /// As in the spec.
    pub endpoint: String,
    /// Connections given to it.
    pub conns: u32,
    /// Answers.
    pub answers: u64,
    /// Errors.
    pub errors: u64,
    /// Answers a second.
    pub rate: f64,
    /// Of its answers; absent when there were none.
    pub latency: Option<LatencySummary>,
    /// By code and message, most first.
    pub error_counts: Vec<ErrorCount>,
}

/// Compactions beside the puts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compactions {
    /// Carried out.
    pub done: u64,
    /// Failed, as were those whose read of the revision failed.
    pub failed: u64,
    /// Revision of the last one carried out.
    pub last_revision: Option<i64>,
    /// Why the last failed one did.
    pub last_error: Option<String>,
}

/// Requests without an answer when the run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Unanswered {
    /// How many.
    pub count: u64,
    /// How long the oldest had waited.
    pub oldest_s: f64,
}
