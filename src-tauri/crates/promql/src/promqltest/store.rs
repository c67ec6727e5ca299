//! A store for scripts, tests and benchmarks: series in a list, looked through for every selector.

use std::collections::BTreeMap;

use lab_metrics::{Labels, Matcher, Queryable, Sample, SeriesData};

/// Series held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    series: BTreeMap<Labels, Vec<Sample>>,
}

impl MemoryStore {
    /// A store without any series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds samples to a series. They may come in any order; of two at one time, the later added stays.
    pub fn add(&mut self, labels: Labels, samples: impl IntoIterator<Item = Sample>) {
        let series = self.series.entry(labels).or_default();
        series.extend(samples);
        // Stable, so that what was added last is last among equals.
        series.sort_by_key(|sample| sample.t_ms);
        series.reverse();
        series.dedup_by_key(|sample| sample.t_ms);
        series.reverse();
    }
}

impl Queryable for MemoryStore {
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<SeriesData> {
        self.series
            .iter()
            .filter(|(labels, _)| matchers.iter().all(|matcher| matcher.matches(labels.get(&matcher.name))))
            .filter_map(|(labels, samples)| {
                let from = samples.partition_point(|sample| sample.t_ms < start_ms);
                let to = samples.partition_point(|sample| sample.t_ms <= end_ms);
                let samples = samples.get(from..to).filter(|samples| !samples.is_empty())?;
                Some(SeriesData { labels: labels.clone(), samples: samples.to_vec() })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_samples_at_one_time_the_later_added_stays() {
        let mut store = MemoryStore::new();
        let labels = Labels::from_pairs([("__name__", "x")]);
        let at = |t_ms, value| Sample { t_ms, value };
        store.add(labels.clone(), [at(5, 1.0), at(1, 2.0)]);
        store.add(labels.clone(), [at(5, 3.0)]);
        let samples = vec![at(1, 2.0), at(5, 3.0)];
        assert_eq!(store.select(&[Matcher::equal("__name__", "x")], 0, 9), [SeriesData { labels, samples }]);
        assert!(store.select(&[], 6, 9).is_empty());
    }
}
