//! One child process that never outlives the lab.
//!
//! On Linux the kernel sees to it (`PR_SET_PDEATHSIG`): but the signal follows the *thread* that forked, so
//! every child is forked by one thread that lives as long as the program. Elsewhere a supervisor process of
//! ours stands between and watches a pipe that breaks when the lab dies (see `supervise`).

use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

use super::supervise::{self, SUPERVISE_ARGUMENT};

/// How a child is tied to the life of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// The kernel kills it with us. Linux only.
    Direct,
    /// Through this program, started anew as a supervisor.
    Supervised(PathBuf),
}

impl Launch {
    /// What this system offers. `ETCD_LAB_LAUNCH=supervised` asks for a supervisor where none is needed.
    ///
    /// # Errors
    /// When a supervisor is needed and the path of this program is unknown.
    pub fn for_this_system() -> io::Result<Self> {
        let asked = std::env::var_os("ETCD_LAB_LAUNCH").is_some_and(|how| how == "supervised");
        if cfg!(target_os = "linux") && !asked {
            Ok(Self::Direct)
        } else {
            Ok(Self::Supervised(std::env::current_exe()?))
        }
    }
}

/// A running or ended child.
pub struct Process {
    pid: u32,
    /// `None` once the child was reaped: from then on its pid may belong to somebody else.
    handle: Arc<Mutex<Option<Handle>>>,
    ended: watch::Receiver<Option<String>>,
}

struct Handle {
    child: Child,
    supervisor: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` with `arguments`, and with `environment` in addition to ours less what is not for members;
    /// output goes to `log`.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn start(
        program: &std::path::Path,
        arguments: &[String],
        environment: &[(String, String)],
        log: std::fs::File,
        launch: &Launch,
    ) -> io::Result<Self> {
        let mut command = match launch {
            Launch::Direct => Command::new(program),
            Launch::Supervised(supervisor) => {
                let mut command = Command::new(supervisor);
                command.arg(SUPERVISE_ARGUMENT).arg(program);
                command
            }
        };
        let supervised = matches!(launch, Launch::Supervised(_));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_not_for_members) {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .envs(environment.iter().map(|(key, value)| (key, value)))
            .stdin(if supervised { Stdio::piped() } else { Stdio::null() })
            .stdout(log.try_clone()?)
            .stderr(log)
            // A group of its own: Ctrl-C in the terminal is for the lab, which then stops members in order.
            .process_group(0);
        let mut child = if supervised { command.spawn()? } else { spawn_from_lasting_thread(command)? };
        let pid = child.id();
        let supervisor = child.stdin.take();
        let handle = Arc::new(Mutex::new(Some(Handle { child, supervisor })));
        let (sender, ended) = watch::channel(None);
        let waiting = Arc::clone(&handle);
        let process = Self { pid, handle, ended };
        // Should there be no thread to be had, dropping the process here kills it.
        thread::Builder::new().name(format!("wait-{pid}")).spawn(move || wait(pid, &waiting, &sender))?;
        Ok(process)
    }

    /// Process id; of the supervisor, if there is one.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to end (SIGTERM), also when it is held.
    pub fn terminate(&self) {
        self.signal(Signal::TERM, supervise::TERMINATE);
        // Who is held hears of the request when it goes on.
        self.resume();
    }

    /// Holds it (SIGSTOP).
    pub fn pause(&self) {
        self.signal(Signal::STOP, supervise::PAUSE);
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT, supervise::RESUME);
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&self) {
        self.signal(Signal::KILL, supervise::KILL);
    }

    fn signal(&self, signal: Signal, to_supervisor: u8) {
        let mut guard = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(handle) = guard.as_mut() else { return };
        // Either way an error means that it has just ended, which the waiting thread is about to tell.
        match &mut handle.supervisor {
            Some(pipe) => {
                let _ = pipe.write_all(&[to_supervisor]);
            }
            None => {
                let _ = pid(handle.child.id()).map(|pid| kill_process(pid, signal));
            }
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Becomes `Some` when it ends, with how: "exit code 1", "killed by signal 9".
    pub fn watch_end(&self) -> watch::Receiver<Option<String>> {
        self.ended.clone()
    }

    /// Waits for its end and tells how it was.
    pub async fn ended(&self) -> String {
        let mut ended = self.watch_end();
        let how = ended.wait_for(Option::is_some).await.ok().and_then(|how| how.clone());
        how.unwrap_or_else(|| "it was lost sight of".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a variable of a person's environment would change what our members do. From one of `ETCD_` etcd would take
/// a configuration file and forget every flag. A proxy is the person's way to the world and not that between members,
/// and with `REQUEST_METHOD` set Go refuses HTTP_PROXY altogether (golang.org/x/net/http/httpproxy).
fn is_not_for_members(name: &str) -> bool {
    let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    name.starts_with("ETCD_")
        || name.starts_with("GOFAIL_")
        || proxies.iter().any(|proxy| name.eq_ignore_ascii_case(proxy))
        || name == "REQUEST_METHOD"
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

fn wait(id: u32, handle: &Mutex<Option<Handle>>, ended: &watch::Sender<Option<String>>) {
    // Waiting without reaping keeps the pid ours until the handle is locked: no signal can reach a stranger.
    if let Some(pid) = pid(id) {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
    }
    let mut guard = handle.lock().unwrap_or_else(PoisonError::into_inner);
    let status = guard.take().map(|mut handle| handle.child.wait());
    drop(guard);
    let how = match status {
        Some(Ok(status)) => describe(status),
        Some(Err(error)) => format!("its end could not be read: {error}"),
        None => "it was lost sight of".into(),
    };
    ended.send_replace(Some(how));
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

type Request = (Command, mpsc::SyncSender<io::Result<Child>>);

/// Forks `command` from the one thread that lives as long as the program.
fn spawn_from_lasting_thread(mut command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    die_with_parent(&mut command);
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        // If this fails nobody receives, and each send below says so.
        drop(thread::Builder::new().name("spawner".into()).spawn(move || {
            for (mut command, answer) in requests {
                drop(answer.send(command.spawn()));
            }
        }));
        sender
    });
    let gone = || io::Error::other("the thread that starts members is gone");
    let (answer, result) = mpsc::sync_channel(1);
    spawner.send((command, answer)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

#[cfg(target_os = "linux")]
pub(super) fn die_with_parent(command: &mut Command) {
    use rustix::process::{getpid, getppid, set_parent_process_death_signal};
    let lab = getpid();
    // SAFETY: between fork and exec the closure makes two system calls and nothing else: it neither allocates
    // nor takes a lock.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The lab may have died before the line above took effect; then nobody will signal us.
            if getppid() == Some(lab) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}
