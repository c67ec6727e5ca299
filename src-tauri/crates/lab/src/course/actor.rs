//! The task that plays. Takes commands, news of the lab, reports of what it has let be done, rounds of scrapes and the
//! time, one after the other, and never waits for any of them in particular.

mod keeping;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use lab_metrics::Clock;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Request;
use super::describe::describe;
use super::hands::{Hands, Stop};
use super::measure::{locked, measure};
use super::note::{Look, Note, Reporter};
use super::notebook::Notebook;
use super::play::{BEGINNING, Play, StepNow};
use super::progress::{Progress, note};
use super::progression::Input;
use super::stage::Ground;
use super::unkept::Unkept;
use super::watchdog::Watchdog;
use super::world::World;
use crate::api::{
    ActionKind, Command, CourseOptions, CourseView, Event, Guess, MarkKind, Problem, Reply, StartOptions,
};
use crate::lab::{Asker, Events};
use crate::release_line::ReleaseLine;
use crate::scenario::model::Action;
use crate::session::Message;
use crate::{content, problems};

/// Reports that may wait for the actor.
const WAITING: usize = 64;

/// What the actor plays in.
pub struct Setting {
    /// Who it asks.
    pub asker: Asker,
    /// What it hears.
    pub events: Events,
    /// What it is asked.
    pub requests: mpsc::Receiver<Request>,
    /// The session's mailbox, for what it tells.
    pub inbox: mpsc::Sender<Message>,
    /// Rounds of scrapes.
    pub rounds: watch::Receiver<Option<i64>>,
    /// The time.
    pub clock: Clock,
    /// etcd's version when none is asked for.
    pub default_version: String,
    /// Where progress is kept.
    pub progress: Progress,
}

/// See the module.
pub struct Actor {
    setting: Setting,
    world: watch::Sender<World>,
    notes: mpsc::Sender<(u64, Note)>,
    /// Counted up whenever something else is begun: reports of what was before don't count any more.
    turn: u64,
    play: Option<Play>,
    work: Option<Work>,
    /// Whether something is being measured just now.
    looking: bool,
    told: Option<CourseView>,
    watchdog: Watchdog,
    unkept: Unkept,
    /// That progress could not be read, until a course has said so.
    set_aside: Option<Problem>,
}

/// What is done beside the actor.
struct Work {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Actor {
    /// Plays until the lab ends.
    pub async fn run(setting: Setting) {
        let (notes, mut noted) = mpsc::channel(WAITING);
        let watchdog = Watchdog::new((setting.clock)(), Instant::now());
        let mut actor = Self {
            setting,
            world: watch::channel(World::default()).0,
            notes,
            turn: 0,
            play: None,
            work: None,
            looking: false,
            told: None,
            watchdog,
            unkept: Unkept::default(),
            set_aside: None,
        };
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rounds = actor.setting.rounds.clone();
        loop {
            tokio::select! {
                Some((command, answer)) = actor.setting.requests.recv() => actor.command(command, answer).await,
                event = actor.setting.events.next() => match event {
                    Some(Event::Ended) | None => break,
                    Some(event) => actor.hear(event).await,
                },
                Some((turn, note)) = noted.recv() => actor.note(turn, note),
                Ok(()) = rounds.changed() => {
                    if rounds.borrow_and_update().is_some() {
                        actor.watchdog.round(Instant::now());
                        actor.look();
                    }
                }
                _ = tick.tick() => actor.tick(),
            }
            actor.go_on();
            actor.tell().await;
        }
        if let Some(work) = actor.work {
            work.cancel.cancel();
        }
    }

    async fn command(&mut self, command: Command, answer: oneshot::Sender<Reply>) {
        let result = match command {
            Command::Scenarios => return self.scenarios(answer),
            Command::ForgetProgress { scenario } => return self.forget(scenario, answer),
            Command::LeaveScenario => return self.leave(answer).await,
            Command::BeginScenario { options } => self.begin(options).await,
            Command::Predict { guess } => self.predict(guess),
            Command::DoStep => self.do_step(false),
            Command::SolveStep => self.do_step(true),
            Command::ShowHint => self.show_hint(),
            Command::NextStep => self.next_step(),
            Command::RestartStep => self.restart_step(),
            _ => Ok(()),
        };
        // Told before it is answered: who asks for the snapshot then finds it there.
        self.tell().await;
        let _ = answer.send(match result {
            Ok(()) => Reply::Done,
            Err(problem) => Reply::Problem { problem },
        });
    }

