//! The store in memory. One lock: a batch is appended under it in a fraction of a millisecond, a reader holds
//! it only to note which chunks it wants, and decodes them outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::index::Index;
use super::series::Rejected;
use super::{Appended, Metadata, ResolveError, SeriesId, Storage, StoreStats};
use crate::model::{Labels, Matcher, Queryable, Sample, SeriesData};

/// How much a [`MemoryStore`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// How long before the newest sample a sample is kept at least; `None` keeps everything.
    /// Samples leave a chunk at a time, so some stay up to a chunk's length (120 samples) longer.
    pub retention: Option<Duration>,
    /// Most series held at once.
    pub max_series: usize,
}

impl Default for StoreConfig {
    /// Half an hour, and some fifteen times the series of three members.
    fn default() -> Self {
        Self { retention: Some(Duration::from_secs(30 * 60)), max_series: 100_000 }
    }
}

/// Series and samples in memory, compressed.
#[derive(Debug)]
pub struct MemoryStore {
    retention_ms: Option<i64>,
    max_series: usize,
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    index: Index,
    metadata: BTreeMap<String, Metadata>,
    newest_ms: Option<i64>,
    expired_at_ms: Option<i64>,
    rejected: u64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(StoreConfig::default())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new(config: StoreConfig) -> Self {
        Self {
            retention_ms: config.retention.map(|keep| i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)),
            max_series: config.max_series,
            inner: RwLock::default(),
        }
    }

    /// Frees what is older than `before_ms`, whole chunks at a time. Appending does so by itself; this is for a
    /// store that nothing is appended to any more.
    pub fn expire(&self, before_ms: i64) {
        self.write().index.remove_where(|series| series.expire(before_ms));
    }

    // Nothing panics while it holds the lock; and if it did, a sample lost is better than a lab lost.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `visit` on the labels of each series that meets `matchers` and overlaps the range.
    fn visit<'a>(&self, matchers: &[Matcher], range: (i64, i64), mut visit: impl FnMut(&Labels) + 'a) {
        let inner = self.read();
        let found = inner.index.select(matchers);
        found.into_iter().filter(|series| series.overlaps(range.0, range.1)).for_each(|s| visit(&s.labels));
    }
}

impl Inner {
    fn append(&mut self, batch: &[(SeriesId, Sample)], horizon_ms: i64) -> Appended {
        let mut appended = Appended::default();
        for (at, (id, sample)) in batch.iter().enumerate() {
            let Some(series) = self.index.get_mut(*id) else {
                appended.expired.push(at);
                continue;
            };
            if sample.t_ms < horizon_ms {
                appended.too_old += 1;
                continue;
            }
            match series.append(*sample) {
                Ok(()) => {
                    appended.stored += 1;
                    self.newest_ms = self.newest_ms.max(Some(sample.t_ms));
                }
                Err(Rejected::Repeated) => appended.repeated += 1,
                Err(Rejected::Duplicate) => appended.duplicate += 1,
                Err(Rejected::OutOfOrder) => appended.out_of_order += 1,
            }
        }
        self.rejected += (appended.duplicate + appended.out_of_order + appended.too_old) as u64;
        appended
    }

    /// Frees what has expired, now and then: a sixteenth of the retention may pass between two walks.
    fn expire(&mut self, retention_ms: i64) {
        let Some(newest_ms) = self.newest_ms else { return };
        let last_ms = *self.expired_at_ms.get_or_insert(newest_ms);
        if newest_ms.saturating_sub(last_ms) >= retention_ms / 16 {
            self.expired_at_ms = Some(newest_ms);
            let before_ms = newest_ms.saturating_sub(retention_ms);
            self.index.remove_where(|series| series.expire(before_ms));
        }
    }
}

impl Queryable for MemoryStore {
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<SeriesData> {
        let inner = self.read();
        let found: Vec<_> = inner
            .index
            .select(matchers)
            .into_iter()
            .map(|series| (series, series.chunks(start_ms, end_ms)))
            .filter(|(_, chunks)| !chunks.is_empty())
            .map(|(series, chunks)| (series.labels.clone(), chunks))
            .collect();
        drop(inner);
        let decoded = found.into_iter().map(|(labels, chunks)| {
            let mut samples = Vec::with_capacity(chunks.iter().map(|chunk| usize::from(chunk.count)).sum());
            chunks.iter().for_each(|chunk| chunk.decode(start_ms, end_ms, &mut samples));
            SeriesData { labels, samples }
        });
        decoded.filter(|series| !series.samples.is_empty()).collect()
    }
}

impl Storage for MemoryStore {
    fn resolve(&self, labels: &Labels) -> Result<SeriesId, ResolveError> {
        if let Some(id) = self.read().index.find(labels) {
            return Ok(id);
        }
        self.write().index.resolve(labels, self.max_series)
    }

    fn append(&self, batch: &[(SeriesId, Sample)]) -> Appended {
        let mut inner = self.write();
        let horizon_ms = match (inner.newest_ms, self.retention_ms) {
            (Some(newest_ms), Some(retention_ms)) => newest_ms.saturating_sub(retention_ms),
            _ => i64::MIN,
        };
        let appended = inner.append(batch, horizon_ms);
        if let Some(retention_ms) = self.retention_ms {
            inner.expire(retention_ms);
        }
        appended
    }

    fn describe(&self, metric: &str, metadata: Metadata) {
        if self.read().metadata.get(metric) == Some(&metadata) {
            return;
        }
        let mut inner = self.write();
        // Metrics come and go with etcd's versions, never by the thousand: series are the bound for both.
        if inner.metadata.len() < self.max_series || inner.metadata.contains_key(metric) {
            inner.metadata.insert(metric.to_owned(), metadata);
        }
    }

    fn metadata(&self, metric: Option<&str>) -> Vec<(String, Metadata)> {
        let inner = self.read();
        let of = |(name, metadata): (&String, &Metadata)| (name.clone(), metadata.clone());
        match metric {
            Some(metric) => inner.metadata.get_key_value(metric).map(of).into_iter().collect(),
            None => inner.metadata.iter().map(of).collect(),
        }
    }

    fn series(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<Labels> {
        let mut found = Vec::new();
        self.visit(matchers, (start_ms, end_ms), |labels| found.push(labels.clone()));
        found
    }

    fn label_names(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<String> {
        let mut names = BTreeSet::new();
        self.visit(matchers, (start_ms, end_ms), |labels| {
            for (name, _) in labels.iter() {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        });
        names.into_iter().collect()
    }

    fn label_values(&self, name: &str, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<String> {
        let mut values = BTreeSet::new();
        self.visit(matchers, (start_ms, end_ms), |labels| {
            let value = labels.get(name);
            if !value.is_empty() && !values.contains(value) {
                values.insert(value.to_owned());
            }
        });
        values.into_iter().collect()
    }

    fn stats(&self) -> StoreStats {
        let inner = self.read();
        let mut stats = StoreStats {
            series: inner.index.len(),
            label_bytes: inner.index.label_bytes() as u64,
            rejected: inner.rejected,
            newest_ms: inner.newest_ms,
            ..StoreStats::default()
        };
        for series in inner.index.all() {
            stats.samples += series.samples();
            stats.sample_bytes += series.sample_bytes() as u64;
        }
        stats
    }
}

#[cfg(test)]
mod tests;
