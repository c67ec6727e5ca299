//! Metrics of terms as the running members expose them: kind, help, unit, buckets. All from the store, which knows
//! what the members' `/metrics` said last.

use lab_metrics::exposition::MetricKind;
use lab_metrics::{METRIC_NAME, Matcher, Storage, is_stale};

use super::{Glossary, Term};
use crate::api::{MetricView, TermView};
use crate::release_line::ReleaseLine;

/// How far back a series counts as exposed; members are scraped once a second.
const RECENT_MS: i64 = 15_000;

/// Last words of metrics' names that are units (Prometheus, "Metric and label naming"; milliseconds are etcd's).
const UNITS: [&str; 4] = ["seconds", "milliseconds", "bytes", "ratio"];

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
    // A counter's name goes on with `_total`.
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let last = stem.rsplit('_').next().unwrap_or_default();
    if UNITS.contains(&last) { last } else { "" }
}

#[cfg(test)]
mod tests {
    use lab_metrics::store::Metadata;
    use lab_metrics::{Labels, MemoryStore, Sample, StoreConfig, stale_marker};

    use super::*;
    use crate::glossary::NameByLine;

    const NOW_MS: i64 = 1_700_000_000_000;
    const FSYNC: &str = "etcd_disk_wal_fsync_duration_seconds";

    fn put(store: &MemoryStore, series: &[(&str, &str)], t_ms: i64, value: f64) {
        let id = store.resolve(&Labels::from_pairs(series.iter().copied())).unwrap();
        assert_eq!(store.append(&[(id, Sample { t_ms, value })]).stored, 1);
    }

    /// A member with one histogram, one gauge, and a counter that it had before it was started anew.
    fn store() -> MemoryStore {
        let store = MemoryStore::new(StoreConfig::default());
        let bucket = format!("{FSYNC}_bucket");
        for instance in ["etcd-1", "etcd-2"] {
            for le in ["+Inf", "0.002", "0.001", "8.192"] {
                let series = [(METRIC_NAME, bucket.as_str()), ("instance", instance), ("le", le)];
                put(&store, &series, NOW_MS - 1_000, 1.0);
            }
        }
        put(&store, &[(METRIC_NAME, "etcd_mvcc_db_total_size_in_bytes")], NOW_MS, 7.0);
        put(&store, &[(METRIC_NAME, "gone_total")], NOW_MS - 2_000, 7.0);
        put(&store, &[(METRIC_NAME, "gone_total")], NOW_MS - 1_000, stale_marker());
        put(&store, &[(METRIC_NAME, "long_ago_total")], NOW_MS - RECENT_MS - 1, 7.0);
        for (metric, kind) in
            [(FSYNC, MetricKind::Histogram), ("etcd_mvcc_db_total_size_in_bytes", MetricKind::Gauge)]
        {
            store.describe(metric, Metadata { kind, help: "What it tells.".into() });
        }
        store.describe("gone_total", Metadata { kind: MetricKind::Counter, help: "It is gone.".into() });
        store
    }

    #[test]
    fn a_metric_is_told_as_the_running_members_expose_it() {
        let store = store();
        let running: Option<(&dyn Storage, i64)> = Some((&store, NOW_MS));
        let exposed = |name: &str, kind: &str, unit: &str, buckets: &[f64]| MetricView {
            name: name.into(),
            exposed: Some(true),
            kind: kind.into(),
            help: "What it tells.".into(),
            unit: unit.into(),
            buckets: buckets.into(),
        };
        assert_eq!(
            metric_view(FSYNC, running),
            exposed(FSYNC, "histogram", "seconds", &[0.001, 0.002, 8.192])
        );
        let size = "etcd_mvcc_db_total_size_in_bytes";
        assert_eq!(metric_view(size, running), exposed(size, "gauge", "bytes", &[]));
    }

    #[test]
    fn what_was_exposed_before_is_not_exposed_now() {
        let store = store();
        for name in ["gone_total", "long_ago_total", "never_total"] {
            let view = metric_view(name, Some((&store, NOW_MS)));
            assert_eq!(
                (view.exposed, view.kind.as_str(), view.help.as_str()),
                (Some(false), "", ""),
                "{name}"
            );
        }
        assert_eq!(metric_view(FSYNC, None).exposed, None);
    }

    #[test]
    fn a_terms_metric_has_the_name_of_the_release_line() {
        let metric = |on_3_5: Option<&str>, on_3_7: Option<&str>| NameByLine {
            on_3_5: on_3_5.map(str::to_owned),
            on_3_7: on_3_7.map(str::to_owned),
        };
        let term = Term {
            id: "put".into(),
            term: "put".into(),
            also: Vec::new(),
            text: "Writes a key.".into(),
            metrics: vec![metric(Some("old_total"), Some("new_total")), metric(None, Some("only_new_total"))],
            links: Vec::new(),
        };
        let glossary = Glossary { terms: vec![term], references: Vec::new() };
        let names = |line| -> Vec<String> {
            views(&glossary, line, None)[0].metrics.iter().map(|metric| metric.name.clone()).collect()
        };
        assert_eq!(names(ReleaseLine::V3_5), ["old_total"]);
        assert_eq!(names(ReleaseLine::V3_7), ["new_total", "only_new_total"]);
    }

    #[test]
    fn the_unit_is_the_last_word_of_the_name() {
        let cases = [
            (FSYNC, "seconds"),
            ("etcd_network_peer_sent_bytes_total", "bytes"),
            ("etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds", "milliseconds"),
            ("etcd_server_proposals_pending", ""),
            ("grpc_server_handled_total", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(unit(name), expected, "{name}");
        }
    }
}
