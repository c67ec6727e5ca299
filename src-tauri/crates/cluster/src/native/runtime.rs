//! The native runtime: members as child processes, started together, watched, and stopped together.

use std::collections::BTreeMap;
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
use super::{arguments, data_ports, health};
use crate::log::{last_lines, last_lines_since, reason};
use crate::{
    ClusterError, Exit, Member, MemberProgress, Node, OnLaunched, OnProgress, PortTaken, Runtime, Topology,
};

/// How long members get to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between two questions to a member that isn't ready.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long members get to end when asked, before they are killed.
const END_WITHIN: Duration = Duration::from_secs(5);
/// How long a port may look taken by nobody before that is believed.
const LET_GO_WITHIN: Duration = Duration::from_secs(1);
/// Log lines that go with an error.
const LOG_LINES: usize = 20;
/// Log lines searched for a reason: etcd prints its whole usage after the flag that it doesn't like.
const REASON_LINES: usize = 1_000;

/// Variable in every member's environment that holds the lab's id. Not named after etcd, which warns of every
/// `ETCD_…` that it doesn't know.
pub(super) const LAB_ID: &str = "METRICS_LAB_ID";

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
    /// By member, the URL of the HTTP proxy to its peers; empty unless the topology wants proxies.
    pub peer_proxies: BTreeMap<String, String>,
    /// The lab's id: every member has it in its environment as `METRICS_LAB_ID`.
    pub lab_id: String,
    /// How members are tied to the lab's life.
    pub launch: Launch,
}

/// Where a member's data is in the folder of all members' data.
pub(super) fn data_of(folder: &Path, member: &str) -> PathBuf {
    folder.join(format!("{member}.etcd"))
}

/// A cluster of child processes. See [`Runtime`].
pub struct NativeRuntime {
    config: NativeConfig,
    http: reqwest::Client,
    exits: broadcast::Sender<Exit>,
    /// Held while members are started or stopped.
    busy: AsyncMutex<()>,
    /// Whether all members have been ready; until then they are killed rather than asked to end.
    ready: AtomicBool,
    running: Mutex<Vec<Running>>,
}

#[derive(Clone)]
struct Running {
    node: Node,
    ports: PortMap,
    process: Arc<Process>,
    /// Where its log of this run begins, bytes.
    log_start: u64,
    /// Set before we end it ourselves: then its end is no news.
    expected: Arc<AtomicBool>,
}

impl NativeRuntime {
    /// What [`Runtime::kind`] says of it.
    pub const KIND: &'static str = "native";

