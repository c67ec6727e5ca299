//! Hands out requests to clients, each with the instant that its latency counts from.
//!
//! In an open loop that is the instant the request was *due*, not the one at which a client had time for it:
//! otherwise a member that stalls would also stall the measuring, and the requests that ought to have been
//! sent meanwhile would be missing from the percentiles (coordinated omission).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::schedule::Schedule;

/// Tokio's timer counts in milliseconds and wakes up to two late. That much of a late wake-up is the clock's, not
/// the cluster's, and is left out of the latency; what is later than this counts in full.
const TIMER_GRAIN: Duration = Duration::from_millis(2);

/// One request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Its number.
    pub cycle: u64,
    /// What its latency counts from.
    pub from: Instant,
}

/// Shared by all clients of a run; clones hand out from the same row of requests.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    schedule: Schedule,
    taken: Arc<AtomicU64>,
}

impl Pacer {
    pub fn new(schedule: Schedule) -> Self {
        Self { schedule, taken: Arc::new(AtomicU64::new(0)) }
    }

    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Requests of an open loop that were due before `now`, but which no client was free to send.
    pub fn backlog(&self, now: Instant) -> u64 {
        self.schedule.due_before(now).saturating_sub(self.taken.load(Ordering::Relaxed))
    }

    /// Whether all requests were handed out.
    pub fn is_exhausted(&self) -> bool {
        !self.schedule.holds(self.taken.load(Ordering::Relaxed))
    }

    /// Waits until the next request is due. `None` when there is none left or the time is over.
    pub async fn next(&self) -> Option<Turn> {
        let now = Instant::now();
        if self.schedule.is_over(now) {
            return None;
        }
        let cycle = self.taken.fetch_add(1, Ordering::Relaxed);
        if !self.schedule.holds(cycle) {
            return None;
        }
        let Some(due) = self.schedule.due(cycle) else { return Some(Turn { cycle, from: now }) };
        if due <= now {
            return Some(Turn { cycle, from: due });
        }
        if self.schedule.is_over(due) {
            return None;
        }
        tokio::time::sleep_until(due).await;
        let late = Instant::now().saturating_duration_since(due);
        Some(Turn { cycle, from: due + late.min(TIMER_GRAIN) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer(rate: Option<u32>, total: Option<u64>, duration_s: Option<u64>) -> Pacer {
        let duration = duration_s.map(Duration::from_secs);
        Pacer::new(Schedule::new(Instant::now(), rate, total, duration))
    }

    /// One client; the request `slow` takes `stall`, all others a millisecond. Latencies in milliseconds.
    async fn latencies(pacer: &Pacer, slow: u64, stall: Duration) -> Vec<u128> {
        let mut latencies = Vec::new();
        while let Some(turn) = pacer.next().await {
            let takes = if turn.cycle == slow { stall } else { Duration::from_millis(1) };
            tokio::time::sleep(takes).await;
            latencies.push(turn.from.elapsed().as_millis());
        }
        latencies
    }

    #[tokio::test(start_paused = true)]
    async fn sends_on_schedule() {
        let pacer = pacer(Some(100), Some(1_001), None);
        let start = Instant::now();
        let latencies = latencies(&pacer, u64::MAX, Duration::ZERO).await;
        assert_eq!((latencies.len(), start.elapsed().as_millis()), (1_001, 10_001));
        assert!(latencies.iter().all(|millis| *millis == 1), "{latencies:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_shows_in_every_request_that_was_due_meanwhile() {
        let pacer = pacer(Some(10), Some(30), None);
        let latencies = latencies(&pacer, 10, Duration::from_secs(1)).await;
        assert_eq!(latencies[10], 1_000);
        // Request 11 was due 100 ms into the stall, so waited 900 ms of it and took 1 ms more; and so on.
        assert_eq!(latencies[11], 901);
        assert_eq!(latencies[15], 505);
        let queued = latencies.iter().filter(|millis| **millis > 1).count();
        assert!((9..=11).contains(&queued), "{queued} requests show the stall: {latencies:?}");
        assert_eq!(latencies[29], 1, "the backlog was worked off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_hides_it_and_says_so_by_its_kind() {
        let pacer = pacer(None, Some(30), None);
        let latencies = latencies(&pacer, 10, Duration::from_secs(1)).await;
        assert_eq!(latencies.iter().filter(|millis| **millis > 1).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_time_leaves_the_backlog_unsent() {
        let pacer = pacer(Some(10), None, Some(2));
        let latencies = latencies(&pacer, 10, Duration::from_secs(3)).await;
        assert_eq!(latencies.len(), 11);
        assert_eq!(pacer.backlog(Instant::now()), 9);
        assert!(!pacer.is_exhausted());
    }

    #[tokio::test(start_paused = true)]
    async fn clients_share_one_row() {
        let pacer = pacer(Some(1_000), Some(10_000), None);
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let pacer = pacer.clone();
                tokio::spawn(async move {
                    let mut cycles = Vec::new();
                    while let Some(turn) = pacer.next().await {
                        cycles.push(turn.cycle);
                    }
                    cycles
                })
            })
            .collect();
        let mut cycles = Vec::new();
        for client in clients {
            cycles.extend(client.await.unwrap());
        }
        cycles.sort_unstable();
        assert!(cycles.into_iter().eq(0..10_000));
        assert!(pacer.is_exhausted());
    }
}
