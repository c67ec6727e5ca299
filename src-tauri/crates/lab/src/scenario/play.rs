//! Plays a scenario on a lab, through the same commands that a person gives.

use lab_dashboards::format_value;

use super::{Check, Profile, Scenario, Step};
use crate::api::{Command, Event, LoadView, PanelFrame, Phase, Problem, Reply, WatchSet};
use crate::lab::{Asker, Events};

/// What there is to tell while a scenario is played.
#[derive(Debug)]
pub enum Played<'a> {
    /// A step began; with it the command line of its load.
    Step {
        /// From 1.
        number: usize,
        /// Which.
        step: &'a Step,
        /// As a person would type it.
        command: String,
    },
    /// A second went by.
    Second {
        /// The step.
        step: &'a Step,
        /// Loads that run.
        loads: &'a [LoadView],
        /// The panels to look at, in the order of the step; just after its begin perhaps still those of the step
        /// before.
        panels: &'a [PanelFrame],
    },
    /// A step's check was judged.
    Judged {
        /// How.
        outcome: &'a Outcome,
    },
}

/// A judged check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Title of the step.
    pub step: String,
    /// Whether it was met.
    pub met: bool,
    /// What was measured, and what that means.
    pub says: String,
}

/// Plays every step and judges every check. The cluster must run; loads that were started are stopped at the
/// end, also after a problem.
///
/// # Errors
/// When the lab can't do what a step asks, or ends, or its cluster is stopped.
pub async fn play(
    scenario: &Scenario,
    profile: Profile,
    asker: &Asker,
    events: &mut Events,
    tell: &mut (dyn FnMut(Played<'_>) + Send),
) -> Result<Vec<Outcome>, Problem> {
    let mut started = Vec::new();
    let result = play_steps(scenario, profile, asker, events, tell, &mut started).await;
    for id in started {
        // A load that has ended by itself is as good as stopped.
        asker.send(Command::StopLoad { id }).await;
    }
    result
}

async fn play_steps(
    scenario: &Scenario,
    profile: Profile,
    asker: &Asker,
    events: &mut Events,
    tell: &mut (dyn FnMut(Played<'_>) + Send),
    started: &mut Vec<u32>,
) -> Result<Vec<Outcome>, Problem> {
    let mut outcomes = Vec::new();
    let mut loads: Vec<LoadView> = Vec::new();
    for (number, step) in (1..).zip(&scenario.steps) {
        let set = WatchSet {
            panels: step.watch.iter().map(|watched| watched.panel.clone()).collect(),
            range_s: 10,
            max_points: 10,
            ..WatchSet::default()
        };
        asker.ask(Command::Watch { set }).await?;
        let command = match asker.ask(Command::LoadCommand { spec: step.load.clone() }).await? {
            Reply::Text { text } => text,
            _ => String::new(),
        };
        tell(Played::Step { number, step, command });
        if let Reply::Load { id } = asker.ask(Command::StartLoad { spec: step.load.clone() }).await? {
            started.push(id);
        }
        // Frames come once a second, with the scrapes: they are the clock that matters here.
        let mut seconds = 0;
        while seconds < step.seconds.of(profile) {
            match events.next().await {
                Some(Event::Frame { frame }) => {
                    seconds += 1;
                    tell(Played::Second { step, loads: &loads, panels: &frame.panels });
                }
                Some(Event::Load { load }) => match loads.iter_mut().find(|known| known.id == load.id) {
                    Some(known) => *known = *load,
                    None => loads.push(*load),
                },
                Some(Event::Problem { problem }) => return Err(problem),
                // Somebody else stopped it; no more frames will come. (That it starts is old news.)
                Some(Event::Phase { phase: Phase::Stopping | Phase::Stopped | Phase::Failed { .. } }) => {
                    return Err(crate::problems::stopped_meanwhile());
                }
                Some(Event::Ended) | None => return Err(crate::problems::lab_ended()),
                Some(_) => {}
            }
        }
        let outcome = judge(&step.title, &step.check, asker).await?;
        tell(Played::Judged { outcome: &outcome });
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

async fn judge(step: &str, check: &Check, asker: &Asker) -> Result<Outcome, Problem> {
    let answer = asker.ask(Command::Query { expr: check.query.clone(), time_s: None }).await?;
    let value = match answer {
        Reply::Query { data, .. } => {
            data["result"][0]["value"][1].as_str().and_then(|text| text.parse::<f64>().ok())
        }
        _ => None,
    };
    let says = match value {
        Some(value) => check.met.replace("{value}", &format_value(&check.unit, value, None)),
        None => check.missed.clone(),
    };
    Ok(Outcome { step: step.to_owned(), met: value.is_some(), says })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::time::timeout;

    use super::*;
    use crate::control::tests::{done, pretend, socket};
    use crate::scenario::builtin;

    #[tokio::test]
    async fn a_cluster_that_is_stopped_from_elsewhere_ends_the_play() {
        let (_folder, path, listener) = socket();
        let stops = |name: &str| json!({"type": "news", "event": {"type": "phase", "phase": {"name": name}}});
        pretend(listener, move |id, command| match command["type"].as_str() {
            Some("startLoad") => vec![
                json!({"type": "answer", "id": id, "reply": {"type": "load", "id": 1}}),
                stops("stopping"),
                stops("stopped"),
            ],
            _ => vec![done(id)],
        });
        let (asker, mut events) = crate::control::connect(&path).await.unwrap();
        let mut seen = 0;
        let mut tell = |_: Played<'_>| seen += 1;
        let play = play(&builtin()[0], Profile::Quick, &asker, &mut events, &mut tell);
        let problem = timeout(Duration::from_secs(30), play).await.unwrap().unwrap_err();
        assert_eq!((problem.code.as_str(), seen), ("stopped-meanwhile", 1));
    }
}
