//! `etcd-labctl up`: a lab in the foreground.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{
    AfterKill, ClusterView, Command, Event, LabInfo, Phase, Ports, Problem, Reply, RuntimeKind, Snapshot,
    StartOptions, TopologyName,
};
use lab::{Asker, Config, Events, Lab};
use serde::Serialize;

use crate::say;
use crate::signals::Signals;

/// etcd keeps its quota as a signed number.
const MOST_QUOTA_BYTES: u64 = i64::MAX as u64;

/// Arguments of `up`.
#[derive(clap::Args)]
pub struct UpArgs {
    /// What runs the members.
    #[arg(long, value_enum, default_value_t = Runtime::Native)]
    runtime: Runtime,
    /// With Docker: what becomes of the containers when this program is killed.
    #[arg(long, value_enum, default_value_t = AfterKillChoice::Remove)]
    after_kill: AfterKillChoice,
    /// etcd's version; `doctor` lists what is there.
    #[arg(long, value_name = "VERSION")]
    etcd: Option<String>,
    /// Cluster to start.
    #[arg(long, value_enum, default_value_t = Topology::Etcd)]
    topology: Topology,
    /// Size in bytes that the database may reach; etcd's default is 2 GiB.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1_048_576..=MOST_QUOTA_BYTES))]
    quota_bytes: Option<u64>,
    /// Folder for data and logs, emptied at start; the lab's own when not given. Not with Docker.
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
    /// Go on with the data of the last run, on its ports, instead of a fresh start. Not with Docker.
    #[arg(long)]
    keep_data: bool,
    /// Listen on the usual ports (2379, 22379, 32379, …) or on free ones.
    #[arg(long, value_enum, default_value_t = PortChoice::Topology)]
    ports: PortChoice,
    /// Offer Prometheus' HTTP API here, read-only, for a Grafana on this machine: `127.0.0.1:9099`.
    #[arg(long, value_name = "ADDR")]
    serve: Option<SocketAddr>,
    /// First line: one JSON object with the addresses. After that, one a problem.
    #[arg(long)]
    json: bool,
}

/// What runs the members.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Runtime {
    /// Child processes of this program.
    Native,
    /// Containers of a Docker engine.
    Docker,
}

impl From<Runtime> for RuntimeKind {
    fn from(runtime: Runtime) -> Self {
        match runtime {
            Runtime::Native => Self::Native,
            Runtime::Docker => Self::Docker,
        }
    }
}

/// What becomes of containers whose lab is killed.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum AfterKillChoice {
    /// They are gone within seconds.
    Remove,
    /// They run on, and the next `up` with this flag goes on with them.
    Adopt,
}

impl From<AfterKillChoice> for AfterKill {
    fn from(choice: AfterKillChoice) -> Self {
        match choice {
            AfterKillChoice::Remove => Self::Remove,
            AfterKillChoice::Adopt => Self::Adopt,
        }
    }
}

/// Which of the lab's topologies.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Topology {
    /// Three members that speak to each other directly.
    Etcd,
    /// The same three, with a proxy on each link that can delay and cut it.
    EtcdBridge,
}

impl From<Topology> for TopologyName {
    fn from(topology: Topology) -> Self {
        match topology {
            Topology::Etcd => Self::Etcd,
            Topology::EtcdBridge => Self::EtcdBridge,
        }
    }
}

impl From<TopologyName> for Topology {
    fn from(topology: TopologyName) -> Self {
        match topology {
            TopologyName::Etcd => Self::Etcd,
            TopologyName::EtcdBridge => Self::EtcdBridge,
        }
    }
}

/// Where members listen.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum PortChoice {
    /// Those people know.
    Topology,
    /// Free ones.
    Auto,
}

impl From<PortChoice> for Ports {
    fn from(choice: PortChoice) -> Self {
        match choice {
            PortChoice::Topology => Self::Topology,
            PortChoice::Auto => Self::Auto,
        }
    }
}

/// The first line of `--json`.
#[derive(Serialize)]
struct FirstLine<'a> {
    id: &'a str,
    runtime: RuntimeKind,
    topology: TopologyName,
    version: &'a str,
    nodes: Vec<NodeLine<'a>>,
    serve: Option<&'a str>,
}

#[derive(Serialize)]
struct NodeLine<'a> {
    name: &'a str,
    client: &'a str,
    peer: &'a str,
    gofail: &'a str,
    #[serde(flatten)]
    runs_as: RunsAs<'a>,
}

/// What the system, or the engine, knows a member by.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum RunsAs<'a> {
    Pid(Option<u32>),
    Container(&'a str),
}

/// Starts a lab, prints where it is, and holds it until it is told to end.
pub async fn run(args: UpArgs) -> Result<ExitCode, Problem> {
    let signals = Signals::new()?;
    let lab = Lab::open(Config { serve: args.serve, ..Config::standard("terminal")? }).await?;
    let (asker, events) = lab.listen();
    let result = hold(&args, &lab, asker, events, signals).await;
    lab.shutdown().await;
    if let Err(problem) = &result
        && args.json
    {
        say::line(problem_line(problem));
    }
    result
}

