//! A lab whose members reach each other through proxies: that they form, that what is done to their links is felt, and
//! that it passes. Needs what `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::path::Path;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use lab::api::{
    ClusterView, Command, Event, LinkShape, LinkView, MemberState, MemberView, Ports, Problem, Reply,
    Snapshot, StartOptions, TopologyName,
};
use lab::{Asker, Config, Events, Lab};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);

async fn open(base: &Path) -> Lab {
    Lab::open(Config { base: base.into(), ..Config::standard("app").unwrap() }).await.unwrap()
}

fn bridge() -> StartOptions {
    StartOptions { topology: TopologyName::EtcdBridge, ports: Ports::Auto, ..StartOptions::default() }
}

async fn start(asker: &Asker, options: StartOptions) -> Result<(), Problem> {
    asker.ask(Command::Start { options }).await.map(drop)
}

async fn snapshot(asker: &Asker) -> Snapshot {
    match asker.ask(Command::Snapshot).await.unwrap() {
        Reply::Snapshot { snapshot } => *snapshot,
        other => panic!("{other:?}"),
    }
}

/// Waits for the event that `wanted` turns into something.
async fn wait_for<T>(events: &mut Events, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let found = timeout(LIMIT, async {
        loop {
            let event = events.next().await.unwrap_or_else(|| panic!("the lab ended before {what}"));
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

/// Waits until what the members say is as `wanted`.
async fn members(events: &mut Events, what: &str, wanted: impl Fn(&ClusterView) -> bool) -> ClusterView {
    let as_wanted = |event| match event {
        Event::Cluster { cluster } => wanted(&cluster).then_some(cluster),
        _ => None,
    };
    wait_for(events, what, as_wanted).await
}

async fn links(events: &mut Events, what: &str, wanted: impl Fn(&[LinkView]) -> bool) {
    let as_wanted = |event| match event {
        Event::Faults { faults } => wanted(&faults.links.unwrap()).then_some(()),
        _ => None,
    };
    wait_for(events, what, as_wanted).await;
}

fn well(cluster: &ClusterView) -> bool {
    cluster.members.iter().all(|member| member.state == MemberState::Healthy)
        && cluster.members.iter().filter(|member| member.leader).count() == 1
}

fn leader(cluster: &ClusterView) -> &MemberView {
    cluster.members.iter().find(|member| member.leader).unwrap()
}

fn member<'a>(cluster: &'a ClusterView, name: &str) -> &'a MemberView {
    cluster.members.iter().find(|member| member.name == name).unwrap()
}

async fn put(asker: &Asker) -> Duration {
    let asked = Instant::now();
    asker.ask(Command::Put { key: "key".into(), value: "value".into() }).await.unwrap();
    asked.elapsed()
}

/// The median of a few.
async fn put_takes(asker: &Asker) -> Duration {
    let mut taken = Vec::new();
    for _ in 0..5 {
        taken.push(put(asker).await);
    }
    taken.sort_unstable();
    taken[taken.len() / 2]
}

async fn shape(asker: &Asker, from: &[&str], to: &[&str], shape: LinkShape) {
    let names = |names: &[&str]| names.iter().copied().map(String::from).collect();
    asker.ask(Command::SetLinks { from: names(from), to: names(to), shape }).await.unwrap();
}

/// Parts a member from the others.
async fn cut(asker: &Asker, member: &str) {
    let cut = LinkShape { cut: true, ..LinkShape::default() };
    shape(asker, &[member], &[], cut).await;
    shape(asker, &[], &[member], cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_feels_what_is_done_to_its_links() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path()).await;
    let (asker, mut events) = lab.listen();
    let versions = lab.info().etcd_versions.clone();
    assert!(versions.len() >= 2, "found {versions:?}: run `make etcd`");
    for version in versions {
        start(&asker, StartOptions { etcd_version: Some(version.clone()), ..bridge() }).await.unwrap();
        let formed = members(&mut events, "all healthy", well).await;
        assert_eq!((formed.topology, &formed.etcd_version), (TopologyName::EtcdBridge, &version));
        let shown = snapshot(&asker).await.shown;
        assert!(
            shown.iter().any(|line| line.text
                == format!("etcd-labctl up --etcd {version} --topology etcd-bridge --ports auto")),
            "{shown:?}"
        );
        let heartbeats_from = leader(&formed).name.clone();
        links(&mut events, "all six links in use", |links| {
            let carries = |link: &LinkView| link.from != heartbeats_from || link.rate_bytes_s > 0.0;
            links.len() == 6 && links.iter().all(|link| link.connections > 0 && carries(link))
        })
        .await;

        let before = put_takes(&asker).await;
        shape(&asker, &[], &[], LinkShape { delay_ms: 100, ..LinkShape::default() }).await;
        let delayed = put_takes(&asker).await;
        // From the leader to a follower and back; how long the disks take is in both.
        assert!(delayed >= before + Duration::from_millis(150), "{version}: {before:?}, then {delayed:?}");
        let led = members(&mut events, "all healthy with a delay", well).await;
        assert_eq!(leader(&led).term, leader(&formed).term, "{version} elected anew");
        asker.ask(Command::HealLinks).await.unwrap();

        let follower = led.members.iter().find(|member| !member.leader).unwrap().name.clone();
        cut(&asker, &follower).await;
        members(&mut events, "the cut follower without a leader", |cluster| {
            member(cluster, &follower).state == MemberState::NoLeader
        })
        .await;
        put(&asker).await;
        let behind = members(&mut events, "the cut follower behind", |cluster| {
            cluster
                .members
                .iter()
                .any(|one| one.leader && one.raft_index > member(cluster, &follower).raft_index)
        })
        .await;
        let ahead = leader(&behind).raft_index;
        asker.ask(Command::HealLinks).await.unwrap();
        members(&mut events, "the follower caught up", |cluster| {
            well(cluster) && member(cluster, &follower).raft_applied_index >= ahead
        })
        .await;

        let old = leader(&behind).name.clone();
        cut(&asker, &old).await;
        members(&mut events, "another leader, and the old one without", |cluster| {
            cluster.members.iter().any(|one| one.leader && one.name != old)
                && member(cluster, &old).state == MemberState::NoLeader
        })
        .await;
        asker.ask(Command::HealLinks).await.unwrap();
        members(&mut events, "all healthy again", well).await;
        asker.ask(Command::Stop).await.unwrap();
    }
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_goes_on_in_its_own_topology_only() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path()).await;
    let (asker, _events) = lab.listen();
    start(&asker, bridge()).await.unwrap();
    put(&asker).await;
    asker.ask(Command::Stop).await.unwrap();

    let kept = StartOptions { keep_data: true, ..bridge() };
    let other = StartOptions { topology: TopologyName::Etcd, ..kept.clone() };
    let refused = start(&asker, other).await.unwrap_err();
    assert_eq!(refused.code, "data-of-other-topology");
    assert!(refused.next.contains("--topology etcd-bridge"), "{refused:?}");

    start(&asker, kept).await.unwrap();
    let found = asker.ask(Command::Get { key: "key".into() }).await.unwrap();
    assert!(matches!(&found, Reply::Value { value: Some(value), .. } if value == "value"), "{found:?}");
    lab.shutdown().await;
}

#[test]
fn a_persons_own_proxy_is_not_that_between_members() {
    // In a process of its own, as the environment belongs to the whole process.
    let output = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "data_goes_on_in_its_own_topology_only", "--quiet"])
        .envs([
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("https_proxy", "http://127.0.0.1:9"),
            ("ALL_PROXY", "http://127.0.0.1:9"),
            ("no_proxy", "*"),
            ("REQUEST_METHOD", "GET"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
