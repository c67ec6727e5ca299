//! `etcd-labctl log`: the end of a member's log.

use std::process::ExitCode;

use lab::api::{Command, Problem, Reply};

use crate::find::Which;
use crate::{find, say};

/// Arguments of `log`.
#[derive(clap::Args)]
pub struct LogArgs {
    /// Member, such as `etcd-1`.
    node: String,
    /// Lines at most.
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: u32,
    /// One JSON object: member, file, lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// Prints the lines.
pub async fn run(args: &LogArgs) -> Result<ExitCode, Problem> {
    let asker = find::asker(&args.which).await?;
    let command = Command::Log { member: args.node.clone(), lines: args.lines };
    if let Reply::Log { lines, file } = asker.ask(command).await? {
        if args.json {
            say::line(serde_json::json!({ "member": args.node, "file": file, "lines": lines }));
        } else {
            lines.iter().for_each(say::line);
        }
    }
    Ok(ExitCode::SUCCESS)
}
