//! A listener in this program: answers by itself what needs no session, passes on the rest, and evaluates what
//! it watches after each round of scrapes.

use std::sync::Arc;

use lab_cluster::Topology;
use lab_cluster::native::Binaries;
use lab_metrics::{Queryable, Storage};
use lab_promql::{Answer, Engine, EvalError, parse};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Event, Frame, Phase, Problem, Reply, WatchSet};
use crate::course::Courses;
use crate::evaluation::{TIMEOUT, Turns, Unanswered};
use crate::lab::Events;
use crate::release_line::ReleaseLine;
use crate::session::{Message, Shared};
use crate::watch::Watch;
use crate::{boards, content, diagram, docker, doctor, glossary, problems};

/// Events that may wait for a listener that is slow to take them.
const WAITING: usize = 64;

/// See the module.
pub struct Local {
    inbox: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    engine: Engine,
    turns: Turns,
    wanted: watch::Sender<WatchSet>,
    binaries: Binaries,
    topology: Arc<Topology>,
    courses: Courses,
}

impl Local {
    /// A listener that watches nothing yet, and what it will be told.
    pub fn new(
        inbox: mpsc::Sender<Message>,
        shared: Arc<Shared>,
        engine: Engine,
        turns: Turns,
        binaries: Binaries,
        topology: Arc<Topology>,
        courses: Courses,
    ) -> (Self, Events) {
        let cancel = CancellationToken::new();
        let (wanted, wishes) = watch::channel(WatchSet::default());
        let (sender, receiver) = mpsc::channel(WAITING);
        let (frames, latest) = watch::channel(None);
        tokio::spawn(evaluate(Arc::clone(&shared), engine.clone(), wishes, frames, cancel.clone()));
        tokio::spawn(pass_on(Arc::clone(&shared), latest, sender, cancel.clone()));
        (
            Self { inbox, shared, engine, turns, wanted, binaries, topology, courses },
            Events::new(receiver, cancel),
        )
    }

    /// Answers a command.
    pub async fn send(&self, command: Command) -> Reply {
        self.answer(command).await.unwrap_or_else(|problem| Reply::Problem { problem })
    }

    async fn answer(&self, command: Command) -> Result<Reply, Problem> {
        Ok(match command {
            Command::Watch { set } => {
                self.wanted.send_replace(set);
                Reply::Done
            }
            Command::Dashboards => Reply::Dashboards { dashboards: boards::views() },
            Command::Diagrams => Reply::Diagrams { diagrams: diagram::builtin().to_vec() },
            Command::Glossary => self.glossary().await?,
            Command::Doctor => {
                Reply::Doctor { lines: doctor::examine(&self.binaries, &self.topology).await? }
            }
            // Asked anew each time: engines come and go, and images with them.
            Command::Docker => {
                let docker = docker::view(&self.binaries, &self.topology).await;
                Reply::Docker { docker: Box::new(docker) }
            }
            Command::Query { expr, time_s } => {
                let query = parse(&expr).map_err(problems::query)?;
                let now = *self.shared.round.borrow();
                let t_ms = time_s.map_or(now.unwrap_or(0), millis);
                self.query(move |engine, store| engine.instant(store, &query, t_ms)).await?
            }
            Command::QueryRange { expr, start_s, end_s, step_s } => {
                let query = parse(&expr).map_err(problems::query)?;
                let (start_ms, end_ms, step_ms) = (millis(start_s), millis(end_s), millis(step_s));
                self.query(move |engine, store| engine.range(store, &query, start_ms, end_ms, step_ms))
                    .await?
            }
            command @ (Command::Scenarios
            | Command::BeginScenario { .. }
            | Command::Predict { .. }
            | Command::DoStep
            | Command::ShowHint
            | Command::SolveStep
            | Command::NextStep
            | Command::RestartStep
            | Command::LeaveScenario
            | Command::ForgetProgress { .. }) => self.courses.send(command).await?,
            other => self.ask_session(other).await?,
        })
    }

    async fn ask_session(&self, command: Command) -> Result<Reply, Problem> {
        let (answer, reply) = oneshot::channel();
        self.inbox.send(Message::Command(command, answer)).await.map_err(|_| problems::lab_ended())?;
        reply.await.map_err(|_| problems::lab_ended())
    }

