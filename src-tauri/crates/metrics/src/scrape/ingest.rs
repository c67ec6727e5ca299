//! From a target's text to samples in the store. No sockets and no clock: text and time come in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use super::cache::{EntryAt, SeriesCache};
use super::report::{Report, ReportSeries};
use super::{Scrape, ScrapeError};
use crate::exposition::{Entry, LabelPairs, Limits, MetricKind, ParseError, Parser};
use crate::model::{Labels, METRIC_NAME, Sample, stale_marker};
use crate::store::{Metadata, SeriesId, Storage};

/// How far ahead of the scrape an exposed timestamp may be, as in Prometheus (`maxAheadTime`).
const AHEAD_MS: i64 = 10 * 60 * 1000;

/// Metrics whose metadata is remembered; a member has some 250.
const METADATA_KNOWN: usize = 10_000;

/// All that is remembered of a target from scrape to scrape.
#[derive(Debug)]
pub(super) struct Ingest {
    target: Labels,
    honor_labels: bool,
    limits: Limits,
    cache: SeriesCache,
    report: ReportSeries,
    metadata: MetadataCache,
    last_ms: Option<i64>,
}

/// A parsed sample: which series, and the time it claims for itself.
struct Parsed {
    at: EntryAt,
    value: f64,
    timestamp_ms: Option<i64>,
}

/// What a scrape did to the store.
#[derive(Default)]
struct Taken {
    samples: usize,
    added: usize,
    rejected: usize,
    refused_series: usize,
}

impl Ingest {
    pub fn new(target: Labels, honor_labels: bool, limits: Limits) -> Self {
        let report = ReportSeries::new(&target);
        let (cache, metadata) = (SeriesCache::default(), MetadataCache::default());
        Self { target, honor_labels, limits, cache, report, metadata, last_ms: None }
    }

    /// Takes in the answer to the scrape at `t_ms`. `duration` is asked for once the text has been parsed.
    pub fn ingest(
        &mut self,
        store: &dyn Storage,
        t_ms: i64,
        answer: Result<&[u8], ScrapeError>,
        duration: impl FnOnce() -> Duration,
    ) -> Scrape {
        let text = answer.and_then(|body| std::str::from_utf8(body).map_err(|_| ScrapeError::NotUtf8));
        let mut parsed = Vec::new();
        let outcome = text.and_then(|text| Ok(self.parse(store, text, &mut parsed)?));
        let mut batch = Vec::with_capacity(parsed.len() + 8);
        let mut taken = Taken { samples: parsed.len(), ..Taken::default() };
        match &outcome {
            Ok(()) => self.take(store, t_ms, &parsed, &mut batch, &mut taken),
            Err(_) => batch.extend(self.cache.fail().into_iter().map(|id| (id, stale(t_ms)))),
        }
        let duration = duration();
        let report = Report {
            up: outcome.is_ok(),
            duration_s: duration.as_secs_f64(),
            samples: taken.samples,
            series_added: taken.added,
        };
        self.report.report(store, t_ms, report, &mut batch);
        taken.rejected += self.append(store, &batch);
        self.last_ms = Some(t_ms);
        Scrape {
            target: self.target.clone(),
            error: outcome.err(),
            duration,
            samples: taken.samples,
            series_added: taken.added,
            rejected: taken.rejected,
            refused_series: taken.refused_series,
        }
    }

    /// Ends all series of the target, just after its last scrape at the earliest.
    pub fn end(&mut self, store: &dyn Storage, now_ms: i64) {
        let Some(last_ms) = self.last_ms else { return };
        let t_ms = now_ms.max(last_ms.saturating_add(1));
        let mut batch: Vec<_> = self.cache.fail().into_iter().map(|id| (id, stale(t_ms))).collect();
        self.report.end(store, t_ms, &mut batch);
        store.append(&batch);
    }

    /// Parses the whole text before anything of it is stored: half an exposition is none. (Prometheus 2.42 means
    /// to do so too, but forgets to end the series that stand before the mistake.)
    fn parse(&mut self, store: &dyn Storage, text: &str, parsed: &mut Vec<Parsed>) -> Result<(), ParseError> {
        self.cache.begin();
        for entry in Parser::new(text, self.limits) {
            match entry? {
                Entry::Sample(sample) => {
                    let labels = || {
                        Ok(series_labels(&self.target, self.honor_labels, sample.metric(), sample.labels()?))
                    };
                    let at = self.cache.look_up(sample.series, labels)?;
                    parsed.push(Parsed { at, value: sample.value, timestamp_ms: sample.timestamp_ms });
                }
                Entry::Type { metric, kind } => self.metadata.kind(store, metric, kind),
                Entry::Help { metric, help } => self.metadata.help(store, metric, &help),
            }
        }
        Ok(())
    }

