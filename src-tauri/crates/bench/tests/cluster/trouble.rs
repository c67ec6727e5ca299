//! Loads on members that die, stall or refuse: the run goes on, and tells what happened to whom.

use std::time::Duration;

use lab_bench::{BenchSpec, CancellationToken, Ended, GrpcCode, Progress, Put, Workload};
use lab_cluster::Runtime;
use rustix::process::Signal;
use tokio::sync::mpsc;

use crate::lab::{Lab, puts, run};

const MIB: u64 = 1 << 20;

/// Longest that a test waits for something to happen.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_full_database_is_told_by_code_and_message_and_the_run_goes_on() {
    let lab = Lab::start(Some(16 * MIB)).await;
    let workload = Workload::Put(Put { val_size: 100_000, key_space_size: 1_000, ..Put::default() });
    let (report, _) = run(BenchSpec { total: Some(1_000), ..lab.load(workload) }).await;
    assert_eq!(report.ended, Ended::Total);
    assert!(report.answers > 50 && report.errors > 50, "{report:?}");
    assert_eq!(report.answers + report.errors, 1_000);
    let full = &report.error_counts[0];
    assert_eq!(full.code, GrpcCode::ResourceExhausted, "{report:?}");
    assert_eq!(full.message, "etcdserver: mvcc: database space exceeded");
    assert_eq!(report.latency.unwrap().count, report.answers, "errors stay out of the latency");
    lab.runtime.stop().await;
}

#[tokio::test]
async fn a_member_that_dies_is_told_apart_and_used_again_when_it_returns() {
    let lab = Lab::start(None).await;
    let cancel = CancellationToken::new();
    let (told, mut seen) = mpsc::unbounded_channel();
    let spec = BenchSpec { total: Some(100_000_000), ..lab.load(puts()) };
    let load = tokio::spawn(lab_bench::run(spec, cancel.clone(), move |progress| {
        let _ = told.send(progress);
    }));

    until(&mut seen, |progress| progress.answers > 0).await;
    lab.signal(1, Signal::KILL);
    let down = until(&mut seen, |progress| {
        let [first, dead, third] = &progress.members[..] else { return false };
        dead.conns_open == 0 && dead.error_rate > 0.0 && first.rate > 0.0 && third.rate > 0.0
    })
    .await;
    let errors = &down.error_counts;
    assert!(errors.iter().any(|kind| kind.code == GrpcCode::Unavailable), "{errors:?}");

    lab.runtime.restart(&lab.nodes[1].name, &|_| {}).await.unwrap();
    until(&mut seen, |progress| progress.members[1].conns_open == 3 && progress.members[1].rate > 0.0).await;
    cancel.cancel();
    let report = load.await.unwrap().unwrap();
    assert_eq!(report.ended, Ended::Cancelled);
    assert!(report.errors < 2_000, "a dead member must not be hammered: {report:?}");
    lab.runtime.stop().await;
}

#[tokio::test]
async fn a_stall_shows_in_an_open_loop_and_ends_in_time_outs() {
    let lab = Lab::start(None).await;
    let (told, mut seen) = mpsc::unbounded_channel();
    let spec = BenchSpec {
        total: None,
        rate: Some(100),
        duration: Some(Duration::from_secs(6)),
        timeout: Some(Duration::from_millis(500)),
        ..lab.load(puts())
    };
    let load = tokio::spawn(lab_bench::run(spec, CancellationToken::new(), move |progress| {
        let _ = told.send(progress);
    }));
    until(&mut seen, |progress| progress.answers > 50).await;
    (0..3).for_each(|member| lab.signal(member, Signal::STOP));
    let stalled = until(&mut seen, |progress| progress.answers > 0 && progress.rate == 0.0).await;
    (0..3).for_each(|member| lab.signal(member, Signal::CONT));
    assert!(
        stalled.backlog > 0,
        "nine clients can't send a hundred requests a second that hang: {stalled:?}"
    );

    let report = load.await.unwrap().unwrap();
    let late = report.error_counts.iter().find(|kind| kind.code == GrpcCode::DeadlineExceeded).unwrap();
    assert!(late.message.contains("500ms"), "{late:?}");
    // Requests that were due in the stall waited for a free client, and that counts: the slowest answer took longer
    // than any one request may.
    assert!(report.latency.unwrap().max_s > 0.5, "{report:?}");
    lab.runtime.stop().await;
}

async fn until(seen: &mut mpsc::UnboundedReceiver<Progress>, wanted: impl Fn(&Progress) -> bool) -> Progress {
    let found = async {
        loop {
            let progress = seen.recv().await.unwrap();
            if wanted(&progress) {
                return progress;
            }
        }
    };
    tokio::time::timeout(LIMIT, found).await.unwrap()
}
