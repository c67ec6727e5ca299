//! Brings a cluster up beside the session: what its runtime needs first, then the members, then the ways to them.

use std::path::PathBuf;
use std::sync::Arc;

use lab_cluster::docker::{DockerConfig, DockerRuntime};
use lab_cluster::native::{Binaries, NativeConfig, NativeRuntime};
use lab_cluster::{ClusterError, Exit, MemberProgress, Node, PortChoice, Runtime, Topology};
use lab_etcd::Cluster;
use lab_faults::{LinkProxy, Links};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::Message;
use super::images::Turns;
use super::observers::InDocker;
use crate::api::{AfterKill, ImageWork, ObserversView, Problem};
use crate::docker::{self, Images};
use crate::home::DataFolder;
use crate::problems;
use crate::shown::Line;

/// What a cluster is started from.
pub(super) enum Plan {
    /// Members as processes, on data in this folder.
    Native { config: Box<NativeConfig>, data: DataFolder },
    /// Members as containers.
    Docker(Box<DockerPlan>),
}

/// As [`DockerConfig`], while it is not known yet whether there is an engine.
pub(super) struct DockerPlan {
    pub topology: Topology,
    pub binaries: Binaries,
    pub version: String,
    pub folder: PathBuf,
    pub ports: PortChoice,
    pub quota_bytes: Option<u64>,
    pub lab_id: String,
    pub after_kill: AfterKill,
    pub watcher: PathBuf,
    pub images: Turns,
}

/// What a start brought about.
pub struct Started {
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) cluster: Cluster,
    pub(super) nodes: Vec<Node>,
    pub(super) exits: broadcast::Receiver<Exit>,
    pub(super) links: Option<Links>,
    pub(super) data: Option<DataFolder>,
    pub(super) docker: Option<InDocker>,
}

/// Tells the session how far something is that goes on beside it. All of it is for the eye: if the mailbox is full, the
/// next one will do.
#[derive(Clone)]
pub(super) struct News(mpsc::WeakSender<Message>);

impl News {
    /// To this mailbox.
    pub fn new(inbox: mpsc::WeakSender<Message>) -> Self {
        Self(inbox)
    }

    /// How far the members are.
    fn members(&self, members: &[MemberProgress]) {
        self.send(Message::Progress(members.to_vec()));
    }

    /// How far the image is.
    pub fn image(&self, work: ImageWork) {
        self.send(Message::ImageWork(Some(work)));
    }

    /// How far the image is without which no member can be started.
    fn building(&self, work: ImageWork) {
        self.send(Message::Preparing(Some(format!("Building {}: {}", work.subject, work.step))));
        self.image(work);
    }

    fn send(&self, message: Message) {
        if let Some(inbox) = self.0.upgrade() {
            let _ = inbox.try_send(message);
        }
    }

    /// What is done before there are members. Waits for a place: nothing else takes this back.
    async fn preparing(&self, what: Option<String>) {
        self.surely(Message::Preparing(what)).await;
    }

    /// How far Prometheus and Grafana are.
    pub fn observers_doing(&self, doing: String) {
        self.send(Message::Observers(ObserversView::Starting { doing }));
    }

    /// How they are, once nothing is done with them any more.
    pub async fn observers(&self, observers: ObserversView) {
        self.surely(Message::Observers(observers)).await;
    }

    /// Something was done that a person could have typed.
    pub async fn done(&self, line: Line) {
        self.surely(Message::Done(line)).await;
    }

    /// No image is worked on any more.
    pub async fn image_done(&self) {
        self.surely(Message::ImageWork(None)).await;
    }

    async fn surely(&self, message: Message) {
        if let Some(inbox) = self.0.upgrade() {
            let _ = inbox.send(message).await;
        }
    }
}

