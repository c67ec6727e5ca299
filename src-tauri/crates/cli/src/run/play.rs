//! Plays one scenario as a person would who predicts nothing and lets the lab do everything.

use std::collections::BTreeMap;
use std::time::Duration;

use lab::api::{Command, CourseOptions, CourseView, Event, Guess, LoadView, Problem, Reply, StepPhase};
use lab::{Asker, Events, problems};
use lab_metrics::system_clock;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::live::Live;
use super::panels::{QueryReport, shown};
use super::report::{Outcome, ScenarioReport, StepReport};

/// What a step requires holds by then, or never: here is nobody who would bring it about.
const REQUIRED_WITHIN: Duration = Duration::from_secs(60);

/// Where the play is.
struct Player<'a> {
    asker: &'a Asker,
    steps_wanted: usize,
    live: &'a mut Live,
    view: CourseView,
    loads: BTreeMap<u32, LoadView>,
    steps: Vec<StepReport>,
    began: Instant,
    /// When that was, in milliseconds since the Unix epoch.
    began_ms: i64,
    /// Since when what the step requires is waited for.
    required: Option<Instant>,
    /// What was told and asked of the present step.
    told: Told,
}

#[derive(Default)]
struct Told {
    step: bool,
    guess: bool,
    acted: bool,
    actions: bool,
    over: bool,
}

/// Plays `options` to its end or to a step that can't go on; or one step, if `only` that is wanted.
///
/// # Errors
/// When it can't be begun, or the lab ends.
pub async fn play(
    options: CourseOptions,
    only: bool,
    asker: &Asker,
    events: &mut Events,
    live: &mut Live,
) -> Result<ScenarioReport, Problem> {
    let (began, began_ms) = (Instant::now(), system_clock()());
    asker.ask(Command::BeginScenario { options: options.clone() }).await?;
    let view = loop {
        match events.next().await {
            Some(Event::Course { course: Some(view) }) if view.options == options => break *view,
            None | Some(Event::Ended) => return Err(problems::lab_ended()),
            Some(_) => {}
        }
    };
    live.scenario(&view);
    let steps_wanted = if only { 1 } else { view.steps.len() + 1 - view.step.number as usize };
    let (id, title) = (options.scenario.clone(), view.title.clone());
    let mut player = Player {
        asker,
        steps_wanted,
        live,
        view,
        loads: BTreeMap::new(),
        steps: Vec::new(),
        began,
        began_ms,
        required: None,
        told: Told::default(),
    };
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !player.go_on().await? {
        tokio::select! {
            _ = second.tick() => player.second(),
            event = events.next() => match event {
                Some(Event::Course { course: Some(view) }) if view.options == options => player.see(*view),
                Some(Event::Course { .. }) => return Err(problems::no_course()),
                Some(Event::Load { load }) => drop(player.loads.insert(load.id, *load)),
                Some(Event::LoadForgotten { id }) => drop(player.loads.remove(&id)),
                Some(Event::Lagged) => player.catch_up(&options).await?,
                None | Some(Event::Ended) => return Err(problems::lab_ended()),
                Some(_) => {}
            },
        }
    }
    Ok(ScenarioReport { id, title, seconds: began.elapsed().as_secs(), steps_wanted, steps: player.steps })
}

impl Player<'_> {
    fn see(&mut self, view: CourseView) {
        if view.step.number != self.view.step.number {
            self.told = Told::default();
            (self.began, self.began_ms) = (Instant::now(), system_clock()());
        }
        self.view = view;
    }

    /// Sees how it stands after events were missed, such as while nobody read what was told: the last of them may be the
    /// one that was waited for.
    async fn catch_up(&mut self, options: &CourseOptions) -> Result<(), Problem> {
        let Reply::Snapshot { snapshot } = self.asker.ask(Command::Snapshot).await? else {
            return Err(problems::lab_ended());
        };
        self.loads = snapshot.loads.into_iter().map(|load| (load.id, load)).collect();
        let view = snapshot.course.filter(|view| view.options == *options).ok_or_else(problems::no_course)?;
        self.see(*view);
        Ok(())
    }

    /// Does what is to be done where the step is; whether the play is over.
    async fn go_on(&mut self) -> Result<bool, Problem> {
        let step = &self.view.step;
        if let StepPhase::Setting { doing } = &step.phase {
            self.live.doing(doing);
            return Ok(self.requires_in_vain());
        }
        self.required = None;
        if !std::mem::replace(&mut self.told.step, true) {
            self.live.step(step);
        }
        match &step.phase {
            StepPhase::Predict if !std::mem::replace(&mut self.told.guess, true) => {
                self.ask(Command::Predict { guess: Guess::Pass }).await?;
            }
            StepPhase::Act if !std::mem::replace(&mut self.told.acted, true) => {
                let command = if step.to_be_found { Command::SolveStep } else { Command::DoStep };
                self.ask(command).await?;
            }
            StepPhase::Watching { .. } if !std::mem::replace(&mut self.told.actions, true) => {
                self.live.actions(&step.actions);
            }
            StepPhase::Met | StepPhase::Missed if !std::mem::replace(&mut self.told.over, true) => {
                let met = step.phase == StepPhase::Met;
                self.live.judged(step);
                let panels = shown(&step.panels, self.began_ms, self.asker).await;
                self.end(if met { Outcome::Met } else { Outcome::Missed }, panels, None);
                if self.steps.len() == self.steps_wanted {
                    return Ok(true);
                }
                self.ask(Command::NextStep).await?;
            }
            StepPhase::Broken { problem } => {
                let problem = problem.clone();
                self.live.broken(&problem);
                self.end(Outcome::Broken, Vec::new(), Some(problem));
                return Ok(true);
            }
            _ => {}
        }
        Ok(false)
    }

    /// Asks; that the step has gone on meanwhile is no problem, since its view is on its way.
    async fn ask(&self, command: Command) -> Result<(), Problem> {
        match self.asker.ask(command).await {
            Err(problem) if problem.code == "not-now" => Ok(()),
            result => result.map(drop),
        }
    }

    fn requires_in_vain(&mut self) -> bool {
        let missing = self.view.step.requires.iter().find(|check| !check.met && !check.says.is_empty());
        let Some(missing) = missing else {
            self.required = None;
            return false;
        };
        if self.required.get_or_insert_with(Instant::now).elapsed() < REQUIRED_WITHIN {
            return false;
        }
        let problem = problems::never_so(&missing.that, REQUIRED_WITHIN.as_secs() as u32, &missing.says);
        self.live.broken(&problem);
        self.end(Outcome::Broken, Vec::new(), Some(problem));
        true
    }

    fn end(&mut self, outcome: Outcome, panels: Vec<QueryReport>, problem: Option<Problem>) {
        let step = &self.view.step;
        self.steps.push(StepReport {
            id: step.id.clone(),
            title: step.title.clone(),
            outcome,
            seconds: self.began.elapsed().as_secs(),
            checks: step.checks.clone(),
            panels,
            problem,
        });
    }

    fn second(&mut self) {
        let seconds = match &self.view.step.phase {
            StepPhase::Watching { elapsed_s, within_s } if self.told.actions => {
                format!("{elapsed_s:>3}/{within_s} s")
            }
            _ => return,
        };
        let loads: Vec<&LoadView> = self.loads.values().collect();
        self.live.second(&self.view.step, seconds, &loads);
    }
}
