//! The dashboards on a live cluster: a real Prometheus scrapes it by the lab's own configuration, so with the labels
//! that it has beside Docker, and `etcd-labctl dashboards check --against` asks every query of it. None may fail or be
//! answered otherwise than by the lab, and none may stay empty after what moves it. The lab's own API is asked too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, Uri};
use lab_bench::{BenchSpec, Consistency, Put, Range, Workload};
use lab_etcd::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::prometheus::Prometheus;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_is_answered_on_etcd_3_5() {
    every_query_is_answered("3.5.9").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_is_answered_on_etcd_3_7() {
    every_query_is_answered("3.7.3").await;
}

async fn every_query_is_answered(version: &str) {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::start(folder.path(), version);
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = configured(&format!("http://{}", proxy.local_addr().unwrap()));
    let serving = tokio::spawn(scraped_by_name(proxy, lab.members.clone()));
    let prometheus = Prometheus::start(folder.path(), &config).await;
    up(&prometheus).await;

    let put = Put { key_size: 8, val_size: 256, key_space_size: 1_000, sequential_keys: true, compact: None };
    let range = Range { key: "/".into(), range_end: None, consistency: Consistency::Linearizable };
    let maintenance = async {
        let members = lab.members.iter().map(|(name, client)| (name.as_str(), client.as_str()));
        let cluster = Cluster::connect(members).await.unwrap();
        cluster.compact(None).await.unwrap();
        // Long compacted: an error for the panels that count errors.
        cluster.compact(Some(1)).await.unwrap_err();
        for name in lab.members.keys() {
            cluster.member(name).unwrap().defragment().await.unwrap();
        }
    };
    let load = load(&lab, 8, Workload::Put(put));
    tokio::join!(load, self::load(&lab, 8, Workload::Range(range)), maintenance);

    let six = ["puts", "ranges", "peers", "compaction", "defrag", "etcd"];
    let six = six.map(|name| format!("{ROOT}/grafana/dashboards/{name}.json"));
    for url in [prometheus.base(), &lab.serve] {
        // What happened last comes into the answers within seconds: the newest scrapes are left out of them.
        let deadline = Instant::now() + Duration::from_secs(30);
        let told = loop {
            let told = check(url, &six).await;
            if told["empty"] == Json::Array(Vec::new()) || Instant::now() >= deadline {
                break told;
            }
        };
        println!("etcd {version} at {url}: {} queries, {} points", told["queries"], told["points"]);
        for found in ["findings", "empty"] {
            assert_eq!(told[found], Json::Array(Vec::new()), "{found} at {url}");
        }
        assert_eq!((&told["queries"], &told["alike"]), (&77.into(), &77.into()), "{url}");
    }

    let misspelt = folder.path().join("misspelt.json");
    let text = std::fs::read_to_string(&six[0]).unwrap();
    std::fs::write(&misspelt, text.replace("etcd_mvcc_put_total", "etcd_mvcc_putt_total")).unwrap();
    let told = check(prometheus.base(), &[misspelt.display().to_string()]).await;
    let [finding] = told["findings"].as_array().unwrap().as_slice() else { panic!("one: {told}") };
    assert_eq!(finding["panel"], "mvcc: puts/s");
    let reason = finding["reason"].as_str().unwrap();
    assert!(reason.ends_with("there is no metric etcd_mvcc_putt_total"), "{reason}");
    serving.abort();
}

/// `etcd-labctl up`, ended with the test.
struct Lab {
    child: Child,
    /// Client URLs by member.
    members: BTreeMap<String, String>,
    serve: String,
}

impl Lab {
    fn start(folder: &Path, version: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
            .env("ETCD_LAB_HOME", folder.join("home"))
            .args(["up", "--etcd", version, "--ports", "auto", "--serve", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let told: Json = serde_json::from_str(&first).unwrap();
        let text = |json: &Json| json.as_str().unwrap().to_owned();
        let nodes = told["nodes"].as_array().unwrap().iter();
        let members = nodes.map(|node| (text(&node["name"]), text(&node["client"]))).collect();
        Self { child, members, serve: text(&told["serve"]) }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        let _ = self.child.wait();
    }
}

/// The lab's configuration, but for a proxy, since members' names mean something only between containers.
fn configured(proxy: &str) -> String {
    let text = std::fs::read_to_string(format!("{ROOT}/prometheus/prometheus.yml")).unwrap();
    let job = "  - job_name: etcd\n";
    assert!(text.contains(job), "{text}");
    text.replace(job, &format!("{job}    proxy_url: {proxy}\n"))
}

/// Answers for `etcd-1:2379` with what that member says, wherever it listens.
async fn scraped_by_name(listener: TcpListener, members: BTreeMap<String, String>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let relay = async move |uri: Uri| {
        let member = uri.host().and_then(|name| members.get(name)).ok_or(StatusCode::NOT_FOUND)?;
        let answer = client.get(format!("{member}{}", uri.path())).send().await;
        let text = match answer {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        text.map_err(|_| StatusCode::BAD_GATEWAY)
    };
    axum::serve(listener, Router::new().fallback(relay)).await.unwrap();
}

/// Waits until all members are scraped, under the names that they have beside Docker.
async fn up(prometheus: &Prometheus) {
    let within = Duration::from_secs(60);
    let all = async {
        loop {
            let now_ms = lab_metrics::system_clock()();
            let up = prometheus.instant("up{job=\"etcd\"} == 1", now_ms).await.unwrap();
            let names: Vec<&str> = up["result"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|it| it["metric"]["instance"].as_str())
                .collect();
            if names.len() == 3 {
                return assert!(names.iter().all(|name| name.starts_with("etcd-")), "{names:?}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(within, all)
        .await
        .unwrap_or_else(|_| panic!("members are not scraped within {within:?}"));
}

async fn load(lab: &Lab, seconds: u64, workload: Workload) {
    let mut spec = BenchSpec::new(lab.members.values().cloned(), workload);
    (spec.conns, spec.clients, spec.total) = (6, 12, None);
    // Enough to move every metric, and little enough that the scrapes beside it are not starved on two cores.
    spec.rate = Some(300);
    spec.duration = Some(Duration::from_secs(seconds));
    let report = lab_bench::run(spec, CancellationToken::new(), |_| {}).await.unwrap();
    assert!(report.answers > 0, "{:?}", report.error_counts);
}

/// The JSON of `dashboards check` on `files`, against the Prometheus at `url`.
async fn check(url: &str, files: &[String]) -> Json {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
    command.args(["dashboards", "check", "--json", "--against", url]).args(files).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}
