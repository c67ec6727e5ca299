//! The cluster's way up and down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lab_cluster::native::{NativeConfig, NativeRuntime, PortChoice};
use lab_cluster::{ClusterError, MemberProgress, Node, OnProgress, Runtime};
use lab_etcd::Cluster;
use lab_faults::{Gofail, LinkProxy, Links};
use lab_metrics::{ScrapeConfig, Scraper, Storage, Target};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{Answer, Message, Pending, Running, Session, faults, poll, shown};
use crate::api::{
    ClusterView, Event, MemberState, MemberView, Phase, Ports, Problem, Reply, RuntimeKind, StartOptions,
    WaitingFor,
};
use crate::home::DataFolder;
use crate::{home, problems};

/// etcd's backend quota when none is given: `DefaultQuotaBytes` (etcd, `server/storage/quota.go`).
const DEFAULT_QUOTA_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Smaller than this etcd can't hold its own bookkeeping.
const LEAST_QUOTA_BYTES: u64 = 1024 * 1024;

/// What a start brought about.
pub struct Started {
    runtime: Arc<dyn Runtime>,
    cluster: Cluster,
    nodes: Vec<Node>,
    exits: broadcast::Receiver<lab_cluster::Exit>,
    links: Option<Links>,
    data: DataFolder,
}

impl Session {
    pub(super) fn start(&mut self, options: StartOptions, answer: Answer) {
        match self.prepare(&options) {
            Err(problem) => {
                let _ = answer.send(Reply::Problem { problem });
            }
            Ok((native, data)) => {
                self.mended();
                // What they say is of a cluster that is no more.
                for id in self.loads.forget_ended() {
                    self.tell(Event::LoadForgotten { id });
                }
                if !self.keeps_data {
                    self.marks.clear();
                }
                self.ended.clear();
                self.show(shown::start(&options));
                let waiting = self.shared.members.iter().map(|member| WaitingFor {
                    member: member.clone(),
                    healthy: false,
                    has_leader: false,
                });
                let phase =
                    Phase::Starting { since_ms: (self.clock)(), preparing: None, waiting: waiting.collect() };
                self.view = None;
                self.enter(phase);
                let inbox = self.inbox.clone();
                let call_off = CancellationToken::new();
                let called_off = call_off.clone();
                self.beside(async move {
                    let progress = move |members: &[MemberProgress]| {
                        if let Some(inbox) = inbox.upgrade() {
                            // Progress is for the eye: if the mailbox is full, the next one will do.
                            let _ = inbox.try_send(Message::Progress(members.to_vec()));
                        }
                    };
                    Message::Started(come_up(native, data, &progress, &called_off).await)
                });
                self.starting = Some(Pending { call_off, asked: Some(answer) });
            }
        }
    }

    /// Everything that can be refused before anything is started.
    fn prepare(&mut self, options: &StartOptions) -> Result<(NativeConfig, DataFolder), Problem> {
        match self.phase {
            Phase::Starting { .. } => return Err(problems::busy("starting")),
            Phase::Stopping => return Err(problems::busy("stopping")),
            Phase::Running { .. } => return Err(problems::already_running()),
            Phase::Stopped | Phase::Failed { .. } => {}
        }
        if let Some(bytes) = options.quota_bytes.filter(|bytes| *bytes < LEAST_QUOTA_BYTES) {
            return Err(Problem::new(
                "bad-option",
                format!("--quota-bytes: {bytes} is too small."),
                format!("Give at least {LEAST_QUOTA_BYTES} bytes."),
            ));
        }
        if options.runtime == RuntimeKind::Docker {
            return Err(Problem::new(
                "no-docker",
                "This lab can't run members in Docker yet.",
                "Start it natively, with --runtime native.",
            ));
        }
        let version = options.etcd_version.clone().unwrap_or_else(|| self.info.default_etcd_version.clone());
        let versions = self.config.binaries.versions();
        if !versions.is_empty() && !versions.contains(&version) {
            return Err(Problem::new(
                "no-such-version",
                format!("etcd {version} is not among the versions of this lab."),
                format!("Choose one of {}.", versions.join(", ")),
            ));
        }
        let data = match &options.data_dir {
            Some(dir) => DataFolder::take(dir)?,
            None => self.home.data(options.keep_data)?,
        };
        let folder = options.data_dir.clone().unwrap_or_else(|| self.home.folder().to_owned());
        let topology = self.config.topologies.of(options.topology);
        let native = NativeConfig {
            topology: topology.clone(),
            binaries: self.config.binaries.clone(),
            version: version.clone(),
            folder: folder.clone(),
            keep_data: options.keep_data,
            ports: match options.ports {
                Ports::Topology => PortChoice::Topology,
                Ports::Auto => PortChoice::Auto,
            },
            quota_bytes: options.quota_bytes,
            peer_proxies: BTreeMap::new(),
            lab_id: self.info.id.clone(),
            launch: self.config.launch.clone(),
        };
        self.member_folder = folder;
        self.keeps_data = options.keep_data;
        self.next_view = Some(ClusterView {
            runtime: options.runtime,
            topology: options.topology,
            etcd_version: version,
            quota_bytes: options.quota_bytes.unwrap_or(DEFAULT_QUOTA_BYTES),
            heartbeat_ms: topology.heartbeat_ms,
            election_ms: topology.election_ms,
            members: Vec::new(),
            alarms: Vec::new(),
        });
        Ok((native, data))
    }

