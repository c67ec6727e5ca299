//! Waiting until members are ready, whoever runs them: each is asked how it is until all answer well, one of them ends,
//! or time is up.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join_all, select_all};
use tokio::time::{Instant, sleep, timeout_at};

use crate::health::{self, Health};
use crate::log::last_words;
use crate::{ClusterError, MemberProgress, OnProgress};

/// How long members get to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between two questions to a member that isn't ready.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// One member that is waited for.
pub struct Waited {
    /// Member name.
    pub name: String,
    /// `http://127.0.0.1:2379`.
    pub client: String,
    /// Its log.
    pub log: PathBuf,
    /// Where its log of this run begins, bytes.
    pub log_start: u64,
}

/// How a member that is waited for ended.
pub enum End {
    /// It was told to.
    CalledOff,
    /// By itself, in words: "exit code 1".
    Died(String),
}

/// A client for members' own HTTP.
pub fn http() -> reqwest::Client {
    // Members are on this machine, and a person's proxy is not the way there. Building a client without TLS can't
    // fail; if it did, the default one would differ in the proxy only.
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}

/// Waits until every member is healthy and knows a leader. What stands beside each resolves when it ends, once its log
/// is complete.
///
/// # Errors
/// When one ends or they take too long.
pub async fn wait_until_ready(
    http: &reqwest::Client,
    members: Vec<(Waited, BoxFuture<'_, End>)>,
    progress: &OnProgress<'_>,
) -> Result<(), ClusterError> {
    let deadline = Instant::now() + READY_WITHIN;
    let (members, ends): (Vec<Waited>, Vec<_>) = members.into_iter().unzip();
    let seen = Mutex::new(
        members
            .iter()
            .map(|one| MemberProgress { member: one.name.clone(), healthy: false, has_leader: false })
            .collect::<Vec<_>>(),
    );
    let report = |at: usize, health: Health| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if (seen[at].healthy, seen[at].has_leader) != (health.healthy, health.has_leader) {
            (seen[at].healthy, seen[at].has_leader) = (health.healthy, health.has_leader);
            progress(&seen);
        }
    };
    progress(&seen.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let ready = join_all(members.iter().enumerate().map(|(at, one)| {
        let report = &report;
        async move {
            loop {
                let health = health::ask(http, &one.client).await;
                report(at, health);
                if health.healthy && health.has_leader {
                    return;
                }
                sleep(ASK_EVERY).await;
            }
        }
    }));
    tokio::select! {
        result = timeout_at(deadline, ready) => result.map(drop).map_err(|_| {
            not_ready(&seen.lock().unwrap_or_else(PoisonError::into_inner), &members)
        }),
        (end, at, _) = select_all(ends) => Err(ended(&members[at].name, end, &members[at].log, members[at].log_start)),
    }
}

/// What is told of one that ended while it was needed; its log of this run begins at `log_start`.
pub fn ended(name: &str, end: End, log: &Path, log_start: u64) -> ClusterError {
    match end {
        End::CalledOff => ClusterError::CalledOff,
        End::Died(how) => {
            let (reason, log) = last_words(log, log_start);
            let reason = reason.unwrap_or_else(|| "its log gives no reason".into());
            ClusterError::MemberDied { member: name.to_owned(), how, reason, log }
        }
    }
}

fn not_ready(seen: &[MemberProgress], members: &[Waited]) -> ClusterError {
    let behind = seen.iter().find(|member| !(member.healthy && member.has_leader)).or(seen.first());
    let (member, reason) = behind.map_or_else(Default::default, |member| {
        let missing = if member.healthy { "it knew no leader" } else { "it did not answer" };
        (member.member.clone(), missing.to_owned())
    });
    let log = members.iter().find(|one| one.name == member);
    let log = log.map_or_else(Vec::new, |one| last_words(&one.log, one.log_start).1);
    ClusterError::NotReady { member, waited_s: READY_WITHIN.as_secs(), reason, log }
}
