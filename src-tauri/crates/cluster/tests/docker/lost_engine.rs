//! An engine that stops under a running cluster, and comes back. It is an engine of the test's own, in a network
//! namespace of its own, so that it is in nobody's way.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use lab_cluster::docker::{DockerRuntime, ENGINE_STOPPED, Engine};
use lab_cluster::{ClusterError, Runtime};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout};

use crate::Test;
use crate::lab::{Lab, config, get, put, run, things};

pub const TESTS: &[Test] =
    &[("an_engine_that_stops_is_told_of_within_5_s_and_its_members_come_back", stops_and_comes_back)];

/// First argument of this program in the namespace of its own.
pub const ALONE: &str = "--with-an-engine-of-its-own";

fn stops_and_comes_back(_: Engine) {
    if !rustix::process::geteuid().is_root() || !has_program("dockerd") || !has_program("unshare") {
        println!("skipped: to start an engine takes root, dockerd and unshare");
        return;
    }
    let lab = Lab::new();
    let output = Command::new("unshare")
        .args(["--net", "--"])
        .arg(std::env::current_exe().unwrap())
        .args([ALONE, lab.home().to_str().unwrap()])
        .env("DOCKER_HOST", format!("unix://{}", socket(lab.home()).display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}\nThe engine: {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        std::fs::read_to_string(lab.home().join("dockerd.log")).unwrap_or_default(),
    );
}

fn has_program(name: &str) -> bool {
    Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn socket(home: &Path) -> PathBuf {
    home.join("docker.sock")
}

/// An engine of the test's own.
struct OwnEngine {
    process: Child,
}

impl OwnEngine {
    async fn start(home: &Path) -> Self {
        let log = File::options().create(true).append(true).open(home.join("dockerd.log")).unwrap();
        let flag = |name: &str, path: &str| format!("--{name}={}", home.join(path).display());
        let process = Command::new("dockerd")
            .arg(format!("--host=unix://{}", socket(home).display()))
            .args([flag("data-root", "data"), flag("exec-root", "exec"), flag("pidfile", "pid")])
            // A file system of its own kind within this one's may not be had.
            .arg("--storage-driver=vfs")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let own = Self { process };
        let deadline = Instant::now() + Duration::from_secs(60);
        while Engine::connect().await.is_err() {
            assert!(Instant::now() < deadline, "dockerd doesn't answer");
            sleep(Duration::from_millis(100)).await;
        }
        own
    }

    fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.process.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap(), signal).unwrap();
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal(Signal::CONT);
            self.stop();
        }
    }
}

/// The test itself, where the engine is its own.
pub fn alone(home: &str) -> ExitCode {
    let home = Path::new(home);
    assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
    run(async {
        let mut own = OwnEngine::start(home).await;
        let engine = Engine::connect().await.unwrap();
        let runtime = DockerRuntime::new(config(&engine, &home.join("1"), "alone").await);
        let nodes = runtime.start(&|_| {}).await.unwrap();
        put(&nodes[0], "a2V5", "dmFsdWU=").await;

        // It hangs: that is told, too, though nothing of it has ended.
        let mut exits = runtime.exits();
        own.signal(Signal::STOP);
        let began = Instant::now();
        for _ in 0..3 {
            let exit = timeout(Duration::from_secs(5), exits.recv()).await.unwrap().unwrap();
            assert_eq!((exit.how.as_str(), exit.reason), (ENGINE_STOPPED, None));
        }
        println!("a hanging engine was told after {:?}", began.elapsed());
        own.signal(Signal::CONT);
        for node in &nodes {
            runtime.restart(&node.name, &|_| {}).await.unwrap();
        }

        own.signal(Signal::TERM);
        let began = Instant::now();
        let mut told: Vec<String> = Vec::new();
        for _ in 0..3 {
            let exit = timeout(Duration::from_secs(5), exits.recv()).await.unwrap().unwrap();
            assert_eq!((exit.how.as_str(), exit.reason), (ENGINE_STOPPED, None));
            told.push(exit.member);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "told after {:?}", began.elapsed());
        println!("a stopped engine was told after {:?}", began.elapsed());
        told.sort();
        assert_eq!(told, ["etcd-1", "etcd-2", "etcd-3"]);
        own.stop();
        let refused = runtime.restart("etcd-1", &|_| {}).await.unwrap_err();
        assert!(matches!(refused, ClusterError::EngineLost { .. }), "{refused}");

        own = OwnEngine::start(home).await;
        // Each comes back beside the others: alone it has no leader to become ready by.
        let quiet = |_: &lab_cluster::Node| {};
        let back = tokio::join!(
            runtime.restart("etcd-1", &quiet),
            runtime.restart("etcd-2", &quiet),
            runtime.restart("etcd-3", &quiet)
        );
        let back = [back.0.unwrap(), back.1.unwrap(), back.2.unwrap()];
        assert_eq!(back.to_vec(), nodes);
        assert_eq!(get(&back[2], "a2V5").await.as_deref(), Some("dmFsdWU="));
        runtime.stop().await;
        assert_eq!(things("alone"), Vec::<String>::new());
        own.stop();
    });
    ExitCode::SUCCESS
}
