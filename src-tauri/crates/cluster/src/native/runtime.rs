//! The native runtime: members as child processes, started together, watched, and stopped together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{join_all, select_all};
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tokio::time::{Instant, sleep, timeout_at};

use super::binaries::{Binaries, Program};
use super::ports::{self, PortChoice, PortMap};
use super::process::{Launch, Process};
use super::{arguments, health};
use crate::log::{last_lines, reason};
use crate::{ClusterError, Exit, Member, MemberProgress, Node, OnProgress, Runtime, Topology};

/// How long members get to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between two questions to a member that isn't ready.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long members get to end when asked, before they are killed.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Log lines that go with an error.
const LOG_LINES: usize = 20;
/// Log lines searched for a reason: etcd prints its whole usage after the flag that it doesn't like.
const REASON_LINES: usize = 1_000;

/// What a native cluster is made from.
#[derive(Clone, Debug)]
pub struct NativeConfig {
    /// Members, flags and ports.
    pub topology: Topology,
    /// Where the programs are.
    pub binaries: Binaries,
    /// etcd's version, such as `3.5.9`.
    pub version: String,
    /// Data goes to `data/NAME.etcd` in it, logs to `logs/NAME.log`.
    pub folder: PathBuf,
    /// Go on with the data that is there.
    pub keep_data: bool,
    /// Where members listen.
    pub ports: PortChoice,
    /// Backend quota in bytes; etcd's own default when absent.
    pub quota_bytes: Option<u64>,
    /// The lab's id: every member has it in its environment as `ETCD_LAB_ID`.
    pub lab_id: String,
    /// How members are tied to the lab's life.
    pub launch: Launch,
}

/// A cluster of child processes. See [`Runtime`].
pub struct NativeRuntime {
    config: NativeConfig,
    http: reqwest::Client,
    exits: broadcast::Sender<Exit>,
    /// Held while members are started or stopped.
    busy: AsyncMutex<()>,
    running: Mutex<Vec<Running>>,
}

#[derive(Clone)]
struct Running {
    node: Node,
    ports: PortMap,
    process: Arc<Process>,
    /// Set before we end it ourselves: then its end is no news.
    expected: Arc<AtomicBool>,
}

impl NativeRuntime {
    /// A cluster that is not started yet.
    pub fn new(config: NativeConfig) -> Self {
        let (exits, _) = broadcast::channel(16);
        Self {
            config,
            http: reqwest::Client::new(),
            exits,
            busy: AsyncMutex::new(()),
            running: Mutex::default(),
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_path(&self, member: &str) -> PathBuf {
        self.config.folder.join("logs").join(format!("{member}.log"))
    }

    fn data_path(&self, member: &str) -> PathBuf {
        self.config.folder.join("data").join(format!("{member}.etcd"))
    }

    fn log_tail(&self, member: &str) -> Vec<String> {
        last_lines(&self.log_path(member), LOG_LINES).unwrap_or_default()
    }

    /// Makes the folders; without `keep_data` the members' data of an earlier run goes.
    fn prepare_folders(&self) -> Result<(), ClusterError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ClusterError::Folder { path, source }
        };
        for name in ["data", "logs"] {
            let folder = self.config.folder.join(name);
            std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        }
        for member in &self.config.topology.members {
            let data = self.data_path(&member.name);
            if !self.config.keep_data && data.exists() {
                std::fs::remove_dir_all(&data).map_err(failed(&data))?;
            }
            let log = self.log_path(&member.name);
            if log.exists() {
                std::fs::rename(&log, log.with_extension("log.1")).map_err(failed(&log))?;
            }
        }
        Ok(())
    }

