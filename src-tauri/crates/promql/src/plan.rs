//! The tree that is evaluated. It says the same as the parser's, with everything that does not depend on data
//! decided once: durations in milliseconds, functions looked up, regular expressions compiled, which parts are
//! the same at every step.

use std::sync::Arc;

use lab_metrics::Matcher;

use crate::functions::Function;

/// The type of an expression, and of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One number a step, without labels.
    Scalar,
    /// A text.
    String,
    /// One sample a series (Prometheus: instant vector).
    Vector,
    /// A run of samples a series (Prometheus: range vector).
    Matrix,
}

impl std::fmt::Display for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        })
    }
}

/// A node with what is known of it before evaluation.
#[derive(Debug)]
pub(crate) struct Expr {
    pub kind: Kind,
    pub value_type: ValueType,
    /// Gives the same at every step, so that one evaluation serves all.
    pub invariant: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Number(f64),
    Text(Arc<str>),
    Select(Selector),
    Range(RangeSelector),
    Subquery(Box<Subquery>),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Box<Call>),
}

/// `name{matchers} offset … @ …`
#[derive(Debug)]
pub(crate) struct Selector {
    pub matchers: Vec<Matcher>,
    pub shift: Shift,
}

/// `offset` and `@`: where in time a selector or a subquery looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shift {
    pub offset_ms: i64,
    pub at: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Time(i64),
    Start,
    End,
}

#[derive(Debug)]
pub(crate) struct RangeSelector {
    pub selector: Selector,
    pub range_ms: i64,
}

#[derive(Debug)]
pub(crate) struct Subquery {
    pub expr: Expr,
    pub range_ms: i64,
    /// None: the engine's default.
    pub step_ms: Option<i64>,
    pub shift: Shift,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub op: Operator,
    pub lhs: Expr,
    pub rhs: Expr,
    pub matching: Matching,
    pub returns_bool: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    And,
    Or,
    Unless,
}

impl Operator {
    pub fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Gt | Self::Lt | Self::Ge | Self::Le)
    }

    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// How elements of two vectors find each other.
#[derive(Debug)]
pub(crate) struct Matching {
    pub cardinality: Cardinality,
    /// True: `on (labels)`; false: `ignoring (labels)`.
    pub on: bool,
    pub labels: Vec<String>,
    /// Labels that `group_left`/`group_right` take over from the "one" side.
    pub include: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cardinality {
    OneToOne,
    ManyToOne,
    OneToMany,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub op: Aggregator,
    pub expr: Expr,
    pub param: Option<Expr>,
    pub grouping: Grouping,
}

/// `by (…)` or `without (…)`.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub without: bool,
    pub labels: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregator {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    TopK,
    BottomK,
    LimitK,
    Quantile,
    CountValues,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub name: &'static str,
    pub function: Function,
    pub args: Vec<Expr>,
}
