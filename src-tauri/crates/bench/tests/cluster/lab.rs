//! Real clusters for the load's tests, one at a time: two on two cores would measure each other.

use lab_bench::{BenchSpec, CancellationToken, Progress, Put, Report, Workload};
use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{Node, Runtime, Topology};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A running cluster of three, on free ports.
pub struct Lab {
    pub runtime: NativeRuntime,
    pub nodes: Vec<Node>,
    _folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    pub async fn start(quota_bytes: Option<u64>) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let runtime = NativeRuntime::new(NativeConfig {
            topology: Topology::etcd().unwrap(),
            binaries: Binaries::standard(),
            version: "3.5.9".into(),
            folder: folder.path().into(),
            keep_data: false,
            ports: PortChoice::Auto,
            quota_bytes,
            peer_proxies: Default::default(),
            lab_id: "bench-test".into(),
            launch: Launch::for_this_system().unwrap(),
        });
        let nodes = runtime.start(&|_| {}).await.unwrap();
        Self { runtime, nodes, _folder: folder, _turn: turn }
    }

    /// A load on all members, three connections and clients each.
    pub fn load(&self, workload: Workload) -> BenchSpec {
        let mut spec = BenchSpec::new(self.nodes.iter().map(|node| node.client.clone()), workload);
        (spec.conns, spec.clients) = (9, 9);
        spec
    }

    pub fn signal(&self, member: usize, signal: Signal) {
        let pid = i32::try_from(self.nodes[member].pid.unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// The cluster's revision, asked of its first member.
    pub async fn revision(&self) -> i64 {
        let node = &self.nodes[0];
        let cluster = lab_etcd::Cluster::connect([(node.name.as_str(), node.client.as_str())]).await.unwrap();
        cluster.get("absent").await.unwrap().revision
    }
}

/// Puts of 100 keys in order.
pub fn puts() -> Workload {
    Workload::Put(Put { key_space_size: 100, sequential_keys: true, ..Put::default() })
}

/// Carries a load out and keeps what it told on its way.
pub async fn run(spec: BenchSpec) -> (Report, Vec<Progress>) {
    let mut told = Vec::new();
    let report =
        lab_bench::run(spec, CancellationToken::new(), |progress| told.push(progress)).await.unwrap();
    (report, told)
}
