//! `etcd-labctl down`: stops a running lab; removes what one that was killed left.

use std::process::ExitCode;
use std::time::Duration;

use lab::api::{Command, Problem};
use lab::home::{self, Found};
use lab::{Asker, control};
use lab_cluster::native::end_leftovers;
use tokio::time::{Instant, sleep};

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
    let mut done = 0;
    for found in dead {
        if args.which.id.as_ref().is_some_and(|id| *id != found.record.id) {
            continue;
        }
        let ended = end_leftovers(&found.record.nodes, &found.record.id);
        home::tidy(&found)?;
        say::line(format_args!(
            "Tidied up after lab {}, which had been killed ({ended} members still ran).",
            found.record.id
        ));
        done += 1;
    }
    let to_stop = match (args.all, alive.is_empty()) {
        (true, _) => alive,
        (false, true) => Vec::new(),
        (false, false) => vec![find::lab(&args.which)?],
    };
    for found in to_stop {
        stop(&found).await?;
        done += 1;
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
    let deadline = Instant::now() + END_WITHIN;
    while home::find(&base).iter().any(|other| other.record.id == *id && other.alive) {
        if Instant::now() > deadline {
            return Err(Problem::new(
                "still-running",
                format!("Lab {id} (process {}) was told to end and still runs.", found.record.pid),
                format!("End it with `kill -9 {}`; its members go with it.", found.record.pid),
            ));
        }
        sleep(Duration::from_millis(50)).await;
    }
    say::line(format_args!("Stopped lab {id}."));
    Ok(())
}
