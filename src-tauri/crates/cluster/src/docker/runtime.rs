//! The Docker runtime: members as containers of an engine, made afresh at each start, watched, and removed with all that
//! belongs to them.
//!
//! The same is wanted of it as of the native runtime. What differs: making is a row of questions to somebody else, of
//! which none can be taken back, so it goes on in a task of its own when nobody waits for it any more, and whoever stops
//! waits for that task; and the engine can go while the lab lives.

mod adoption;
mod container;
mod lookout;
mod output;
mod plan;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerStateStatusEnum as Status, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures::future::{BoxFuture, join_all};
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::labels::{AfterKill, Holder, Role, Run};
use super::watch::Watcher;
use super::{Engine, image, leftovers, refusal};
use crate::log::{last_lines, put_aside};
use crate::ports::{self, Door};
use crate::{
    ClusterError, Exit, MemberAction, Node, OnLaunched, OnProgress, PortChoice, PortTaken, Runtime, Topology,
    ready,
};
use adoption::Adopted;
pub use container::ENGINE_STOPPED;
use container::{LAST_WORDS_WITHIN, Launched};
use output::Output;
use plan::{Plan, Planned};

/// How long a member gets to end when asked, before the engine kills it, seconds.
const END_WITHIN_S: i32 = 5;
/// How long the engine may take for one thing it is asked to do: to start a container takes a busy one some seconds.
pub(super) const DONE_WITHIN: Duration = Duration::from_secs(60);
/// After a container has ended, how long until that was noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(6);
/// How often free ports are chosen anew when somebody was faster.
const PORT_TRIES: u32 = 3;

/// What a cluster in Docker is made from.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// Where.
    pub engine: Engine,
    /// Members, flags and ports.
    pub topology: Topology,
    /// etcd's version, such as `3.5.9`; the engine must have its image.
    pub version: String,
    /// The lab's folder: logs go to `logs/NAME.log` in it. The folders of other labs of the same person stand beside it,
    /// and what one of those left in the engine when it was killed is removed or taken over.
    pub folder: PathBuf,
    /// Where members listen on 127.0.0.1.
    pub ports: PortChoice,
    /// Backend quota in bytes; etcd's own default when absent.
    pub quota_bytes: Option<u64>,
    /// The lab's id: all that is made has it as a label, every member in its environment as `METRICS_LAB_ID`.
    pub lab_id: String,
    /// What becomes of the containers when this program is killed.
    pub after_kill: AfterKill,
    /// A program that calls [`super::run_if_watcher`] first in its `main`, such as this one.
    pub watcher: PathBuf,
}

/// A cluster of containers. See [`Runtime`].
pub struct DockerRuntime {
    inner: Arc<Inner>,
    /// Held while members are started or stopped.
    busy: AsyncMutex<()>,
    /// What makes the cluster, until somebody has waited for it.
    making: AsyncMutex<Option<JoinHandle<Result<(), ClusterError>>>>,
}

/// Where a cluster is: what runs beside it joins its network, and goes with it by bearing its labels.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) engine: Engine,
    pub(super) run: Run,
}

/// What the tasks of a cluster share.
struct Inner {
    config: DockerConfig,
    http: reqwest::Client,
    exits: broadcast::Sender<Exit>,
    /// Whether the engine doesn't answer any more.
    lost: AtomicBool,
    /// Whether who started the cluster has given that up.
    called_off: AtomicBool,
    /// Whether there is nobody any more to stop it.
    dropped: AtomicBool,
    cluster: Mutex<Option<Cluster>>,
    /// Containers as launched, in the order of the plan.
    launched: Mutex<Vec<Arc<Launched>>>,
}

/// What there is beside containers.
struct Cluster {
    run: Run,
    digest: String,
    watcher: Option<Watcher>,
    lookout: Option<AbortHandle>,
}

impl DockerRuntime {
    /// What [`Runtime::kind`] says of it.
    pub const KIND: &'static str = "docker";

    /// A cluster that is not started yet.
    pub fn new(config: DockerConfig) -> Self {
        let inner = Inner {
            config,
            http: ready::http(),
            exits: broadcast::channel(16).0,
            lost: AtomicBool::new(false),
            called_off: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            cluster: Mutex::default(),
            launched: Mutex::default(),
        };
        Self { inner: Arc::new(inner), busy: AsyncMutex::default(), making: AsyncMutex::default() }
    }

    /// Where the cluster is, for what runs beside it; `None` while there is none.
    pub fn place(&self) -> Option<Place> {
        let run = self.inner.cluster().as_ref()?.run.clone();
        Some(Place { engine: self.inner.config.engine.clone(), run })
    }

