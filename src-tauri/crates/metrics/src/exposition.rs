//! Prometheus' text exposition format, version 0.0.4: what a member answers at `/metrics`.
//!
//! A plain pass over the lines that borrows from the body and allocates only for labels that hold escapes.
//! A sample's labels are taken apart on demand, so a scraper that has met a series before pays for finding
//! where its text ends, and for its value. What is accepted and refused follows Prometheus' own lexer
//! (`model/textparse/promlex.l`). Refuses to know where the text came from and what is done with it.

mod error;
mod series;

pub use error::{ParseError, ParseErrorKind};
pub use series::LabelPairs;

use std::borrow::Cow;

use memchr::memchr;

/// Bounds on what one exposition may ask of us. A line or label beyond them is an error, never truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, in bytes.
    pub line_bytes: usize,
    /// Most labels of one sample, the metric name not counted.
    pub labels: usize,
    /// Longest metric or label name, in bytes.
    pub name_bytes: usize,
    /// Longest label value, in bytes.
    pub value_bytes: usize,
}

impl Default for Limits {
    /// Far above anything etcd exposes (11 labels, 130 byte values), far below what hurts.
    fn default() -> Self {
        Self { line_bytes: 64 << 10, labels: 64, name_bytes: 512, value_bytes: 16 << 10 }
    }
}

/// What a `# TYPE` line declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// Only ever rises, except at a restart.
    Counter,
    /// Rises and falls.
    Gauge,
    /// `_bucket`, `_sum` and `_count`.
    Histogram,
    /// Quantiles computed by the exposer.
    Summary,
    /// `untyped`; Prometheus' API calls it `unknown`.
    #[serde(rename = "unknown")]
    Untyped,
}

/// One line that says something; empty lines and plain comments are passed over.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A sample.
    Sample(SampleLine<'a>),
    /// `# TYPE metric kind`
    Type {
        /// The metric family.
        metric: &'a str,
        /// Its declared kind.
        kind: MetricKind,
    },
    /// `# HELP metric text`
    Help {
        /// The metric family.
        metric: &'a str,
        /// The text, escapes resolved.
        help: Cow<'a, str>,
    },
}

/// A sample as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleLine<'a> {
    /// The series as written, metric name and labels: equal text means an equal series, so it serves as a key.
    pub series: &'a str,
    /// The value. Any NaN is the one positive quiet NaN: a staleness marker can't be smuggled in.
    pub value: f64,
    /// Milliseconds since the Unix epoch, where the line has a timestamp.
    pub timestamp_ms: Option<i64>,
    /// Line number, from 1.
    pub line: usize,
    brace: Option<usize>,
    limits: Limits,
}

impl<'a> SampleLine<'a> {
    /// The metric name.
    pub fn metric(&self) -> &'a str {
        self.brace.map_or(self.series, |at| self.series[..at].trim_end_matches(BLANK))
    }

    /// The labels in the order written, the metric name not among them.
    ///
    /// # Errors
    /// When the text between the braces is not a list of labels, a label is given twice, or a limit is passed.
    pub fn labels(&self) -> Result<LabelPairs<'a>, ParseError> {
        let Some(brace) = self.brace else { return Ok(LabelPairs::default()) };
        let inside = &self.series[brace + 1..self.series.len() - 1];
        series::parse_labels(inside, &self.limits).map_err(|kind| ParseError { line: self.line, kind })
    }
}

/// Parses `text` with the default [`Limits`].
pub fn parse(text: &str) -> Parser<'_> {
    Parser::new(text, Limits::default())
}

/// Iterator over the [`Entry`]s of an exposition. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    rest: &'a str,
    line: usize,
    limits: Limits,
}

const BLANK: [char; 2] = [' ', '\t'];

