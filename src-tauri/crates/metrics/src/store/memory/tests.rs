use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::exposition::MetricKind;
use crate::model::{METRIC_NAME, stale_marker};

fn labels(metric: &str, instance: &str) -> Labels {
    Labels::from_pairs([(METRIC_NAME, metric), ("instance", instance), ("job", "etcd")])
}

fn unlimited() -> MemoryStore {
    MemoryStore::new(StoreConfig { retention: None, ..StoreConfig::default() })
}

fn put(store: &MemoryStore, labels: &Labels, t_ms: i64, value: f64) -> Appended {
    let id = store.resolve(labels).unwrap();
    store.append(&[(id, Sample { t_ms, value })])
}

fn times(store: &MemoryStore, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<Vec<i64>> {
    let found = store.select(matchers, start_ms, end_ms);
    found.into_iter().map(|series| series.samples.iter().map(|s| s.t_ms).collect()).collect()
}

#[test]
fn a_range_is_closed_at_both_ends_and_crosses_chunks() {
    let store = unlimited();
    for i in 0..1000 {
        put(&store, &labels("a", "x"), i * 10, i as f64);
    }
    let expected: Vec<i64> = (115..=365).map(|i| i * 10).collect();
    assert_eq!(times(&store, &[Matcher::equal("instance", "x")], 1150, 3650), [expected]);
    assert_eq!(times(&store, &[], 10_000, 20_000), [[0; 0]; 0]);
    assert_eq!(store.stats().samples, 1000);
}

#[test]
fn matchers_choose_series_in_order_of_labels() {
    let store = unlimited();
    for (metric, instance) in [("b", "y"), ("a", "z"), ("b", "x"), ("a", "x"), ("c", "y")] {
        put(&store, &labels(metric, instance), 1, 1.0);
    }
    put(&store, &Labels::from_pairs([(METRIC_NAME, "b"), ("extra", "1")]), 1, 1.0);
    let names = |matchers: &[Matcher]| -> Vec<String> {
        let found = store.select(matchers, 0, 10);
        found.iter().map(|s| format!("{}{}", s.labels.metric(), s.labels.get("instance"))).collect()
    };
    assert_eq!(names(&[]), ["ax", "az", "b", "bx", "by", "cy"]);
    assert_eq!(names(&[Matcher::equal(METRIC_NAME, "b")]), ["b", "bx", "by"]);
    assert_eq!(names(&[Matcher::equal(METRIC_NAME, "b"), Matcher::equal("instance", "")]), ["b"]);
    assert_eq!(names(&[Matcher::regex(METRIC_NAME, "a|c").unwrap()]), ["ax", "az", "cy"]);
    assert_eq!(names(&[Matcher::regex("instance", "x|").unwrap()]), ["ax", "b", "bx"]);
    assert_eq!(names(&[Matcher::not_equal("instance", "")]), ["ax", "az", "bx", "by", "cy"]);
    assert_eq!(names(&[Matcher::not_regex("instance", "[xy]").unwrap()]), ["az", "b"]);
    assert_eq!(names(&[Matcher::equal("nothing", "here")]), [""; 0]);
    assert_eq!(names(&[Matcher::equal("instance", "q"), Matcher::equal(METRIC_NAME, "a")]), [""; 0]);
    assert_eq!(store.label_values("instance", &[Matcher::equal(METRIC_NAME, "b")], 0, 10), ["x", "y"]);
    assert_eq!(store.label_names(&[], 0, 10), [METRIC_NAME, "extra", "instance", "job"]);
    assert_eq!(store.label_names(&[], 5, 10), [""; 0]);
    assert_eq!(store.series(&[Matcher::equal("extra", "1")], 0, 10).len(), 1);
}

#[test]
fn samples_are_refused_as_prometheus_refuses_them() {
    let store = MemoryStore::new(StoreConfig { retention: Some(Duration::from_secs(10)), max_series: 10 });
    let a = labels("a", "x");
    assert_eq!(put(&store, &a, 20_000, 1.0).stored, 1);
    assert_eq!(put(&store, &a, 20_000, 1.0).repeated, 1);
    assert_eq!(put(&store, &a, 20_000, 2.0).duplicate, 1);
    assert_eq!(put(&store, &a, 19_999, 1.0).out_of_order, 1);
    assert_eq!(put(&store, &labels("a", "y"), 9_999, 1.0).too_old, 1);
    assert_eq!(put(&store, &labels("a", "y"), 10_000, 1.0).stored, 1);
    assert_eq!(put(&store, &a, 20_001, f64::NAN).stored, 1);
    assert_eq!(put(&store, &a, 20_001, f64::NAN).repeated, 1);
    assert_eq!(put(&store, &a, 20_001, stale_marker()).duplicate, 1);
    assert_eq!(store.stats().rejected, 4);
    assert_eq!(times(&store, &[], 0, i64::MAX), [vec![20_000, 20_001], vec![10_000]]);
}

#[test]
fn expired_series_are_gone_and_their_ids_mean_nothing_else() {
    let store = MemoryStore::new(StoreConfig { retention: Some(Duration::from_secs(60)), max_series: 2 });
    let (old, new) = (labels("old", "x"), labels("new", "x"));
    let old_id = store.resolve(&old).unwrap();
    put(&store, &old, 0, 1.0);
    for t_ms in (0..=120_000).step_by(1000) {
        put(&store, &new, t_ms, 1.0);
    }
    assert_eq!(store.stats().series, 1);
    assert_eq!(store.label_values(METRIC_NAME, &[], i64::MIN, i64::MAX), ["new"]);
    let other = labels("other", "x");
    assert_ne!(store.resolve(&other).unwrap(), old_id);
    let appended = store.append(&[(old_id, Sample { t_ms: 120_000, value: 1.0 })]);
    assert_eq!(appended, Appended { expired: vec![0], ..Appended::default() });
}

#[test]
fn the_number_of_series_is_bounded() {
    let store = MemoryStore::new(StoreConfig { retention: None, max_series: 2 });
    assert!(store.resolve(&labels("a", "x")).is_ok() && store.resolve(&labels("a", "y")).is_ok());
    assert_eq!(store.resolve(&labels("a", "z")), Err(ResolveError::TooManySeries { limit: 2 }));
    assert!(store.resolve(&labels("a", "x")).is_ok());
    assert_eq!(store.resolve(&Labels::default()), Err(ResolveError::NoLabels));
}

#[test]
fn the_latest_metadata_counts() {
    let store = unlimited();
    for help in ["one", "two"] {
        store.describe("b", Metadata { kind: MetricKind::Counter, help: help.to_owned() });
    }
    store.describe("a", Metadata { kind: MetricKind::Gauge, help: String::new() });
    let names: Vec<_> = store.metadata(None).into_iter().map(|(name, m)| (name, m.help)).collect();
    assert_eq!(names, [("a".to_owned(), String::new()), ("b".to_owned(), "two".to_owned())]);
    assert_eq!(store.metadata(Some("c")), []);
}

/// Two series are always appended together; whoever reads meanwhile never sees one ahead of the other.
#[test]
fn a_reader_sees_a_whole_batch_or_nothing_of_it() {
    let store = unlimited();
    let ids = ["x", "y"].map(|instance| store.resolve(&labels("a", instance)).unwrap());
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Acquire) || reads == 0 {
                let found = times(&store, &[Matcher::equal(METRIC_NAME, "a")], i64::MIN, i64::MAX);
                if let [x, y] = &found[..] {
                    assert_eq!(x, y);
                    reads += 1;
                }
            }
            reads
        });
        for t_ms in 0..20_000 {
            store.append(&ids.map(|id| (id, Sample { t_ms, value: t_ms as f64 })));
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    println!("{reads} reads beside 20,000 appends");
}
