//! An answer from either side, the lab's evaluator or a Prometheus, in one form, and when two of them are equal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use lab_metrics::{Labels, Sample};
use lab_promql::Value;
use serde_json::Value as Json;

/// Largest difference in relation to the larger of two values.
const TOLERANCE: f64 = 1e-9;

/// A series' labels, and its values by time in milliseconds.
pub type Series = BTreeMap<BTreeMap<String, String>, BTreeMap<i64, f64>>;

/// From the lab's evaluator; `None` of a text.
pub fn ours(value: Value) -> Option<Series> {
    let labels = |labels: &Labels| labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let one = |sample: Sample| BTreeMap::from([(sample.t_ms, sample.value)]);
    Some(match value {
        Value::Scalar(sample) => Series::from([(BTreeMap::new(), one(sample))]),
        Value::Vector(elements) => elements.iter().map(|e| (labels(&e.labels), one(e.sample))).collect(),
        Value::Matrix(series) => series
            .iter()
            .map(|s| (labels(&s.labels), s.samples.iter().map(|s| (s.t_ms, s.value)).collect()))
            .collect(),
        Value::String { .. } => return None,
    })
}

/// From the `data` of Prometheus' HTTP API; `None` of a text, and of what has another shape.
pub fn theirs(data: &Json) -> Option<Series> {
    let point = |pair: &Json| {
        let t_ms = (pair[0].as_f64()? * 1000.0).round() as i64;
        Some((t_ms, pair[1].as_str()?.parse::<f64>().ok()?))
    };
    match data["resultType"].as_str()? {
        "scalar" => Some(Series::from([(BTreeMap::new(), [point(&data["result"])?].into())])),
        "vector" | "matrix" => {
            let series = data["result"].as_array()?.iter().map(|series| {
                let labels = serde_json::from_value(series["metric"].clone()).ok()?;
                let points = match (series.get("value"), series.get("values")) {
                    (Some(value), _) => [point(value)?].into(),
                    (None, Some(values)) => values.as_array()?.iter().map(point).collect::<Option<_>>()?,
                    // Native histograms alone, which no panel here draws.
                    (None, None) => BTreeMap::new(),
                };
                Some((labels, points))
            });
            series.collect()
        }
        _ => None,
    }
}

/// Points in an answer.
pub fn points(answer: &Series) -> usize {
    answer.values().map(BTreeMap::len).sum()
}

/// Where two answers differ, a line each: labels, time, both values. Empty when they are equal.
pub fn differences(ours: &Series, theirs: &Series) -> String {
    let mut found = String::new();
    let none = BTreeMap::new();
    let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for labels in all {
        let (our_points, their_points) =
            (ours.get(labels).unwrap_or(&none), theirs.get(labels).unwrap_or(&none));
        let times: BTreeSet<_> = our_points.keys().chain(their_points.keys()).collect();
        for t_ms in times {
            let (our, their) = (our_points.get(t_ms), their_points.get(t_ms));
            if !our.zip(their).is_some_and(|(our, their)| equal(*our, *their)) {
                let (our, their) = (told(our), told(their));
                // A text takes whatever is written to it.
                let _ = writeln!(found, "  {labels:?} at {t_ms}: ours {our}, Prometheus' {their}");
            }
        }
    }
    found
}

fn told(value: Option<&f64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), f64::to_string)
}

fn equal(a: f64, b: f64) -> bool {
    if !a.is_finite() || !b.is_finite() {
        return a == b || (a.is_nan() && b.is_nan());
    }
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_strict_but_for_the_last_digits() {
        for (a, b) in [(1.0, 1.0 + 1e-10), (f64::NAN, f64::NAN), (f64::INFINITY, f64::INFINITY), (0.0, -0.0)]
        {
            assert!(equal(a, b), "{a} {b}");
        }
        let (infinity, least) = (f64::INFINITY, f64::NEG_INFINITY);
        for (a, b) in
            [(1.0, 1.0 + 1e-8), (0.0, 1e-300), (f64::NAN, 0.0), (infinity, least), (infinity, f64::MAX)]
        {
            assert!(!equal(a, b), "{a} {b}");
        }
        let with = |t_ms, value| Series::from([(BTreeMap::new(), BTreeMap::from([(t_ms, value)]))]);
        assert_eq!(differences(&with(1, 2.0), &with(1, 2.0)), "");
        assert_eq!(differences(&with(1, 2.0), &with(2, 2.0)).lines().count(), 2);
        assert_eq!(differences(&with(1, 2.0), &Series::new()).lines().count(), 1);
    }

    #[test]
    fn answers_of_a_prometheus_are_read_and_others_are_not() {
        let read = |text: &str| theirs(&serde_json::from_str(text).unwrap());
        let matrix =
            r#"{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1.5,"2"],[2,"NaN"]]}]}"#;
        assert_eq!(points(&read(matrix).unwrap()), 2);
        assert_eq!(points(&read(r#"{"resultType":"scalar","result":[1,"+Inf"]}"#).unwrap()), 1);
        assert_eq!(read(r#"{"resultType":"vector","result":[]}"#), Some(Series::new()));
        for odd in [
            r#"{"resultType":"string","result":[1,"a"]}"#,
            r#"{"resultType":"matrix","result":7}"#,
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}"#,
            "[]",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
