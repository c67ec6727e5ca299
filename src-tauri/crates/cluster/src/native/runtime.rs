//! The native runtime: members as child processes, started together, watched, and stopped together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tokio::time::{Instant, timeout_at};

use super::binaries::{Binaries, Program};
use super::process::{Launch, Process};
use super::{arguments, data_ports};
use crate::log::{exit, last_lines, put_aside};
use crate::ports::{self, PortChoice, PortMap};
use crate::ready::{self, End};
use crate::runtime::LAB_ID;
use crate::{ClusterError, Exit, Member, MemberAction, Node, OnLaunched, OnProgress, Runtime, Topology};

/// How long members get to end when asked, before they are killed.
const END_WITHIN: Duration = Duration::from_secs(5);

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
        Self {
            config,
            http: ready::http(),
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
            put_aside(&log).map_err(failed(&log))?;
        }
        let data = self.data_folder();
        data_ports::write(&data, &self.config.topology, ports).map_err(failed(&data))
    }

    /// The proxy between a member and its peers, where the topology wants one.
    fn peer_proxy(&self, member: &str) -> Result<Option<&str>, ClusterError> {
        if self.config.topology.peer_proxy.is_none() {
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
            container: None,
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
            // Nobody listens: then nobody wants to know.
            let _ = exits.send(exit(member, how, &log_path, log_start));
        });
    }

    async fn wait_until_ready(
        &self,
        members: &[Running],
        progress: &OnProgress<'_>,
    ) -> Result<(), ClusterError> {
        let waited = members.iter().map(|one| {
            let waited = ready::Waited {
                name: one.node.name.clone(),
                client: one.node.client.clone(),
                log: self.log_path(&one.node.name),
                log_start: one.log_start,
            };
            let end = async move {
                let how = one.process.ended().await;
                if one.expected.load(Ordering::Acquire) { End::CalledOff } else { End::Died(how) }
            };
            (waited, end.boxed())
        });
        ready::wait_until_ready(&self.http, waited.collect(), progress).await
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
        let taken = ports::taken_for_good(&ports::doors(&ports).collect::<Vec<_>>()).await;
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

    async fn act(&self, member: &str, action: MemberAction) -> Result<(), ClusterError> {
        let _busy = self.busy.lock().await;
        let one = self.running().iter().find(|running| running.node.name == member).cloned();
        let one = one.ok_or_else(|| ClusterError::NoSuchMember(member.to_owned()))?;
        if one.process.has_ended() {
            return Err(ClusterError::NotRunning(member.to_owned()));
        }
        match action {
            MemberAction::Stop => Self::end(vec![one]).await,
            MemberAction::Kill => Self::roll_back(vec![one]).await,
            MemberAction::Pause => one.process.pause(),
            MemberAction::Resume => one.process.resume(),
        }
        Ok(())
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