    async fn begin(&mut self, options: CourseOptions) -> Result<(), Problem> {
        let etcd_version =
            options.etcd_version.clone().unwrap_or_else(|| self.setting.default_version.clone());
        let content = content::builtin();
        let line = ReleaseLine::of_version(&etcd_version);
        let scenario = content.scenario(&options.scenario, options.profile, line).ok_or_else(|| {
            let known: Vec<&str> = content.scenarios.iter().map(|scenario| scenario.id()).collect();
            problems::no_such_scenario(&options.scenario, &known)
        })?;
        let at = match &options.step {
            None => 0,
            Some(id) => scenario.steps.iter().position(|step| step.id == *id).ok_or_else(|| {
                let known: Vec<&str> = scenario.steps.iter().map(|step| step.id.as_str()).collect();
                problems::no_such_step(&scenario.id, id, &known)
            })?,
        };
        let (records, progress_problem) = if options.recorded {
            self.keep();
            self.records(&scenario.id).await
        } else {
            (BTreeMap::new(), None)
        };
        let notebook = Notebook::of(scenario);
        let now = StepNow::new(&scenario.steps[at], &notebook, BEGINNING);
        self.play = Some(Play {
            options,
            etcd_version,
            scenario: Arc::new(scenario.clone()),
            at,
            finished: false,
            notebook: Arc::new(Mutex::new(notebook)),
            now,
            records,
            progress_problem,
        });
        self.set_stage(None);
        Ok(())
    }

    /// Sets the stage for the present step: on the cluster that runs, once `cleanup` is done, or on a fresh one.
    fn set_stage(&mut self, cleanup: Option<Vec<Action>>) {
        let Some(play) = &mut self.play else { return };
        play.now.up = cleanup.is_some();
        let ground = match cleanup {
            Some(cleanup) => Ground::AsItIs(cleanup),
            None => Ground::Fresh(StartOptions {
                runtime: play.options.runtime,
                etcd_version: Some(play.etcd_version.clone()),
                topology: play.scenario.topology,
                ports: play.options.ports,
                quota_bytes: play.scenario.quota_bytes,
                ..StartOptions::default()
            }),
        };
        let step = play.step().clone();
        self.work(async move |hands: Hands| match hands.set_stage(ground, &step).await {
            Ok(()) => Some(Note::Staged(Ok(()))),
            Err(Stop::Failed(problem)) => Some(Note::Staged(Err(problem))),
            Err(Stop::Cancelled) => None,
        });
    }

    fn predict(&mut self, guess: Guess) -> Result<(), Problem> {
        let play = self.play.as_mut().ok_or_else(problems::no_course)?;
        let Some(prediction) = play.step().predict.clone().filter(|_| play.now.progression.is_predicting())
        else {
            return Err(problems::not_now(
                "The step does not ask for a prediction now.",
                "Predict when it does, before the actions.",
            ));
        };
        if !prediction.takes(&guess) {
            return Err(problems::not_now(
                "That is no answer to this question.",
                "Choose one of its answers.",
            ));
        }
        play.now.guess = Some(guess);
        play.now.progression.take(Input::Predicted, Instant::now());
        locked(&play.notebook).count_from_here(&self.world.borrow());
        Ok(())
    }

    fn do_step(&mut self, solve: bool) -> Result<(), Problem> {
        let play = self.play.as_mut().ok_or_else(problems::no_course)?;
        if play.finished || !play.now.progression.can_act() {
            return Err(problems::not_now(
                "The step's actions can't be begun now.",
                "Wait until its stage is set and its question answered; once it is met, go on.",
            ));
        }
        if play.step().to_be_found && !solve && !play.now.solved {
            return Err(problems::not_now(
                "What to do in this step is yours to find.",
                "Look at the hint, or let the lab solve it.",
            ));
        }
        play.now.solved |= solve;
        let actions: Vec<(usize, Action)> = {
            let (world, mut notebook) = (self.world.borrow(), locked(&play.notebook));
            notebook.count_from_here(&world);
            play.now.actions = describe(&play.step().actions, &world, &notebook);
            let without = play.options.without;
            let all = play.step().actions.iter().cloned().enumerate();
            all.filter(|(_, action)| without.is_none() || kind(action) != without).collect()
        };
        play.now.count_from_here();
        play.now.progression.take(Input::Begun, Instant::now());
        self.work(async move |hands: Hands| match hands.act(&actions).await {
            Ok(()) => Some(Note::Acted(Ok(()))),
            Err(Stop::Failed(problem)) => Some(Note::Acted(Err(problem))),
            Err(Stop::Cancelled) => None,
        });
        Ok(())
    }

