//! `etcd-labctl status`: how the running lab fares.

use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{
    Command, CourseView, FaultsView, LinkShape, LoadState, MemberState, ObserversView, Phase, Problem, Reply,
    Snapshot, StepPhase,
};
use lab::{docker, home};

use crate::find::Which;
use crate::up::Topology;
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
    let asker = match find::asker(&args.which).await {
        Err(problem) if problem.code == "no-lab" => return Err(with_leftovers(problem).await?),
        asker => asker?,
    };
    if let Reply::Snapshot { snapshot } = asker.ask(Command::Snapshot).await? {
        if args.json {
            say::line(serde_json::to_string(&snapshot).unwrap_or_default());
        } else {
            print(&snapshot);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// No lab runs, and yet containers of one may.
async fn with_leftovers(problem: Problem) -> Result<Problem, Problem> {
    let left = docker::leftovers(&home::base()?).await?;
    let Some(first) = left.first() else { return Ok(problem) };
    let containers = say::counted(left.iter().map(|one| one.containers).sum(), "container", "containers");
    Ok(Problem::new(
        "no-lab",
        format!(
            "No lab runs. {containers} in Docker are left of lab {}, which had ended at once.",
            first.lab_id
        ),
        "`etcd-labctl down` removes what is left; `etcd-labctl up --runtime docker --after-kill adopt` goes on with \
         what was kept for that.",
    ))
}

fn print(snapshot: &Snapshot) {
    let lab = &snapshot.lab;
    let phase = match &snapshot.phase {
        Phase::Stopped => "no cluster".into(),
        Phase::Starting { preparing: Some(preparing), .. } => format!("starting: {preparing}"),
        Phase::Starting { .. } => "starting".into(),
        Phase::Running { .. } => "running".into(),
        Phase::Stopping => "stopping".into(),
        Phase::Failed { .. } => "failed to start".to_owned(),
    };
    say::line(format_args!("lab {} ({}, process {}): {phase}", lab.id, lab.host, lab.pid));
    if let Some(cluster) = &snapshot.cluster {
        let topology = Topology::from(cluster.topology).to_possible_value();
        let topology = topology.as_ref().map_or("", |value| value.get_name());
        say::line(format_args!("etcd {}, {}, {topology}\n", cluster.etcd_version, cluster.runtime));
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
                MemberState::Paused => "paused",
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
    if let Some(work) = &snapshot.image_work {
        say::line(format_args!("\nimage {}: {}", work.subject, work.step));
    }
    if let Some(observers) = observers(&snapshot.observers) {
        say::line(format_args!("\n{observers}"));
    }
    for (at, line) in faults(&snapshot.faults).iter().enumerate() {
        say::line(format_args!("{}{line}", if at == 0 { "\n" } else { "" }));
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
    if let Some(course) = snapshot.course.as_ref().filter(|course| !course.finished) {
        say::line(format_args!("\n{}", scenario(course)));
    }
    if let Some(problem) = &snapshot.problem {
        say::line("");
        say::problem(problem);
    }
}

/// Prometheus and Grafana, unless they are off.
pub fn observers(observers: &ObserversView) -> Option<String> {
    match observers {
        ObserversView::Off => None,
        ObserversView::Starting { doing } => Some(format!("Prometheus and Grafana start: {doing}")),
        ObserversView::On { prometheus_url, grafana_url, user, password } => Some(format!(
            "Prometheus {prometheus_url}\nGrafana    {grafana_url}, user {user}, password {password}"
        )),
        ObserversView::Failed { problem } => {
            Some(format!("Prometheus and Grafana don't run: {}", problem.sentence))
        }
    }
}

/// A line a fault in effect.
fn faults(faults: &FaultsView) -> Vec<String> {
    let failpoints = faults.failpoints.iter().map(|set| {
        let hits = match set.hits {
            None => String::new(),
            Some(1) => ", reached once".into(),
            Some(hits) => format!(", reached {hits} times"),
        };
        format!("failpoint {} at {}: {}{hits}", set.failpoint, set.member, set.term)
    });
    let links = faults.links.iter().flatten().filter(|link| link.shape != LinkShape::default()).map(|link| {
        let held = link.held_ms.map(|ms| format!(", held {} just now", seconds(ms / 1_000.0)));
        format!("link {} → {}: {}{}", link.from, link.to, shape(&link.shape), held.unwrap_or_default())
    });
    failpoints.chain(links).collect()
}

/// What is done to a link, in words; none when nothing is.
pub fn shape(shape: &LinkShape) -> String {
    if shape.cut {
        return "cut".into();
    }
    let delay = shape.delay().map(|delay| format!("{delay} later"));
    let bandwidth = shape.bandwidth_bytes_s.map(|limit| format!("at most {}/s", bytes(limit)));
    delay.into_iter().chain(bandwidth).collect::<Vec<_>>().join(", ")
}

/// Where a person is in a scenario.
fn scenario(course: &CourseView) -> String {
    let step = &course.step;
    let phase = match &step.phase {
        StepPhase::Setting { doing } => format!("the stage is set: {doing}"),
        StepPhase::Predict => "waits for a prediction".into(),
        StepPhase::Act => "waits for you to act".into(),
        StepPhase::Watching { elapsed_s, within_s } => format!("watching, {elapsed_s} of {within_s} s"),
        StepPhase::Met => "met".into(),
        StepPhase::Missed => "not met in time".into(),
        StepPhase::Broken { problem } => format!("can't go on: {}", problem.sentence),
    };
    format!(
        "scenario {}, step {} of {}: {}\n  {phase}",
        course.title,
        step.number,
        course.steps.len(),
        step.title
    )
}

/// `1.2 MB`.
pub fn bytes(bytes: u64) -> String {
    lab_dashboards::format_value(&lab_dashboards::Unit::from_grafana("decbytes"), bytes as f64, None)
}

/// `120 ms`.
pub fn seconds(seconds: f64) -> String {
    lab_dashboards::format_value(&lab_dashboards::Unit::from_grafana("s"), seconds, None)
}

#[cfg(test)]
mod tests {
    use lab::api::{FailpointView, LinkView};

    use super::*;

    #[test]
    fn faults_in_effect_are_told_and_links_that_only_carry_are_not() {
        let set = |hits| FailpointView {
            member: "etcd-2".into(),
            failpoint: "walBeforeFdatasync".into(),
            term: "sleep(100)".into(),
            hits,
        };
        let link = |shape, held_ms| LinkView {
            from: "etcd-1".into(),
            to: "etcd-2".into(),
            shape,
            rate_bytes_s: 1.0,
            held_ms,
            connections: 1,
        };
        let delayed = LinkShape { delay_ms: 100, ..LinkShape::default() };
        let narrow = LinkShape { jitter_ms: 20, bandwidth_bytes_s: Some(1_000_000), ..delayed };
        let told = faults(&FaultsView {
            failpoints: vec![set(Some(7)), set(None)],
            links: Some(vec![
                link(LinkShape::default(), Some(0.1)),
                link(delayed, Some(100.0)),
                link(narrow, None),
                link(LinkShape { cut: true, ..delayed }, None),
            ]),
        });
        let wanted = [
            "failpoint walBeforeFdatasync at etcd-2: sleep(100), reached 7 times",
            "failpoint walBeforeFdatasync at etcd-2: sleep(100)",
            "link etcd-1 → etcd-2: 100 ms later, held 100 ms just now",
            "link etcd-1 → etcd-2: 100 ± 20 ms later, at most 1 MB/s",
            "link etcd-1 → etcd-2: cut",
        ];
        assert_eq!(told, wanted);
        assert_eq!(faults(&FaultsView::default()), Vec::<String>::new());
    }
}
