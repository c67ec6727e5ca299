//! An engine that stops under a running cluster and comes back, and one whose disk is full. It is an engine of the test's
//! own, in namespaces of its own, so that it is in nobody's way.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use lab_cluster::docker::{DockerRuntime, ENGINE_STOPPED, Engine, image};
use lab_cluster::{ClusterError, Runtime};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout};

use crate::Test;
use crate::lab::{Lab, config, docker, get, put, run, things};

pub const TESTS: &[Test] = &[
    ("an_engine_that_stops_is_told_of_within_5_s_and_its_members_come_back", stops_and_comes_back),
    ("an_engine_whose_disk_is_full_is_told_of", full),
];

/// First argument of this program in namespaces of its own; the second names what is tried there.
pub const ALONE: &str = "--with-an-engine-of-its-own";

/// The members' image, on its way from the engine that has it.
const IMAGE: &str = "image.tar";
/// What is tried with an engine of one's own.
const STOPS: &str = "stops";
const FULL: &str = "full";

fn stops_and_comes_back(engine: Engine) {
    try_alone(&engine, STOPS);
}

fn full(engine: Engine) {
    try_alone(&engine, FULL);
}

fn try_alone(engine: &Engine, what: &str) {
    if !rustix::process::geteuid().is_root() || !has_program("dockerd") || !has_program("unshare") {
        println!("skipped: to start an engine takes root, dockerd and unshare");
        return;
    }
    let lab = Lab::new();
    run(async {
        let config = lab.config(engine).await;
        let reference = image::reference(&config.topology, &config.version);
        image::save(engine, &[reference], &lab.home().join(IMAGE), &|_| {}).await.unwrap();
    });
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--"])
        .arg(std::env::current_exe().unwrap())
        .args([ALONE, what, lab.home().to_str().unwrap()])
        .env("DOCKER_HOST", format!("unix://{}", socket(lab.home()).display()))
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}\nThe engine: {}",
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
pub fn alone(what: &str, home: &str) -> ExitCode {
    let home = Path::new(home);
    let data = home.join("data");
    std::fs::create_dir(&data).unwrap();
    system("ip", &["link", "set", "lo", "up"]);
    // Its disk: one that overlays can be laid on, and that can be filled.
    system("mount", &["-t", "tmpfs", "-o", "size=768m", "tmpfs", data.to_str().unwrap()]);
    run(async {
        let own = OwnEngine::start(home).await;
        let engine = Engine::connect().await.unwrap();
        image::load(&engine, &home.join(IMAGE), &|_| {}).await.unwrap();
        let runtime = DockerRuntime::new(config(&engine, &home.join("1"), "alone").await);
        match what {
            STOPS => stop_and_come_back(runtime, own, home).await,
            _ => fill(runtime, &data).await,
        }
    });
    ExitCode::SUCCESS
}

fn system(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

async fn fill(runtime: DockerRuntime, data: &Path) {
    let mut filler = File::create(data.join("filler")).unwrap();
    let block = vec![7; 1 << 20];
    while filler.write_all(&block).is_ok() {}
    let error = runtime.start(&|_| {}).await.unwrap_err();
    assert!(matches!(&error, ClusterError::EngineFull { .. }), "{error}");
    drop(filler);
    std::fs::remove_file(data.join("filler")).unwrap();
    assert_eq!(things("alone"), Vec::<String>::new());
    runtime.start(&|_| {}).await.unwrap();
    runtime.stop().await;
}

async fn stop_and_come_back(runtime: DockerRuntime, mut own: OwnEngine, home: &Path) {
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
    let back: Vec<_> = [back.0, back.1, back.2].into();
    let back = back.into_iter().collect::<Result<Vec<_>, _>>();
    let back = back.unwrap_or_else(|error| panic!("{error}; the engine has {:?}", docker(&["ps", "-a"])));
    assert_eq!(back, nodes);
    assert_eq!(get(&back[2], "a2V5").await.as_deref(), Some("dmFsdWU="));
    runtime.stop().await;
    assert_eq!(things("alone"), Vec::<String>::new());
    own.stop();
}