    fn show_hint(&mut self) -> Result<(), Problem> {
        self.play.as_mut().ok_or_else(problems::no_course)?.now.hint = true;
        Ok(())
    }

    fn next_step(&mut self) -> Result<(), Problem> {
        let play = self.play.as_mut().ok_or_else(problems::no_course)?;
        if play.finished {
            return Err(all_behind());
        }
        let cleanup = play.step().cleanup.clone();
        if play.at + 1 == play.scenario.steps.len() {
            play.finished = true;
            self.work(async move |hands: Hands| {
                // What it could not put right is no matter any more: nothing is played on this cluster.
                if !matches!(hands.bring_about(&cleanup).await, Err(Stop::Cancelled)) {
                    let _ = hands.undo().await;
                }
                None
            });
            return Ok(());
        }
        let lost = play.now.progression.is_broken() || !play.now.up || self.world.borrow().lost().is_some();
        play.at += 1;
        if lost {
            play.begin_anew();
        } else {
            play.now = StepNow::new(play.step(), &locked(&play.notebook), BEGINNING);
        }
        self.set_stage((!lost).then_some(cleanup));
        Ok(())
    }

    fn restart_step(&mut self) -> Result<(), Problem> {
        let play = self.play.as_mut().ok_or_else(problems::no_course)?;
        if play.finished {
            return Err(all_behind());
        }
        play.begin_anew();
        self.set_stage(None);
        Ok(())
    }

    async fn leave(&mut self, answer: oneshot::Sender<Reply>) {
        if self.play.is_none() {
            let _ = answer.send(Reply::Done);
            return;
        }
        self.work(async move |hands: Hands| {
            let _ = answer.send(match hands.undo().await {
                Ok(()) => Reply::Done,
                Err(problem) => Reply::Problem { problem },
            });
            None
        });
        self.play = None;
        self.tell().await;
    }

    /// Lets something be done beside the actor, once what is under way has made room.
    fn work<F>(&mut self, work: impl FnOnce(Hands) -> F + Send + 'static)
    where
        F: Future<Output = Option<Note>> + Send + 'static,
    {
        let Some(play) = &self.play else { return };
        self.turn += 1;
        self.looking = false;
        let before = self.work.take();
        let cancel = CancellationToken::new();
        let hands = Hands {
            asker: self.setting.asker.clone(),
            world: self.world.subscribe(),
            rounds: self.setting.rounds.clone(),
            notebook: Arc::clone(&play.notebook),
            reporter: self.reporter(),
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.cancel.cancel();
                let _ = before.task.await;
            }
            let reporter = hands.reporter.clone();
            if let Some(note) = work(hands).await {
                reporter.tell(note).await;
            }
        });
        self.work = Some(Work { cancel, task });
    }

    /// Reports to this actor, as of now.
    fn reporter(&self) -> Reporter {
        Reporter { turn: self.turn, to: self.notes.clone() }
    }

    async fn hear(&mut self, event: Event) {
        if event == Event::Lagged {
            if let Ok(Reply::Snapshot { snapshot }) = self.setting.asker.ask(Command::Snapshot).await {
                self.world.send_modify(|world| world.catch_up(*snapshot));
            }
            return;
        }
        self.world.send_modify(|world| world.take(&event));
    }

    fn note(&mut self, turn: u64, note: Note) {
        // These count whenever they come.
        let note = match note {
            Note::SetAside(problem) => return self.was_set_aside(problem),
            Note::Recorded(records, result) => return self.recorded(&records, result),
            note => note,
        };
        let Some(play) = &mut self.play else { return };
        if turn != self.turn {
            return;
        }
        let at = Instant::now();
        match note {
            Note::Doing(doing) => play.now.progression.take(Input::Doing(doing), at),
            Note::Up => play.now.up = true,
            Note::Staged(Ok(())) => {
                let (world, mut notebook) = (self.world.borrow(), locked(&play.notebook));
                notebook.count_from_here(&world);
                play.now.actions = describe(&play.step().actions, &world, &notebook);
                play.now.progression.take(Input::Set, at);
                self.watchdog.round(at);
            }
            Note::Action(number, state) => {
                if let Some(action) = play.now.actions.get_mut(number) {
                    action.state = state;
                }
            }
            Note::Acted(Ok(())) => play.now.progression.take(Input::Done, at),
            Note::Staged(Err(problem)) | Note::Acted(Err(problem)) => {
                play.now.progression.take(Input::Broke(problem), at);
            }
            Note::Looked(look) => {
                self.looking = false;
                play.looked(&look, &self.world.borrow(), at);
            }
            Note::Recorded(..) | Note::SetAside(_) => {}
        }
    }

