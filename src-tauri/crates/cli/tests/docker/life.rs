//! How a lab in Docker lives, and how it ends.

use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::engine;
use super::lab::{LIMIT, Up, docker, text, wait_until};

/// What a killed lab leaves is gone within this.
const GONE_WITHIN: Duration = Duration::from_secs(12);

#[test]
fn another_terminal_sees_and_steers_a_lab_in_docker_and_down_leaves_nothing() {
    if !engine::is_there() {
        return;
    }
    let mut up = Up::start(&[]);
    assert_eq!((&up.first["runtime"], &up.first["version"]), (&"docker".into(), &"3.5.9".into()));
    assert!(up.nodes().iter().all(|node| node.get("pid").is_none()));
    for container in up.containers() {
        assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", &container]).trim(), "true");
        let published = docker(&["port", &container]);
        assert!(published.lines().all(|line| line.contains("-> 127.0.0.1:")), "{published}");
    }
    up.etcdctl(&["put", "key", "from outside"]);
    assert!(up.etcdctl(&["get", "key"]).contains("from outside"));
    wait_until("the scrapes are there to be asked", LIMIT, || {
        up.done(&["query", "sum(up{job=\"etcd\"})", "--json"]).contains("\"3\"")
    });
    assert!(up.done(&["log", "etcd-2", "--lines", "50"]).contains("etcd-2"));

    for (action, state) in [("pause", "paused"), ("resume", "healthy"), ("kill", "exited")] {
        up.done(&["member", action, "etcd-2"]);
        wait_until(state, LIMIT, || up.state_of(1) == state);
    }
    let again = up.run(&["member", "pause", "etcd-2"]);
    assert!(text(&again.stderr).contains("code member-not-running"), "{again:?}");
    up.done(&["restart", "etcd-2"]);
    wait_until("healthy again", LIMIT, || up.state_of(1) == "healthy");
    assert!(up.etcdctl(&["get", "key"]).contains("from outside"));

    // What the lab shows can be typed, on a machine that has nothing but Docker.
    let status: Value = serde_json::from_str(&up.done(&["status", "--json"])).unwrap();
    let shown = status["shown"].as_array().unwrap();
    let health = shown.iter().map(|line| line["text"].as_str().unwrap()).find(|line| line.contains("health"));
    let line = health.unwrap().replace(" -it ", " ");
    assert!(line.starts_with("docker run --network=host --rm --entrypoint etcdctl "), "{line}");
    let words = shlex::split(&line).unwrap();
    let typed = Command::new(&words[0]).args(&words[1..]).output().unwrap();
    assert!(typed.status.success() && text(&typed.stdout).contains("is healthy"), "{typed:?}");

    assert!(!up.left().is_empty());
    let down: Value = serde_json::from_str(&up.done(&["down", "--json"])).unwrap();
    assert_eq!((&down["done"], &down["id"]), (&"stopped".into(), &up.first["id"]));
    assert!(up.child.wait().unwrap().success());
    assert_eq!(up.left(), Vec::<String>::new());
}

#[test]
fn no_container_volume_or_network_outlives_a_lab_that_was_killed() {
    if !engine::is_there() {
        return;
    }
    let mut up = Up::start(&[]);
    assert!(up.left().len() > 3);
    up.end(Signal::KILL);
    wait_until("nothing of it is left", GONE_WITHIN, || up.left().is_empty());
}

#[test]
fn what_was_left_for_adoption_is_gone_on_with_keys_and_all() {
    if !engine::is_there() {
        return;
    }
    let mut killed = Up::start(&["--after-kill", "adopt"]);
    killed.etcdctl(&["put", "key", "kept"]);
    killed.end(Signal::KILL);
    let mut up = Up::start_in(Rc::clone(&killed.home), &["--after-kill", "adopt"]);
    assert_eq!(up.containers(), killed.containers());
    assert!(up.etcdctl(&["get", "key"]).contains("kept"));
    assert!(up.end(Signal::INT).success());
    assert_eq!([up.left(), killed.left()].concat(), Vec::<String>::new());
}

#[test]
fn what_was_left_for_adoption_is_told_of_and_removed_by_down() {
    if !engine::is_there() {
        return;
    }
    let mut killed = Up::start(&["--after-kill", "adopt"]);
    killed.end(Signal::KILL);
    let status = text(&killed.run(&["status"]).stderr);
    assert!(status.contains(&format!("3 containers in Docker are left of lab {}", killed.id())), "{status}");
    let said = killed.done(&["down", "--json"]);
    let removed = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let removed: Vec<Value> = removed.filter(|line| line["done"] == "containers-removed").collect();
    assert_eq!(removed.len(), 1, "{said}");
    assert_eq!((&removed[0]["id"], &removed[0]["containers"]), (&killed.first["id"], &3.into()));
    assert_eq!(killed.left(), Vec::<String>::new());
    assert!(killed.done(&["down"]).contains("none left anything behind"));
}
