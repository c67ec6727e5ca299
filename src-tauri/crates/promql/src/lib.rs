//! PromQL over anything that is [`lab_metrics::Queryable`]: the panels, checks and alerts of the lab ask it the
//! questions they would ask Prometheus, and get the same numbers.
//!
//! A text becomes a [`Query`] once ([`parse`], bounded before the grammar sees it) and is then evaluated as often
//! as wanted by an [`Engine`]. Evaluation is pure: samples come from the store that is passed in, time and
//! interruption from the caller. The crate knows no etcd, no HTTP, no files and no clock.
//!
//! Two dialects exist: Prometheus 3's, where a range leaves out the sample at its left edge, and 2.42's, where it
//! is in ([`Semantics`]). Native histograms are outside: a sample is a float.

mod engine;
mod error;
mod eval;
mod functions;
mod number;
mod parse;
mod plan;
pub mod promqltest;
mod value;

pub use engine::{Engine, Interrupt, InterruptCheck, Limits, Semantics};
pub use error::EvalError;
pub use number::{format_float, format_json_float};
pub use parse::{MAX_DEPTH, MAX_OPERATORS, MAX_QUERY_BYTES, ParseError, Query, parse};
pub use plan::ValueType;
pub use value::{Answer, Value, VectorSample};
