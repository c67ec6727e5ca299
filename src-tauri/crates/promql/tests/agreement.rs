//! A range query slides its windows and carries what it learned from one step to the next; an instant query starts
//! from nothing. Over samples with gaps, resets, staleness markers and NaN they must agree to the last bit.

use std::collections::BTreeMap;

use lab_metrics::{Labels, Sample, stale_marker};
use lab_promql::promqltest::MemoryStore;
use lab_promql::{Engine, Semantics, Value, parse};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const SEED: u64 = 0x51ab_0d05;
const SERIES: usize = 6;
const SAMPLES: usize = 120;

fn ragged_store(random: &mut StdRng) -> MemoryStore {
    let mut store = MemoryStore::new();
    for series in 0..SERIES {
        for le in ["", "1", "2", "+Inf"] {
            let name = if le.is_empty() { "c" } else { "h_bucket" };
            let (instance, group) = (format!("etcd-{series}"), if series % 2 == 0 { "even" } else { "odd" });
            let labels = [("__name__", name), ("instance", instance.as_str()), ("group", group), ("le", le)];
            let (mut t_ms, mut value) = (random.random_range(-20_000..5_000), 0.0);
            let samples = (0..SAMPLES).map(|_| {
                t_ms += if random.random_bool(0.05) { 47_000 } else { random.random_range(800..1_300) };
                value = match random.random_range(0..100) {
                    0..8 => random.random_range(0..5) as f64,
                    _ => value + random.random_range(0..900) as f64 / 7.0,
                };
                let shown = match random.random_range(0..100) {
                    0..3 => stale_marker(),
                    3 => f64::NAN,
                    _ => value,
                };
                Sample { t_ms, value: shown }
            });
            store.add(Labels::from_pairs(labels), samples.collect::<Vec<_>>());
        }
    }
    store
}

#[test]
fn a_range_gives_what_an_instant_at_each_step_gives() {
    let texts = [
        "c",
        "c offset 7s",
        "timestamp(c)",
        "rate(c[15s])",
        "increase(c[7s] offset -3s)",
        "delta(c[33s])",
        "irate(c[9s])",
        "idelta(c[9s])",
        "deriv(c[20s])",
        "predict_linear(c[20s], 30)",
        "holt_winters(c[20s], 0.3, 0.6)",
        "avg_over_time(c[13s])",
        "sum_over_time(c[13s])",
        "min_over_time(c[13s])",
        "max_over_time(c[13s])",
        "stddev_over_time(c[13s])",
        "quantile_over_time(0.7, c[13s])",
        "count_over_time(c[13s])",
        "last_over_time(c[13s])",
        "changes(c[13s])",
        "resets(c[13s])",
        "absent_over_time(c[2s])",
        "absent(c > 500)",
        "histogram_quantile(0.9, rate(h_bucket[15s]))",
        "histogram_quantile(0.9, sum by (group, le) (rate(h_bucket[15s])))",
        "sum by (group) (c)",
        "avg without (instance) (c)",
        "stddev(c)",
        "quantile by (group) (0.3, c)",
        "topk(2, c)",
        "bottomk by (group) (1, c)",
        "count_values('v', round(c, 100))",
        "c / on (instance) rate(c[15s])",
        "c > bool 300",
        "c > 300 or c offset 20s",
        "c unless c > 300",
        "c and on (group) c > 600",
        "c * on (group) group_left () sum by (group) (c)",
        "scalar(sum(c)) - c",
        "label_replace(c, 'to', '$1', 'instance', 'etcd-(.)')",
        "max_over_time(rate(c[15s])[20s:3s])",
        "avg_over_time(c[30s:4s] offset 5s)",
        "hour() * 60 + minute()",
        "minute(c)",
        "clamp(c, 100, 500)",
        "sort_desc(c)",
    ];
    println!("seed {SEED:#x}");
    let store = ragged_store(&mut StdRng::seed_from_u64(SEED));
    let (start_ms, end_ms, step_ms) = (-15_000, 200_000, 1_700);
    let mut compared = 0;
    for semantics in [Semantics::V2_42, Semantics::V3] {
        let engine = Engine::new(semantics);
        for text in texts {
            let query = parse(text).unwrap();
            let answer = engine.range(&store, &query, start_ms, end_ms, step_ms).unwrap();
            let Value::Matrix(series) = answer.value else { panic!("{text} has no range") };
            let mut ranged: BTreeMap<(i64, Labels), u64> = BTreeMap::new();
            for series in series {
                for sample in series.samples {
                    ranged.insert((sample.t_ms, series.labels.clone()), sample.value.to_bits());
                }
            }
            let mut instants: BTreeMap<(i64, Labels), u64> = BTreeMap::new();
            for t_ms in (start_ms..=end_ms).step_by(step_ms as usize) {
                match engine.instant(&store, &query, t_ms).unwrap().value {
                    Value::Vector(elements) => instants.extend(
                        elements.into_iter().map(|e| ((e.sample.t_ms, e.labels), e.sample.value.to_bits())),
                    ),
                    other => panic!("{text} gave {other:?}"),
                }
            }
            compared += instants.len();
            assert!(!instants.is_empty(), "{text} gives nothing to compare");
            assert_eq!(ranged, instants, "{text} ({semantics:?})");
        }
    }
    println!("{compared} values compared");
}
