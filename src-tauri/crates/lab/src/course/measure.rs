//! Measures what conditions speak of: what the lab has told already is read from that, the rest is asked in PromQL.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use tokio::sync::watch;

use super::judge::{Measured, Value, YesNo};
use super::notebook::Notebook;
use super::world::World;
use crate::api::{Command, FailpointView, LinkView, LoadState, LoadView, Reply};
use crate::lab::Asker;
use crate::scenario::model::{LoadFigure, Measure};

/// Measures now, as of the last round of scrapes.
pub async fn measure(
    measure: &Measure,
    asker: &Asker,
    world: &watch::Receiver<World>,
    notebook: &Mutex<Notebook>,
) -> Measured {
    let query = match from_world(measure, &world.borrow(), &locked(notebook)) {
        Known::Is(measured) => return measured,
        Known::Ask(query) => query,
    };
    match asker.ask(Command::Query { expr: query, time_s: None }).await {
        Ok(Reply::Query { data, .. }) => from_answer(&data, &world.borrow()),
        Ok(_) => Measured::default(),
        Err(problem) => Measured::nothing(problem.sentence),
    }
}

/// The notebook, for a moment. What was written in it before a panic still holds.
pub fn locked(notebook: &Mutex<Notebook>) -> MutexGuard<'_, Notebook> {
    notebook.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The PromQL that a measure asks, with every name filled in.
pub fn query(measure: &Measure, notebook: &Notebook) -> Option<String> {
    match measure {
        Measure::Query(query) => Some(notebook.names.query(query).unwrap_or_else(|| query.clone())),
        _ => None,
    }
}

enum Known {
    Is(Measured),
    Ask(String),
}

fn from_world(measure: &Measure, world: &World, notebook: &Notebook) -> Known {
    Known::Is(match measure {
        Measure::Query(query) => match notebook.names.query(query) {
            Some(query) => return Known::Ask(query),
            None => Measured::nothing("What the query compares with is not measured yet."),
        },
        Measure::Load { name, of } => match notebook.load(name, world) {
            Some(load) => figure(load, *of, world),
            None => no_load(name),
        },
        Measure::Errors { name, code, message } => match notebook.load(name, world) {
            Some(load) => {
                let errors = notebook.errors(load, code.as_deref(), message.as_deref());
                Measured::one(Some(errors as f64))
            }
            None => no_load(name),
        },
        Measure::Alarm(kind) => {
            let alarms = world.cluster.as_ref().map_or(&[][..], |cluster| &cluster.alarms);
            let raised =
                |member: &str| alarms.iter().any(|alarm| alarm.member == member && alarm.kind == *kind);
            let value = |name: &String| Value {
                subject: name.clone(),
                value: Some(if raised(name) { 1.0 } else { 0.0 }),
            };
            Measured {
                values: world.members().iter().map(|member| value(&member.name)).collect(),
                by_member: true,
                yes_no: Some(YesNo { yes: "raised", no: "not raised" }),
                problem: None,
            }
        }
        Measure::LeaderIs(who) => {
            let wanted = world.who(who, &notebook.names);
            let leads = world.leader().is_some_and(|leader| wanted.iter().any(|name| name == leader));
            Measured {
                values: vec![Value {
                    subject: wanted.join(", "),
                    value: Some(if leads { 1.0 } else { 0.0 }),
                }],
                yes_no: Some(YesNo { yes: "leads", no: "does not lead" }),
                ..Measured::default()
            }
        }
        Measure::LeaderChanges => Measured::one(Some(notebook.leader_changes(world) as f64)),
        Measure::Hits(failpoint) => {
            let set = world.faults.failpoints.iter().filter(|set| set.failpoint == *failpoint);
            let value = |set: &FailpointView| Value {
                subject: set.member.clone(),
                value: set.hits.map(|hits| hits as f64),
            };
            let values: Vec<Value> = set.map(value).collect();
            if values.is_empty() {
                Measured::nothing(format!("The failpoint {failpoint} is set at no member."))
            } else {
                Measured { values, ..Measured::default() }
            }
        }
        Measure::Held => links(world, |links| {
            let value = |link: &LinkView| {
                let subject = format!("{} → {}", link.from, link.to);
                Some(Value { subject, value: Some(link.held_ms? / 1_000.0) })
            };
            Measured { values: links.iter().filter_map(value).collect(), ..Measured::default() }
        }),
        Measure::Cut => links(world, |links| {
            Measured::one(Some(links.iter().filter(|link| link.shape.cut).count() as f64))
        }),
    })
}

fn no_load(name: &str) -> Measured {
    Measured::nothing(format!("No load like {name} was started."))
}

fn links(world: &World, read: impl FnOnce(&[LinkView]) -> Measured) -> Measured {
    match &world.faults.links {
        Some(links) => read(links),
        None => Measured::nothing("The members of this cluster speak with each other directly."),
    }
}

