//! What a tick costs: the panels' most expensive expression over what three members give in a quarter of an hour,
//! and what it would cost to evaluate it anew at every step.

use divan::Bencher;
use divan::counter::ItemsCount;
use lab_metrics::{Labels, Sample};
use lab_promql::promqltest::MemoryStore;
use lab_promql::{Engine, Query, parse};

const MEMBERS: [&str; 3] = ["etcd-1", "etcd-2", "etcd-3"];
const SECONDS: i64 = 15 * 60;
/// The fsync histogram: 14 bounds from 1 ms, doubling, and infinity.
const BUCKETS: usize = 15;

fn main() {
    divan::main();
}

/// One fsync histogram and one counter a member, a sample a second.
fn store() -> MemoryStore {
    let mut store = MemoryStore::new();
    for (m, member) in MEMBERS.into_iter().enumerate() {
        for bucket in 0..BUCKETS {
            let bound = if bucket + 1 == BUCKETS {
                "+Inf".to_owned()
            } else {
                (0.001 * f64::from(1 << bucket)).to_string()
            };
            let labels = [("__name__", "b"), ("instance", member), ("job", "etcd"), ("le", &bound)];
            // Most observations fall into the first buckets; every member has its own pace.
            let share = 1.0 - 0.5f64.powi(bucket as i32 + 1);
            let samples = (0..=SECONDS)
                .map(|s| Sample { t_ms: s * 1_000, value: (s as f64 * (900.0 + m as f64) * share).floor() });
            store.add(Labels::from_pairs(labels), samples);
        }
        let labels = Labels::from_pairs([("__name__", "c"), ("instance", member), ("job", "etcd")]);
        store.add(labels, (0..=SECONDS).map(|s| Sample { t_ms: s * 1_000, value: (s % 300) as f64 * 7.0 }));
    }
    store
}

fn query(text: &str) -> Query {
    parse(text).expect("the benchmark's queries parse")
}

const QUERIES: [&str; 5] = [
    "histogram_quantile(0.99, rate(b[15s]))",
    "histogram_quantile(0.99, sum by (le) (rate(b[1m])))",
    "rate(c[1m])",
    "avg_over_time(c[1m])",
    "sum by (instance) (rate(c[15s])) / on (instance) c",
];

#[divan::bench(args = QUERIES)]
fn range_of_15_min_at_1_s(bencher: Bencher<'_, '_>, text: &str) {
    let (store, engine, query) = (store(), Engine::default(), query(text));
    bencher
        .counter(ItemsCount::new(SECONDS as usize))
        .bench(|| engine.range(&store, &query, 0, SECONDS * 1_000, 1_000));
}

/// The same answers by an instant query a step: the ratio to the above is what sliding saves.
#[divan::bench(args = QUERIES, sample_count = 10)]
fn the_same_by_instant_queries(bencher: Bencher<'_, '_>, text: &str) {
    let (store, engine, query) = (store(), Engine::default(), query(text));
    bencher.counter(ItemsCount::new(SECONDS as usize)).bench(|| {
        (0..=SECONDS)
            .map(|s| engine.instant(&store, &query, s * 1_000).map_or(0, |a| a.value.series_count()))
            .sum::<usize>()
    });
}

#[divan::bench(args = QUERIES)]
fn parsing(text: &str) -> Query {
    query(text)
}
