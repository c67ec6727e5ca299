//! The process that removes a lab's containers when the lab is killed: nothing in the engine ties them to its life. It is
//! the lab's own program, started with [`WATCH_ARGUMENT`]; it holds the reading end of a pipe whose writing end only the
//! lab holds, so that the pipe breaks however the lab dies. It is in a session of its own: what ends the lab with its
//! whole process group, or with its terminal, does not end it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::{Engine, leftovers};
use crate::ClusterError;

/// First argument of a program that is to watch over the cluster in its second one, in the engine in its third.
const WATCH_ARGUMENT: &str = "--watch-containers";

/// Byte on the pipe: there is nothing to watch over any more.
const DONE: u8 = b'd';

/// What the watcher writes once it has found the engine.
const READY: &str = "ready";

/// How long a watcher may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// After the pipe broke, how long the engine may be away before its leftovers are left to the next start.
const TRY_FOR: Duration = Duration::from_secs(600);
/// Between two tries to remove.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// What the lab asked for in its last moment is still being made when the lab is gone: so long nothing new must come.
const CALM: Duration = Duration::from_secs(2);

/// The lab's end of the pipe. Dropping it without [`Watcher::done`] is as good as dying.
pub(super) struct Watcher {
    child: Child,
    pipe: ChildStdin,
}

impl Watcher {
    /// Starts `program` as the watcher of a cluster that is about to be made. What it has to complain about goes to `log`.
    ///
    /// # Errors
    /// When it can't be started, or finds another engine than the lab did, or none.
    pub async fn start(program: &Path, engine: &Engine, run: &str, log: &Path) -> Result<Self, ClusterError> {
        let failed = |reason: String| ClusterError::NoWatcher { reason };
        let complaints = std::fs::File::create(log)
            .map_err(|source| ClusterError::Folder { path: log.to_owned(), source })?;
        let mut command = Command::new(program);
        command
            .args([WATCH_ARGUMENT, run, &engine.info().endpoint])
            // It must not keep a disk from being taken out.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints);
        // SAFETY: between fork and exec the closure makes one system call and nothing else: it neither allocates nor
        // takes a lock.
        unsafe {
            command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?));
        }
        let mut child = command.spawn().map_err(|error| failed(format!("{}: {error}", program.display())))?;
        let (Some(pipe), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no pipes".into()));
        };
        let mut watcher = Self { child, pipe };
        let first_line = spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(said).read_line(&mut line).map(|_| line)
        });
        match timeout(READY_WITHIN, first_line).await {
            Ok(Ok(Ok(line))) if line.trim_end() == READY => Ok(watcher),
            answer => {
                // An error means that it has ended.
                let _ = watcher.child.kill();
                watcher.done().await;
                let complaint = std::fs::read_to_string(log).unwrap_or_default();
                Err(failed(match (complaint.trim(), answer) {
                    ("", Err(_)) => format!("it was not ready after {} s", READY_WITHIN.as_secs()),
                    ("", _) => "it ended without a word".into(),
                    (complaint, _) => complaint.to_owned(),
                }))
            }
        }
    }

    /// Tells it that there is nothing to watch over any more, and waits for its end.
    pub async fn done(mut self) {
        // An error means that it has ended by itself.
        let _ = self.pipe.write_all(&[DONE]);
        drop(self.pipe);
        // Its end takes no longer than a look at its pipe; to wait for it leaves no dead entry in the process table.
        let _ = spawn_blocking(move || self.child.wait()).await;
    }
}

/// To be called first in `main`: when this process was started as a watcher, watches until the lab ends and what it left
/// is removed, and returns the exit code to leave with; otherwise returns `None` at once.
pub fn run_if_watcher() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != WATCH_ARGUMENT {
        return None;
    }
    let (Some(run), Some(endpoint)) = (arguments.next(), arguments.next()) else {
        return Some(ExitCode::from(2));
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Some(complain(&format!("no threads: {error}"))),
    };
    let code = runtime.block_on(watch(&run, &endpoint)).unwrap_or_else(|complaint| complain(&complaint));
    // The thread that reads the pipe may still do so.
    runtime.shutdown_background();
    Some(code)
}

fn complain(complaint: &str) -> ExitCode {
    eprintln!("{complaint}");
    ExitCode::FAILURE
}

async fn watch(run: &str, endpoint: &str) -> Result<ExitCode, String> {
    // Now, not when it is needed: by then another context may be the current one.
    let mut engine = Engine::connect().await.map_err(|error| error.to_string())?;
    if engine.info().endpoint != endpoint {
        return Err(format!("it found the engine at {}, the lab uses {endpoint}", engine.info().endpoint));
    }
    println!("{READY}");
    let told = spawn_blocking(|| {
        let mut byte = [0];
        std::io::stdin().read_exact(&mut byte).map(|()| byte[0])
    });
    if matches!(told.await, Ok(Ok(DONE))) {
        return Ok(ExitCode::SUCCESS);
    }
    let give_up = Instant::now() + TRY_FOR;
    loop {
        match remove_all(&engine, run).await {
            Ok(()) => return Ok(ExitCode::SUCCESS),
            Err(error) if Instant::now() > give_up => return Err(error.to_string()),
            Err(_) => sleep(TRY_EVERY).await,
        }
        // Its engine may have been away, and have come back.
        if let Ok(found) = Engine::connect().await
            && found.info().endpoint == endpoint
        {
            engine = found;
        }
    }
}

/// Removes all that belongs to the cluster, until nothing new comes.
async fn remove_all(engine: &Engine, run: &str) -> Result<(), ClusterError> {
    leftovers::remove_run(engine, run).await?;
    sleep(CALM).await;
    leftovers::remove_run(engine, run).await
}
