//! Latencies: histograms are recorded and merged, percentiles are read last.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest latency told apart. What is longer is recorded as this.
const LONGEST: Duration = Duration::from_secs(3600);

/// Percentiles of a report: those of etcd's tool (etcd, `pkg/report/report.go`) and one further out.
const REPORTED_PERCENTILES: [f64; 9] = [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// Latencies in microseconds, of three significant digits from one microsecond to an hour. Takes 180 KB, so there is
/// one a member and worker, not one a client.
#[derive(Clone)]
pub struct LatencyHistogram(Histogram<u64>);

impl LatencyHistogram {
    pub(crate) fn new() -> Self {
        // The bounds are right by the crate's rules: low ≥ 1, high ≥ 2·low, digits ≤ 5.
        let histogram = Histogram::new_with_bounds(1, LONGEST.as_micros() as u64, 3);
        Self(histogram.unwrap_or_else(|_| unreachable!("the bounds are constants")))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn merge(&mut self, from: &Self) {
        let merged = self.0.add(&from.0);
        debug_assert!(merged.is_ok(), "all histograms of this crate have the same bounds");
    }

    /// Latencies recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentiles of a report; none when nothing was recorded.
    pub(crate) fn percentiles(&self) -> Vec<Percentile> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let at =
            |percent| Percentile { percent, latency_s: seconds(self.0.value_at_percentile(percent) as f64) };
        REPORTED_PERCENTILES.into_iter().map(at).collect()
    }
}

impl AsRef<Histogram<u64>> for LatencyHistogram {
    fn as_ref(&self) -> &Histogram<u64> {
        &self.0
    }
}

/// The figures; the counts alone would be pages of zeros.
impl std::fmt::Debug for LatencyHistogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LatencyHistogram").field(&LatencySummary::of(self)).finish()
    }
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
        let histogram = &histogram.0;
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

fn seconds(micros: f64) -> f64 {
    micros / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_thousand_latencies() {
        let mut all = LatencyHistogram::new();
        for millis in 1..=1_000 {
            all.record(Duration::from_millis(millis));
        }
        let summary = LatencySummary::of(&all).unwrap();
        assert_eq!(summary.count, 1_000);
        for (is, should) in
            [(summary.p50_s, 0.5), (summary.p90_s, 0.9), (summary.p99_s, 0.99), (summary.max_s, 1.0)]
        {
            assert!((is - should).abs() / should < 1e-3, "{is} is far from {should}");
        }
        assert_eq!(all.percentiles().len(), REPORTED_PERCENTILES.len());
    }

    #[test]
    fn nothing_recorded_is_nothing_said() {
        assert_eq!(LatencySummary::of(&LatencyHistogram::new()), None);
        assert!(LatencyHistogram::new().percentiles().is_empty());
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut all = LatencyHistogram::new();
        all.record(Duration::from_secs(100_000));
        assert_eq!(all.count(), 1);
        assert!(all.as_ref().max() >= LONGEST.as_micros() as u64);
    }
}
