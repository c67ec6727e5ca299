//! The asking end of the control socket: a lab of another program, as if it were ours.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::codec::{Framed, LinesCodec};
use tokio_util::sync::CancellationToken;

use super::{LINE_BYTES, Request, Response};
use crate::api::{Command, Event, Problem, Reply};
use crate::lab::{Asker, Events};
use crate::{evaluation, problems};

/// Commands and events that may wait on their way.
const WAITING: usize = 64;
/// How long a lab that lives may take to answer what its session answers at once; a busy machine is allowed for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Asks a lab of another program. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<(Command, oneshot::Sender<Reply>)>,
}

impl Client {
    /// Asks, and waits for the answer; for one that must come at once, with a limit. A program that was stopped
    /// (Ctrl-Z) takes connections and answers nothing.
    pub async fn send(&self, command: Command) -> Reply {
        let Some(limit) = answered_within(&command) else { return self.answer(command).await };
        match timeout(limit, self.answer(command)).await {
            Ok(reply) => reply,
            Err(_) => Reply::Problem { problem: problems::lab_silent(limit) },
        }
    }

    async fn answer(&self, command: Command) -> Reply {
        let (answer, reply) = oneshot::channel();
        let gone = || Reply::Problem { problem: problems::lab_ended() };
        if self.commands.send((command, answer)).await.is_err() {
            return gone();
        }
        reply.await.unwrap_or_else(|_| gone())
    }
}

/// How long to wait for the answer; for ever where the work itself may take as long as it takes.
fn answered_within(command: &Command) -> Option<Duration> {
    match command {
        Command::Snapshot
        | Command::StartLoad { .. }
        | Command::StopLoad { .. }
        | Command::ForgetLoad { .. }
        | Command::LoadCommand { .. }
        | Command::Watch { .. }
        | Command::Log { .. }
        | Command::Dashboards
        | Command::Diagrams
        | Command::Scenarios
        | Command::Glossary
        | Command::BeginScenario { .. }
        | Command::Predict { .. }
        | Command::DoStep
        | Command::ShowHint
        | Command::SolveStep
        | Command::NextStep
        | Command::RestartStep
        | Command::ForgetProgress { .. }
        | Command::DismissProblem => Some(ANSWERS_WITHIN),
        Command::Query { .. } | Command::QueryRange { .. } => Some(evaluation::TIMEOUT + ANSWERS_WITHIN),
        Command::Start { .. }
        | Command::Stop
        | Command::RestartMember { .. }
        | Command::ActOnMember { .. }
        | Command::Docker
        | Command::BuildImage { .. }
        | Command::SaveImages { .. }
        | Command::LoadImages { .. }
        | Command::StartObservers
        | Command::StopObservers
        | Command::Put { .. }
        | Command::Get { .. }
        | Command::Delete { .. }
        | Command::Compact { .. }
        | Command::Defragment { .. }
        | Command::Failpoints
        | Command::SetFailpoint { .. }
        | Command::ClearFailpoints { .. }
        | Command::SetLinks { .. }
        | Command::HealLinks
        | Command::LeaveScenario
        | Command::Alarms
        | Command::Disarm
        | Command::Doctor
        | Command::Shutdown => None,
    }
}

/// Speaks with the lab whose socket is at `path`, once it has shown that it answers.
///
/// # Errors
/// When nobody answers there.
pub async fn connect(path: &Path) -> Result<(Asker, Events), Problem> {
    let stream = UnixStream::connect(path).await.map_err(|error| {
        let (sentence, next) = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                ("That lab belongs to somebody else.", "Only the person who started a lab can steer it.")
            }
            _ => (
                "That lab does not answer.",
                "`etcd-labctl down --all` tidies up after a lab that was killed.",
            ),
        };
        Problem::new("lab-unreachable", sentence, next).detail(error)
    })?;
    let (commands, asked) = mpsc::channel(WAITING);
    let (news, events) = mpsc::channel(WAITING);
    let cancel = CancellationToken::new();
    tokio::spawn(speak(stream, asked, news, cancel.clone()));
    let (asker, events) = (Asker::remote(Client { commands }), Events::new(events, cancel));
    // The system accepts connections for a program that is stopped, too.
    asker.ask(Command::Snapshot).await?;
    Ok((asker, events))
}

/// What can be read of an answer that isn't understood.
#[derive(Deserialize)]
struct AnswerId {
    id: u64,
}

async fn speak(
    stream: UnixStream,
    mut asked: mpsc::Receiver<(Command, oneshot::Sender<Reply>)>,
    news: mpsc::Sender<Event>,
    cancel: CancellationToken,
) {
    let (mut sink, mut lines) = Framed::new(stream, LinesCodec::new_with_max_length(LINE_BYTES)).split();
    let mut pending: HashMap<u64, oneshot::Sender<Reply>> = HashMap::new();
    let mut next_id = 0;
    let (mut listening, mut lagging) = (true, false);
    let line = |request: &Request| serde_json::to_string(request).unwrap_or_default();
    if sink.send(line(&Request::Listen)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            // Who listens no more may still ask.
            () = cancel.cancelled(), if listening => (listening, lagging) = (false, false),
            command = asked.recv() => {
                let Some((command, answer)) = command else { return };
                next_id += 1;
                let line = line(&Request::Ask { id: next_id, command });
                if line.len() > LINE_BYTES {
                    let _ = answer.send(Reply::Problem { problem: problems::request_too_large(LINE_BYTES) });
                    continue;
                }
                pending.insert(next_id, answer);
                if sink.send(line).await.is_err() {
                    return;
                }
            }
            // A listener that is slow loses events, not answers: as soon as it takes something, it is told to ask
            // for the state.
            place = news.reserve(), if lagging => {
                if let Ok(place) = place {
                    place.send(Event::Lagged);
                }
                lagging = false;
            }
            received = lines.next() => {
                let Some(Ok(text)) = received else { return };
                match serde_json::from_str(&text) {
                    Ok(Response::Answer { id, reply }) => {
                        if let Some(answer) = pending.remove(&id) {
                            let _ = answer.send(reply);
                        }
                    }
                    Ok(Response::News { event }) if listening && !lagging => {
                        lagging = matches!(news.try_send(event), Err(TrySendError::Full(_)));
                    }
                    Ok(Response::News { .. }) => {}
                    Err(error) => {
                        let id = serde_json::from_str(&text).map(|AnswerId { id }| id);
                        if let Some(answer) = id.ok().and_then(|id| pending.remove(&id)) {
                            let _ = answer.send(Reply::Problem { problem: problems::other_language(&error) });
                        } else {
                            tracing::warn!(%error, "the lab said something that this program doesn't know");
                        }
                    }
                }
            }
        }
    }
}