    pub(super) fn starting_progress(&mut self, progress: Vec<MemberProgress>) {
        if let Phase::Starting { since_ms, preparing, .. } = &self.phase {
            let (since_ms, preparing) = (*since_ms, preparing.clone());
            let waiting = progress
                .into_iter()
                .map(|one| WaitingFor {
                    member: one.member,
                    healthy: one.healthy,
                    has_leader: one.has_leader,
                })
                .collect();
            self.enter(Phase::Starting { since_ms, preparing, waiting });
        }
    }

    pub(super) fn started(&mut self, result: Result<Started, Problem>) {
        let Some(Pending { call_off, asked }) = self.starting.take() else { return };
        if call_off.is_cancelled() {
            return self.called_off(result, asked);
        }
        let result = result.and_then(|started| self.watch_over(started));
        let reply = match result {
            Ok(running) => {
                self.record(&running.nodes);
                if !self.keeps_data {
                    // A fresh cluster's lines begin with it; what is left of the last one's would stand beside them.
                    self.shared.store.expire((self.clock)());
                }
                let lines = [shown::health(&running.nodes), shown::metrics(&running.nodes[0])];
                let nodes = running.nodes.clone();
                self.running = Some(running);
                self.no_faults_yet();
                lines.into_iter().for_each(|line| self.show(line));
                if let Some(mut view) = self.next_view.take() {
                    view.members = (0..).zip(&nodes).map(|(index, node)| member_view(index, node)).collect();
                    self.view = Some(view.clone());
                    self.tell(Event::Cluster { cluster: view });
                }
                self.enter(Phase::Running { since_ms: (self.clock)() });
                Reply::Done
            }
            Err(problem) => {
                let problem =
                    if problem.code == "port-taken" { self.other_lab().unwrap_or(problem) } else { problem };
                self.next_view = None;
                self.problem = Some(problem.clone());
                self.enter(Phase::Failed { problem: problem.clone() });
                Reply::Problem { problem }
            }
        };
        if let Some(answer) = asked {
            let _ = answer.send(reply);
        }
    }

    /// Says so when it is another lab of this person's that holds the topology's ports.
    fn other_lab(&self) -> Option<Problem> {
        let topology = self.config.topologies.usual();
        let ports = topology.members.iter().map(|member| format!(":{}", member.client.host_port));
        let ports: Vec<String> = ports.collect();
        let holds = |node: &Node| ports.iter().any(|port| node.client.ends_with(port));
        let other = home::find(&self.config.base).into_iter().find(|found| {
            found.alive && found.record.id != self.info.id && found.record.nodes.iter().any(holds)
        })?;
        Some(problems::other_lab_runs(&other.record.id, &other.record.host, other.record.pid))
    }

