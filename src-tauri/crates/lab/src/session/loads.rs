//! Loads that the lab itself puts on the cluster: any number at a time, each told of once a second.

use std::collections::{BTreeMap, VecDeque};

use futures::future::join_all;
use lab_bench::{BenchError, BenchSpec, CancellationToken, LatencySummary, Progress, Report};
use tokio::sync::watch;

use super::{Message, Session};
use crate::api::{
    ErrorCount, Event, LoadPoint, LoadSpec, LoadState, LoadView, MemberLoad, Phase, Problem, Reply,
};
use crate::bench_spec::bench_spec;
use crate::problems;
use crate::shown::{self, Tools};

/// Seconds of history kept a load.
const HISTORY: usize = 300;
/// Ended loads kept; the oldest make room.
const ENDED_KEPT: usize = 8;

/// All loads, running and ended.
#[derive(Default)]
pub(super) struct Loads {
    next_id: u32,
    loads: BTreeMap<u32, Load>,
}

struct Load {
    view: LoadView,
    history: VecDeque<LoadPoint>,
    cancel: CancellationToken,
    over: watch::Sender<bool>,
}

impl Loads {
    /// All loads with their history, oldest first.
    pub fn views(&self) -> Vec<LoadView> {
        self.loads
            .values()
            .map(|load| LoadView { history: load.history.iter().cloned().collect(), ..load.view.clone() })
            .collect()
    }

    /// Tells all to stop; the future is done when all have.
    pub fn stop_all(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let ends: Vec<_> = self
            .loads
            .values()
            .map(|load| {
                load.cancel.cancel();
                load.over.subscribe()
            })
            .collect();
        async move {
            join_all(ends.into_iter().map(|mut over| async move { drop(over.wait_for(|over| *over).await) }))
                .await;
        }
    }

    /// Forgets all that are over; tells which those were.
    pub fn forget_ended(&mut self) -> Vec<u32> {
        self.loads.extract_if(.., |_, load| load.is_over()).map(|(id, _)| id).collect()
    }

    fn forget_oldest(&mut self) -> Option<u32> {
        let ended: Vec<u32> =
            self.loads.values().filter(|load| load.is_over()).map(|load| load.view.id).collect();
        let oldest = (ended.len() > ENDED_KEPT).then(|| ended[0])?;
        self.loads.remove(&oldest);
        Some(oldest)
    }
}

impl Load {
    fn is_over(&self) -> bool {
        matches!(self.view.state, LoadState::Ended | LoadState::Failed { .. })
    }
}

impl Session {
    pub(super) fn start_load(&mut self, spec: LoadSpec) -> Result<Reply, Problem> {
        self.needs_cluster()?;
        let (bench, tools) = (self.bench_spec(&spec), self.tools());
        bench.validate().map_err(|error| problems::load(&BenchError::Spec(error)))?;
        self.loads.next_id += 1;
        let id = self.loads.next_id;
        let cancel = CancellationToken::new();
        let view = LoadView {
            id,
            spec,
            command: tools.load_line(&bench),
            state: LoadState::Running,
            started_ms: (self.clock)(),
            elapsed_s: 0.0,
            done: 0,
            now: None,
            overall: None,
            history: Vec::new(),
            members: Vec::new(),
            errors: Vec::new(),
        };
        self.show(shown::load(&tools, view.command.clone()));
        self.tell(Event::Load { load: Box::new(view.clone()) });
        let load =
            Load { view, history: VecDeque::new(), cancel: cancel.clone(), over: watch::channel(false).0 };
        self.loads.loads.insert(id, load);

        let inbox = self.inbox.clone();
        self.beside(async move {
            let observer = move |progress: Progress| {
                if let Some(inbox) = inbox.upgrade() {
                    // A full mailbox drops a second of the picture, never of the result.
                    let _ = inbox.try_send(Message::Load(id, Box::new(progress)));
                }
            };
            Message::LoadEnded(id, Box::new(lab_bench::run(bench, cancel, observer).await))
        });
        if let Some(id) = self.loads.forget_oldest() {
            self.tell(Event::LoadForgotten { id });
        }
        Ok(Reply::Load { id })
    }

    pub(super) fn stop_load(&mut self, id: u32) -> Result<Reply, Problem> {
        let load = self.loads.loads.get_mut(&id).ok_or_else(|| no_such_load(id))?;
        if !load.is_over() {
            load.cancel.cancel();
            load.view.state = LoadState::Stopping;
            let load = Box::new(load.view.clone());
            self.tell(Event::Load { load });
        }
        Ok(Reply::Done)
    }

    pub(super) fn forget_load(&mut self, id: u32) -> Result<Reply, Problem> {
        let load = self.loads.loads.get(&id).ok_or_else(|| no_such_load(id))?;
        if !load.is_over() {
            return Err(Problem::new("load-running", format!("Load {id} still runs."), "Stop it first."));
        }
        self.loads.loads.remove(&id);
        self.tell(Event::LoadForgotten { id });
        Ok(Reply::Done)
    }

