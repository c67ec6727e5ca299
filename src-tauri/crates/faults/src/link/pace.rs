//! When bytes leave: arithmetic on instants that are passed in.

use std::time::Duration;

use tokio::time::Instant;

use super::Shape;

/// Under a limit, this much of a second's bytes leave at once: small enough that a limit is smooth to watch.
const SLICES_A_SECOND: u64 = 20;

impl Shape {
    /// When a chunk may leave that came at `entered`; `vary`, from -1 to 1, is where in the jitter's range it falls.
    pub(super) fn due(&self, entered: Instant, vary: f64) -> Instant {
        let varied = self.delay.as_secs_f64() + self.jitter.as_secs_f64() * vary;
        entered + Duration::from_secs_f64(varied.max(0.0))
    }

    /// How many of `waiting` bytes leave at once.
    pub(super) fn slice(&self, waiting: usize) -> usize {
        let Some(limit) = self.bandwidth_bytes_s else { return waiting };
        let slice = usize::try_from(limit / SLICES_A_SECOND).unwrap_or(usize::MAX);
        waiting.min(slice.max(1))
    }
}

/// The order in which the connections of a link share its bandwidth: each slice takes the time it needs after the
/// one before.
#[derive(Debug, Default)]
pub(super) struct Pace {
    free_at: Option<Instant>,
}

impl Pace {
    /// When `bytes` that want to leave `now` have left.
    pub(super) fn reserve(&mut self, now: Instant, bytes: usize, bytes_s: u64) -> Instant {
        let begins = self.free_at.map_or(now, |free_at| free_at.max(now));
        let ends = begins + Duration::from_secs_f64(bytes as f64 / bytes_s as f64);
        self.free_at = Some(ends);
        ends
    }

    /// Takes back what was promised: from `now` on, another limit holds.
    pub(super) fn forget(&mut self, now: Instant) {
        self.free_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_chunk_is_due_by_its_own_delay() {
        let shape = Shape {
            delay: Duration::from_millis(100),
            jitter: Duration::from_millis(20),
            ..Shape::default()
        };
        let entered = Instant::now();
        for (vary, due_ms) in [(0.0, 100), (1.0, 120), (-1.0, 80), (0.5, 110)] {
            let due = shape.due(entered, vary) - entered;
            assert_eq!(due.as_micros(), due_ms * 1_000, "{vary}");
        }
    }

    #[test]
    fn slices_take_turns_and_no_turn_is_saved_up() {
        let mut pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.reserve(start, 500, 1_000), start + SECOND / 2);
        assert_eq!(pace.reserve(start, 500, 1_000), start + SECOND, "after the first");
        let later = start + 10 * SECOND;
        assert_eq!(pace.reserve(later, 1_000, 1_000), later + SECOND, "nine idle seconds give nothing");
        pace.forget(later);
        assert_eq!(pace.reserve(later, 1_000, 2_000), later + SECOND / 2);
    }

    #[test]
    fn a_slice_is_a_twentieth_of_a_second_and_never_nothing() {
        let limited = |limit| Shape { bandwidth_bytes_s: Some(limit), ..Shape::default() };
        assert_eq!(Shape::default().slice(70_000), 70_000);
        assert_eq!(limited(20_000).slice(70_000), 1_000);
        assert_eq!(limited(20_000).slice(10), 10);
        assert_eq!(limited(3).slice(10), 1);
    }
}
