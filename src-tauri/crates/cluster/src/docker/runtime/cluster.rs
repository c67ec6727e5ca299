//! What the tasks of a cluster share while it is made, runs and is removed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::query_parameters::{KillContainerOptionsBuilder, StopContainerOptionsBuilder};
use futures::FutureExt;
use futures::future::{join_all, pending, select_all};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::container::{self, Launched};
use super::output::Output;
use super::plan::Planned;
use super::{DONE_WITHIN, DockerConfig, is_here};
use crate::docker::labels::Run;
use crate::docker::watch::Watcher;
use crate::docker::{leftovers, refusal};
use crate::{ClusterError, Exit, MemberAction, OnProgress, ready};

/// How long a member gets to end when asked, before the engine kills it, seconds.
const END_WITHIN_S: i32 = 5;
/// After a container has ended, how long until that was noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(6);

/// What the tasks of a cluster share.
pub(super) struct Inner {
    pub(super) config: DockerConfig,
    pub(super) http: reqwest::Client,
    pub(super) exits: broadcast::Sender<Exit>,
    /// Whether the engine doesn't answer any more.
    pub(super) lost: AtomicBool,
    /// Whether who started the cluster has given that up.
    pub(super) called_off: AtomicBool,
    /// Whether there is nobody any more to stop it.
    pub(super) dropped: AtomicBool,
    pub(super) cluster: Mutex<Option<Cluster>>,
    /// Containers as launched, in the order of the plan.
    pub(super) launched: Mutex<Vec<Arc<Launched>>>,
}

/// What there is beside containers.
pub(super) struct Cluster {
    pub(super) run: Run,
    pub(super) digest: String,
    pub(super) watcher: Option<Watcher>,
    pub(super) lookout: Option<AbortHandle>,
}

impl Inner {
    /// A cluster that is not there yet.
    pub(super) fn new(config: DockerConfig) -> Self {
        Self {
            config,
            http: ready::http(),
            exits: broadcast::channel(16).0,
            lost: AtomicBool::new(false),
            called_off: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            cluster: Mutex::default(),
            launched: Mutex::default(),
        }
    }

    pub(super) fn cluster(&self) -> MutexGuard<'_, Option<Cluster>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn launched(&self) -> Vec<Arc<Launched>> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn member(&self, name: &str) -> Result<Arc<Launched>, ClusterError> {
        let found = self.launched().into_iter().find(|one| one.planned.name == name && one.node().is_some());
        found.ok_or_else(|| ClusterError::NoSuchMember(name.to_owned()))
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    pub(super) fn set_lost(&self, lost: bool) {
        self.lost.store(lost, Ordering::Release);
    }

    pub(super) fn log_path(&self, name: &str) -> PathBuf {
        self.config.folder.join("logs").join(format!("{name}.log"))
    }

    /// Asks the engine to do something, and gives up when it takes too long.
    pub(super) async fn ask<T>(
        &self,
        doing: &str,
        question: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ClusterError> {
        refusal::ask(&self.config.engine, DONE_WITHIN, doing, question).await
    }

    pub(super) fn unless_called_off(&self) -> Result<(), ClusterError> {
        if self.called_off.load(Ordering::Acquire) { Err(ClusterError::CalledOff) } else { Ok(()) }
    }

    /// Looks after nothing any more. The watcher's pipe breaks by this, and it removes what there is.
    pub(super) fn let_go(&self) {
        let cluster = self.cluster().take();
        if let Some(lookout) = cluster.and_then(|cluster| cluster.lookout) {
            lookout.abort();
        }
        self.forget_launched();
    }

    /// From now on it is looked after.
    pub(super) fn note_launched(&self, planned: &Planned, id: &str, in_log: u64) {
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

    pub(super) fn forget_launched(&self) {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn expect_ends(&self) {
        for one in self.launched() {
            one.expect_end(true);
        }
    }

    /// Removes all that was made. Where the engine doesn't answer, the watcher goes on trying.
    pub(super) async fn tear_down(&self) {
        self.expect_ends();
        let Ok((run, _)) = self.identity() else { return };
        let removed = leftovers::remove_run(&self.config.engine, &run.name).await;
        // Not before: should this be broken off, the next try must know what there is.
        let Some(cluster) = self.cluster().take() else { return };
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
    pub(super) async fn wait_until_ready(
        &self,
        launched: &[Arc<Launched>],
        progress: &OnProgress<'_>,
    ) -> Result<(), ClusterError> {
        let waited = launched.iter().filter_map(Launched::waited).collect();
        let endpoint = &self.config.engine.info().endpoint;
        let result = tokio::select! {
            result = ready::wait_until_ready(&self.http, waited, progress) => result,
            error = Self::way_ended(launched) => Err(error),
        };
        match result {
            Err(ClusterError::MemberDied { .. } | ClusterError::NotReady { .. }) if self.is_lost() => {
                Err(refusal::lost(&self.config.engine, container::ENGINE_STOPPED.into()))
            }
            Err(ClusterError::NotReady { member, waited_s, reason, log }) if !is_here(endpoint) => {
                let reason = format!("{reason}; its ports are on the machine of the engine, {endpoint}");
                Err(ClusterError::NotReady { member, waited_s, reason, log })
            }
            result => result,
        }
    }

    /// Waits until one of these ends that is no member but the members' way to each other.
    async fn way_ended(launched: &[Arc<Launched>]) -> ClusterError {
        let ways = launched.iter().filter(|one| one.node().is_none());
        let ends = ways.map(|way| Arc::clone(way).end().map(move |end| (way, end)).boxed());
        let ends: Vec<_> = ends.collect();
        if ends.is_empty() {
            return pending().await;
        }
        let ((way, end), ..) = select_all(ends).await;
        ready::ended(&way.planned.name, end, &way.log, way.log_start)
    }

    /// Ends a container that runs: asks, waits, kills. Done when that was noticed.
    pub(super) async fn end(&self, one: &Launched, how: MemberAction) -> Result<(), ClusterError> {
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

    /// The cluster's identity and its plan's digest.
    pub(super) fn identity(&self) -> Result<(Run, String), ClusterError> {
        let cluster = self.cluster();
        cluster
            .as_ref()
            .map(|cluster| (cluster.run.clone(), cluster.digest.clone()))
            .ok_or(ClusterError::CalledOff)
    }
}

/// What was to be ended has ended by itself, or is gone.
pub(super) async fn absent_is_fine(
    question: impl Future<Output = Result<(), ApiError>>,
) -> Result<(), ApiError> {
    match question.await {
        Err(error) if refusal::is_absent(&error) || refusal::is_conflict(&error) => Ok(()),
        result => result,
    }
}
