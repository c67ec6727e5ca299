//! Loads on a cluster that is well.

use std::time::Duration;

use lab_bench::{
    BenchError, BenchSpec, CancellationToken, Compact, Consistency, Ended, Put, Range, Unanswered, Workload,
};
use lab_cluster::Runtime;

use crate::lab::{Lab, puts, run};

#[tokio::test]
async fn a_well_cluster() {
    let lab = Lab::start(None).await;
    puts_arrive_at_all_members_in_turn(&lab).await;
    ranges_are_answered_either_way(&lab).await;
    a_rate_is_kept_for_a_duration(&lab).await;
    compactions_run_beside_the_puts(&lab).await;
    a_cancelled_run_has_a_result(&lab).await;
    one_dead_endpoint_keeps_nothing_from_the_others(&lab).await;
    lab.runtime.stop().await;
}

async fn puts_arrive_at_all_members_in_turn(lab: &Lab) {
    let before = lab.revision().await;
    let spec = BenchSpec { total: Some(3_000), ..lab.load(puts()) };
    let (report, told) = run(spec).await;
    assert_eq!((report.ended, report.answers, report.errors), (Ended::Total, 3_000, 0), "{report:?}");
    assert_eq!(lab.revision().await - before, 3_000);
    assert_eq!(report.histogram.count(), 3_000);
    assert_eq!(report.unanswered, Unanswered::default());
    assert_eq!(told.iter().map(|progress| progress.histogram.count()).sum::<u64>(), 3_000);
    assert_eq!(told.last().unwrap().answers, 3_000);
    for member in &report.members {
        assert_eq!(member.conns, 3);
        // Clients of a slower member get fewer requests through, but none is left out.
        assert!(member.answers > 300, "{member:?}");
    }
    assert_eq!(report.members.iter().map(|member| member.answers).sum::<u64>(), 3_000);
}

async fn ranges_are_answered_either_way(lab: &Lab) {
    for consistency in [Consistency::Linearizable, Consistency::Serializable] {
        let range = Range { key: "\u{1}".into(), range_end: Some("\u{ff}".into()), consistency };
        let (report, _) = run(BenchSpec { total: Some(500), ..lab.load(Workload::Range(range)) }).await;
        assert_eq!((report.answers, report.errors), (500, 0), "{consistency:?}: {report:?}");
    }
}

async fn a_rate_is_kept_for_a_duration(lab: &Lab) {
    let spec = BenchSpec {
        total: None,
        rate: Some(200),
        duration: Some(Duration::from_secs(3)),
        clients: 50,
        ..lab.load(puts())
    };
    let (report, _) = run(spec).await;
    assert_eq!(report.ended, Ended::Duration, "{report:?}");
    assert_eq!(report.answers + report.backlog, 600, "{report:?}");
    assert!((2.9..8.0).contains(&report.duration_s), "{report:?}");
}

async fn compactions_run_beside_the_puts(lab: &Lab) {
    let compact = Some(Compact { interval: Duration::from_millis(500), index_delta: 10 });
    let workload = Workload::Put(Put { compact, ..Put::default() });
    let spec = BenchSpec { total: None, duration: Some(Duration::from_secs(2)), ..lab.load(workload) };
    let (report, _) = run(spec).await;
    let compactions = report.compactions.unwrap();
    assert!(compactions.done >= 1 && compactions.failed == 0, "{compactions:?}");
    assert!(compactions.last_revision.unwrap() > 3_000, "{compactions:?}");
}

async fn a_cancelled_run_has_a_result(lab: &Lab) {
    let cancel = CancellationToken::new();
    let spec = BenchSpec { total: Some(100_000_000), ..lab.load(puts()) };
    let on_progress = |_| cancel.cancel();
    let run = lab_bench::run(spec, cancel.clone(), on_progress);
    let report = tokio::time::timeout(Duration::from_secs(10), run).await.unwrap().unwrap();
    assert_eq!(report.ended, Ended::Cancelled);
    assert!(report.answers > 0 && report.unanswered.count <= 9, "{report:?}");
}

async fn one_dead_endpoint_keeps_nothing_from_the_others(lab: &Lab) {
    let mut spec = BenchSpec { duration: Some(Duration::from_secs(2)), total: None, ..lab.load(puts()) };
    spec.endpoints[1] = dead_endpoint();
    let (report, told) = run(spec).await;
    let [well, dead, _] = &report.members[..] else { panic!("three members: {report:?}") };
    assert!(well.answers > 0 && well.errors == 0, "{well:?}");
    assert!(dead.answers == 0 && dead.errors > 0, "{dead:?}");
    assert_eq!(dead.error_counts[0].code.name(), "Unavailable");
    assert!(dead.error_counts[0].message.contains("refused"), "{dead:?}");
    // Attempts are spaced out: some six a connection in two seconds.
    assert!(dead.errors < 60, "{dead:?}");
    assert!(told.iter().all(|progress| progress.members[1].conns_open == 0));
    assert_eq!(report.error_latency.unwrap().count, dead.errors);
}

#[tokio::test]
async fn no_member_at_all_is_an_error_that_says_why() {
    let spec = BenchSpec::new([dead_endpoint()], puts());
    let error = lab_bench::run(spec, CancellationToken::new(), |_| {}).await.unwrap_err();
    assert!(matches!(&error, BenchError::NoMember { reasons } if reasons.len() == 1), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_spec_that_makes_no_sense_is_refused_before_anything_is_opened() {
    let spec = BenchSpec { clients: 0, ..BenchSpec::new([dead_endpoint()], puts()) };
    let error = lab_bench::run(spec, CancellationToken::new(), |_| {}).await.unwrap_err();
    assert!(matches!(error, BenchError::Spec(wrong) if wrong.flag == "--clients"));
}

/// An address that was free a moment ago.
fn dead_endpoint() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
