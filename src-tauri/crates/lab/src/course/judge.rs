//! Judges what was measured: whether a condition holds, and in words what was measured, what was wanted and what
//! follows. Pure; knows neither where values come from nor for how long a condition has held.

use lab_dashboards::{Unit, format_value};

use super::names::Names;
use crate::api::MeasuredView;
use crate::scenario::model::{Bound, Compare, Condition, Quantifier};

/// What a measure gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The values.
    pub values: Vec<Value>,
    /// Whether there is to be one a member.
    pub by_member: bool,
    /// How values that only say yes or no are worded.
    pub yes_no: Option<YesNo>,
    /// Why nothing could be measured, a sentence.
    pub problem: Option<String>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Member or series; empty when there is only one.
    pub subject: String,
    /// The value; absent when there is none.
    pub value: Option<f64>,
}

/// Words for 1 and 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YesNo {
    /// 1.
    pub yes: &'static str,
    /// 0.
    pub no: &'static str,
}

impl Measured {
    /// One value without a subject.
    pub fn one(value: Option<f64>) -> Self {
        Self { values: vec![Value { subject: String::new(), value }], ..Self::default() }
    }

    /// Nothing, for a reason.
    pub fn nothing(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::default() }
    }

    /// The value, where there is just one.
    pub fn single(&self) -> Option<f64> {
        match self.values.as_slice() {
            [one] => one.value.filter(|value| value.is_finite()),
            _ => None,
        }
    }
}

/// How a condition stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whether it holds.
    pub ok: bool,
    /// The values, each judged.
    pub measured: Vec<MeasuredView>,
    /// What is wanted: `≥ 100 ms`.
    pub wanted: String,
    /// What was measured and wanted, and what that means.
    pub says: String,
}

/// Judges `measured`; `members` is how many the cluster has.
pub fn judge(condition: &Condition, measured: &Measured, members: usize, names: &Names) -> Judgement {
    let bound = resolve(&condition.with, names);
    let fulfils = |value: f64| bound.is_some_and(|bound| compare(condition.compare, value, bound));
    let known: Vec<f64> = measured.values.iter().filter_map(|value| value.value).collect();
    let sum: f64 = known.iter().sum();
    let needed = match condition.quantifier {
        Quantifier::Each { count: Some(count) } => count as usize,
        // Of a cluster that nothing is known of, nothing holds.
        Quantifier::Each { count: None } if measured.by_member => members.max(1),
        Quantifier::Each { count: None } | Quantifier::Some => 1,
        Quantifier::Sum => 0,
    };
    let ok = measured.problem.is_none()
        && known.len() >= needed
        && match condition.quantifier {
            Quantifier::Each { .. } => {
                known.len() == measured.values.len() && known.iter().all(|value| fulfils(*value))
            }
            Quantifier::Some => known.iter().any(|value| fulfils(*value)),
            Quantifier::Sum => fulfils(sum),
        };
    let views: Vec<MeasuredView> = measured
        .values
        .iter()
        .map(|value| MeasuredView {
            subject: value.subject.clone(),
            value: value.value.filter(|value| value.is_finite()),
            text: worded(measured.yes_no, &condition.unit, value.value),
            ok: match condition.quantifier {
                Quantifier::Sum => ok,
                _ => value.value.is_some_and(fulfils),
            },
        })
        .collect();
    let wanted = wanted(condition, measured.yes_no, bound);
    let says = Sentence { condition, measured, views: &views, known: &known, wanted: &wanted, names }
        .say(ok, needed, sum);
    Judgement { ok, measured: views, wanted, says }
}

/// What `judge` says before anything was measured.
pub fn unjudged(condition: &Condition, names: &Names) -> Judgement {
    let wanted = wanted(condition, None, resolve(&condition.with, names));
    Judgement { ok: false, measured: Vec::new(), wanted, says: String::new() }
}

/// The number a value is compared with; `None` while it depends on something that is not measured yet.
fn resolve(bound: &Bound, names: &Names) -> Option<f64> {
    match &bound.times {
        None => Some(bound.number),
        Some(name) => Some(bound.number * names.value(name)?),
    }
}

fn compare(how: Compare, value: f64, bound: f64) -> bool {
    match how {
        Compare::AtLeast => value >= bound,
        Compare::AtMost => value <= bound,
        Compare::Above => value > bound,
        Compare::Below => value < bound,
        // Counts and sizes come as floats; what differs by rounding only is the same.
        Compare::Equal => (value - bound).abs() <= f64::EPSILON * bound.abs().max(1.0),
        Compare::NotEqual => (value - bound).abs() > f64::EPSILON * bound.abs().max(1.0),
    }
}

fn sign(how: Compare) -> &'static str {
    match how {
        Compare::AtLeast => "≥",
        Compare::AtMost => "≤",
        Compare::Above => ">",
        Compare::Below => "<",
        Compare::Equal => "=",
        Compare::NotEqual => "≠",
    }
}

