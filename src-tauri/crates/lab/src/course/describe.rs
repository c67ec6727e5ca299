//! An action as a person reads it: in a few words, as the lines they could type, and where on the screen they do it by
//! hand.

use super::notebook::Notebook;
use super::world::World;
use crate::api::{ActionState, ActionView, Control, LinkShape, LoadSpec, Workload};
use crate::bench_spec::bench_spec;
use crate::scenario::model::{Action, Check, Who};
use crate::shown::{self, Tools};

/// All of `actions`, none begun.
pub fn describe(actions: &[Action], world: &World, notebook: &Notebook) -> Vec<ActionView> {
    let one = |action| ActionView {
        text: words(action, world, notebook),
        commands: commands(action, world, notebook),
        control: control(action, notebook),
        state: ActionState::Waiting,
    };
    actions.iter().map(one).collect()
}

/// In a few words.
pub fn words(action: &Action, world: &World, notebook: &Notebook) -> String {
    let who = |who: &[Who]| named(who, world, notebook);
    match action {
        Action::Load { name, spec } => format!("Start the load {name}: {}", load_words(spec)),
        Action::StopLoad(name) => format!("Stop the load {name}"),
        Action::WaitLoad { name, within_s } => {
            format!("Wait until the load {name} has ended, at most {within_s} s")
        }
        Action::Failpoint { members, name, term } => {
            format!("Set {name} to {} at {}", notebook.names.text(term), who(members))
        }
        Action::ClearFailpoint { members, name } => {
            let what = name.as_deref().unwrap_or("all failpoints");
            format!("Clear {what} at {}", who(members))
        }
        Action::Link { from, to, both, shape } => {
            let arrow = if *both { "↔" } else { "→" };
            format!("{} {} {arrow} {}", shape_words(shape), who(from), who(to))
        }
        Action::HealLinks => "Heal all links".into(),
        Action::Compact => "Compact at the present revision".into(),
        Action::Delete { prefix } if prefix.is_empty() => "Delete every key".into(),
        Action::Delete { prefix } => format!("Delete all keys that begin with {prefix}"),
        Action::Defragment { members, background } => {
            let meanwhile = if *background { ", while the rest goes on" } else { "" };
            format!("Defragment {}{meanwhile}", who(members))
        }
        Action::Disarm => "Disarm all alarms".into(),
        Action::Until(Check { all, within_s, .. }) => {
            let all: Vec<String> = all.iter().map(|one| notebook.names.text(&one.that)).collect();
            format!("Wait until: {}; at most {within_s} s", all.join(", and "))
        }
        Action::Remember { over_s, .. } => format!("Measure for {over_s} s, to compare with later"),
    }
}

fn load_words(spec: &LoadSpec) -> String {
    let (clients, conns) = (spec.clients, spec.conns);
    let does = match &spec.workload {
        Workload::Put { val_size, key_space_size, .. } => {
            format!("put values of {val_size} bytes under {key_space_size} keys")
        }
        Workload::Range { key, range_end, serializable } => {
            let what = match range_end {
                Some(end) => format!("range from {key} to {end}"),
                None => format!("range {key}"),
            };
            if *serializable { format!("{what}, serializable") } else { what }
        }
    };
    let counted = |count: u32, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    format!("{} on {} {does}", counted(clients, "client"), counted(conns, "connection"))
}

