//! An answer from either side in one form, and when two of them are equal.

use std::collections::BTreeMap;
use std::fmt::Write;

use lab_metrics::{Labels, Sample};
use lab_promql::Value;
use serde_json::Value as Json;

/// Largest difference in relation to the larger of two values.
const TOLERANCE: f64 = 1e-9;

/// A series' labels, and its values by time in milliseconds.
pub type Series = BTreeMap<BTreeMap<String, String>, BTreeMap<i64, f64>>;

/// From our evaluator.
pub fn ours(value: Value) -> Series {
    let labels = |labels: &Labels| labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let one = |sample: Sample| BTreeMap::from([(sample.t_ms, sample.value)]);
    match value {
        Value::Scalar(sample) => Series::from([(BTreeMap::new(), one(sample))]),
        Value::Vector(elements) => elements.iter().map(|e| (labels(&e.labels), one(e.sample))).collect(),
        Value::Matrix(series) => series
            .iter()
            .map(|s| (labels(&s.labels), s.samples.iter().map(|s| (s.t_ms, s.value)).collect()))
            .collect(),
        Value::String { text, .. } => panic!("no panel shows the text {text:?}"),
    }
}

/// From the `data` of Prometheus' HTTP API.
pub fn theirs(data: &Json) -> Series {
    let point = |pair: &Json| {
        let t_ms = (pair[0].as_f64().unwrap() * 1000.0).round() as i64;
        (t_ms, pair[1].as_str().unwrap().parse::<f64>().unwrap())
    };
    if data["resultType"] == "scalar" {
        return Series::from([(BTreeMap::new(), BTreeMap::from([point(&data["result"])]))]);
    }
    let series = data["result"].as_array().unwrap().iter().map(|series| {
        let labels = serde_json::from_value(series["metric"].clone()).unwrap();
        let points = match series.get("value") {
            Some(value) => BTreeMap::from([point(value)]),
            None => series["values"].as_array().unwrap().iter().map(point).collect(),
        };
        (labels, points)
    });
    series.collect()
}

/// Points in an answer.
pub fn points(answer: &Series) -> usize {
    answer.values().map(BTreeMap::len).sum()
}

/// Where two answers differ, a line each: labels, time, both values. Empty when they are equal.
pub fn differences(ours: &Series, theirs: &Series) -> String {
    let mut found = String::new();
    let none = BTreeMap::new();
    let mut all: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    all.sort();
    all.dedup();
    for labels in all {
        let (our_points, their_points) =
            (ours.get(labels).unwrap_or(&none), theirs.get(labels).unwrap_or(&none));
        let mut times: Vec<_> = our_points.keys().chain(their_points.keys()).collect();
        times.sort();
        times.dedup();
        for t_ms in times {
            let (our, their) = (our_points.get(t_ms), their_points.get(t_ms));
            if !our.zip(their).is_some_and(|(our, their)| equal(*our, *their)) {
                writeln!(found, "  {labels:?} at {t_ms}: ours {our:?}, Prometheus' {their:?}").unwrap();
            }
        }
    }
    found
}

fn equal(a: f64, b: f64) -> bool {
    if !a.is_finite() || !b.is_finite() {
        return a == b || (a.is_nan() && b.is_nan());
    }
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

#[test]
fn equality_is_strict_but_for_the_last_digits() {
    for (a, b) in [(1.0, 1.0 + 1e-10), (f64::NAN, f64::NAN), (f64::INFINITY, f64::INFINITY), (0.0, -0.0)] {
        assert!(equal(a, b), "{a} {b}");
    }
    for (a, b) in [(1.0, 1.0 + 1e-8), (0.0, 1e-300), (f64::NAN, 0.0), (f64::INFINITY, f64::NEG_INFINITY)] {
        assert!(!equal(a, b), "{a} {b}");
    }
    assert!(!equal(f64::INFINITY, f64::MAX));
    let with = |t_ms, value| Series::from([(BTreeMap::new(), BTreeMap::from([(t_ms, value)]))]);
    assert_eq!(differences(&with(1, 2.0), &with(1, 2.0)), "");
    assert_eq!(differences(&with(1, 2.0), &with(2, 2.0)).lines().count(), 2);
    assert_eq!(differences(&with(1, 2.0), &Series::new()).lines().count(), 1);
}
