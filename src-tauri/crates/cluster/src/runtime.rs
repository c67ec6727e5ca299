//! What every runtime can do: run the members of a topology, and tell how they fare as processes.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::ClusterError;

/// A member that was started, with its addresses on this host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Node {
    /// Member name.
    pub name: String,
    /// `http://127.0.0.1:2379`.
    pub client: String,
    /// Where its peers find it: `http://127.0.0.1:2380`; in Docker, where that is no door of this host,
    /// `http://etcd-1:2380`.
    pub peer: String,
    /// `http://127.0.0.1:11180`.
    pub gofail: String,
    /// Process id, while it runs natively.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Id of its container in Docker, shortened as Docker does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// Variable in every member's environment that holds the lab's id. Not named after etcd, which warns of every
/// `ETCD_…` that it doesn't know.
pub(crate) const LAB_ID: &str = "METRICS_LAB_ID";

/// What can be done to one member. Starting it again is [`Runtime::restart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberAction {
    /// Ask it to end, and wait until it has; who doesn't in time is killed.
    Stop,
    /// End it at once.
    Kill,
    /// Hold it: it keeps its memory and its connections and does nothing.
    Pause,
    /// Let it go on.
    Resume,
}

/// How far a member is on its way to ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberProgress {
    /// Member name.
    pub member: String,
    /// It answers requests that need no quorum.
    pub healthy: bool,
    /// It answers requests that need one, so it knows a leader.
    pub has_leader: bool,
}

/// Is told how far each member is, whenever that changes.
pub type OnProgress<'a> = dyn Fn(&[MemberProgress]) + Send + Sync + 'a;

/// Is told of a member's new process as soon as it runs.
pub type OnLaunched<'a> = dyn Fn(&Node) + Send + Sync + 'a;

/// A member's process ended without being told to.
#[derive(Clone, Debug)]
pub struct Exit {
    /// Member name.
    pub member: String,
    /// How it ended, in words: "exit code 1", "killed by signal 9".
    pub how: String,
    /// What its log of this run gives as the reason, if anything.
    pub reason: Option<String>,
    /// The last lines of its log of this run, oldest first.
    pub log: Vec<String>,
}

/// Runs one cluster. Methods may be called from any task; only one of `start`, `stop`, `restart`, `act` is under way
/// at a time, the others wait.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// `native` or `docker`.
    fn kind(&self) -> &'static str;

    /// Starts all members together and waits until every one is healthy and knows a leader. When that fails,
    /// what was started is stopped again. Who drops the future half-way calls `stop` afterwards.
    ///
    /// # Errors
    /// See [`ClusterError`]; nothing runs after an error.
    async fn start(&self, progress: &OnProgress<'_>) -> Result<Vec<Node>, ClusterError>;

    /// Stops all members; those that do not end when asked are killed. Done when all are gone.
    async fn stop(&self);

    /// Stops one member, starts it again with its data, tells `launched` of the new process at once, and waits until
    /// it is ready.
    ///
    /// # Errors
    /// See [`ClusterError`]; the other members go on.
    async fn restart(&self, member: &str, launched: &OnLaunched<'_>) -> Result<Node, ClusterError>;

    /// Does something to one member. Its end is not told by [`Runtime::exits`] then; it is brought back by
    /// [`Runtime::restart`]. Done when it is so.
    ///
    /// # Errors
    /// When there is no such member, or it doesn't run.
    async fn act(&self, member: &str, action: MemberAction) -> Result<(), ClusterError>;

    /// Members as started, in the order of the topology; empty before `start` and after `stop`.
    fn nodes(&self) -> Vec<Node>;

    /// Tells of members that end without being told to.
    fn exits(&self) -> broadcast::Receiver<Exit>;

    /// The last `lines` lines of a member's log, oldest first.
    ///
    /// # Errors
    /// When there is no such member or its log can't be read.
    fn log(&self, member: &str, lines: usize) -> Result<Vec<String>, ClusterError>;

    /// Where a member's log lies.
    fn log_file(&self, member: &str) -> Option<PathBuf>;

    /// Where the proxies between members are told what to do, when this runtime has brought them along:
    /// `http://127.0.0.1:8474`. Absent before `start` and after `stop`.
    fn links_url(&self) -> Option<String> {
        None
    }
}
