//! Latencies: histograms are recorded and merged, percentiles are read last.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies in microseconds.
pub type LatencyHistogram = Histogram<u64>;

/// Longest latency told apart. What is longer is recorded as this.
const LONGEST: Duration = Duration::from_secs(3600);

/// Percentiles of a report: those of etcd's tool (etcd, `pkg/report/report.go`) and one further out.
const REPORTED_PERCENTILES: [f64; 9] = [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// A histogram of three significant digits from a microsecond to an hour: 180 KB, so one a member and worker.
pub(crate) fn histogram() -> LatencyHistogram {
    // The bounds are right by the crate's rules (low ≥ 1, high ≥ 2·low, digits ≤ 5); the test below holds them to it.
    Histogram::new_with_bounds(1, LONGEST.as_micros() as u64, 3)
        .unwrap_or_else(|_| unreachable!("the bounds are constants"))
}

pub(crate) fn record(histogram: &mut LatencyHistogram, latency: Duration) {
    histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
}

/// Adds histograms of equal bounds, which can't fail.
pub(crate) fn merge(into: &mut LatencyHistogram, from: &LatencyHistogram) {
    let merged = into.add(from);
    debug_assert!(merged.is_ok(), "histograms of this crate share their bounds");
}

/// Some figures of many latencies, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Latencies summed up here.
    pub count: u64,
    /// Shortest.
    pub min_s: f64,
    /// Mean.
    pub mean_s: f64,
    /// Standard deviation.
    pub stddev_s: f64,
    /// Median.
    pub p50_s: f64,
    /// 90th percentile.
    pub p90_s: f64,
    /// 99th percentile.
    pub p99_s: f64,
    /// Longest.
    pub max_s: f64,
}

impl LatencySummary {
    /// `None` when there is nothing to sum up.
    pub(crate) fn of(histogram: &LatencyHistogram) -> Option<Self> {
        if histogram.is_empty() {
            return None;
        }
        let at = |percent| seconds(histogram.value_at_percentile(percent) as f64);
        Some(Self {
            count: histogram.len(),
            min_s: seconds(histogram.min() as f64),
            mean_s: seconds(histogram.mean()),
            stddev_s: seconds(histogram.stdev()),
            p50_s: at(50.0),
            p90_s: at(90.0),
            p99_s: at(99.0),
            max_s: seconds(histogram.max() as f64),
        })
    }
}

/// One percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    /// Percent of the answers that took no longer.
    pub percent: f64,
    /// Their longest latency, seconds.
    pub latency_s: f64,
}

/// The percentiles of a report; none when nothing was answered.
pub(crate) fn percentiles(histogram: &LatencyHistogram) -> Vec<Percentile> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let at =
        |percent| Percentile { percent, latency_s: seconds(histogram.value_at_percentile(percent) as f64) };
    REPORTED_PERCENTILES.into_iter().map(at).collect()
}

fn seconds(micros: f64) -> f64 {
    micros / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_thousand_latencies() {
        let mut all = histogram();
        for millis in 1..=1_000 {
            record(&mut all, Duration::from_millis(millis));
        }
        let summary = LatencySummary::of(&all).unwrap();
        assert_eq!(summary.count, 1_000);
        for (is, should) in
            [(summary.p50_s, 0.5), (summary.p90_s, 0.9), (summary.p99_s, 0.99), (summary.max_s, 1.0)]
        {
            assert!((is - should).abs() / should < 1e-3, "{is} is far from {should}");
        }
        assert_eq!(percentiles(&all).len(), REPORTED_PERCENTILES.len());
    }

    #[test]
    fn nothing_recorded_is_nothing_said() {
        assert_eq!(LatencySummary::of(&histogram()), None);
        assert!(percentiles(&histogram()).is_empty());
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut all = histogram();
        record(&mut all, Duration::from_secs(100_000));
        assert_eq!(all.len(), 1);
        assert!(all.max() >= LONGEST.as_micros() as u64);
    }
}
