//! The cluster's way up and down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lab_cluster::docker::image;
use lab_cluster::native::NativeConfig;
use lab_cluster::{MemberProgress, Node, PortChoice};
use lab_faults::Gofail;
use lab_metrics::{ScrapeConfig, Scraper, Storage, Target};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::launch::{DockerPlan, News, Plan, Started, come_up};
use super::members::member_view;
use super::{Answer, Message, Pending, Running, Session, faults, poll, shown};
use crate::api::{
    ClusterView, Event, ObserversView, Phase, Ports, Problem, Reply, RuntimeKind, StartOptions, WaitingFor,
};
use crate::home::DataFolder;
use crate::shown::Tools;
use crate::{home, problems};

/// etcd's backend quota when none is given: `DefaultQuotaBytes` (etcd, `server/storage/quota.go`).
const DEFAULT_QUOTA_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Prometheus and Grafana that are on their way get so long to be given up.
const OBSERVERS_WITHIN: Duration = Duration::from_secs(10);
/// Smaller than this etcd can't hold its own bookkeeping.
const LEAST_QUOTA_BYTES: u64 = 1024 * 1024;

impl Session {
    pub(super) fn start(&mut self, options: StartOptions, answer: Answer) {
        match self.prepare(&options) {
            Err(problem) => {
                let _ = answer.send(Reply::Problem { problem });
            }
            Ok(plan) => {
                self.mended();
                // What they say is of a cluster that is no more.
                for id in self.loads.forget_ended() {
                    self.tell(Event::LoadForgotten { id });
                }
                if !self.keeps_data {
                    self.marks.clear();
                }
                self.ended.clear();
                self.held.clear();
                self.show(shown::start(&options));
                let waiting = self.shared.members.iter().map(|member| WaitingFor {
                    member: member.clone(),
                    healthy: false,
                    has_leader: false,
                });
                let preparing =
                    matches!(plan, Plan::Docker(_)).then(|| "Asking the Docker engine".to_owned());
                let phase =
                    Phase::Starting { since_ms: (self.clock)(), preparing, waiting: waiting.collect() };
                self.view = None;
                self.enter(phase);
                let news = News::new(self.inbox.clone());
                let call_off = CancellationToken::new();
                let called_off = call_off.clone();
                self.beside(
                    async move { Message::Started(Box::new(come_up(plan, &news, &called_off).await)) },
                );
                self.starting = Some(Pending { call_off, asked: Some(answer) });
            }
        }
    }

    /// Everything that can be refused before anything is started.
    fn prepare(&mut self, options: &StartOptions) -> Result<Plan, Problem> {
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
        let version = options.etcd_version.clone().unwrap_or_else(|| self.info.default_etcd_version.clone());
        let versions = self.config.binaries.versions();
        // An image may have been carried here without the programs that it was built from.
        if options.runtime == RuntimeKind::Native && !versions.is_empty() && !versions.contains(&version) {
            return Err(Problem::new(
                "no-such-version",
                format!("etcd {version} is not among the versions of this lab."),
                format!("Choose one of {}.", versions.join(", ")),
            ));
        }
        let folder = options.data_dir.clone().unwrap_or_else(|| self.home.folder().to_owned());
        let plan = match options.runtime {
            RuntimeKind::Native => self.native(options, version.clone(), folder.clone())?,
            RuntimeKind::Docker => self.docker(options, version.clone(), folder.clone())?,
        };
        let topology = self.config.topologies.of(options.topology);
        self.member_folder = folder;
        self.keeps_data = options.keep_data;
        self.next_view = Some(ClusterView {
            runtime: options.runtime,
            topology: options.topology,
            image: match options.runtime {
                RuntimeKind::Native => None,
                RuntimeKind::Docker => Some(image::reference(topology, &version)),
            },
            etcd_version: version,
            quota_bytes: options.quota_bytes.unwrap_or(DEFAULT_QUOTA_BYTES),
            heartbeat_ms: topology.heartbeat_ms,
            election_ms: topology.election_ms,
            members: Vec::new(),
            alarms: Vec::new(),
        });
        Ok(plan)
    }

    fn native(&self, options: &StartOptions, version: String, folder: PathBuf) -> Result<Plan, Problem> {
        let data = match &options.data_dir {
            Some(dir) => DataFolder::take(dir)?,
            None => self.home.data(options.keep_data)?,
        };
        let config = NativeConfig {
            topology: self.config.topologies.of(options.topology).clone(),
            binaries: self.config.binaries.clone(),
            version,
            folder,
            keep_data: options.keep_data,
            ports: options.ports.into(),
            quota_bytes: options.quota_bytes,
            peer_proxies: BTreeMap::new(),
            lab_id: self.info.id.clone(),
            launch: self.config.launch.clone(),
        };
        Ok(Plan::Native { config: Box::new(config), data })
    }

    fn docker(&self, options: &StartOptions, version: String, folder: PathBuf) -> Result<Plan, Problem> {
        if options.keep_data {
            return Err(problems::not_in_docker("--keep-data"));
        }
        if options.data_dir.is_some() {
            return Err(problems::not_in_docker("--data-dir"));
        }
        Ok(Plan::Docker(Box::new(DockerPlan {
            topology: self.config.topologies.of(options.topology).clone(),
            binaries: self.config.binaries.clone(),
            version,
            folder,
            ports: options.ports.into(),
            quota_bytes: options.quota_bytes,
            lab_id: self.info.id.clone(),
            after_kill: options.after_kill,
            watcher: self.config.program.clone(),
            images: self.images.turns(),
        })))
    }

    /// What a start does before there are members.
    pub(super) fn preparing(&mut self, what: Option<String>) {
        if let Phase::Starting { since_ms, preparing, waiting } = &self.phase
            && *preparing != what
        {
            let (since_ms, waiting) = (*since_ms, waiting.clone());
            self.enter(Phase::Starting { since_ms, preparing: what, waiting });
        }
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
                let tools = self.next_view.as_ref().map_or(Tools::Here, Tools::of);
                let lines = [shown::health(&tools, &running.nodes), shown::metrics(&running.nodes[0])];
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
        let Started { runtime, cluster, nodes, mut exits, links, data, docker } = started;
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
        let going_on = None;
        Ok(Running { runtime, cluster, nodes, watching, scraper, links, faults, data, docker, going_on })
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
                let (loads, observers) = (self.loads.stop_all(), self.observers.call_off());
                self.observers(ObserversView::Off);
                self.beside(async move {
                    // Nothing is to be added to what is being removed.
                    let _ = tokio::time::timeout(OBSERVERS_WITHIN, observers).await;
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
        self.held.clear();
        self.no_faults();
        // There is nothing to draw until another cluster is scraped.
        self.shared.round.send_replace(None);
        self.record(&[]);
        self.enter(Phase::Stopped);
        for answer in std::mem::take(&mut self.stopping) {
            let _ = answer.send(Reply::Done);
        }
    }
}

impl From<Ports> for PortChoice {
    fn from(ports: Ports) -> Self {
        match ports {
            Ports::Topology => Self::Topology,
            Ports::Auto => Self::Auto,
        }
    }
}
