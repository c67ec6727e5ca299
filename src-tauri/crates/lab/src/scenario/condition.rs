//! Conditions and what they measure: from the file to the model.

use lab_dashboards::Unit;
use lab_promql::ValueType;
use serde_saphyr::Spanned;

use super::model::{Bound, Check, Compare, Condition, LoadFigure, Measure, Quantifier};
use super::raw::{CheckFile, ConditionFile, MeasureFile, Text};
use super::scope::Scope;
use super::{bound, names};
use crate::api::TopologyName;

/// What is put in place of a condition's figures when it is told.
const FIGURES: [&str; 5] = ["measured", "low", "high", "sum", "wanted"];

/// Codes that a request can fail with, as they are written (gRPC, `codes.Code`).
const CODES: [&str; 16] = [
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// Alarms that a member can raise.
const ALARMS: [&str; 2] = ["NOSPACE", "CORRUPT"];

/// Reads conditions that must all hold.
pub fn check(scope: &mut Scope<'_>, raw: &Spanned<CheckFile>) -> Check {
    let CheckFile { within, hold, all } = &raw.value;
    if all.is_empty() {
        scope.mistakes.add(raw, "nothing is checked: `all` is empty");
    }
    if *within == 0 || hold >= within {
        scope.mistakes.add(raw, "`within` must be longer than `hold`, or it can't be met");
    }
    let profile = scope.profile;
    let here = all.iter().filter(|one| one.value.only.is_none_or(|only| only == profile));
    let all = here.filter_map(|one| condition(scope, one)).collect();
    Check { within_s: *within, hold_s: *hold, all }
}

/// Reads a condition; `None` when it can't be.
pub fn condition(scope: &mut Scope<'_>, raw: &Spanned<ConditionFile>) -> Option<Condition> {
    let file = &raw.value;
    let measured = measure(scope, raw, file.measure());
    let unit = measured.as_ref().and_then(|measure| unit(scope, raw, file.unit.as_ref(), measure));
    let compared = comparison(scope, raw, unit.as_ref());
    let that = scope.text(&file.that);
    let [met, missed] = [&file.met, &file.missed].map(|text| {
        check_figures(scope, text);
        scope.text(text)
    });
    let (quantifier, compare, with) = compared?;
    Some(Condition { that, measure: measured?, unit: unit?, quantifier, compare, with, met, missed })
}

/// Reads what is measured; `None` when it isn't just one thing.
pub fn measure<T>(scope: &mut Scope<'_>, at: &Spanned<T>, raw: Option<MeasureFile<'_>>) -> Option<Measure> {
    let Some(raw) = raw else {
        scope.mistakes.add(
            at,
            "just one thing is measured: query, load, errors, alarm, leaderIs, leaderChanges, hits, held or cut",
        );
        return None;
    };
    Some(match raw {
        MeasureFile::Query(query) => {
            check_query(scope, query);
            Measure::Query(query.value.trim().to_owned())
        }
        MeasureFile::Load(figure) => {
            scope.check_load(&figure.name);
            Measure::Load { name: figure.name.value.clone(), of: figure.of }
        }
        MeasureFile::Errors(errors) => {
            scope.check_load(&errors.name);
            if let Some(code) = &errors.code {
                one_of(scope, code, &CODES, "gRPC code");
            }
            Measure::Errors {
                name: errors.name.value.clone(),
                code: errors.code.as_ref().map(|code| code.value.clone()),
                message: errors.message.clone(),
            }
        }
        MeasureFile::Alarm(alarm) => {
            one_of(scope, alarm, &ALARMS, "alarm");
            Measure::Alarm(alarm.value.clone())
        }
        MeasureFile::LeaderIs(who) => Measure::LeaderIs(scope.who(who)),
        MeasureFile::LeaderChanges => Measure::LeaderChanges,
        MeasureFile::Hits(failpoint) => {
            if !scope.failpoints.contains(&failpoint.value) {
                let name = &failpoint.value;
                scope.mistakes.add(failpoint, format!("this step sets no failpoint {name}"));
            }
            Measure::Hits(failpoint.value.clone())
        }
        MeasureFile::Held | MeasureFile::Cut if scope.topology != TopologyName::EtcdBridge => {
            scope.mistakes.add(at, "links are measured on the topology etcd-bridge only");
            return None;
        }
        MeasureFile::Held => Measure::Held,
        MeasureFile::Cut => Measure::Cut,
    })
}

/// The unit that was given, or the one that what is measured has by itself; `None` when there is none, or none that
/// the lab can write.
pub fn unit<T>(
    scope: &mut Scope<'_>,
    at: &Spanned<T>,
    given: Option<&Text>,
    measure: &Measure,
) -> Option<Unit> {
    if let Some(given) = given {
        return scope.unit(given);
    }
    Some(match measure {
        Measure::Query(_) => {
            scope.mistakes.add(at, "a query's values have a unit: say `unit`, `short` for plain numbers");
            return None;
        }
        Measure::Load { of: LoadFigure::Rate | LoadFigure::ErrorRate, .. } => Unit::PerSecond,
        Measure::Load { of: LoadFigure::P50 | LoadFigure::P90 | LoadFigure::P99, .. } | Measure::Held => {
            Unit::Seconds
        }
        _ => Unit::Short,
    })
}

fn comparison(
    scope: &mut Scope<'_>,
    raw: &Spanned<ConditionFile>,
    unit: Option<&Unit>,
) -> Option<(Quantifier, Compare, Bound)> {
    let ConditionFile { each, some, sum, count, .. } = &raw.value;
    let (quantifier, wanted) = match (each, some, sum) {
        (Some(wanted), None, None) => {
            (Quantifier::Each { count: count.as_ref().map(|count| count.value) }, wanted)
        }
        (None, Some(wanted), None) => (Quantifier::Some, wanted),
        (None, None, Some(wanted)) => (Quantifier::Sum, wanted),
        _ => {
            scope.mistakes.add(raw, "a condition has just one of each, some and sum");
            return None;
        }
    };
    if let (Some(count), None) = (count, each) {
        scope.mistakes.add(count, "`count` goes with `each`");
    }
    match bound::read(&wanted.value, unit?) {
        Ok((compare, with)) => {
            scope.check_names(wanted);
            if with.times.as_ref().is_some_and(|name| scope.roles.contains(name)) {
                scope.mistakes.add(wanted, "a role has no value to compare with");
            }
            Some((quantifier, compare, with))
        }
        Err(reason) => {
            scope.mistakes.add(wanted, reason);
            None
        }
    }
}

/// The query parses once its names are filled in, with something that could be one.
fn check_query(scope: &mut Scope<'_>, query: &Text) {
    scope.check_names(query);
    let filled = names::replace(&query.value, |name| if scope.roles.contains(name) { "etcd-1" } else { "1" });
    match lab_promql::parse(&filled) {
        Err(error) => scope.mistakes.add(query, format!("the query is not understood: {error}")),
        Ok(parsed) if !matches!(parsed.value_type(), ValueType::Vector | ValueType::Scalar) => {
            scope.mistakes.add(query, "the query gives no values that could be compared");
        }
        Ok(_) => {}
    }
}

fn check_figures(scope: &mut Scope<'_>, text: &Text) {
    for (_, after) in text.value.match_indices('{').map(|(at, _)| text.value.split_at(at + 1)) {
        let (name, _) = after.split_once('}').unwrap_or((after, ""));
        if !FIGURES.contains(&name) {
            let all = FIGURES.join("}, {");
            scope.mistakes.add(text, format!("{{{name}}} stands for nothing here; what there is: {{{all}}}"));
        }
    }
}

fn one_of(scope: &mut Scope<'_>, text: &Text, all: &[&str], what: &str) {
    if !all.contains(&text.value.as_str()) {
        scope.mistakes.add(text, format!("{:?} is no {what}: {}", text.value, all.join(", ")));
    }
}
