//! Gathers what the workers have seen: a [`Progress`] a second, a [`Report`] at the end.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{compaction::CompactionLog, recorder::Record, worker::Member};
use crate::{
    Ended, LatencySummary, MemberProgress, MemberReport, Progress, Report, Unanswered, pacer::Pacer,
};

/// All that is known of a run so far.
pub(super) struct Collector {
    endpoints: Vec<Endpoint>,
    records: Vec<Arc<Mutex<Record>>>,
    compactions: Option<Arc<Mutex<CompactionLog>>>,
    pacer: Pacer,
    seed: u64,
    total: Record,
    last: Instant,
}

/// A member as reports show it.
pub(super) struct Endpoint {
    pub name: String,
    pub conns: u32,
    pub member: Member,
}

impl Collector {
    pub fn new(
        endpoints: Vec<Endpoint>,
        records: Vec<Arc<Mutex<Record>>>,
        compactions: Option<Arc<Mutex<CompactionLog>>>,
        pacer: Pacer,
        seed: u64,
    ) -> Self {
        let total = Record::new(endpoints.len());
        let last = pacer.schedule().start;
        Self { endpoints, records, compactions, pacer, seed, total, last }
    }

    /// What happened since the last call, up to `now`.
    pub fn progress(&mut self, now: Instant) -> Progress {
        let recent = self.gather();
        let interval_s = seconds(now.saturating_duration_since(self.last)).max(f64::EPSILON);
        self.last = now;
        self.total.merge(&recent);

        let histogram = recent.latency();
        let rate = |count: u64| count as f64 / interval_s;
        let members = self.endpoints.iter().zip(recent.members.iter().zip(&self.total.members));
        let members = members
            .map(|(endpoint, (recent, total))| MemberProgress {
                endpoint: endpoint.name.clone(),
                conns: endpoint.conns,
                conns_open: endpoint.member.open.load(Ordering::Relaxed),
                answers: total.latency.count(),
                errors: total.errors.total(),
                rate: rate(recent.latency.count()),
                error_rate: rate(recent.errors.total()),
                latency: LatencySummary::of(&recent.latency),
            })
            .collect();
        let so_far = self.total.latency();
        let errors = self.total.errors();
        Progress {
            elapsed_s: seconds(now.saturating_duration_since(self.pacer.schedule().start)),
            interval_s,
            answers: so_far.count(),
            errors: errors.total(),
            rate: rate(histogram.count()),
            error_rate: rate(recent.errors().total()),
            latency: LatencySummary::of(&histogram),
            latency_so_far: LatencySummary::of(&so_far),
            members,
            error_counts: errors.counts(),
            backlog: self.pacer.backlog(now),
            compactions: self.compactions(),
            histogram,
        }
    }

    /// Everything, once the workers have ended.
    pub fn report(mut self, now: Instant, ended: Ended, unanswered: Unanswered) -> Report {
        let recent = self.gather();
        self.total.merge(&recent);
        let duration_s = seconds(now.saturating_duration_since(self.pacer.schedule().start));
        let rate = |count: u64| count as f64 / duration_s.max(f64::EPSILON);
        let histogram = self.total.latency();
        let errors = self.total.errors();
        let members = self.endpoints.iter().zip(&self.total.members);
        Report {
            ended,
            duration_s,
            answers: histogram.count(),
            errors: errors.total(),
            rate: rate(histogram.count()),
            latency: LatencySummary::of(&histogram),
            percentiles: histogram.percentiles(),
            error_latency: LatencySummary::of(&self.total.error_latency),
            members: members
                .map(|(endpoint, total)| MemberReport {
                    endpoint: endpoint.name.clone(),
                    conns: endpoint.conns,
                    answers: total.latency.count(),
                    errors: total.errors.total(),
                    rate: rate(total.latency.count()),
                    latency: LatencySummary::of(&total.latency),
                    error_counts: total.errors.counts(),
                })
                .collect(),
            error_counts: errors.counts(),
            compactions: self.compactions(),
            unanswered,
            backlog: self.pacer.backlog(now),
            seed: self.seed,
            histogram,
        }
    }

    /// Takes what the workers have noted since the last time.
    fn gather(&self) -> Record {
        let mut recent = Record::new(self.endpoints.len());
        for record in &self.records {
            let taken = record.lock().unwrap_or_else(PoisonError::into_inner).take();
            recent.merge(&taken);
        }
        recent
    }

    fn compactions(&self) -> Option<CompactionLog> {
        let log = self.compactions.as_ref()?;
        Some(log.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
