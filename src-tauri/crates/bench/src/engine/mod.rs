//! Carries a load out: worker threads send, a collector sums up once a second.
//!
//! Everything in here is private; [`run`] is the whole interface, so that another engine can take its place.

mod collector;
mod compaction;
mod connection;
mod grpc;
mod open_files;
mod recorder;
mod worker;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    BenchError, BenchSpec, Ended, Progress, Report, Unanswered, Workload, address::Address, errors::Failure,
    pacer::Pacer, schedule::Schedule, workload::Requests,
};
use collector::{Collector, Endpoint};
use recorder::Record;
use worker::{Member, Plan, Share};

/// Time between two progresses.
const TICK: Duration = Duration::from_secs(1);

/// Threads are for a load heavier than any etcd on the same machine can take.
const MOST_WORKERS: usize = 8;

/// Puts a load on a cluster and returns what came of it.
///
/// Opens all connections first; a member that can't be reached doesn't keep the load from the others: requests that
/// are its turn fail, are counted, and it is tried again. `observer` is called once a second on the caller's task
/// and must not block. Cancelling ends the run at once with the result so far. Dropping the future ends it too.
///
/// # Errors
/// When the load can't begin: it can't be carried out as specified, needs more open files than it can get, or no
/// member can be reached. Nothing that happens later is an error of the run.
pub async fn run(
    spec: BenchSpec,
    cancel: CancellationToken,
    mut observer: impl FnMut(Progress) + Send,
) -> Result<Report, BenchError> {
    spec.validate()?;
    open_files::make_room(spec.conns)?;
    let endpoints = endpoints(&spec)?;
    let compact = match &spec.workload {
        Workload::Put(put) => put.compact.clone(),
        Workload::Range(_) => None,
    };
    let compactions = compact.as_ref().map(|_| Arc::default());

    // Ends the workers however this future ends.
    let stop = cancel.child_token();
    let _stop_on_drop = stop.clone().drop_guard();
    let (start, started) = watch::channel(None);
    let (opened, mut openings) = mpsc::unbounded_channel();
    let plan = Plan {
        members: endpoints.iter().map(|endpoint| endpoint.member.clone()).collect(),
        requests: Requests::new(&spec.workload, spec.seed),
        timeout: spec.timeout,
        dial_timeout: spec.dial_timeout.unwrap_or(BenchSpec::DEFAULT_DIAL_TIMEOUT),
        cancel: stop,
        start: started,
        opened,
    };
    let mut compact = compact.zip(compactions.clone());
    let (mut ends, mut records) = (Vec::new(), Vec::new());
    for (number, conns) in shares(&spec).into_iter().enumerate() {
        let record = Arc::new(Mutex::new(Record::new(endpoints.len())));
        records.push(record.clone());
        ends.push(worker::spawn(number, plan.clone(), Share { conns, record, compact: compact.take() })?);
    }
    drop(plan);

    let cancelled_early = tokio::select! {
        () = cancel.cancelled() => true,
        reached = all_opened(&mut openings, ends.len(), &spec) => { reached?; false }
    };
    let pacer = Pacer::new(Schedule::new(Instant::now(), spec.rate, spec.total, spec.duration));
    let mut collector = Collector::new(endpoints, records, compactions, pacer.clone(), spec.seed);
    if !cancelled_early {
        // Fails when all workers are gone, which shows below.
        let _ = start.send(Some(pacer.clone()));
    }
    let mut ends = future::join_all(ends);
    let mut ticks = interval_at(pacer.schedule().start + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let outcomes = loop {
        tokio::select! {
            outcomes = &mut ends => break outcomes,
            now = ticks.tick() => observer(collector.progress(now.max(Instant::now()))),
        }
    };
    let now = Instant::now();
    let unanswered = unanswered(outcomes)?;
    let last = collector.progress(now);
    if last.latency.is_some() || last.error_rate > 0.0 {
        observer(last);
    }
    let ended = match (cancel.is_cancelled(), pacer.is_exhausted()) {
        (_, true) if unanswered.count == 0 => Ended::Total,
        (true, _) => Ended::Cancelled,
        (false, _) => Ended::Duration,
    };
    Ok(collector.report(now, ended, unanswered))
}

fn endpoints(spec: &BenchSpec) -> Result<Vec<Endpoint>, BenchError> {
    let members = spec.endpoints.len();
    spec.endpoints
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let address: Address = name.parse().map_err(|_| BenchError::NoAddress(name.clone()))?;
            let conns = (0..spec.conns as usize).skip(number).step_by(members).count() as u32;
            Ok(Endpoint { name: name.clone(), conns, member: Member { address, open: Arc::default() } })
        })
        .collect()
}

