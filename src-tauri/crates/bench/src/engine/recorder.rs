//! What one worker has seen since it was last asked. Histograms are merged first, percentiles read last.

use std::time::Duration;

use crate::{
    errors::{ErrorTally, Failure},
    latency::LatencyHistogram,
};

/// Answers and errors by member.
#[derive(Debug)]
pub(super) struct Record {
    pub members: Vec<MemberRecord>,
    /// How long requests took to fail.
    pub error_latency: LatencyHistogram,
}

#[derive(Debug)]
pub(super) struct MemberRecord {
    pub latency: LatencyHistogram,
    pub errors: ErrorTally,
}

impl Record {
    pub fn new(members: usize) -> Self {
        let member = || MemberRecord { latency: LatencyHistogram::new(), errors: ErrorTally::default() };
        Self {
            members: std::iter::repeat_with(member).take(members).collect(),
            error_latency: LatencyHistogram::new(),
        }
    }

    /// Notes the outcome of one request.
    pub fn add(&mut self, member: usize, took: Duration, outcome: Result<(), &Failure>) {
        match outcome {
            Ok(()) => self.members[member].latency.record(took),
            Err(failure) => {
                self.error_latency.record(took);
                self.members[member].errors.add(failure);
            }
        }
    }

    /// Hands out what was noted and begins anew.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.members.len()))
    }

    pub fn merge(&mut self, from: &Self) {
        for (into, from) in self.members.iter_mut().zip(&from.members) {
            into.latency.merge(&from.latency);
            into.errors.merge(&from.errors);
        }
        self.error_latency.merge(&from.error_latency);
    }

    /// Answers of all members.
    pub fn latency(&self) -> LatencyHistogram {
        let mut all = LatencyHistogram::new();
        self.members.iter().for_each(|member| all.merge(&member.latency));
        all
    }

    /// Errors of all members.
    pub fn errors(&self) -> ErrorTally {
        let mut all = ErrorTally::default();
        self.members.iter().for_each(|member| all.merge(&member.errors));
        all
    }
}
