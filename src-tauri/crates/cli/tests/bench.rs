//! `etcd-labctl bench` as a program: what it says, where, and with which exit code.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{Runtime, Topology};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn labctl() -> Command {
    Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
}

fn bench(arguments: &[&str]) -> Output {
    labctl().arg("bench").args(arguments).output().unwrap()
}

#[test]
fn bad_usage_is_2_and_names_the_flag() {
    for (arguments, flag) in [
        (&["put", "--cacert=ca.pem"][..], "--cacert"),
        (&["put", "--clients=0"], "--clients"),
        (&["--conns=-1", "put"], "--conns"),
        (&["put", "--key-size=2", "--key-space-size=100000"], "--key-size"),
        (&["--val-size=3", "range", "/"], "--val-size"),
    ] {
        let output = bench(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(flag), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn no_member_to_be_reached_is_1_and_says_why() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = bench(&[&format!("--endpoints={free}"), "put"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&free.to_string()) && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn on_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = NativeRuntime::new(NativeConfig {
        topology: Topology::etcd().unwrap(),
        binaries: Binaries::standard(),
        version: "3.5.9".into(),
        folder: folder.path().join("cluster"),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: None,
        peer_proxies: Default::default(),
        lab_id: "bench-cli-test".into(),
        launch: Launch::for_this_system().unwrap(),
    });
    let nodes = runtime.start(&|_| {}).await.unwrap();
    let clients: Vec<_> = nodes.iter().map(|node| node.client.trim_start_matches("http://")).collect();
    let endpoints = format!("--endpoints={}", clients.join(","));
    a_summary_for_a_person(&endpoints, folder.path());
    an_interrupt_gives_the_result_so_far(&endpoints);
    a_load_ends_when_nobody_reads_of_it(&endpoints);
    runtime.stop().await;
}

fn a_summary_for_a_person(endpoints: &str, folder: &std::path::Path) {
    let log = folder.join("latencies.hlog");
    let hdr = format!("--hdr={}", log.display());
    let load = ["put", "--sequential-keys", "--key-space-size=100000", "--total=2000", &hdr];
    let output = bench(&[&[endpoints, "--clients=20", "--conns=20"], &load[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Summary:",
        "Requests/sec:",
        "Response time histogram:",
        "99.99% in ",
        "Answers:\t2,000",
        endpoint(endpoints),
    ] {
        assert!(said.contains(part), "{part} is missing from:\n{said}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("#[StartTime") && log.contains(",HISTF"), "{log}");
}

fn endpoint(endpoints: &str) -> &str {
    endpoints.rsplit([',', '=']).next().unwrap()
}

fn an_interrupt_gives_the_result_so_far(endpoints: &str) {
    let mut load = labctl()
        .args(["bench", endpoints, "--clients=20", "--conns=20", "--json", "--consistency=s", "range", "/"])
        .arg("--total=100000000")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(load.stdout.take().unwrap()).lines();
    let progress: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(progress["type"], "progress");
    assert!(progress["rate"].as_f64().unwrap() > 0.0, "{progress}");

    kill_process(Pid::from_child(&load), Signal::INT).unwrap();
    let last = lines.map(Result::unwrap).last().unwrap();
    let report: Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&report["type"], &report["ended"]), (&"report".into(), &"cancelled".into()));
    assert!(report["answers"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["members"].as_array().unwrap().len(), 3);
    assert_eq!(load.wait().unwrap().code(), Some(0));
}

fn a_load_ends_when_nobody_reads_of_it(endpoints: &str) {
    let mut load = labctl()
        .args(["bench", endpoints, "--clients=3", "--conns=3", "--json", "range", "/", "--total=100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(load.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"type\":\"progress\""), "{first}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while load.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            let _ = load.kill();
            panic!("still running, and nobody reads of it");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = load.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
