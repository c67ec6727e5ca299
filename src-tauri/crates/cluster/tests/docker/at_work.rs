//! What happens to members while the cluster runs.

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use lab_cluster::docker::Engine;
use lab_cluster::{ClusterError, MemberAction, Runtime};
use tokio::time::timeout;

use crate::Test;
use crate::lab::{Lab, docker, get, is_well, put, run, until};

pub const TESTS: &[Test] = &[
    ("a_member_that_is_killed_from_outside_is_told_of_and_comes_back_with_its_data", killed_from_outside),
    ("a_member_is_held_and_let_go_stopped_and_killed_and_none_of_it_is_news", acts),
    ("a_port_that_was_taken_while_a_member_was_down_is_named", port_taken_meanwhile),
    ("a_member_whose_container_was_removed_comes_back", removed_from_outside),
];

fn killed_from_outside(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        let nodes = runtime.start(&|_| {}).await.unwrap();
        put(&nodes[1], "a2V5", "dmFsdWU=").await;
        let mut exits = runtime.exits();
        docker(&["kill", nodes[1].container.as_deref().unwrap()]);
        let exit = timeout(Duration::from_secs(5), exits.recv()).await.unwrap().unwrap();
        assert_eq!((exit.member.as_str(), exit.how.as_str()), ("etcd-2", "killed by signal 9"));
        assert_eq!(exit.reason, None);
        assert!(!exit.log.is_empty());

        let lines_before = runtime.log("etcd-2", 100_000).unwrap();
        let launched = Mutex::new(None);
        let after =
            runtime.restart("etcd-2", &|node| *launched.lock().unwrap() = Some(node.clone())).await.unwrap();
        assert_eq!(launched.lock().unwrap().as_ref(), Some(&after));
        assert_eq!((&after.client, &after.container), (&nodes[1].client, &nodes[1].container));
        assert!(is_well(&after).await);
        assert_eq!(get(&after, "a2V5").await.as_deref(), Some("dmFsdWU="));
        // Its log goes on where it ended, with nothing twice and nothing lost.
        let written = docker_log(after.container.as_deref().unwrap());
        until("the log is the container's", Duration::from_secs(5), || {
            let lines = runtime.log("etcd-2", 100_000).unwrap();
            lines.len() > lines_before.len()
                && written.starts_with(&lines[..lines.len().min(written.len())])
                && lines.len() >= written.len()
        })
        .await;
        runtime.stop().await;
        assert!(exits.try_recv().is_err(), "members that were stopped were told of as if they had died");
    });
}

/// What a container wrote until now, by docker's own word.
fn docker_log(container: &str) -> Vec<String> {
    let output = std::process::Command::new("docker").args(["logs", container]).output().unwrap();
    // etcd writes to its standard error only.
    String::from_utf8(output.stderr).unwrap().lines().map(String::from).collect()
}

fn acts(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        let nodes = runtime.start(&|_| {}).await.unwrap();
        let mut exits = runtime.exits();
        let state =
            || docker(&["inspect", "-f", "{{.State.Status}}", nodes[2].container.as_deref().unwrap()]);

        runtime.act("etcd-3", MemberAction::Pause).await.unwrap();
        assert_eq!(state(), ["paused"]);
        assert!(!is_well(&nodes[2]).await, "it answers while it is held");
        runtime.act("etcd-3", MemberAction::Resume).await.unwrap();
        assert_eq!(state(), ["running"]);
        assert!(is_well(&nodes[0]).await);

        // Who is held can be stopped.
        runtime.act("etcd-3", MemberAction::Pause).await.unwrap();
        runtime.act("etcd-3", MemberAction::Stop).await.unwrap();
        assert_eq!(state(), ["exited"]);
        let refused = runtime.act("etcd-3", MemberAction::Pause).await.unwrap_err();
        assert!(matches!(&refused, ClusterError::NotRunning(member) if member == "etcd-3"), "{refused}");
        runtime.restart("etcd-3", &|_| {}).await.unwrap();

        runtime.act("etcd-3", MemberAction::Kill).await.unwrap();
        assert_eq!(state(), ["exited"]);
        let node = runtime.restart("etcd-3", &|_| {}).await.unwrap();
        assert!(is_well(&node).await);

        let nobody = runtime.act("etcd-9", MemberAction::Kill).await.unwrap_err();
        assert!(matches!(nobody, ClusterError::NoSuchMember(_)), "{nobody}");
        assert!(exits.try_recv().is_err(), "what was asked for was told of as news");
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn port_taken_meanwhile(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        let nodes = runtime.start(&|_| {}).await.unwrap();
        runtime.act("etcd-2", MemberAction::Stop).await.unwrap();
        let address = nodes[1].client.trim_start_matches("http://");
        let listener = TcpListener::bind(address).unwrap();
        match runtime.restart("etcd-2", &|_| {}).await.unwrap_err() {
            ClusterError::PortsTaken(taken) => {
                assert_eq!((taken[0].member.as_str(), taken[0].what), ("etcd-2", "client"));
                assert_eq!(taken[0].holder.as_ref().map(|(pid, _)| *pid), Some(std::process::id()));
            }
            other => panic!("{other}"),
        }
        drop(listener);
        let node = runtime.restart("etcd-2", &|_| {}).await.unwrap();
        assert!(is_well(&node).await);
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}

fn removed_from_outside(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        let nodes = runtime.start(&|_| {}).await.unwrap();
        put(&nodes[0], "a2V5", "dmFsdWU=").await;
        let mut exits = runtime.exits();
        docker(&["rm", "-f", nodes[0].container.as_deref().unwrap()]);
        let exit = timeout(Duration::from_secs(8), exits.recv()).await.unwrap().unwrap();
        assert_eq!(exit.member, "etcd-1");
        let node = runtime.restart("etcd-1", &|_| {}).await.unwrap();
        assert_ne!(node.container, nodes[0].container);
        assert_eq!(get(&node, "a2V5").await.as_deref(), Some("dmFsdWU="));
        runtime.stop().await;
        assert_eq!(lab.things(), Vec::<String>::new());
    });
}
