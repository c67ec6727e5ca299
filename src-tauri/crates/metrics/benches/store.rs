//! What parsing, taking in and selecting cost, on the exposition of a real member.
//!
//! The history it selects from is made up: of that exposition's series a fifth change from scrape to scrape. So
//! are the bytes a sample printed at the end; a real load's are printed by the test that compares with Prometheus.

use std::hint::black_box;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lab_metrics::exposition::{self, Entry};
use lab_metrics::store::SeriesId;
use lab_metrics::{Labels, METRIC_NAME, Matcher, MemoryStore, Queryable, Sample, Storage};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

const EXPOSITION: &str = include_str!("../tests/data/etcd-3.5.9.prom");
const SEED: u64 = 7;
/// A quarter of an hour at one second.
const SCRAPES: i64 = 900;

fn main() {
    divan::main();
    let stats = HISTORY.stats();
    println!("{} series, {} samples, seed {SEED}", stats.series, stats.samples);
    println!("{:.2} bytes a sample, and {:.2} of labels", per(stats.sample_bytes), per(stats.label_bytes));
}

fn per(bytes: u64) -> f64 {
    bytes as f64 / HISTORY.stats().samples as f64
}

const VALID: &str = "the bench's own data is valid";

fn entries() -> impl Iterator<Item = Entry<'static>> {
    exposition::parse(black_box(EXPOSITION)).map(|entry| entry.expect(VALID))
}

/// The series of three members, with their values.
fn series(store: &MemoryStore) -> Vec<(SeriesId, f64)> {
    let mut series = Vec::new();
    for instance in ["etcd-1", "etcd-2", "etcd-3"] {
        for entry in entries() {
            let Entry::Sample(sample) = entry else { continue };
            let pairs =
                sample.labels().expect(VALID).into_iter().map(|(name, value)| (name, value.into_owned()));
            let own = [("job", "etcd"), ("instance", instance), (METRIC_NAME, sample.metric())];
            let labels = Labels::from_pairs(pairs.chain(own.map(|(name, value)| (name, value.to_owned()))));
            series.push((store.resolve(&labels).expect("room for three members"), sample.value));
        }
    }
    series
}

static HISTORY: LazyLock<MemoryStore> = LazyLock::new(|| {
    let store = MemoryStore::default();
    let mut series = series(&store);
    let mut random = SmallRng::seed_from_u64(SEED);
    for scrape in 0..SCRAPES {
        for (at, (_, value)) in series.iter_mut().enumerate() {
            if at % 5 == 0 {
                *value += f64::from(random.random_range(0..2000_u32));
            }
        }
        let t_ms = 1_700_000_000_000 + scrape * 1000;
        store.append(
            &series.iter().map(|(id, value)| (*id, Sample { t_ms, value: *value })).collect::<Vec<_>>(),
        );
    }
    store
});

#[divan::bench]
fn parse_without_labels(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(EXPOSITION)).bench(|| entries().count());
}

#[divan::bench]
fn parse_with_labels(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(EXPOSITION)).bench(|| {
        let entries = entries();
        let labels = entries.map(|entry| match entry {
            Entry::Sample(sample) => sample.labels().expect(VALID).len(),
            _ => 0,
        });
        labels.sum::<usize>()
    });
}

#[divan::bench]
fn append_a_round_of_three_members(bencher: Bencher) {
    let store = MemoryStore::default();
    let series = series(&store);
    let mut t_ms = 0;
    bencher.counter(ItemsCount::new(series.len())).bench_local(|| {
        t_ms += 1000;
        let batch: Vec<_> = series.iter().map(|(id, value)| (*id, Sample { t_ms, value: *value })).collect();
        store.append(&batch)
    });
}

/// What one panel asks for: three series over a quarter of an hour, the buckets of a histogram, everything.
#[divan::bench(args = [
    "etcd_mvcc_put_total",
    "etcd_disk_wal_fsync_duration_seconds_bucket",
    "grpc_server_handling_seconds_bucket",
    ".+",
])]
fn select_a_quarter_of_an_hour(bencher: Bencher, metric: &str) {
    let matchers = [match metric {
        ".+" => Matcher::regex(METRIC_NAME, metric).expect(VALID),
        _ => Matcher::equal(METRIC_NAME, metric),
    }];
    let select = || HISTORY.select(black_box(&matchers), i64::MIN, i64::MAX);
    let samples: usize = select().iter().map(|series| series.samples.len()).sum();
    bencher.counter(ItemsCount::new(samples)).bench(select);
}
