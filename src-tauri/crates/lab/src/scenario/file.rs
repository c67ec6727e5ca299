//! The file format of scenarios, and its rules. A mistake is named with its file and line.

use std::sync::LazyLock;

use lab_dashboards::{Unit, builtin as dashboards};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::api::{LoadSpec, PanelRef};
use crate::mistake::Mistake;

/// How long and how large a scenario is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The same effect in a minute or two, for a laptop and for tests.
    #[default]
    Quick,
    /// The numbers of the talk.
    Talk,
}

/// A number for each profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerProfile {
    /// For [`Profile::Quick`].
    pub quick: u32,
    /// For [`Profile::Talk`].
    pub talk: u32,
}

impl PerProfile {
    /// The number for `profile`.
    pub fn of(self, profile: Profile) -> u32 {
        match profile {
            Profile::Quick => self.quick,
            Profile::Talk => self.talk,
        }
    }
}

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Id, such as `puts-and-ranges`.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is about, a sentence or two.
    pub about: String,
    /// In the order they are played.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Title.
    pub title: String,
    /// What happens, for a person.
    pub say: String,
    /// Load that begins with this step and lasts to the scenario's end.
    pub load: LoadSpec,
    /// Panels to look at.
    pub watch: Vec<Watched>,
    /// How long to look, seconds.
    pub seconds: PerProfile,
    /// What must hold at the end.
    pub check: Check,
}

/// A panel to look at.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which.
    pub panel: PanelRef,
    /// Its title.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
}

/// A judgement of the system: met when the query gives something.
#[derive(Clone, Debug)]
pub struct Check {
    /// PromQL that filters: it answers with nothing when the check is not met.
    pub query: String,
    /// Unit of its value.
    pub unit: Unit,
    /// What to say when met; `{value}` is what was measured.
    pub met: String,
    /// What to say when not.
    pub missed: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    id: String,
    title: String,
    about: String,
    steps: Vec<StepFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    title: String,
    say: String,
    load: LoadSpec,
    watch: Vec<Spanned<WatchedFile>>,
    seconds: PerProfile,
    check: CheckFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchedFile {
    dashboard: String,
    panel: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckFile {
    query: Spanned<String>,
    unit: String,
    met: String,
    missed: String,
}

/// Reads a scenario.
///
/// # Errors
/// With every mistake found: a field that is unknown or missing, a panel that isn't on that dashboard, a query
/// that doesn't parse.
pub fn read(file: &str, text: &str) -> Result<Scenario, Vec<Mistake>> {
    let raw: ScenarioFile = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        vec![Mistake { file: file.to_owned(), line, reason: error.without_snippet().to_string() }]
    })?;
    let mut mistakes = Vec::new();
    let mut mistake =
        |line: u64, reason: String| mistakes.push(Mistake { file: file.to_owned(), line, reason });
    let mut steps = Vec::new();
    for step in raw.steps {
        let mut watch = Vec::new();
        for wanted in step.watch {
            let WatchedFile { dashboard, panel } = &wanted.value;
            match watched(dashboard, panel) {
                Some(found) => watch.push(found),
                None => {
                    mistake(wanted.referenced.line(), format!("dashboard {dashboard} has no panel {panel:?}"))
                }
            }
        }
        let CheckFile { query, unit, met, missed } = step.check;
        if let Err(error) = lab_promql::parse(&query.value) {
            mistake(query.referenced.line(), format!("the query is not understood: {error}"));
        }
        steps.push(Step {
            title: step.title,
            say: step.say,
            load: step.load,
            watch,
            seconds: step.seconds,
            check: Check { query: query.value, unit: Unit::from_grafana(&unit), met, missed },
        });
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Scenario { id: raw.id, title: raw.title, about: raw.about, steps })
}

fn watched(dashboard: &str, title: &str) -> Option<Watched> {
    let dashboard = dashboards().iter().find(|candidate| candidate.title == dashboard)?;
    let panel = dashboard.panels().find(|panel| panel.title == title)?;
    Some(Watched {
        panel: PanelRef { dashboard: dashboard.uid.clone(), panel: panel.id },
        title: panel.title.clone(),
        unit: panel.unit.clone(),
    })
}

const FILES: [(&str, &str); 1] = [(
    "src-tauri/scenarios/00-puts-and-ranges/scenario.yaml",
    include_str!("../../../../scenarios/00-puts-and-ranges/scenario.yaml"),
)];

/// The scenarios that come with the lab.
pub fn builtin() -> &'static [Scenario] {
    static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
        // A test reads every one of them; a file with a mistake does not get here.
        FILES.iter().filter_map(|(file, text)| read(file, text).ok()).collect()
    });
    &SCENARIOS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_scenarios_have_no_mistake() {
        for (file, text) in FILES {
            assert!(read(file, text).is_ok(), "{:?}", read(file, text).err());
        }
        assert_eq!(builtin().len(), FILES.len());
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let (file, text) = FILES[0];
        let cases = [
            ("    say: >-", "    speak: >-", "unknown field"),
            ("grpc: handled puts/s", "grpc: no such panel", "has no panel"),
            ("query: sum(", "query: sum((", "not understood"),
        ];
        for (from, to, reason) in cases {
            let mistakes = read(file, &text.replacen(from, to, 1)).unwrap_err();
            assert!(mistakes[0].line > 1 && mistakes[0].reason.contains(reason), "{mistakes:?}");
        }
    }
}
