//! The six dashboards themselves: what a person relies on in them, and that no panel is empty on either etcd.

use std::collections::BTreeSet;

use lab_dashboards::{BUILTIN_FILES, Line, PanelKind, Reduce, Scope, Unit, Window, builtin, evaluate, lint};
use lab_metrics::exposition::{Entry, parse};
use lab_metrics::{Labels, METRIC_NAME, Matcher, Queryable, Sample, SeriesData};
use lab_promql::Engine;

/// Links in texts lead to these.
const UIDS_AND_TITLES: [(&str, &str); 6] = [
    ("ac2a8573-2a57-4b18-a9fd-d007b565f5e6", "Puts"),
    ("ad0da30b-2128-4455-8cef-31424b06b7b9", "Ranges"),
    ("f3c3b742-47e8-4bda-8631-a1d540d0f130", "Peers"),
    ("eb5c5196-8de5-4435-9a7d-d2bb4da869f4", "Compaction"),
    ("bb7bc45f-5370-401d-8212-3408c6936f5c", "Defrag"),
    ("e3f3beda-14fe-47ad-a431-c8227c997a53", "Etcd by Prometheus"),
];

#[test]
fn the_six_have_nothing_to_mend() {
    let findings: Vec<String> = lint(&BUILTIN_FILES).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn uids_and_titles_stay() {
    let found: Vec<(&str, &str)> =
        builtin().iter().map(|dashboard| (dashboard.uid.as_str(), dashboard.title.as_str())).collect();
    assert_eq!(found, UIDS_AND_TITLES);
}

#[test]
fn rows_and_panels_are_read_in_order() {
    let rows: Vec<(&str, usize)> =
        builtin()[0].rows.iter().map(|row| (row.title.as_str(), row.panels.len())).collect();
    assert_eq!(rows, [("GRPC", 3), ("Etcdserver", 6), ("WAL (log)", 3), ("MVCC", 1), ("Bbolt DB", 3)]);
    let panels: Vec<usize> = builtin().iter().map(|dashboard| dashboard.panels().count()).collect();
    assert_eq!(panels, [16, 7, 8, 9, 5, 19]);
    let kinds: BTreeSet<bool> = builtin()
        .iter()
        .flat_map(|d| d.panels())
        .map(|p| matches!(p.kind, PanelKind::Unsupported(_)))
        .collect();
    assert_eq!(kinds, [false].into(), "every panel can be drawn");
}

#[test]
fn every_unit_is_one_that_the_lab_writes() {
    for panel in builtin().iter().flat_map(|dashboard| dashboard.panels()) {
        assert!(!matches!(panel.unit, Unit::Other(_)), "{}: {:?}", panel.title, panel.unit);
    }
}

#[test]
fn a_mapped_value_reads_as_its_text() {
    let leader = builtin()[5].panels().next().unwrap();
    assert_eq!((leader.title.as_str(), leader.reduce), ("Etcd has a leader?", Reduce::LastNotNull));
    assert_eq!((leader.text(1.0), leader.text(0.0)), ("Yes".into(), "No".into()));
}

#[test]
fn every_member_has_its_colour_in_every_panel() {
    for (file, text) in BUILTIN_FILES {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        for panel in json["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] == "timeseries") {
            let overrides = panel["fieldConfig"]["overrides"].to_string();
            for colour in ["#56a8ff", "#f0b23c", "#2fc9a7"] {
                assert!(overrides.contains(colour), "{file}: {}: {colour}", panel["title"]);
            }
        }
    }
}

#[test]
fn no_panel_is_empty_on_etcd_3_5() {
    every_query_gives_values(include_str!("data/etcd-3.5.9.prom"));
}

#[test]
fn no_panel_is_empty_on_etcd_3_7() {
    every_query_gives_values(include_str!("data/etcd-3.7.3.prom"));
}

const START_MS: i64 = 1_700_000_000_000;
const WINDOW: Window = Window { start_ms: START_MS + 60_000, end_ms: START_MS + 120_000, step_ms: 1_000 };

fn every_query_gives_values(exposition: &str) {
    let store = Scrapes::of_three_members(exposition, 121);
    let engine = Engine::default();
    let mut queries = 0;
    for dashboard in builtin() {
        let scope =
            Scope { step_ms: 1_000, range_ms: 60_000, scrape_ms: 1_000, variables: &dashboard.variables };
        for panel in dashboard.panels() {
            let frames = evaluate(panel, &scope, &engine, &store, WINDOW);
            assert_eq!(frames.problems, [], "{}: {}", dashboard.title, panel.title);
            assert_eq!(frames.times_ms.len(), 61);
            for (at, target) in panel.targets.iter().enumerate() {
                queries += 1;
                let lines: Vec<&Line> = frames.lines.iter().filter(|line| line.target == at).collect();
                let values = lines.iter().filter(|line| Reduce::LastNotNull.apply(&line.values).is_some());
                assert!(values.count() > 0, "{}: {}: {}", dashboard.title, panel.title, target.expr);
                if panel.kind == PanelKind::TimeSeries {
                    let members: BTreeSet<&str> =
                        lines.iter().map(|line| line.labels.get("instance")).collect();
                    assert_eq!(members, ["etcd-1", "etcd-2", "etcd-3"].into(), "{}", panel.title);
                    assert!(lines.iter().all(|line| line.name.starts_with("etcd-")), "{}", panel.title);
                }
            }
            let names: BTreeSet<&str> = frames.lines.iter().map(|line| line.name.as_str()).collect();
            assert_eq!(names.len(), frames.lines.len(), "{}: names tell lines apart", panel.title);
        }
    }
    assert_eq!(queries, 77);
}

/// An exposition scraped each second by three members, with everything that counts growing by a hundredth a second.
struct Scrapes(Vec<SeriesData>);

impl Scrapes {
    fn of_three_members(exposition: &str, scrapes: i64) -> Self {
        let mut series = Vec::new();
        for entry in parse(exposition) {
            let Entry::Sample(line) = entry.expect("a member's exposition parses") else { continue };
            let own = line.labels().expect("a member's labels parse");
            let pairs = own.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            let labels = Labels::from_pairs(pairs).with(METRIC_NAME, line.metric()).with("job", "etcd");
            let counts =
                ["_total", "_bucket", "_count", "_sum"].iter().any(|end| line.metric().ends_with(end));
            for member in ["etcd-1", "etcd-2", "etcd-3"] {
                let samples = (0..scrapes).map(|second| Sample {
                    t_ms: START_MS + second * 1_000,
                    value: if counts { line.value * (1.0 + second as f64 / 100.0) } else { line.value },
                });
                series
                    .push(SeriesData { labels: labels.with("instance", member), samples: samples.collect() });
            }
        }
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Self(series)
    }
}

impl Queryable for Scrapes {
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<SeriesData> {
        self.0
            .iter()
            .filter(|series| matchers.iter().all(|matcher| matcher.matches(series.labels.get(&matcher.name))))
            .map(|series| SeriesData {
                labels: series.labels.clone(),
                samples: series
                    .samples
                    .iter()
                    .filter(|sample| (start_ms..=end_ms).contains(&sample.t_ms))
                    .copied()
                    .collect(),
            })
            .filter(|series| !series.samples.is_empty())
            .collect()
    }
}
