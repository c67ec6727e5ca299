//! A scenario under way, as it stands: which step, how far, what was measured. Pure; whoever plays it puts in what
//! happened and takes out the picture.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::judge::{Judgement, judge, unjudged};
use super::measure::{locked, query};
use super::note::Look;
use super::notebook::Notebook;
use super::progression::{Input, Progression, Shape};
use super::verdict;
use super::world::World;
use crate::api::{
    ActionView, CheckView, CourseOptions, CourseView, Guess, LoadState, Problem, StepRecord, StepSummary,
    StepView, VerdictView,
};
use crate::problems;
use crate::scenario::model::{Action, Answers, Condition, LoadFigure, Measure, Scenario, Step};

/// What is being done before anything was.
pub const BEGINNING: &str = "Making room";

/// See the module.
pub struct Play {
    /// How it was begun.
    pub options: CourseOptions,
    /// The version that is played on.
    pub etcd_version: String,
    /// What is played.
    pub scenario: Arc<Scenario>,
    /// The present step, from 0.
    pub at: usize,
    /// Whether all steps are behind.
    pub finished: bool,
    /// Names, loads and faults.
    pub notebook: Arc<Mutex<Notebook>>,
    /// The present step.
    pub now: StepNow,
    /// What became of steps, by step.
    pub records: BTreeMap<String, StepRecord>,
    /// Why progress isn't being kept.
    pub progress_problem: Option<Problem>,
}

/// How the present step stands.
pub struct StepNow {
    /// Where it is.
    pub progression: Progression,
    /// What is done.
    pub actions: Vec<ActionView>,
    /// Whether the lab solved it.
    pub solved: bool,
    /// Whether the hint is shown.
    pub hint: bool,
    /// What became of it so far: met or missed.
    pub outcome: Option<bool>,
    /// Whether a chart bears its mark.
    pub marked: bool,
    /// Whether the cluster it is played on runs: from then on its end is the step's end.
    pub up: bool,
    /// What the person expects.
    pub guess: Option<Guess>,
    /// How that turned out.
    pub verdict: Option<VerdictView>,
    requires: Vec<Checked>,
    checks: Vec<Checked>,
    /// What was measured last of what is to be remembered.
    remembered: Vec<Option<f64>>,
    actual: Option<f64>,
}

/// How a condition stands.
struct Checked {
    judgement: Judgement,
    /// Since when it has held without a break.
    since: Option<Instant>,
    held: Duration,
}

impl StepNow {
    /// A step whose stage is being set.
    pub fn new(step: &Step, notebook: &Notebook, doing: &str) -> Self {
        let shape = Shape {
            requires: !step.requires.is_empty(),
            predicts: step.predict.is_some(),
            within_s: step.check.within_s,
        };
        let unjudged = |condition| Checked {
            judgement: unjudged(condition, &notebook.names),
            since: None,
            held: Duration::ZERO,
        };
        Self {
            progression: Progression::new(shape, doing),
            actions: Vec::new(),
            solved: false,
            hint: false,
            outcome: None,
            marked: false,
            up: false,
            guess: None,
            verdict: None,
            requires: step.requires.iter().map(unjudged).collect(),
            checks: step.check.all.iter().map(unjudged).collect(),
            remembered: vec![None; step.remember.len()],
            actual: None,
        }
    }

    /// Holding begins anew: what was so before the actions counts for nothing.
    pub fn count_from_here(&mut self) {
        for checked in &mut self.checks {
            checked.since = None;
            checked.held = Duration::ZERO;
        }
    }
}

impl Play {
    /// The present step.
    pub fn step(&self) -> &Step {
        &self.scenario.steps[self.at]
    }

    /// Forgets what is known of the cluster so far, loads, roles and figures: the present step gets a fresh one.
    pub fn begin_anew(&mut self) {
        let notebook = Notebook::of(&self.scenario);
        self.now = StepNow::new(self.step(), &notebook, BEGINNING);
        self.notebook = Arc::new(Mutex::new(notebook));
    }

