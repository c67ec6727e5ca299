//! Metrics of terms as the running members expose them: kind, help, unit, buckets. All from the store, which knows
//! what the members' `/metrics` said last.

use lab_metrics::exposition::MetricKind;
use lab_metrics::{METRIC_NAME, Matcher, Storage, is_stale};

use super::{Glossary, Term};
use crate::api::{MetricView, TermView};
use crate::release_line::ReleaseLine;

/// How far back a series counts as exposed; members are scraped once a second.
const RECENT_MS: i64 = 15_000;

/// Last words of metrics' names that are units, `_total` and the like left out (Prometheus, "Metric and label naming").
const UNITS: [&str; 4] = ["seconds", "milliseconds", "bytes", "ratio"];

/// What a metric's name may end in after its unit.
const ENDINGS: [&str; 2] = ["_total", "_info"];

/// All terms on one release line. `running` is where the members' samples are and the time of the last round of
/// scrapes, milliseconds since the Unix epoch; while none runs, metrics are known by name only.
pub fn views(glossary: &Glossary, line: ReleaseLine, running: Option<(&dyn Storage, i64)>) -> Vec<TermView> {
    let view = |term: &Term| TermView {
        id: term.id.clone(),
        term: term.term.clone(),
        also: term.also.clone(),
        text: term.text.clone(),
        metrics: term
            .metrics
            .iter()
            .filter_map(|metric| Some(metric_view(metric.on(line)?, running)))
            .collect(),
        links: term.links.clone(),
    };
    glossary.terms.iter().map(view).collect()
}

fn metric_view(name: &str, running: Option<(&dyn Storage, i64)>) -> MetricView {
    let mut view = MetricView {
        name: name.to_owned(),
        exposed: None,
        kind: String::new(),
        help: String::new(),
        unit: unit(name).to_owned(),
        buckets: Vec::new(),
    };
    let Some((store, now_ms)) = running else { return view };
    let recent = |name: String| {
        let mut found = store.select(&[Matcher::equal(METRIC_NAME, name)], now_ms - RECENT_MS, now_ms);
        // A series that has ended, such as an earlier cluster's, is none.
        found.retain(|series| series.samples.last().is_some_and(|last| !is_stale(last.value)));
        found
    };
    let buckets = recent(format!("{name}_bucket"));
    let exposed = !buckets.is_empty() || !recent(name.to_owned()).is_empty();
    view.exposed = Some(exposed);
    if !exposed {
        // What an earlier cluster of another version said is no word on this one.
        return view;
    }
    if let Some((_, metadata)) = store.metadata(Some(name)).pop() {
        view.kind = kind(metadata.kind).to_owned();
        view.help = metadata.help;
    }
    let bounds = buckets.iter().filter_map(|series| series.labels.get("le").parse().ok());
    view.buckets = bounds.filter(|bound: &f64| bound.is_finite()).collect();
    view.buckets.sort_by(f64::total_cmp);
    view.buckets.dedup();
    view
}

fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
        MetricKind::Summary => "summary",
        MetricKind::Untyped => "",
    }
}

/// The unit that a metric's name ends in; empty when in none.
fn unit(name: &str) -> &str {
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let last = stem.rsplit('_').next().unwrap_or_default();
    if UNITS.contains(&last) { last } else { "" }
}