fn shape_words(shape: &LinkShape) -> String {
    if shape.cut {
        return "Cut".into();
    }
    let delay = shape.delay().map(|delay| format!("delay by {delay}"));
    let limit = shape.bandwidth_bytes_s.map(|bytes| format!("limit to {bytes} bytes a second"));
    let words: Vec<String> = delay.into_iter().chain(limit).collect();
    let words = if words.is_empty() { "let everything pass".to_owned() } else { words.join(" and ") };
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn named(who: &[Who], world: &World, notebook: &Notebook) -> String {
    if who.is_empty() || who.contains(&Who::All) {
        return "every member".into();
    }
    let each = who.iter().map(|one| match (world.who(one, &notebook.names).as_slice(), one) {
        ([], Who::Role(role)) => role.clone(),
        ([], Who::Leader) => "the leader".into(),
        ([], Who::Follower) => "a follower".into(),
        ([], _) => "another follower".into(),
        (members, Who::Leader) => format!("{} (the leader)", members.join(", ")),
        (members, Who::Follower | Who::OtherFollower) => format!("{} (a follower)", members.join(", ")),
        (members, _) => members.join(", "),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// As a person could type it, with the addresses of the cluster that runs; nothing while none does.
fn commands(action: &Action, world: &World, notebook: &Notebook) -> Vec<String> {
    let Some(cluster) = world.cluster.as_ref().filter(|cluster| !cluster.members.is_empty()) else {
        return Vec::new();
    };
    let (tools, nodes) = (Tools::of(cluster), world.nodes());
    let members = |who: &[Who]| {
        let named = world.named(who, &notebook.names);
        nodes.iter().filter(|node| named.contains(&node.name)).cloned().collect::<Vec<_>>()
    };
    match action {
        Action::Load { spec, .. } => {
            let endpoints = nodes.iter().map(|node| shown::endpoint(node).to_owned()).collect();
            vec![tools.load_line(&bench_spec(spec, endpoints))]
        }
        Action::Failpoint { members: who, name, term } => {
            let term = notebook.names.text(term);
            members(who).iter().map(|node| shown::set_failpoint(node, name, &term).text).collect()
        }
        Action::ClearFailpoint { members: who, name } => {
            let set = |member: &str| {
                let set = world.faults.failpoints.iter().filter(move |set| set.member == member);
                set.map(|set| set.failpoint.clone()).collect::<Vec<_>>()
            };
            let lines = members(who).into_iter().flat_map(|node| {
                let names = name.clone().map_or_else(|| set(&node.name), |name| vec![name]);
                names.into_iter().map(move |name| shown::clear_failpoint(&node, &name).text)
            });
            lines.collect()
        }
        Action::Link { from, to, both, shape } => {
            let (from, to) = (world.named(from, &notebook.names), world.named(to, &notebook.names));
            let there = shown::set_links(&from, &to, shape, nodes.len()).text;
            let back = shown::set_links(&to, &from, shape, nodes.len()).text;
            if *both && back != there { vec![there, back] } else { vec![there] }
        }
        Action::HealLinks => vec![shown::heal_links().text],
        Action::Compact => shown::compact_now(&tools, &nodes),
        Action::Delete { prefix } => vec![shown::delete(&tools, &nodes, prefix, true).text],
        Action::Defragment { members: who, .. } => {
            members(who).iter().map(|node| shown::defragment(&tools, node).text).collect()
        }
        Action::Disarm => vec![shown::disarm(&tools, &nodes).text],
        // What goes on in the lab itself has no line.
        Action::StopLoad(_) | Action::WaitLoad { .. } | Action::Until(_) | Action::Remember { .. } => {
            Vec::new()
        }
    }
}

fn control(action: &Action, notebook: &Notebook) -> Control {
    let of = |spec: &LoadSpec| match spec.workload {
        Workload::Put { .. } => Control::PutLoad,
        Workload::Range { .. } => Control::RangeLoad,
    };
    match action {
        Action::Load { spec, .. } => of(spec),
        Action::StopLoad(name) => notebook.spec(name).map_or(Control::None, of),
        Action::Failpoint { .. } | Action::ClearFailpoint { .. } => Control::Failpoints,
        Action::Link { .. } | Action::HealLinks => Control::Links,
        Action::Compact | Action::Delete { .. } | Action::Defragment { .. } | Action::Disarm => {
            Control::Operations
        }
        Action::WaitLoad { .. } | Action::Until(_) | Action::Remember { .. } => Control::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::notebook::tests::puts;
    use super::super::world::tests::led_by;
    use super::*;
    use crate::api::Event;

    #[test]
    fn an_action_is_told_in_words_and_as_lines_with_real_addresses() {
        let mut world = World::default();
        let load = Action::Load { name: "puts".into(), spec: puts(10) };
        let notebook = Notebook::default();
        assert!(describe(std::slice::from_ref(&load), &world, &notebook)[0].commands.is_empty());
        world.take(&Event::Cluster { cluster: led_by(2, 2) });
        let failpoint = |members| Action::Failpoint {
            members,
            name: "walBeforeFdatasync".into(),
            term: "sleep(100)".into(),
        };
        let delay = LinkShape { delay_ms: 100, ..LinkShape::default() };
        let link = Action::Link { from: vec![Who::All], to: vec![Who::Follower], both: true, shape: delay };
        let defragment = Action::Defragment { members: vec![Who::Leader], background: true };
        let cases = [
            (
                load,
                "Start the load puts: 10 clients on 10 connections put values of 8 bytes under 1000 keys",
                1,
            ),
            (failpoint(vec![Who::All]), "Set walBeforeFdatasync to sleep(100) at every member", 3),
            (
                failpoint(vec![Who::Follower]),
                "Set walBeforeFdatasync to sleep(100) at etcd-1 (a follower)",
                1,
            ),
            (link, "Delay by 100 ms every member ↔ etcd-1 (a follower)", 2),
            (defragment, "Defragment etcd-2 (the leader), while the rest goes on", 1),
            (Action::Delete { prefix: String::new() }, "Delete every key", 1),
            (Action::StopLoad("puts".into()), "Stop the load puts", 0),
        ];
        for (action, text, lines) in cases {
            let [view] = describe(std::slice::from_ref(&action), &world, &notebook).try_into().unwrap();
            assert_eq!((view.text.as_str(), view.commands.len()), (text, lines), "{view:?}");
        }
        let view = &describe(&[failpoint(vec![Who::Follower])], &world, &notebook)[0];
        assert!(view.commands[0].contains("http://127.0.0.1:5001/walBeforeFdatasync"), "{view:?}");
        assert_eq!(view.control, Control::Failpoints);
    }
}