fn worded(yes_no: Option<YesNo>, unit: &Unit, value: Option<f64>) -> String {
    match (yes_no, value) {
        (_, None) => "–".into(),
        (Some(YesNo { no, .. }), Some(0.0)) => no.into(),
        (Some(YesNo { yes, .. }), Some(_)) => yes.into(),
        (None, Some(value)) => format_value(unit, value, None),
    }
}

fn wanted(condition: &Condition, yes_no: Option<YesNo>, bound: Option<f64>) -> String {
    let how = condition.compare;
    let amount = match (bound, yes_no, condition.quantifier) {
        (None, ..) => {
            let name = condition.with.times.as_deref().unwrap_or_default();
            return format!("{} {} × {name}, which is not measured yet", sign(how), condition.with.number);
        }
        (Some(bound), Some(YesNo { yes, no }), Quantifier::Each { .. } | Quantifier::Some) => {
            match (compare(how, 1.0, bound), compare(how, 0.0, bound)) {
                (true, false) => yes.to_owned(),
                (false, true) => no.to_owned(),
                _ => format!("{} {bound}", sign(how)),
            }
        }
        (Some(bound), ..) => format!("{} {}", sign(how), format_value(&condition.unit, bound, None)),
    };
    match condition.quantifier {
        Quantifier::Each { .. } => amount,
        Quantifier::Some => format!("{amount} at least once"),
        Quantifier::Sum => format!("{amount} in all"),
    }
}

/// What there is to make a sentence of.
struct Sentence<'a> {
    condition: &'a Condition,
    measured: &'a Measured,
    views: &'a [MeasuredView],
    known: &'a [f64],
    wanted: &'a str,
    names: &'a Names,
}

