//! From what went wrong inside to what a person is told: the one place where codes, sentences and next steps
//! are written.

mod course;
mod docker;
mod faults;

use std::io;
use std::time::Duration;

use lab_bench::BenchError;
use lab_cluster::{ClusterError, PortTaken};
use lab_etcd::EtcdError;

use crate::api::Problem;

pub use course::*;
pub use docker::*;
pub use faults::*;

/// A cluster that can't start or go on.
pub fn cluster(error: ClusterError) -> Problem {
    let detail = error.to_string();
    match error {
        ClusterError::PortsTaken(ports) => ports_taken(&ports),
        ClusterError::BinaryMissing { name, .. } => Problem::new(
            "binary-missing",
            format!("The program {name}, which this lab brings along, is not there."),
            "In a checkout, run `make etcd`; an installed lab must be installed anew.",
        )
        .detail(detail),
        ClusterError::BinaryUnusable { path, reason } => Problem::new(
            "binary-unusable",
            format!("{} can't run here: {reason}.", path.display()),
            "In a checkout, run `make etcd` on this machine; otherwise install the lab built for it.",
        ),
        ClusterError::Folder { path, source } => folder(&path, &source),
        ClusterError::MemberDied { member, how, reason, log } => {
            let full = is_disk_full(&reason) || log.iter().any(|line| is_disk_full(line));
            let (code, next) = if full {
                ("disk-full", "Make room on that disk, or choose another data folder, and start again.")
            } else {
                ("member-died", "Its last log lines are below; start again once the cause is mended.")
            };
            let sentence =
                format!("{member} ended while it started ({how}): {reason}. The other members were stopped.");
            Problem::new(code, sentence, next).member(&member, log)
        }
        ClusterError::NotReady { member, waited_s, reason, log } => Problem::new(
            "not-ready",
            format!("{member} was not ready after {waited_s} s: {reason}. All members were stopped."),
            "Its last log lines are below; a slow disk or a busy machine is the usual cause.",
        )
        .member(&member, log),
        ClusterError::NoSuchMember(member) => no_such_member(&member),
        ClusterError::NotRunning(member) => Problem::new(
            "member-not-running",
            format!("{member} does not run."),
            "Start it again: from its card, or with `etcd-labctl restart`.",
        ),
        ClusterError::AlreadyRunning => already_running(),
        error @ (ClusterError::ImageAbsent { .. }
        | ClusterError::EngineFull { .. }
        | ClusterError::EngineLost { .. }
        | ClusterError::EngineRefused { .. }
        | ClusterError::NoWatcher { .. }) => in_docker(error),
        ClusterError::CalledOff => called_off(),
        ClusterError::DataOfOtherPorts { .. } => Problem::new(
            "data-of-other-ports",
            "The data of the last run belongs to other ports: members know each other by them.",
            "Start on free ports (`--ports auto`), which are then those of the data; or start fresh.",
        )
        .detail(detail),
        ClusterError::DataOfOtherTopology { peer_proxy } => {
            let (was, now, name) = if peer_proxy {
                ("through proxies", "directly", "etcd-bridge")
            } else {
                ("directly", "through proxies", "etcd")
            };
            Problem::new(
                "data-of-other-topology",
                format!(
                    "The data of the last run is of members that reached each other {was}; these would {now}, and \
                     not find each other by the addresses in it."
                ),
                format!("Start with `--topology {name}`, where that data belongs; or start fresh."),
            )
        }
        ClusterError::NoPeerProxy(_) => Problem::new(
            "no-peer-proxy",
            "The members would have no way to each other.",
            "Start the program anew; if it stays so, start with `--topology etcd`.",
        )
        .detail(detail),
        ClusterError::NoFreePorts(_) => Problem::new(
            "no-free-ports",
            "No free ports were found on this machine.",
            "End some programs that listen on many ports, and start again.",
        )
        .detail(detail),
        ClusterError::Topology(_) => Problem::new(
            "topology-unusable",
            "The topology file can't be used.",
            "Restore the files in compose and build again.",
        )
        .detail(detail),
    }
}

/// A member that could not be restarted; the others are not concerned.
pub fn restart(error: ClusterError) -> Problem {
    let (member, log, sentence) = match error {
        ClusterError::MemberDied { member, how, reason, log } => {
            let sentence = format!("{member} ended while it started again ({how}): {reason}.");
            (member, log, sentence)
        }
        ClusterError::NotReady { member, waited_s, reason, log } => {
            let sentence = format!("{member} runs again, but was not ready after {waited_s} s: {reason}.");
            (member, log, sentence)
        }
        other => return cluster(other),
    };
    let (code, next) = if is_disk_full(&sentence) {
        ("disk-full", "Make room on that disk, then restart the member from its card.")
    } else {
        (
            "restart-failed",
            "It needs a majority of members beside it; its last log lines say what else it lacks.",
        )
    };
    Problem::new(code, sentence, next).member(&member, log)
}