    pub(super) fn load_command(&self, spec: &LoadSpec) -> Result<Reply, Problem> {
        let bench = self.bench_spec(spec);
        bench.validate().map_err(|error| problems::load(&BenchError::Spec(error)))?;
        Ok(Reply::Text { text: self.tools().load_line(&bench) })
    }

    /// Those of the cluster that runs; of this machine while none does.
    fn tools(&self) -> Tools {
        self.view.as_ref().map_or(Tools::Here, Tools::of)
    }

    /// The load as the engine takes it, on the members that run, or on the topology's ports while none does.
    fn bench_spec(&self, spec: &LoadSpec) -> BenchSpec {
        let endpoints: Vec<String> = if self.nodes().is_empty() {
            let ports = self.config.topologies.usual().members.iter().map(|member| member.client.host_port);
            ports.map(|port| format!("127.0.0.1:{port}")).collect()
        } else {
            self.nodes().iter().map(|node| shown::endpoint(node).to_owned()).collect()
        };
        bench_spec(spec, endpoints)
    }

    pub(super) fn load_progress(&mut self, id: u32, progress: &Progress) {
        let at_s = (self.clock)() as f64 / 1_000.0;
        let members = self.member_loads(progress);
        let Some(load) = self.loads.loads.get_mut(&id) else { return };
        let point = point(at_s, progress.rate, progress.error_rate, progress.latency.as_ref());
        if load.history.len() == HISTORY {
            load.history.pop_front();
        }
        load.history.push_back(point.clone());
        let view = &mut load.view;
        view.elapsed_s = progress.elapsed_s;
        view.done = progress.answers;
        let per_second =
            |count: u64| if progress.elapsed_s > 0.0 { count as f64 / progress.elapsed_s } else { 0.0 };
        view.overall = Some(self::point(
            at_s,
            per_second(progress.answers),
            per_second(progress.errors),
            progress.latency_so_far.as_ref(),
        ));
        view.now = Some(point);
        view.members = members;
        view.errors = error_counts(&progress.error_counts);
        let load = Box::new(view.clone());
        self.tell(Event::Load { load });
    }

    pub(super) fn load_ended(&mut self, id: u32, result: Result<Report, BenchError>) {
        let at_s = (self.clock)() as f64 / 1_000.0;
        let Some(load) = self.loads.loads.get_mut(&id) else { return };
        let view = &mut load.view;
        let mut failure = None;
        match result {
            Ok(report) => {
                view.state = LoadState::Ended;
                view.elapsed_s = report.duration_s;
                view.done = report.answers;
                view.now = None;
                let error_rate =
                    if report.duration_s > 0.0 { report.errors as f64 / report.duration_s } else { 0.0 };
                view.overall = Some(point(at_s, report.rate, error_rate, report.latency.as_ref()));
                view.errors = error_counts(&report.error_counts);
                for member in &mut view.members {
                    member.rate = 0.0;
                }
            }
            Err(error) => {
                let problem = problems::load(&error);
                view.state = LoadState::Failed { problem: problem.clone() };
                view.now = None;
                failure = Some(problem);
            }
        }
        load.over.send_replace(true);
        let load = Box::new(view.clone());
        self.tell(Event::Load { load });
        // What goes wrong because the cluster is leaving is no news.
        if let Some(problem) = failure.filter(|_| matches!(self.phase, Phase::Running { .. })) {
            self.went_wrong(problem);
        }
    }

    fn member_loads(&self, progress: &Progress) -> Vec<MemberLoad> {
        let name = |endpoint: &str| {
            let node = self.nodes().iter().find(|node| shown::endpoint(node) == endpoint);
            node.map_or_else(|| endpoint.to_owned(), |node| node.name.clone())
        };
        progress
            .members
            .iter()
            .map(|member| MemberLoad {
                member: name(&member.endpoint),
                rate: member.rate,
                p50_s: member.latency.as_ref().map(|latency| latency.p50_s),
                p90_s: member.latency.as_ref().map(|latency| latency.p90_s),
                p99_s: member.latency.as_ref().map(|latency| latency.p99_s),
                done: member.answers,
                errors: member.errors,
            })
            .collect()
    }
}

fn point(at_s: f64, rate: f64, error_rate: f64, latency: Option<&LatencySummary>) -> LoadPoint {
    LoadPoint {
        at_s,
        rate,
        error_rate,
        p50_s: latency.map(|latency| latency.p50_s),
        p90_s: latency.map(|latency| latency.p90_s),
        p99_s: latency.map(|latency| latency.p99_s),
        max_s: latency.map(|latency| latency.max_s),
    }
}

fn error_counts(counts: &[lab_bench::ErrorCount]) -> Vec<ErrorCount> {
    counts
        .iter()
        .map(|one| ErrorCount {
            code: one.code.name().into(),
            message: one.message.clone(),
            count: one.count,
        })
        .collect()
}

fn no_such_load(id: u32) -> Problem {
    Problem::new("no-such-load", format!("There is no load {id}."), "`etcd-labctl status` lists the loads.")
}