    /// Measures what the present step is judged by, unless that is being done already.
    fn look(&mut self) {
        let Some(play) = self.play.as_ref().filter(|play| !play.finished && !self.looking) else { return };
        let conditions = play.to_look_at();
        if conditions.is_empty() {
            return;
        }
        let (judged, acting) = (play.now.progression.is_judged(), play.now.progression.is_acting());
        let remember: Vec<_> = play.step().remember.iter().map(|one| one.measure.clone()).collect();
        let actual = play.actual();
        self.looking = true;
        let (asker, world) = (self.setting.asker.clone(), self.world.subscribe());
        let notebook = Arc::clone(&play.notebook);
        let reporter = self.reporter();
        tokio::spawn(async move {
            let one = async |what| measure(&what, &asker, &world, &notebook).await;
            let conditions = join_all(conditions.into_iter().map(one)).await;
            let mut look = Look { acting, conditions, ..Look::default() };
            if judged {
                let remembered = join_all(remember.into_iter().map(one)).await;
                look.remember = remembered.iter().map(super::judge::Measured::single).collect();
                if let Some(actual) = actual {
                    look.actual = one(actual).await.single();
                }
            }
            reporter.tell(Note::Looked(look)).await;
        });
    }

    fn tick(&mut self) {
        let now = Instant::now();
        let problem = self.watchdog.tick((self.setting.clock)(), now);
        let Some(play) = self.play.as_mut().filter(|play| !play.finished) else { return };
        play.now.progression.take(Input::Tick, now);
        // A stage that is being set takes as long as it takes, and says itself what it lacks.
        if let Some(problem) = problem.filter(|_| !play.now.progression.is_setting()) {
            play.now.progression.take(Input::Broke(problem), now);
        }
    }

    /// What follows from where the step is by now.
    fn go_on(&mut self) {
        let now = Instant::now();
        // What is put right at the end goes on, however the last step stands.
        let Some(play) = self.play.as_mut().filter(|play| !play.finished) else { return };
        if let Some(problem) = play.lost(&self.world.borrow()) {
            play.now.progression.take(Input::Broke(problem), now);
        }
        let at = &play.now.progression;
        if at.is_broken()
            && let Some(work) = &self.work
        {
            work.cancel.cancel();
        }
        if at.is_judged() && !play.now.marked {
            play.now.marked = true;
            let text = format!("step {}", play.at + 1);
            // If its mailbox is full, the charts do without this mark.
            let _ = self.setting.inbox.try_send(Message::Mark(MarkKind::Step, text));
        }
        let outcome = if at.is_met() {
            Some(true)
        } else if at.is_missed() {
            Some(false)
        } else {
            play.now.outcome
        };
        if outcome != play.now.outcome {
            play.now.outcome = outcome;
            let record = play.record((self.setting.clock)());
            let (scenario, step) = (play.scenario.id.clone(), play.step().id.clone());
            note(&mut play.records, step.clone(), record.clone());
            if play.options.recorded {
                self.unkept.add(&scenario, &step, record);
                self.keep();
            }
        }
    }

    /// Tells the session what has changed.
    async fn tell(&mut self) {
        let view = self.play.as_ref().map(|play| play.view(Instant::now()));
        if view != self.told {
            self.told.clone_from(&view);
            let _ = self.setting.inbox.send(Message::Course(view.map(Box::new))).await;
        }
    }
}

fn all_behind() -> Problem {
    problems::not_now("All steps of the scenario are behind.", "Leave it, or begin it again.")
}

/// What kind of thing an action does to the cluster, if anything.
fn kind(action: &Action) -> Option<ActionKind> {
    match action {
        Action::Load { .. } | Action::StopLoad(_) => Some(ActionKind::Loads),
        Action::Failpoint { .. } | Action::ClearFailpoint { .. } => Some(ActionKind::Failpoints),
        Action::Link { .. } | Action::HealLinks => Some(ActionKind::Links),
        Action::Compact | Action::Delete { .. } | Action::Defragment { .. } | Action::Disarm => {
            Some(ActionKind::Operations)
        }
        Action::WaitLoad { .. } | Action::Until(_) | Action::Remember { .. } => None,
    }
}
