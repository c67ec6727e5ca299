//! Failpoints of real members of each version that `make etcd` builds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{Runtime, Topology};
use lab_etcd::Cluster;
use lab_faults::{Gofail, GofailError, Term};

const NAME: &str = "walBeforeFdatasync";

#[tokio::test]
async fn a_failpoint_is_set_read_counted_and_cleared() {
    let gofail = Gofail::new().unwrap();
    for version in Binaries::standard().versions() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = NativeRuntime::new(NativeConfig {
            topology: Topology::etcd().unwrap(),
            binaries: Binaries::standard(),
            version: version.clone(),
            folder: dir.path().into(),
            keep_data: false,
            ports: PortChoice::Auto,
            quota_bytes: None,
            peer_proxies: BTreeMap::new(),
            lab_id: "test".into(),
            launch: Launch::for_this_system().unwrap(),
        });
        let nodes = runtime.start(&|_| {}).await.unwrap();
        let cluster = Cluster::connect(nodes.iter().map(|node| (node.name.as_str(), node.client.as_str())))
            .await
            .unwrap();
        let url = nodes[0].gofail.as_str();

        let all = gofail.list(url).await.unwrap();
        let names: Vec<&str> = all.iter().map(|failpoint| failpoint.name.as_str()).collect();
        assert!(names.contains(&NAME) && names.contains(&"defragBeforeCopy"), "{version}: {names:?}");
        assert!(all.iter().all(|failpoint| failpoint.term.is_none()), "{all:?}");
        assert_eq!(gofail.read(url, NAME).await.unwrap(), None);
        assert_eq!(gofail.count(url, NAME).await.unwrap(), None);
        gofail.clear(url, NAME).await.unwrap();

        // All of the grammar that has an effect is understood by the members.
        for text in [
            "off",
            "3*sleep(1)->off",
            "50.5%sleep(\"1ms\")",
            "sleep(\"1.5ms\")",
            "return(\"a b\")",
            "return(-5)",
        ] {
            let term: Term = text.parse().unwrap();
            gofail.set(url, "raftBeforeLeaderSend", &term).await.unwrap();
            assert_eq!(gofail.read(url, "raftBeforeLeaderSend").await.unwrap(), Some(term.to_string()));
            gofail.clear(url, "raftBeforeLeaderSend").await.unwrap();
        }

        let slow: Term = "sleep(100)".parse().unwrap();
        for node in &nodes {
            gofail.set(&node.gofail, NAME, &slow).await.unwrap();
        }
        assert_eq!(gofail.read(url, NAME).await.unwrap().as_deref(), Some("sleep(100)"));
        let set = gofail.list(url).await.unwrap().into_iter().find(|failpoint| failpoint.name == NAME);
        assert_eq!(set.unwrap().term.as_deref(), Some("sleep(100)"));
        let began = Instant::now();
        cluster.put("key", "value").await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(100), "{version}: {:?}", began.elapsed());
        assert!(gofail.count(url, NAME).await.unwrap().unwrap() > 0);

        // A failpoint that sleeps for long doesn't hold the endpoint.
        let long: Term = "sleep(60000)".parse().unwrap();
        gofail.set(url, NAME, &long).await.unwrap();
        let put = tokio::spawn({
            let cluster = cluster.clone();
            async move { cluster.put("key", "held").await }
        });
        while gofail.count(url, NAME).await.unwrap() == Some(0) {
            tokio::task::yield_now().await;
        }
        let began = Instant::now();
        gofail.clear(url, NAME).await.unwrap();
        assert_eq!(gofail.read(url, NAME).await.unwrap(), None);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        put.abort();

        let unknown = gofail.set(url, "noSuchFailpoint", &slow).await.unwrap_err();
        assert!(matches!(unknown, GofailError::NoSuchFailpoint { .. }), "{unknown}");
        let unknown = gofail.clear(url, "a b").await.unwrap_err();
        assert!(matches!(unknown, GofailError::NoSuchFailpoint { .. }), "{unknown}");
        runtime.stop().await;
        let gone = gofail.list(url).await.unwrap_err();
        assert!(matches!(gone, GofailError::Unreachable { .. }), "{gone}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_from_one_that_nobody_takes() {
    let gofail = Gofail::new().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let busy = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let broke = gofail.list(&url).await.unwrap_err();
    assert!(matches!(broke, GofailError::Broke { .. }), "{broke}");
    busy.abort();
    let _ = busy.await;
    let gone = gofail.list(&url).await.unwrap_err();
    assert!(matches!(gone, GofailError::Unreachable { .. }), "{gone}");
}
