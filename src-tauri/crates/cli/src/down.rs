//! `etcd-labctl down`: stops a running lab; removes what one that was killed left.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures::future::join_all;
use lab::api::{Command, Problem};
use lab::home::{self, Found};
use lab::{Asker, control, docker};
use lab_cluster::docker::leftovers::Leftover;
use serde::Serialize;
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
    /// All labs of yours, what killed ones left, and the data of those that ended.
    #[arg(long, conflicts_with = "id")]
    all: bool,
    /// One JSON object a lab: what was done.
    #[arg(long)]
    json: bool,
}

/// What was done, or found; with `--json`, one line.
#[derive(Serialize)]
#[serde(tag = "done", rename_all = "kebab-case")]
enum Done<'a> {
    /// It had been killed; so many members still ran.
    TidiedUp { id: &'a str, members: usize },
    /// It had been killed; so much of it was in the Docker engine, and isn't any more.
    ContainersRemoved { id: &'a str, containers: usize, volumes: usize, networks: usize },
    /// It is gone, and its cluster with it.
    Stopped { id: &'a str },
    /// Its cluster is gone; its window is the person's.
    ClusterStopped { id: &'a str },
    /// Data of a lab that ended was there, and isn't any more.
    DataRemoved { folder: &'a Path, bytes: u64 },
    /// Data of a lab that ended is there.
    DataLeft { folder: &'a Path, bytes: u64 },
    /// It was told to end and did not.
    Failed { id: &'a str, problem: Problem },
}

impl Done<'_> {
    fn tell(&self, json: bool) {
        match self {
            _ if json => say::line(serde_json::to_string(self).unwrap_or_default()),
            Self::TidiedUp { id, members } => {
                let them = match members {
                    0 => String::new(),
                    1 => " A member of it still ran, and was ended.".into(),
                    several => format!(" {several} members of it still ran, and were ended."),
                };
                say::line(format_args!("Tidied up after lab {id}, which had ended at once.{them}"));
            }
            Self::ContainersRemoved { id, containers, volumes, networks } => {
                let number = |count: &usize, what: &str| {
                    format!("{count} {what}{}", if *count == 1 { "" } else { "s" })
                };
                say::line(format_args!(
                    "Removed what lab {id}, which had ended at once, left in Docker: {}, {}, {}.",
                    number(containers, "container"),
                    number(volumes, "volume"),
                    number(networks, "network"),
                ));
            }
            Self::Stopped { id } => say::line(format_args!("Stopped lab {id}.")),
            Self::ClusterStopped { id } => {
                say::line(format_args!("Stopped the cluster of lab {id}; its window stays open."));
            }
            Self::DataRemoved { folder, bytes } => {
                say::line(format_args!("Removed {} of data: {}.", size(*bytes), folder.display()));
            }
            Self::DataLeft { folder, bytes } => {
                say::line(format_args!(
                    "{} of data are left for `up --keep-data`: {}. `down --all` removes them.",
                    size(*bytes),
                    folder.display()
                ));
            }
            Self::Failed { problem, .. } => say::problem(problem),
        }
    }
}

/// Stops and tidies up.
pub async fn run(args: &DownArgs) -> Result<ExitCode, Problem> {
    let base = home::base()?;
    let found: Vec<Found> = home::find(&base);
    let (alive, dead): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|found| found.alive);
    let meant = |found: &Found| args.which.id.as_ref().is_none_or(|id| *id == found.record.id);
    let mut done = 0;
    for found in dead.iter().filter(|found| meant(found)) {
        if let Some(members) = home::tidy(found)? {
            Done::TidiedUp { id: &found.record.id, members }.tell(args.json);
            done += 1;
        }
    }
    for left in docker::remove_leftovers(&base, args.which.id.as_deref()).await? {
        let Leftover { lab_id, containers, volumes, networks, .. } = &left;
        let (containers, volumes, networks) = (*containers, *volumes, *networks);
        Done::ContainersRemoved { id: lab_id, containers, volumes, networks }.tell(args.json);
        done += 1;
    }
    let to_stop = match (args.all, alive.is_empty()) {
        (true, _) => alive,
        (false, true) => Vec::new(),
        // The lab that was named is among the dead.
        (false, false) if args.which.id.is_some() && done > 0 => Vec::new(),
        (false, false) => vec![find::lab(&args.which)?],
    };
    // At the same time: one that does not end is not to keep the others waiting.
    let results = join_all(to_stop.iter().map(|found| async {
        let result = stop(found).await;
        result.tell(args.json);
        !matches!(result, Done::Failed { .. })
    }))
    .await;
    done += results.len();
    if args.all {
        for data in home::remove_kept_data(&base)? {
            Done::DataRemoved { folder: &data.folder, bytes: data.bytes }.tell(args.json);
            done += 1;
        }
    }
    if done == 0 {
        if let Some(id) = &args.which.id {
            return Err(Problem::new(
                "no-such-lab",
                format!("There is no lab {id}."),
                "`etcd-labctl status` shows what runs.",
            ));
        }
        let left = home::kept_data(&base);
        if !args.json {
            say::line(if left.is_empty() {
                "No lab runs, and none left anything behind."
            } else {
                "No lab runs."
            });
        }
        for data in &left {
            Done::DataLeft { folder: &data.folder, bytes: data.bytes }.tell(args.json);
        }
    }
    Ok(if results.iter().all(|stopped| *stopped) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn stop(found: &Found) -> Done<'_> {
    let problem = match timeout(END_WITHIN, end(found)).await {
        Ok(Ok(done)) => return done,
        Ok(Err(problem)) if problem.code != "lab-silent" => problem,
        Ok(Err(_)) | Err(_) => still_running(found),
    };
    Done::Failed { id: &found.record.id, problem }
}

async fn end(found: &Found) -> Result<Done<'_>, Problem> {
    let (asker, _events): (Asker, _) = control::connect(&found.socket()).await?;
    let id = &found.record.id;
    if found.record.host == "app" {
        asker.ask(Command::Stop).await?;
        return Ok(Done::ClusterStopped { id });
    }
    // The lab may be gone before its answer is here: what counts is that it is gone.
    let _ = asker.send(Command::Shutdown).await;
    let base = home::base()?;
    while home::find(&base).iter().any(|other| other.record.id == *id && other.alive) {
        sleep(Duration::from_millis(50)).await;
    }
    Ok(Done::Stopped { id })
}

fn size(bytes: u64) -> String {
    lab_dashboards::format_value(&lab_dashboards::Unit::from_grafana("decbytes"), bytes as f64, None)
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
