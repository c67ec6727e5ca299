//! Prometheus' own conformance scripts (`.test`), run against this evaluator: `load` series, `eval` expressions,
//! compare with what the script expects. As Prometheus' runner does it, every instant expression is evaluated as a
//! range query too, and once more at other times with its selectors held in place by `@`.
//!
//! What scripts ask about native histograms is skipped and said to be; there are none here.

mod compare;
mod pin;
mod run;
mod script;
mod series;
mod store;

use crate::engine::Semantics;

pub use store::MemoryStore;

/// What became of a script's expectations. An `eval` counts once, however often it was evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptReport {
    /// Evaluations that gave what was expected.
    pub passed: usize,
    /// Evaluations that did not, and lines that could not be understood.
    pub failed: usize,
    /// Evaluations that are outside of what this evaluator offers.
    pub skipped: usize,
    /// One entry for each that failed.
    pub failures: Vec<Remark>,
    /// One entry for each that was skipped.
    pub skips: Vec<Remark>,
}

/// A place in a script and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Line in the script, counted from 1.
    pub line: usize,
    /// The line's expression or text.
    pub text: String,
    /// What was expected and what came, or why it was skipped.
    pub reason: String,
}

/// Runs the script `text` in the dialect `semantics`. A line that cannot be understood is a failure, and the script
/// goes on after it.
pub fn run_script(text: &str, semantics: Semantics) -> ScriptReport {
    run::run(text, semantics)
}
