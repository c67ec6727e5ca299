//! The Docker runtime: members as containers of an engine, made afresh at each start, watched, and removed with all that
//! belongs to them.
//!
//! The same is wanted of it as of the native runtime. What differs: making is a row of questions to somebody else, of
//! which none can be taken back, so it goes on in a task of its own when nobody waits for it any more, and whoever stops
//! waits for that task; and the engine can go while the lab lives.

mod adoption;
mod cluster;
mod container;
mod lookout;
mod making;
mod output;
mod plan;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tokio::task::JoinHandle;

use super::labels::{AfterKill, Role, Run};
use super::{Engine, refusal};
use crate::log::last_lines;
use crate::ports::{self, Door};
use crate::{
    ClusterError, Exit, MemberAction, Node, OnLaunched, OnProgress, PortChoice, PortTaken, Runtime, Topology,
};
use cluster::{Inner, absent_is_fine};
pub use container::ENGINE_STOPPED;
use container::LAST_WORDS_WITHIN;

/// How long the engine may take for one thing it is asked to do: to start a container takes a busy one some seconds.
pub(super) const DONE_WITHIN: Duration = Duration::from_secs(60);

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

impl DockerRuntime {
    /// What [`Runtime::kind`] says of it.
    pub const KIND: &'static str = "docker";

    /// A cluster that is not started yet.
    pub fn new(config: DockerConfig) -> Self {
        Self {
            inner: Arc::new(Inner::new(config)),
            busy: AsyncMutex::default(),
            making: AsyncMutex::default(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_elsewhere_is_told_from_one_here() {
        let endpoints = [
            ("unix:///var/run/docker.sock", true),
            ("tcp://127.0.0.1:2375", true),
            ("tcp://[::1]:2376", true),
            ("tcp://build.example:2376", false),
            ("ssh://me@build.example", false),
        ];
        for (endpoint, here) in endpoints {
            assert_eq!(is_here(endpoint), here, "{endpoint}");
        }
    }
}
