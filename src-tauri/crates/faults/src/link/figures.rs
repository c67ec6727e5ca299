//! What passed over a link: in all, and in the last second. The time is passed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(1);
/// What passed in the last second is known to this much.
const SLOT: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Slot {
    began: Instant,
    bytes: u64,
    chunks: u32,
    held: Duration,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Figures {
    bytes: u64,
    slots: VecDeque<Slot>,
}

/// The last second of a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LastSecond {
    pub bytes: u64,
    /// Mean time that a chunk was held; `None` when none left.
    pub held: Option<Duration>,
}

impl Figures {
    /// Bytes passed since the beginning.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes left.
    pub(super) fn passed(&mut self, now: Instant, bytes: usize) {
        let bytes = bytes as u64;
        self.bytes += bytes;
        self.slot(now).bytes += bytes;
    }

    /// The last byte of a chunk left, that long after it came.
    pub(super) fn left(&mut self, now: Instant, held: Duration) {
        let slot = self.slot(now);
        slot.chunks += 1;
        slot.held += held;
    }

    pub(super) fn last_second(&self, now: Instant) -> LastSecond {
        let recent = || self.slots.iter().filter(|slot| slot.began + WINDOW > now);
        let chunks: u32 = recent().map(|slot| slot.chunks).sum();
        let held: Duration = recent().map(|slot| slot.held).sum();
        LastSecond { bytes: recent().map(|slot| slot.bytes).sum(), held: held.checked_div(chunks) }
    }

    fn slot(&mut self, now: Instant) -> &mut Slot {
        let present = self.slots.back().is_some_and(|slot| slot.began + SLOT > now);
        if !present {
            while self.slots.front().is_some_and(|slot| slot.began + WINDOW <= now) {
                self.slots.pop_front();
            }
            self.slots.push_back(Slot { began: now, bytes: 0, chunks: 0, held: Duration::ZERO });
        }
        let last = self.slots.len() - 1;
        &mut self.slots[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_forgets_and_the_whole_does_not() {
        let mut figures = Figures::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(figures.last_second(start), LastSecond { bytes: 0, held: None });
        for (ms, bytes, held_ms) in [(0, 10, 100), (500, 20, 200), (510, 30, 300)] {
            figures.passed(at(ms), bytes);
            figures.left(at(ms), Duration::from_millis(held_ms));
        }
        let held = |ms| Some(Duration::from_millis(ms));
        assert_eq!(figures.last_second(at(999)), LastSecond { bytes: 60, held: held(200) });
        assert_eq!(figures.last_second(at(1_000)), LastSecond { bytes: 50, held: held(250) });
        assert_eq!(figures.last_second(at(1_500)), LastSecond { bytes: 0, held: None });
        assert_eq!(figures.bytes(), 60);
    }

    #[test]
    fn old_slots_are_dropped() {
        let mut figures = Figures::default();
        let start = Instant::now();
        for ms in 0..10_000 {
            figures.passed(start + Duration::from_millis(ms), 1);
        }
        assert!(figures.slots.len() <= 21, "{}", figures.slots.len());
    }
}