    /// Waits for what makes the cluster, if anything does.
    async fn made(&self) -> Result<(), ClusterError> {
        let mut making = self.making.lock().await;
        let Some(task) = making.as_mut() else { return Ok(()) };
        let result = task.await;
        *making = None;
        result.unwrap_or_else(|error| {
            Err(ClusterError::EngineRefused { doing: "make the cluster".into(), reason: error.to_string() })
        })
    }
}

impl Drop for DockerRuntime {
    fn drop(&mut self) {
        self.inner.called_off.store(true, Ordering::Release);
        self.inner.dropped.store(true, Ordering::Release);
        self.inner.let_go();
    }
}

impl Inner {
    fn cluster(&self) -> MutexGuard<'_, Option<Cluster>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launched(&self) -> Vec<Arc<Launched>> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn member(&self, name: &str) -> Result<Arc<Launched>, ClusterError> {
        let found = self.launched().into_iter().find(|one| one.planned.name == name && one.node().is_some());
        found.ok_or_else(|| ClusterError::NoSuchMember(name.to_owned()))
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn set_lost(&self, lost: bool) {
        self.lost.store(lost, Ordering::Release);
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.config.folder.join("logs").join(format!("{name}.log"))
    }

    /// Asks the engine to do something, and gives up when it takes too long.
    async fn ask<T>(
        &self,
        doing: &str,
        question: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ClusterError> {
        refusal::ask(&self.config.engine, DONE_WITHIN, doing, question).await
    }

    fn unless_called_off(&self) -> Result<(), ClusterError> {
        if self.called_off.load(Ordering::Acquire) { Err(ClusterError::CalledOff) } else { Ok(()) }
    }

    /// Looks after nothing any more. The watcher's pipe breaks by this, and it removes what there is.
    fn let_go(&self) {
        let cluster = self.cluster().take();
        if let Some(lookout) = cluster.and_then(|cluster| cluster.lookout) {
            lookout.abort();
        }
        self.forget_launched();
    }

    /// As [`Self::make`], for a runtime that may be dropped meanwhile.
    async fn make_unless_dropped(self: Arc<Self>) -> Result<(), ClusterError> {
        let made = Arc::clone(&self).make().await;
        if self.dropped.load(Ordering::Acquire) {
            self.let_go();
        }
        made
    }

    /// Makes the cluster, or takes over one, until all its containers are started. What was made by then stays after an
    /// error.
    async fn make(self: Arc<Self>) -> Result<(), ClusterError> {
        let (config, engine) = (&self.config, &self.config.engine);
        let reference = image::reference(&config.topology, &config.version);
        let image_id = match engine.client().inspect_image(&reference).await {
            Ok(image) => image.id.unwrap_or_default(),
            Err(error) if refusal::is_absent(&error) => return Err(ClusterError::ImageAbsent { reference }),
            Err(error) => return Err(refusal::told(engine, "look for the members' image", &error)),
        };
        let home = leftovers::whole(config.folder.parent().unwrap_or(&config.folder));
        let holder = Holder::here(&config.lab_id, &home, config.after_kill);
        let plan = Plan::new(&config.topology, &reference, config.quota_bytes, config.ports)
            .map_err(ClusterError::NoFreePorts)?;
        let digest = plan.digest(&image_id);
        self.prepare_logs(&plan)?;
        match adoption::adopt(engine, &holder, &plan, &digest, config.ports).await? {
            Some(Adopted { run, plan, ids }) => {
                self.enter(run, digest).await?;
                self.go_on(&plan, ids).await
            }
            None => {
                self.enter(Run::new(holder), digest).await?;
                self.make_afresh(plan).await
            }
        }
    }

    /// Logs of the run before go aside.
    fn prepare_logs(&self, plan: &Plan) -> Result<(), ClusterError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ClusterError::Folder { path, source }
        };
        let folder = self.config.folder.join("logs");
        std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        for planned in &plan.containers {
            let log = self.log_path(&planned.name);
            put_aside(&log).map_err(failed(&log))?;
        }
        Ok(())
    }

    /// Before the first thing of a cluster is made: who removes it, and who looks after it.
    async fn enter(self: &Arc<Self>, run: Run, digest: String) -> Result<(), ClusterError> {
        let watcher = match self.config.after_kill {
            AfterKill::Adopt => None,
            AfterKill::Remove => {
                let log = self.log_path("watcher");
                Some(Watcher::start(&self.config.watcher, &self.config.engine, &run.name, &log).await?)
            }
        };
        self.set_lost(false);
        let lookout = tokio::spawn(lookout::keep(Arc::clone(self), run.name.clone())).abort_handle();
        *self.cluster() = Some(Cluster { run, digest, watcher, lookout: Some(lookout) });
        self.unless_called_off()
    }

    /// The cluster's identity and its plan's digest.
    fn identity(&self) -> Result<(Run, String), ClusterError> {
        let cluster = self.cluster();
        cluster
            .as_ref()
            .map(|cluster| (cluster.run.clone(), cluster.digest.clone()))
            .ok_or(ClusterError::CalledOff)
    }

    async fn make_afresh(&self, mut plan: Plan) -> Result<(), ClusterError> {
        let (run, _) = self.identity()?;
        let client = self.config.engine.client();
        let mut tries = 0;
        loop {
            tries += 1;
            let network = NetworkCreateRequest {
                name: run.network(),
                driver: Some("bridge".into()),
                labels: Some(run.labels(Role::Network)),
                ..NetworkCreateRequest::default()
            };
            let made = async {
                self.free(&plan.doors()).await?;
                self.unless_called_off()?;
                self.ask("make a network", client.create_network(network)).await?;
                for planned in &plan.containers {
                    self.unless_called_off()?;
                    let id = self.create(planned).await?;
                    self.launch(planned, &id, 0).await?;
                }
                Ok(())
            }
            .await;
            match made {
                // Somebody was faster. What is there is of no use: a container keeps the ports it was made with.
                Err(ClusterError::PortsTaken(_))
                    if self.config.ports == PortChoice::Auto && tries < PORT_TRIES =>
                {
                    self.expect_ends();
                    self.forget_launched();
                    leftovers::remove_run(&self.config.engine, &run.name).await?;
                    plan.choose_free_ports().map_err(ClusterError::NoFreePorts)?;
                }
                made => return made,
            }
        }
    }

    /// Goes on with containers that are there, whatever they are doing.
    async fn go_on(&self, plan: &Plan, ids: Vec<String>) -> Result<(), ClusterError> {
        for (planned, id) in plan.containers.iter().zip(ids) {
            self.unless_called_off()?;
            let doing = format!("go on with {}", planned.name);
            let client = self.config.engine.client();
            let found = self.ask(&doing, client.inspect_container(&id, None)).await?;
            match found.state.and_then(|state| state.status) {
                Some(Status::RUNNING) => self.note_launched(planned, &id, 0),
                Some(Status::PAUSED) => {
                    self.ask(&doing, client.unpause_container(&id)).await?;
                    self.note_launched(planned, &id, 0);
                }
                _ => self.launch(planned, &id, 0).await?,
            }
        }
        Ok(())
    }

    /// Sees to it that nobody listens on these ports of this host. Of an engine elsewhere only that engine can tell.
    async fn free(&self, doors: &[Door]) -> Result<(), ClusterError> {
        if !is_here(&self.config.engine.info().endpoint) {
            return Ok(());
        }
        let taken = ports::taken_for_good(doors).await;
        if taken.is_empty() { Ok(()) } else { Err(ClusterError::PortsTaken(taken)) }
    }

    /// Makes a container and the volume for its data; returns its id.
    async fn create(&self, planned: &Planned) -> Result<String, ClusterError> {
        let (run, digest) = self.identity()?;
        let client = self.config.engine.client();
        let doing = format!("make {}", planned.name);
        if let Some(volume) = planned.volume(&run) {
            let volume = VolumeCreateRequest {
                name: Some(volume),
                labels: Some(run.labels_of_member(Role::Data, &planned.name)),
                ..VolumeCreateRequest::default()
            };
            self.ask(&doing, client.create_volume(volume)).await?;
        }
        let options = CreateContainerOptionsBuilder::new().name(&run.name_of(&planned.name)).build();
        let body = planned.body(&run, &digest);
        Ok(self.ask(&doing, client.create_container(Some(options), body)).await?.id)
    }

    /// Starts a container, of whose output so many bytes are in its log already.
    async fn launch(&self, planned: &Planned, id: &str, in_log: u64) -> Result<(), ClusterError> {
        let started = timeout(DONE_WITHIN, self.config.engine.client().start_container(id, None)).await;
        let engine = &self.config.engine;
        match started {
            Ok(Ok(())) => {}
            // It runs already.
            Ok(Err(ApiError::DockerResponseServerError { status_code: 304, .. })) => {}
            Ok(Err(error)) => {
                let door = refusal::taken_port(&error)
                    .and_then(|port| planned.doors().find(|door| door.port == port));
                return Err(door.map_or_else(
                    || refusal::told(engine, &format!("start {}", planned.name), &error),
                    |door| ClusterError::PortsTaken(vec![taken(door)]),
                ));
            }
            Err(_) => {
                return Err(refusal::lost(
                    engine,
                    format!("it said nothing for {} s", DONE_WITHIN.as_secs()),
                ));
            }
        }
        self.note_launched(planned, id, in_log);
        Ok(())
    }

    /// From now on it is looked after.
    fn note_launched(&self, planned: &Planned, id: &str, in_log: u64) {
        let log = self.log_path(&planned.name);
        let log_start = std::fs::metadata(&log).map_or(0, |data| data.len());
        let docker = self.config.engine.client().clone();
        let output = Output::follow(docker, id.to_owned(), log.clone(), in_log);
        let new = Arc::new(Launched::new(planned.clone(), id.to_owned(), log, log_start, output));
        let mut launched = self.launched.lock().unwrap_or_else(PoisonError::into_inner);
        match launched.iter_mut().find(|old| old.planned.name == planned.name) {
            Some(old) => *old = new,
            None => launched.push(new),
        }
    }

    fn forget_launched(&self) {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn expect_ends(&self) {
        for one in self.launched() {
            one.expect_end(true);
        }
    }

    /// Removes all that was made. Where the engine doesn't answer, the watcher goes on trying.
    async fn tear_down(&self) {
        self.expect_ends();
        let cluster = self.cluster().take();
        let Some(cluster) = cluster else { return };
        let removed = leftovers::remove_run(&self.config.engine, &cluster.run.name).await;
        if let Some(lookout) = &cluster.lookout {
            lookout.abort();
        }
        // Those who wait for a member learn that it is no more, and its last lines are in its log.
        join_all(self.launched().iter().map(|one| one.tell_end("it was removed".into(), &self.exits))).await;
        self.forget_launched();
        if let (Ok(()), Some(watcher)) = (removed, cluster.watcher) {
            watcher.done().await;
        }
    }

    /// Waits until these are ready. An engine that went meanwhile is the reason for whatever else is missing.
    async fn wait_until_ready(
        &self,
        launched: &[Arc<Launched>],
        progress: &OnProgress<'_>,
    ) -> Result<(), ClusterError> {
        let waited: Vec<(ready::Waited, BoxFuture<'_, ready::End>)> =
            launched.iter().filter_map(|one| one.waited().map(|(waited, end)| (waited, end as _))).collect();
        let result = ready::wait_until_ready(&self.http, waited, progress).await;
        match result {
            Err(ClusterError::MemberDied { .. } | ClusterError::NotReady { .. }) if self.is_lost() => {
                Err(refusal::lost(&self.config.engine, container::ENGINE_STOPPED.into()))
            }
            result => result,
        }
    }

    /// Ends a container that runs: asks, waits, kills. Done when that was noticed.
    async fn end(&self, one: &Launched, how: MemberAction) -> Result<(), ClusterError> {
        one.expect_end(true);
        let client = self.config.engine.client();
        let (id, name) = (one.id.as_str(), one.planned.name.as_str());
        let asked = if how == MemberAction::Kill {
            let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
            self.ask(&format!("kill {name}"), absent_is_fine(client.kill_container(id, Some(options)))).await
        } else {
            let options = StopContainerOptionsBuilder::new().t(END_WITHIN_S).build();
            self.ask(&format!("stop {name}"), absent_is_fine(client.stop_container(id, Some(options)))).await
        };
        if asked.is_err() {
            one.expect_end(false);
        }
        asked?;
        // Were it noticed by nobody, it has ended all the same.
        let _ = timeout(NOTICED_WITHIN, one.ended()).await;
        Ok(())
    }
}

/// What was to be ended has ended by itself, or is gone.
async fn absent_is_fine(question: impl Future<Output = Result<(), ApiError>>) -> Result<(), ApiError> {
    match question.await {
        Err(error) if refusal::is_absent(&error) || refusal::is_conflict(&error) => Ok(()),
        result => result,
    }
}

/// Whether an engine publishes its ports on this machine. One that is forwarded looks as if it were here, and is.
pub(super) fn is_here(endpoint: &str) -> bool {
    let host = |rest: &str| rest.rsplit_once(':').map_or(rest, |(host, _)| host).to_owned();
    match endpoint.split_once("://") {
        Some(("unix", _)) => true,
        Some((_, rest)) => ["127.0.0.1", "localhost", "[::1]"].contains(&host(rest).as_str()),
        None => true,
    }
}

pub(super) fn taken(door: Door) -> PortTaken {
    let holder = ports::holder(door.port);
    PortTaken { member: door.of, what: door.what, port: door.port, holder }
}

#[async_trait]
impl Runtime for DockerRuntime {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn start(&self, progress: &OnProgress<'_>) -> Result<Vec<Node>, ClusterError> {
        let _busy = self.busy.lock().await;
        if self.inner.cluster().is_some() || self.making.lock().await.is_some() {
            return Err(ClusterError::AlreadyRunning);
        }
        self.inner.called_off.store(false, Ordering::Release);
        // In a task of its own: should this future be dropped, what the engine was asked for is still noted.
        *self.making.lock().await = Some(tokio::spawn(Arc::clone(&self.inner).make_unless_dropped()));
        let made = self.made().await;
        let launched = self.inner.launched();
        let result = match made {
            Ok(()) => self.inner.wait_until_ready(&launched, progress).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            self.inner.tear_down().await;
            return Err(error);
        }
        Ok(launched.iter().filter_map(|one| one.node()).collect())
    }

    async fn stop(&self) {
        let _busy = self.busy.lock().await;
        self.inner.called_off.store(true, Ordering::Release);
        // Its error is of no interest: it was given up.
        let _ = self.made().await;
        self.inner.tear_down().await;
    }

    async fn restart(&self, member: &str, launched: &OnLaunched<'_>) -> Result<Node, ClusterError> {
        let busy = self.busy.lock().await;
        let old = self.inner.member(member)?;
        if !old.is_ending() {
            self.inner.end(&old, MemberAction::Stop).await?;
        }
        // Its way to its peers may have ended with the engine.
        let ways = self.inner.launched().into_iter().filter(|one| one.planned.role == Role::Links);
        for way in ways.filter(|way| way.is_ending()) {
            way.output.complete(LAST_WORDS_WITHIN).await;
            self.inner.launch(&way.planned, &way.id, way.output.dealt_with()).await?;
        }
        old.output.complete(LAST_WORDS_WITHIN).await;
        match self.inner.launch(&old.planned, &old.id, old.output.dealt_with()).await {
            // Somebody has removed its container; its data is still there.
            Err(ClusterError::EngineRefused { .. }) if self.is_gone(&old.id).await => {
                let id = self.inner.create(&old.planned).await?;
                self.inner.launch(&old.planned, &id, 0).await?;
            }
            result => result?,
        }
        let new = self.inner.member(member)?;
        let node = new.node().ok_or_else(|| ClusterError::NoSuchMember(member.to_owned()))?;
        launched(&node);
        // Whoever wants to stop the cluster must not wait for this member to become ready.
        drop(busy);
        self.inner.wait_until_ready(std::slice::from_ref(&new), &|_| {}).await?;
        Ok(node)
    }

    async fn act(&self, member: &str, action: MemberAction) -> Result<(), ClusterError> {
        let _busy = self.busy.lock().await;
        let one = self.inner.member(member)?;
        if one.is_ending() {
            return Err(ClusterError::NotRunning(member.to_owned()));
        }
        let client = self.inner.config.engine.client();
        match action {
            MemberAction::Stop | MemberAction::Kill => self.inner.end(&one, action).await,
            MemberAction::Pause => {
                let asked = absent_is_fine(client.pause_container(&one.id));
                self.inner.ask(&format!("pause {member}"), asked).await
            }
            MemberAction::Resume => {
                let asked = absent_is_fine(client.unpause_container(&one.id));
                self.inner.ask(&format!("resume {member}"), asked).await
            }
        }
    }

    fn nodes(&self) -> Vec<Node> {
        self.inner.launched().iter().filter_map(|one| one.node()).collect()
    }

    fn exits(&self) -> broadcast::Receiver<Exit> {
        self.inner.exits.subscribe()
    }

    fn log(&self, member: &str, lines: usize) -> Result<Vec<String>, ClusterError> {
        let path = self.log_file(member).ok_or_else(|| ClusterError::NoSuchMember(member.to_owned()))?;
        last_lines(&path, lines).map_err(|source| ClusterError::Folder { path, source })
    }

    fn log_file(&self, member: &str) -> Option<PathBuf> {
        self.inner.config.topology.member(member).map(|member| self.inner.log_path(&member.name))
    }

    fn links_url(&self) -> Option<String> {
        let launched = self.inner.launched();
        launched.iter().find(|one| one.planned.role == Role::Links)?.planned.url("control")
    }
}

impl DockerRuntime {
    async fn is_gone(&self, id: &str) -> bool {
        let inspected = self.inner.config.engine.client().inspect_container(id, None).await;
        inspected.is_err_and(|error| refusal::is_absent(&error))
    }
}