impl Sentence<'_> {
    /// What was measured and wanted, unless the scenario's text says so itself; then that text.
    fn say(&self, ok: bool, needed: usize, sum: f64) -> String {
        let meaning = if ok { &self.condition.met } else { &self.condition.missed };
        let mut said = Vec::new();
        if let Some(problem) = &self.measured.problem {
            said.push(problem.clone());
        } else if self.known.is_empty() && needed > 0 {
            said.push(format!("Nothing to measure was found; wanted {}.", self.wanted));
        } else {
            let few = if self.known.len() < needed {
                let given = self.known.len();
                format!(", {given} of {needed} values")
            } else {
                String::new()
            };
            match (meaning.contains("{measured}"), meaning.contains("{wanted}")) {
                (false, false) => {
                    said.push(format!("Measured {}{few}; wanted {}.", self.list(sum), self.wanted));
                }
                (false, true) => said.push(format!("Measured {}{few}.", self.list(sum))),
                (true, false) => said.push(format!("Wanted {}.", self.wanted)),
                (true, true) => {}
            }
        }
        let meaning = self.filled(meaning, sum);
        if !meaning.is_empty() {
            said.push(meaning);
        }
        said.join(" ")
    }

    /// Every value with its subject.
    fn list(&self, sum: f64) -> String {
        let one = |view: &MeasuredView| match view.subject.as_str() {
            "" => view.text.clone(),
            subject => format!("{subject} {}", view.text),
        };
        let each = self.views.iter().map(one).collect::<Vec<_>>().join(", ");
        match (self.condition.quantifier, self.views) {
            (Quantifier::Sum, [] | [_, _, ..]) => {
                let sum = format_value(&self.condition.unit, sum, None);
                if each.is_empty() { sum } else { format!("{sum} in all ({each})") }
            }
            _ => each,
        }
    }

    fn filled(&self, text: &str, sum: f64) -> String {
        let text_of = |value: f64| worded(self.measured.yes_no, &self.condition.unit, Some(value));
        let extreme = |pick: fn(f64, f64) -> f64| {
            self.known.iter().copied().reduce(pick).map_or_else(|| "–".into(), text_of)
        };
        let filled = text
            .replace("{measured}", &if self.views.is_empty() { "nothing".into() } else { self.list(sum) })
            .replace("{low}", &extreme(f64::min))
            .replace("{high}", &extreme(f64::max))
            .replace("{sum}", &format_value(&self.condition.unit, sum, None))
            .replace("{wanted}", self.wanted);
        self.names.text(&filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::model::Measure;

    const EACH: Quantifier = Quantifier::Each { count: None };

    fn condition(quantifier: Quantifier, compare: Compare, number: f64, unit: Unit) -> Condition {
        Condition {
            that: "it".into(),
            measure: Measure::LeaderChanges,
            unit,
            quantifier,
            compare,
            with: Bound { number, times: None },
            met: "So it is slow.".into(),
            missed: "The disk is still fast.".into(),
        }
    }

    fn members(values: &[f64]) -> Measured {
        let value =
            |(at, value): (usize, &f64)| Value { subject: format!("etcd-{}", at + 1), value: Some(*value) };
        Measured {
            values: values.iter().enumerate().map(value).collect(),
            by_member: true,
            ..Measured::default()
        }
    }

    #[test]
    fn every_value_counts_and_none_may_be_missing() {
        let slow = condition(EACH, Compare::AtLeast, 0.1, Unit::Seconds);
        let cases: [(&[f64], bool, &str); 4] = [
            (
                &[0.12, 0.5, 0.1],
                true,
                "Measured etcd-1 120 ms, etcd-2 500 ms, etcd-3 100 ms; wanted ≥ 100 ms. So it is slow.",
            ),
            (
                &[0.12, 0.001, 0.1],
                false,
                "Measured etcd-1 120 ms, etcd-2 1 ms, etcd-3 100 ms; wanted ≥ 100 ms. The disk is still fast.",
            ),
            (
                &[0.12, 0.5],
                false,
                "Measured etcd-1 120 ms, etcd-2 500 ms, 2 of 3 values; wanted ≥ 100 ms. The disk is still fast.",
            ),
            (&[], false, "Nothing to measure was found; wanted ≥ 100 ms. The disk is still fast."),
        ];
        for (values, ok, says) in cases {
            let judgement = judge(&slow, &members(values), 3, &Names::default());
            assert_eq!((judgement.ok, judgement.says.as_str()), (ok, says), "{values:?}");
        }
        assert!(!judge(&slow, &members(&[]), 0, &Names::default()).ok, "nothing is known of any member");
        let one = Condition { quantifier: Quantifier::Each { count: Some(1) }, ..slow };
        assert!(judge(&one, &members(&[0.12]), 3, &Names::default()).ok);
        assert!(!judge(&one, &members(&[f64::NAN]), 3, &Names::default()).ok);
    }

    #[test]
    fn some_and_sum_and_every_comparison() {
        let judged = |quantifier, compare, number, values: &[f64]| {
            let condition = condition(quantifier, compare, number, Unit::None);
            let judgement = judge(&condition, &members(values), 3, &Names::default());
            (judgement.ok, judgement.wanted)
        };
        let cases = [
            (Quantifier::Some, Compare::AtLeast, 5.0, vec![1.0, 6.0], true, "≥ 5 at least once"),
            (Quantifier::Some, Compare::AtLeast, 5.0, vec![1.0], false, "≥ 5 at least once"),
            (Quantifier::Sum, Compare::Above, 6.0, vec![1.0, 6.0], true, "> 6 in all"),
            (Quantifier::Sum, Compare::Equal, 0.0, vec![], true, "= 0 in all"),
            (EACH, Compare::AtMost, 5.0, vec![5.0, 5.0, 5.0], true, "≤ 5"),
            (EACH, Compare::Below, 5.0, vec![5.0, 5.0, 5.0], false, "< 5"),
            (EACH, Compare::NotEqual, 5.0, vec![4.0, 5.0, 6.0], false, "≠ 5"),
        ];
        for (quantifier, compare, number, values, ok, wanted) in cases {
            assert_eq!(judged(quantifier, compare, number, &values), (ok, wanted.to_owned()), "{values:?}");
        }
    }

    #[test]
    fn a_bound_may_be_a_multiple_of_what_was_remembered() {
        let mut half = condition(EACH, Compare::AtMost, 0.5, Unit::PerSecond);
        half.with.times = Some("fast".into());
        let measured = Measured::one(Some(2_000.0));
        let unknown = judge(&half, &measured, 3, &Names::default());
        assert!(!unknown.ok && unknown.wanted.contains("fast, which is not measured yet"), "{unknown:?}");
        let mut names = Names::default();
        let remember = crate::scenario::model::Remember {
            name: "fast".into(),
            measure: Measure::Cut,
            unit: Unit::PerSecond,
        };
        names.keep(&remember, 4_500.0);
        let known = judge(&half, &measured, 3, &names);
        assert_eq!((known.ok, known.wanted.as_str()), (true, "≤ 2,250/s"));
    }

    #[test]
    fn a_text_that_says_itself_what_was_measured_is_not_told_it_twice() {
        let mut told = condition(EACH, Compare::AtLeast, 100.0, Unit::DecBytes);
        told.met =
            "Between {low} and {high}, {sum} in all: {measured}. {wanted} was wanted, by @boss.".into();
        let mut names = Names::default();
        names.bind("boss", "etcd-3");
        let judgement = judge(&told, &members(&[100.0, 300.0, 200.0]), 3, &names);
        assert_eq!(
            judgement.says,
            "Between 100 B and 300 B, 600 B in all: etcd-1 100 B, etcd-2 300 B, etcd-3 200 B. ≥ 100 B was wanted, by \
             etcd-3."
        );
    }

    #[test]
    fn what_is_or_is_not_is_worded_so() {
        let mut raised = condition(EACH, Compare::Equal, 1.0, Unit::None);
        raised.missed = String::new();
        let yes_no = Some(YesNo { yes: "raised", no: "not raised" });
        let measured = Measured { yes_no, ..members(&[1.0, 0.0, 1.0]) };
        let judgement = judge(&raised, &measured, 3, &Names::default());
        assert_eq!(
            judgement.says,
            "Measured etcd-1 raised, etcd-2 not raised, etcd-3 raised; wanted raised."
        );
        let none = judge(&raised, &Measured::nothing("No answer."), 3, &Names::default());
        assert_eq!((none.ok, none.says.as_str()), (false, "No answer."));
    }
}
