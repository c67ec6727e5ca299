//! Where a step is, and what brings it on. Pure: what happened goes in with the time, the phase comes out. Knows no
//! cluster, no condition and no action, only that they were set, judged and done.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::{Problem, StepPhase};

/// What happens to a step.
#[derive(Clone, Debug)]
pub enum Input {
    /// The stage is being set: what is done now.
    Doing(String),
    /// The stage is set.
    Set,
    /// What must hold before the step begins was looked at: whether it does.
    Required(bool),
    /// The person has said what they expect.
    Predicted,
    /// The actions are being carried out.
    Begun,
    /// The actions were carried out.
    Done,
    /// The conditions were judged.
    Judged {
        /// Whether all hold now.
        now: bool,
        /// Whether all have held for as long as they must.
        held: bool,
    },
    /// Time went by.
    Tick,
    /// It can't go on.
    Broke(Problem),
}

/// What a step has that its course depends on.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Whether something must hold before it begins.
    pub requires: bool,
    /// Whether the person is asked for a prediction.
    pub predicts: bool,
    /// Seconds after the actions within which its check is to be met.
    pub within_s: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum At {
    Setting(String),
    /// The stage is set; what the step requires is waited for.
    Required,
    Predict,
    Act,
    /// Actions are carried out.
    Acting,
    /// They were carried out then.
    Watching(Instant),
    Met,
    Missed,
    Broken(Problem),
}

/// A step's way; see the module.
#[derive(Clone, Debug)]
pub struct Progression {
    shape: Shape,
    at: At,
    /// Whether all conditions held when they were last judged.
    holds: bool,
}

impl Progression {
    /// A step whose stage is being set.
    pub fn new(shape: Shape, doing: &str) -> Self {
        Self { shape, at: At::Setting(doing.into()), holds: false }
    }

    /// Takes what happened `now`. What doesn't fit where the step is changes nothing.
    pub fn take(&mut self, input: Input, now: Instant) {
        let next =
            match (&self.at, input) {
                (At::Setting(_), Input::Doing(doing)) => At::Setting(doing),
                (At::Setting(_), Input::Set) if self.shape.requires => At::Required,
                (At::Setting(_), Input::Set) | (At::Required, Input::Required(true)) => {
                    if self.shape.predicts { At::Predict } else { At::Act }
                }
                (At::Predict, Input::Predicted) => At::Act,
                (At::Act | At::Missed, Input::Begun) => {
                    self.holds = false;
                    At::Acting
                }
                (At::Acting, Input::Done) => At::Watching(now),
                (At::Act | At::Watching(_) | At::Missed, Input::Judged { held: true, .. }) => At::Met,
                (_, Input::Judged { now, .. }) => {
                    self.holds = now;
                    return;
                }
                // What holds at the deadline but not yet for long enough is waited for.
                (At::Watching(since), Input::Tick) if !self.holds && now - *since >= self.within() => {
                    At::Missed
                }
                // What was met stays so, whatever becomes of the cluster.
                (At::Met, Input::Broke(_)) => return,
                (_, Input::Broke(problem)) => At::Broken(problem),
                _ => return,
            };
        self.at = next;
    }

    /// As it is told.
    pub fn phase(&self, now: Instant) -> StepPhase {
        match &self.at {
            At::Setting(doing) => StepPhase::Setting { doing: doing.clone() },
            At::Required => StepPhase::Setting { doing: "Waiting for what the step needs".into() },
            At::Predict => StepPhase::Predict,
            At::Act => StepPhase::Act,
            At::Acting => StepPhase::Watching { elapsed_s: 0, within_s: self.shape.within_s },
            At::Watching(since) => StepPhase::Watching {
                elapsed_s: u32::try_from((now - *since).as_secs()).unwrap_or(u32::MAX),
                within_s: self.shape.within_s,
            },
            At::Met => StepPhase::Met,
            At::Missed => StepPhase::Missed,
            At::Broken(problem) => StepPhase::Broken { problem: problem.clone() },
        }
    }

    /// Whether the stage is being set.
    pub fn is_setting(&self) -> bool {
        matches!(self.at, At::Setting(_))
    }

    /// Whether what the step requires is waited for.
    pub fn is_required(&self) -> bool {
        self.at == At::Required
    }