fn figure(load: &LoadView, figure: LoadFigure, world: &World) -> Measured {
    let is_over = matches!(load.state, LoadState::Ended | LoadState::Failed { .. });
    let now = || load.now.as_ref();
    let answered = || world.answered(load);
    let value = match figure {
        LoadFigure::Done => Some(load.done as f64),
        LoadFigure::Errors => Some(load.errors.iter().map(|error| error.count).sum::<u64>() as f64),
        _ if is_over => return Measured::nothing("The load has ended."),
        LoadFigure::Rate => now().map(|now| now.rate),
        LoadFigure::ErrorRate => now().map(|now| now.error_rate),
        LoadFigure::P50 => answered().and_then(|then| then.p50_s),
        LoadFigure::P90 => answered().and_then(|then| then.p90_s),
        LoadFigure::P99 => answered().and_then(|then| then.p99_s),
    };
    Measured::one(value)
}

/// Reads Prometheus' JSON: a value a series, told apart by its member, or by all its labels where a member has several.
fn from_answer(data: &Json, world: &World) -> Measured {
    let number = |value: &Json| value[1].as_str().and_then(|text| text.parse::<f64>().ok());
    if data["resultType"] == "scalar" {
        return Measured::one(number(&data["result"]));
    }
    let series = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
    let instance = |one: &Json| one["metric"]["instance"].as_str().map(str::to_owned);
    let is_member = |name: &str| world.members().iter().any(|member| member.name == name);
    let by_member = series.iter().filter_map(instance).any(|name| is_member(&name));
    let instances: Vec<Option<String>> = series.iter().map(instance).collect();
    let is_alone = |name: &str| instances.iter().flatten().filter(|other| *other == name).count() == 1;
    let mut values: Vec<Value> = series
        .iter()
        .map(|one| {
            let subject = match instance(one) {
                Some(name) if is_alone(&name) => name,
                _ => labels(&one["metric"], world),
            };
            Value { subject, value: number(&one["value"]) }
        })
        .collect();
    values.sort_by(|one, other| one.subject.cmp(&other.subject));
    Measured { values, by_member, ..Measured::default() }
}