    /// The terms, with their metrics as those members expose them that run now.
    async fn glossary(&self) -> Result<Reply, Problem> {
        let Reply::Snapshot { snapshot } = self.ask_session(Command::Snapshot).await? else {
            return Err(problems::lab_ended());
        };
        let running = matches!(snapshot.phase, Phase::Running { .. });
        let version =
            snapshot.cluster.map_or(snapshot.lab.default_etcd_version, |cluster| cluster.etcd_version);
        let now = self.shared.round.borrow().filter(|_| running);
        let store: &dyn Storage = self.shared.store.as_ref();
        let terms = &content::builtin().glossary;
        Ok(Reply::Glossary {
            terms: glossary::views(
                terms,
                ReleaseLine::of_version(&version),
                now.map(|now_ms| (store, now_ms)),
            ),
            references: terms.references.clone(),
        })
    }

    async fn query(
        &self,
        ask: impl FnOnce(&Engine, &dyn Queryable) -> Result<Answer, EvalError> + Send + 'static,
    ) -> Result<Reply, Problem> {
        let store = Arc::clone(&self.shared.store);
        let answer = self.turns.evaluate(&self.engine, TIMEOUT, move |engine| {
            let answer = ask(engine, store.as_ref()).map_err(|error| match error {
                EvalError::Timeout => problems::query_timed_out(TIMEOUT),
                error => problems::query(error),
            })?;
            let data = serde_json::to_value(&answer.value).map_err(problems::query)?;
            Ok(Reply::Query { data, warnings: answer.warnings })
        });
        answer.await.map_err(|error| match error {
            Unanswered::NoTurn => problems::query_timed_out(TIMEOUT),
            Unanswered::Broken(error) => problems::query(error),
        })?
    }
}

fn millis(seconds: f64) -> i64 {
    // `as` saturates; times beyond the range of i64 are no times.
    (seconds * 1_000.0).round() as i64
}

/// After each round of scrapes, and whenever other things are wanted: a new frame, replacing one not yet taken.
async fn evaluate(
    shared: Arc<Shared>,
    engine: Engine,
    mut wishes: watch::Receiver<WatchSet>,
    frames: watch::Sender<Option<Frame>>,
    cancel: CancellationToken,
) {
    let mut round = shared.round.subscribe();
    let mut watch = Watch::default();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = wishes.changed() => {
                if changed.is_err() { return }
                watch.set(wishes.borrow_and_update().clone());
            }
            changed = round.changed() => {
                if changed.is_err() { return }
            }
        }
        let Some(t_ms) = *round.borrow_and_update() else { continue };
        if watch.is_empty() {
            continue;
        }
        let (shared, engine) = (Arc::clone(&shared), engine.clone());
        let evaluated = tokio::task::spawn_blocking(move || {
            let frame = watch.frame(&engine, shared.store.as_ref(), t_ms, &shared.members);
            (watch, frame)
        });
        let Ok((returned, frame)) = evaluated.await else { return };
        watch = returned;
        frames.send_replace(Some(frame));
    }
}

/// Hands on events in order, and frames as they come: of frames only the latest.
async fn pass_on(
    shared: Arc<Shared>,
    mut frames: watch::Receiver<Option<Frame>>,
    to: mpsc::Sender<Event>,
    cancel: CancellationToken,
) {
    let mut events = shared.events.subscribe();
    // Who only listens has dropped his asking half, and with it what evaluates for him: events still come.
    let mut watching = true;
    loop {
        let event = tokio::select! {
            () = cancel.cancelled() => return,
            event = events.recv() => match event {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => Event::Lagged,
                Err(RecvError::Closed) => return,
            },
            changed = frames.changed(), if watching => {
                if changed.is_err() {
                    watching = false;
                    continue;
                }
                let Some(frame) = frames.borrow_and_update().clone() else { continue };
                Event::Frame { frame }
            }
        };
        let last = matches!(event, Event::Ended);
        if to.send(event).await.is_err() || last {
            return;
        }
    }
}
