//! A lab in Docker, in the foreground of a terminal of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A start may build the image first.
pub const LIMIT: Duration = Duration::from_secs(180);

/// A lab in the foreground with a home of its own, its members in Docker.
pub struct Up {
    pub child: Child,
    said: mpsc::Receiver<String>,
    pub first: Value,
    pub home: Rc<tempfile::TempDir>,
}

impl Up {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(Rc::new(tempfile::tempdir().unwrap()), arguments)
    }

    pub fn start_in(home: Rc<tempfile::TempDir>, arguments: &[&str]) -> Self {
        let mut child = labctl(home.path())
            .args(["up", "--runtime", "docker", "--ports", "auto", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        std::thread::spawn(
            move || while lines.next().is_some_and(|line| sender.send(line.unwrap()).is_ok()) {},
        );
        let mut up = Self { child, said, first: Value::Null, home };
        up.first = up.line();
        up
    }

    /// The next line that it says.
    pub fn line(&self) -> Value {
        let line = self.said.recv_timeout(LIMIT).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub fn id(&self) -> &str {
        self.first["id"].as_str().unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        labctl(self.home.path()).args(arguments).output().unwrap()
    }

    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// What of it the engine has: containers, volumes and networks, by the lab's id.
    pub fn left(&self) -> Vec<String> {
        left(self.id())
    }

    pub fn containers(&self) -> Vec<String> {
        self.nodes().iter().map(|node| node["container"].as_str().unwrap().to_owned()).collect()
    }

    pub fn nodes(&self) -> &[Value] {
        self.first["nodes"].as_array().unwrap()
    }

    pub fn state_of(&self, member: usize) -> String {
        let status: Value = serde_json::from_str(&self.done(&["status", "--json"])).unwrap();
        status["cluster"]["members"][member]["state"].as_str().unwrap().to_owned()
    }

    /// What etcd's own client says, on this machine.
    pub fn etcdctl(&self, words: &[&str]) -> String {
        let binaries = lab_cluster::native::Binaries::standard();
        let etcdctl = binaries.find(lab_cluster::native::Program::Etcdctl, "3.5.9").unwrap();
        let endpoints: Vec<&str> = self.nodes().iter().map(|node| node["client"].as_str().unwrap()).collect();
        let output =
            Command::new(etcdctl).args(["--endpoints", &endpoints.join(",")]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        text(&output.stdout)
    }

    pub fn end(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
            let _ = self.child.wait();
        }
        // Also what was left to be gone on with.
        let _ = labctl(self.home.path()).arg("down").output();
    }
}

pub fn labctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
    command.env("ETCD_LAB_HOME", home);
    command
}

/// What docker's own program says.
#[track_caller]
pub fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    text(&output.stdout)
}

pub fn left(lab_id: &str) -> Vec<String> {
    let filter = format!("label=metrics-lab.id={lab_id}");
    let listed = [
        docker(&["ps", "--all", "--quiet", "--filter", &filter]),
        docker(&["volume", "ls", "--quiet", "--filter", &filter]),
        docker(&["network", "ls", "--quiet", "--filter", &filter]),
    ];
    listed.iter().flat_map(|list| list.lines()).map(str::to_owned).collect()
}

#[track_caller]
pub fn wait_until(what: &str, within: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !done() {
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        // Each look is a process of its own, and two cores are also the members'.
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