    fn launch(&self, member: &Member, ports: &PortMap) -> Result<Running, ClusterError> {
        let program = self.config.binaries.find(Program::Etcd, &self.config.version)?;
        let log_path = self.log_path(&member.name);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(|source| ClusterError::Folder { path: log_path, source })?;
        let flags = arguments::flags(
            &self.config.topology,
            member,
            ports,
            &self.data_path(&member.name),
            self.config.quota_bytes,
        );
        let mut environment = arguments::environment(&self.config.topology, member, ports);
        environment.push(("ETCD_LAB_ID".into(), self.config.lab_id.clone()));
        let process = Process::start(&program, &flags, &environment, log, &self.config.launch)
            .map_err(|error| ClusterError::BinaryUnusable { path: program, reason: error.to_string() })?;
        let here = ports[&member.name];
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let node = Node {
            name: member.name.clone(),
            client: url(here.client),
            peer: url(here.peer),
            gofail: url(here.gofail),
            pid: Some(process.pid()),
        };
        let running =
            Running { node, ports: ports.clone(), process: Arc::new(process), expected: Arc::default() };
        self.tell_of_end(&running);
        Ok(running)
    }

    fn tell_of_end(&self, running: &Running) {
        // Only the watch goes along: a task that waits must not keep alive what ends when it is dropped.
        let mut ended = running.process.watch_end();
        let expected = Arc::clone(&running.expected);
        let (member, exits) = (running.node.name.clone(), self.exits.clone());
        tokio::spawn(async move {
            let Ok(how) = ended.wait_for(Option::is_some).await.map(|how| how.clone().unwrap_or_default())
            else {
                return;
            };
            if !expected.load(Ordering::Acquire) {
                // Nobody listens: then nobody wants to know.
                drop(exits.send(Exit { member, how }));
            }
        });
    }

    async fn wait_until_ready(
        &self,
        members: &[(Node, Arc<Process>)],
        progress: &OnProgress<'_>,
    ) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_WITHIN;
        let seen = Mutex::new(
            members
                .iter()
                .map(|(node, _)| MemberProgress {
                    member: node.name.clone(),
                    healthy: false,
                    has_leader: false,
                })
                .collect::<Vec<_>>(),
        );
        let report = |at: usize, health: health::Health| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if (seen[at].healthy, seen[at].has_leader) != (health.healthy, health.has_leader) {
                (seen[at].healthy, seen[at].has_leader) = (health.healthy, health.has_leader);
                progress(&seen);
            }
        };
        progress(&seen.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let ready = join_all(members.iter().enumerate().map(|(at, (node, _))| {
            let report = &report;
            async move {
                loop {
                    let health = health::ask(&self.http, &node.client).await;
                    report(at, health);
                    if health.healthy && health.has_leader {
                        return;
                    }
                    sleep(ASK_EVERY).await;
                }
            }
        }));
        let ended = select_all(
            members
                .iter()
                .map(|(node, process)| Box::pin(async move { (node.name.clone(), process.ended().await) })),
        );
        tokio::select! {
            result = timeout_at(deadline, ready) => match result {
                Ok(_) => Ok(()),
                Err(_) => {
                    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    Err(self.not_ready(&seen))
                }
            },
            ((member, how), ..) = ended => {
                let log = self.log_tail(&member);
                let lines = last_lines(&self.log_path(&member), REASON_LINES).unwrap_or_default();
                let reason = reason(&lines).unwrap_or_else(|| "its log gives no reason".into());
                Err(ClusterError::MemberDied { member, how, reason, log })
            }
        }
    }

    fn not_ready(&self, seen: &[MemberProgress]) -> ClusterError {
        let behind = seen.iter().find(|member| !(member.healthy && member.has_leader)).or(seen.first());
        let (member, reason) = behind.map_or_else(Default::default, |member| {
            let missing = if member.healthy { "it knew no leader" } else { "it did not answer" };
            (member.member.clone(), missing.to_owned())
        });
        let log = self.log_tail(&member);
        ClusterError::NotReady { member, waited_s: READY_WITHIN.as_secs(), reason, log }
    }

    /// Ends these processes: asks, waits, kills. Done when all are gone.
    ///
    /// One after the other: told all at once, the leader would wait for a successor among members that are
    /// leaving too, which takes etcd longer than we give it.
    async fn end(ending: Vec<Running>) {
        let deadline = Instant::now() + END_WITHIN;
        for running in &ending {
            running.expected.store(true, Ordering::Release);
        }
        for running in &ending {
            running.process.terminate();
            if timeout_at(deadline, running.process.ended()).await.is_err() {
                break;
            }
        }
        Self::roll_back(ending).await;
    }

    /// Ends these processes at once. Done when all are gone.
    async fn roll_back(ending: Vec<Running>) {
        for running in &ending {
            running.expected.store(true, Ordering::Release);
            running.process.kill();
        }
        join_all(ending.iter().map(|running| running.process.ended())).await;
    }
}

