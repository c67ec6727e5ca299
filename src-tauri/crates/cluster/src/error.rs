//! Why a cluster can't start or go on. Each variant carries what a person needs to mend it.

use std::path::PathBuf;

use crate::TopologyError;

/// A port the cluster needs that somebody else listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortTaken {
    /// Member that needs it.
    pub member: String,
    /// What for: `client`, `peer` or `gofail`.
    pub what: &'static str,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Process id and name of who listens there, where the system tells.
    pub holder: Option<(u32, String)>,
}

impl std::fmt::Display for PortTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "port {} ({} of {}) is taken", self.port, self.what, self.member)?;
        match &self.holder {
            Some((pid, name)) => write!(f, " by {name} (process {pid})"),
            None => Ok(()),
        }
    }
}

/// Why a cluster can't start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The topology file is not usable.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// Ports are taken.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    PortsTaken(Vec<PortTaken>),
    /// A program of the lab's is not there.
    #[error("the program {name} is not in {}", .looked_in.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(" or "))]
    BinaryMissing {
        /// Its file name.
        name: String,
        /// Folders that were looked into.
        looked_in: Vec<PathBuf>,
    },
    /// A program of the lab's is there, but this machine can't run it.
    #[error("{} can't run on this machine: {reason}", .path.display())]
    BinaryUnusable {
        /// Where it is.
        path: PathBuf,
        /// Why, such as "it is built for aarch64, this machine is x86_64".
        reason: String,
    },
    /// A folder or file can't be made or written.
    #[error("{} can't be written: {source}", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A member ended while it was waited for.
    #[error("{member} ended while starting ({how}): {reason}")]
    MemberDied {
        /// Which.
        member: String,
        /// "exit code 1", "killed by signal 9".
        how: String,
        /// What its log gives as the reason; how it ended when the log gives none.
        reason: String,
        /// The end of its log, oldest line first.
        log: Vec<String>,
    },
    /// A member did not become ready in time.
    #[error("{member} was not ready after {waited_s} s: {reason}")]
    NotReady {
        /// Which; the first of several.
        member: String,
        /// How long it was waited for, seconds.
        waited_s: u64,
        /// What was still missing.
        reason: String,
        /// The end of its log, oldest line first.
        log: Vec<String>,
    },
    /// The data that is to be kept was written by members on other ports; their addresses are part of it.
    #[error("the data of {member} belongs to peer port {port}")]
    DataOfOtherPorts {
        /// The first of them.
        member: String,
        /// Its peer port when it wrote the data.
        port: u16,
    },
    /// The data that is to be kept was written by members that knew each other by other names: directly where they
    /// now have proxies, or the other way round.
    #[error("the data is of members that reached each other {}", if *.peer_proxy { "through proxies" } else { "directly" })]
    DataOfOtherTopology {
        /// Whether they went through proxies when the data was written.
        peer_proxy: bool,
    },
    /// The topology wants a proxy a member, and there is none for this one.
    #[error("there is no proxy through which {0} could reach its peers")]
    NoPeerProxy(String),
    /// The system has no free ports.
    #[error("no free ports were found on 127.0.0.1: {0}")]
    NoFreePorts(std::io::Error),
    /// The cluster was stopped before it, or the member that was restarted, was ready.
    #[error("the cluster was stopped meanwhile")]
    CalledOff,
    /// There is no member of that name.
    #[error("there is no member {0}")]
    NoSuchMember(String),
    /// The engine doesn't have the image that members run from.
    #[error("the image {reference} is not there")]
    ImageAbsent {
        /// Name and tag.
        reference: String,
    },
    /// The engine has no room left for what it is asked to make.
    #[error("the Docker engine's disk is full: {reason}")]
    EngineFull {
        /// What the engine said.
        reason: String,
    },
    /// The engine doesn't answer any more.
    #[error("the Docker engine at {endpoint} doesn't answer: {reason}")]
    EngineLost {
        /// Its address.
        endpoint: String,
        /// What happened to the question.
        reason: String,
    },
    /// The engine said no.
    #[error("the Docker engine could not {doing}: {reason}")]
    EngineRefused {
        /// What it was asked for, such as "start etcd-1".
        doing: String,
        /// What it said.
        reason: String,
    },
    /// The program that removes the containers should this one be killed can't be started; without it none is made.
    #[error("the program that watches over the containers can't be started: {reason}")]
    NoWatcher {
        /// Why.
        reason: String,
    },
    /// The member has ended, or was never started.
    #[error("{0} doesn't run")]
    NotRunning(String),
    /// The cluster runs already.
    #[error("the cluster runs already")]
    AlreadyRunning,
}