    /// A cluster that is not started yet.
    pub fn new(config: NativeConfig) -> Self {
        // Members are on this machine, and a person's proxy is not the way there. Building a client without TLS can't
        // fail; if it did, the default one would differ in the proxy only.
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        Self {
            config,
            http,
            exits: broadcast::channel(16).0,
            busy: AsyncMutex::new(()),
            ready: AtomicBool::new(false),
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
        data_of(&self.data_folder(), member)
    }

    fn data_folder(&self) -> PathBuf {
        self.config.folder.join("data")
    }

    fn choose_ports(&self) -> Result<PortMap, ClusterError> {
        let (topology, choice) = (&self.config.topology, self.config.ports);
        let of_data =
            if self.config.keep_data { data_ports::read(&self.data_folder(), topology) } else { None };
        match of_data {
            Some(kept) => data_ports::choose(topology, choice, &kept),
            None => ports::choose(topology, choice).map_err(ClusterError::NoFreePorts),
        }
    }

    /// The end of a member's log, and what that gives as the reason, of its present run.
    fn last_words(log: &Path, log_start: u64) -> (Option<String>, Vec<String>) {
        let mut lines = last_lines_since(log, log_start, REASON_LINES).unwrap_or_default();
        let reason = reason(&lines);
        // After a panic the Go runtime writes where it was; what it was about stands before.
        if let Some(at) = lines.iter().position(|line| line.starts_with("goroutine ")) {
            lines.truncate(at);
        }
        lines.drain(..lines.len().saturating_sub(LOG_LINES));
        (reason, lines)
    }

    /// Makes the folders; without `keep_data` the members' data of an earlier run goes.
    fn prepare_folders(&self, ports: &PortMap) -> Result<(), ClusterError> {
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
        let data = self.data_folder();
        data_ports::write(&data, &self.config.topology, ports).map_err(failed(&data))
    }

    /// The proxy between a member and its peers, where the topology wants one.
    fn peer_proxy(&self, member: &str) -> Result<Option<&str>, ClusterError> {
        if !self.config.topology.peer_proxy {
            return Ok(None);
        }
        let url = self.config.peer_proxies.get(member);
        url.map(|url| Some(url.as_str())).ok_or_else(|| ClusterError::NoPeerProxy(member.to_owned()))
    }

    fn launch(&self, member: &Member, ports: &PortMap) -> Result<Running, ClusterError> {
        let program = self.config.binaries.find(Program::Etcd, &self.config.version)?;
        let log_path = self.log_path(&member.name);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(|source| ClusterError::Folder { path: log_path.clone(), source })?;
        let log_start = log.metadata().map_or(0, |data| data.len());
        let flags = arguments::flags(
            &self.config.topology,
            member,
            ports,
            &self.data_path(&member.name),
            self.config.quota_bytes,
        );
        let proxy = self.peer_proxy(&member.name)?;
        let mut environment = arguments::environment(&self.config.topology, member, ports, proxy);
        environment.push((LAB_ID.into(), self.config.lab_id.clone()));
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
        let running = Running {
            node,
            ports: ports.clone(),
            process: Arc::new(process),
            log_start,
            expected: Arc::default(),
        };
        self.tell_of_end(&running, log_path);
        Ok(running)
    }

    fn tell_of_end(&self, running: &Running, log_path: PathBuf) {
        // Only the watch goes along: a task that waits must not keep alive what ends when it is dropped.
        let mut ended = running.process.watch_end();
        let expected = Arc::clone(&running.expected);
        let (member, exits, log_start) = (running.node.name.clone(), self.exits.clone(), running.log_start);
        tokio::spawn(async move {
            let Ok(how) = ended.wait_for(Option::is_some).await.map(|how| how.clone().unwrap_or_default())
            else {
                return;
            };
            if expected.load(Ordering::Acquire) {
                return;
            }
            let (reason, log) = Self::last_words(&log_path, log_start);
            // Who is killed has no time to write why; what stands there last is about something else.
            let reason = reason.filter(|_| !how.ends_with("signal 9"));
            // Nobody listens: then nobody wants to know.
            let _ = exits.send(Exit { member, how, reason, log });
        });
    }

    async fn wait_until_ready(
        &self,
        members: &[Running],
        progress: &OnProgress<'_>,
    ) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_WITHIN;
        let seen = Mutex::new(
            members
                .iter()
                .map(|one| MemberProgress {
                    member: one.node.name.clone(),
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
        let ready = join_all(members.iter().enumerate().map(|(at, Running { node, .. })| {
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
            members.iter().map(|one| Box::pin(async move { (one.clone(), one.process.ended().await) })),
        );
        tokio::select! {
            result = timeout_at(deadline, ready) => match result {
                Ok(_) => Ok(()),
                Err(_) => {
                    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    Err(self.not_ready(&seen, members))
                }
            },
            ((one, how), ..) = ended => {
                if one.expected.load(Ordering::Acquire) {
                    return Err(ClusterError::CalledOff);
                }
                let (reason, log) = Self::last_words(&self.log_path(&one.node.name), one.log_start);
                let reason = reason.unwrap_or_else(|| "its log gives no reason".into());
                Err(ClusterError::MemberDied { member: one.node.name, how, reason, log })
            }
        }
    }

    fn not_ready(&self, seen: &[MemberProgress], members: &[Running]) -> ClusterError {
        let behind = seen.iter().find(|member| !(member.healthy && member.has_leader)).or(seen.first());
        let (member, reason) = behind.map_or_else(Default::default, |member| {
            let missing = if member.healthy { "it knew no leader" } else { "it did not answer" };
            (member.member.clone(), missing.to_owned())
        });
        let log_start = members.iter().find(|one| one.node.name == member).map_or(0, |one| one.log_start);
        let (_, log) = Self::last_words(&self.log_path(&member), log_start);
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

    /// The ports that somebody listens on and goes on listening. What is held only for a moment is held by us: looking
    /// for free ports opens them, and a process that is being forked meanwhile has them too until it is its own program.
    async fn taken_for_good(ports: &PortMap) -> Vec<PortTaken> {
        let deadline = Instant::now() + LET_GO_WITHIN;
        loop {
            let taken = ports::taken(ports);
            let known = taken.iter().all(|one| one.holder.is_some());
            if known || Instant::now() > deadline {
                return taken;
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Ends all members at once. Done when all are gone.
    async fn roll_back_all(&self) {
        let ending = std::mem::take(&mut *self.running());
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
        Self::KIND
    }

    async fn start(&self, progress: &OnProgress<'_>) -> Result<Vec<Node>, ClusterError> {
        let _busy = self.busy.lock().await;
        if !self.running().is_empty() {
            return Err(ClusterError::AlreadyRunning);
        }
        // Before anything is touched: can this work at all?
        self.config.binaries.find(Program::Etcd, &self.config.version)?;
        for member in &self.config.topology.members {
            self.peer_proxy(&member.name)?;
        }
        let ports = self.choose_ports()?;
        let taken = Self::taken_for_good(&ports).await;
        if !taken.is_empty() {
            return Err(ClusterError::PortsTaken(taken));
        }
        self.prepare_folders(&ports)?;

        self.ready.store(false, Ordering::Release);
        // Each has its place before the next is started: should this future be dropped, `stop` finds them all.
        for member in &self.config.topology.members {
            match self.launch(member, &ports) {
                Ok(running) => self.running().push(running),
                Err(error) => {
                    self.roll_back_all().await;
                    return Err(error);
                }
            }
        }
        let started = self.running().clone();
        if let Err(error) = self.wait_until_ready(&started, progress).await {
            self.roll_back_all().await;
            return Err(error);
        }
        self.ready.store(true, Ordering::Release);
        Ok(started.into_iter().map(|running| running.node).collect())
    }

    async fn stop(&self) {
        let _busy = self.busy.lock().await;
        if self.ready.load(Ordering::Acquire) {
            let ending = std::mem::take(&mut *self.running());
            Self::end(ending).await;
        } else {
            self.roll_back_all().await;
        }
    }

    async fn restart(&self, member: &str, launched: &OnLaunched<'_>) -> Result<Node, ClusterError> {
        let busy = self.busy.lock().await;
        let no_such = || ClusterError::NoSuchMember(member.to_owned());
        let spec = self.config.topology.member(member).ok_or_else(no_such)?;
        let old =
            self.running().iter().find(|running| running.node.name == member).cloned().ok_or_else(no_such)?;
        let ports = old.ports.clone();
        // The ended member keeps its place until the new one has it: if that can't be started, it can be tried again.
        Self::end(vec![old]).await;
        let new = self.launch(spec, &ports)?;
        for running in self.running().iter_mut().filter(|running| running.node.name == member) {
            *running = new.clone();
        }
        launched(&new.node);
        // Whoever wants to stop the cluster must not wait for this member to become ready.
        drop(busy);
        self.wait_until_ready(std::slice::from_ref(&new), &|_| {}).await?;
        Ok(new.node)
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
