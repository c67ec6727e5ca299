//! `etcd-labctl scenario`: for those who write scenarios.

use std::path::PathBuf;
use std::process::ExitCode;

use lab::Mistake;
use lab::content;
use lab::scenario::Editions;
use serde::Serialize;

use crate::say;

/// What to do.
#[derive(clap::Args)]
pub struct ScenarioArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Name every mistake with file, line and reason. Exit code 1 when there is one.
    ///
    /// Reads scenarios as they are for each profile on each release line, and terms and diagrams beside them. Where
    /// there are none, those that come with the lab count.
    Check(CheckArgs),
}

#[derive(clap::Args)]
struct CheckArgs {
    /// Folder of a scenario, or folder of such folders.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
struct Findings {
    /// Scenarios without a mistake.
    scenarios: usize,
    /// Their steps.
    steps: usize,
    mistakes: Vec<Mistake>,
}

/// Carries out the command.
pub fn run(args: &ScenarioArgs) -> ExitCode {
    let What::Check(args) = &args.what;
    let mut findings = Findings { scenarios: 0, steps: 0, mistakes: Vec::new() };
    for folder in &args.folders {
        let (content, mistakes) = content::read_folder(folder);
        findings.scenarios += content.scenarios.len();
        findings.steps += content.scenarios.iter().map(Editions::steps).sum::<usize>();
        findings.mistakes.extend(mistakes);
    }
    if args.json {
        say::line(serde_json::json!(findings));
    } else {
        for mistake in &findings.mistakes {
            say::line(mistake);
        }
        let Findings { scenarios, steps, mistakes } = &findings;
        say::line(match mistakes.len() {
            0 => format!(
                "{}, {}: no mistakes",
                say::counted(*scenarios, "scenario", "scenarios"),
                say::counted(*steps, "step", "steps")
            ),
            count => say::counted(count, "mistake", "mistakes"),
        });
    }
    if findings.mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
