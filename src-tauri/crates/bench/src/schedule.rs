//! When each request is due. Pure: reads no clock, so that it holds over any length of time.

use std::time::Duration;

use tokio::time::Instant;

/// The plan of a run: request `n` of an open loop is due at `start + n / rate`, to the nanosecond and without
/// drift; requests of a closed loop are due when a client is free.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub start: Instant,
    /// Requests a second, at least 1.
    pub rate: Option<u32>,
    pub total: Option<u64>,
    /// No request is sent from here on.
    pub end: Option<Instant>,
}

impl Schedule {
    pub fn new(start: Instant, rate: Option<u32>, total: Option<u64>, duration: Option<Duration>) -> Self {
        // A duration beyond what the clock can hold never ends.
        Self { start, rate, total, end: duration.and_then(|duration| start.checked_add(duration)) }
    }

    /// Whether there is a request `cycle` at all.
    pub fn holds(&self, cycle: u64) -> bool {
        self.total.is_none_or(|total| cycle < total)
    }

    /// When request `cycle` is due; `None` in a closed loop, and for cycles beyond what the clock can hold.
    pub fn due(&self, cycle: u64) -> Option<Instant> {
        let rate = u64::from(self.rate?);
        let nanos = cycle % rate * 1_000_000_000 / rate;
        self.start.checked_add(Duration::new(cycle / rate, nanos as u32))
    }

    /// Whether the time for sending is over at `now`.
    pub fn is_over(&self, now: Instant) -> bool {
        self.end.is_some_and(|end| now >= end)
    }

    /// Requests of an open loop that were due before `now` and before the end.
    pub fn due_before(&self, now: Instant) -> u64 {
        let Some(rate) = self.rate else { return 0 };
        let until = self.end.map_or(now, |end| end.min(now));
        let elapsed = until.saturating_duration_since(self.start);
        let due = (elapsed.as_nanos() * u128::from(rate)).div_ceil(1_000_000_000);
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        self.total.map_or(due, |total| due.min(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rate: u32, total: Option<u64>, duration_s: Option<u64>) -> Schedule {
        Schedule::new(Instant::now(), Some(rate), total, duration_s.map(Duration::from_secs))
    }

    #[tokio::test(start_paused = true)]
    async fn exact_over_a_year() {
        for rate in [1, 3, 7, 999, 1_000, 30_000] {
            let schedule = schedule(rate, None, None);
            for second in [0, 1, 60, 86_400, 31_536_000] {
                let cycle = second * u64::from(rate);
                let due = schedule.due(cycle).unwrap();
                assert_eq!(due - schedule.start, Duration::from_secs(second), "{rate}/s after {second} s");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dues_are_even_and_in_order() {
        let schedule = schedule(3, None, None);
        let millis: Vec<_> =
            (0..6).map(|cycle| (schedule.due(cycle).unwrap() - schedule.start).as_millis()).collect();
        assert_eq!(millis, [0, 333, 666, 1_000, 1_333, 1_666]);
    }

    #[tokio::test(start_paused = true)]
    async fn counts_what_is_due() {
        let schedule = schedule(10, Some(25), Some(60));
        let after = |millis| schedule.due_before(schedule.start + Duration::from_millis(millis));
        assert_eq!([after(0), after(100), after(101), after(1_000), after(9_999)], [0, 1, 2, 10, 25]);
        let timed = self::schedule(10, None, Some(2));
        assert_eq!(timed.due_before(timed.start + Duration::from_secs(9)), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_has_no_dues() {
        let schedule = Schedule::new(Instant::now(), None, Some(2), None);
        assert_eq!((schedule.due(0), schedule.due_before(Instant::now())), (None, 0));
        assert_eq!([0, 1, 2].map(|cycle| schedule.holds(cycle)), [true, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_when_told_and_never_by_overflow() {
        let timed = schedule(1, None, Some(2));
        assert!(!timed.is_over(timed.start + Duration::from_millis(1_999)));
        assert!(timed.is_over(timed.start + Duration::from_secs(2)));
        let endless = Schedule::new(Instant::now(), Some(1), None, Some(Duration::MAX));
        assert!(!endless.is_over(endless.start));
        assert_eq!(endless.due(u64::MAX), None);
    }
}