    /// What is to be measured now.
    pub fn to_look_at(&self) -> Vec<Measure> {
        let step = self.step();
        let conditions = if self.now.progression.is_required() {
            &step.requires
        } else if self.now.progression.is_judged() {
            &step.check.all
        } else {
            return Vec::new();
        };
        conditions.iter().map(|condition| condition.measure.clone()).collect()
    }

    /// Takes what was measured `at` that time.
    pub fn looked(&mut self, look: &Look, world: &World, at: Instant) {
        if look.acting && !self.now.progression.is_acting() {
            // It is from before the last action was done, and the step is judged by what comes after.
            return;
        }
        let members = world.members().len();
        let scenario = Arc::clone(&self.scenario);
        let step = &scenario.steps[self.at];
        let required = self.now.progression.is_required();
        let notebook = locked(&self.notebook);
        let (conditions, checked, hold_s) = if required {
            (&step.requires, &mut self.now.requires, 0)
        } else {
            (&step.check.all, &mut self.now.checks, step.check.hold_s)
        };
        for ((condition, checked), measured) in conditions.iter().zip(&mut *checked).zip(&look.conditions) {
            checked.judgement = judge(condition, measured, members, &notebook.names);
            checked.since = if checked.judgement.ok { checked.since.or(Some(at)) } else { None };
            checked.held = checked.since.map_or(Duration::ZERO, |since| at - since);
        }
        drop(notebook);
        let now = checked.iter().all(|checked| checked.judgement.ok);
        let hold = Duration::from_secs(hold_s.into());
        let held = now && checked.iter().all(|checked| checked.held >= hold);
        if required {
            return self.now.progression.take(Input::Required(now), at);
        }
        for (kept, seen) in self.now.remembered.iter_mut().zip(&look.remember) {
            *kept = seen.or(*kept);
        }
        self.now.actual = look.actual.or(self.now.actual);
        let before = self.now.progression.is_met();
        self.now.progression.take(Input::Judged { now, held }, at);
        if self.now.progression.is_met() && !before {
            self.met(step);
        }
    }

    fn met(&mut self, step: &Step) {
        let mut notebook = locked(&self.notebook);
        for (remember, value) in step.remember.iter().zip(&self.now.remembered) {
            if let Some(value) = value {
                notebook.names.keep(remember, *value);
            }
        }
        if let (Some(prediction), Some(guess)) = (&step.predict, &self.now.guess) {
            let verdict = verdict::verdict(prediction, guess, self.now.actual, &notebook.names);
            self.now.verdict = Some(verdict);
        }
    }

    /// What became of the present step, once it was met or missed.
    pub fn record(&self, at_ms: i64) -> StepRecord {
        let notebook = locked(&self.notebook);
        let said = self.step().predict.as_ref().zip(self.now.guess.as_ref());
        StepRecord {
            met: self.now.progression.is_met(),
            solved: self.now.solved,
            predicted: said.and_then(|(asked, said)| verdict::in_words(asked, said, &notebook.names)),
            right: self.now.verdict.as_ref().and_then(|verdict| verdict.right),
            measured: self.now.checks.iter().map(|checked| checked.judgement.says.clone()).collect(),
            profile: self.options.profile,
            etcd_version: self.etcd_version.clone(),
            at_ms,
        }
    }

    /// Why the step can't go on, if it can't: its cluster is gone, or a load by which it is judged.
    pub fn lost(&self, world: &World) -> Option<Problem> {
        let at = &self.now.progression;
        if !self.now.up || self.finished || at.is_met() || at.is_broken() {
            return None;
        }
        world.lost().or_else(|| if at.is_acting() { None } else { self.lost_load(world) })
    }

