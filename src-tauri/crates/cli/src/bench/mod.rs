//! `etcd-labctl bench`: a load from the command line, with a line a second and a summary at the end.
//!
//! Refuses to know how a load is carried out; that is `lab_bench`'s.

mod args;
mod hdr;
mod live;
mod summary;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use lab_bench::{BenchError, CancellationToken, Progress, Report, SpecError};
use serde::Serialize;

use args::Told;
pub use args::{BenchArgs, duration};

use crate::{find, say};

/// Exit code for a command line that can't be carried out.
const BAD_USAGE: u8 = 2;

/// Carries out the load. 0 when it gave a result, interrupted or not, and when nobody wanted the result any more; 1
/// when it could not begin, when not a single request was answered, or when its output could not be written; 2 for
/// bad usage.
pub async fn run(args: BenchArgs) -> ExitCode {
    let told = match args.told(find::endpoints) {
        Ok(told) => told,
        Err(usage) => {
            say::aside(format_args!(
                "error: {usage}\n\nFor more information, try 'etcd-labctl bench --help'."
            ));
            return ExitCode::from(BAD_USAGE);
        }
    };
    for warning in &told.warnings {
        say::aside(format_args!("warning: {warning}"));
    }
    match carry_out(told).await {
        Ok(report) if report.answers == 0 && report.errors > 0 => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) if reader_is_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say::aside(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A command line that can't be carried out; its text names the flag.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

impl From<SpecError> for Usage {
    fn from(wrong: SpecError) -> Self {
        Self(wrong.to_string())
    }
}

async fn carry_out(told: Told) -> anyhow::Result<Report> {
    let Told { spec, json, hdr, warnings: _ } = told;
    let mut log = hdr.map(hdr::HdrLog::create).transpose()?;
    let mut screen = Screen::new(json, spec.total);
    screen.begin(&spec.command_line(), spec.seed);

    let cancel = CancellationToken::new();
    let interrupts = tokio::spawn(interrupts(cancel.clone()));
    let mut trouble = None;
    let report = lab_bench::run(spec, cancel.clone(), |progress| {
        let shown = screen.progress(&progress).map_err(anyhow::Error::from);
        let logged = log.as_mut().map_or(Ok(()), |log| log.add(&progress));
        if let (None, Err(error)) = (&trouble, shown.and(logged)) {
            trouble = Some(error);
            // A load that nobody can see is not to go on.
            cancel.cancel();
        }
    })
    .await;
    interrupts.abort();
    screen.end_live();
    let report = report.map_err(|error: BenchError| anyhow::Error::from(error))?;
    let shown = screen.report(&report).map_err(anyhow::Error::from);
    // What went wrong first is what is told.
    trouble.map_or(Ok(()), Err)?;
    shown?;
    log.map_or(Ok(()), hdr::HdrLog::finish)?;
    Ok(report)
}

/// Whether the output had no reader any more (`| head`), which is no failure.
fn reader_is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The first interrupt ends the load and lets its result be shown; a second one ends the program at once.
async fn interrupts(cancel: CancellationToken) {
    if interrupt().await.is_ok() {
        cancel.cancel();
        if interrupt().await.is_ok() {
            std::process::exit(130);
        }
    }
}

#[cfg(unix)]
async fn interrupt() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn interrupt() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Where a load is shown: lines for a person, or one JSON object a line.
struct Screen {
    json: bool,
    live: live::Live,
}

/// One line with `--json`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Progress(&'a Progress),
    Report(&'a Report),
}

impl Screen {
    fn new(json: bool, total: Option<u64>) -> Self {
        Self { json, live: live::Live::new(total) }
    }

    fn begin(&self, command_line: &str, seed: u64) {
        if !self.json {
            say::aside(format_args!("{command_line}\nseed {seed}"));
        }
    }

    fn progress(&mut self, progress: &Progress) -> io::Result<()> {
        if self.json {
            return print_json(&Line::Progress(progress));
        }
        self.live.show(progress);
        Ok(())
    }

    fn end_live(&mut self) {
        if !self.json {
            self.live.end();
        }
    }

    fn report(&self, report: &Report) -> io::Result<()> {
        if self.json {
            print_json(&Line::Report(report))
        } else {
            io::stdout().lock().write_all(summary::text(report).as_bytes())
        }
    }
}

fn print_json(line: &Line<'_>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, line)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