/// What tells a series apart, the member first. A peer's id is given by its member's name.
fn labels(metric: &Json, world: &World) -> String {
    let named = |value: &str| {
        let member = world.members().iter().find(|member| member.id == value && !value.is_empty());
        member.map_or_else(|| value.to_owned(), |member| member.name.clone())
    };
    let Some(labels) = metric.as_object() else { return String::new() };
    let member = labels.get("instance").and_then(Json::as_str).map(str::to_owned);
    let others = labels
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "__name__" | "instance" | "job"))
        .filter_map(|(name, value)| Some(format!("{} {}", name.to_lowercase(), named(value.as_str()?))));
    member.into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::notebook::tests::{load, puts};
    use super::super::world::tests::led_by;
    use super::*;
    use crate::api::{AlarmView, Event, FaultsView, LinkShape, LoadPoint};
    use crate::scenario::model::Who;

    fn measured(measure: &Measure, world: &World, notebook: &Notebook) -> Measured {
        match from_world(measure, world, notebook) {
            Known::Is(measured) => measured,
            Known::Ask(query) => panic!("asks {query}"),
        }
    }

    fn list(measured: &Measured) -> String {
        let one = |value: &Value| format!("{}={:?}", value.subject, value.value);
        measured.values.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_answer_is_told_apart_by_its_members() {
        let mut world = World::default();
        world.take(&Event::Cluster { cluster: led_by(1, 2) });
        let of = |metric: Json, value: &str| json!({"metric": metric, "value": [12.5, value]});
        let vector = |result: Vec<Json>| json!({"resultType": "vector", "result": result});
        let cases = [
            (vector(vec![]), "", false),
            (json!({"resultType": "scalar", "result": [12.5, "3"]}), "=Some(3.0)", false),
            (vector(vec![of(json!({}), "7")]), "=Some(7.0)", false),
            (
                vector(vec![
                    of(json!({"instance": "etcd-2", "job": "etcd"}), "NaN"),
                    of(json!({"instance": "etcd-1", "job": "etcd"}), "0.5"),
                ]),
                "etcd-1=Some(0.5) etcd-2=Some(NaN)",
                true,
            ),
            (
                vector(vec![
                    of(json!({"instance": "etcd-1", "To": "a1"}), "1"),
                    of(json!({"instance": "etcd-1", "To": "ff"}), "2"),
                ]),
                "etcd-1 to etcd-2=Some(1.0) etcd-1 to ff=Some(2.0)",
                true,
            ),
        ];
        for (data, expected, by_member) in cases {
            let measured = from_answer(&data, &world);
            assert_eq!((list(&measured).as_str(), measured.by_member), (expected, by_member), "{data}");
        }
    }

    #[test]
    fn alarms_leaders_and_faults_are_read_from_what_the_lab_tells() {
        let mut world = World::default();
        let mut cluster = led_by(2, 2);
        cluster.alarms = vec![AlarmView { member: "etcd-3".into(), kind: "NOSPACE".into() }];
        world.take(&Event::Cluster { cluster });
        let set = |member: &str, hits| FailpointView {
            member: member.into(),
            failpoint: "walBeforeFdatasync".into(),
            term: "sleep(100)".into(),
            hits,
        };
        let link = |to: &str, cut, held_ms| LinkView {
            from: "etcd-1".into(),
            to: to.into(),
            shape: LinkShape { cut, ..LinkShape::default() },
            rate_bytes_s: 0.0,
            held_ms,
            connections: 1,
        };
        let mut notebook = Notebook::default();
        notebook.names.bind("boss", "etcd-2");
        let direct = measured(&Measure::Cut, &world, &notebook);
        assert!(direct.problem.unwrap().contains("directly"));
        let unset = measured(&Measure::Hits("walBeforeFdatasync".into()), &world, &notebook);
        assert!(unset.problem.unwrap().contains("set at no member"));
        let faults = FaultsView {
            failpoints: vec![set("etcd-1", Some(12)), set("etcd-2", None)],
            links: Some(vec![link("etcd-2", true, None), link("etcd-3", false, Some(100.0))]),
        };
        world.take(&Event::Faults { faults });
        let cases = [
            (Measure::Alarm("NOSPACE".into()), "etcd-1=Some(0.0) etcd-2=Some(0.0) etcd-3=Some(1.0)"),
            (Measure::Alarm("CORRUPT".into()), "etcd-1=Some(0.0) etcd-2=Some(0.0) etcd-3=Some(0.0)"),
            (Measure::LeaderIs(Who::Role("boss".into())), "etcd-2=Some(1.0)"),
            (Measure::LeaderIs(Who::Member("etcd-1".into())), "etcd-1=Some(0.0)"),
            (Measure::LeaderChanges, "=Some(0.0)"),
            (Measure::Hits("walBeforeFdatasync".into()), "etcd-1=Some(12.0) etcd-2=None"),
            (Measure::Held, "etcd-1 → etcd-3=Some(0.1)"),
            (Measure::Cut, "=Some(1.0)"),
        ];
        for (measure, expected) in cases {
            assert_eq!(list(&measured(&measure, &world, &notebook)), expected, "{measure:?}");
        }
    }

    #[test]
    fn a_loads_last_second_is_over_when_the_load_is() {
        let mut notebook = Notebook::default();
        let mut world = World::default();
        let of = |of| Measure::Load { name: "puts".into(), of };
        let none = measured(&of(LoadFigure::Rate), &world, &notebook);
        assert_eq!(none.problem.as_deref(), Some("No load like puts was started."));
        notebook.started("puts", 1);
        let now = LoadPoint {
            at_s: 1.0,
            rate: 250.0,
            error_rate: 2.0,
            p50_s: Some(0.1),
            p90_s: Some(0.2),
            p99_s: None,
            max_s: None,
        };
        let running = LoadView { now: Some(now), done: 900, ..load(1, puts(10), LoadState::Running) };
        world.take(&Event::Load { load: Box::new(running.clone()) });
        let cases = [
            (LoadFigure::Rate, "=Some(250.0)"),
            (LoadFigure::ErrorRate, "=Some(2.0)"),
            (LoadFigure::P50, "=Some(0.1)"),
            (LoadFigure::P90, "=Some(0.2)"),
            (LoadFigure::P99, "=None"),
            (LoadFigure::Done, "=Some(900.0)"),
            (LoadFigure::Errors, "=Some(0.0)"),
        ];
        for (figure, expected) in cases {
            assert_eq!(list(&measured(&of(figure), &world, &notebook)), expected, "{figure:?}");
        }
        // A second without answers says nothing of how long they take; the last one with some does, for a while.
        for (at_s, expected) in [(4.0, "=Some(0.2)"), (6.5, "=None")] {
            let quiet =
                LoadPoint { at_s, rate: 0.0, p50_s: None, p90_s: None, ..running.now.clone().unwrap() };
            let quiet = LoadView { now: Some(quiet), ..running.clone() };
            world.take(&Event::Load { load: Box::new(quiet) });
            assert_eq!(list(&measured(&of(LoadFigure::P90), &world, &notebook)), expected, "{at_s}");
            assert_eq!(list(&measured(&of(LoadFigure::Rate), &world, &notebook)), "=Some(0.0)", "{at_s}");
        }
        world.take(&Event::Load { load: Box::new(LoadView { state: LoadState::Ended, ..running }) });
        assert_eq!(list(&measured(&of(LoadFigure::Done), &world, &notebook)), "=Some(900.0)");
        assert!(measured(&of(LoadFigure::Rate), &world, &notebook).problem.is_some());
    }
}
