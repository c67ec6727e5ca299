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
    /// `http://127.0.0.1:2380`.
    pub peer: String,
    /// `http://127.0.0.1:11180`.
    pub gofail: String,
    /// Process id, while it runs natively.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
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

/// Runs one cluster. Methods may be called from any task; only one of `start`, `stop`, `restart` is under way
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
}
