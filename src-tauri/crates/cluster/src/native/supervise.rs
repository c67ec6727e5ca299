//! The process that stands between the lab and a member where the kernel has no parent-death signal (macOS).
//! It is this program itself, started with [`SUPERVISE_ARGUMENT`]; it holds the reading end of a pipe whose
//! writing end only the lab holds. The pipe breaks when the lab dies, however it dies, and the member is
//! killed. Written for macOS and untried there; a test tries it on Linux.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::process::die_with_parent;

/// First argument of a program that is to supervise the command in its other arguments.
pub const SUPERVISE_ARGUMENT: &str = "--supervise-member";

/// Byte on the pipe: pass SIGTERM on to the member.
pub(super) const TERMINATE: u8 = b't';
/// Byte on the pipe: pass SIGKILL on to the member.
pub(super) const KILL: u8 = b'k';
/// Byte on the pipe: pass SIGSTOP on to the member.
pub(super) const PAUSE: u8 = b'p';
/// Byte on the pipe: pass SIGCONT on to the member.
pub(super) const RESUME: u8 = b'r';

/// To be called first in `main`: when this process was started as a supervisor, supervises until the member
/// ends, and returns the exit code to leave with; otherwise returns `None` at once.
pub fn run_if_supervisor() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == SUPERVISE_ARGUMENT).then(|| supervise(arguments))
}

fn supervise(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(program) = arguments.next() else { return ExitCode::from(2) };
    let mut command = Command::new(&program);
    // Where there is such a thing, the member also goes when its supervisor is killed: this thread, which forks it,
    // is the one that lasts.
    die_with_parent(&mut command);
    let mut child = match command.args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("Error: {} can't be started: {error}", program.display());
            return ExitCode::from(126);
        }
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let running = Arc::new(Mutex::new(pid));
    let watched = Arc::clone(&running);
    thread::spawn(move || {
        for byte in std::io::stdin().lock().bytes() {
            match byte {
                Ok(TERMINATE) => signal(&watched, Signal::TERM),
                Ok(KILL) => signal(&watched, Signal::KILL),
                Ok(PAUSE) => signal(&watched, Signal::STOP),
                Ok(RESUME) => signal(&watched, Signal::CONT),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        signal(&watched, Signal::KILL);
    });
    // As in `process`: not reaped before the lock is held, so that no signal reaches a stranger.
    if let Some(pid) = pid {
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitid(rustix::process::WaitId::Pid(pid), options)
        {}
    }
    let mut guard = running.lock().unwrap_or_else(PoisonError::into_inner);
    *guard = None;
    match child.wait() {
        // As a shell tells it: 128 and the signal.
        Ok(status) => ExitCode::from(
            u8::try_from(status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1))
                .unwrap_or(1),
        ),
        Err(_) => ExitCode::FAILURE,
    }
}

fn signal(running: &Mutex<Option<Pid>>, signal: Signal) {
    if let Some(pid) = *running.lock().unwrap_or_else(PoisonError::into_inner) {
        // An error means that it has just ended.
        let _ = kill_process(pid, signal);
    }
}