fn ports_taken(ports: &[PortTaken]) -> Problem {
    let who = |taken: &PortTaken| {
        taken.holder.as_ref().map_or("somebody else".into(), |(pid, name)| format!("{name}, process {pid}"))
    };
    let what = match ports {
        [one] => format!("Port {} ({} of {}) is taken by {}.", one.port, one.what, one.member, who(one)),
        several => {
            let each = several.iter().map(|taken| {
                format!("{} ({} of {}) by {}", taken.port, taken.what, taken.member, who(taken))
            });
            format!("Ports are taken: {}.", each.collect::<Vec<_>>().join("; "))
        }
    };
    Problem::new(
        "port-taken",
        format!("{what} Nothing was started."),
        "End that program, or move the lab to free ports: the button in the window, `--ports auto` in the terminal.",
    )
}

/// Ports taken by another lab of this person's.
pub fn other_lab_runs(id: &str, host: &str, pid: u32) -> Problem {
    let who = if host == "app" { "the app" } else { "a terminal" };
    Problem::new(
        "port-taken",
        format!("Lab {id} ({who}, process {pid}) already runs on these ports. Nothing was started."),
        "Look at it with `etcd-labctl status`, stop it with `etcd-labctl down`, or start another one beside it on free \
         ports: the button in the window, `--ports auto` in the terminal.",
    )
}

/// A folder or file that can't be made or written.
pub fn folder(path: &std::path::Path, error: &io::Error) -> Problem {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::new(
            "disk-full",
            format!("There is no room left for {path}."),
            "Make room on that disk, or choose another data folder, and start again.",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Problem::new(
            "folder-unwritable",
            format!("{path} may not be written by you."),
            "Choose another folder (`--data-dir`), or change who may write there.",
        ),
        _ => Problem::new(
            "folder-unwritable",
            format!("{path} can't be written."),
            "Choose another folder (`--data-dir`), or see the detail for what the system says.",
        ),
    }
    .detail(error)
}

/// Whether a text of the operating system's or of etcd's says that a disk is full.
pub fn is_disk_full(text: &str) -> bool {
    text.contains("no space left on device") || text.contains("disk quota exceeded")
}

/// A member that ended by itself while the cluster ran.
pub fn member_exited(member: &str, how: &str, reason: Option<&str>, log: Vec<String>) -> Problem {
    let full = reason.is_some_and(is_disk_full);
    let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let next = if full {
        "Make room on that disk, then restart the member from its card."
    } else {
        "The others go on while they have a majority; restart it from its card."
    };
    let code = if full { "disk-full" } else { "member-exited" };
    Problem::new(code, format!("{member} ended by itself ({how}){because}."), next).member(member, log)
}

/// No member of that name.
pub fn no_such_member(member: &str) -> Problem {
    Problem::new(
        "no-such-member",
        format!("There is no member {member}."),
        "`etcd-labctl status` lists the members.",
    )
}

/// Start was asked of a cluster that runs.
pub fn already_running() -> Problem {
    Problem::new("already-running", "The cluster runs already.", "Stop it first to start it anew.")
}

/// The cluster was stopped before what was asked had come about.
pub fn called_off() -> Problem {
    Problem::new("called-off", "The cluster was stopped before that was done.", "Start again when you like.")
}

/// Something that needs a running cluster was asked without one.
pub fn not_running() -> Problem {
    Problem::new("not-running", "No cluster runs.", "Start it first.")
}

/// The cluster is on its way up or down.
pub fn busy(doing: &str) -> Problem {
    Problem::new(
        "busy",
        format!("The cluster is {doing} just now."),
        "Wait until that is done, then try again.",
    )
}

/// A request to a member that failed.
pub fn etcd(error: &EtcdError) -> Problem {
    let problem = match error {
        EtcdError::Refused { message, code, member } => {
            let next = if message.contains("database space exceeded") {
                "Compact, defragment each member, and disarm the alarm; or delete keys first."
            } else if message.contains("required revision") {
                "Choose a revision between the last compaction and the present one."
            } else {
                "etcd's message says why; `etcd-labctl log` shows more."
            };
            Problem::new("etcd-refused", format!("{member} refused: {message} ({code})."), next)
        }
        EtcdError::TimedOut { member, within } => Problem::new(
            "etcd-timed-out",
            format!("{member} did not answer within {} s.", within.as_secs()),
            "It may be slowed, busy or without a leader: its card says which.",
        ),
        EtcdError::Unreachable { member, .. } => Problem::new(
            "etcd-unreachable",
            format!("{member} can't be reached."),
            "Its card and its log say why; restart it if it has ended.",
        ),
        EtcdError::NoLeader => Problem::new(
            "no-leader",
            "No member knows a leader, so nothing can be written or read for sure.",
            "Wait for an election, or bring members back until a majority runs.",
        ),
        EtcdError::NoSuchMember(member) => no_such_member(member),
        EtcdError::Address(address) => Problem::new(
            "bad-address",
            format!("{address} is not an address of a member."),
            "Give it as `http://127.0.0.1:2379`.",
        ),
    };
    problem.detail(error)
}

