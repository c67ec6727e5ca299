//! Terms name metrics that real members expose, whatever version they are of. Needs what `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::time::Duration;

use lab::api::{Command, LoadSpec, MetricView, Ports, Reply, Snapshot, StartOptions, TermView, Workload};
use lab::{Asker, Config, Events, Lab};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);

/// Members expose these only once it has happened: a message between them was lost, the first half minute is over.
const ON_OCCASION: [&str; 2] =
    ["etcd_network_peer_sent_failures_total", "etcd_network_peer_round_trip_time_seconds"];

async fn terms(asker: &Asker) -> Vec<TermView> {
    match asker.ask(Command::Glossary).await.unwrap() {
        Reply::Glossary { terms, references } => {
            assert!(!references.is_empty());
            terms
        }
        other => panic!("{other:?}"),
    }
}

fn metrics(terms: &[TermView]) -> impl Iterator<Item = &MetricView> {
    terms.iter().flat_map(|term| &term.metrics)
}

async fn snapshot(asker: &Asker) -> Snapshot {
    match asker.ask(Command::Snapshot).await.unwrap() {
        Reply::Snapshot { snapshot } => *snapshot,
        other => panic!("{other:?}"),
    }
}

/// A few puts and ranges, so that members have something to tell.
async fn use_the_cluster(asker: &Asker) {
    let puts = Workload::Put {
        key_size: 8,
        val_size: 8,
        key_space_size: 10,
        sequential_keys: true,
        compact_interval_s: None,
        compact_index_delta: 1000,
    };
    let ranges = Workload::Range { key: "/".into(), range_end: None, serializable: false };
    for workload in [puts, ranges] {
        let spec = LoadSpec { workload, clients: 3, conns: 3, total: 30, rate: None };
        asker.ask(Command::StartLoad { spec }).await.unwrap();
    }
}

/// Waits until the members expose every metric that they can be made to; gives the terms as they are then.
async fn all_exposed(asker: &Asker, events: &mut Events) -> Vec<TermView> {
    let mut missing: Vec<String> = Vec::new();
    let waiting = timeout(LIMIT, async {
        loop {
            let now = terms(asker).await;
            let unexposed = metrics(&now).filter(|metric| metric.exposed != Some(true));
            missing = unexposed.map(|metric| metric.name.clone()).collect();
            missing.retain(|name| !ON_OCCASION.contains(&name.as_str()));
            if missing.is_empty() {
                return now;
            }
            // Members are heard of every second.
            events.next().await.unwrap();
        }
    });
    match waiting.await {
        Ok(terms) => terms,
        Err(_) => panic!("not exposed within {LIMIT:?}: {missing:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_terms_metric_is_exposed_by_every_version() {
    let base = tempfile::tempdir().unwrap();
    let config = Config { base: base.path().into(), ..Config::standard("terminal").unwrap() };
    let lab = Lab::open(config).await.unwrap();
    let (asker, mut events) = lab.listen();
    let versions = snapshot(&asker).await.lab.etcd_versions;
    assert!(versions.iter().any(|version| version.starts_with("3.5")), "{versions:?}");
    for version in versions {
        let before = terms(&asker).await;
        assert!(metrics(&before).all(|metric| metric.exposed.is_none() && metric.kind.is_empty()));
        let etcd_version = Some(version);
        let options = StartOptions { etcd_version, ports: Ports::Auto, ..StartOptions::default() };
        asker.ask(Command::Start { options }).await.unwrap();
        use_the_cluster(&asker).await;

        let terms = all_exposed(&asker, &mut events).await;
        let fsync =
            metrics(&terms).find(|metric| metric.name == "etcd_disk_wal_fsync_duration_seconds").unwrap();
        assert_eq!((fsync.kind.as_str(), fsync.unit.as_str()), ("histogram", "seconds"));
        assert_eq!(fsync.buckets.first(), Some(&0.001));
        assert!(metrics(&terms).all(|metric| metric.exposed != Some(true) || !metric.help.is_empty()));
        asker.ask(Command::Stop).await.unwrap();
    }
    lab.shutdown().await;
}
