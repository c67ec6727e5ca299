//! What members say of themselves, asked once a second.

use std::time::Duration;

use lab_etcd::{Alarm, AlarmKind, Cluster, MemberStatus};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Message, Session};
use crate::api::{AlarmView, Event, MemberState};

/// One member's answer of this second.
pub struct MemberNews {
    member: String,
    /// `None` when it did not answer.
    status: Option<MemberStatus>,
}

/// Asks until cancelled.
pub(super) async fn every_second(
    cluster: Cluster,
    inbox: mpsc::WeakSender<Message>,
    cancel: CancellationToken,
) {
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {}
        }
        let ask = async {
            let statuses = cluster.status().await;
            let news = statuses
                .into_iter()
                .map(|(member, status)| MemberNews { member: member.into(), status: status.ok() });
            news.collect::<Vec<_>>()
        };
        let news = tokio::select! {
            () = cancel.cancelled() => return,
            news = ask => news,
        };
        let Some(inbox) = inbox.upgrade() else { return };
        if inbox.send(Message::Members(news)).await.is_err() {
            return;
        }
    }
}

impl Session {
    pub(super) fn members(&mut self, news: Vec<MemberNews>) {
        if self.running.is_none() {
            return;
        }
        let now_ms = (self.clock)();
        let Some(view) = &mut self.view else { return };
        let leader = leader_of(news.iter().filter_map(|one| one.status.as_ref()));
        for one in &news {
            let Some(member) = view.members.iter_mut().find(|member| member.name == one.member) else {
                continue;
            };
            match &one.status {
                // It may have answered just before it ended or was held.
                _ if self.ended.contains_key(&member.name) => {
                    member.state = MemberState::Exited;
                    member.leader = false;
                }
                _ if self.held.contains(&member.name) => {
                    member.state = MemberState::Paused;
                    member.leader = leader.is_some_and(|leader| format!("{leader:x}") == member.id);
                }
                Some(status) => {
                    member.id = format!("{:x}", status.id);
                    member.leader = leader == Some(status.id);
                    member.learner = status.learner;
                    member.term = status.term;
                    member.raft_index = status.raft_index;
                    member.raft_applied_index = status.raft_applied_index;
                    member.db_size_bytes = status.db_size_bytes;
                    member.db_in_use_bytes = status.db_in_use_bytes;
                    member.answered_ms = now_ms;
                    member.state =
                        if status.leader == 0 { MemberState::NoLeader } else { MemberState::Healthy };
                }
                // The others may still follow it: a leader that defragments is silent and goes on leading.
                None => {
                    member.state = MemberState::Unreachable;
                    member.leader = leader.is_some_and(|leader| format!("{leader:x}") == member.id);
                }
            }
        }
        // Every member knows all alarms that it has applied; one that lags behind knows fewer.
        let most =
            news.iter().filter_map(|one| one.status.as_ref()).max_by_key(|status| status.raft_applied_index);
        if let Some(status) = most {
            view.alarms = status.alarms.iter().map(|alarm| alarm_view(alarm, &view.members)).collect();
        }
        let cluster = view.clone();
        self.tell(Event::Cluster { cluster });
    }
}

/// Whom members take for the leader, by the newest term: one that was cut off may believe in an older one for a while.
fn leader_of<'a>(statuses: impl Iterator<Item = &'a MemberStatus>) -> Option<u64> {
    let knowing = statuses.filter(|status| status.leader != 0);
    knowing.max_by_key(|status| status.term).map(|status| status.leader)
}

/// An alarm with its member's name, or its id while the name is not known.
pub(super) fn alarm_view(alarm: &Alarm, members: &[crate::api::MemberView]) -> AlarmView {
    let id = format!("{:x}", alarm.member_id);
    let kind = match alarm.kind {
        AlarmKind::NoSpace => "NOSPACE",
        AlarmKind::Corrupt => "CORRUPT",
    };
    let member = members.iter().find(|member| member.id == id).map_or(id, |member| member.name.clone());
    AlarmView { member, kind: kind.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_who_call_themselves_leader_the_one_of_the_newer_term_is() {
        let status = |id, leader, term| MemberStatus {
            id,
            version: "3.5.9".into(),
            leader,
            term,
            raft_index: 0,
            raft_applied_index: 0,
            db_size_bytes: 0,
            db_in_use_bytes: 0,
            learner: false,
            alarms: Vec::new(),
        };
        let cases = [
            (vec![], None),
            (vec![status(1, 0, 2), status(2, 0, 2)], None),
            (vec![status(1, 1, 2), status(2, 1, 2)], Some(1)),
            // The leader itself is silent.
            (vec![status(2, 1, 2), status(3, 1, 2)], Some(1)),
            // Cut off, it doesn't know yet.
            (vec![status(1, 1, 2), status(2, 2, 3), status(3, 2, 3)], Some(2)),
            (vec![status(1, 1, 2), status(2, 0, 3)], Some(1)),
        ];
        for (statuses, leader) in cases {
            assert_eq!(leader_of(statuses.iter()), leader, "{statuses:?}");
        }
    }
}
