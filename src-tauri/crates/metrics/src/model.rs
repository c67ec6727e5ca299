//! What a time series is: labels, samples, matchers, and the narrow interface through which anything that
//! evaluates reads them. Knows nothing of how samples are stored or where they came from.

use std::sync::Arc;

/// Name of the label that holds a series' metric name.
pub const METRIC_NAME: &str = "__name__";

/// The exact bit pattern of Prometheus' staleness marker, a NaN that no exposition can contain
/// (Prometheus, `model/value/value.go`).
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether `value` is the staleness marker: bits, not NaN-ness, decide.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// The staleness marker.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// A series' identity: label names and values, sorted by name, no name twice, no empty value.
/// Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Sorts the pairs, drops those with an empty value (in Prometheus an empty label is an absent one), and
    /// of a name given twice keeps the last.
    pub fn from_pairs<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(Arc<str>, Arc<str>)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut unique: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match unique.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                _ => unique.push(pair),
            }
        }
        unique.retain(|(_, value)| !value.is_empty());
        Self(unique.into())
    }

    /// The value of `name`, or `""` when the label is absent, as Prometheus' matchers see it.
    pub fn get(&self, name: &str) -> &str {
        self.0.binary_search_by(|(n, _)| (**n).cmp(name)).map_or("", |at| &self.0[at].1)
    }

    /// The metric name, or `""`.
    pub fn metric(&self) -> &str {
        self.get(METRIC_NAME)
    }

    /// Pairs in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Number of labels, the metric name included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same labels less those for which `keep` says no.
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
    }

    /// The pairs as they are shared.
    pub(crate) fn shared(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }

    /// The same pairs, each replaced by an equal one that is shared with other series.
    pub(crate) fn map_shared(&self, share: impl Fn(&Arc<str>, &Arc<str>) -> (Arc<str>, Arc<str>)) -> Self {
        Self(self.0.iter().map(|(name, value)| share(name, value)).collect())
    }

    /// The same labels with `name` set to `value`; an empty value removes the label.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(n, _)| &**n != name).cloned();
        Self::from_pairs(others.chain([(Arc::from(name), Arc::from(value))]))
    }
}

/// One measured value. Times are milliseconds since the Unix epoch, as in Prometheus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the Unix epoch.
    pub t_ms: i64,
    /// The value; may be the staleness marker ([`is_stale`]).
    pub value: f64,
}

/// A series and its samples in order of time, staleness markers included.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesData {
    /// The series' identity.
    pub labels: Labels,
    /// Samples, strictly ascending in time.
    pub samples: Vec<Sample>,
}

/// How a [`Matcher`] compares.
#[derive(Clone, Debug)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends.
    Regex(Box<regex::Regex>),
    /// `!~`, anchored at both ends.
    NotRegex(Box<regex::Regex>),
}

/// One condition on one label.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Label name.
    pub name: String,
    /// Comparison.
    pub op: MatchOp,
    /// Value as written (for regular expressions: their source, without the anchors).
    pub value: String,
}

impl Matcher {
    /// `name="value"`.
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into() }
    }

    /// `name!="value"`.
    pub fn not_equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: MatchOp::NotEqual, value: value.into() }
    }

    /// `name=~"source"`, anchored as Prometheus anchors it.
    ///
    /// # Errors
    /// When `source` is not a regular expression, or compiles to more than 1 MiB.
    pub fn regex(name: impl Into<String>, source: &str) -> Result<Self, regex::Error> {
        Ok(Self { name: name.into(), op: MatchOp::Regex(Box::new(anchored(source)?)), value: source.into() })
    }

    /// `name!~"source"`, anchored as Prometheus anchors it.
    ///
    /// # Errors
    /// When `source` is not a regular expression, or compiles to more than 1 MiB.
    pub fn not_regex(name: impl Into<String>, source: &str) -> Result<Self, regex::Error> {
        Ok(Self {
            name: name.into(),
            op: MatchOp::NotRegex(Box::new(anchored(source)?)),
            value: source.into(),
        })
    }

    /// Whether a label with this value (`""` when absent) meets the condition.
    pub fn matches(&self, value: &str) -> bool {
        match &self.op {
            MatchOp::Equal => self.value == value,
            MatchOp::NotEqual => self.value != value,
            MatchOp::Regex(regex) => regex.is_match(value),
            MatchOp::NotRegex(regex) => !regex.is_match(value),
        }
    }
}

fn anchored(source: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?s:{source})$")).size_limit(1 << 20).build()
}

/// Read access to time series: all that an evaluator needs to know of a store.
pub trait Queryable: Send + Sync {
    /// Every series that meets all `matchers` and has a sample in `start_ms..=end_ms`, with just those samples.
    /// In order of labels.
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<SeriesData>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_unique_and_never_empty() {
        let labels = Labels::from_pairs([("b", "2"), ("a", "1"), ("b", "3"), ("c", "")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
        assert_eq!(labels.get("c"), "");
        assert_eq!(labels.with("a", "").iter().collect::<Vec<_>>(), [("b", "3")]);
    }

    #[test]
    fn regular_expressions_are_anchored() {
        let matcher = Matcher::regex("l", "a|b").unwrap();
        assert!(matcher.matches("a") && matcher.matches("b"));
        assert!(!matcher.matches("ab") && !matcher.matches(""));
    }

    #[test]
    fn only_one_nan_is_the_staleness_marker() {
        assert!(is_stale(stale_marker()));
        assert!(!is_stale(f64::NAN));
    }
}
