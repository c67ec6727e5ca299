//! What a person is told when a fault can't be set or taken back.

use lab_faults::{GofailError, LinkError, LinksError, TermError};

use super::{Problem, no_such_member};

/// A text that is no failpoint term.
pub fn term(error: &TermError) -> Problem {
    Problem::new(
        "bad-term",
        format!("That is no term of a failpoint: {error}."),
        "Terms are such as `sleep(100)`, `40.0%return(true)` or `3*sleep(1000)->off`.",
    )
}

/// A failpoint that could not be set or cleared (`done` says which) at some members; at the others it was.
pub fn failpoint(name: &str, done: &str, at: &[&str], not_at: &[(&str, GofailError)]) -> Problem {
    let members = |names: &[&str]| names.join(" and ");
    let silent: Vec<&str> = not_at.iter().map(|(member, _)| *member).collect();
    let details: Vec<String> = not_at.iter().map(|(_, error)| error.to_string()).collect();
    let others = if at.is_empty() { String::new() } else { format!(" At {} it was.", members(at)) };
    let is_unknown = |(_, error): &(&str, GofailError)| matches!(error, GofailError::NoSuchFailpoint { .. });
    let problem = if not_at.iter().all(is_unknown) {
        Problem::new(
            "no-such-failpoint",
            format!("There is no failpoint {name} at {}.{others}", members(&silent)),
            "`etcd-labctl fault list` names those that there are.",
        )
    } else {
        Problem::new(
            "failpoint-unreachable",
            format!("{name} was not {done} at {}.{others}", members(&silent)),
            "A member that has ended or hangs can't be asked: its card says which. Then try again.",
        )
    };
    problem.detail(details.join("; "))
}

/// Nothing with which members' failpoints could be set.
pub fn no_client(error: &dyn std::fmt::Display) -> Problem {
    Problem::new("failpoints-failed", "The members' failpoints can't be reached.", "Start the lab anew.")
        .detail(error)
}

/// No member tells its failpoints.
pub fn no_failpoints(error: &GofailError) -> Problem {
    Problem::new(
        "failpoint-unreachable",
        "No member tells its failpoints.",
        "Look whether the members run: `etcd-labctl status`.",
    )
    .detail(error)
}

/// Links were to be shaped where members speak with each other directly.
pub fn no_links() -> Problem {
    Problem::new(
        "no-links",
        "The members of this cluster speak with each other directly, so their links can't be shaped.",
        "Stop it and start with `--topology etcd-bridge`.",
    )
}

/// What helps when the proxy between members in containers has ended.
const START_PROXY: &str = "Start its container again, with all links healed (`docker ps --all` names it, \
     `docker start` starts it), or stop the cluster and start it anew.";

/// Links that can't be shaped: as asked, or because their proxy doesn't do it.
pub fn links(error: &LinksError) -> Problem {
    match error {
        LinksError::Link(error) => link(error),
        LinksError::Gone { .. } => {
            Problem::new("links-gone", "The proxy between the members has ended.", START_PROXY).detail(error)
        }
        error => Problem::new(
            "links-unreachable",
            "The proxy between the members doesn't answer as it should.",
            "Try again. When that doesn't help, stop the cluster and start it anew.",
        )
        .detail(error),
    }
}

/// The proxy between the members ended by itself while the cluster ran.
pub fn links_ended(how: &str, log: Vec<String>) -> Problem {
    let sentence =
        format!("The proxy between the members ended by itself ({how}): they reach each other no longer.");
    Problem { log, ..Problem::new("links-gone", sentence, START_PROXY) }
}

/// A link that can't be shaped as asked.
pub fn link(error: &LinkError) -> Problem {
    let (sentence, next) = match error {
        LinkError::NoSuchLink { from, to } if from == to => {
            (format!("{from} has no link to itself."), "Name two members, or `all`.")
        }
        LinkError::NoSuchLink { from, to } => return no_such_member(&format!("{from} or {to}")),
        LinkError::JitterOverDelay { jitter, delay } => (
            format!(
                "A jitter of {} ms is larger than the delay, {} ms.",
                jitter.as_millis(),
                delay.as_millis()
            ),
            "Give a delay of at least the jitter.",
        ),
        LinkError::TooLong(delay) => {
            (format!("A delay of {} ms is longer than a minute.", delay.as_millis()), "Give a shorter one.")
        }
        LinkError::NoBandwidth => {
            ("A bandwidth of 0 bytes a second lets nothing pass.".into(), "Give more, or cut the link.")
        }
    };
    Problem::new("bad-link", sentence, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_can_not_be_shaped_so_is_told_from_a_proxy_that_does_nothing() {
        let url = || "http://127.0.0.1:1".to_owned();
        let itself = LinkError::NoSuchLink { from: "etcd-1".into(), to: "etcd-1".into() };
        for (error, code, sentence) in [
            (LinkError::NoBandwidth.into(), "bad-link", "A bandwidth of 0 bytes a second lets nothing pass."),
            (itself.into(), "bad-link", "etcd-1 has no link to itself."),
            (
                LinksError::Gone { url: url(), reason: "refused".into() },
                "links-gone",
                "The proxy between the members has ended.",
            ),
            (
                LinksError::TimedOut { url: url() },
                "links-unreachable",
                "The proxy between the members doesn't answer as it should.",
            ),
        ] {
            let problem = links(&error);
            assert_eq!((problem.code.as_str(), problem.sentence.as_str()), (code, sentence));
            assert_eq!(problem.detail.is_empty(), code == "bad-link");
        }
    }

    #[test]
    fn who_was_not_set_is_told_and_who_was() {
        let gone = || GofailError::TimedOut { url: "http://127.0.0.1:1".into() };
        let unknown = || GofailError::NoSuchFailpoint { url: "http://127.0.0.1:1".into(), name: "f".into() };
        for (at, not_at, code, sentence) in [
            (
                vec!["etcd-1", "etcd-3"],
                vec![("etcd-2", gone())],
                "failpoint-unreachable",
                "f was not set at etcd-2. At etcd-1 and etcd-3 it was.",
            ),
            (vec![], vec![("etcd-1", unknown())], "no-such-failpoint", "There is no failpoint f at etcd-1."),
            (
                vec![],
                vec![("etcd-1", unknown()), ("etcd-2", gone())],
                "failpoint-unreachable",
                "f was not set at etcd-1 and etcd-2.",
            ),
        ] {
            let problem = failpoint("f", "set", &at, &not_at);
            assert_eq!((problem.code.as_str(), problem.sentence.as_str()), (code, sentence));
        }
    }
}