    /// A start that was called off has ended, one way or the other; what it started goes.
    fn called_off(&mut self, result: Result<Started, Problem>, asked: Option<Answer>) {
        self.next_view = None;
        if let Some(asked) = asked {
            let _ = asked.send(Reply::Problem { problem: problems::called_off() });
        }
        match result {
            // It was ready in the very moment it was called off.
            Ok(started) => self.beside(async move {
                started.runtime.stop().await;
                Message::Stopped
            }),
            Err(_) => self.stopped(),
        }
    }

    /// Starts the scraper and the tasks that tell of members.
    fn watch_over(&self, started: Started) -> Result<Running, Problem> {
        let Started { runtime, cluster, nodes, mut exits, links, data } = started;
        let gofail = Gofail::new().map_err(|error| problems::no_client(&error))?;
        let watching = CancellationToken::new();
        let store: Arc<dyn Storage> = Arc::clone(&self.shared.store) as Arc<dyn Storage>;
        let broken = |error: &dyn std::fmt::Display| {
            Problem::new("scraper-failed", "The members' metrics can't be read.", "Start the lab anew.")
                .detail(error)
        };
        let scraper = Scraper::start(ScrapeConfig::default(), store, Arc::clone(&self.clock), &watching)
            .map_err(|error| broken(&error))?;
        let targets = nodes
            .iter()
            .map(|node| Target::new("etcd", &node.name, &format!("{}/metrics", node.client)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| broken(&error))?;
        scraper.set_targets(targets);

        let (mut rounds, shared) = (scraper.rounds(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            while rounds.changed().await.is_ok() {
                let t_ms = rounds.borrow_and_update().as_ref().map(|round| round.t_ms);
                shared.round.send_replace(t_ms);
            }
        });
        let (inbox, cancelled) = (self.inbox.clone(), watching.clone());
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    () = cancelled.cancelled() => return,
                    exit = exits.recv() => exit,
                };
                match (exit, inbox.upgrade()) {
                    (Ok(exit), Some(inbox)) => drop(inbox.send(Message::Exited(exit)).await),
                    (Err(RecvError::Lagged(_)), _) => {}
                    _ => return,
                }
            }
        });
        tokio::spawn(poll::every_second(cluster.clone(), self.inbox.clone(), watching.clone()));
        let faults = faults::keep(gofail, &nodes, links.clone(), self.inbox.clone(), watching.clone());
        Ok(Running { runtime, cluster, nodes, watching, scraper, links, faults, data })
    }

    pub(super) fn stop(&mut self, answer: Answer) {
        if let Some(pending) = &self.starting {
            pending.call_off.cancel();
            self.stopping.push(answer);
            self.show(shown::stop());
            self.enter(Phase::Stopping);
            return;
        }
        match self.running.take() {
            Some(running) => {
                self.stopping.push(answer);
                self.show(shown::stop());
                self.enter(Phase::Stopping);
                let loads = self.loads.stop_all();
                self.beside(async move {
                    // Loads first: they are not to count the members' going as errors of theirs.
                    let _ = tokio::time::timeout(Duration::from_secs(2), loads).await;
                    running.scraper.stop().await;
                    running.watching.cancel();
                    if let Some(links) = &running.links {
                        // A leader that leaves hands its place on first, which takes its peers.
                        // A proxy that doesn't answer is in nobody's way for longer than it is asked.
                        let _ = links.heal().await;
                    }
                    running.runtime.stop().await;
                    drop((running.links, running.data));
                    Message::Stopped
                });
            }
            None if matches!(self.phase, Phase::Stopping) => self.stopping.push(answer),
            None => {
                let _ = answer.send(Reply::Done);
            }
        }
    }

    pub(super) fn stopped(&mut self) {
        self.view = None;
        self.ended.clear();
        self.no_faults();
        // There is nothing to draw until another cluster is scraped.
        self.shared.round.send_replace(None);
        self.record(&[]);
        self.enter(Phase::Stopped);
        for answer in std::mem::take(&mut self.stopping) {
            let _ = answer.send(Reply::Done);
        }
    }

    pub(super) fn restart_member(&mut self, member: String, answer: Answer) {
        let runtime = match self.needs_cluster() {
            Ok(running) if running.nodes.iter().any(|node| node.name == member) => {
                Arc::clone(&running.runtime)
            }
            Ok(_) => {
                let _ = answer.send(Reply::Problem { problem: problems::no_such_member(&member) });
                return;
            }
            Err(problem) => {
                let _ = answer.send(Reply::Problem { problem });
                return;
            }
        };
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let launched = |node: &Node| {
                if let Some(inbox) = inbox.upgrade() {
                    let node = node.clone();
                    tokio::spawn(async move { inbox.send(Message::Restarted(node)).await });
                }
            };
            let reply = match runtime.restart(&member, &launched).await {
                Ok(_) => {
                    if let Some(inbox) = inbox.upgrade() {
                        let _ = inbox.send(Message::Done(shown::restart(&member))).await;
                    }
                    Reply::Done
                }
                Err(error) => Reply::Problem { problem: problems::restart(error) },
            };
            let _ = answer.send(reply);
        });
    }

    pub(super) fn restarted(&mut self, node: Node) {
        self.ended.remove(&node.name);
        if self.problem.as_ref().is_some_and(|problem| problem.member.as_ref() == Some(&node.name)) {
            self.mended();
        }
        if let Some(running) = &mut self.running {
            for old in running.nodes.iter_mut().filter(|old| old.name == node.name) {
                *old = node.clone();
            }
            let nodes = running.nodes.clone();
            self.record(&nodes);
        }
        if let Some(view) = &mut self.view {
            for member in view.members.iter_mut().filter(|member| member.name == node.name) {
                *member = member_view(member.index, &node);
            }
            let cluster = view.clone();
            self.tell(Event::Cluster { cluster });
        }
    }
}

