//! What came of a play: the summary at its end, in words or as JSON.

use lab::api::{CheckView, Problem};
use serde::Serialize;

use super::panels::QueryReport;
use crate::say;

/// All scenarios that were played.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In the order they were played.
    pub scenarios: Vec<ScenarioReport>,
    /// Whether every step of every scenario was met.
    pub passed: bool,
}

/// A scenario that was played.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Seconds it took.
    pub seconds: u64,
    /// Steps it has from where it was begun.
    pub steps_wanted: usize,
    /// Steps that were played.
    pub steps: Vec<StepReport>,
}

/// A step that was played.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Its id.
    pub id: String,
    /// The claim it teaches.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds it took, with its stage.
    pub seconds: u64,
    /// Its checks, as they stood at the end.
    pub checks: Vec<CheckView>,
    /// What the queries of the panels showed that it tells to look at; none of a step that could not go on.
    pub panels: Vec<QueryReport>,
    /// Why it could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// All its checks were met.
    Met,
    /// They weren't, in time.
    Missed,
    /// It could not go on.
    Broken,
}

impl Outcome {
    /// A letter for it.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Met => "✓",
            Self::Missed | Self::Broken => "✗",
        }
    }
}

impl Report {
    /// Whether all was met.
    pub fn sum_up(&mut self) {
        self.passed = self.scenarios.iter().all(|scenario| {
            scenario.steps.len() == scenario.steps_wanted
                && scenario.steps.iter().all(|step| step.outcome == Outcome::Met)
        });
    }

    /// In words; of what was not met, with the reason.
    pub fn say(&self) {
        say::line("");
        for scenario in &self.scenarios {
            let met = scenario.steps.iter().filter(|step| step.outcome == Outcome::Met).count();
            say::line(format_args!(
                "{}: {met} of {} steps met, {} s.",
                scenario.title, scenario.steps_wanted, scenario.seconds
            ));
            for step in &scenario.steps {
                say::line(format_args!("  {} {}", step.outcome.mark(), step.title));
                if step.outcome == Outcome::Missed {
                    let missed = step.checks.iter().filter(|check| !check.met);
                    missed.for_each(|check| say::line(format_args!("      {}: {}", check.that, check.says)));
                }
                if let Some(problem) = &step.problem {
                    say::line(format_args!("      {} (code {})", problem.sentence, problem.code));
                }
            }
        }
    }
}
