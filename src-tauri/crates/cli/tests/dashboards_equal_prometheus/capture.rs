//! Samples of a real cluster that is put through what the lab puts clusters through.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lab_bench::{BenchSpec, Compact, Consistency, Put, Range, Workload};
use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{Node, Runtime, Topology};
use lab_etcd::Cluster;
use lab_metrics::{MemoryStore, Round, ScrapeConfig, Scraper, Target, system_clock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Rounds before the load begins and after it has ended.
const QUIET_ROUNDS: usize = 5;

/// Starts a cluster, scrapes it each second, and yields the store after put load with compactions, range load of
/// both consistencies, and put load during a compaction, refused compactions and a defragmentation of each member.
pub async fn samples(folder: &Path) -> Arc<MemoryStore> {
    let topology = Topology::etcd().unwrap();
    let runtime = NativeRuntime::new(NativeConfig {
        version: topology.etcd_version().to_owned(),
        topology,
        binaries: Binaries::standard(),
        folder: folder.to_owned(),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: None,
        peer_proxies: Default::default(),
        lab_id: "equality-test".into(),
        launch: Launch::for_this_system().unwrap(),
    });
    let nodes = runtime.start(&|_| {}).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let scraper =
        Scraper::start(ScrapeConfig::default(), store.clone(), system_clock(), &CancellationToken::new())
            .unwrap();
    let target = |node: &Node| Target::new("etcd", &node.name, &format!("{}/metrics", node.client)).unwrap();
    scraper.set_targets(nodes.iter().map(target).collect());
    let mut rounds = scraper.rounds();
    quiet(&mut rounds).await;

    let put = Put { key_size: 8, val_size: 512, key_space_size: 2_000, sequential_keys: true, compact: None };
    let compact = Some(Compact { interval: Duration::from_secs(5), index_delta: 500 });
    load(&nodes, 20, Workload::Put(Put { compact, ..put.clone() })).await;
    for consistency in [Consistency::Linearizable, Consistency::Serializable] {
        let range = Range { key: "/".into(), range_end: None, consistency };
        load(&nodes, 10, Workload::Range(range)).await;
    }
    let cluster = Cluster::connect(nodes.iter().map(|node| (node.name.as_str(), node.client.as_str())));
    let cluster = cluster.await.unwrap();
    let maintenance = async {
        cluster.compact(None).await.unwrap();
        for node in &nodes {
            quiet(&mut rounds).await;
            // Long compacted: an error for the panels that count errors.
            cluster.compact(Some(1)).await.unwrap_err();
            cluster.member(&node.name).unwrap().defragment().await.unwrap();
        }
    };
    tokio::join!(load(&nodes, 20, Workload::Put(put)), maintenance);
    quiet(&mut rounds).await;
    let last = rounds.borrow().clone().unwrap();
    assert!(last.scrapes.iter().all(|scrape| scrape.up() && scrape.rejected == 0), "{last:?}");
    scraper.stop().await;
    runtime.stop().await;
    store
}

/// Waits for some rounds.
async fn quiet(rounds: &mut watch::Receiver<Option<Arc<Round>>>) {
    for _ in 0..QUIET_ROUNDS {
        tokio::time::timeout(Duration::from_secs(30), rounds.changed()).await.unwrap().unwrap();
    }
}

async fn load(nodes: &[Node], seconds: u64, workload: Workload) {
    let mut spec = BenchSpec::new(nodes.iter().map(|node| node.client.clone()), workload);
    (spec.conns, spec.clients, spec.total) = (12, 24, None);
    // Enough to move every metric, and little enough that the scrapes beside it are not starved on two cores.
    spec.rate = Some(600);
    spec.duration = Some(Duration::from_secs(seconds));
    let report = lab_bench::run(spec, CancellationToken::new(), |_| {}).await.unwrap();
    println!("{} requests answered and {} failed in {seconds} s", report.answers, report.errors);
    assert!(report.answers > 0, "{:?}", report.error_counts);
}