fn member_view(index: u32, node: &Node) -> MemberView {
    MemberView {
        name: node.name.clone(),
        index,
        state: MemberState::Starting,
        id: String::new(),
        leader: false,
        learner: false,
        term: 0,
        raft_index: 0,
        raft_applied_index: 0,
        db_size_bytes: 0,
        db_in_use_bytes: 0,
        pid: node.pid,
        container: None,
        client_url: node.client.clone(),
        peer_url: node.peer.clone(),
        gofail_url: node.gofail.clone(),
        answered_ms: 0,
    }
}

/// Brings the cluster up, with proxies between its members where the topology wants them, unless that is called off.
async fn come_up(
    mut native: NativeConfig,
    data: DataFolder,
    progress: &OnProgress<'_>,
    called_off: &CancellationToken,
) -> Result<Started, Problem> {
    let links = if native.topology.peer_proxy.is_some() {
        let members: Vec<String> = native.topology.members.iter().map(|member| member.name.clone()).collect();
        let links = LinkProxy::start(&members)
            .await
            .map_err(|error| problems::cluster(ClusterError::NoFreePorts(error)))?;
        let urls = members.into_iter().filter_map(|member| Some((links.url(&member)?, member)));
        native.peer_proxies = urls.map(|(url, member)| (member, url)).collect();
        Some(Links::here(links))
    } else {
        None
    };
    let runtime: Arc<dyn Runtime> = Arc::new(NativeRuntime::new(native));
    tokio::select! {
        result = bring_up(Arc::clone(&runtime), links.clone(), data, progress) => result,
        () = called_off.cancelled() => {
            runtime.stop().await;
            Err(problems::called_off())
        }
    }
}

async fn bring_up(
    runtime: Arc<dyn Runtime>,
    links: Option<Links>,
    data: DataFolder,
    progress: &OnProgress<'_>,
) -> Result<Started, Problem> {
    // From before the start: a member that ends right after it is told of, too.
    let exits = runtime.exits();
    let nodes = runtime.start(progress).await.map_err(problems::cluster)?;
    let addresses: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.client.as_str())).collect();
    match Cluster::connect(addresses).await {
        Ok(cluster) => Ok(Started { runtime, cluster, nodes, exits, links, data }),
        Err(error) => {
            runtime.stop().await;
            Err(problems::etcd(&error))
        }
    }
}
