//! Time during an evaluation: the steps at which values are wanted, and the window of samples behind each.

use std::ops::Range;

use lab_metrics::Sample;

/// Evenly spaced times of evaluation. There may be none (a subquery shorter than its step).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub start_ms: i64,
    pub step_ms: i64,
    pub steps: usize,
}

impl Grid {
    /// Every `step_ms` from `start_ms` to `end_ms`, both included.
    pub fn new(start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let step_ms = step_ms.max(1);
        let steps = if end_ms < start_ms {
            0
        } else {
            usize::try_from((end_ms - start_ms) / step_ms).unwrap_or(usize::MAX - 1) + 1
        };
        Self { start_ms, step_ms, steps }
    }

    /// The first step alone.
    pub fn first(self) -> Self {
        Self { steps: self.steps.min(1), ..self }
    }

    pub fn time(&self, step: usize) -> i64 {
        self.start_ms + self.step_ms * step as i64
    }

    pub fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let grid = *self;
        (0..grid.steps).map(move |step| grid.time(step))
    }
}

/// The spans of time of a range selector: one a step, each `range_ms` long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// End of the first window.
    pub end_ms: i64,
    /// From one window's end to the next's; 0 when `@` holds them all in one place.
    pub step_ms: i64,
    pub steps: usize,
    pub range_ms: i64,
    /// Whether a sample exactly at the left edge is out.
    pub left_open: bool,
}

impl Windows {
    pub fn end(&self, step: usize) -> i64 {
        self.end_ms + self.step_ms * step as i64
    }

    pub fn start(&self, step: usize) -> i64 {
        self.end(step) - self.range_ms
    }

    /// Earliest and latest time that any window reaches.
    pub fn span(&self) -> (i64, i64) {
        (self.start(0), self.end(self.steps.saturating_sub(1)))
    }

    /// Calls `visit` for every step whose window holds samples, with the indices of those samples. Both ends only
    /// ever advance, so that a whole series costs its samples plus its steps.
    pub fn each(&self, samples: &[Sample], mut visit: impl FnMut(usize, Range<usize>)) {
        let (mut first, mut past) = (0, 0);
        for step in 0..self.steps {
            let end = self.end(step);
            let start = end - self.range_ms + i64::from(self.left_open);
            while samples.get(past).is_some_and(|sample| sample.t_ms <= end) {
                past += 1;
            }
            while first < past && samples[first].t_ms < start {
                first += 1;
            }
            if first < past {
                visit(step, first..past);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(left_open: bool) -> Vec<(usize, Range<usize>)> {
        let samples: Vec<Sample> = [0, 10, 20, 30].map(|t_ms| Sample { t_ms, value: 0.0 }).into();
        let mut seen = Vec::new();
        Windows { end_ms: 5, step_ms: 15, steps: 4, range_ms: 20, left_open }
            .each(&samples, |step, window| seen.push((step, window)));
        seen
    }

    #[test]
    fn only_the_left_edge_tells_the_dialects_apart() {
        assert_eq!(windows(false), [(0, 0..1), (1, 0..3), (2, 2..4), (3, 3..4)]);
        assert_eq!(windows(true), [(0, 0..1), (1, 1..3), (2, 2..4)]);
    }

    #[test]
    fn a_grid_includes_its_end_only_when_a_step_meets_it() {
        assert_eq!(Grid::new(0, 10, 5).times().collect::<Vec<_>>(), [0, 5, 10]);
        assert_eq!(Grid::new(0, 9, 5).times().collect::<Vec<_>>(), [0, 5]);
        assert_eq!(Grid::new(0, -1, 5).steps, 0);
    }
}