    fn lost_load(&self, world: &World) -> Option<Problem> {
        let at = &self.now.progression;
        if !at.is_judged() || at.is_missed() {
            return None;
        }
        let notebook = locked(&self.notebook);
        let about_to_begin = |name: &str| {
            let begins =
                |action: &Action| matches!(action, Action::Load { name: begun, .. } if begun == name);
            at.can_act() && self.step().actions.iter().any(begins)
        };
        let needed = |name: &str| {
            let judged_by = |condition: &Condition| match &condition.measure {
                Measure::Load { name: judged, of } => {
                    judged == name && !matches!(of, LoadFigure::Done | LoadFigure::Errors)
                }
                _ => false,
            };
            self.step().check.all.iter().any(judged_by)
        };
        let mut own = notebook.own_loads().filter(|(name, _)| !about_to_begin(name));
        own.find_map(|(name, id)| match world.loads.get(&id).map(|load| &load.state) {
            Some(LoadState::Failed { problem }) => Some(problems::step_lost_load(name, Some(problem))),
            // The person may have started one that does the same.
            Some(LoadState::Ended) | None
                if needed(name) && notebook.load(name, world).is_none_or(|load| load.id == id) =>
            {
                Some(problems::step_lost_load(name, None))
            }
            _ => None,
        })
    }

    /// The picture.
    pub fn view(&self, at: Instant) -> CourseView {
        let summary = |step: &Step, notebook: &Notebook| StepSummary {
            id: step.id.clone(),
            title: notebook
                .names
                .text(step.heading(self.records.get(&step.id).is_some_and(|record| record.met))),
            record: self.records.get(&step.id).cloned(),
        };
        let notebook = locked(&self.notebook);
        CourseView {
            options: self.options.clone(),
            title: self.scenario.title.clone(),
            steps: self.scenario.steps.iter().map(|step| summary(step, &notebook)).collect(),
            step: self.step_view(at, &notebook),
            finished: self.finished,
            progress_problem: self.progress_problem.clone(),
        }
    }

    fn step_view(&self, at: Instant, notebook: &Notebook) -> StepView {
        let (step, now, names) = (self.step(), &self.now, &notebook.names);
        let checks = |conditions: &[Condition], checked: &[Checked], hold_s| {
            let each = conditions.iter().zip(checked);
            each.map(|(condition, checked)| check_view(condition, checked, hold_s, notebook)).collect()
        };
        StepView {
            id: step.id.clone(),
            number: u32::try_from(self.at + 1).unwrap_or(u32::MAX),
            title: names.text(step.heading(now.outcome.is_some())),
            // Who is who, and what was measured, is known once the stage is set.
            text: if now.progression.is_setting() { String::new() } else { names.text(&step.text.body) },
            phase: now.progression.phase(at),
            requires: checks(&step.requires, &now.requires, 0),
            prediction: step
                .predict
                .as_ref()
                .map(|prediction| verdict::view(prediction, now.guess.as_ref(), now.verdict.as_ref(), names)),
            actions: if step.to_be_found && !now.solved { Vec::new() } else { now.actions.clone() },
            to_be_found: step.to_be_found,
            solved: now.solved,
            panels: step.panels.iter().map(|watched| watched.panel.clone()).collect(),
            diagram: step.diagram.clone(),
            arrows: step.arrows.clone(),
            checks: checks(&step.check.all, &now.checks, step.check.hold_s),
            hint: step.text.hint.as_ref().filter(|_| now.hint).map(|hint| names.text(hint)),
            has_hint: step.text.hint.is_some(),
            why: now.outcome.is_some().then(|| names.text(&step.text.why)),
            roles: names.roles(),
        }
    }

    /// What was to be predicted, if a level was.
    pub fn actual(&self) -> Option<Measure> {
        match &self.step().predict.as_ref()?.answers {
            Answers::Level { actual, .. } => Some(actual.clone()),
            Answers::Choices(_) => None,
        }
    }
}

