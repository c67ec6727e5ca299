//! The talk's first failpoint, as a person sees it: a slow disk on every member shows on the panel. Needs the binaries
//! that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// For the members to be ready, and for scrapes to have begun.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// As the failpoint sleeps 100 ms before each sync, no sync is shorter; the panel looks back 15 s.
const SLEEP: &str = "sleep(100)";
/// Seconds that the panel must pass, and how soon after the failpoint was set. A slow machine may pass the first by
/// itself, hence the second.
const MARKS: [(f64, Duration); 2] = [(0.05, Duration::from_secs(15)), (0.1, Duration::from_secs(30))];

/// Ended, and waited for, with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // In order if it can be, so that nothing is left.
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let deadline = Instant::now() + Duration::from_secs(20);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The query of a panel, from the file that Grafana draws.
fn query_of(title: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../grafana/dashboards/puts.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let panel = panels.iter().find(|panel| panel["title"] == title).unwrap();
    panel["targets"][0]["expr"].as_str().unwrap().to_owned()
}

#[test]
fn a_slow_sync_on_every_member_shows_on_the_panel_within_15_s() {
    let home = tempfile::tempdir().unwrap();
    let labctl = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
        command.env("ETCD_LAB_HOME", home.path());
        command
    };
    let up = labctl().args(["up", "--ports", "auto", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut up = Running(up);
    let stdout = up.0.stdout.take().unwrap();
    let (sender, line) = mpsc::channel();
    std::thread::spawn(move || sender.send(BufReader::new(stdout).lines().next()));
    let line = line.recv_timeout(READY_WITHIN).unwrap().unwrap().unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    let load = labctl()
        .args(["bench", "--clients=50", "--conns=9", "put", "--sequential-keys", "--key-space-size=100000"])
        .arg("--total=100000000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _load = Running(load);

    let query = query_of("disk: wal fsync duration p99");
    // One value a member, in seconds; NaN as long as nothing was synced.
    let p99 = || -> Vec<f64> {
        let output = labctl().args(["query", &query, "--json"]).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        result.iter().filter_map(|one| one["value"][1].as_str()?.parse().ok()).collect()
    };
    let wait = |what: &str, within: Duration, met: &dyn Fn(f64) -> bool| {
        let began = Instant::now();
        loop {
            let values = p99();
            if values.len() == 3 && values.iter().all(|value| met(*value)) {
                println!("{what} after {:.1} s: {values:?} s", began.elapsed().as_secs_f64());
                return;
            }
            assert!(began.elapsed() < within, "{what}: not within {within:?}, but {values:?} s");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    wait("before the failpoint", READY_WITHIN, &|value| value.is_finite());

    for node in first["nodes"].as_array().unwrap() {
        let url = format!("{}/walBeforeFdatasync", node["gofail"].as_str().unwrap());
        let set = Command::new("curl").args(["-sS", "-f", &url, "-XPUT", "-d", SLEEP]).output().unwrap();
        assert!(set.status.success(), "{set:?}");
    }
    let began = Instant::now();
    for (mark, within) in MARKS {
        wait(&format!("above {mark} s"), within.saturating_sub(began.elapsed()), &|value| value > mark);
    }
}
