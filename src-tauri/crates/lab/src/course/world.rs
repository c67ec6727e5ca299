//! What the lab has told of itself so far: the cluster, the loads, the faults. A fold over its events and nothing
//! else, so that who plays a scenario sees no more than a window does.

use std::collections::{BTreeMap, HashMap};

use lab_cluster::Node;

use super::names::Names;
use crate::api::{
    ClusterView, Event, FaultsView, LoadPoint, LoadState, LoadView, MemberState, MemberView, Phase, Problem,
    Snapshot,
};
use crate::problems;
use crate::scenario::model::Who;

/// Longer than answers stay away on a network or a disk that is as slow as any scenario makes it, seconds.
const BETWEEN_BURSTS_S: f64 = 5.0;

/// See the module.
#[derive(Clone, Debug)]
pub struct World {
    /// Where the cluster is in its life.
    pub phase: Phase,
    /// The cluster, while there is one.
    pub cluster: Option<ClusterView>,
    /// Loads, by id.
    pub loads: BTreeMap<u32, LoadView>,
    /// By load, the last second in which anything was answered.
    answered: BTreeMap<u32, LoadPoint>,
    /// Faults in effect.
    pub faults: FaultsView,
    /// Who led last; stays while nobody does.
    leader: Option<String>,
    /// How often another member became leader.
    pub leader_changes: u64,
    /// How often the members were asked about themselves.
    pub polls: u64,
    /// Why members ended by themselves.
    exits: HashMap<String, Problem>,
    /// What ran the members has gone, and they with it.
    engine_lost: Option<Problem>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            phase: Phase::Stopped,
            cluster: None,
            loads: BTreeMap::new(),
            answered: BTreeMap::new(),
            faults: FaultsView::default(),
            leader: None,
            leader_changes: 0,
            polls: 0,
            exits: HashMap::new(),
            engine_lost: None,
        }
    }
}

