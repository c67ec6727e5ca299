//! The native runtime against the real etcd: starting, stopping, rolling back, and leaving nothing behind.
//! Needs the binaries that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice, Program};
use lab_cluster::{ClusterError, MemberAction, Node, Runtime, Topology, TopologyName};

fn config(folder: &Path) -> NativeConfig {
    let topology = Topology::etcd().unwrap();
    NativeConfig {
        version: topology.etcd_version().to_owned(),
        topology,
        binaries: Binaries::standard(),
        folder: folder.to_owned(),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: None,
        peer_proxies: Default::default(),
        lab_id: "test".into(),
        launch: Launch::for_this_system().unwrap(),
    }
}

fn use_free_ports(topology: &mut Topology) {
    // Not those that the system gives to outgoing connections, the cluster's own among them.
    let mut held = Vec::new();
    while held.len() < 9 {
        held.extend(TcpListener::bind(("127.0.0.1", rand::random_range(15_000..20_000))).ok());
    }
    let mut ports = held.iter().map(|listener| listener.local_addr().unwrap().port());
    for member in &mut topology.members {
        for endpoint in [&mut member.client, &mut member.peer, &mut member.gofail] {
            endpoint.host_port = ports.next().unwrap();
        }
    }
}

/// Not through the proxy of whoever runs this.
fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn alive(node: &Node) -> bool {
    Path::new("/proc").join(node.pid.unwrap().to_string()).exists()
}

async fn has_leader(node: &Node) -> bool {
    let metrics = http().get(format!("{}/metrics", node.client)).send().await.unwrap().text().await.unwrap();
    metrics.lines().any(|line| line == "etcd_server_has_leader 1")
}

#[tokio::test]
async fn every_version_starts_ready_and_stops_without_a_trace() {
    let versions = Binaries::standard().versions();
    assert!(versions.len() >= 2, "found {versions:?}: run `make etcd`");
    for version in versions {
        let dir = tempfile::tempdir().unwrap();
        let runtime = NativeRuntime::new(NativeConfig { version, ..config(dir.path()) });
        let steps = Mutex::new(0);
        let nodes = runtime.start(&|_| *steps.lock().unwrap() += 1).await.unwrap();
        assert_eq!(nodes.len(), 3);
        assert!(*steps.lock().unwrap() > 3, "progress was told {} times", steps.lock().unwrap());
        for node in &nodes {
            assert!(has_leader(node).await, "{} was called ready without a leader", node.name);
        }
        let log = runtime.log("etcd-1", 5).unwrap();
        assert_eq!(log.len(), 5);
        runtime.stop().await;
        assert!(!nodes.iter().any(alive));
        assert!(runtime.nodes().is_empty());
    }
}

#[tokio::test]
async fn a_restarted_member_comes_back_and_a_killed_one_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = NativeRuntime::new(config(dir.path()));
    let before = runtime.start(&|_| {}).await.unwrap();
    let launched = Mutex::new(None);
    let after = runtime.restart("etcd-2", &|node| *launched.lock().unwrap() = node.pid).await.unwrap();
    assert_eq!(*launched.lock().unwrap(), after.pid);
    assert_eq!(after.client, before[1].client);
    assert_ne!(after.pid, before[1].pid);
    assert!(has_leader(&after).await);

    let mut exits = runtime.exits();
    let pid = rustix::process::Pid::from_raw(after.pid.unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(10), exits.recv()).await.unwrap().unwrap();
    assert_eq!((exit.member.as_str(), exit.how.as_str()), ("etcd-2", "killed by signal 9"));
    // Its log has errors in it, but none of them is why it was killed.
    assert_eq!(exit.reason, None);
    assert!(!exit.log.is_empty());
    runtime.stop().await;
    assert!(exits.try_recv().is_err(), "members that were stopped were told of as if they had died");
}

/// `T` for one that is held, `S` or `R` for one that runs (proc(5)); nothing for one that has ended.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[tokio::test]
async fn a_member_is_held_and_let_go_stopped_and_killed_and_none_of_it_is_news() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = NativeRuntime::new(config(dir.path()));
    let nodes = runtime.start(&|_| {}).await.unwrap();
    let mut exits = runtime.exits();
    let pid = nodes[2].pid.unwrap();
    runtime.act("etcd-3", MemberAction::Pause).await.unwrap();
    until("it is held", || state(pid) == Some('T')).await;
    runtime.act("etcd-3", MemberAction::Resume).await.unwrap();
    until("it goes on", || state(pid).is_some_and(|state| state != 'T')).await;
    assert!(has_leader(&nodes[2]).await);

    // Who is held can be stopped.
    runtime.act("etcd-3", MemberAction::Pause).await.unwrap();
    runtime.act("etcd-3", MemberAction::Stop).await.unwrap();
    assert!(!alive(&nodes[2]));
    let refused = runtime.act("etcd-3", MemberAction::Resume).await.unwrap_err();
    assert!(matches!(&refused, ClusterError::NotRunning(member) if member == "etcd-3"), "{refused}");
    let node = runtime.restart("etcd-3", &|_| {}).await.unwrap();
    runtime.act("etcd-3", MemberAction::Kill).await.unwrap();
    assert!(!alive(&node));
    let nobody = runtime.act("etcd-9", MemberAction::Kill).await.unwrap_err();
    assert!(matches!(nobody, ClusterError::NoSuchMember(_)), "{nobody}");
    runtime.restart("etcd-3", &|_| {}).await.unwrap();
    runtime.stop().await;
    assert!(exits.try_recv().is_err(), "what was asked for was told of as news");
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "not within 10 s: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_taken_port_is_named_and_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = NativeConfig { ports: PortChoice::Topology, ..config(dir.path()) };
    use_free_ports(&mut config.topology);
    config.topology.members[1].client.host_port = port;
    let runtime = NativeRuntime::new(config);
    match runtime.start(&|_| {}).await.unwrap_err() {
        ClusterError::PortsTaken(taken) => {
            assert_eq!(taken.len(), 1);
            assert_eq!((taken[0].member.as_str(), taken[0].port), ("etcd-2", port));
        }
        other => panic!("{other}"),
    }
    assert!(!dir.path().join("data").exists());
}

