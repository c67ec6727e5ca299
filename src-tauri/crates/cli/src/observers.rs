//! `etcd-labctl observers`: Prometheus and Grafana beside a cluster in Docker.

use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{Command, Problem, Reply};

use crate::find::Which;
use crate::{find, say, status};

/// Arguments of `observers`.
#[derive(clap::Args)]
pub struct ObserversArgs {
    /// What to do.
    #[arg(value_enum)]
    switch: Switch,
    #[command(flatten)]
    which: Which,
}

/// The switch.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Switch {
    /// Run both, until the cluster stops.
    Start,
    /// Stop and remove both.
    Stop,
}

/// Starts them and says where they are, or stops them.
pub async fn run(args: &ObserversArgs) -> Result<ExitCode, Problem> {
    let asker = find::asker(&args.which).await?;
    if args.switch == Switch::Stop {
        asker.ask(Command::StopObservers).await?;
        say::line("Prometheus and Grafana are gone.");
        return Ok(ExitCode::SUCCESS);
    }
    asker.ask(Command::StartObservers).await?;
    if let Reply::Snapshot { snapshot } = asker.ask(Command::Snapshot).await?
        && let Some(where_they_are) = status::observers(&snapshot.observers)
    {
        say::line(where_they_are);
    }
    Ok(ExitCode::SUCCESS)
}