    /// Turns parsed samples into a batch, with staleness markers for the series that are missing.
    fn take(
        &mut self,
        store: &dyn Storage,
        t_ms: i64,
        parsed: &[Parsed],
        batch: &mut Vec<(SeriesId, Sample)>,
        taken: &mut Taken,
    ) {
        for sample in parsed {
            let Some(entry) = self.cache.get_mut(sample.at) else { continue };
            let at_ms = sample.timestamp_ms.unwrap_or(t_ms);
            if at_ms > t_ms.saturating_add(AHEAD_MS) {
                taken.rejected += 1;
                continue;
            }
            let id = match entry.id {
                Some(id) => id,
                None => match store.resolve(&entry.labels) {
                    Ok(id) => {
                        taken.added += 1;
                        *entry.id.insert(id)
                    }
                    Err(_) => {
                        taken.refused_series += 1;
                        continue;
                    }
                },
            };
            // Who gives timestamps of its own also says by them when it is over.
            entry.live = sample.timestamp_ms.is_none();
            batch.push((id, Sample { t_ms: at_ms, value: sample.value }));
        }
        batch.extend(self.cache.finish().into_iter().map(|id| (id, stale(t_ms))));
    }

    /// Appends, and returns how many samples were refused. Series that expired since they were last exposed are
    /// resolved anew.
    fn append(&mut self, store: &dyn Storage, batch: &[(SeriesId, Sample)]) -> usize {
        let appended = store.append(batch);
        let mut rejected = appended.duplicate + appended.out_of_order + appended.too_old;
        if !appended.expired.is_empty() {
            let again: Vec<_> = appended
                .expired
                .iter()
                .filter_map(|at| {
                    let (id, sample) = batch.get(*at)?;
                    let entry = self.cache.with_id(*id)?;
                    let renewed = store.resolve(&entry.labels).ok()?;
                    entry.id = Some(renewed);
                    Some((renewed, *sample))
                })
                .collect();
            let appended = store.append(&again);
            rejected += appended.duplicate + appended.out_of_order + appended.too_old;
        }
        rejected
    }
}

fn stale(t_ms: i64) -> Sample {
    Sample { t_ms, value: stale_marker() }
}

/// The labels a series gets in the store: those exposed, those of the target, and the rule for both having one.
fn series_labels(target: &Labels, honor_labels: bool, metric: &str, exposed: LabelPairs<'_>) -> Labels {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(exposed.len() + target.len() + 1);
    let taken = |name: &str| exposed.iter().any(|(exposed, _)| *exposed == name);
    pairs.extend(
        target.iter().filter(|(name, _)| !(honor_labels && taken(name))).map(|(n, v)| (n.into(), v.into())),
    );
    let (mut renamed, others): (Vec<_>, Vec<_>) =
        exposed.iter().partition(|(name, _)| !honor_labels && !target.get(name).is_empty());
    pairs.extend(others.into_iter().map(|(name, value)| ((*name).into(), value.clone())));
    // The shorter name gets the shorter prefix. An empty label is an absent one, and keeps no name from others.
    renamed.sort_by_key(|(name, _)| name.len());
    for (name, value) in renamed.into_iter().filter(|(_, value)| !value.is_empty()) {
        let mut name = format!("exported_{name}");
        while pairs.iter().any(|(other, value)| *other == name && !value.is_empty()) {
            name.insert_str(0, "exported_");
        }
        pairs.push((name.into(), value.clone()));
    }
    pairs.push((METRIC_NAME.into(), metric.into()));
    Labels::from_pairs(pairs)
}

/// Passes on what TYPE and HELP lines say when it is new: each scrape says the same again.
#[derive(Debug, Default)]
struct MetadataCache(HashMap<Box<str>, Metadata>);

impl MetadataCache {
    fn kind(&mut self, store: &dyn Storage, metric: &str, kind: MetricKind) {
        match self.0.get_mut(metric) {
            Some(known) if known.kind == kind => return,
            Some(known) => known.kind = kind,
            None => self.insert(metric, Metadata { kind, help: String::new() }),
        }
        self.describe(store, metric);
    }

    fn help(&mut self, store: &dyn Storage, metric: &str, help: &str) {
        match self.0.get_mut(metric) {
            Some(known) if known.help == help => return,
            Some(known) => help.clone_into(&mut known.help),
            None => self.insert(metric, Metadata { kind: MetricKind::Untyped, help: help.to_owned() }),
        }
        self.describe(store, metric);
    }

    fn insert(&mut self, metric: &str, metadata: Metadata) {
        // Only a target that makes up new names each time comes here.
        if self.0.len() >= METADATA_KNOWN {
            self.0.clear();
        }
        self.0.insert(metric.into(), metadata);
    }

    fn describe(&self, store: &dyn Storage, metric: &str) {
        if let Some(metadata) = self.0.get(metric) {
            store.describe(metric, metadata.clone());
        }
    }
}

#[cfg(test)]
mod tests;