async fn hold(
    args: &UpArgs,
    lab: &Lab,
    asker: Asker,
    mut events: Events,
    mut signals: Signals,
) -> Result<ExitCode, Problem> {
    let options = StartOptions {
        runtime: args.runtime.into(),
        after_kill: args.after_kill.into(),
        etcd_version: args.etcd.clone(),
        topology: args.topology.into(),
        ports: args.ports.into(),
        keep_data: args.keep_data,
        quota_bytes: args.quota_bytes,
        data_dir: args.data_dir.as_ref().map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone())),
    };
    let start = asker.ask(Command::Start { options });
    tokio::pin!(start);
    let mut told = String::new();
    loop {
        tokio::select! {
            started = &mut start => {
                started?;
                break;
            }
            Some(event) = events.next() => if !args.json { tell_progress(&event, &mut told) },
            () = signals.next() => return Ok(ExitCode::SUCCESS),
        }
    }
    let mut shown = 0;
    if let Reply::Snapshot { snapshot } = asker.ask(Command::Snapshot).await? {
        shown = snapshot.shown.last().map_or(0, |command| command.id);
        greet(args, lab.info(), &snapshot);
    }
    let (mut runs, mut played) = (true, false);
    while runs || played {
        tokio::select! {
            () = signals.next() => {
                if !args.json {
                    say::line("Stopping.");
                }
                return Ok(ExitCode::SUCCESS);
            }
            event = events.next() => match event {
                // Not every event: who reads the first line and no more must not block us with a full pipe.
                Some(Event::Problem { problem }) if args.json => say::line(problem_line(&problem)),
                Some(Event::Problem { problem }) => say::problem(&problem),
                Some(Event::Shown { command }) if !args.json && command.id > shown => say::line(format_args!("$ {}", command.text)),
                // Stopped from a window or by `down`: there is nothing left to hold, unless a scenario is played, which
                // takes a fresh cluster whenever it needs one.
                Some(Event::Phase { phase }) => runs = !matches!(phase, Phase::Stopped | Phase::Failed { .. }),
                Some(Event::Course { course }) => played = course.is_some(),
                Some(Event::Ended) | None => return Ok(ExitCode::SUCCESS),
                Some(_) => {}
            },
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A problem as one line of JSON.
fn problem_line(problem: &Problem) -> serde_json::Value {
    serde_json::json!({ "problem": problem })
}

/// Says how far the members are, when that isn't what was `told` last.
fn tell_progress(event: &Event, told: &mut String) {
    if let Event::Phase { phase: Phase::Starting { preparing: Some(preparing), .. } } = event {
        tell(format!("{preparing}."), told);
    } else if let Event::Phase { phase: Phase::Starting { waiting, .. } } = event {
        let each: Vec<String> = waiting
            .iter()
            .map(|one| match (one.healthy, one.has_leader) {
                (_, true) => format!("{} ready", one.member),
                (true, false) => format!("{} waits for a leader", one.member),
                (false, false) => format!("{} starts", one.member),
            })
            .collect();
        tell(each.join(" · "), told);
    }
}

/// Says a line that isn't what was `told` last.
fn tell(line: String, told: &mut String) {
    if line != *told {
        say::line(&line);
        *told = line;
    }
}

fn greet(args: &UpArgs, info: &LabInfo, snapshot: &Snapshot) {
    let Some(cluster) = &snapshot.cluster else { return };
    if args.json {
        say::line(serde_json::to_string(&first_line(info, cluster)).unwrap_or_default());
        return;
    }
    say::line(format_args!("\netcd {} is ready, lab {}.\n", cluster.etcd_version, info.id));
    let runs_as = match cluster.runtime {
        RuntimeKind::Native => "process",
        RuntimeKind::Docker => "container",
    };
    let mut rows = vec![vec!["member".into(), "client".into(), "failpoints".into(), runs_as.into()]];
    for member in &cluster.members {
        let pid = member.pid.map(|pid| pid.to_string());
        let known_by = pid.or_else(|| member.container.clone()).unwrap_or_default();
        rows.push(vec![member.name.clone(), member.client_url.clone(), member.gofail_url.clone(), known_by]);
    }
    say::table(&rows);
    if let Some(serve) = &info.serve {
        say::line(format_args!("\nFor Grafana, a Prometheus data source: {serve}"));
    }
    let endpoints: Vec<&str> =
        cluster.members.iter().map(|member| member.client_url.trim_start_matches("http://")).collect();
    say::line("\nIn another terminal:");
    say::line(format_args!(
        "  etcd-labctl bench --endpoints={} --clients=100 --conns=100 put --sequential-keys --key-space-size=100000 --total=10000",
        endpoints.join(",")
    ));
    if let Some(member) = cluster.members.first() {
        say::line(format_args!("  curl {}/walBeforeFdatasync -XPUT -d'sleep(100)'", member.gofail_url));
    }
    if cluster.topology == TopologyName::EtcdBridge {
        say::line("  etcd-labctl link set all all --delay 100ms");
    }
    say::line("\nCtrl-C stops everything.");
}

fn first_line<'a>(info: &'a LabInfo, cluster: &'a ClusterView) -> FirstLine<'a> {
    FirstLine {
        id: &info.id,
        runtime: cluster.runtime,
        topology: cluster.topology,
        version: &cluster.etcd_version,
        nodes: cluster
            .members
            .iter()
            .map(|member| NodeLine {
                name: &member.name,
                client: &member.client_url,
                peer: &member.peer_url,
                gofail: &member.gofail_url,
                runs_as: match &member.container {
                    Some(container) => RunsAs::Container(container),
                    None => RunsAs::Pid(member.pid),
                },
            })
            .collect(),
        serve: info.serve.as_deref(),
    }
}
