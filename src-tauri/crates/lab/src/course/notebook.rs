//! What a course has to remember while it is played: its names, which load is which, and what it has done to the
//! cluster and must undo.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::world::World;
use crate::api::{ErrorCount, LoadSpec, LoadView, Workload};
use crate::scenario::model::{Action, Scenario};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Notebook {
    /// Roles and remembered values.
    pub names: Names,
    /// What each load of the scenario may look like, by name.
    specs: BTreeMap<String, Vec<LoadSpec>>,
    /// The load started last under a name.
    loads: BTreeMap<String, u32>,
    /// Failpoints that the course set: member and name.
    pub failpoints: BTreeSet<(String, String)>,
    /// Whether the course shaped links.
    pub links: bool,
    errors_before: BTreeMap<u32, Vec<ErrorCount>>,
    leader_changes_before: u64,
}

impl Notebook {
    /// For a scenario that begins.
    pub fn of(scenario: &Scenario) -> Self {
        let mut specs: BTreeMap<String, Vec<LoadSpec>> = BTreeMap::new();
        let actions = scenario.steps.iter().flat_map(|step| [&step.stage, &step.actions, &step.cleanup]);
        for action in actions.flatten() {
            if let Action::Load { name, spec } = action {
                specs.entry(name.clone()).or_default().push(spec.clone());
            }
        }
        Self { names: Names::of(scenario), specs, ..Self::default() }
    }

    /// A fresh cluster: what was done to the last one is gone with it.
    pub fn fresh_cluster(&mut self) {
        self.loads.clear();
        self.failpoints.clear();
        self.links = false;
        self.errors_before.clear();
    }

    /// From now on `id` is the load of that name.
    pub fn started(&mut self, name: &str, id: u32) {
        self.loads.insert(name.into(), id);
    }

    /// The load of that name is no longer the course's.
    pub fn stopped(&mut self, name: &str) {
        self.loads.remove(name);
    }

    /// The course's own load of that name.
    pub fn own_load(&self, name: &str) -> Option<u32> {
        self.loads.get(name).copied()
    }

    /// All loads that the course started.
    pub fn own_loads(&self) -> impl Iterator<Item = (&str, u32)> {
        self.loads.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// What is put on the cluster under a name.
    pub fn spec(&self, name: &str) -> Option<&LoadSpec> {
        self.specs.get(name)?.first()
    }

    /// The load that goes by that name: the course's own while it runs, otherwise one that the person started and that
    /// does the same; its own that is over when there is none.
    pub fn load<'a>(&self, name: &str, world: &'a World) -> Option<&'a LoadView> {
        let own = self.loads.get(name).and_then(|id| world.loads.get(id));
        if let Some(own) = own.filter(|own| world.runs(own.id)) {
            return Some(own);
        }
        self.by_hand(name, world).or(own)
    }

    /// A running load of just that spec that the person started.
    pub fn same_by_hand(&self, spec: &LoadSpec, world: &World) -> Option<u32> {
        self.not_ours(world).find(|load| load.spec == *spec).map(|load| load.id)
    }

    fn by_hand<'a>(&self, name: &str, world: &'a World) -> Option<&'a LoadView> {
        let specs = self.specs.get(name)?;
        let alike = |load: &&LoadView| specs.iter().any(|spec| is_alike(&spec.workload, &load.spec.workload));
        self.not_ours(world).filter(alike).last()
    }

    fn not_ours<'a>(&self, world: &'a World) -> impl Iterator<Item = &'a LoadView> {
        let running = world.loads.values().filter(|load| world.runs(load.id));
        running.filter(|load| !self.loads.values().any(|own| *own == load.id))
    }

    /// From here on errors and changes of leader are counted.
    pub fn count_from_here(&mut self, world: &World) {
        self.leader_changes_before = world.leader_changes;
        self.errors_before = world.loads.iter().map(|(id, load)| (*id, load.errors.clone())).collect();
    }

    /// Changes of leader since then.
    pub fn leader_changes(&self, world: &World) -> u64 {
        world.leader_changes.saturating_sub(self.leader_changes_before)
    }

    /// Errors of a load since then, of a code and with a message that holds a text, where these are given.
    pub fn errors(&self, load: &LoadView, code: Option<&str>, message: Option<&str>) -> u64 {
        let meant = |error: &&ErrorCount| {
            code.is_none_or(|code| error.code == code)
                && message.is_none_or(|message| error.message.contains(message))
        };
        let count = |errors: &[ErrorCount]| errors.iter().filter(meant).map(|error| error.count).sum::<u64>();
        let before = self.errors_before.get(&load.id).map_or(0, |errors| count(errors));
        count(&load.errors).saturating_sub(before)
    }
}

