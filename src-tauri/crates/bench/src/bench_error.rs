//! Why a load could not begin.

use crate::SpecError;

/// A load that could not begin. Errors of its requests are none of these: they are counted in its report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// It can't be carried out as specified.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An endpoint is no address.
    #[error("`{0}` is no `host:port`")]
    NoAddress(String),
    /// Each connection is an open file, and this process may not open so many.
    #[error(
        "{conns} connections need {needed} open files, and this process may open no more than {limit}. \
         Raise the limit with `{}`, or take fewer --conns",
        raise_command(*needed)
    )]
    TooFewFiles {
        /// Connections asked for.
        conns: u32,
        /// Files to be open in all.
        needed: u64,
        /// Files that may be open.
        limit: u64,
    },
    /// The limit of open files can't be read or set.
    #[error("the limit of open files can't be raised: {0}")]
    OpenFileLimit(#[source] std::io::Error),
    /// No connection could be opened.
    #[error("no member can be reached: {}", reasons.join("; "))]
    NoMember {
        /// Each distinct reason, with its endpoint.
        reasons: Vec<String>,
    },
    /// A thread of the load could not be started, or ended by itself.
    #[error("a worker of the load failed: {0}")]
    Worker(#[source] std::io::Error),
}

fn raise_command(needed: u64) -> String {
    if cfg!(target_os = "linux") {
        format!("sudo prlimit --pid $$ --nofile={needed}")
    } else {
        format!("sudo launchctl limit maxfiles {needed}")
    }
}
