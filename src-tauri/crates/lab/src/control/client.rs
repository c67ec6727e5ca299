//! The asking end of the control socket: a lab of another program, as if it were ours.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{Framed, LinesCodec};
use tokio_util::sync::CancellationToken;

use super::{LINE_BYTES, Request, Response};
use crate::api::{Command, Event, Problem, Reply};
use crate::lab::{Asker, Events};
use crate::problems;

/// Commands and events that may wait on their way.
const WAITING: usize = 64;

/// Asks a lab of another program. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<(Command, oneshot::Sender<Reply>)>,
}

impl Client {
    /// Asks, and waits for the answer.
    pub async fn send(&self, command: Command) -> Reply {
        let (answer, reply) = oneshot::channel();
        let gone = || Reply::Problem { problem: problems::lab_ended() };
        if self.commands.send((command, answer)).await.is_err() {
            return gone();
        }
        reply.await.unwrap_or_else(|_| gone())
    }
}

/// Speaks with the lab whose socket is at `path`.
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
    Ok((Asker::remote(Client { commands }), Events::new(events, cancel)))
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
    let mut listening = true;
    let line = |request: &Request| serde_json::to_string(request).unwrap_or_default();
    if sink.send(line(&Request::Listen)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            // Who listens no more may still ask.
            () = cancel.cancelled(), if listening => listening = false,
            command = asked.recv() => {
                let Some((command, answer)) = command else { return };
                next_id += 1;
                pending.insert(next_id, answer);
                if sink.send(line(&Request::Ask { id: next_id, command })).await.is_err() {
                    return;
                }
            }
            received = lines.next() => {
                let Some(Ok(text)) = received else { return };
                match serde_json::from_str(&text) {
                    Ok(Response::Answer { id, reply }) => {
                        if let Some(answer) = pending.remove(&id) {
                            let _ = answer.send(reply);
                        }
                    }
                    // A listener that is slow loses frames, not commands: it is told to ask for the state.
                    Ok(Response::News { event }) if listening => {
                        let last = matches!(event, Event::Ended);
                        if news.try_send(event).is_err() && !last {
                            let _ = news.try_send(Event::Lagged);
                        }
                    }
                    Ok(Response::News { .. }) => {}
                    Err(error) => tracing::warn!(%error, "the lab said something that this program doesn't know"),
                }
            }
        }
    }
}
