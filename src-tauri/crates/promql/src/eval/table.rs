//! What expressions come to on a grid: rows of values, one a series, one value a step.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use lab_metrics::{Labels, METRIC_NAME, is_stale};

use crate::error::EvalError;

/// Stands where a row has no value at a step. It is the staleness marker: selectors let none through, and no
/// arithmetic makes one, for it is a signalling NaN and arithmetic makes quiet ones.
pub(crate) const ABSENT: f64 = f64::from_bits(lab_metrics::STALE_NAN_BITS);

pub(crate) fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// One series on the grid.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub labels: Labels,
    /// One a step, [`ABSENT`] where there is none.
    pub values: Vec<f64>,
}

impl Row {
    pub fn empty(labels: Labels, steps: usize) -> Self {
        Self { labels, values: vec![ABSENT; steps] }
    }

    pub fn has_values(&self) -> bool {
        self.values.iter().any(|v| !is_absent(*v))
    }
}

/// The value of an expression on a grid.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    /// One value a step, never absent.
    Scalar(Vec<f64>),
    Vector(Vec<Row>),
    Text(Arc<str>),
}

impl Cells {
    /// How many values are held.
    pub fn len(&self) -> usize {
        match self {
            Self::Scalar(values) => values.len(),
            Self::Vector(rows) => rows.iter().map(|row| row.values.len()).sum(),
            Self::Text(_) => 0,
        }
    }

    /// The first step's values at each of `steps` steps.
    pub fn repeated(self, steps: usize) -> Self {
        let repeat = |values: Vec<f64>| match values.first() {
            Some(value) => vec![*value; steps],
            None => Vec::new(),
        };
        match self {
            Self::Scalar(values) => Self::Scalar(repeat(values)),
            Self::Vector(rows) => Self::Vector(
                rows.into_iter().map(|row| Row { labels: row.labels, values: repeat(row.values) }).collect(),
            ),
            Self::Text(text) => Self::Text(text),
        }
    }

    pub fn scalar(self) -> Result<Vec<f64>, EvalError> {
        match self {
            Self::Scalar(values) => Ok(values),
            _ => Err(EvalError::Internal("a scalar was expected")),
        }
    }

    pub fn vector(self) -> Result<Vec<Row>, EvalError> {
        match self {
            Self::Vector(rows) => Ok(rows),
            _ => Err(EvalError::Internal("a vector was expected")),
        }
    }

    pub fn text(&self) -> Result<&str, EvalError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(EvalError::Internal("a string was expected")),
        }
    }
}

/// Brings rows with equal labels together, as happens when a label that told them apart was dropped.
///
/// # Errors
/// [`EvalError::DuplicateLabels`] when two of them have a value at the same step.
pub(crate) fn merged(rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    if rows.len() < 2 {
        return Ok(rows);
    }
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut unique: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.entry(row.labels.clone()) {
            Entry::Vacant(place) => {
                place.insert(unique.len());
                unique.push(row);
            }
            Entry::Occupied(place) => {
                let into = &mut unique[*place.get()].values;
                for (into, value) in into.iter_mut().zip(row.values).filter(|(_, value)| !is_absent(*value)) {
                    if !is_absent(*into) {
                        return Err(EvalError::DuplicateLabels);
                    }
                    *into = value;
                }
            }
        }
    }
    Ok(unique)
}

/// Labels without the metric name.
pub(crate) fn without_name(labels: &Labels) -> Labels {
    if labels.metric().is_empty() { labels.clone() } else { labels.filtered(|name| name != METRIC_NAME) }
}

/// Drops the metric name of every row.
///
/// # Errors
/// As [`merged`].
pub(crate) fn without_names(mut rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    for row in &mut rows {
        row.labels = without_name(&row.labels);
    }
    merged(rows)
}

/// Labels as they are written in an expression, for messages.
pub(crate) fn display(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != METRIC_NAME)
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if pairs.is_empty() && !labels.metric().is_empty() {
        return labels.metric().to_owned();
    }
    format!("{}{{{}}}", labels.metric(), pairs.join(", "))
}
