//! An engine that stops while a scenario is played, and comes back. It is an engine of the test's own, in namespaces of
//! its own: this machine's goes on.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::api::{Command as Ask, CourseOptions, Event, Ports, Profile, RuntimeKind, StepPhase};
use lab::{Events, control, home};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use super::engine;
use super::lab::{LIMIT, Up, docker, labctl, wait_until};

/// What an engine that is gone is told within.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Namespaces in which an engine and its lab have a network of their own, as long as this lives.
struct Apart(Child);

impl Apart {
    fn new(data: &Path) -> Self {
        let made = format!(
            "ip link set lo up && mount -t tmpfs -o size=1g tmpfs {} && echo && exec sleep 600",
            data.display()
        );
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--", "sh", "-c", &made]).stdout(Stdio::piped());
        let mut holder = Self(command.spawn().unwrap());
        // The line says that they are there.
        let mut line = [0];
        std::io::Read::read_exact(holder.0.stdout.as_mut().unwrap(), &mut line).unwrap();
        holder
    }

    /// Runs a program in them.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--mount", "--target", &self.0.id().to_string(), "--", program]);
        command
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The engine, and where it is.
struct Own {
    folder: PathBuf,
    process: Child,
}

impl Own {
    fn start(apart: &Apart, folder: &Path) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("dockerd.log")).unwrap();
        let flag = |name: &str, path: &str| format!("--{name}={}", folder.join(path).display());
        let mut dockerd = apart.command("dockerd");
        dockerd.arg(format!("--host={}", address(folder)));
        dockerd.args([flag("data-root", "data"), flag("exec-root", "exec"), flag("pidfile", "pid")]);
        let process = dockerd.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let own = Self { folder: folder.to_owned(), process };
        wait_until("the engine answers", LIMIT, || {
            own.docker(&["version"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        });
        own
    }

    fn docker(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", address(&self.folder)).args(words);
        command
    }

    /// Tells it to stop. It takes its time: it stops its containers first.
    fn tell_to_stop(&mut self) {
        tell(&mut self.process, Signal::TERM);
    }

    fn stop(&mut self) {
        self.tell_to_stop();
        let _ = self.process.wait();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The lab in the foreground; it ends with this.
struct Foreground(Child);

impl Drop for Foreground {
    fn drop(&mut self) {
        tell(&mut self.0, Signal::INT);
        let _ = self.0.wait();
    }
}

/// Signals a process, unless it has ended: its number may be another's by then.
fn tell(process: &mut Child, signal: Signal) {
    if matches!(process.try_wait(), Ok(None)) {
        let _ = kill_process(Pid::from_child(process), signal);
    }
}

fn address(folder: &Path) -> String {
    format!("unix://{}", folder.join("docker.sock").display())
}

/// Waits until the step is in a phase that is wanted.
async fn step_is(events: &mut Events, within: Duration, mut wanted: impl FnMut(&StepPhase) -> bool) {
    let found = timeout(within, async {
        loop {
            match events.next().await.expect("the lab lives") {
                Event::Course { course: Some(course) } if wanted(&course.step.phase) => return,
                _ => {}
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("not within {within:?}"));
}

fn is_broken_by(code: &str) -> impl FnMut(&StepPhase) -> bool {
    move |phase| matches!(phase, StepPhase::Broken { problem } if problem.code == code)
}

#[test]
fn a_step_says_that_the_engine_stopped_and_its_stage_is_set_again_once_it_is_back() {
    let has = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !engine::is_there() {
        return;
    }
    if !rustix::process::geteuid().is_root() || !["dockerd", "unshare", "nsenter"].into_iter().all(has) {
        println!("skipped: to start an engine takes root, dockerd and util-linux");
        return;
    }
    // From the engine that has it, or has it built.
    drop(Up::start(&[]));
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image.tar");
    docker(&["save", "etcd-metrics-lab/etcd:v3.5.9", "--output", image.to_str().unwrap()]);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let apart = Apart::new(&folder.path().join("data"));
    let mut own = Own::start(&apart, folder.path());
    assert!(own.docker(&["load", "--quiet", "--input", image.to_str().unwrap()]).status().unwrap().success());

    let base = folder.path().join("home");
    let mut up = apart.command(env!("CARGO_BIN_EXE_etcd-labctl"));
    up.args(["up", "--runtime", "docker", "--ports", "auto", "--json"]).stdout(Stdio::null());
    let up = up.env("ETCD_LAB_HOME", &base).env("DOCKER_HOST", address(folder.path())).spawn();
    let mut up = Foreground(up.unwrap());
    wait_until("the lab is there", LIMIT, || {
        home::find(&base).first().is_some_and(|found| !found.record.nodes.is_empty())
    });

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (asker, mut events) = control::connect(&home::find(&base)[0].socket()).await.unwrap();
        let options = CourseOptions {
            scenario: "slow-disk".into(),
            step: None,
            profile: Profile::Quick,
            runtime: RuntimeKind::Docker,
            etcd_version: None,
            ports: Ports::Auto,
            recorded: false,
            without: None,
        };
        asker.ask(Ask::BeginScenario { options }).await.unwrap();
        step_is(&mut events, LIMIT, |phase| *phase == StepPhase::Predict).await;

        let began = Instant::now();
        own.tell_to_stop();
        step_is(&mut events, TOLD_WITHIN, is_broken_by("step-lost-engine")).await;
        println!("told {:?} after the engine was told to stop", began.elapsed());
        own.stop();
        asker.ask(Ask::RestartStep).await.unwrap();
        step_is(&mut events, LIMIT, is_broken_by("docker-not-running")).await;

        own = Own::start(&apart, folder.path());
        asker.ask(Ask::RestartStep).await.unwrap();
        step_is(&mut events, LIMIT, |phase| *phase == StepPhase::Predict).await;
    });
    let down = labctl(&base).arg("down").status().unwrap();
    assert!(down.success() && up.0.wait().unwrap().success());
    let left = own.docker(&["ps", "--all", "--quiet"]).output().unwrap();
    assert_eq!(left.stdout, b"");
}