impl<'a> Parser<'a> {
    /// A parser over `text`. Cheap: all work happens in [`Iterator::next`].
    pub fn new(text: &'a str, limits: Limits) -> Self {
        Self { rest: text, line: 0, limits }
    }

    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.rest.as_bytes()) {
            Some(at) => (&self.rest[..at], &self.rest[at + 1..]),
            None => (self.rest, ""),
        };
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn entry(&self, line: &'a str) -> Result<Option<Entry<'a>>, ParseErrorKind> {
        if line.len() > self.limits.line_bytes {
            return Err(ParseErrorKind::LineTooLong { limit: self.limits.line_bytes });
        }
        let line = line.trim_start_matches(BLANK);
        match line.as_bytes().first() {
            None => Ok(None),
            Some(b'#') => self.comment(&line[1..]),
            Some(_) => self.sample(line).map(|sample| Some(Entry::Sample(sample))),
        }
    }

    /// What follows a `#`. Only a blank, then the word TYPE or HELP, then a blank make it more than a comment.
    fn comment(&self, text: &'a str) -> Result<Option<Entry<'a>>, ParseErrorKind> {
        let word_and_rest = text.trim_start_matches(BLANK);
        if word_and_rest.len() == text.len() {
            return Ok(None);
        }
        let Some((word, rest)) = word_and_rest.split_once(BLANK) else { return Ok(None) };
        if word != "TYPE" && word != "HELP" {
            return Ok(None);
        }
        let rest = rest.trim_start_matches(BLANK);
        let (metric, text) = rest.split_at(series::metric_name_len(rest));
        if metric.is_empty() || !(text.is_empty() || text.starts_with(BLANK)) {
            return Err(ParseErrorKind::ExpectedMetricName);
        }
        if metric.len() > self.limits.name_bytes {
            return Err(ParseErrorKind::NameTooLong { limit: self.limits.name_bytes });
        }
        let text = text.trim_start_matches(BLANK);
        if word == "HELP" {
            return Ok(Some(Entry::Help { metric, help: series::unescape(text, false) }));
        }
        let kind = match text.trim_end_matches(BLANK) {
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "summary" => MetricKind::Summary,
            "untyped" => MetricKind::Untyped,
            _ => return Err(ParseErrorKind::UnknownType),
        };
        Ok(Some(Entry::Type { metric, kind }))
    }

    fn sample(&self, line: &'a str) -> Result<SampleLine<'a>, ParseErrorKind> {
        let bounds = series::bounds(line)?;
        let name_len = bounds.name_len;
        if name_len > self.limits.name_bytes {
            return Err(ParseErrorKind::NameTooLong { limit: self.limits.name_bytes });
        }
        let (series, rest) = line.split_at(bounds.series_len);
        let rest = rest.trim_start_matches(BLANK);
        if rest.is_empty() {
            return Err(ParseErrorKind::ExpectedValue);
        }
        let (value, rest) = rest.split_at(rest.find(BLANK).unwrap_or(rest.len()));
        let value = parse_value(value)?;
        let timestamp = rest.trim_matches(BLANK);
        let timestamp_ms = match timestamp {
            "" => None,
            digits => Some(digits.parse().map_err(|_| ParseErrorKind::BadTimestamp)?),
        };
        Ok(SampleLine {
            series,
            value,
            timestamp_ms,
            line: self.line,
            brace: bounds.brace,
            limits: self.limits,
        })
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Entry<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.next_line()?;
            match self.entry(line) {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(kind) => {
                    self.rest = "";
                    return Some(Err(ParseError { line: self.line, kind }));
                }
            }
        }
    }
}

/// Decimal floats, `Inf` and `NaN` in any case, as Go's `strconv.ParseFloat` reads them. Its hexadecimal and
/// underscore forms are refused by Prometheus too.
fn parse_value(text: &str) -> Result<f64, ParseErrorKind> {
    match text.parse::<f64>() {
        Ok(value) if value.is_nan() => Ok(f64::NAN),
        // Go calls a number that overflows out of range; Rust rounds it to infinity.
        Ok(value) if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => {
            Err(ParseErrorKind::BadValue)
        }
        Ok(value) => Ok(value),
        Err(_) => Err(ParseErrorKind::BadValue),
    }
}

#[cfg(test)]
mod tests;
