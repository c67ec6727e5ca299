//! A worker: one thread with its own event loop, its share of the connections and the clients on them.
//!
//! Its own threads, rather than the caller's runtime: a thousand busy clients would make the caller's scrapes and
//! windows wait in line behind them, and the caller's work would show as latency. One event loop a thread also
//! spares each request the way between threads.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use futures::{StreamExt, stream};
use http::Request;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinSet, LocalSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    compaction::{self, CompactionLog},
    connection::Connection,
    grpc::{self, Answer},
    recorder::Record,
};
use crate::{
    BenchError, Compact,
    address::Address,
    errors::{Failure, GrpcCode},
    pacer::{Pacer, Turn},
    progress::Unanswered,
    workload::Requests,
};

/// Connections that one worker opens at a time: enough to be quick, few enough for a member's accept queue.
const OPENING_AT_ONCE: usize = 64;

/// How long requests that are under way when the time is over may still take.
const GRACE: Duration = Duration::from_secs(5);

/// A member as all workers share it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub address: Address,
    /// Connections to it that are open.
    pub open: Arc<AtomicU32>,
}

/// What all workers need to know.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub members: Vec<Member>,
    pub requests: Requests,
    pub timeout: Option<Duration>,
    pub dial_timeout: Duration,
    pub cancel: CancellationToken,
    /// Set once all workers have opened their connections.
    pub start: watch::Receiver<Option<Pacer>>,
    /// Where a worker says that its connections were tried, and how those that failed did.
    pub opened: mpsc::UnboundedSender<Vec<(usize, Failure)>>,
}

/// What one worker does.
#[derive(Debug)]
pub(super) struct Share {
    /// Its connections' numbers, each with the number of clients on it.
    pub conns: Vec<(u32, u32)>,
    pub record: Arc<Mutex<Record>>,
    /// For the one worker that compacts.
    pub compact: Option<(Compact, Arc<Mutex<CompactionLog>>)>,
}

/// Starts a worker. It ends with its last request, with the run's time, or when cancelled.
pub(super) fn spawn(
    number: usize,
    plan: Plan,
    share: Share,
) -> Result<oneshot::Receiver<Result<Unanswered, BenchError>>, BenchError> {
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("bench-{number}"))
        .spawn(move || {
            let outcome = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(BenchError::Worker)
                .and_then(|runtime| LocalSet::new().block_on(&runtime, work(plan, share)));
            // Nobody listens when the caller has dropped the run.
            let _ = ended.send(outcome);
        })
        .map_err(BenchError::Worker)?;
    Ok(end)
}

async fn work(mut plan: Plan, share: Share) -> Result<Unanswered, BenchError> {
    let cancel = plan.cancel.clone();
    let members = plan.members.len();
    let connection = |number: u32| {
        let member = number as usize % members;
        let Member { address, open } = plan.members[member].clone();
        Connection::new(member, address, plan.dial_timeout, open)
    };
    let conns: Vec<_> = share.conns.iter().map(|(number, clients)| (connection(*number), *clients)).collect();
    let heads = plan
        .members
        .iter()
        .map(|member| grpc::head(&member.address.authority, plan.requests.method))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BenchError::Worker(std::io::Error::other(error)))?;

    let pacer = tokio::select! {
        () = cancel.cancelled() => return Ok(Unanswered::default()),
        pacer = open_all(&mut plan, &conns) => pacer,
    };
    let Some(pacer) = pacer else { return Ok(Unanswered::default()) };
    if let Some((compact, log)) = share.compact {
        tokio::task::spawn_local(compaction::run(compact, plan.members.clone(), plan.dial_timeout, log));
    }
    let crew = Rc::new(Crew {
        pacer,
        requests: plan.requests,
        timeout: plan.timeout,
        record: share.record,
        heads,
        under_way: (0..conns.iter().map(|(_, clients)| *clients).sum()).map(|_| Cell::new(None)).collect(),
    });
    let mut clients = JoinSet::new();
    for (conn, count) in &conns {
        for _ in 0..*count {
            clients.spawn_local(crew.clone().client(clients.len(), conn.clone()));
        }
    }
    tokio::select! {
        () = cancel.cancelled() => {}
        () = out_of_time(&crew.pacer) => {}
        () = async { while clients.join_next().await.is_some() {} } => {}
    }
    Ok(crew.unanswered())
}

/// Tries all connections once, says so, and waits until the other workers have done so too.
async fn open_all(plan: &mut Plan, conns: &[(Rc<Connection>, u32)]) -> Option<Pacer> {
    let failed = stream::iter(conns)
        .map(async |(conn, _)| conn.open().await.err().map(|failure| (conn.member, failure)))
        .buffer_unordered(OPENING_AT_ONCE)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    plan.opened.send(failed).ok()?;
    plan.start.wait_for(Option::is_some).await.ok()?.clone()
}

async fn out_of_time(pacer: &Pacer) {
    match pacer.schedule().end.and_then(|end| end.checked_add(GRACE)) {
        Some(last) => tokio::time::sleep_until(last).await,
        None => std::future::pending().await,
    }
}

/// What the clients of one worker share.
struct Crew {
    pacer: Pacer,
    requests: Requests,
    timeout: Option<Duration>,
    record: Arc<Mutex<Record>>,
    /// By member.
    heads: Vec<Request<()>>,
    /// By client: what the latency of its present request counts from.
    under_way: Vec<Cell<Option<Instant>>>,
}

impl Crew {
    async fn client(self: Rc<Self>, number: usize, conn: Rc<Connection>) {
        while let Some(Turn { cycle, from }) = self.pacer.next().await {
            self.under_way[number].set(Some(from));
            let outcome = self.request(&conn, cycle).await;
            let took = from.elapsed();
            self.under_way[number].set(None);
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            record.add(conn.member, took, outcome.as_ref().map(|_| ()));
        }
    }

    async fn request(&self, conn: &Rc<Connection>, cycle: u64) -> Result<(), Failure> {
        let call = conn.call(self.heads[conn.member].clone(), self.requests.body(cycle), Answer::Drop);
        match self.timeout {
            None => call.await.map(drop),
            Some(within) => match tokio::time::timeout(within, call).await {
                Ok(outcome) => outcome.map(drop),
                Err(_) => {
                    let what = format!("no answer within {within:?} (--timeout)");
                    Err(Failure::new(GrpcCode::DeadlineExceeded, what))
                }
            },
        }
    }

    fn unanswered(&self) -> Unanswered {
        let waiting = self.under_way.iter().filter_map(Cell::get).map(|from| from.elapsed().as_secs_f64());
        waiting.fold(Unanswered::default(), |so_far, waited_s| Unanswered {
            count: so_far.count + 1,
            oldest_s: so_far.oldest_s.max(waited_s),
        })
    }
}
