//! What a part of a scenario can count on where it stands: roles that were given, values that were remembered, loads
//! and failpoints that were begun. All of it begins anew with each step, since a person may begin at any step, on a
//! fresh cluster: a step sees by itself to what it needs.

use std::collections::BTreeSet;

use lab_dashboards::{Unit, builtin as dashboards};

use super::model::{Watched, Who};
use super::names;
use super::raw::{PanelFile, Text};
use crate::api::{PanelRef, Profile, TopologyName};
use crate::diagram::Diagram;
use crate::mistake::Mistakes;

/// What scenarios may speak of besides themselves.
pub struct Known<'a> {
    /// Diagrams.
    pub diagrams: &'a [Diagram],
    /// Ids of the glossary's terms.
    pub terms: BTreeSet<String>,
    /// Names of the members.
    pub members: &'a [String],
}

/// See the module.
pub struct Scope<'a> {
    pub known: &'a Known<'a>,
    pub topology: TopologyName,
    pub profile: Profile,
    pub mistakes: Mistakes,
    pub roles: BTreeSet<String>,
    pub remembered: BTreeSet<String>,
    pub loads: BTreeSet<String>,
    pub failpoints: BTreeSet<String>,
}

impl<'a> Scope<'a> {
    /// Where nothing has happened yet.
    pub fn new(known: &'a Known<'a>, topology: TopologyName, profile: Profile, mistakes: Mistakes) -> Self {
        Self {
            known,
            topology,
            profile,
            mistakes,
            roles: BTreeSet::new(),
            remembered: BTreeSet::new(),
            loads: BTreeSet::new(),
            failpoints: BTreeSet::new(),
        }
    }

    /// Another step begins.
    pub fn begin_step(&mut self) {
        self.roles.clear();
        self.remembered.clear();
        self.loads.clear();
        self.failpoints.clear();
    }

    /// All that `@name` can be here.
    pub fn names(&self) -> BTreeSet<String> {
        self.roles.union(&self.remembered).cloned().collect()
    }

    /// Notes each `@name` in a text that is not known here.
    pub fn check_names(&mut self, text: &Text) {
        for (_, name) in names::find(&text.value) {
            if !self.roles.contains(name) && !self.remembered.contains(name) {
                self.mistakes.add(
                    text,
                    format!("@{name} is not known here: no role, and no value that this step has remembered"),
                );
            }
        }
    }

    /// A text that is shown: it says something and its names are known.
    pub fn text(&mut self, text: &Text) -> String {
        if text.value.trim().is_empty() {
            self.mistakes.add(text, "this says nothing");
        }
        self.check_names(text);
        text.value.trim().to_owned()
    }

    /// Notes when this step has started no load of that name.
    pub fn check_load(&mut self, name: &Text) {
        if !self.loads.contains(&name.value) {
            let name_of = &name.value;
            self.mistakes
                .add(name, format!("this step starts no load {name_of}: its stage or its actions have to"));
        }
    }

    /// A name that is given here to a role or a value.
    pub fn new_name(&mut self, at: &Text, name: &str) -> bool {
        let may_be = names::may_be(name);
        if !may_be {
            self.mistakes
                .add(at, format!("{name:?} can't be written as @name: letters, digits and _ after a letter"));
        }
        may_be
    }

    /// Reads who is meant.
    pub fn who(&mut self, text: &Text) -> Who {
        match text.value.as_str() {
            "all" => Who::All,
            "leader" => Who::Leader,
            "follower" => Who::Follower,
            "otherFollower" => Who::OtherFollower,
            name => match name.strip_prefix('@') {
                Some(role) => {
                    if !self.roles.contains(role) {
                        self.mistakes.add(text, format!("this step has given nobody the role @{role} yet"));
                    }
                    Who::Role(role.to_owned())
                }
                None => {
                    if !self.known.members.iter().any(|member| member == name) {
                        let known = self.known.members.join(", ");
                        self.mistakes.add(
                            text,
                            format!(
                                "{name:?} is none of all, leader, follower, otherFollower, @role, {known}"
                            ),
                        );
                    }
                    Who::Member(name.to_owned())
                }
            },
        }
    }

    /// Reads who are meant, at least one.
    pub fn whom(&mut self, at: u64, texts: &[Text]) -> Vec<Who> {
        if texts.is_empty() {
            self.mistakes.add_at(at, "no member is meant; [all] means all");
        }
        texts.iter().map(|text| self.who(text)).collect()
    }

    /// Reads a unit, Grafana's id.
    pub fn unit(&mut self, text: &Text) -> Option<Unit> {
        match Unit::from_grafana(&text.value) {
            Unit::Other(id) => {
                self.mistakes.add(text, format!("the lab can't write the unit {id:?}"));
                None
            }
            unit => Some(unit),
        }
    }

    /// Finds a panel by the titles that people see.
    pub fn panel(&mut self, wanted: &serde_saphyr::Spanned<PanelFile>) -> Option<Watched> {
        let PanelFile { dashboard, panel } = &wanted.value;
        let Some(found) = dashboards().iter().find(|candidate| candidate.title == *dashboard) else {
            let all: Vec<&str> = dashboards().iter().map(|dashboard| dashboard.title.as_str()).collect();
            self.mistakes.add(wanted, format!("there is no dashboard {dashboard:?}, but {}", all.join(", ")));
            return None;
        };
        let Some(panel) = found.panels().find(|candidate| candidate.title == *panel) else {
            self.mistakes.add(wanted, format!("dashboard {dashboard} has no panel {panel:?}"));
            return None;
        };
        Some(Watched {
            panel: PanelRef { dashboard: found.uid.clone(), panel: panel.id },
            title: panel.title.clone(),
            unit: panel.unit.clone(),
        })
    }
}
