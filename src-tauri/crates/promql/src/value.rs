//! Answers, and their JSON: the `data` object of Prometheus' HTTP API.

use lab_metrics::{Labels, Sample, SeriesData};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};

use crate::number::format_json_float;
use crate::plan::ValueType;

/// What a query came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result. Serialises to Prometheus' `{"resultType": …, "result": …}`.
    pub value: Value,
    /// What the person who asked should know, without the answer being wrong.
    pub warnings: Vec<String>,
}

/// A result of one of PromQL's types. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(Sample),
    /// One text.
    String {
        /// When it was evaluated.
        t_ms: i64,
        /// The text.
        text: String,
    },
    /// One sample a series, in the order the expression gives (`sort`, `topk`).
    Vector(Vec<VectorSample>),
    /// Samples over time; after a range query in order of labels.
    Matrix(Vec<SeriesData>),
}

/// An element of a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// The element's identity.
    pub labels: Labels,
    /// Its value at the time of evaluation.
    pub sample: Sample,
}

impl Value {
    /// The type of this value.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Scalar(_) => ValueType::Scalar,
            Self::String { .. } => ValueType::String,
            Self::Vector(_) => ValueType::Vector,
            Self::Matrix(_) => ValueType::Matrix,
        }
    }

    /// Number of series; 1 for a scalar or a string.
    pub fn series_count(&self) -> usize {
        match self {
            Self::Scalar(_) | Self::String { .. } => 1,
            Self::Vector(elements) => elements.len(),
            Self::Matrix(series) => series.len(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Data", 2)?;
        match self {
            Self::Scalar(sample) => {
                data.serialize_field("resultType", "scalar")?;
                data.serialize_field("result", &Point(sample))?;
            }
            Self::String { t_ms, text } => {
                data.serialize_field("resultType", "string")?;
                data.serialize_field("result", &(Seconds(*t_ms), text))?;
            }
            Self::Vector(elements) => {
                data.serialize_field("resultType", "vector")?;
                data.serialize_field("result", &List(elements, Element))?;
            }
            Self::Matrix(series) => {
                data.serialize_field("resultType", "matrix")?;
                data.serialize_field("result", &List(series, Series))?;
            }
        }
        data.end()
    }
}

/// A sequence whose items are serialised through a wrapper of their own.
struct List<'a, T, W>(&'a [T], fn(&'a T) -> W);

impl<'a, T, W: Serialize> Serialize for List<'a, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&(self.1)(item))?;
        }
        list.end()
    }
}

struct Element<'a>(&'a VectorSample);

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut element = serializer.serialize_struct("Element", 2)?;
        element.serialize_field("metric", &Metric(&self.0.labels))?;
        element.serialize_field("value", &Point(&self.0.sample))?;
        element.end()
    }
}

struct Series<'a>(&'a SeriesData);

impl Serialize for Series<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut series = serializer.serialize_struct("Series", 2)?;
        series.serialize_field("metric", &Metric(&self.0.labels))?;
        series.serialize_field("values", &List(&self.0.samples, Point))?;
        series.end()
    }
}

struct Metric<'a>(&'a Labels);

impl Serialize for Metric<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut metric = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            metric.serialize_entry(name, value)?;
        }
        metric.end()
    }
}

struct Point<'a>(&'a Sample);

impl Serialize for Point<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&Seconds(self.0.t_ms))?;
        pair.serialize_element(&format_json_float(self.0.value))?;
        pair.end()
    }
}

/// A time in seconds: a whole number where it is one, as Prometheus writes it.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            serializer.serialize_i64(self.0 / 1000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1000.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn every_type_has_prometheus_json_shape() {
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "etcd")]);
        let sample = Sample { t_ms: 1_500, value: 1e-7 };
        assert_eq!(json(&Value::Scalar(sample)), r#"{"resultType":"scalar","result":[1.5,"1e-7"]}"#);
        assert_eq!(
            json(&Value::String { t_ms: 2_000, text: "a\"b".into() }),
            r#"{"resultType":"string","result":[2,"a\"b"]}"#
        );
        assert_eq!(
            json(&Value::Vector(vec![VectorSample { labels: labels.clone(), sample }])),
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"etcd"},"value":[1.5,"1e-7"]}]}"#
        );
        assert_eq!(
            json(&Value::Matrix(vec![SeriesData {
                labels,
                samples: vec![sample, Sample { t_ms: 3_000, value: f64::NAN }]
            }])),
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"etcd"},"values":[[1.5,"1e-7"],[3,"NaN"]]}]}"#
        );
    }
}
