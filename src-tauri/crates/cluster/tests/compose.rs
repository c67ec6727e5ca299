//! The Compose files by themselves: brought up by Compose, on ports of the test's own, with nothing left after `down`,
//! and with etcd's own benchmark run from the image as the talk runs it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

mod engine;
#[path = "engine/image.rs"]
mod image;
mod stand_ins;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab_cluster::Topology;
use serde_json::Value as Json;
use serde_norway::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use engine::engine;
use stand_ins::StandIns;

const MEMBERS: [&str; 3] = ["etcd-1", "etcd-2", "etcd-3"];

/// One cluster of three is enough at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static BUSY: Mutex<()> = Mutex::new(());
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The output of a command that is to succeed.
fn output(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn docker(arguments: &[&str]) -> String {
    output(Command::new("docker").args(arguments))
}

/// How Compose is run.
type Tool = &'static [&'static str];

/// Compose of version 1 and of version 2, as far as they are there.
fn tools() -> Vec<Tool> {
    let known: [Tool; 2] = [&["docker-compose"], &["docker", "compose"]];
    let there = known.into_iter().filter(|tool| {
        let asked = Command::new(tool[0]).args(&tool[1..]).arg("version").output();
        asked.is_ok_and(|output| output.status.success())
    });
    there.collect()
}

/// What Compose made of some files, on free ports of this host and under a name of its own. Goes when it is dropped.
struct Project {
    tool: Tool,
    name: String,
    folder: TempDir,
    /// By service and port in its container, the port on 127.0.0.1.
    ports: BTreeMap<(String, u16), u16>,
}

impl Project {
    /// Files of `compose`, joined as Compose joins them, with a change.
    fn of(tool: Tool, name: &str, files: &[&str], change: impl FnOnce(&mut Value)) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../compose").canonicalize().unwrap();
        let mut join = Command::new(tool[0]);
        join.args(&tool[1..]);
        for file in files {
            join.arg("-f").arg(folder.join(file));
        }
        let mut joined: Value = serde_norway::from_str(&output(join.arg("config"))).unwrap();
        let ports = on_free_ports(&mut joined);
        change(&mut joined);
        let project = Self {
            tool,
            name: format!("etcd-lab-test-{name}-{}", std::process::id()),
            folder: tempfile::tempdir().unwrap(),
            ports,
        };
        // JSON is YAML in which a string can't be taken for anything else: `no` is a boolean to version 1.
        std::fs::write(project.file(), serde_json::to_string(&joined).unwrap()).unwrap();
        project
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("compose.yaml")
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.tool[0]);
        command.args(&self.tool[1..]).arg("-p").arg(&self.name).arg("-f").arg(self.file()).args(arguments);
        command
    }

    /// As the talk starts a cluster, but beside this test.
    fn up(&self) {
        output(&mut self.compose(&["up", "--detach", "--force-recreate", "-V"]));
    }

    fn url(&self, service: &str, port: u16) -> String {
        format!("http://127.0.0.1:{}", self.ports[&(service.to_owned(), port)])
    }

    /// What the engine has of it: containers, networks, volumes.
    fn things(&self) -> String {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let lists: [&[&str]; 3] = [&["ps", "-aq"], &["network", "ls", "-q"], &["volume", "ls", "-q"]];
        lists.iter().map(|list| docker(&[list, &["--filter", &label][..]].concat())).collect()
    }

    /// Each service's health by Docker's word.
    fn health(&self) -> BTreeMap<String, String> {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let format = "{{.Label \"com.docker.compose.service\"}} {{.Status}}";
        let lines = docker(&["ps", "-a", "--filter", &label, "--format", format]);
        lines
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(service, status)| (service.to_owned(), status.to_owned()))
            .collect()
    }

    /// Waits until Docker says that so many services are healthy.
    async fn until_healthy(&self, services: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let health = self.health();
            if health.values().filter(|status| status.contains("(healthy)")).count() == services {
                return;
            }
            assert!(Instant::now() < deadline, "not healthy: {health:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until Prometheus scrapes all members under their names, and itself.
    async fn until_scraped(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let targets = self.ask_prometheus("targets?state=active").await;
            let targets = targets["activeTargets"].as_array().unwrap();
            let mut up: Vec<&str> = targets
                .iter()
                .filter(|target| target["health"] == "up")
                .map(|target| target["labels"]["instance"].as_str().unwrap())
                .collect();
            up.sort_unstable();
            if up == ["etcd-1", "etcd-2", "etcd-3", "localhost:9090"] {
                return assert_eq!(targets.len(), 4, "{targets:?}");
            }
            assert!(Instant::now() < deadline, "{targets:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn ask_prometheus(&self, path: &str) -> Json {
        let url = format!("{}/api/v1/{path}", self.url("prometheus", 9090));
        let answer = http().get(url).send().await.unwrap();
        answer.json::<Json>().await.unwrap()["data"].take()
    }

    /// The store's revision, by a linearizable read of one member.
    async fn revision(&self) -> u64 {
        let url = format!("{}/v3/kv/range", self.url("etcd-1", 2379));
        let question = serde_json::json!({ "key": "AA==" });
        let answer: Json = http().post(url).json(&question).send().await.unwrap().json().await.unwrap();
        answer["header"]["revision"].as_str().unwrap().parse().unwrap()
    }

    /// Ends it as a person would, and sees to it that nothing stays.
    fn down(self) {
        for container in docker(&["ps", "-aq", "--filter", &format!("name={}", self.name)]).lines() {
            let mounts = docker(&["inspect", "--format", "{{range .Mounts}}{{.Type}} {{end}}", container]);
            assert!(!mounts.contains("volume"), "a volume without a name: {mounts}");
        }
        output(&mut self.compose(&["down", "--timeout", "5"]));
        assert_eq!(self.things(), "");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "--volumes", "--timeout", "5"]).output();
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

/// Publishes every port on another port of 127.0.0.1, since the files' own may be in use.
fn on_free_ports(joined: &mut Value) -> BTreeMap<(String, u16), u16> {
    let mut held = Vec::new();
    let mut published = BTreeMap::new();
    for (name, service) in joined["services"].as_mapping_mut().unwrap() {
        let ports = service.get_mut("ports").and_then(Value::as_sequence_mut);
        for port in ports.into_iter().flatten() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let free = listener.local_addr().unwrap().port();
            held.push(listener);
            let inside: u16 = match port {
                // Version 1 writes 127.0.0.1:2379:2379/tcp, version 2 a mapping.
                Value::String(line) => {
                    let parts: Vec<&str> = line.split([':', '/']).collect();
                    assert_eq!(parts[0], "127.0.0.1", "{line}");
                    parts[2].parse().unwrap()
                }
                ref long => {
                    assert_eq!(long["host_ip"], "127.0.0.1", "{long:?}");
                    u16::try_from(long["target"].as_u64().unwrap()).unwrap()
                }
            };
            *port = format!("127.0.0.1:{free}:{inside}").into();
            published.insert((name.as_str().unwrap().to_owned(), inside), free);
        }
    }
    published
}

/// Carries out a test with what it needs: an engine, the members' image and a Compose. Says why where it can't.
fn with_compose(test: impl AsyncFnOnce(&[Tool], String)) {
    let _alone = one_at_a_time();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let Some(engine) = engine().await else { return };
        let tools = tools();
        if tools.is_empty() {
            assert!(std::env::var_os("ETCD_LAB_DOCKER").is_none(), "there is no Compose");
            return println!("skipped: there is no Compose");
        }
        let topology = Topology::etcd().unwrap();
        let image = image::needed(&engine, &topology, topology.etcd_version()).await;
        let _stand_ins = StandIns::make();
        test(&tools, image).await;
    });
}

