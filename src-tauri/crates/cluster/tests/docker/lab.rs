//! What the tests have in common: a lab's folder, a cluster in it, and questions to members and to the engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lab_cluster::docker::{AfterKill, DockerConfig, DockerRuntime, Engine};
use lab_cluster::{Node, PortChoice, Topology};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::image;

/// Carries out what a test does.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// A lab's place on disk, and its id.
pub struct Lab {
    home: TempDir,
    pub id: String,
}

impl Lab {
    pub fn new() -> Self {
        static LABS: AtomicU32 = AtomicU32::new(0);
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        Self { home: tempfile::tempdir().unwrap(), id: format!("test{:x}x{number}", std::process::id()) }
    }

    /// The folder of all labs of this home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder of this one.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("1")
    }

    pub async fn config(&self, engine: &Engine) -> DockerConfig {
        config(engine, &self.folder(), &self.id).await
    }

    pub async fn runtime(&self, engine: &Engine) -> DockerRuntime {
        DockerRuntime::new(self.config(engine).await)
    }

    /// What the engine has with this lab's label: containers, volumes and networks.
    pub fn things(&self) -> Vec<String> {
        things(&self.id)
    }
}

pub fn things(id: &str) -> Vec<String> {
    let label = format!("label=metrics-lab.id={id}");
    let lists: [&[&str]; 3] =
        [&["ps", "-a", "--format", "{{.Names}}"], &["volume", "ls", "-q"], &["network", "ls", "-q"]];
    lists.iter().flat_map(|list| docker(&[list, &["--filter", &label][..]].concat())).collect()
}

/// The lines that a docker command writes.
pub fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

pub async fn config(engine: &Engine, folder: &Path, id: &str) -> DockerConfig {
    let topology = Topology::etcd().unwrap();
    let version = topology.etcd_version().to_owned();
    image::needed(engine, &topology, &version).await;
    DockerConfig {
        engine: engine.clone(),
        version,
        topology,
        folder: folder.to_owned(),
        ports: PortChoice::Auto,
        quota_bytes: None,
        lab_id: id.to_owned(),
        after_kill: AfterKill::Remove,
        watcher: std::env::current_exe().unwrap(),
    }
}

/// Waits until something is so, and fails with what it was for when that takes too long.
pub async fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Not through the proxy of whoever runs this.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap()
}

/// Whether a member answers that it is well, with its leader.
pub async fn is_well(node: &Node) -> bool {
    let answer = http().get(format!("{}/health", node.client)).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Puts a key into the cluster, by the JSON gateway: key and value in Base64.
pub async fn put(node: &Node, key: &str, value: &str) {
    let body = serde_json::json!({ "key": key, "value": value });
    let answer = http().post(format!("{}/v3/kv/put", node.client)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

/// The value of a key, if it has one.
pub async fn get(node: &Node, key: &str) -> Option<String> {
    let body = serde_json::json!({ "key": key });
    let answer = http().post(format!("{}/v3/kv/range", node.client)).json(&body).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    answer["kvs"][0]["value"].as_str().map(String::from)
}
