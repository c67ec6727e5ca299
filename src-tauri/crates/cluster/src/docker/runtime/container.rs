//! One run of a container, from its start to its end: whether it still runs, how it ended, and whether that was wanted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::models::ContainerState;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{broadcast, watch};

use super::output::Output;
use super::plan::Planned;
use crate::ready::{End, Waited};
use crate::{Exit, Node, log};

/// How long the end of a container's log may be on its way.
pub(super) const LAST_WORDS_WITHIN: Duration = Duration::from_secs(2);

/// How a container ended that went with its engine.
pub const ENGINE_STOPPED: &str = "the Docker engine stopped";

/// One run of a container.
pub(super) struct Launched {
    pub planned: Planned,
    /// The container's id.
    pub id: String,
    pub log: PathBuf,
    /// Where its log of this run begins, bytes.
    pub log_start: u64,
    pub output: Output,
    /// Set before we end it ourselves: then its end is no news.
    expected: AtomicBool,
    /// Whether its end was noticed; telling it takes a moment.
    ending: AtomicBool,
    ended: watch::Sender<Option<String>>,
}

impl Launched {
    /// A run that has begun.
    pub fn new(planned: Planned, id: String, log: PathBuf, log_start: u64, output: Output) -> Self {
        Self {
            planned,
            id,
            log,
            log_start,
            output,
            expected: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            ended: watch::Sender::new(None),
        }
    }

    /// It, as the lab knows a member; `None` when it isn't one.
    pub fn node(&self) -> Option<Node> {
        self.planned.node(&self.id)
    }

    /// From now on its end is no news, or is again.
    pub fn expect_end(&self, expected: bool) {
        self.expected.store(expected, Ordering::Release);
    }

    /// Whether its end was noticed.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Waits for its end and tells how it was.
    pub async fn ended(&self) -> String {
        let mut ended = self.ended.subscribe();
        let how = ended.wait_for(Option::is_some).await.ok().and_then(|how| how.clone());
        how.unwrap_or_else(|| "it was lost sight of".into())
    }

    /// Waits for its end, and tells whether that was wanted.
    pub async fn end(self: Arc<Self>) -> End {
        let how = self.ended().await;
        if self.expected.load(Ordering::Acquire) { End::CalledOff } else { End::Died(how) }
    }

    /// What waits for it to be ready has to know; `None` when it isn't a member.
    pub fn waited(self: &Arc<Self>) -> Option<(Waited, BoxFuture<'static, End>)> {
        let node = self.node()?;
        let waited =
            Waited { name: node.name, client: node.client, log: self.log.clone(), log_start: self.log_start };
        Some((waited, Arc::clone(self).end().boxed()))
    }

    /// Its end was noticed: tells of it, once its log is complete. Only the first to notice does so.
    pub async fn tell_end(&self, how: String, exits: &broadcast::Sender<Exit>) {
        if self.ending.swap(true, Ordering::AcqRel) {
            return;
        }
        let with_engine = how == ENGINE_STOPPED;
        if !with_engine {
            self.output.complete(LAST_WORDS_WITHIN).await;
        }
        self.ended.send_replace(Some(how.clone()));
        if !self.expected.load(Ordering::Acquire) {
            let mut exit = log::exit(self.planned.name.clone(), how, &self.log, self.log_start);
            // It wrote nothing about it: the engine went first.
            exit.reason = exit.reason.filter(|_| !with_engine);
            // Nobody listens: then nobody wants to know.
            let _ = exits.send(exit);
        }
    }
}

/// How a container ended, in the words in which a process' end is told. The engine tells a signal as a shell does: by
/// 128 more than its number.
pub(super) fn describe(state: &ContainerState) -> String {
    match state.exit_code.unwrap_or_default() {
        _ if state.oom_killed == Some(true) => "out of memory, killed by signal 9".into(),
        code @ 129..=159 => format!("killed by signal {}", code - 128),
        code => format!("exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_container_is_told_as_that_of_a_process() {
        let state = |exit_code, oom_killed| ContainerState {
            exit_code: Some(exit_code),
            oom_killed: Some(oom_killed),
            ..ContainerState::default()
        };
        assert_eq!(describe(&state(2, false)), "exit code 2");
        assert_eq!(describe(&state(137, false)), "killed by signal 9");
        assert_eq!(describe(&state(137, true)), "out of memory, killed by signal 9");
    }
}
