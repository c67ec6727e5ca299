//! What can go wrong while a query is evaluated, in Prometheus' categories.

/// Why an evaluation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The request itself makes no sense: a step of zero, an end before its start, a time out of bounds.
    #[error("{0}")]
    BadRequest(String),
    /// More points a series than a range query may ask for.
    #[error(
        "exceeded maximum resolution of {limit} points per timeseries. Try decreasing the query resolution (?step=XX)"
    )]
    TooManyPoints {
        /// The bound that was passed.
        limit: usize,
    },
    /// More samples in memory at once than a query may hold.
    #[error("query processing would load more than {limit} samples into memory in query execution")]
    TooManySamples {
        /// The bound that was passed.
        limit: usize,
    },
    /// More series in the answer than a caller is given.
    #[error("the answer has {found} series, more than the {limit} that are given out")]
    TooManySeries {
        /// The bound that was passed.
        limit: usize,
        /// How many there would have been.
        found: usize,
    },
    /// The caller's deadline passed.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// The caller gave up.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// Two elements of one vector have the same labels, so that neither could be told by them.
    #[error("vector cannot contain metrics with the same labelset")]
    DuplicateLabels,
    /// A match group has more than one element where one is needed.
    #[error(
        "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{first}, \
         {second}];many-to-many matching not allowed: matching labels must be unique on one side"
    )]
    ManyToMany {
        /// Labels of the match group.
        group: String,
        /// `left` or `right`.
        side: &'static str,
        /// One of the two elements.
        first: String,
        /// The other.
        second: String,
    },
    /// Several elements met one without `group_left` or `group_right`.
    #[error("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")]
    ImplicitManyToOne,
    /// `group_left` or `group_right` made two results with equal labels.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    AmbiguousGrouping,
    /// An argument has a value that its function or operator does not take.
    #[error("{0}")]
    Argument(String),
    /// A contract inside the evaluator was broken; a mistake of ours.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl EvalError {
    /// Prometheus' `errorType` for this error, as its HTTP API reports it.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::BadRequest(_) | Self::TooManyPoints { .. } => "bad_data",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Internal(_) => "internal",
            _ => "execution",
        }
    }
}
