//! The rhythm: at each tick every target is asked at once, and when all are done the round is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::worker::{Tick, Worker};
use super::{Clock, Round, Scrape, ScrapeConfig, ScrapeError, Target};
use crate::store::Storage;

/// A wake-up that is late by no more than this part of the interval counts as on time, and bears the tick's own
/// time, which compresses to nothing. The most that Prometheus allows for its `ScrapeTimestampTolerance`; a lab
/// whose members use up the cores often wakes late.
const TOLERANCE_PART: i64 = 100;

pub(super) struct Rounds {
    config: ScrapeConfig,
    store: Arc<dyn Storage>,
    clock: Clock,
    client: reqwest::Client,
    cancel: CancellationToken,
    workers: Vec<Running>,
}

struct Running {
    target: Target,
    ticks: mpsc::Sender<Tick>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Rounds {
    pub fn new(
        config: ScrapeConfig,
        store: Arc<dyn Storage>,
        clock: Clock,
        client: reqwest::Client,
        cancel: CancellationToken,
    ) -> Self {
        Self { config, store, clock, client, cancel, workers: Vec::new() }
    }

    /// Goes round until cancelled.
    pub async fn run(
        mut self,
        mut wanted: watch::Receiver<Vec<Target>>,
        finished: watch::Sender<Option<Arc<Round>>>,
    ) {
        let mut last_ms = i64::MIN;
        loop {
            let tick_ms = self.next_tick_ms(last_ms);
            let wait_ms = tick_ms.saturating_sub((self.clock)());
            let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
            tokio::select! {
                () = self.cancel.cancelled() => break,
                changed = wanted.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let targets = wanted.borrow_and_update().clone();
                    self.set_targets(targets).await;
                    continue;
                }
                () = tokio::time::sleep(wait) => {}
            }
            let now_ms = (self.clock)();
            let on_time = now_ms.abs_diff(tick_ms) <= self.tolerance_ms().unsigned_abs();
            let t_ms = if on_time { tick_ms } else { now_ms };
            // A clock that was set back must not make samples older than those before.
            last_ms = t_ms.max(last_ms.saturating_add(1));
            let scrapes = self.round(last_ms).await;
            if !scrapes.is_empty() && !self.cancel.is_cancelled() {
                finished.send_replace(Some(Arc::new(Round { t_ms: last_ms, scrapes })));
            }
        }
        self.set_targets(Vec::new()).await;
    }

    /// The first multiple of the interval that is neither over nor what the last round was for.
    fn next_tick_ms(&self, last_ms: i64) -> i64 {
        let after_ms = (self.clock)().max(last_ms.saturating_add(self.tolerance_ms()));
        let interval_ms = self.interval_ms();
        after_ms.div_euclid(interval_ms).saturating_add(1).saturating_mul(interval_ms)
    }

    fn interval_ms(&self) -> i64 {
        i64::try_from(self.config.interval.as_millis()).unwrap_or(i64::MAX)
    }

    fn tolerance_ms(&self) -> i64 {
        self.interval_ms() / TOLERANCE_PART
    }

    async fn round(&self, t_ms: i64) -> Vec<Scrape> {
        let mut replies = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (reply, replied) = oneshot::channel();
            // A worker that is gone drops the tick, and the reply fails.
            let _ = worker.ticks.send(Tick { t_ms, reply }).await;
            replies.push(replied);
        }
        let mut scrapes = Vec::with_capacity(replies.len());
        for (worker, replied) in self.workers.iter().zip(replies) {
            scrapes.push(replied.await.unwrap_or_else(|_| Scrape {
                target: worker.target.labels.clone(),
                error: Some(ScrapeError::Removed),
                duration: Duration::ZERO,
                samples: 0,
                series_added: 0,
                rejected: 0,
                refused_series: 0,
            }));
        }
        scrapes
    }

    /// Keeps the workers of targets that stay, ends the others, and returns when their series have ended:
    /// a target that comes again under the same labels must not be ended by its predecessor.
    async fn set_targets(&mut self, targets: Vec<Target>) {
        let mut kept: Vec<Running> = Vec::with_capacity(targets.len());
        let mut old = std::mem::take(&mut self.workers);
        let (mut places, mut new) = (Vec::new(), Vec::new());
        for target in targets {
            if places.contains(&target) {
                continue;
            }
            match old.iter().position(|worker| worker.target == target) {
                Some(at) => kept.push(old.swap_remove(at)),
                None => new.push(target.clone()),
            }
            places.push(target);
        }
        for worker in &old {
            worker.cancel.cancel();
        }
        for worker in old {
            if let Err(error) = worker.task.await {
                tracing::error!(%error, target = worker.target.url(), "a target's task did not end in order");
            }
        }
        kept.extend(new.into_iter().map(|target| self.spawn(target)));
        kept.sort_by_key(|worker| places.iter().position(|target| *target == worker.target));
        self.workers = kept;
    }

    fn spawn(&self, target: Target) -> Running {
        let (ticks, orders) = mpsc::channel(1);
        let cancel = self.cancel.child_token();
        let worker = Worker {
            target: target.clone(),
            config: self.config,
            store: self.store.clone(),
            clock: self.clock.clone(),
            client: self.client.clone(),
            cancel: cancel.clone(),
        };
        Running { target, ticks, cancel, task: tokio::spawn(worker.run(orders)) }
    }
}
