//! Why a text is not an exposition.

/// The first thing wrong with an exposition, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ParseError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Neither a sample nor a comment.
    #[error("expected a metric name")]
    ExpectedMetricName,
    /// A label name must start with a letter or an underscore.
    #[error("expected a label name")]
    ExpectedLabelName,
    /// A label's name is followed by `=`.
    #[error("expected = after a label name")]
    ExpectedEquals,
    /// A label's value stands in double quotes that close on the same line.
    #[error("expected a label value in double quotes")]
    ExpectedLabelValue,
    /// Labels are separated by commas.
    #[error("expected a comma or }} after a label")]
    ExpectedComma,
    /// The braces do not close on the line.
    #[error("the labels' braces do not close")]
    UnclosedLabels,
    /// A label name occurs twice in one sample.
    #[error("a label is given twice")]
    DuplicateLabel,
    /// A series without a value.
    #[error("expected a value after the series")]
    ExpectedValue,
    /// Not a float.
    #[error("the value is not a number")]
    BadValue,
    /// Not an integer of milliseconds, or followed by more.
    #[error("the timestamp is not an integer of milliseconds")]
    BadTimestamp,
    /// None of counter, gauge, histogram, summary, untyped.
    #[error("unknown metric type")]
    UnknownType,
    /// [`Limits::line_bytes`](super::Limits).
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// [`Limits::labels`](super::Limits).
    #[error("more than {limit} labels")]
    TooManyLabels {
        /// The limit that was passed.
        limit: usize,
    },
    /// [`Limits::name_bytes`](super::Limits).
    #[error("a name is longer than {limit} bytes")]
    NameTooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// [`Limits::value_bytes`](super::Limits).
    #[error("a label value is longer than {limit} bytes")]
    ValueTooLong {
        /// The limit that was passed.
        limit: usize,
    },
}
