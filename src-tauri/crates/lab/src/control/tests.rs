//! The two ends against each other, and each against one that does not behave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::codec::{Framed, LinesCodec};

use super::{LINE_BYTES, connect};
use crate::api::{Command, Event, Reply};
use crate::{Config, Lab};

const LIMIT: Duration = Duration::from_secs(30);

type Lines = Framed<UnixStream, LinesCodec>;

fn lines(stream: UnixStream) -> Lines {
    Framed::new(stream, LinesCodec::new_with_max_length(4 * LINE_BYTES))
}

async fn said(lines: &mut Lines) -> Value {
    let line = timeout(LIMIT, lines.next()).await.unwrap().unwrap().unwrap();
    serde_json::from_str(&line).unwrap()
}

/// A socket in a folder of its own.
pub(crate) fn socket() -> (TempDir, PathBuf, UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let listener = UnixListener::bind(&path).unwrap();
    (folder, path, listener)
}

/// A lab that answers each question by `answer`, given its id and its command.
pub(crate) fn pretend(
    listener: UnixListener,
    mut answer: impl FnMut(u64, &Value) -> Vec<Value> + Send + 'static,
) {
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut lines = lines(stream);
        while let Some(Ok(line)) = lines.next().await {
            let request: Value = serde_json::from_str(&line).unwrap();
            let Some(id) = request["id"].as_u64() else { continue };
            for line in answer(id, &request["command"]) {
                lines.send(line.to_string()).await.unwrap();
            }
        }
    });
}

/// The answer that there is nothing to tell.
pub(crate) fn done(id: u64) -> Value {
    json!({"type": "answer", "id": id, "reply": {"type": "done"}})
}

async fn open(base: &Path) -> (Lab, PathBuf) {
    let lab = Lab::open(Config { base: base.into(), ..Config::standard("app").unwrap() }).await.unwrap();
    let socket = Path::new(&lab.info().folder).join("control.sock");
    (lab, socket)
}

/// As a program that was stopped with Ctrl-Z: the system takes connections for it.
#[tokio::test(start_paused = true)]
async fn a_lab_that_never_answers_is_given_up() {
    let (_folder, path, _listener) = socket();
    let problem = connect(&path).await.err().unwrap();
    assert_eq!(problem.code, "lab-silent");
}

#[tokio::test(start_paused = true)]
async fn a_lab_that_stops_answering_is_given_up_where_an_answer_must_come_at_once() {
    let (_folder, path, listener) = socket();
    pretend(listener, |id, _| if id == 1 { vec![done(id)] } else { vec![] });
    let (asker, _events) = connect(&path).await.unwrap();
    assert_eq!(asker.ask(Command::Snapshot).await.unwrap_err().code, "lab-silent");
    let defragment = asker.send(Command::Defragment { member: "etcd-1".into() });
    assert!(timeout(Duration::from_secs(3600), defragment).await.is_err(), "this takes as long as it takes");
}

#[tokio::test]
async fn who_does_not_read_is_told_that_he_missed_something() {
    let (_folder, path, listener) = socket();
    pretend(listener, |id, _| {
        let news = (0..100).map(|id| json!({"type": "news", "event": {"type": "loadForgotten", "id": id}}));
        if id == 2 { news.chain([done(id)]).collect() } else { vec![done(id)] }
    });
    let (asker, mut events) = connect(&path).await.unwrap();
    // Once this is answered, all news have come.
    asker.ask(Command::Snapshot).await.unwrap();
    let mut next = 0;
    loop {
        match timeout(LIMIT, events.next()).await.unwrap().unwrap() {
            Event::LoadForgotten { id } => assert_eq!(std::mem::replace(&mut next, id + 1), id),
            Event::Lagged => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((1..100).contains(&next), "{next} of 100 came before");
}

#[tokio::test]
async fn an_answer_of_a_newer_lab_fails_the_question_it_belongs_to() {
    let (_folder, path, listener) = socket();
    pretend(listener, |id, _| match id {
        1 => vec![done(id)],
        _ => vec![json!({"type": "answer", "id": id, "reply": {"type": "hologram"}})],
    });
    let (asker, _events) = connect(&path).await.unwrap();
    let problem = timeout(LIMIT, asker.ask(Command::Doctor)).await.unwrap().unwrap_err();
    assert_eq!(problem.code, "other-version");
}

#[tokio::test]
async fn a_request_of_a_newer_program_is_answered_under_its_id() {
    let base = tempfile::tempdir().unwrap();
    let (lab, socket) = open(base.path()).await;
    let mut lines = lines(UnixStream::connect(&socket).await.unwrap());
    for request in [
        "what?".to_owned(),
        json!({"type": "ask", "id": 7, "command": {"type": "teleport"}}).to_string(),
        json!({"type": "ask", "id": 8, "command": {"type": "diagrams"}}).to_string(),
    ] {
        lines.send(request).await.unwrap();
    }
    let refused = said(&mut lines).await;
    assert_eq!((&refused["id"], &refused["reply"]["problem"]["code"]), (&json!(7), &json!("other-version")));
    assert_eq!(said(&mut lines).await["id"], 8);
    lab.shutdown().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_the_connection_stays() {
    let base = tempfile::tempdir().unwrap();
    let (lab, socket) = open(base.path()).await;
    let (asker, _events) = connect(&socket).await.unwrap();
    // A million points, each some thirty bytes.
    let (start_s, end_s) = (1_700_000_000.0, 1_700_010_000.0);
    let sides: Vec<_> =
        (0..100).map(|at| format!("label_replace(vector(1), \"at\", \"{at}\", \"\", \"\")")).collect();
    let query = Command::QueryRange { expr: sides.join(" or "), start_s, end_s, step_s: 1.0 };
    let problem = timeout(LIMIT, asker.ask(query)).await.unwrap().unwrap_err();
    assert_eq!(problem.code, "answer-too-large", "{problem:?}");
    let put = Command::Put { key: "a".into(), value: "x".repeat(LINE_BYTES) };
    assert_eq!(asker.ask(put).await.unwrap_err().code, "request-too-large");
    assert!(matches!(asker.send(Command::Snapshot).await, Reply::Snapshot { .. }));
    lab.shutdown().await;
}
