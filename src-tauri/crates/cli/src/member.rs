//! `etcd-labctl member`: one member's process or container is stopped, killed, held, let go on.

use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::{Command, MemberAction, Problem};

use crate::find::Which;
use crate::{find, say};

/// Arguments of `member`.
#[derive(clap::Args)]
pub struct MemberArgs {
    /// What to do.
    #[arg(value_enum)]
    action: Action,
    /// Member, such as `etcd-1`.
    node: String,
    #[command(flatten)]
    which: Which,
}

/// What can be done to a member. Starting it again is `restart`.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Action {
    /// Ask it to end, and wait until it has.
    Stop,
    /// End it at once.
    Kill,
    /// Hold it: it keeps its connections and does nothing.
    Pause,
    /// Let it go on.
    Resume,
}

/// Does it.
pub async fn run(args: &MemberArgs) -> Result<ExitCode, Problem> {
    let asker = find::asker(&args.which).await?;
    let (action, done) = match args.action {
        Action::Stop => (MemberAction::Stop, "has ended"),
        Action::Kill => (MemberAction::Kill, "is killed"),
        Action::Pause => (MemberAction::Pause, "is held"),
        Action::Resume => (MemberAction::Resume, "goes on"),
    };
    asker.ask(Command::ActOnMember { member: args.node.clone(), action }).await?;
    say::line(format_args!("{} {done}.", args.node));
    Ok(ExitCode::SUCCESS)
}
