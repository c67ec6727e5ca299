//! Prometheus and Grafana beside a cluster.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use lab_cluster::docker::Engine;
use lab_cluster::docker::observers::{self, ObserversError, ObserversProgress};
use lab_cluster::{ClusterError, PortChoice, Runtime};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Test;
use crate::lab::{Lab, docker, http, is_well, run};
use crate::stand_ins::StandIns;

pub const TESTS: &[Test] = &[
    ("prometheus_and_grafana_run_beside_the_cluster_and_go_with_it", beside_the_cluster),
    ("a_port_that_prometheus_wants_and_somebody_has_is_named", port_taken),
];

/// What Prometheus answers to a question of its HTTP API.
async fn asked(prometheus: &str, path: &str) -> Value {
    let answer = http().get(format!("{prometheus}/api/v1/{path}")).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["data"].take()
}

/// Waits until Prometheus scrapes all members under their names.
async fn until_scraped(prometheus: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = asked(prometheus, "query?query=up%7Bjob%3D%22etcd%22%7D%3D%3D1").await;
        let up = answer["result"].as_array().unwrap();
        let mut names: Vec<&str> = up.iter().map(|one| one["metric"]["instance"].as_str().unwrap()).collect();
        names.sort_unstable();
        if names == ["etcd-1", "etcd-2", "etcd-3"] {
            return;
        }
        assert!(Instant::now() < deadline, "only {names:?} are scraped");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The containers that watch this lab's cluster, by id.
fn containers(lab: &Lab) -> Vec<String> {
    let of_lab = format!("label=metrics-lab.id={}", lab.id);
    docker(&["ps", "-aq", "--filter", &of_lab, "--filter", "label=metrics-lab.role=observer"])
}

/// A file in Grafana's container is the one of this repository, and can be read by the user that Grafana is.
fn same_file(container: &str, path: &str, ours: &str) {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(ours);
    let ours = std::fs::read_to_string(ours).unwrap();
    assert_eq!(docker(&["exec", container, "busybox", "cat", path]), ours.lines().collect::<Vec<_>>());
}

fn beside_the_cluster(engine: Engine) {
    let _stand_ins = StandIns::make();
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        let nodes = runtime.start(&|_| {}).await.unwrap();
        let place = runtime.place().unwrap();

        let heard = Mutex::new(Vec::new());
        let progress = |one| heard.lock().unwrap().push(one);
        let running = observers::start(&place, PortChoice::Auto, &progress).await.unwrap();
        assert_eq!((running.user.as_str(), running.password.as_str()), ("admin", "foobar"));
        for service in ["prometheus", "grafana"] {
            let starting = ObserversProgress::Starting { service: service.into() };
            assert!(heard.lock().unwrap().contains(&starting), "{heard:?}");
        }
        until_scraped(&running.prometheus_url).await;
        let rules = asked(&running.prometheus_url, "rules").await;
        assert_eq!(rules["groups"].as_array().unwrap().len(), 3, "{rules}");
        let health = http().get(format!("{}/api/health", running.grafana_url)).send().await.unwrap();
        assert_eq!(health.json::<Value>().await.unwrap()["database"], "ok");

        let of_lab = format!("label=metrics-lab.id={}", lab.id);
        let grafana = docker(&["ps", "-q", "--filter", &of_lab, "--filter", "name=grafana"]).remove(0);
        let provisioning = "provisioning/datasources/prometheus.yaml";
        same_file(&grafana, &format!("/etc/grafana/{provisioning}"), &format!("grafana/{provisioning}"));
        same_file(&grafana, "/var/lib/grafana/dashboards/puts.json", "grafana/dashboards/puts.json");
        for container in containers(&lab) {
            let mounts = docker(&["inspect", "--format", "{{range .Mounts}}{{.Type}}{{end}}", &container]);
            assert_eq!(mounts, [""], "a volume would stay");
        }

        observers::stop(&place).await.unwrap();
        assert_eq!(containers(&lab), [""; 0]);
        assert!(is_well(&nodes[0]).await, "the cluster goes on without them");

        let again = observers::start(&place, PortChoice::Auto, &|_| {}).await.unwrap();
        until_scraped(&again.prometheus_url).await;
        runtime.stop().await;
        assert_eq!(lab.things(), [""; 0]);
    });
}

fn port_taken(engine: Engine) {
    let _stand_ins = StandIns::make();
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        runtime.start(&|_| {}).await.unwrap();
        // Held by this test, or by whoever has it already.
        let _held = TcpListener::bind("127.0.0.1:9090");
        let refused = observers::start(&runtime.place().unwrap(), PortChoice::Topology, &|_| {}).await;
        let Err(ObserversError::Engine(ClusterError::PortsTaken(taken))) = refused else {
            panic!("{refused:?}")
        };
        let first = &taken[0];
        assert_eq!((first.member.as_str(), first.what, first.port), ("prometheus", "web", 9090));
        assert_eq!(containers(&lab), [""; 0]);
        runtime.stop().await;
        assert_eq!(lab.things(), [""; 0]);
    });
}
