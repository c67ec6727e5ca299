//! Coming up, and not coming up.

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use lab_cluster::docker::{DockerConfig, DockerRuntime, Engine};
use lab_cluster::{ClusterError, MemberProgress, PortChoice, Runtime, Topology, TopologyName};

use crate::Test;
use crate::lab::{Lab, docker, get, http, is_well, put, run, until};

pub const TESTS: &[Test] = &[
    ("a_cluster_starts_ready_and_stops_without_a_trace", starts_and_stops),
    ("data_is_fresh_on_each_start", fresh_data),
    ("two_labs_run_at_once", two_labs),
    ("a_taken_port_is_named_and_nothing_is_made", taken_port),
    ("an_image_that_is_not_there_is_named", no_image),
    ("a_container_that_ends_at_once_takes_the_others_down_and_says_why", ends_at_once),
    ("a_start_that_is_called_off_leaves_nothing_to_meet_the_next", called_off),
    ("without_a_watcher_nothing_is_made", no_watcher),
    ("a_proxy_that_ends_at_once_is_told_of", no_proxy),
    ("members_on_the_bridge_go_through_proxies_that_can_be_told", bridge),
];

fn starts_and_stops(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime =
            DockerRuntime::new(DockerConfig { quota_bytes: Some(64 << 20), ..lab.config(&engine).await });
        let steps = Mutex::new(0);
        let nodes = runtime.start(&|_| *steps.lock().unwrap() += 1).await.unwrap();
        assert!(*steps.lock().unwrap() > 3, "progress was told {} times", steps.lock().unwrap());
        assert_eq!(nodes.len(), 3);
        for node in &nodes {
            assert!(is_well(node).await, "{} was called ready and is not", node.name);
            assert_eq!(node.peer, format!("http://{}:2380", node.name));
            let id = node.container.as_deref().unwrap();
            let published = docker(&["port", id]);
            assert!(published.iter().all(|port| port.contains("-> 127.0.0.1:")), "{published:?}");
        }
        let first = nodes[0].container.as_deref().unwrap();
        let inspected = docker(&["inspect", "-f", "{{.Config.Env}} {{.Config.Cmd}}", first]).concat();
        for wanted in [format!("METRICS_LAB_ID={}", lab.id), "--quota-backend-bytes=67108864".into()] {
            assert!(inspected.contains(&wanted), "{wanted} is not in {inspected}");
        }
        assert_eq!(runtime.log("etcd-1", 5).unwrap().len(), 5);
        // Three containers, three volumes, one network.
        assert_eq!(lab.things().len(), 7, "{:?}", lab.things());
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());
        assert!(runtime.nodes().is_empty());
    });
}

fn fresh_data(engine: Engine) {
    run(async {
        let lab = Lab::new();
        for _ in 0..2 {
            let runtime = lab.runtime(&engine).await;
            let nodes = runtime.start(&|_| {}).await.unwrap();
            assert_eq!(get(&nodes[0], "a2V5").await, None);
            put(&nodes[0], "a2V5", "dmFsdWU=").await;
            runtime.stop().await;
        }
        assert!(lab.folder().join("logs/etcd-1.log.1").exists(), "the log of the run before is gone");
    });
}

fn two_labs(engine: Engine) {
    run(async {
        let (one, other) = (Lab::new(), Lab::new());
        let (runtime, beside) = (one.runtime(&engine).await, other.runtime(&engine).await);
        let quiet = |_: &[MemberProgress]| {};
        let (nodes, others) = tokio::join!(runtime.start(&quiet), beside.start(&quiet));
        let (nodes, others) = (nodes.unwrap(), others.unwrap());
        put(&nodes[0], "a2V5", "dmFsdWU=").await;
        assert_eq!(get(&others[0], "a2V5").await, None);
        runtime.stop().await;
        assert!(is_well(&others[1]).await, "it went with the other lab");
        beside.stop().await;
        assert_eq!([one.things(), other.things()].concat(), Vec::<String>::new());
    });
}

