//! Every scenario, played from beginning to end by `etcd-labctl run` on real members: as it is, its checks are met;
//! without the faults or the operations that it is about, they say no, and why. One plays at a time, since each needs
//! the machine for itself. Needs the binaries that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

#[path = "docker/engine.rs"]
mod engine;

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A play that takes longer has lost its way: a scenario takes about 90 s.
const LIMIT: Duration = Duration::from_secs(360);
const THE_USUAL: &str = "3.5.9";
const THE_NEWEST: &str = "3.7.3";

/// Held while a scenario is played: two at a time would measure each other.
fn alone() -> MutexGuard<'static, ()> {
    static PLAYING: Mutex<()> = Mutex::new(());
    // A play that failed has ended, too.
    PLAYING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A play that ends with the test, whatever becomes of it.
struct Play(Child);

impl Drop for Play {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
            let _ = self.0.wait();
        }
    }
}

/// The report of a play, and its exit code.
fn play(arguments: &[&str]) -> (Value, Option<i32>) {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let told = home.path().join("told");
    let child = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
        .env("ETCD_LAB_HOME", home.path())
        .args(["run", "--profile", "quick", "--ports", "auto", "--json"])
        .args(arguments)
        .stdout(Stdio::from(std::fs::File::create(&told).unwrap()))
        .spawn()
        .unwrap();
    let mut play = Play(child);
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match play.0.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < deadline, "{arguments:?}: not within {LIMIT:?}"),
        }
        // A look takes the machine from what is measured; twice a second is enough.
        std::thread::sleep(Duration::from_millis(500));
    };
    let told = std::fs::read_to_string(told).unwrap();
    let report = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    (report, status.code())
}

fn steps(report: &Value) -> impl Iterator<Item = &Value> {
    report["scenarios"].as_array().unwrap().iter().flat_map(|one| one["steps"].as_array().unwrap())
}

/// What was not as it should be, a line each.
fn reasons(report: &Value) -> String {
    let mut reasons = Vec::new();
    for step in steps(report).filter(|step| step["outcome"] != "met") {
        reasons.push(format!("{} {}: {}", step["id"], step["outcome"], step["problem"]["sentence"]));
        for check in step["checks"].as_array().unwrap().iter().filter(|check| check["met"] == false) {
            reasons.push(format!("  {}: {}", check["that"], check["says"]));
        }
    }
    reasons.join("\n")
}

/// Queries that a step tells to look at, and that showed no point in it.
fn empty(report: &Value) -> Vec<String> {
    let queries = |step: &Value| {
        let empty = step["panels"].as_array().unwrap().iter().filter(|query| query["points"] == 0).cloned();
        empty.map(|query| format!("{}: {query}", step["id"])).collect::<Vec<_>>()
    };
    steps(report).flat_map(queries).collect()
}

#[track_caller]
fn is_met(number: &str, version: &str) {
    all_met(version, &[number, "--etcd", version]);
}

/// As [`is_met`], in Docker; where there is no engine, says so and plays nothing.
#[track_caller]
fn is_met_in_docker(number: &str) {
    if engine::is_there() {
        all_met("Docker", &[number, "--runtime", "docker"]);
    }
}

#[track_caller]
fn all_met(on: &str, arguments: &[&str]) {
    let (report, code) = play(arguments);
    assert_eq!((&report["passed"], code), (&Value::Bool(true), Some(0)), "\n{}", reasons(&report));
    assert!(steps(&report).count() > 0);
    assert_eq!(empty(&report), [""; 0], "what a step tells to look at shows nothing");
    println!("scenario {} on {on}: {} s", arguments[0], report["scenarios"][0]["seconds"]);
}

/// The step, played without that kind of action, is missed, since what was measured isn't as wanted.
#[track_caller]
fn is_missed(number: &str, step: &str, without: &str, reason: &str) {
    let (report, code) = play(&[number, "--step", step, "--only", "--without", without]);
    assert_eq!((&report["passed"], code), (&Value::Bool(false), Some(1)));
    let played: Vec<&Value> = steps(&report).collect();
    let [played] = played.as_slice() else { panic!("one step is played: {report}") };
    assert_eq!(played["outcome"], "missed", "{played}");
    let checks = played["checks"].as_array().unwrap();
    let mut missed = checks.iter().filter(|check| check["met"] == false);
    assert!(
        missed.any(|check| check["says"].as_str().unwrap().contains(reason)),
        "no check says {reason:?}:\n{}",
        reasons(&report)
    );
}

macro_rules! scenarios {
    ($($name:ident: $number:literal,)*) => {
        mod on_3_5 {
            $(#[test]
            fn $name() {
                super::is_met($number, super::THE_USUAL);
            })*
        }

        mod on_3_7 {
            $(#[test]
            #[ignore = "make test-all plays on this version too"]
            fn $name() {
                super::is_met($number, super::THE_NEWEST);
            })*
        }
    };
}

scenarios! {
    puts_and_ranges: "0",
    slow_disk: "1",
    slow_network: "2",
    database_size_limit: "3",
    compaction: "4",
    defragmentation: "5",
}

/// The same content and the same checks, on members in Docker.
mod in_docker {
    use super::is_met_in_docker;

    macro_rules! in_docker {
        ($($name:ident: $number:literal,)*) => {
            $(#[test]
            #[ignore = "make test-all plays in Docker too"]
            fn $name() {
                is_met_in_docker($number);
            })*
        };
    }

    in_docker! {
        puts_and_ranges: "0",
        slow_disk: "1",
        slow_network: "2",
        defragmentation: "5",
    }
}

/// Without what a step is about, its check says no, and says why.
mod without_it {
    use super::is_missed;

    #[test]
    fn disks_that_no_failpoint_slows_are_not_slow() {
        is_missed("1", "all-slow", "failpoints", "Is the failpoint set on all three?");
    }

    #[test]
    fn a_full_database_that_nobody_empties_stays_full() {
        is_missed("3", "delete", "operations", "all puts are refused");
    }

    #[test]
    #[ignore = "make test-all plays this too"]
    fn ranges_that_nobody_asks_for_are_not_answered() {
        is_missed("0", "ranges-beside", "loads", "wanted");
    }

    #[test]
    #[ignore = "make test-all plays this too"]
    fn links_that_nobody_delays_hold_nothing() {
        is_missed("2", "delay", "links", "lets everything through at once");
    }

    #[test]
    #[ignore = "make test-all plays this too"]
    fn a_history_that_nobody_compacts_stays() {
        is_missed("4", "once", "operations", "The history is still there");
    }

    #[test]
    #[ignore = "make test-all plays this too"]
    fn a_file_that_nobody_defragments_keeps_its_free_pages() {
        is_missed("5", "one-member", "operations", "still has its free pages");
    }
}
