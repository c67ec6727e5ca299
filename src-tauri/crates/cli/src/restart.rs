//! `etcd-labctl restart`: one member anew, with its data.

use std::process::ExitCode;

use lab::api::{Command, Problem};

use crate::find::Which;
use crate::{find, say};

/// Arguments of `restart`.
#[derive(clap::Args)]
pub struct RestartArgs {
    /// Member, such as `etcd-1`.
    node: String,
    #[command(flatten)]
    which: Which,
}

/// Restarts it and waits until it is ready.
pub async fn run(args: &RestartArgs) -> Result<ExitCode, Problem> {
    let asker = find::asker(&args.which).await?;
    asker.ask(Command::RestartMember { member: args.node.clone() }).await?;
    say::line(format_args!("{} runs again.", args.node));
    Ok(ExitCode::SUCCESS)
}
