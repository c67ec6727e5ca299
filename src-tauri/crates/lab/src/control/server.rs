//! The lab's end of the control socket.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::codec::{Framed, LinesCodec};

use super::{LINE_BYTES, Request, Response};
use crate::api::{Event, Problem, Reply};
use crate::lab::Lab;
use crate::problems;

/// Answers that may wait for a client that is slow to read them.
const WAITING: usize = 64;

/// Listens at `path`, for as long as the lab lives.
///
/// # Errors
/// When the socket can't be made.
pub fn serve(path: &Path, lab: Lab) -> Result<(), Problem> {
    let listener = bind(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Problem::new(
            "path-too-long",
            format!("{} is too long a path for a socket.", path.display()),
            "Set ETCD_LAB_HOME to a folder with a shorter path.",
        )
        .detail(error),
        _ => problems::folder(path, &error),
    })?;
    tokio::spawn(async move {
        let (_, mut events) = lab.listen();
        loop {
            tokio::select! {
                // Also the way to learn that the lab has ended: then this clone of it is to go.
                event = events.next() => if matches!(event, None | Some(Event::Ended)) { return },
                connection = listener.accept() => match connection {
                    Ok((stream, _)) => drop(tokio::spawn(speak(stream, lab.clone()))),
                    Err(error) => tracing::warn!(%error, "a control connection could not be accepted"),
                },
            }
        }
    });
    Ok(())
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    // Whatever is there was left by a program that no longer lives: its place is ours by the lock.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The folder is 0700, so nobody else gets in between these two lines.
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// What can be read of a request that isn't understood.
#[derive(Deserialize)]
struct RequestId {
    id: u64,
}

async fn speak(stream: UnixStream, lab: Lab) {
    let (mut sink, mut lines) = Framed::new(stream, LinesCodec::new_with_max_length(LINE_BYTES)).split();
    let (asker, mut events) = lab.listen();
    drop(lab);
    let (out, mut outgoing) = mpsc::channel::<Response>(WAITING);
    // Ended with the connection: nobody is to compute what nobody waits for.
    let mut asked = JoinSet::new();
    let mut listening = false;
    loop {
        tokio::select! {
            line = lines.next() => match line {
                Some(Ok(line)) => match serde_json::from_str(&line) {
                    Ok(Request::Listen) => listening = true,
                    Ok(Request::Ask { id, command }) => {
                        let (asker, out) = (asker.clone(), out.clone());
                        // Each on its own: a defragmentation must not hold up a question.
                        asked.spawn(async move {
                            let reply = asker.send(command).await;
                            // Gone before the answer came: then nobody wants it.
                            let _ = out.send(Response::Answer { id, reply }).await;
                        });
                    }
                    Err(error) => match serde_json::from_str(&line) {
                        Ok(RequestId { id }) => {
                            let problem = problems::other_language(&error);
                            let answer = Response::Answer { id, reply: Reply::Problem { problem } };
                            if send(&mut sink, answer).await.is_err() {
                                return;
                            }
                        }
                        Err(_) => tracing::warn!(%error, "a request can't be answered: it has no id"),
                    }
                },
                // Closed, or a line beyond all bounds.
                Some(Err(_)) | None => return,
            },
            event = events.next() => {
                let Some(event) = event else { return };
                let last = matches!(event, Event::Ended);
                if (listening || last) && send(&mut sink, Response::News { event }).await.is_err() {
                    return;
                }
                if last {
                    // Answers on their way out, such as that to the command that ended the lab, still go.
                    drop(out);
                    while let Some(response) = outgoing.recv().await {
                        if send(&mut sink, response).await.is_err() {
                            return;
                        }
                    }
                    return;
                }
            }
            Some(response) = outgoing.recv() => {
                if send(&mut sink, response).await.is_err() {
                    return;
                }
            }
            Some(_) = asked.join_next() => {}
        }
    }
}

async fn send<S>(sink: &mut S, response: Response) -> Result<(), ()>
where
    S: futures::Sink<String> + Unpin,
{
    match line(response).map_err(drop)? {
        Some(line) => sink.send(line).await.map_err(drop),
        None => Ok(()),
    }
}

/// A response as it is sent: the other end takes no line longer than ours. An answer that would be is refused; news
/// that would be is left out.
fn line(response: Response) -> serde_json::Result<Option<String>> {
    let line = serde_json::to_string(&response)?;
    match response {
        _ if line.len() <= LINE_BYTES => Ok(Some(line)),
        Response::Answer { id, .. } => {
            let problem = problems::answer_too_large(line.len(), LINE_BYTES);
            serde_json::to_string(&Response::Answer { id, reply: Reply::Problem { problem } }).map(Some)
        }
        Response::News { .. } => {
            tracing::warn!(bytes = line.len(), "news too large to be told was left out");
            Ok(None)
        }
    }
}