/// Each worker's connections, with the number of clients on each. Workers take connections in turn, a member's
/// connections being spread over them as well.
fn shares(spec: &BenchSpec) -> Vec<Vec<(u32, u32)>> {
    // Half of the cores are left to what is being measured, which as a rule is on the same machine.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = (cores / 2).clamp(1, MOST_WORKERS).min(spec.conns as usize);
    let clients_on = |conn: u32| spec.clients / spec.conns + u32::from(conn < spec.clients % spec.conns);
    (0..workers)
        .map(|worker| {
            (0..spec.conns).skip(worker).step_by(workers).map(|conn| (conn, clients_on(conn))).collect()
        })
        .collect()
}

/// Waits until each worker has tried its connections. An error when not one could be opened.
async fn all_opened(
    openings: &mut mpsc::UnboundedReceiver<Vec<(usize, Failure)>>,
    workers: usize,
    spec: &BenchSpec,
) -> Result<(), BenchError> {
    let mut failed = Vec::new();
    for _ in 0..workers {
        // A worker that is gone before says why when it is joined.
        failed.extend(openings.recv().await.unwrap_or_default());
    }
    if failed.len() < spec.conns as usize {
        return Ok(());
    }
    let mut reasons: Vec<String> = Vec::new();
    for (member, failure) in failed {
        let reason = format!("{}: {}", spec.endpoints[member], failure.message);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Err(BenchError::NoMember { reasons })
}

fn unanswered(
    outcomes: Vec<Result<Result<Unanswered, BenchError>, oneshot::error::RecvError>>,
) -> Result<Unanswered, BenchError> {
    let mut all = Unanswered::default();
    for outcome in outcomes {
        let one = outcome.map_err(|_| BenchError::Worker(std::io::Error::other("it ended early")))??;
        all.count += one.count;
        all.oldest_s = all.oldest_s.max(one.oldest_s);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Put;

    fn spec(endpoints: usize, conns: u32, clients: u32) -> BenchSpec {
        let endpoints = (0..endpoints).map(|number| format!("h:{}", number + 1));
        let mut spec = BenchSpec::new(endpoints, Workload::Put(Put::default()));
        (spec.conns, spec.clients) = (conns, clients);
        spec
    }

    #[test]
    fn connections_go_to_members_in_turn() {
        let conns = |spec| -> Vec<u32> {
            endpoints(&spec).unwrap().into_iter().map(|endpoint| endpoint.conns).collect()
        };
        assert_eq!(conns(spec(3, 1_000, 1_000)), [334, 333, 333]);
        assert_eq!(conns(spec(3, 1, 10)), [1, 0, 0]);
    }

    #[test]
    fn clients_go_to_connections_in_turn() {
        for (conns, clients) in [(1, 1), (3, 10), (10, 3), (1_000, 1_000), (100, 1_000)] {
            let mut all: Vec<_> = shares(&spec(3, conns, clients)).into_iter().flatten().collect();
            all.sort_unstable();
            let expected: Vec<_> = (0..conns)
                .map(|conn| (conn, (0..clients).filter(|client| client % conns == conn).count() as u32))
                .collect();
            assert_eq!(all, expected, "{conns} connections, {clients} clients");
        }
    }
}