impl World {
    /// Takes news.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Phase { phase } => {
                if !matches!(phase, Phase::Running { .. } | Phase::Stopping) {
                    // What was known of a cluster that is no more.
                    self.cluster = None;
                    self.leader = None;
                    self.exits.clear();
                    self.engine_lost = None;
                }
                self.phase = phase.clone();
            }
            Event::Cluster { cluster } => self.see(cluster.clone()),
            Event::Load { load } => {
                if let Some(now) = load.now.as_ref().filter(|now| now.p50_s.is_some()) {
                    self.answered.insert(load.id, now.clone());
                }
                self.loads.insert(load.id, (**load).clone());
            }
            Event::LoadForgotten { id } => {
                self.loads.remove(id);
                self.answered.remove(id);
            }
            Event::Faults { faults } => self.faults = faults.clone(),
            Event::Problem { problem } => {
                if problems::is_engine_lost(problem) {
                    self.engine_lost = Some(problem.clone());
                }
                if let Some(member) = &problem.member {
                    self.exits.insert(member.clone(), problem.clone());
                }
            }
            _ => {}
        }
    }

    /// Takes the whole state, after events were missed.
    pub fn catch_up(&mut self, snapshot: Snapshot) {
        self.phase = snapshot.phase;
        self.loads = snapshot.loads.into_iter().map(|load| (load.id, load)).collect();
        self.faults = snapshot.faults;
        self.engine_lost = snapshot.problem.filter(problems::is_engine_lost);
        match snapshot.cluster {
            Some(cluster) => self.see(cluster),
            None => self.cluster = None,
        }
    }

    fn see(&mut self, cluster: ClusterView) {
        self.polls += 1;
        // After an election the old leader may not know yet; the newer term is right.
        let leads = cluster.members.iter().filter(|member| member.leader).max_by_key(|member| member.term);
        if let Some(leads) = leads {
            if self.leader.as_ref().is_some_and(|leader| *leader != leads.name) {
                self.leader_changes += 1;
            }
            self.leader = Some(leads.name.clone());
        }
        self.cluster = Some(cluster);
    }

    /// How long answers take: the last second in which any came, while that is not long ago. Answers that take seconds
    /// come in bursts, and a second without any says nothing of how long they take.
    pub fn answered(&self, load: &LoadView) -> Option<&LoadPoint> {
        let (last, now) = (self.answered.get(&load.id)?, load.now.as_ref()?);
        (now.at_s - last.at_s <= BETWEEN_BURSTS_S).then_some(last)
    }

    /// Members in the order of the topology; none while there is no cluster.
    pub fn members(&self) -> &[MemberView] {
        self.cluster.as_ref().map_or(&[], |cluster| &cluster.members)
    }

    /// The members as the runtime calls them.
    pub fn nodes(&self) -> Vec<Node> {
        let node = |member: &MemberView| Node {
            name: member.name.clone(),
            client: member.client_url.clone(),
            peer: member.peer_url.clone(),
            gofail: member.gofail_url.clone(),
            pid: member.pid,
            container: member.container.clone(),
        };
        self.members().iter().map(node).collect()
    }

    /// Who leads now, if anybody does.
    pub fn leader(&self) -> Option<&str> {
        let leads = self.members().iter().filter(|member| member.leader).max_by_key(|member| member.term);
        leads.map(|member| member.name.as_str())
    }

    /// Whether the cluster runs, every member is well and a leader is known.
    pub fn is_well(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
            && !self.members().is_empty()
            && self.members().iter().all(|member| member.state == MemberState::Healthy)
            && self.leader().is_some()
    }

    /// Why a step can't go on with this cluster: it was stopped, or a member has ended by itself.
    pub fn lost(&self) -> Option<Problem> {
        match &self.phase {
            Phase::Failed { problem } => return Some(problem.clone()),
            Phase::Running { .. } => {}
            _ => return Some(problems::stopped_meanwhile()),
        }
        if let Some(problem) = &self.engine_lost {
            return Some(problems::step_lost_engine(problem));
        }
        let exited = self.members().iter().find(|member| member.state == MemberState::Exited)?;
        Some(problems::step_lost_member(&exited.name, self.exits.get(&exited.name)))
    }

    /// Names of the members meant. A follower's role goes by who leads now.
    pub fn who(&self, who: &Who, names: &Names) -> Vec<String> {
        let all = || self.members().iter().map(|member| member.name.clone());
        let leader = || self.leader().or(self.leader.as_deref());
        let follower = |at: usize| {
            let leader = leader();
            let mut others = all().filter(|name| leader.is_some_and(|leader| leader != name));
            others.nth(at).into_iter().collect()
        };
        match who {
            Who::All => all().collect(),
            Who::Leader => leader().map(str::to_owned).into_iter().collect(),
            Who::Follower => follower(0),
            Who::OtherFollower => follower(1),
            Who::Role(role) => names.member(role).map(str::to_owned).into_iter().collect(),
            Who::Member(name) => vec![name.clone()],
        }
    }

    /// Names of the members meant by any of several, in the order of the topology; of all when none is meant.
    pub fn named(&self, who: &[Who], names: &Names) -> Vec<String> {
        let meant: Vec<String> = who.iter().flat_map(|who| self.who(who, names)).collect();
        let all = self.members().iter().map(|member| member.name.clone());
        all.filter(|name| who.is_empty() || meant.contains(name)).collect()
    }

    /// A load that still runs, or is about to stop.
    pub fn runs(&self, id: u32) -> bool {
        self.loads.get(&id).is_some_and(|load| matches!(load.state, LoadState::Running | LoadState::Stopping))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::api::{RuntimeKind, TopologyName};

    /// A cluster of three, led by the member of that number, from 1; by nobody for 0.
    pub fn led_by(leader: u32, term: u64) -> ClusterView {
        let member = |index: u32| MemberView {
            name: format!("etcd-{}", index + 1),
            index,
            state: MemberState::Healthy,
            id: format!("{:x}", 0xa0 + index),
            leader: index + 1 == leader,
            learner: false,
            term,
            raft_index: 0,
            raft_applied_index: 0,
            db_size_bytes: 0,
            db_in_use_bytes: 0,
            pid: None,
            container: None,
            client_url: format!("http://127.0.0.1:{}", 4_001 + index),
            peer_url: String::new(),
            gofail_url: format!("http://127.0.0.1:{}", 5_001 + index),
            answered_ms: 1,
        };
        ClusterView {
            runtime: RuntimeKind::Native,
            topology: TopologyName::Etcd,
            etcd_version: "3.5.9".into(),
            image: None,
            quota_bytes: 0,
            heartbeat_ms: 250,
            election_ms: 1_250,
            members: (0..3).map(member).collect(),
            alarms: Vec::new(),
        }
    }

    #[test]
    fn leadership_changes_hands_when_another_member_leads_and_not_when_nobody_does() {
        let mut world = World::default();
        world.take(&Event::Phase { phase: Phase::Running { since_ms: 1 } });
        for (leader, changes) in [(2, 0), (0, 0), (2, 0), (3, 1), (0, 1), (1, 2)] {
            world.take(&Event::Cluster { cluster: led_by(leader, 2) });
            assert_eq!(world.leader_changes, changes, "after {leader}");
        }
        let mut both = led_by(1, 2);
        both.members[2].leader = true;
        both.members[2].term = 3;
        world.take(&Event::Cluster { cluster: both });
        assert_eq!((world.leader(), world.leader_changes), (Some("etcd-3"), 3));
    }

    #[test]
    fn members_are_found_by_what_they_are() {
        let mut world = World::default();
        world.take(&Event::Cluster { cluster: led_by(2, 2) });
        let mut names = Names::default();
        names.bind("slow", "etcd-3");
        let cases = [
            (Who::All, vec!["etcd-1", "etcd-2", "etcd-3"]),
            (Who::Leader, vec!["etcd-2"]),
            (Who::Follower, vec!["etcd-1"]),
            (Who::OtherFollower, vec!["etcd-3"]),
            (Who::Role("slow".into()), vec!["etcd-3"]),
            (Who::Role("nobody".into()), vec![]),
            (Who::Member("etcd-1".into()), vec!["etcd-1"]),
        ];
        for (who, expected) in cases {
            assert_eq!(world.who(&who, &names), expected, "{who:?}");
        }
    }

    #[test]
    fn a_cluster_is_lost_when_it_stops_or_a_member_ends() {
        let mut world = World::default();
        world.take(&Event::Phase { phase: Phase::Running { since_ms: 1 } });
        world.take(&Event::Cluster { cluster: led_by(1, 2) });
        assert!(world.is_well() && world.lost().is_none());
        let mut cluster = led_by(1, 2);
        cluster.members[1].state = MemberState::Unreachable;
        world.take(&Event::Cluster { cluster: cluster.clone() });
        assert!(world.lost().is_none(), "a member that defragments is not lost");
        cluster.members[1].state = MemberState::Exited;
        world.take(&Event::Cluster { cluster });
        let problem = world.lost().unwrap();
        assert!(problem.code == "step-lost-member" && problem.sentence.contains("etcd-2"), "{problem}");
        world.take(&Event::Problem { problem: problems::engine_lost("unix:///var/run/docker.sock") });
        let problem = world.lost().unwrap();
        assert!(problem.code == "step-lost-engine" && problem.sentence.contains("engine"), "{problem}");
        world.take(&Event::Phase { phase: Phase::Stopping });
        assert_eq!(world.lost().unwrap().code, "stopped-meanwhile");
    }

    #[test]
    fn a_fresh_cluster_does_not_know_of_an_engine_that_was_lost() {
        let mut world = World::default();
        world.take(&Event::Phase { phase: Phase::Running { since_ms: 1 } });
        world.take(&Event::Problem { problem: problems::engine_lost("unix:///var/run/docker.sock") });
        assert!(world.lost().is_some());
        for phase in [Phase::Stopped, Phase::Running { since_ms: 2 }] {
            world.take(&Event::Phase { phase });
        }
        assert!(world.lost().is_none());
    }
}
