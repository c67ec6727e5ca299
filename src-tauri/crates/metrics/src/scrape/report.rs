//! The series that the scraper itself keeps on every target.

use crate::model::{Labels, METRIC_NAME, Sample, stale_marker};
use crate::store::{SeriesId, Storage};

/// Their names, in Prometheus' spelling; the order is that of [`Report`]'s values.
const NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// What is reported of one scrape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub up: bool,
    pub duration_s: f64,
    pub samples: usize,
    pub series_added: usize,
}

/// The report series of one target.
#[derive(Debug)]
pub(super) struct ReportSeries {
    series: [(Labels, Option<SeriesId>); NAMES.len()],
}

impl ReportSeries {
    pub fn new(target: &Labels) -> Self {
        Self { series: NAMES.map(|name| (target.with(METRIC_NAME, name), None)) }
    }

    /// Adds the report's samples to a batch.
    pub fn report(
        &mut self,
        store: &dyn Storage,
        t_ms: i64,
        report: Report,
        batch: &mut Vec<(SeriesId, Sample)>,
    ) {
        let values = [
            f64::from(u8::from(report.up)),
            report.duration_s,
            report.samples as f64,
            // Nothing is relabelled, so nothing is dropped.
            report.samples as f64,
            report.series_added as f64,
        ];
        self.push(store, t_ms, values, batch);
    }

    /// Adds staleness markers to a batch.
    pub fn end(&mut self, store: &dyn Storage, t_ms: i64, batch: &mut Vec<(SeriesId, Sample)>) {
        if self.series.iter().all(|(_, id)| id.is_some()) {
            self.push(store, t_ms, [stale_marker(); NAMES.len()], batch);
        }
    }

    fn push(
        &mut self,
        store: &dyn Storage,
        t_ms: i64,
        values: [f64; NAMES.len()],
        batch: &mut Vec<(SeriesId, Sample)>,
    ) {
        for ((labels, id), value) in self.series.iter_mut().zip(values) {
            // Resolved each time: five look-ups, and no id of a series that has expired.
            match store.resolve(labels) {
                Ok(found) => {
                    *id = Some(found);
                    batch.push((found, Sample { t_ms, value }));
                }
                Err(error) => {
                    tracing::warn!(%error, series = labels.metric(), "nothing reported on a scrape")
                }
            }
        }
    }
}
