//! `etcd-labctl` as a person uses it: a lab in one terminal, commands in another, and nothing left behind
//! however it ends. Needs the binaries that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// A lab in the foreground with a home of its own.
struct Up {
    child: Child,
    first: Value,
    home: Rc<tempfile::TempDir>,
}

impl Up {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Rc::new(tempfile::tempdir().unwrap()), arguments, environment)
    }

    /// A second lab in the home of another.
    fn start_beside(other: &Self, arguments: &[&str]) -> Self {
        Self::start_in(Rc::clone(&other.home), arguments, &[])
    }

    fn start_in(home: Rc<tempfile::TempDir>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = labctl(home.path())
            .args(["up", "--ports", "auto", "--json"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        // From here on, the child ends with this, also when the line does not come.
        let mut up = Self { child, first: Value::Null, home };
        let (sender, first_line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(read.map(|_| line));
        });
        let line = first_line.recv_timeout(LIMIT).unwrap().unwrap();
        up.first = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        up
    }

    fn run(&self, arguments: &[&str]) -> Output {
        labctl(self.home.path()).args(arguments).output().unwrap()
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn pids(&self) -> Vec<u32> {
        let pid = |node: &Value| u32::try_from(node["pid"].as_u64().unwrap()).unwrap();
        self.first["nodes"].as_array().unwrap().iter().map(pid).collect()
    }

    fn node(&self, at: usize, what: &str) -> &str {
        self.first["nodes"][at][what].as_str().unwrap()
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn labctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
    command.env("ETCD_LAB_HOME", home);
    command
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        // Each look may be a process of its own, and two cores are also the members'.
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn any_alive(pids: &[u32]) -> bool {
    // A process that has ended and waits to be reaped by somebody else is gone for our purposes.
    pids.iter().any(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn another_terminal_sees_and_steers_the_lab() {
    let mut up = Up::start(&[]);
    assert_eq!(up.first["runtime"], "native");
    assert_eq!(up.first["version"], "3.5.9");
    assert_eq!(up.first["nodes"].as_array().unwrap().len(), 3);

    wait_until("all members healthy, one of them the leader", || {
        let status = up.status();
        let members = status["cluster"]["members"].as_array().cloned().unwrap_or_default();
        members.iter().all(|member| member["state"] == "healthy")
            && members.iter().filter(|member| member["leader"] == true).count() == 1
    });
    wait_until("the scrapes are there to be asked", || {
        let output = up.run(&["query", "sum(up{job=\"etcd\"})", "--json"]);
        text(&output.stdout).contains("\"3\"")
    });
    let restarted = up.run(&["restart", "etcd-2"]);
    assert!(restarted.status.success(), "{restarted:?}");
    let log = up.run(&["log", "etcd-2", "--lines", "3"]);
    assert_eq!(text(&log.stdout).lines().count(), 3);
    let log = up.run(&["log", "etcd-2", "--lines", "3", "--json"]);
    let log: Value = serde_json::from_slice(&log.stdout).unwrap();
    assert_eq!((&log["member"], log["lines"].as_array().unwrap().len()), (&"etcd-2".into(), 3));
    let load = up.run(&["bench", "--clients=3", "--conns=3", "put", "--total=300"]);
    let first = up.node(0, "client").trim_start_matches("http://");
    assert!(
        text(&load.stdout).contains(first),
        "a load without --endpoints goes to the lab that runs: {load:?}"
    );
    let unknown = up.run(&["log", "etcd-9"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("code no-such-member"), "{unknown:?}");

    let status = up.status();
    let pids: Vec<u32> = status["cluster"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| u32::try_from(member["pid"].as_u64().unwrap()).unwrap())
        .collect();
    let down = up.run(&["down", "--json"]);
    assert!(down.status.success(), "{down:?}");
    let down: Value = serde_json::from_slice(&down.stdout).unwrap();
    assert_eq!((&down["done"], &down["id"]), (&"stopped".into(), &up.first["id"]));
    assert!(up.child.wait().unwrap().success());
    assert!(!any_alive(&pids));
    assert_eq!(up.run(&["status"]).status.code(), Some(1));
}

#[test]
fn after_the_first_line_each_problem_is_a_line() {
    let home = tempfile::tempdir().unwrap();
    let mut child =
        labctl(home.path()).args(["up", "--ports", "auto", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, said) = mpsc::channel();
    std::thread::spawn(move || while lines.next().is_some_and(|line| sender.send(line).is_ok()) {});
    let next = || -> Value { serde_json::from_str(&said.recv_timeout(LIMIT).unwrap().unwrap()).unwrap() };
    let mut up = Up { child, first: Value::Null, home: Rc::new(home) };
    up.first = next();
    let first = Pid::from_raw(i32::try_from(up.pids()[0]).unwrap()).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    let problem = &next()["problem"];
    assert_eq!((&problem["code"], &problem["member"]), (&"member-exited".into(), &"etcd-1".into()));
    assert!(up.end(Signal::INT).success());
}

#[test]
fn kept_data_goes_on_on_its_ports_and_is_removed_when_asked() {
    let mut fresh = Up::start(&[]);
    let put = |up: &Up, words: &[&str]| {
        let binaries = lab_cluster::native::Binaries::standard();
        let etcdctl = binaries.find(lab_cluster::native::Program::Etcdctl, "3.5.9").unwrap();
        let output =
            Command::new(etcdctl).args(["--endpoints", up.node(0, "client")]).args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    put(&fresh, &["put", "key", "kept"]);
    assert!(fresh.end(Signal::INT).success());

    // Another lab has taken the place meanwhile: the data is that of the last run all the same.
    let app = Up::start_beside(&fresh, &["--data-dir", fresh.home.path().join("other").to_str().unwrap()]);
    let mut kept = Up::start_beside(&fresh, &["--keep-data"]);
    assert_eq!(put(&kept, &["get", "key", "--print-value-only"]).trim(), "kept");
    let peers = |up: &Up| (0..3).map(|at| up.node(at, "peer").to_owned()).collect::<Vec<_>>();
    assert_eq!(peers(&kept), peers(&fresh));
    assert!(kept.end(Signal::INT).success());
    drop(app);

    let refused = kept.run(&["up", "--keep-data"]);
    assert!(text(&refused.stderr).contains("code data-of-other-ports"), "{refused:?}");
    kept.run(&["down"]);
    let down = text(&kept.run(&["down"]).stdout);
    assert!(down.contains("are left for `up --keep-data`"), "{down}");
    let down = text(&kept.run(&["down", "--all"]).stdout);
    assert!(down.contains("Removed "), "{down}");
    assert!(text(&kept.run(&["down"]).stdout).contains("none left anything behind"));
}

#[test]
fn a_lab_on_the_bridge_says_so_and_tells_what_is_done_to_its_links() {
    let mut up = Up::start(&["--topology", "etcd-bridge"]);
    assert_eq!(up.first["topology"], "etcd-bridge");
    assert!(up.run(&["link", "cut", "etcd-1", "etcd-2"]).status.success());
    let status = text(&up.run(&["status"]).stdout);
    for line in ["etcd 3.5.9, native, etcd-bridge", "link etcd-1 → etcd-2: cut", "link etcd-2 → etcd-1: cut"]
    {
        assert!(status.contains(line), "{line}: {status}");
    }
    assert!(up.end(Signal::INT).success());
    let refused = text(&up.run(&["up", "--keep-data", "--ports", "auto"]).stderr);
    assert!(refused.contains("code data-of-other-topology"), "{refused}");
}

/// The aim is 3 s; a figure to read, since a machine under load says nothing of the lab.
#[test]
fn the_second_start_is_timed() {
    drop(Up::start(&[]));
    let began = Instant::now();
    let up = Up::start(&[]);
    println!("first line of a warm `up --json` after {:.2} s", began.elapsed().as_secs_f64());
    assert_eq!(up.pids().len(), 3);
}

#[test]
fn ctrl_c_stops_every_member() {
    let mut up = Up::start(&[]);
    let pids = up.pids();
    assert!(any_alive(&pids));
    assert_eq!(up.end(Signal::INT).code(), Some(0));
    assert!(!any_alive(&pids));
}

/// `up --json | head -1`: what is told after the first line has no reader.
#[test]
fn a_lab_goes_on_when_nobody_reads_what_it_says() {
    let mut up = Up::start(&[]);
    let pids = up.pids();
    let second = Pid::from_raw(i32::try_from(pids[1]).unwrap()).unwrap();
    kill_process(second, Signal::KILL).unwrap();
    wait_until("the lab knows that a member ended", || {
        up.status()["cluster"]["members"][1]["state"] == "exited"
    });
    assert_eq!(up.child.try_wait().unwrap(), None);
    assert_eq!(up.end(Signal::INT).code(), Some(0));
    assert!(!any_alive(&pids));
    assert!(text(&up.run(&["down"]).stdout).contains("No lab runs"));
}

#[test]
fn a_problem_that_nobody_reads_is_still_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = labctl(home.path()).arg("status").stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn no_member_outlives_a_lab_that_was_killed() {
    let mut up = Up::start(&[]);
    let pids = up.pids();
    up.end(Signal::KILL);
    wait_until("the members are gone", || !any_alive(&pids));
    let down = up.run(&["down"]);
    assert!(text(&down.stdout).contains("Tidied up after lab"), "{down:?}");
    assert!(text(&up.run(&["down"]).stdout).contains("No lab runs"));
}

/// Ctrl-Z: the lab's lock is held, its socket takes connections, nobody answers.
#[test]
fn a_lab_that_was_stopped_with_ctrl_z_hangs_no_other_command() {
    let mut stopped = Up::start(&[]);
    let mut other = Up::start_beside(&stopped, &[]);
    kill_process(Pid::from_child(&stopped.child), Signal::STOP).unwrap();
    let id = stopped.first["id"].as_str().unwrap();
    let status = stopped.run(&["status", "--id", id]);
    assert!(text(&status.stderr).contains("code lab-silent"), "{status:?}");
    let down = stopped.run(&["down", "--all"]);
    assert_eq!(down.status.code(), Some(1));
    let (said, complained) = (text(&down.stdout), text(&down.stderr));
    assert!(said.contains(&format!("Stopped lab {}", other.first["id"].as_str().unwrap())), "{said}");
    let pid = stopped.child.id();
    assert!(complained.contains(&format!("kill -CONT {pid}")) && complained.contains("code still-running"));
    assert!(other.child.wait().unwrap().success());

    kill_process(Pid::from_child(&stopped.child), Signal::CONT).unwrap();
    let down = stopped.run(&["down"]);
    assert!(down.status.success(), "{down:?}");
    assert!(stopped.child.wait().unwrap().success());
}

#[test]
fn a_killed_lab_is_tidied_up_after_by_its_id_while_another_lives() {
    let mut killed = Up::start(&[]);
    let other = Up::start_beside(&killed, &[]);
    killed.end(Signal::KILL);
    let id = killed.first["id"].as_str().unwrap();
    let down = killed.run(&["down", "--id", id]);
    assert!(down.status.success(), "{down:?}");
    assert!(text(&down.stdout).contains(&format!("Tidied up after lab {id}")), "{down:?}");
    assert_eq!(other.status()["lab"]["id"], other.first["id"]);
    assert_eq!(killed.run(&["down", "--id", id]).status.code(), Some(1));
}

/// The way of systems without a parent-death signal, tried here because it can be.
#[test]
fn no_member_outlives_a_killed_lab_with_supervisors_either() {
    let mut up = Up::start_with(&[], &[("ETCD_LAB_LAUNCH", "supervised")]);
    let supervisors = up.pids();
    let members: Vec<u32> = supervisors.iter().flat_map(|pid| children(*pid)).collect();
    assert_eq!(members.len(), 3, "supervisors {supervisors:?}");
    up.end(Signal::KILL);
    wait_until("the members are gone", || !any_alive(&members));
    wait_until("the supervisors are gone", || !any_alive(&supervisors));
}

#[test]
fn a_member_is_held_let_go_and_stopped_through_its_supervisor_too() {
    let up = Up::start_with(&[], &[("ETCD_LAB_LAUNCH", "supervised")]);
    let [member] = children(up.pids()[1])[..] else { panic!("one supervisor, one member") };
    // `T` for who is held (proc(5)).
    let held = || {
        let stat = std::fs::read_to_string(format!("/proc/{member}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    };
    let act = |action: &str| {
        let output = up.run(&["member", action, "etcd-2"]);
        assert!(output.status.success(), "{output:?}");
    };
    act("pause");
    wait_until("it is held", held);
    act("resume");
    wait_until("it goes on", || !held());
    act("pause");
    act("stop");
    assert!(!any_alive(&[member]));
}

fn children(pid: u32) -> Vec<u32> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn the_failpoint_answers_as_in_the_talk() {
    let up = Up::start(&[]);
    let url = format!("{}/walBeforeFdatasync", up.node(0, "gofail"));
    let curl =
        |arguments: &[&str]| Command::new("curl").args(["-sS", "-f"]).args(arguments).output().unwrap();
    let set = curl(&[&url, "-XPUT", "-dsleep(100)"]);
    assert!(set.status.success(), "{set:?}");
    assert_eq!(text(&curl(&[&url]).stdout).trim(), "sleep(100)");
}

#[test]
fn a_taken_port_is_said_with_its_holder_and_nothing_is_left() {
    let home = tempfile::tempdir().unwrap();
    // Either we hold the port now, or somebody else on this machine did before: taken it is.
    let _held = TcpListener::bind("127.0.0.1:22379");
    let up = labctl(home.path()).args(["up", "--json"]).output().unwrap();
    assert_eq!(up.status.code(), Some(1));
    let problem: Value = serde_json::from_slice(&up.stdout).unwrap();
    assert_eq!(problem["problem"]["code"], "port-taken");
    assert!(text(&up.stderr).contains("22379 (client of etcd-2) "), "{}", text(&up.stderr));
    assert!(text(&up.stderr).contains("--ports auto"));
    assert_eq!(labctl(home.path()).arg("status").output().unwrap().status.code(), Some(1));
}

#[test]
fn a_second_lab_on_the_same_ports_is_told_of_the_first() {
    let home = tempfile::tempdir().unwrap();
    // Where somebody else holds the usual ports, there is no first lab to be told of: that case is the one above.
    let mut first = labctl(home.path()).args(["up", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let second = labctl(home.path()).arg("up").output().unwrap();
    kill_process(Pid::from_child(&first), Signal::TERM).unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = text(&second.stderr);
    match told["id"].as_str() {
        Some(id) => assert!(said.contains(&format!("Lab {id} (a terminal, process ")), "{said}"),
        None => assert_eq!(told["problem"]["code"], "port-taken"),
    }
}

#[test]
fn what_cannot_work_is_said_with_a_code_and_a_next_step() {
    let home = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(empty.path().join("etcd-lab-etcd-3.5.9"), "#!/bin/sh\nexit 3\n").unwrap();
    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(foreign.path().join("thesis.tex"), "").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["--etcd", "2.0.0"], "no-such-version"),
        (&["--data-dir", file.path().to_str().unwrap()], "folder-unwritable"),
        (&["--data-dir", foreign.path().to_str().unwrap()], "folder-not-ours"),
        (&["--serve", "0.0.0.0:0"], "not-loopback"),
    ];
    for (arguments, code) in cases {
        let output = labctl(home.path()).args(["up", "--ports", "auto"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(&format!("code {code}")) && said.contains("→"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_flag_that_is_unknown_or_out_of_range_is_named() {
    let home = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["up", "--fast"], "--fast"),
        (&["up", "--quota-bytes", "1"], "--quota-bytes"),
        (&["up", "--quota-bytes", "9223372036854775808"], "--quota-bytes"),
        (&["query", "up", "--start", "1", "--end", "2", "--step", "0"], "--step"),
        (&["log", "etcd-1", "--lines", "0"], "--lines"),
    ];
    for (arguments, flag) in cases {
        let output = labctl(home.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(flag), "{arguments:?}: {}", text(&output.stderr));
    }
}
