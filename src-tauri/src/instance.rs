//! One window a person and data folder. Whoever holds the lock is first and listens on a socket beside it; a second
//! says "show yourself" there, and leaves.
//!
//! Why not `tauri-plugin-single-instance`: on Linux it needs a D-Bus session and without one quietly opens a second
//! window, and it goes by the app's name alone, so that two labs with folders of their own couldn't be open at once.
//! The kernel frees the lock however the first ended, so a crash leaves nothing to clean up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lab::api::Problem;

const SHOW: &str = "show";
const SHOWN: &str = "shown";

/// How long a second waits for a first that is opening or ending.
const PATIENCE: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_millis(50);

/// What came of asking to be the first.
pub enum Claim {
    /// This process is the only one.
    First(Instance),
    /// Another was here before, and has been brought to the front.
    Second {
        /// Its process id, if it has told.
        pid: Option<u32>,
    },
}

/// The right to be the only one; given back when dropped, or when the process ends.
pub struct Instance {
    _lock: File,
    socket: PathBuf,
    listener: Option<UnixListener>,
}

/// Asks to be the only one on `folder`, which is made if there is none.
pub fn claim(folder: &Path) -> Result<Claim, Problem> {
    claim_within(folder, PATIENCE)
}

fn claim_within(folder: &Path, patience: Duration) -> Result<Claim, Problem> {
    let unusable = |error: io::Error| {
        Problem::new(
            "data-folder-unusable",
            format!("The folder {} cannot be used.", folder.display()),
            "See that it can be written to, or name another by XDG_DATA_HOME.",
        )
        .detail(error)
    };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let lock_file = folder.join("window.lock");
    let socket = folder.join("window.sock");
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_file)
        .map_err(unusable)?;

    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Instance::begin(lock, socket).map(Claim::First).map_err(unusable),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if ask_to_show(&socket).is_ok() {
            return Ok(Claim::Second { pid: holder(&mut lock) });
        }
        // The first is just opening (no socket yet) or just ending (nobody answers): one of both will change.
        if started.elapsed() > patience {
            let pid = holder(&mut lock).map_or_else(String::new, |pid| format!(" as process {pid}"));
            return Err(Problem::new(
                "already-running",
                format!("etcd Metrics Lab is already running{pid} and does not answer."),
                "Close it or end that process, then start the app again.",
            ));
        }
        thread::sleep(RETRY);
    }
}

fn ask_to_show(socket: &Path) -> io::Result<()> {
    let mut first = UnixStream::connect(socket)?;
    first.set_read_timeout(Some(Duration::from_secs(2)))?;
    writeln!(first, "{SHOW}")?;
    let mut answer = String::new();
    BufReader::new(first.take(64)).read_line(&mut answer)?;
    if answer.trim_end() == SHOWN { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Instance {
    fn begin(mut lock: File, socket: PathBuf) -> io::Result<Self> {
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // A path longer than a socket's name may be (some 100 bytes): the lock still keeps a second away.
        let listener = match UnixListener::bind(&socket) {
            Ok(listener) => Some(listener),
            Err(error) => {
                tracing::warn!(%error, socket = %socket.display(), "a second start cannot bring this window to the front");
                None
            }
        };
        Ok(Self { _lock: lock, socket, listener })
    }

    /// Calls `show` each time somebody starts the app again; it says whether there still is a window to show.
    pub fn on_second(&mut self, show: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        thread::Builder::new().name("second-instance".into()).spawn(move || {
            for second in listener.incoming() {
                let answered = second.and_then(|second| answer(second, &show));
                if let Err(error) = answered {
                    tracing::debug!(%error, "a second instance went away");
                }
            }
        })?;
        Ok(())
    }
}

fn answer(mut second: UnixStream, show: &impl Fn() -> bool) -> io::Result<()> {
    second.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut asked = String::new();
    BufReader::new(second.try_clone()?.take(64)).read_line(&mut asked)?;
    if asked.trim_end() == SHOW && show() { writeln!(second, "{SHOWN}") } else { Ok(()) }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.socket) {
            tracing::debug!(%error, "the socket was gone before its owner");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn first(folder: &Path) -> Instance {
        match claim(folder).unwrap() {
            Claim::First(instance) => instance,
            Claim::Second { .. } => panic!("somebody else is first on a fresh folder"),
        }
    }

    #[test]
    fn a_second_brings_the_first_to_the_front() {
        let folder = tempfile::tempdir().unwrap();
        let mut instance = first(folder.path());
        let (shown, was_shown) = mpsc::channel();
        instance.on_second(move || shown.send(()).is_ok()).unwrap();

        let Claim::Second { pid } = claim(folder.path()).unwrap() else { panic!("two are first") };
        assert_eq!(pid, Some(std::process::id()));
        was_shown.recv_timeout(LIMIT).unwrap();
    }

    #[test]
    fn another_folder_is_another_lab() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let _first = first(one.path());
        let _also_first = first(other.path());
    }

    #[test]
    fn a_second_that_comes_while_the_first_ends_becomes_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut ending = first(folder.path());
        let (asked, was_asked) = mpsc::channel();
        ending.on_second(move || asked.send(()).is_err()).unwrap();

        let path = folder.path().to_owned();
        let second = thread::spawn(move || first(&path));
        was_asked.recv_timeout(LIMIT).unwrap();
        drop(ending);
        second.join().unwrap();
    }

    #[test]
    fn what_a_crash_left_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("window.lock"), "4711\n").unwrap();
        drop(UnixListener::bind(folder.path().join("window.sock")).unwrap());
        first(folder.path());
    }

    #[test]
    fn a_first_that_does_not_answer_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut hung = first(folder.path());
        hung.listener.take();
        let Err(problem) = claim_within(folder.path(), Duration::ZERO) else { panic!("two on one folder") };
        assert_eq!(problem.code, "already-running");
        assert!(problem.sentence.contains(&std::process::id().to_string()), "{}", problem.sentence);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let Err(problem) = claim(&file.join("lab")) else { panic!("a folder inside a file") };
        assert_eq!(problem.code, "data-folder-unusable");
    }
}
