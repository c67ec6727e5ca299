//! Compactions beside the puts, as etcd's tool does them (`tools/benchmark/cmd/put.go`): each interval, read the
//! revision and compact what is older by the delta. Where etcd's tool panics on a failure, this counts it, says why,
//! and tries the next member at the next interval: a compaction is the whole cluster's, whoever is asked.

use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::{MissedTickBehavior, interval_at};

use super::{
    connection::Connection,
    grpc::{self, Answer},
    worker::Member,
};
use crate::{
    Compact, Compactions,
    errors::{Failure, GrpcCode},
    workload::{framed, proto},
};

/// Longest that either request may take, as in etcd's tool.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Any key will do to read the revision: it stands in the answer's header.
const ANY_KEY: &[u8] = b"foo";

/// What came of the compactions so far.
pub(super) type CompactionLog = Compactions;

/// Compacts until dropped.
pub(super) async fn run(
    compact: Compact,
    members: Vec<Member>,
    dial_timeout: Duration,
    log: Arc<Mutex<CompactionLog>>,
) {
    let conns: Vec<_> = members
        .into_iter()
        .enumerate()
        // A gauge of its own: this connection is none of the load's.
        .map(|(number, member)| {
            let conn = Connection::new(number, member.address.clone(), dial_timeout, Arc::default());
            (conn, member.address.authority)
        })
        .collect();
    let mut ticks = interval_at(tokio::time::Instant::now() + compact.interval, compact.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked = conns.iter().cycle().peekable();
    loop {
        ticks.tick().await;
        let Some((conn, authority)) = asked.peek() else { return };
        let last = lock(&log).last_revision;
        let outcome =
            tokio::time::timeout(2 * TIMEOUT, once(conn, authority, compact.index_delta, last)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let what = format!("no answer within {:?}", 2 * TIMEOUT);
            Err(Failure::new(GrpcCode::DeadlineExceeded, what))
        });
        let mut log = lock(&log);
        match outcome {
            Ok(Some(revision)) => {
                log.done += 1;
                log.last_revision = Some(revision);
            }
            Ok(None) => {}
            Err(failure) => {
                log.failed += 1;
                log.last_error = Some(failure.to_string());
                asked.next();
            }
        }
    }
}

/// One compaction. `None` when there is nothing to compact yet.
async fn once(
    conn: &Rc<Connection>,
    authority: &str,
    index_delta: u64,
    last: Option<i64>,
) -> Result<Option<i64>, Failure> {
    let mut range = BytesMut::new();
    proto::range_request(&mut range, ANY_KEY, b"", false);
    let answer = call(conn, authority, "/etcdserverpb.KV/Range", &range).await?;
    let revision = proto::revision(&answer)
        .ok_or_else(|| Failure::new(GrpcCode::Internal, "the member's answer carries no revision"))?;
    let Some(target) = target(revision, index_delta, last) else { return Ok(None) };
    let mut compaction = BytesMut::new();
    proto::compaction_request(&mut compaction, target);
    call(conn, authority, "/etcdserverpb.KV/Compact", &compaction).await?;
    Ok(Some(target))
}

async fn call(
    conn: &Rc<Connection>,
    authority: &str,
    method: &str,
    message: &[u8],
) -> Result<bytes::Bytes, Failure> {
    let head = grpc::head(authority, method)
        .map_err(|error| Failure::new(GrpcCode::InvalidArgument, error.to_string()))?;
    conn.call(head, framed(message), Answer::Keep).await
}

/// The revision to compact at: nothing when the history is shorter than what is to be kept, or when no revision
/// came since the last compaction (etcd would call it an error).
fn target(revision: i64, index_delta: u64, last: Option<i64>) -> Option<i64> {
    let target = revision.checked_sub(i64::try_from(index_delta).ok()?)?;
    (target > last.unwrap_or(0)).then_some(target)
}

fn lock(log: &Mutex<CompactionLog>) -> std::sync::MutexGuard<'_, CompactionLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_delta_and_never_compacts_twice() {
        for (revision, delta, last, expected) in [
            (10_000, 1_000, None, Some(9_000)),
            (500, 1_000, None, None),
            (1_000, 1_000, None, None),
            (10_000, 1_000, Some(8_000), Some(9_000)),
            (10_000, 1_000, Some(9_000), None),
            (10_000, u64::MAX, None, None),
        ] {
            assert_eq!(target(revision, delta, last), expected, "{revision} - {delta}, last {last:?}");
        }
    }
}