/// Whether two loads do the same, if not as much of it.
fn is_alike(one: &Workload, other: &Workload) -> bool {
    match (one, other) {
        (Workload::Put { compact_interval_s: one, .. }, Workload::Put { compact_interval_s: other, .. }) => {
            one.is_some() == other.is_some()
        }
        (Workload::Range { serializable: one, .. }, Workload::Range { serializable: other, .. }) => {
            one == other
        }
        _ => false,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::api::{Event, LoadState};

    /// Puts by so many clients.
    pub fn puts(clients: u32) -> LoadSpec {
        let workload = Workload::Put {
            key_size: 8,
            val_size: 8,
            key_space_size: 1_000,
            sequential_keys: true,
            compact_interval_s: None,
            compact_index_delta: 1_000,
        };
        LoadSpec { workload, clients, conns: clients, total: 1_000, rate: None }
    }

    /// A load in that state, of which nothing is known yet.
    pub fn load(id: u32, spec: LoadSpec, state: LoadState) -> LoadView {
        LoadView {
            id,
            spec,
            command: String::new(),
            state,
            started_ms: 0,
            elapsed_s: 1.0,
            done: 0,
            now: None,
            overall: None,
            history: Vec::new(),
            members: Vec::new(),
            errors: Vec::new(),
        }
    }

    #[test]
    fn a_load_that_the_person_started_counts_when_it_does_the_same() {
        let mut notebook = Notebook::default();
        notebook.specs.insert("puts".into(), vec![puts(100)]);
        let mut world = World::default();
        let mut tell = |load: LoadView| world.take(&Event::Load { load: Box::new(load) });
        let reads = Workload::Range { key: "/".into(), range_end: None, serializable: false };
        tell(load(1, LoadSpec { workload: reads, ..puts(100) }, LoadState::Running));
        tell(load(2, puts(20), LoadState::Running));
        tell(load(3, puts(100), LoadState::Ended));
        assert_eq!(notebook.load("puts", &world).map(|load| load.id), Some(2));
        assert_eq!(notebook.same_by_hand(&puts(100), &world), None);
        assert_eq!(notebook.same_by_hand(&puts(20), &world), Some(2));
        notebook.started("puts", 3);
        assert_eq!(notebook.load("puts", &world).map(|load| load.id), Some(2), "its own is over");
        notebook.started("puts", 2);
        assert_eq!(notebook.load("puts", &world).map(|load| load.id), Some(2));
        assert!(notebook.load("others", &world).is_none());
    }

    #[test]
    fn errors_are_counted_from_when_the_actions_began() {
        let error = |code: &str, message: &str, count| ErrorCount {
            code: code.into(),
            message: message.into(),
            count,
        };
        let mut notebook = Notebook::default();
        let mut world = World::default();
        let mut puts = load(1, puts(1), LoadState::Running);
        puts.errors = vec![error("Unavailable", "etcdserver: leader changed", 4)];
        world.take(&Event::Load { load: Box::new(puts.clone()) });
        notebook.count_from_here(&world);
        puts.errors = vec![
            error("ResourceExhausted", "etcdserver: mvcc: database space exceeded", 7),
            error("Unavailable", "etcdserver: leader changed", 5),
        ];
        let cases = [
            (None, None, 8),
            (Some("Unavailable"), None, 1),
            (Some("ResourceExhausted"), Some("space"), 7),
            (Some("ResourceExhausted"), Some("leader"), 0),
        ];
        for (code, message, expected) in cases {
            assert_eq!(notebook.errors(&puts, code, message), expected, "{code:?} {message:?}");
        }
    }
}
