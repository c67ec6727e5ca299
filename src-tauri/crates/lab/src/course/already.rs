//! What an action brings about may be so already: then a stage leaves it out, and who has done it need not wait. Pure.

use super::notebook::Notebook;
use super::world::World;
use crate::api::{LinkShape, LoadState};
use crate::scenario::model::Action;

/// Whether what an action brings about is so already, as far as the lab tells.
pub fn is_so(action: &Action, world: &World, notebook: &Notebook) -> bool {
    let failpoints = &world.faults.failpoints;
    match action {
        Action::Load { name, spec } => {
            let own = notebook.own_load(name).and_then(|id| world.loads.get(&id));
            own.is_some_and(|own| own.state == LoadState::Running && own.spec == *spec)
        }
        Action::StopLoad(name) | Action::WaitLoad { name, .. } => {
            notebook.load(name, world).is_none_or(|load| !world.runs(load.id))
        }
        Action::Failpoint { members, name, term } => {
            let term = notebook.names.text(term);
            let is_set = |member: &String| {
                let mut set = failpoints.iter();
                set.any(|set| set.member == *member && set.failpoint == *name && set.term == term)
            };
            let members = world.named(members, &notebook.names);
            !members.is_empty() && members.iter().all(is_set)
        }
        Action::ClearFailpoint { members, name } => {
            let members = world.named(members, &notebook.names);
            let is_meant = |name: Option<&String>, failpoint| name.is_none_or(|name| name == failpoint);
            !failpoints
                .iter()
                .any(|set| members.contains(&set.member) && is_meant(name.as_ref(), &set.failpoint))
        }
        Action::Link { from, to, both, shape } => {
            let (from, to) = (world.named(from, &notebook.names), world.named(to, &notebook.names));
            let goes = |one: &str, other: &str| {
                from.iter().any(|from| from == one) && to.iter().any(|to| to == other)
            };
            let mut links = world.faults.links.iter().flatten();
            let are_known = !from.is_empty() && !to.is_empty();
            are_known
                && links.all(|link| {
                    let meant = goes(&link.from, &link.to) || (*both && goes(&link.to, &link.from));
                    !meant || link.shape == *shape
                })
        }
        Action::HealLinks => {
            let mut links = world.faults.links.iter().flatten();
            links.all(|link| link.shape == LinkShape::default())
        }
        Action::Disarm => world.cluster.as_ref().is_none_or(|cluster| cluster.alarms.is_empty()),
        Action::Remember { remember, .. } => notebook.names.value(&remember.name).is_some(),
        Action::Compact | Action::Delete { .. } | Action::Defragment { .. } | Action::Until(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::notebook::tests::{load, puts};
    use super::super::world::tests::led_by;
    use super::*;
    use crate::api::{Event, FailpointView, FaultsView, LinkView};
    use crate::scenario::model::Who;

    #[test]
    fn a_stage_leaves_out_what_is_so_already() {
        let mut world = World::default();
        world.take(&Event::Cluster { cluster: led_by(1, 2) });
        let mut notebook = Notebook::default();
        let start = |spec| Action::Load { name: "puts".into(), spec };
        let failpoint = |who, term: &str| Action::Failpoint {
            members: vec![who],
            name: "walBeforeFdatasync".into(),
            term: term.into(),
        };
        let clear = |who, name: Option<&str>| Action::ClearFailpoint {
            members: vec![who],
            name: name.map(str::to_owned),
        };
        let slow = LinkShape { delay_ms: 100, ..LinkShape::default() };
        let link =
            |both, shape| Action::Link { from: vec![Who::Leader], to: vec![Who::Follower], both, shape };
        let stop = || Action::StopLoad("puts".into());
        let nothing_yet = [
            (start(puts(10)), false),
            (stop(), true),
            (failpoint(Who::All, "sleep(100)"), false),
            (clear(Who::All, None), true),
            (Action::HealLinks, true),
            (Action::Disarm, true),
            (Action::Compact, false),
        ];
        for (action, so) in nothing_yet {
            assert_eq!(is_so(&action, &world, &notebook), so, "{action:?}");
        }
        notebook.started("puts", 1);
        world.take(&Event::Load { load: Box::new(load(1, puts(10), LoadState::Running)) });
        let set = FailpointView {
            member: "etcd-1".into(),
            failpoint: "walBeforeFdatasync".into(),
            term: "sleep(100)".into(),
            hits: None,
        };
        let shaped = |from: &str, to: &str, shape| LinkView {
            from: from.into(),
            to: to.into(),
            shape,
            rate_bytes_s: 0.0,
            held_ms: None,
            connections: 1,
        };
        let links = vec![
            shaped("etcd-1", "etcd-2", slow),
            shaped("etcd-2", "etcd-1", LinkShape::default()),
            shaped("etcd-1", "etcd-3", LinkShape::default()),
        ];
        world.take(&Event::Faults { faults: FaultsView { failpoints: vec![set], links: Some(links) } });
        let some_done = [
            (start(puts(10)), true),
            (start(puts(20)), false),
            (stop(), false),
            (failpoint(Who::Leader, "sleep(100)"), true),
            (failpoint(Who::Leader, "sleep(200)"), false),
            (failpoint(Who::All, "sleep(100)"), false),
            (failpoint(Who::Role("unknown".into()), "sleep(100)"), false),
            (clear(Who::Follower, None), true),
            (clear(Who::All, Some("raftBeforeSave")), true),
            (clear(Who::Leader, Some("walBeforeFdatasync")), false),
            (link(false, slow), true),
            (link(true, slow), false),
            (link(false, LinkShape::default()), false),
            (Action::HealLinks, false),
        ];
        for (action, so) in some_done {
            assert_eq!(is_so(&action, &world, &notebook), so, "{action:?}");
        }
    }
}