/// A load that can't begin or go on.
pub fn load(error: &BenchError) -> Problem {
    let problem = match error {
        BenchError::Spec(spec) => Problem::new(
            "bad-load",
            format!("{}: {}.", spec.flag, spec.sentence.trim_end_matches('.')),
            "Change that number and start again.",
        ),
        BenchError::TooFewFiles { conns, needed, limit } => Problem::new(
            "too-few-files",
            format!("{conns} connections need {needed} open files; this program may open {limit}."),
            "Take fewer connections, or raise the limit (`ulimit -n`) and start the lab anew.",
        ),
        BenchError::NoMember { .. } => Problem::new(
            "no-member",
            "No member can be reached.",
            "Start the cluster, or give the addresses of one that runs with --endpoints.",
        ),
        _ => Problem::new("load-failed", "The load could not be carried out.", "The detail says why."),
    };
    problem.detail(error)
}

/// An expression that doesn't parse or can't be evaluated.
pub fn query(error: impl std::fmt::Display) -> Problem {
    Problem::new(
        "bad-query",
        format!("The query can't be evaluated: {error}."),
        "Change the expression and ask again.",
    )
}

/// A query that ran, or waited for its turn, longer than one may.
pub fn query_timed_out(within: Duration) -> Problem {
    Problem::new(
        "query-timed-out",
        format!("The query took longer than {} s and was ended.", within.as_secs()),
        "Ask for less: fewer series, a shorter range or a longer step.",
    )
}

/// A lab whose program runs and says nothing.
pub fn lab_silent(within: Duration) -> Problem {
    Problem::new(
        "lab-silent",
        format!("That lab has not answered for {} s.", within.as_secs()),
        "If its program was stopped with Ctrl-Z, `fg` in its terminal lets it go on.",
    )
}

/// An answer longer than a line of the control socket may be.
pub fn answer_too_large(bytes: usize, most: usize) -> Problem {
    Problem::new(
        "answer-too-large",
        format!("The answer has {} MiB; at most {} are given out at once.", bytes >> 20, most >> 20),
        "Ask for less: fewer series, a shorter range or a longer step.",
    )
}

/// A request longer than a line of the control socket may be.
pub fn request_too_large(most: usize) -> Problem {
    Problem::new(
        "request-too-large",
        format!("The request is larger than {} MiB.", most >> 20),
        "Ask with a shorter text.",
    )
}

/// A request or an answer that the other program's version doesn't know.
pub fn other_language(error: impl std::fmt::Display) -> Problem {
    Problem::new(
        "other-version",
        "The running lab is of another version, and the two do not understand each other in this.",
        "Use the etcd-labctl that came with the running lab.",
    )
    .detail(error)
}

/// The task that owns the lab is gone.
pub fn lab_ended() -> Problem {
    Problem::new("lab-ended", "This lab has ended.", "Start the program anew.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_ports_are_listed_with_their_holders() {
        let taken = |port, holder| PortTaken { member: "etcd-1".into(), what: "client", port, holder };
        let one = cluster(ClusterError::PortsTaken(vec![taken(2379, Some((42, "etcd".into())))]));
        assert_eq!(
            one.sentence,
            "Port 2379 (client of etcd-1) is taken by etcd, process 42. Nothing was started."
        );
        let problem = cluster(ClusterError::PortsTaken(vec![
            taken(2379, Some((42, "etcd".into()))),
            taken(2380, None),
        ]));
        assert_eq!(problem.code, "port-taken");
        assert_eq!(
            problem.sentence,
            "Ports are taken: 2379 (client of etcd-1) by etcd, process 42; 2380 (client of etcd-1) by somebody else. \
             Nothing was started."
        );
    }

    #[test]
    fn a_full_disk_is_told_from_other_deaths() {
        let died = |reason: &str| {
            cluster(ClusterError::MemberDied {
                member: "etcd-2".into(),
                how: "exit code 1".into(),
                reason: reason.into(),
                log: vec![],
            })
            .code
        };
        assert_eq!(died("write: no space left on device"), "disk-full");
        assert_eq!(died("bad flag"), "member-died");
    }
}