#[tokio::test]
async fn without_the_proxies_that_a_topology_wants_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Topology::named(TopologyName::EtcdBridge).unwrap();
    let peer_proxies = [("etcd-1".into(), "http://127.0.0.1:9".into())].into();
    let runtime = NativeRuntime::new(NativeConfig { topology, peer_proxies, ..config(dir.path()) });
    match runtime.start(&|_| {}).await.unwrap_err() {
        ClusterError::NoPeerProxy(member) => assert_eq!(member, "etcd-2"),
        other => panic!("{other}"),
    }
    assert!(!dir.path().join("data").exists());
}

#[tokio::test]
async fn a_member_that_dies_at_start_takes_the_others_down_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.topology.members[2].flags.push("--snapshot-count=none".into());
    let runtime = NativeRuntime::new(config);
    match runtime.start(&|_| {}).await.unwrap_err() {
        ClusterError::MemberDied { member, reason, log, .. } => {
            assert_eq!(member, "etcd-3");
            assert!(reason.contains("snapshot-count"), "{reason}");
            assert!(!log.is_empty());
        }
        other => panic!("{other}"),
    }
    assert!(runtime.nodes().is_empty());
    assert_eq!(processes_in(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn data_is_fresh_on_start_unless_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = NativeConfig { ports: PortChoice::Topology, ..config(dir.path()) };
    // The same ports in all runs, as a member's peer address is part of its data; free ones, as the usual may be in use.
    use_free_ports(&mut config.topology);
    let etcdctl = config.binaries.find(Program::Etcdctl, &config.version).unwrap();
    let mut found = Vec::new();
    for keep_data in [false, true, false] {
        let runtime = NativeRuntime::new(NativeConfig { keep_data, ..config.clone() });
        let nodes = runtime.start(&|_| {}).await.unwrap();
        let run = |words: &[&str]| {
            let output = Command::new(&etcdctl)
                .env_remove("ETCD_CONFIG_FILE")
                .env_remove("ETCD_NAME")
                .args(["--endpoints", &nodes[0].client])
                .args(words)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        found.push(run(&["get", "key", "--print-value-only"]).trim().to_owned());
        run(&["put", "key", "left by the run before"]);
        runtime.stop().await;
    }
    assert_eq!(found, ["", "left by the run before", ""]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let runtime = NativeRuntime::new(config(file.path()));
    let error = runtime.start(&|_| {}).await.unwrap_err();
    assert!(matches!(error, ClusterError::Folder { .. }), "{error}");
}

#[tokio::test]
async fn a_start_that_is_called_off_leaves_nothing_to_meet_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = NativeConfig { ports: PortChoice::Topology, ..config(dir.path()) };
    use_free_ports(&mut config.topology);
    let runtime = NativeRuntime::new(config.clone());
    let (told, mut waiting) = tokio::sync::mpsc::unbounded_channel();
    let tell = |_: &[_]| told.send(()).unwrap();
    tokio::select! {
        started = runtime.start(&tell) => panic!("{started:?}"),
        _ = waiting.recv() => {}
    }
    runtime.stop().await;
    assert_eq!(processes_in(dir.path()), Vec::<String>::new());
    // On the same ports and in the same folder, at once.
    let next = NativeRuntime::new(config);
    next.start(&|_| {}).await.unwrap();
    next.stop().await;
}

#[test]
fn what_a_person_has_set_for_an_etcd_of_their_own_is_not_for_ours() {
    // In a process of its own, as the environment belongs to the whole process.
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", "data_is_fresh_on_start_unless_it_is_kept", "--quiet"])
        .envs([
            ("ETCD_CONFIG_FILE", "/nowhere"),
            ("ETCD_NAME", "theirs"),
            ("http_proxy", "http://127.0.0.1:9"),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_dropped_runtime_leaves_no_member() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = NativeRuntime::new(config(dir.path()));
    let nodes = runtime.start(&|_| {}).await.unwrap();
    drop(runtime);
    until("all have ended", || !nodes.iter().any(alive)).await;
}

/// Command lines of running processes that mention `folder`.
fn processes_in(folder: &Path) -> Vec<String> {
    let wanted = folder.display().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|command| command.contains(&wanted))
        .collect()
}