/// Brings the cluster up, unless that is called off.
pub(super) async fn come_up(
    plan: Plan,
    news: &News,
    called_off: &CancellationToken,
) -> Result<Started, Problem> {
    match plan {
        Plan::Native { mut config, data } => {
            let links = proxies(&mut config).await?.map(Links::here);
            let runtime = Arc::new(NativeRuntime::new(*config));
            start(runtime, links, news, called_off).await.map(|up| Started { data: Some(data), ..up })
        }
        Plan::Docker(plan) => {
            let config = tokio::select! {
                config = prepare(*plan, news) => config,
                () = called_off.cancelled() => Err(problems::called_off()),
            };
            // Also what was broken off is worked on no more.
            news.image_done().await;
            news.preparing(None).await;
            let config = config?;
            let (engine, ports) = (config.engine.clone(), config.ports);
            let runtime = Arc::new(DockerRuntime::new(config));
            let up = start(Arc::clone(&runtime) as Arc<dyn Runtime>, None, news, called_off).await?;
            let docker = runtime.place().map(|place| InDocker { engine, place, ports });
            Ok(Started { docker, ..up })
        }
    }
}

/// The proxies between members that are processes, where the topology wants them; each member is told of its own.
async fn proxies(config: &mut NativeConfig) -> Result<Option<LinkProxy>, Problem> {
    if config.topology.peer_proxy.is_none() {
        return Ok(None);
    }
    let members: Vec<String> = config.topology.members.iter().map(|member| member.name.clone()).collect();
    let links = LinkProxy::start(&members)
        .await
        .map_err(|error| problems::cluster(ClusterError::NoFreePorts(error)))?;
    let urls = members.into_iter().filter_map(|member| Some((links.url(&member)?, member)));
    config.peer_proxies = urls.map(|(url, member)| (member, url)).collect();
    Ok(Some(links))
}

/// Finds the engine, and sees to it that it has the image.
async fn prepare(plan: DockerPlan, news: &News) -> Result<DockerConfig, Problem> {
    let engine = docker::engine().await?;
    news.preparing(Some("Looking for the members' image".into())).await;
    let _turn = plan.images.take().await;
    let images = Images::new(&engine, &plan.binaries, &plan.topology);
    images.ensure(&plan.version, &|work| news.building(work)).await?;
    Ok(DockerConfig {
        engine,
        topology: plan.topology,
        version: plan.version,
        folder: plan.folder,
        ports: plan.ports,
        quota_bytes: plan.quota_bytes,
        lab_id: plan.lab_id,
        after_kill: plan.after_kill.into(),
        watcher: plan.watcher,
    })
}

/// Starts the members, unless that is called off.
async fn start(
    runtime: Arc<dyn Runtime>,
    links: Option<Links>,
    news: &News,
    called_off: &CancellationToken,
) -> Result<Started, Problem> {
    tokio::select! {
        result = bring_up(Arc::clone(&runtime), links, news) => result,
        () = called_off.cancelled() => {
            runtime.stop().await;
            Err(problems::called_off())
        }
    }
}

async fn bring_up(runtime: Arc<dyn Runtime>, links: Option<Links>, news: &News) -> Result<Started, Problem> {
    // From before the start: a member that ends right after it is told of, too.
    let exits = runtime.exits();
    let nodes = runtime.start(&|members| news.members(members)).await.map_err(problems::cluster)?;
    // A runtime that brought its proxies along says where they are once they run.
    let links = match runtime.links_url() {
        Some(url) => Links::at(&url).map(Some).map_err(|error| problems::links(&error)),
        None => Ok(links),
    };
    let addresses: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.client.as_str())).collect();
    let cluster = Cluster::connect(addresses).await.map_err(|error| problems::etcd(&error));
    match (cluster, links) {
        (Ok(cluster), Ok(links)) => {
            Ok(Started { runtime, cluster, nodes, exits, links, data: None, docker: None })
        }
        (Err(problem), _) | (_, Err(problem)) => {
            runtime.stop().await;
            Err(problem)
        }
    }
}

impl From<AfterKill> for lab_cluster::docker::AfterKill {
    fn from(after_kill: AfterKill) -> Self {
        match after_kill {
            AfterKill::Remove => Self::Remove,
            AfterKill::Adopt => Self::Adopt,
        }
    }
}
