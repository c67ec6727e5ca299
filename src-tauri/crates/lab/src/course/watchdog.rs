//! Notices what makes measuring meaningless: a machine that slept, metrics that are read no more. Pure; the time is
//! passed in.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::Problem;
use crate::problems;

/// A machine whose clock runs away from the time that went by for its programs was asleep; clocks are set by less.
const SLEPT: Duration = Duration::from_secs(10);
/// Without scrapes for longer than this, nothing can be judged.
const BLIND_AFTER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct Watchdog {
    /// What the clock said at the last tick, milliseconds since the Unix epoch.
    wall_ms: i64,
    at: Instant,
    round: Instant,
}

impl Watchdog {
    /// From now on.
    pub fn new(wall_ms: i64, now: Instant) -> Self {
        Self { wall_ms, at: now, round: now }
    }

    /// There was a round of scrapes, or none could be expected before now.
    pub fn round(&mut self, now: Instant) {
        self.round = now;
    }

    /// Time went by; what is wrong, if anything is.
    pub fn tick(&mut self, wall_ms: i64, now: Instant) -> Option<Problem> {
        let by_clock = Duration::from_millis(u64::try_from(wall_ms - self.wall_ms).unwrap_or(0));
        let slept = by_clock.saturating_sub(now - self.at);
        (self.wall_ms, self.at) = (wall_ms, now);
        let blind = now.saturating_duration_since(self.round);
        if slept > SLEPT {
            Some(problems::step_slept(slept.as_secs()))
        } else if blind > BLIND_AFTER {
            Some(problems::step_blind(blind.as_secs()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_slept_and_metrics_that_stay_away_are_noticed() {
        let began = Instant::now();
        let at = |s| began + Duration::from_secs(s);
        // Seconds by the clock and for the program, since when there was a round, and what that means.
        let cases = [
            (1, 1, 0, None),
            (3, 3, 0, None),
            (600, 4, 4, Some("step-slept")),
            (-600, 4, 4, None),
            (9, 9, 0, None),
            (11, 11, 0, Some("step-blind")),
            (11, 11, 5, None),
        ];
        for (wall_s, program_s, round_s, expected) in cases {
            let mut watchdog = Watchdog::new(1_000_000, began);
            watchdog.round(at(round_s));
            let problem = watchdog.tick(1_000_000 + wall_s * 1_000, at(program_s));
            let code = problem.map(|problem| problem.code);
            assert_eq!(code.as_deref(), expected, "{wall_s} {program_s} {round_s}");
        }
    }
}
