//! An engine that goes while its members run: told once, and gone on with when it is back. Containers stay where they
//! are while their engine is away, and so does the members' data.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use lab_cluster::docker::Engine;
use lab_cluster::{ClusterError, Node, Runtime};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{Message, Session};
use crate::problems;

/// Between two looks whether it is back.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Session {
    /// A member ended with the engine at that address; so do the others.
    pub(super) fn engine_lost(&mut self, endpoint: &str) {
        if self.problem.as_ref().is_some_and(problems::is_engine_lost) {
            return;
        }
        let problem = problems::engine_lost(endpoint);
        self.observers_lost(&problem);
        self.went_wrong(problem);
        let Some(running) = &mut self.running else { return };
        let (runtime, stopped) = (Arc::clone(&running.runtime), running.watching.clone());
        let members: Vec<String> = running.nodes.iter().map(|node| node.name.clone()).collect();
        let inbox = self.inbox.clone();
        let going_on = tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = go_on(&*runtime, &members, inbox) => {}
            }
        });
        // One that goes again before all are ready is waited for by one task, not by two that start the same members.
        if let Some(before) = running.going_on.replace(going_on.abort_handle()) {
            before.abort();
        }
    }
}

/// Waits until the engine is back, and starts all members again.
async fn go_on(runtime: &dyn Runtime, members: &[String], inbox: mpsc::WeakSender<Message>) {
    let launched = |node: &Node| {
        if let Some(inbox) = inbox.upgrade() {
            let node = node.clone();
            tokio::spawn(async move { inbox.send(Message::Restarted(node)).await });
        }
    };
    loop {
        sleep(LOOK_EVERY).await;
        if Engine::connect().await.is_err() {
            continue;
        }
        // All at the same time: alone, none has a leader to become ready by.
        let restarted = join_all(members.iter().map(|member| runtime.restart(member, &launched))).await;
        match restarted.into_iter().find_map(Result::err) {
            None => return,
            // It went again, or isn't all there yet.
            Some(ClusterError::EngineLost { .. }) => {}
            Some(error) => {
                if let Some(inbox) = inbox.upgrade() {
                    let _ = inbox.send(Message::Problem(problems::restart(error))).await;
                }
                return;
            }
        }
    }
}
