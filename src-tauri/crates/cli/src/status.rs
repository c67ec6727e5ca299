//! `etcd-labctl status`: how the running lab fares.

use std::process::ExitCode;

use lab::api::{Command, LoadState, MemberState, Phase, Problem, Reply, Snapshot};

use crate::find::Which;
use crate::{find, say};

/// Arguments of `status`.
#[derive(clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    which: Which,
    /// The whole state as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints the state.
pub async fn run(args: &StatusArgs) -> Result<ExitCode, Problem> {
    let (asker, _events) = find::connect(&args.which).await?;
    if let Reply::Snapshot { snapshot } = asker.ask(Command::Snapshot).await? {
        if args.json {
            say::line(serde_json::to_string(&snapshot).unwrap_or_default());
        } else {
            print(&snapshot);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(snapshot: &Snapshot) {
    let lab = &snapshot.lab;
    let phase = match &snapshot.phase {
        Phase::Stopped => "no cluster",
        Phase::Starting { .. } => "starting",
        Phase::Running { .. } => "running",
        Phase::Stopping => "stopping",
        Phase::Failed { .. } => "failed to start",
    };
    say::line(format_args!("lab {} ({}, process {}): {phase}", lab.id, lab.host, lab.pid));
    if let Some(cluster) = &snapshot.cluster {
        say::line(format_args!("etcd {}, {}\n", cluster.etcd_version, cluster.runtime));
        let mut rows = vec![
            ["member", "state", "role", "term", "raft index", "db size", "in use", "client"]
                .map(String::from)
                .to_vec(),
        ];
        for member in &cluster.members {
            let state = match member.state {
                MemberState::Starting => "starting",
                MemberState::Healthy => "healthy",
                MemberState::NoLeader => "no leader",
                MemberState::Unreachable => "unreachable",
                MemberState::Exited => "ended",
            };
            let role = match (member.state, member.leader) {
                (MemberState::Healthy, true) => "leader",
                (MemberState::Healthy, false) => "follower",
                _ => "–",
            };
            rows.push(vec![
                member.name.clone(),
                state.into(),
                role.into(),
                member.term.to_string(),
                member.raft_index.to_string(),
                bytes(member.db_size_bytes),
                bytes(member.db_in_use_bytes),
                member.client_url.clone(),
            ]);
        }
        say::table(&rows);
        for alarm in &cluster.alarms {
            say::line(format_args!("alarm {} raised by {}", alarm.kind, alarm.member));
        }
    }
    for load in &snapshot.loads {
        let state = match &load.state {
            LoadState::Running => "runs",
            LoadState::Stopping => "stops",
            LoadState::Ended => "ended",
            LoadState::Failed { .. } => "failed",
        };
        let now = load.now.as_ref().or(load.overall.as_ref());
        let rate = now.map_or(0.0, |point| point.rate);
        let p99 = now.and_then(|point| point.p99_s).map_or_else(|| "–".into(), seconds);
        let errors: u64 = load.errors.iter().map(|error| error.count).sum();
        say::line(format_args!(
            "\nload {} {state}: {rate:.0}/s, p99 {p99}, {} done, {errors} errors\n  {}",
            load.id, load.done, load.command
        ));
    }
    if let Some(problem) = &snapshot.problem {
        say::line("");
        say::problem(problem);
    }
}

fn bytes(bytes: u64) -> String {
    lab_dashboards::format_value(&lab_dashboards::Unit::from_grafana("decbytes"), bytes as f64, None)
}

fn seconds(seconds: f64) -> String {
    lab_dashboards::format_value(&lab_dashboards::Unit::from_grafana("s"), seconds, None)
}
