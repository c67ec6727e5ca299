//! Operations against a real cluster of each version that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{Runtime, Topology};
use lab_etcd::{AlarmKind, Cluster, EtcdError};

const MIB: u64 = 1 << 20;

async fn start(version: &str, folder: &std::path::Path) -> (NativeRuntime, Cluster) {
    let runtime = NativeRuntime::new(NativeConfig {
        topology: Topology::etcd().unwrap(),
        binaries: Binaries::standard(),
        version: version.into(),
        folder: folder.into(),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: Some(16 * MIB),
        peer_proxies: Default::default(),
        lab_id: "test".into(),
        launch: Launch::for_this_system().unwrap(),
    });
    let nodes = runtime.start(&|_| {}).await.unwrap();
    let cluster =
        Cluster::connect(nodes.iter().map(|node| (node.name.as_str(), node.client.as_str()))).await.unwrap();
    (runtime, cluster)
}

#[tokio::test]
async fn a_full_database_is_emptied_the_way_the_handbook_says() {
    for version in Binaries::standard().versions() {
        let dir = tempfile::tempdir().unwrap();
        let (runtime, cluster) = start(&version, dir.path()).await;

        let statuses = cluster.status().await;
        let leaders: Vec<u64> = statuses.iter().map(|(_, status)| status.as_ref().unwrap().leader).collect();
        assert!(leaders[0] != 0 && leaders.iter().all(|leader| *leader == leaders[0]), "{leaders:?}");
        assert_eq!(statuses.iter().filter(|(_, s)| s.as_ref().unwrap().id == leaders[0]).count(), 1);
        assert!(statuses.iter().all(|(_, status)| status.as_ref().unwrap().version == version));

        assert_eq!(cluster.get("absent").await.unwrap().value, None);
        // One key, overwritten until the quota is reached: nearly all of it is history.
        let value = "v".repeat(256 * 1024);
        let refused = loop {
            if let Err(error) = cluster.put("key", &value).await {
                break error;
            }
        };
        assert!(
            matches!(&refused, EtcdError::Refused { code, .. } if code == "ResourceExhausted"),
            "{refused}"
        );
        let alarms = cluster.alarms().await.unwrap();
        assert!(
            !alarms.is_empty() && alarms.iter().all(|alarm| alarm.kind == AlarmKind::NoSpace),
            "{alarms:?}"
        );
        let status = cluster.member("etcd-1").unwrap().status().await.unwrap();
        assert_eq!(status.alarms, alarms, "the status tells the same without a proposal");
        let full = cluster.member("etcd-1").unwrap().status().await.unwrap().db_size_bytes;
        // etcd refuses the put that would pass the quota, so the file may stay a little below it.
        assert!(full > 12 * MIB, "{full}");

        let revision = cluster.compact(None).await.unwrap();
        let again = cluster.compact(Some(revision)).await.unwrap_err();
        assert!(matches!(&again, EtcdError::Refused { code, .. } if code == "OutOfRange"), "{again}");
        for name in ["etcd-1", "etcd-2", "etcd-3"] {
            let member = cluster.member(name).unwrap();
            member.defragment().await.unwrap();
            let after = member.status().await.unwrap().db_size_bytes;
            assert!(after < 2 * MIB, "{name}: {full} → {after}");
        }
        assert!(!cluster.disarm().await.unwrap().is_empty());
        assert_eq!(cluster.alarms().await.unwrap(), []);
        cluster.put("key", "small").await.unwrap();
        assert_eq!(cluster.get("key").await.unwrap().value.as_deref(), Some(b"small".as_slice()));

        runtime.stop().await;
        let gone = cluster.member("etcd-1").unwrap().status().await.unwrap_err();
        assert!(matches!(gone, EtcdError::Unreachable { .. }), "{gone}");
    }
}