#[test]
fn cluster_prometheus_and_grafana_come_up_and_leave_nothing() {
    with_compose(async |tools, image| {
        let project = Project::of(tools[0], "direct", &["etcd.yaml", "metrics.yaml"], |_| {});
        project.up();
        project.until_healthy(5).await;
        project.until_scraped().await;

        // The talk's command, word for word but for the image and the ports. Its `-it` wants a terminal.
        let endpoints = MEMBERS.map(|member| project.url(member, 2379).replace("http://", ""));
        let command = format!(
            "docker run --network=\"host\" -it --entrypoint benchmark --rm {image} --endpoints={} --clients=100 --conns=100 \
             put --sequential-keys --key-space-size=100000 --total=10000",
            endpoints.join(",")
        );
        let report =
            output(Command::new("script").args(["--quiet", "--return", "--command", &command, "/dev/null"]));
        assert!(report.contains("Requests/sec:") && !report.contains("Error distribution"), "{report}");
        assert!(project.revision().await > 10_000);

        let alerts = project.ask_prometheus("rules?type=alert").await;
        assert_eq!(alerts["groups"].as_array().unwrap().len(), 3, "{alerts}");
        let grafana =
            http().get(format!("{}/api/health", project.url("grafana", 3000))).send().await.unwrap();
        assert_eq!(grafana.json::<Json>().await.unwrap()["database"], "ok");

        // As the talk goes on to the next scenario: the cluster that was stopped is made anew.
        output(&mut project.compose(&["stop", "--timeout", "5"]));
        project.up();
        project.until_healthy(5).await;
        assert_eq!(project.revision().await, 1);
        project.down();
    });
}

/// On the bridge, and found by Prometheus as the tasks of Swarm services are: by names that lead to each of them.
#[test]
fn the_bridge_comes_up_and_members_are_found_by_the_names_of_their_tasks() {
    with_compose(async |tools, _| {
        // Where both versions are there, each test takes another.
        let project =
            Project::of(tools[tools.len() - 1], "bridge", &["etcd-bridge.yaml", "metrics.yaml"], |joined| {
                let services = joined["services"].as_mapping_mut().unwrap();
                for member in MEMBERS {
                    let aliases =
                        serde_norway::to_value(BTreeMap::from([("aliases", [format!("tasks.{member}")])]));
                    let networks = BTreeMap::from([("default", aliases.unwrap())]);
                    services[member]["networks"] = serde_norway::to_value(networks).unwrap();
                }
                let flags = services["prometheus"]["command"].as_sequence_mut().unwrap();
                for flag in flags {
                    if flag == "--config.file=/etc/prometheus/prometheus.yml" {
                        *flag = "--config.file=/etc/prometheus/swarm.yml".into();
                    }
                }
            });
        project.up();
        // The members, Prometheus and Grafana; how the proxies are is told by the members.
        project.until_scraped().await;
        for member in MEMBERS {
            let health = http().get(format!("{}/health", project.url(member, 2379))).send().await.unwrap();
            assert_eq!(health.json::<Json>().await.unwrap()["health"], "true", "{member}");
        }
        project.down();
    });
}
