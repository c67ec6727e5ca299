//! `etcd-labctl down`: stops a running lab; removes what one that was killed left.

use std::process::ExitCode;
use std::time::Duration;

use futures::future::join_all;
use lab::api::{Command, Problem};
use lab::home::{self, Found};
use lab::{Asker, control};
use tokio::time::{sleep, timeout};

use crate::find::Which;
use crate::{find, say};

/// How long a lab gets to end once it was told.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Arguments of `down`.
#[derive(clap::Args)]
pub struct DownArgs {
    #[command(flatten)]
    which: Which,
    /// All labs of yours, and what killed ones left.
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

/// Stops and tidies up.
pub async fn run(args: &DownArgs) -> Result<ExitCode, Problem> {
    let base = home::base()?;
    let found: Vec<Found> = home::find(&base);
    let (alive, dead): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|found| found.alive);
    let meant = |found: &Found| args.which.id.as_ref().is_none_or(|id| *id == found.record.id);
    let mut done = 0;
    for found in dead.iter().filter(|found| meant(found)) {
        if let Some(ended) = home::tidy(found)? {
            say::line(format_args!(
                "Tidied up after lab {}, which had been killed ({ended} members still ran).",
                found.record.id
            ));
            done += 1;
        }
    }
    let to_stop = match (args.all, alive.is_empty()) {
        (true, _) => alive,
        (false, true) => Vec::new(),
        // The lab that was named is among the dead.
        (false, false) if args.which.id.is_some() && done > 0 => Vec::new(),
        (false, false) => vec![find::lab(&args.which)?],
    };
    // At the same time: one that does not end is not to keep the others waiting.
    let stopped = join_all(to_stop.iter().map(stop)).await;
    done += stopped.len();
    let mut failed = stopped.into_iter().filter_map(Result::err).peekable();
    if failed.peek().is_some() {
        failed.for_each(|problem| say::problem(&problem));
        return Ok(ExitCode::FAILURE);
    }
    if done == 0 {
        if let Some(id) = &args.which.id {
            return Err(Problem::new(
                "no-such-lab",
                format!("There is no lab {id}."),
                "`etcd-labctl status` shows what runs.",
            ));
        }
        say::line("No lab runs, and none left anything behind.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn stop(found: &Found) -> Result<(), Problem> {
    match timeout(END_WITHIN, end(found)).await {
        Ok(Err(problem)) if problem.code == "lab-silent" => Err(still_running(found)),
        Ok(result) => result,
        Err(_) => Err(still_running(found)),
    }
}

async fn end(found: &Found) -> Result<(), Problem> {
    let (asker, _events): (Asker, _) = control::connect(&found.socket()).await?;
    let id = &found.record.id;
    if found.record.host == "app" {
        // The window is the person's; only what runs in it is stopped.
        asker.ask(Command::Stop).await?;
        say::line(format_args!("Stopped the cluster of lab {id}; its window stays open."));
        return Ok(());
    }
    // The lab may be gone before its answer is here: what counts is that it is gone.
    let _ = asker.send(Command::Shutdown).await;
    let base = home::base()?;
    while home::find(&base).iter().any(|other| other.record.id == *id && other.alive) {
        sleep(Duration::from_millis(50)).await;
    }
    say::line(format_args!("Stopped lab {id}."));
    Ok(())
}

fn still_running(found: &Found) -> Problem {
    let (id, pid) = (&found.record.id, found.record.pid);
    Problem::new(
        "still-running",
        format!("Lab {id} (process {pid}) was told to end and still runs."),
        format!(
            "If it was stopped with Ctrl-Z, `kill -CONT {pid}` lets it go on; `kill -9 {pid}` ends it, and its \
             members go with it."
        ),
    )
}