#[async_trait]
impl Runtime for NativeRuntime {
    fn kind(&self) -> &'static str {
        "native"
    }

    async fn start(&self, progress: &OnProgress<'_>) -> Result<Vec<Node>, ClusterError> {
        let _busy = self.busy.lock().await;
        if !self.running().is_empty() {
            return Err(ClusterError::AlreadyRunning);
        }
        // Before anything is touched: can this work at all?
        self.config.binaries.find(Program::Etcd, &self.config.version)?;
        let ports = ports::choose(&self.config.topology, self.config.ports)
            .map_err(|source| ClusterError::Folder { path: "127.0.0.1".into(), source })?;
        let taken = ports::taken(&ports);
        if !taken.is_empty() {
            return Err(ClusterError::PortsTaken(taken));
        }
        self.prepare_folders()?;

        // A guard, as the caller may drop this future half-way: dropping a `Process` kills it.
        let mut started = Vec::new();
        for member in &self.config.topology.members {
            match self.launch(member, &ports) {
                Ok(running) => started.push(running),
                Err(error) => {
                    Self::roll_back(started).await;
                    return Err(error);
                }
            }
        }
        let waited: Vec<_> =
            started.iter().map(|running| (running.node.clone(), Arc::clone(&running.process))).collect();
        if let Err(error) = self.wait_until_ready(&waited, progress).await {
            Self::roll_back(started).await;
            return Err(error);
        }
        let nodes = started.iter().map(|running| running.node.clone()).collect();
        *self.running() = started;
        Ok(nodes)
    }

    async fn stop(&self) {
        let _busy = self.busy.lock().await;
        let ending = std::mem::take(&mut *self.running());
        Self::end(ending).await;
    }

    async fn restart(&self, member: &str) -> Result<Node, ClusterError> {
        let busy = self.busy.lock().await;
        let no_such = || ClusterError::NoSuchMember(member.to_owned());
        let spec = self.config.topology.member(member).ok_or_else(no_such)?;
        let old =
            self.running().iter().find(|running| running.node.name == member).cloned().ok_or_else(no_such)?;
        let ports = old.ports.clone();
        // The ended member keeps its place until the new one has it: if that can't be started, it can be tried again.
        Self::end(vec![old]).await;
        let new = self.launch(spec, &ports)?;
        let (node, process) = (new.node.clone(), Arc::clone(&new.process));
        for running in self.running().iter_mut().filter(|running| running.node.name == member) {
            *running = new.clone();
        }
        drop(new);
        // Whoever wants to stop the cluster must not wait for this member to become ready.
        drop(busy);
        self.wait_until_ready(&[(node.clone(), process)], &|_| {}).await?;
        Ok(node)
    }

    fn nodes(&self) -> Vec<Node> {
        self.running().iter().map(|running| running.node.clone()).collect()
    }

    fn exits(&self) -> broadcast::Receiver<Exit> {
        self.exits.subscribe()
    }

    fn log(&self, member: &str, lines: usize) -> Result<Vec<String>, ClusterError> {
        let path = self.log_file(member).ok_or_else(|| ClusterError::NoSuchMember(member.to_owned()))?;
        last_lines(&path, lines).map_err(|source| ClusterError::Folder { path, source })
    }

    fn log_file(&self, member: &str) -> Option<PathBuf> {
        self.config.topology.member(member).map(|member| self.log_path(&member.name))
    }
}