fn check_view(condition: &Condition, checked: &Checked, hold_s: u32, notebook: &Notebook) -> CheckView {
    let Judgement { ok, measured, wanted, says } = &checked.judgement;
    CheckView {
        that: notebook.names.text(&condition.that),
        met: *ok,
        measured: measured.clone(),
        wanted: wanted.clone(),
        says: says.clone(),
        held_s: u32::try_from(checked.held.as_secs()).unwrap_or(u32::MAX),
        hold_s,
        query: query(&condition.measure, notebook),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::{Measured, Value};
    use super::super::notebook::tests::{load, puts};
    use super::super::world::tests::led_by;
    use super::*;
    use crate::api::{Event, LoadView, Phase, Ports, Profile, RuntimeKind, StepPhase, TopologyName};
    use crate::scenario::model::{Bound, Check, Choice, Compare, Prediction, Quantifier, Remember, StepText};

    /// A step that starts the load `puts` and is judged by its rate, for two seconds.
    fn play() -> Play {
        let rate = Measure::Load { name: "puts".into(), of: LoadFigure::Rate };
        let condition = Condition {
            that: "@boss answers".into(),
            measure: rate.clone(),
            unit: lab_dashboards::Unit::PerSecond,
            quantifier: Quantifier::Each { count: None },
            compare: Compare::AtLeast,
            with: Bound { number: 50.0, times: None },
            met: "It does.".into(),
            missed: "It doesn't.".into(),
        };
        let choice = |right| Choice { text: "So".into(), right, reply: "Indeed.".into() };
        let step = Step {
            topic: None,
            id: "puts".into(),
            text: StepText { title: "Puts".into(), why: "It was @fast.".into(), ..StepText::default() },
            stage: Vec::new(),
            bind: Vec::new(),
            requires: Vec::new(),
            predict: Some(Prediction {
                question: "How?".into(),
                answers: Answers::Choices(vec![choice(false), choice(true)]),
            }),
            actions: vec![Action::Load { name: "puts".into(), spec: puts(10) }],
            to_be_found: true,
            panels: Vec::new(),
            diagram: None,
            arrows: Vec::new(),
            check: Check { within_s: 30, hold_s: 2, all: vec![condition] },
            remember: vec![Remember {
                name: "fast".into(),
                measure: rate,
                unit: lab_dashboards::Unit::PerSecond,
            }],
            cleanup: Vec::new(),
        };
        let scenario = Scenario {
            id: "trial".into(),
            number: 7,
            title: "Trial".into(),
            about: "A trial.".into(),
            minutes: 1,
            profile: Profile::Quick,
            topology: TopologyName::Etcd,
            quota_bytes: None,
            steps: vec![step],
        };
        let mut notebook = Notebook::of(&scenario);
        notebook.names.bind("boss", "etcd-1");
        let mut now = StepNow::new(&scenario.steps[0], &notebook, "Starting");
        now.up = true;
        Play {
            options: CourseOptions {
                scenario: "trial".into(),
                step: None,
                profile: Profile::Quick,
                runtime: RuntimeKind::Native,
                etcd_version: None,
                ports: Ports::Auto,
                recorded: false,
                without: None,
            },
            etcd_version: "3.5.9".into(),
            scenario: Arc::new(scenario),
            at: 0,
            finished: false,
            notebook: Arc::new(Mutex::new(notebook)),
            now,
            records: BTreeMap::new(),
            progress_problem: None,
        }
    }

    fn running() -> World {
        let mut world = World::default();
        world.take(&Event::Phase { phase: Phase::Running { since_ms: 1 } });
        world.take(&Event::Cluster { cluster: led_by(1, 2) });
        world
    }

    fn seen(rate: Option<f64>) -> Look {
        let values = vec![Value { subject: String::new(), value: rate }];
        Look {
            acting: false,
            conditions: vec![Measured { values, ..Measured::default() }],
            remember: vec![rate],
            actual: None,
        }
    }

    #[test]
    fn a_check_must_hold_without_a_break_and_then_everything_is_said() {
        let began = Instant::now();
        let at = |s| began + Duration::from_secs(s);
        let (mut play, world) = (play(), running());
        play.now.progression.take(Input::Set, began);
        play.now.guess = Some(Guess::Choice { choice: 0 });
        play.now.progression.take(Input::Predicted, began);
        // Met by the person's own hand; the lab was never asked to act. What is to be found isn't shown.
        assert!(play.view(began).step.actions.is_empty() && play.view(began).step.why.is_none());
        for (s, rate, held_s, met) in [
            (1, Some(80.0), 0, false),
            (2, Some(20.0), 0, false),
            (3, Some(90.0), 0, false),
            (4, Some(95.0), 1, false),
            (5, Some(99.0), 2, true),
        ] {
            play.looked(&seen(rate), &world, at(s));
            let check = &play.view(at(s)).step.checks[0];
            assert_eq!((check.held_s, play.now.progression.is_met()), (held_s, met), "after {s} s");
        }
        play.now.outcome = Some(true);
        let step = play.view(at(5)).step;
        assert_eq!(step.checks[0].that, "etcd-1 answers");
        assert_eq!(step.checks[0].says, "Measured 99/s; wanted ≥ 50/s. It does.");
        assert_eq!(step.why.as_deref(), Some("It was 99/s."));
        let record = play.record(1);
        assert_eq!((record.met, record.solved, record.right), (true, false, Some(false)));
        assert_eq!(record.predicted.as_deref(), Some("So"));
    }

    #[test]
    fn what_was_measured_before_the_last_action_was_done_is_not_judged() {
        let began = Instant::now();
        let (mut play, world) = (play(), running());
        for input in [Input::Set, Input::Predicted, Input::Begun] {
            play.now.progression.take(input, began);
        }
        let before = Look { acting: true, ..seen(Some(99.0)) };
        play.looked(&before, &world, began);
        assert!(play.view(began).step.checks[0].met, "it is shown while actions are carried out");
        play.now.count_from_here();
        play.now.progression.take(Input::Done, began);
        play.looked(&before, &world, began);
        // It must hold for two seconds.
        let later = began + Duration::from_secs(2);
        play.looked(&seen(Some(99.0)), &world, later);
        assert_eq!((play.view(later).step.checks[0].held_s, play.now.progression.is_met()), (0, false));
    }

    #[test]
    fn a_step_that_begins_anew_does_not_know_the_last_clusters_figures() {
        let mut play = play();
        locked(&play.notebook).names.keep(&play.step().remember[0], 99.0);
        play.now.outcome = Some(true);
        assert_eq!(play.view(Instant::now()).step.why.as_deref(), Some("It was 99/s."));
        play.begin_anew();
        play.now.outcome = Some(true);
        assert_eq!(play.view(Instant::now()).step.why.as_deref(), Some("It was –."));
    }

    #[test]
    fn a_step_is_lost_with_the_load_that_it_is_judged_by() {
        let now = Instant::now();
        let (mut play, mut world) = (play(), running());
        let tell = |world: &mut World, load: LoadView| world.take(&Event::Load { load: Box::new(load) });
        tell(&mut world, load(1, puts(10), LoadState::Ended));
        locked(&play.notebook).started("puts", 1);
        play.now.progression.take(Input::Set, now);
        play.now.progression.take(Input::Predicted, now);
        assert_eq!(play.lost(&world), None, "its action starts it anew");
        play.now.progression.take(Input::Begun, now);
        play.now.progression.take(Input::Done, now);
        let problem = play.lost(&world).unwrap();
        assert!(problem.code == "step-lost-load" && problem.sentence.contains("puts"), "{problem}");
        // The person starts one that does the same.
        tell(&mut world, load(2, puts(20), LoadState::Running));
        assert_eq!(play.lost(&world), None);
        world.take(&Event::Phase { phase: Phase::Stopping });
        assert_eq!(play.lost(&world).unwrap().code, "stopped-meanwhile");
        play.now.progression.take(Input::Judged { now: true, held: true }, now);
        assert_eq!(play.lost(&world), None, "what was met stays so");
        assert_eq!(play.view(now).step.phase, StepPhase::Met);
    }
}
