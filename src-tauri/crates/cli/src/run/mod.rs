//! `etcd-labctl run`: plays scenarios in the terminal and judges their checks.

mod live;
mod panels;
mod plain;
mod play;
mod report;

use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{ActionKind, CourseOptions, Problem, Profile};
use lab::{Config, Lab, content, problems};

use crate::say;
use crate::signals::Signals;
use crate::up::{PortChoice, Runtime};
use live::Live;
use report::Report;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct RunArgs {
    /// Scenario, by its id or its number, or `all`.
    scenario: String,
    /// Step to begin at, by its id; the first when not given.
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Play only that step.
    #[arg(long, requires = "step")]
    only: bool,
    /// The talk's numbers, or the same effect in a minute or two.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Quick)]
    profile: ProfileChoice,
    /// What runs the members.
    #[arg(long, value_enum, default_value_t = Runtime::Native)]
    runtime: Runtime,
    /// etcd's version; `doctor` lists what is there.
    #[arg(long, value_name = "VERSION")]
    etcd: Option<String>,
    /// Listen on the usual ports or on free ones.
    #[arg(long, value_enum, default_value_t = PortChoice::Topology)]
    ports: PortChoice,
    /// Play the steps without their actions of this kind, to see that the checks notice.
    #[arg(long, value_enum, value_name = "KIND")]
    without: Option<Without>,
    /// Say nothing until the end; then one JSON object: `scenarios`, each with its `steps`, each with its `outcome`
    /// (`met`, `missed` or `broken`), its `checks` as they stood and what its `panels` showed, and whether all `passed`.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ProfileChoice {
    /// A minute or two on a laptop.
    Quick,
    /// The numbers of the talk.
    Talk,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Without {
    /// Starting and stopping loads.
    Loads,
    /// Setting and clearing failpoints.
    Failpoints,
    /// Shaping and healing links.
    Links,
    /// Compaction, deletion, defragmentation, disarming.
    Operations,
}

/// Exit code of a play that was interrupted: what a shell makes of an interrupt.
const INTERRUPTED: u8 = 130;

/// Opens a lab, plays, ends it. Exit code 1 when a check was not met, a step could not go on, or nobody reads any more
/// what is told; 130 when it was interrupted: 0 says that all checks were judged and met.
pub async fn run(args: &RunArgs) -> Result<ExitCode, Problem> {
    let wanted = find(&args.scenario)?;
    let mut signals = Signals::new()?;
    let lab = Lab::open(Config::standard("terminal")?).await?;
    let result = tokio::select! {
        result = play(args, &wanted, &lab) => result,
        () = signals.next() => {
            if !args.json {
                say::line("\nStopping: interrupted before all checks were judged.");
            }
            Ok(ExitCode::from(INTERRUPTED))
        }
        () = say::unheard() => Ok(ExitCode::FAILURE),
    };
    lab.shutdown().await;
    result
}

/// Ids of the scenarios meant.
fn find(wanted: &str) -> Result<Vec<String>, Problem> {
    let known = &content::builtin().scenarios;
    let meant = known.iter().filter(|scenario| {
        wanted == "all" || scenario.id() == wanted || wanted.parse() == Ok(scenario.number())
    });
    let meant: Vec<String> = meant.map(|scenario| scenario.id().to_owned()).collect();
    if meant.is_empty() {
        let known: Vec<&str> = known.iter().map(|scenario| scenario.id()).collect();
        return Err(problems::no_such_scenario(wanted, &known));
    }
    Ok(meant)
}

async fn play(args: &RunArgs, wanted: &[String], lab: &Lab) -> Result<ExitCode, Problem> {
    let (asker, mut events) = lab.listen();
    let mut report = Report::default();
    for scenario in wanted {
        let options = CourseOptions {
            scenario: scenario.clone(),
            step: args.step.clone(),
            profile: match args.profile {
                ProfileChoice::Quick => Profile::Quick,
                ProfileChoice::Talk => Profile::Talk,
            },
            runtime: args.runtime.into(),
            etcd_version: args.etcd.clone(),
            ports: args.ports.into(),
            recorded: false,
            without: args.without.map(|without| match without {
                Without::Loads => ActionKind::Loads,
                Without::Failpoints => ActionKind::Failpoints,
                Without::Links => ActionKind::Links,
                Without::Operations => ActionKind::Operations,
            }),
        };
        let mut live = Live::new(args.json);
        report.scenarios.push(play::play(options, args.only, &asker, &mut events, &mut live).await?);
    }
    report.sum_up();
    if args.json {
        say::line(serde_json::json!(report));
    } else {
        report.say();
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
