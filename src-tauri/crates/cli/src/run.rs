//! `etcd-labctl run`: plays a scenario in the terminal and judges its checks.

use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{Command, PanelFrame, Problem, StartOptions, Workload};
use lab::scenario::{self, Played, Scenario, Step};
use lab::{Config, Lab};
use lab_dashboards::{Unit, format_value};

use crate::say;
use crate::signals::Signals;
use crate::up::PortChoice;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct RunArgs {
    /// Scenario, such as `puts-and-ranges`.
    scenario: String,
    /// The talk's numbers, or the same effect in a minute.
    #[arg(long, value_enum, default_value_t = Profile::Quick)]
    profile: Profile,
    /// etcd's version; `doctor` lists what is there.
    #[arg(long, value_name = "VERSION")]
    etcd: Option<String>,
    /// Listen on the usual ports or on free ones.
    #[arg(long, value_enum, default_value_t = PortChoice::Topology)]
    ports: PortChoice,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Profile {
    /// A minute or two on a laptop.
    Quick,
    /// The numbers of the talk.
    Talk,
}

/// Exit code of a play that was interrupted: what a shell makes of an interrupt.
const INTERRUPTED: u8 = 130;

/// Starts a lab, plays, stops it. Exit code 1 when a check was not met or nobody reads any more what is told, 130
/// when it was interrupted: 0 says that all checks were judged and met.
pub async fn run(args: &RunArgs) -> Result<ExitCode, Problem> {
    let scenario = find(&args.scenario)?;
    let mut signals = Signals::new()?;
    let lab = Lab::open(Config::standard("terminal")?).await?;
    let result = tokio::select! {
        result = play(args, scenario, &lab) => result,
        () = signals.next() => {
            say::line("\nStopping: interrupted before all checks were judged.");
            Ok(ExitCode::from(INTERRUPTED))
        }
        () = say::unheard() => Ok(ExitCode::FAILURE),
    };
    lab.shutdown().await;
    result
}

fn find(id: &str) -> Result<&'static Scenario, Problem> {
    scenario::builtin().iter().find(|scenario| scenario.id == id).ok_or_else(|| {
        let known: Vec<&str> = scenario::builtin().iter().map(|scenario| scenario.id.as_str()).collect();
        Problem::new(
            "no-such-scenario",
            format!("There is no scenario {id}."),
            format!("Choose one of: {}.", known.join(", ")),
        )
    })
}

async fn play(args: &RunArgs, scenario: &Scenario, lab: &Lab) -> Result<ExitCode, Problem> {
    let (asker, mut events) = lab.listen();
    say::line(format_args!("{}\n{}\n", scenario.title, scenario.about));
    say::line("Starting three members.");
    let options =
        StartOptions { etcd_version: args.etcd.clone(), ports: args.ports.into(), ..StartOptions::default() };
    asker.ask(Command::Start { options }).await?;
    let profile = match args.profile {
        Profile::Quick => scenario::Profile::Quick,
        Profile::Talk => scenario::Profile::Talk,
    };
    let outcomes = scenario::play(scenario, profile, &asker, &mut events, &mut tell).await?;
    let missed = outcomes.iter().filter(|outcome| !outcome.met).count();
    say::line(format_args!("\n{} of {} checks met.", outcomes.len() - missed, outcomes.len()));
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(played: Played<'_>) {
    match played {
        Played::Step { number, step, command } => {
            say::line(format_args!("\n{number}. {}\n   {}\n   $ {command}", step.title, step.say));
        }
        Played::Second { step, loads, panels } => {
            let mut parts: Vec<String> = loads
                .iter()
                .filter_map(|load| Some((load, load.now.as_ref()?)))
                .map(|(load, now)| {
                    let kind = match load.spec.workload {
                        Workload::Put { .. } => "put",
                        Workload::Range { .. } => "range",
                    };
                    let p99 = now
                        .p99_s
                        .map_or_else(|| "–".into(), |p99| format_value(&Unit::from_grafana("s"), p99, None));
                    format!("{kind} {:.0}/s, p99 {p99}", now.rate)
                })
                .collect();
            parts.extend(panels.iter().filter_map(|panel| watched(step, panel)));
            say::line(format_args!("   {}", parts.join(" · ")));
        }
        Played::Judged { outcome } => {
            let mark = if outcome.met { "✓" } else { "✗" };
            say::line(format_args!("   {mark} {}", outcome.says));
        }
    }
}

/// A panel's title and its last value at each member; `None` for a late panel of the step before.
fn watched(step: &Step, panel: &PanelFrame) -> Option<String> {
    let watched = step.watch.iter().find(|watched| watched.panel == panel.panel)?;
    let values: Vec<String> = panel
        .series
        .iter()
        .filter_map(|series| series.values.last().copied().flatten())
        .map(|value| format_value(&watched.unit, value, None))
        .collect();
    let (_, title) = watched.title.split_once(": ").unwrap_or(("", &watched.title));
    Some(format!("{title}: {}", if values.is_empty() { "–".into() } else { values.join(", ") }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lab::api::{PanelRef, SeriesFrame};

    use super::*;

    #[test]
    fn a_late_panel_of_the_step_before_does_not_get_a_title_of_the_next() {
        let [before, step, ..] = find("puts-and-ranges").unwrap().steps.as_slice() else {
            panic!("two steps")
        };
        let series = |value| SeriesFrame {
            name: "etcd-1".into(),
            member: None,
            labels: BTreeMap::new(),
            target: 0,
            values: vec![Some(value)],
        };
        let panel = |wanted: &PanelRef| PanelFrame {
            panel: wanted.clone(),
            series: vec![series(1.0)],
            problem: None,
        };
        // Whatever order they come in, the step's own panels bear their titles, and others none.
        for own in step.watch.iter().rev() {
            let title = own.title.split_once(": ").map_or(own.title.as_str(), |(_, title)| title);
            assert!(watched(step, &panel(&own.panel)).unwrap().starts_with(title), "{title}");
        }
        let is_own = |wanted: &PanelRef| step.watch.iter().any(|own| own.panel == *wanted);
        let late = before.watch.iter().map(|watched| &watched.panel).find(|wanted| !is_own(wanted)).unwrap();
        assert_eq!(watched(step, &panel(late)), None);
    }
}