fn taken_port(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let mut config = DockerConfig { ports: PortChoice::Topology, ..lab.config(&engine).await };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let free: Vec<TcpListener> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let mut ports = free.iter().map(|listener| listener.local_addr().unwrap().port());
        for member in &mut config.topology.members {
            member.client.host_port = ports.next().unwrap();
            member.gofail.host_port = ports.next().unwrap();
        }
        config.topology.members[1].gofail.host_port = port;
        drop(free);
        match DockerRuntime::new(config).start(&|_| {}).await.unwrap_err() {
            ClusterError::PortsTaken(taken) => {
                assert_eq!(taken.len(), 1, "{taken:?}");
                assert_eq!(
                    (taken[0].member.as_str(), taken[0].what, taken[0].port),
                    ("etcd-2", "gofail", port)
                );
                assert_eq!(taken[0].holder.as_ref().map(|(pid, _)| *pid), Some(std::process::id()));
            }
            other => panic!("{other}"),
        }
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn no_image(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let config = DockerConfig { version: "0.0.1".into(), ..lab.config(&engine).await };
        match DockerRuntime::new(config).start(&|_| {}).await.unwrap_err() {
            ClusterError::ImageAbsent { reference } => assert_eq!(reference, "etcd-metrics-lab/etcd:v0.0.1"),
            other => panic!("{other}"),
        }
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn ends_at_once(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let mut config = lab.config(&engine).await;
        config.topology.members[2].flags.push("--snapshot-count=none".into());
        let runtime = DockerRuntime::new(config);
        match runtime.start(&|_| {}).await.unwrap_err() {
            ClusterError::MemberDied { member, how, reason, log } => {
                assert_eq!(member, "etcd-3");
                assert!(how.starts_with("exit code "), "{how}");
                assert!(reason.contains("snapshot-count"), "{reason}");
                assert!(!log.is_empty());
            }
            other => panic!("{other}"),
        }
        assert!(runtime.nodes().is_empty());
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn called_off(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let (told, mut waiting) = tokio::sync::mpsc::unbounded_channel();
        let tell = |_: &[MemberProgress]| told.send(()).unwrap();

        // At once.
        let runtime = lab.runtime(&engine).await;
        tokio::select! {
            biased;
            started = runtime.start(&tell) => panic!("{started:?}"),
            () = std::future::ready(()) => {}
        }
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());

        // While containers are made.
        let runtime = lab.runtime(&engine).await;
        tokio::select! {
            started = runtime.start(&tell) => panic!("{started:?}"),
            () = until("something is made", Duration::from_secs(30), || !lab.things().is_empty()) => {}
        }
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());

        // While they are waited for.
        let runtime = lab.runtime(&engine).await;
        tokio::select! {
            started = runtime.start(&tell) => panic!("{started:?}"),
            _ = waiting.recv() => {}
        }
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());

        let next = lab.runtime(&engine).await;
        next.start(&|_| {}).await.unwrap();
        next.stop().await;
    });
}

fn no_watcher(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let watcher = lab.folder().join("no-such-program");
        let config = DockerConfig { watcher, ..lab.config(&engine).await };
        let error = DockerRuntime::new(config).start(&|_| {}).await.unwrap_err();
        assert!(matches!(error, ClusterError::NoWatcher { .. }), "{error}");
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn no_proxy(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let mut topology = Topology::named(TopologyName::EtcdBridge).unwrap();
        topology.peer_proxy.as_mut().unwrap().flags.push("--no-such-flag".into());
        let runtime = DockerRuntime::new(DockerConfig { topology, ..lab.config(&engine).await });
        match runtime.start(&|_| {}).await.unwrap_err() {
            ClusterError::MemberDied { member, how, reason, .. } => {
                assert_eq!((member.as_str(), how.as_str()), ("links", "exit code 2"));
                assert!(reason.contains("--no-such-flag"), "{reason}");
            }
            other => panic!("{other}"),
        }
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn bridge(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let topology = Topology::named(TopologyName::EtcdBridge).unwrap();
        let runtime = DockerRuntime::new(DockerConfig { topology, ..lab.config(&engine).await });
        assert_eq!(runtime.links_url(), None);
        let nodes = runtime.start(&|_| {}).await.unwrap();
        assert_eq!(nodes.len(), 3);
        let url = runtime.links_url().unwrap();
        let links = http().get(format!("{url}/links")).send().await.unwrap().text().await.unwrap();
        assert!(links.contains("etcd-1") && links.contains("etcd-3"), "{links}");
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());
        assert_eq!(runtime.links_url(), None);
    });
}
