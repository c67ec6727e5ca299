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

/// Starts a lab, plays, stops it. Exit code 1 when a check was not met.
pub async fn run(args: &RunArgs) -> Result<ExitCode, Problem> {
    let scenario = find(&args.scenario)?;
    let mut signals = Signals::new()?;
    let lab = Lab::open(Config::standard("terminal")?).await?;
    let result = tokio::select! {
        result = play(args, scenario, &lab) => result,
        () = signals.next() => {
            say::line("Stopping.");
            Ok(ExitCode::SUCCESS)
        }
        () = say::unheard() => Ok(ExitCode::SUCCESS),
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
            parts.extend(panels.iter().enumerate().filter_map(|(at, panel)| watched(step, at, panel)));
            say::line(format_args!("   {}", parts.join(" · ")));
        }
        Played::Judged { outcome } => {
            let mark = if outcome.met { "✓" } else { "✗" };
            say::line(format_args!("   {mark} {}", outcome.says));
        }
    }
}

/// A panel's title and its last value at each member.
fn watched(step: &Step, at: usize, panel: &PanelFrame) -> Option<String> {
    let watched = step.watch.get(at)?;
    let values: Vec<String> = panel
        .series
        .iter()
        .filter_map(|series| series.values.last().copied().flatten())
        .map(|value| format_value(&watched.unit, value, None))
        .collect();
    let (_, title) = watched.title.split_once(": ").unwrap_or(("", &watched.title));
    Some(format!("{title}: {}", if values.is_empty() { "–".into() } else { values.join(", ") }))
}
