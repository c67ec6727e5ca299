//! Names that are known only while a scenario is played: members with a role and values kept for later. They stand in
//! texts and queries as `@name`.

use std::collections::BTreeMap;

use lab_dashboards::{Unit, format_value};

use crate::api::RoleView;
use crate::scenario::model::{Action, Remember, Scenario};
use crate::scenario::names;

/// Roles and remembered values of one course.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Every role of the scenario, and who has it, if given already.
    roles: BTreeMap<String, Option<String>>,
    /// Every value the scenario remembers, and what it is, if taken already.
    values: BTreeMap<String, Option<Kept>>,
}

/// A value with its unit.
#[derive(Clone, Debug)]
struct Kept {
    value: f64,
    unit: Unit,
}

impl Names {
    /// All the names that `scenario` uses, none known yet.
    pub fn of(scenario: &Scenario) -> Self {
        let mut names = Self::default();
        for step in &scenario.steps {
            names.roles.extend(step.bind.iter().map(|binding| (binding.role.clone(), None)));
            let by_actions = [&step.stage, &step.actions, &step.cleanup].into_iter().flatten();
            let by_actions = by_actions.filter_map(|action| match action {
                Action::Remember { remember, .. } => Some(remember),
                _ => None,
            });
            let remembered = step.remember.iter().chain(by_actions);
            names.values.extend(remembered.map(|remember| (remember.name.clone(), None)));
        }
        names
    }

    /// Gives `member` a role, in place of who had it.
    pub fn bind(&mut self, role: &str, member: &str) {
        self.roles.insert(role.into(), Some(member.into()));
    }

    /// Keeps a value, in place of an earlier one.
    pub fn keep(&mut self, remember: &Remember, value: f64) {
        self.values.insert(remember.name.clone(), Some(Kept { value, unit: remember.unit.clone() }));
    }

    /// Who has a role.
    pub fn member(&self, role: &str) -> Option<&str> {
        self.roles.get(role)?.as_deref()
    }

    /// A remembered value.
    pub fn value(&self, name: &str) -> Option<f64> {
        Some(self.values.get(name)?.as_ref()?.value)
    }

    /// Roles that were given.
    pub fn roles(&self) -> Vec<RoleView> {
        let given = self.roles.iter().filter_map(|(role, member)| Some((role.clone(), member.clone()?)));
        given.map(|(role, member)| RoleView { role, member }).collect()
    }

    /// A text for a person: members by name, values with their unit. What isn't known yet is the role's own name, or
    /// a dash.
    pub fn text(&self, text: &str) -> String {
        replace(text, |name| match (self.roles.get(name), self.values.get(name)) {
            (Some(member), _) => Some(member.clone().unwrap_or_else(|| name.to_owned())),
            (_, Some(Some(kept))) => Some(format_value(&kept.unit, kept.value, None)),
            (_, Some(None)) => Some("–".into()),
            (None, None) => None,
        })
    }

    /// A query: members by name, values as plain numbers. `None` when it speaks of something not known yet.
    pub fn query(&self, query: &str) -> Option<String> {
        let mut known = true;
        let filled = replace(query, |name| match (self.roles.get(name), self.values.get(name)) {
            (Some(Some(member)), _) => Some(member.clone()),
            (_, Some(Some(kept))) => Some(kept.value.to_string()),
            (None, None) => None,
            _ => {
                known = false;
                None
            }
        });
        known.then_some(filled)
    }
}

/// `text` with every `@name` replaced for which `with` knows something.
fn replace(text: &str, mut with: impl FnMut(&str) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for (at, name) in names::find(text) {
        if let Some(known) = with(name) {
            replaced.push_str(&text[from..at]);
            replaced.push_str(&known);
            from = at + 1 + name.len();
        }
    }
    replaced + &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_as_the_place_needs_them() {
        let mut names = Names::default();
        names.bind("slow", "etcd-2");
        names.roles.insert("boss".into(), None);
        names.values.insert("fast".into(), Some(Kept { value: 4512.3, unit: Unit::PerSecond }));
        names.values.insert("late".into(), None);
        let texts = [
            ("@slow's log, @boss, @fast before, @late after", "etcd-2's log, boss, 4,512/s before, – after"),
            ("mail@example.org and a lone @", "mail@example.org and a lone @"),
        ];
        for (text, expected) in texts {
            assert_eq!(names.text(text), expected);
        }
        let queries = [
            (r#"up{instance="@slow"} > @fast"#, Some(r#"up{instance="etcd-2"} > 4512.3"#)),
            ("metric @ 12", Some("metric @ 12")),
            ("rate(x[1m]) > @late", None),
            (r#"up{instance="@boss"}"#, None),
        ];
        for (query, expected) in queries {
            assert_eq!(names.query(query).as_deref(), expected);
        }
    }
}
