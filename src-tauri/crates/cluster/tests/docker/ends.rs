//! What is left when the lab ends without having said so.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use lab_cluster::docker::{AfterKill, DockerConfig, DockerRuntime, Engine, leftovers};
use lab_cluster::{MemberProgress, Node, Runtime};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Test;
use crate::lab::{Lab, config, docker, get, is_well, put, run, things, until};

pub const TESTS: &[Test] = &[
    ("a_killed_labs_containers_are_gone_within_12_s", killed),
    ("a_dropped_runtime_leaves_nothing", dropped),
    ("what_a_killed_lab_left_for_that_is_taken_over_by_the_next_start", adopted),
    ("of_two_starts_at_once_one_takes_over_what_a_killed_lab_left", adopted_once),
    ("what_a_killed_lab_left_of_another_cluster_is_removed_by_the_next_start", not_adopted),
];

/// First argument of this program as a lab that is to be killed.
pub const HOLD: &str = "--hold-a-cluster";

/// Starts a cluster, says so, and holds it until it is killed.
pub fn hold(folder: &str, after_kill: &str) -> ExitCode {
    run(async {
        let engine = Engine::connect().await.unwrap();
        let id = Path::new(folder).parent().unwrap().file_name().unwrap().to_str().unwrap().to_lowercase();
        let config = config(&engine, Path::new(folder), &held_id(&id)).await;
        let after_kill = after_kill.parse().unwrap();
        let runtime = DockerRuntime::new(DockerConfig { after_kill, ..config });
        let nodes = runtime.start(&|_| {}).await.unwrap();
        println!("{}", serde_json::to_string(&nodes).unwrap());
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}

/// The id of a lab that is held in a home of this name.
fn held_id(home: &str) -> String {
    home.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A lab in a process, and a process group, of its own.
struct Held {
    process: Child,
    id: String,
    nodes: Vec<Node>,
}

impl Held {
    fn start(lab: &Lab, after_kill: AfterKill) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([HOLD, lab.folder().to_str().unwrap(), &after_kill.to_string()])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let home = lab.home().file_name().unwrap().to_str().unwrap().to_lowercase();
        Self { process, id: held_id(&home), nodes: serde_json::from_str(&line).unwrap() }
    }

    /// Kills it with all that is in its process group.
    fn kill(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process_group(group, Signal::KILL).unwrap();
        self.process.wait().unwrap();
    }
}

fn killed(engine: Engine) {
    let lab = Lab::new();
    let mut held = Held::start(&lab, AfterKill::Remove);
    assert_eq!(things(&held.id).len(), 7);
    held.kill();
    run(async {
        until("all is gone", Duration::from_secs(12), || things(&held.id).is_empty()).await;
        // Nothing is left to find, either.
        assert_eq!(leftovers::find(&engine, lab.home()).await.unwrap(), []);
    });
}

fn dropped(engine: Engine) {
    run(async {
        let lab = Lab::new();
        let runtime = lab.runtime(&engine).await;
        runtime.start(&|_| {}).await.unwrap();
        drop(runtime);
        until("all is gone", Duration::from_secs(12), || lab.things().is_empty()).await;
    });
}

fn adopting(config: DockerConfig) -> DockerConfig {
    DockerConfig { after_kill: AfterKill::Adopt, ..config }
}

fn adopted(engine: Engine) {
    let lab = Lab::new();
    let mut held = Held::start(&lab, AfterKill::Adopt);
    held.kill();
    run(async {
        put(&held.nodes[0], "a2V5", "dmFsdWU=").await;
        docker(&["pause", held.nodes[1].container.as_deref().unwrap()]);
        docker(&["kill", held.nodes[2].container.as_deref().unwrap()]);
        let left = leftovers::find(&engine, lab.home()).await.unwrap();
        assert_eq!((left.len(), left[0].containers, left[0].volumes, left[0].networks), (1, 3, 3, 1));
        assert_eq!((left[0].lab_id.as_str(), left[0].pid), (held.id.as_str(), held.process.id()));

        let runtime = DockerRuntime::new(adopting(lab.config(&engine).await));
        let nodes = runtime.start(&|_| {}).await.unwrap();
        assert_eq!(nodes, held.nodes, "they are others");
        assert_eq!(get(&nodes[0], "a2V5").await.as_deref(), Some("dmFsdWU="));
        for node in &nodes {
            assert!(is_well(node).await, "{} is not well", node.name);
        }
        // Whoever looks now sees that somebody answers for them, and who looked before removes nothing of them.
        assert_eq!(leftovers::find(&engine, lab.home()).await.unwrap(), []);
        leftovers::remove(&engine, &left[0]).await.unwrap();
        assert_eq!(things(&held.id).len(), 7);
        assert!(runtime.log("etcd-1", 100_000).unwrap().len() > 50, "its log of before is not there");
        runtime.stop().await;
        assert_eq!([things(&held.id), lab.things()].concat(), Vec::<String>::new());
    });
}

fn adopted_once(engine: Engine) {
    let lab = Lab::new();
    let mut held = Held::start(&lab, AfterKill::Adopt);
    held.kill();
    run(async {
        let beside = lab.home().join("2");
        let one = DockerRuntime::new(adopting(lab.config(&engine).await));
        let beside = config(&engine, &beside, &format!("{}beside", lab.id)).await;
        let other = DockerRuntime::new(adopting(beside));
        let quiet = |_: &[MemberProgress]| {};
        let (nodes, others) = tokio::join!(one.start(&quiet), other.start(&quiet));
        let (nodes, others) = (nodes.unwrap(), others.unwrap());
        assert_ne!(nodes == held.nodes, others == held.nodes, "taken over by both, or by neither");
        for node in nodes.iter().chain(&others) {
            assert!(is_well(node).await, "{} is not well", node.name);
        }
        one.stop().await;
        other.stop().await;
        let left = [things(&held.id), lab.things(), things(&format!("{}beside", lab.id))].concat();
        assert_eq!(left, Vec::<String>::new());
    });
}

fn not_adopted(engine: Engine) {
    let lab = Lab::new();
    // Of another cluster, and of the same for one who wants it fresh.
    for (quota_bytes, after_kill) in [(Some(64 << 20), AfterKill::Adopt), (None, AfterKill::Remove)] {
        let mut held = Held::start(&lab, AfterKill::Adopt);
        held.kill();
        run(async {
            let config = DockerConfig { quota_bytes, after_kill, ..lab.config(&engine).await };
            let runtime = DockerRuntime::new(config);
            let nodes = runtime.start(&|_| {}).await.unwrap();
            assert_eq!(things(&held.id), Vec::<String>::new());
            assert_ne!(nodes, held.nodes);
            runtime.stop().await;
            assert_eq!(lab.things(), Vec::<String>::new());
        });
    }
}
