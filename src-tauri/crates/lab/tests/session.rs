//! A lab with a real cluster, steered as a window and a terminal steer it. Needs what `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::time::Duration;

use lab::api::{
    Command, Event, LoadSpec, LoadState, MemberState, PanelRef, Phase, Ports, Reply, Snapshot, StartOptions,
    WatchSet, Workload,
};
use lab::{Asker, Config, Events, Lab};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);

async fn open(base: &std::path::Path, host: &str) -> Lab {
    Lab::open(Config { base: base.into(), ..Config::standard(host).unwrap() }).await.unwrap()
}

async fn start(asker: &Asker) {
    let options = StartOptions { ports: Ports::Auto, ..StartOptions::default() };
    asker.ask(Command::Start { options }).await.unwrap();
}

async fn snapshot(asker: &Asker) -> Snapshot {
    match asker.ask(Command::Snapshot).await.unwrap() {
        Reply::Snapshot { snapshot } => *snapshot,
        other => panic!("{other:?}"),
    }
}

/// Waits for the event that `wanted` turns into something.
async fn wait_for<T>(events: &mut Events, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    timeout(LIMIT, async {
        loop {
            let event =
                events.next().await.unwrap_or_else(|| panic!("the lab ended while waiting for {what}"));
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

fn puts(total: u64) -> LoadSpec {
    LoadSpec {
        workload: Workload::Put {
            key_size: 8,
            val_size: 100,
            key_space_size: 1000,
            sequential_keys: true,
            compact_interval_s: None,
            compact_index_delta: 1000,
        },
        clients: 30,
        conns: 9,
        total,
        rate: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_moves_from_the_load_to_the_frame() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path(), "app").await;
    let (asker, mut events) = lab.listen();
    assert_eq!(asker.ask(Command::Compact { revision: None }).await.unwrap_err().code, "not-running");
    start(&asker).await;
    let dashboards = match asker.ask(Command::Dashboards).await.unwrap() {
        Reply::Dashboards { dashboards } => dashboards,
        other => panic!("{other:?}"),
    };
    let puts_board = dashboards.iter().find(|dashboard| dashboard.title == "Puts").unwrap();
    let panel =
        puts_board.rows.iter().flat_map(|row| &row.panels).find(|p| p.title == "mvcc: puts/s").unwrap();
    let set = WatchSet {
        panels: vec![PanelRef { dashboard: puts_board.uid.clone(), panel: panel.id }],
        diagrams: vec!["puts".into()],
        range_s: 60,
        max_points: 100,
    };
    asker.ask(Command::Watch { set }).await.unwrap();
    let id = match asker.ask(Command::StartLoad { spec: puts(1_000_000_000) }).await.unwrap() {
        Reply::Load { id } => id,
        other => panic!("{other:?}"),
    };
    wait_for(&mut events, "a line for each member, above zero", |event| match event {
        Event::Frame { frame } => {
            assert_eq!(frame.panels[0].problem, None);
            let above =
                |values: &[Option<f64>]| values.last().copied().flatten().is_some_and(|last| last > 0.0);
            let members: Vec<_> = frame.panels[0]
                .series
                .iter()
                .filter(|s| above(&s.values))
                .filter_map(|s| s.member.clone())
                .collect();
            let arrows = &frame.diagrams[0].arrows;
            let measured = arrows.iter().any(|arrow| arrow.values.iter().any(|value| value.value.is_some()));
            (members == ["etcd-1", "etcd-2", "etcd-3"] && measured).then_some(())
        }
        _ => None,
    })
    .await;
    // A window that is loaded anew goes on from the snapshot.
    let seen = snapshot(&asker).await;
    assert!(matches!(seen.phase, Phase::Running { .. }));
    assert!(!seen.loads[0].history.is_empty() && seen.loads[0].members.len() == 3);
    assert_eq!(seen.loads[0].members[0].member, "etcd-1");
    assert!(seen.shown.iter().any(|command| command.text == seen.loads[0].command));

    asker.ask(Command::StopLoad { id }).await.unwrap();
    let ended = wait_for(&mut events, "the load's end", |event| match event {
        Event::Load { load } if load.state == LoadState::Ended => Some(load),
        _ => None,
    })
    .await;
    assert!(ended.done > 0 && ended.overall.unwrap().p99_s.is_some());
    asker.ask(Command::Stop).await.unwrap();
    let stopped = snapshot(&asker).await;
    assert_eq!((stopped.phase, stopped.loads.len()), (Phase::Stopped, 1));
    // A load of a cluster that is no more says nothing of the next.
    start(&asker).await;
    assert_eq!(snapshot(&asker).await.loads, []);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_an_idle_cluster_writes_nothing_to_it() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path(), "app").await;
    let (asker, mut events) = lab.listen();
    start(&asker).await;
    // etcd itself writes a little at first (its version); then nobody may.
    let (mut index, mut still) = (0, 0);
    wait_for(&mut events, "six seconds without an entry in the log", |event| {
        if let Event::Cluster { cluster } = event {
            let now = cluster.members.iter().map(|member| member.raft_index).max().unwrap();
            still = if now == index && now > 0 { still + 1 } else { 0 };
            index = now;
        }
        (still == 6).then_some(())
    })
    .await;
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_called_off_is_over_when_it_says_so() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path(), "app").await;
    let (asker, mut events) = lab.listen();
    let starting = tokio::spawn({
        let asker = asker.clone();
        async move {
            asker
                .ask(Command::Start {
                    options: StartOptions { ports: Ports::Auto, ..StartOptions::default() },
                })
                .await
        }
    });
    wait_for(&mut events, "the start", |event| {
        matches!(event, Event::Phase { phase: Phase::Starting { .. } }).then_some(())
    })
    .await;
    asker.ask(Command::Stop).await.unwrap();
    assert_eq!(snapshot(&asker).await.phase, Phase::Stopped);
    assert_eq!(starting.await.unwrap().unwrap_err().code, "called-off");
    // In the same folder, at once.
    start(&asker).await;
    timeout(LIMIT, lab.shutdown()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_killed_is_told_of_and_can_be_restarted() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path(), "app").await;
    let (asker, mut events) = lab.listen();
    start(&asker).await;
    let pid = snapshot(&asker).await.cluster.unwrap().members[1].pid.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let problem = wait_for(&mut events, "word of the member's end", |event| match event {
        Event::Problem { problem } => Some(problem),
        _ => None,
    })
    .await;
    assert_eq!((problem.code.as_str(), problem.member.as_deref()), ("member-exited", Some("etcd-2")));
    assert!(problem.sentence.contains("killed by signal 9") && !problem.log.is_empty(), "{problem:?}");
    let query = Command::Query { expr: "sum(up) == 2".into(), time_s: None };
    timeout(LIMIT, async {
        loop {
            match asker.ask(query.clone()).await.unwrap() {
                Reply::Query { data, .. }
                    if data["result"].as_array().is_some_and(|found| !found.is_empty()) =>
                {
                    return;
                }
                _ => drop(events.next().await),
            }
        }
    })
    .await
    .unwrap();
    asker.ask(Command::RestartMember { member: "etcd-2".into() }).await.unwrap();
    wait_for(&mut events, "all healthy again", |event| match event {
        Event::Cluster { cluster } => {
            cluster.members.iter().all(|member| member.state == MemberState::Healthy).then_some(())
        }
        _ => None,
    })
    .await;
    assert_eq!(snapshot(&asker).await.problem, None);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_moves_to_a_terminals_lab_and_back() {
    let base = tempfile::tempdir().unwrap();
    let window = open(base.path(), "app").await;
    let (asker, mut events) = window.listen_around();
    let set = WatchSet { diagrams: vec!["puts".into()], range_s: 60, max_points: 60, ..WatchSet::default() };
    asker.ask(Command::Watch { set }).await.unwrap();
    assert_eq!(snapshot(&asker).await.lab.id, window.info().id);

    let terminal = open(base.path(), "terminal").await;
    start(&terminal.listen().0).await;
    wait_for(&mut events, "the move", |event| matches!(event, Event::Lagged).then_some(())).await;
    let seen = snapshot(&asker).await;
    assert_eq!((seen.lab.id.as_str(), seen.lab.host.as_str()), (terminal.info().id.as_str(), "terminal"));
    // What was watched before is drawn from the other lab now.
    wait_for(&mut events, "a frame", |event| matches!(event, Event::Frame { .. }).then_some(())).await;

    terminal.shutdown().await;
    wait_for(&mut events, "the way back", |event| matches!(event, Event::Lagged).then_some(())).await;
    assert_eq!(snapshot(&asker).await.lab.id, window.info().id);
    window.shutdown().await;
}