    /// Whether it waits for a prediction.
    pub fn is_predicting(&self) -> bool {
        self.at == At::Predict
    }

    /// Whether its conditions are judged.
    pub fn is_judged(&self) -> bool {
        matches!(self.at, At::Act | At::Acting | At::Watching(_) | At::Missed)
    }

    /// Whether its actions can be carried out now.
    pub fn can_act(&self) -> bool {
        matches!(self.at, At::Act | At::Missed)
    }

    /// Whether its actions are being carried out.
    pub fn is_acting(&self) -> bool {
        self.at == At::Acting
    }

    /// Whether it was met.
    pub fn is_met(&self) -> bool {
        self.at == At::Met
    }

    /// Whether it was missed.
    pub fn is_missed(&self) -> bool {
        self.at == At::Missed
    }

    /// Whether it can't go on.
    pub fn is_broken(&self) -> bool {
        matches!(self.at, At::Broken(_))
    }

    fn within(&self) -> Duration {
        Duration::from_secs(self.shape.within_s.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Shape = Shape { requires: false, predicts: false, within_s: 30 };

    fn held(held: bool) -> Input {
        Input::Judged { now: held, held }
    }

    fn broke() -> Input {
        Input::Broke(Problem::new("gone", "It is gone.", "Set the stage again."))
    }

    /// The names of the phases that each of `inputs` leads to, a second apart.
    fn names(shape: Shape, inputs: Vec<Input>) -> Vec<String> {
        let mut now = Instant::now();
        let mut progression = Progression::new(shape, "Starting");
        let mut names = Vec::new();
        for input in inputs {
            now += Duration::from_secs(1);
            progression.take(input, now);
            let phase = serde_json::to_value(progression.phase(now)).unwrap();
            names.push(phase["name"].as_str().unwrap().to_owned());
        }
        names
    }

    #[test]
    fn a_step_goes_from_its_stage_to_its_check() {
        let asks = Shape { requires: true, predicts: true, ..PLAIN };
        let cases = [
            (PLAIN, vec![Input::Set, Input::Begun, Input::Done, held(true)], "act watching watching met"),
            (
                asks,
                vec![
                    Input::Doing("Loading".into()),
                    Input::Set,
                    Input::Required(false),
                    Input::Required(true),
                    held(true),
                    Input::Predicted,
                    held(false),
                    held(true),
                ],
                // By the person's own hand: no action of the lab was begun. A check that held before the answer
                // counts for nothing.
                "setting setting setting predict predict act act met",
            ),
            // While actions are carried out, a check that holds doesn't end the step yet.
            (
                PLAIN,
                vec![Input::Set, Input::Begun, held(true), Input::Done, held(true)],
                "act watching watching watching met",
            ),
            // A prediction that wasn't asked for, actions done that were not begun.
            (PLAIN, vec![Input::Set, Input::Predicted, Input::Done, Input::Set], "act act act act"),
            (PLAIN, vec![Input::Set, broke(), held(true), Input::Begun], "act broken broken broken"),
            (PLAIN, vec![Input::Set, held(true), broke(), held(false)], "act met met met"),
            (PLAIN, vec![broke()], "broken"),
        ];
        for (shape, inputs, expected) in cases {
            assert_eq!(names(shape, inputs.clone()).join(" "), expected, "{inputs:?}");
        }
    }

    #[test]
    fn a_check_is_missed_at_its_deadline_and_may_be_met_later() {
        let began = Instant::now();
        let mut progression = Progression::new(PLAIN, "Starting");
        for input in [Input::Set, Input::Begun, Input::Done] {
            progression.take(input, began);
        }
        let at = |s| began + Duration::from_secs(s);
        progression.take(Input::Tick, at(29));
        assert_eq!(progression.phase(at(29)), StepPhase::Watching { elapsed_s: 29, within_s: 30 });
        // It holds at the deadline, though not yet for long enough; then it doesn't any more.
        progression.take(Input::Judged { now: true, held: false }, at(30));
        progression.take(Input::Tick, at(31));
        assert!(matches!(progression.phase(at(31)), StepPhase::Watching { .. }));
        progression.take(held(false), at(32));
        progression.take(Input::Tick, at(32));
        assert!(progression.is_missed() && progression.can_act());
        progression.take(held(true), at(40));
        assert!(progression.is_met());
    }
}
