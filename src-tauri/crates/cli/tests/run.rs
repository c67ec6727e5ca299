//! `etcd-labctl run` as a program. Needs the binaries that `make etcd` builds.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_play_that_is_interrupted_is_no_success() {
    let home = tempfile::tempdir().unwrap();
    let mut play = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
        .env("ETCD_LAB_HOME", home.path())
        .args(["run", "0", "--ports", "auto"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(play.stdout.take().unwrap()).lines().map(Result::unwrap);
    // Said before any member is started; with no more than this, no check can have been judged.
    assert!(lines.any(|line| line.contains("Starting three members")));
    kill_process(Pid::from_child(&play), Signal::INT).unwrap();
    assert!(lines.any(|line| line.contains("before all checks were judged")));
    assert_eq!(play.wait().unwrap().code(), Some(130));
    assert!(!home.path().join("progress.json").exists(), "a play in the terminal is nobody's progress");
}

#[test]
fn a_scenario_or_step_that_is_unknown_is_told_with_those_that_are_known() {
    let home = tempfile::tempdir().unwrap();
    let cases = [
        (&["run", "nothing"][..], "Choose one of: puts-and-ranges"),
        (&["run", "99"], "Choose one of: puts-and-ranges"),
        (&["run", "0", "--step", "nothing"], "puts-and-ranges has no step nothing"),
    ];
    for (arguments, told) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
            .env("ETCD_LAB_HOME", home.path())
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
}
