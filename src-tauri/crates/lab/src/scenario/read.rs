//! A scenario's folder, read for every profile and release line, since a mistake may show in one of them only.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::model::{Scenario, Step, StepText};
use super::raw::{ScenarioFile, StepFile};
use super::scope::{Known, Scope};
use super::text::Surroundings;
use super::values::{Chosen, Values};
use super::{bound, step, text};
use crate::api::Profile;
use crate::content::{File, Folder};
use crate::mistake::{Mistake, Mistakes};
use crate::release_line::ReleaseLine;

/// The file that makes a folder a scenario.
pub const SCENARIO_FILE: &str = "scenario.yaml";

const PROFILES: [Profile; 2] = [Profile::Quick, Profile::Talk];

/// A scenario as it is for each profile on each release line.
#[derive(Clone, Debug)]
pub struct Editions(Vec<(Profile, ReleaseLine, Scenario)>);

impl Editions {
    /// As it is for one profile on one release line.
    pub fn of(&self, profile: Profile, line: ReleaseLine) -> &Scenario {
        let wanted = self.0.iter().find(|(of, on, _)| (*of, *on) == (profile, line));
        // Reading makes all of them, or none.
        wanted.map_or(&self.0[0].2, |(_, _, scenario)| scenario)
    }

    /// Its number, as in the folder's name.
    pub fn number(&self) -> u32 {
        self.0[0].2.number
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.0[0].2.id
    }

    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.0[0].2.steps.len()
    }
}

/// Reads the folder of a scenario.
///
/// # Errors
/// With every mistake found. Where the shape of `scenario.yaml` has one, such as an unknown key, that one in each step
/// is found, and what the file means is not looked at.
pub fn read(folder: &Folder, known: &Known<'_>) -> Result<Editions, Vec<Mistake>> {
    let mut all = BTreeSet::new();
    let number = number_of(&folder.name);
    if number.is_none() {
        all.insert(Mistake {
            file: folder.shown.clone(),
            line: 0,
            reason: "a scenario's folder is called NN-name: two digits, then small letters, digits and -"
                .into(),
        });
    }
    let Some(scenario) = folder.files.get(SCENARIO_FILE) else {
        let reason = "there is no scenario.yaml in it".into();
        all.insert(Mistake { file: folder.shown.clone(), line: 0, reason });
        return Err(all.into_iter().collect());
    };
    for (path, file) in &folder.files {
        let is_step =
            path.strip_prefix("steps/").is_some_and(|name| !name.contains('/') && name.ends_with(".md"));
        if path != SCENARIO_FILE && !is_step {
            let reason = "a scenario consists of scenario.yaml and steps/<id>.md; this is neither".into();
            all.insert(Mistake { file: file.shown.clone(), line: 0, reason });
        }
    }
    let mut mistakes = Mistakes::of(&scenario.shown);
    let values = Values::read(&scenario.text, &mut mistakes);
    let mut editions = Vec::new();
    if let Some(values) = &values {
        for (profile, line) in PROFILES.into_iter().flat_map(|p| ReleaseLine::ALL.map(|line| (p, line))) {
            let edition =
                Edition { folder, scenario, known, profile, line, chosen: values.chosen(profile, line) };
            let (read, found) = edition.read(number.unwrap_or_default());
            editions.extend(read.map(|scenario| (profile, line, scenario)));
            all.extend(found);
        }
        // Without the shape, nobody knows which texts there are and what they use.
        if !editions.is_empty() {
            values.note_unused(&mut mistakes);
        }
    }
    all.extend(mistakes.into_list());
    if all.is_empty() { Ok(Editions(editions)) } else { Err(all.into_iter().collect()) }
}

/// `NN` of a folder called `NN-name`.
fn number_of(name: &str) -> Option<u32> {
    let (number, name) = name.split_once('-')?;
    let digits = number.len() == 2 && number.bytes().all(|letter| letter.is_ascii_digit());
    if digits && is_id(name) { number.parse().ok() } else { None }
}

/// Whether this can be the name of a file and of a thing in a list.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
}

/// What one reading is made from.
struct Edition<'a> {
    folder: &'a Folder,
    scenario: &'a File,
    known: &'a Known<'a>,
    profile: Profile,
    line: ReleaseLine,
    chosen: Chosen<'a>,
}

impl Edition<'_> {
    fn read(&self, number: u32) -> (Option<Scenario>, Vec<Mistake>) {
        let mut mistakes = Mistakes::of(&self.scenario.shown);
        let filled = self.chosen.fill_in(&self.scenario.text, &mut mistakes);
        let Some(raw) = mistakes.yaml::<ScenarioFile>(&filled) else {
            misshapen_steps(&filled, &mut mistakes);
            return (None, mistakes.into_list());
        };
        if !is_id(&raw.id.value) {
            mistakes.add(&raw.id, "an id is made of small letters, digits and -");
        }
        if raw.title.trim().is_empty() || raw.about.trim().is_empty() {
            mistakes.add(&raw.id, "a scenario has a title and says what it is about");
        }
        if raw.steps.is_empty() {
            mistakes.add(&raw.id, "a scenario has steps");
        }
        let quota = raw.quota.as_ref().map(|quota| {
            bound::bytes(&quota.value).map_err(|reason| mistakes.add(quota, reason)).unwrap_or_default()
        });
        let mut scope = Scope::new(self.known, raw.topology, self.profile, mistakes);
        let mut elsewhere = self.texts_of_nothing(&raw);
        let mut ids = BTreeSet::new();
        let mut steps: Vec<Step> = Vec::new();
        for step in &raw.steps {
            let StepFile { id, .. } = &step.value;
            if !is_id(&id.value) {
                scope.mistakes.add(id, "an id is made of small letters, digits and -");
            }
            if !ids.insert(&id.value) {
                scope.mistakes.add(id, format!("another step has the id {} too", id.value));
            }
            let path = format!("steps/{}.md", id.value);
            let file = self.folder.files.get(&path);
            if file.is_none() {
                scope.mistakes.add(id, format!("its text is missing: {path}"));
            }
            let text = |around: &Surroundings<'_>| {
                let Some(file) = file else { return StepText::default() };
                let mut mistakes = Mistakes::of(&file.shown);
                let filled = self.chosen.fill_in(&file.text, &mut mistakes);
                let text = text::read(&filled, self.line, around, &mut mistakes);
                elsewhere.extend(mistakes.into_list());
                text
            };
            steps.push(step::step(&mut scope, step, text));
        }
        let scenario = Scenario {
            id: raw.id.value,
            number,
            title: raw.title,
            about: raw.about.trim().to_owned(),
            minutes: match self.profile {
                Profile::Quick => raw.minutes.quick,
                Profile::Talk => raw.minutes.talk,
            },
            profile: self.profile,
            topology: raw.topology,
            quota_bytes: quota,
            steps,
        };
        elsewhere.extend(scope.mistakes.into_list());
        (Some(scenario), elsewhere)
    }

    /// Texts that belong to no step.
    fn texts_of_nothing(&self, raw: &ScenarioFile) -> Vec<Mistake> {
        let of_steps: BTreeSet<String> =
            raw.steps.iter().map(|step| format!("steps/{}.md", step.value.id.value)).collect();
        let texts = self.folder.files.iter().filter(|(path, _)| path.starts_with("steps/"));
        let of_nothing = texts.filter(|(path, _)| !of_steps.contains(*path));
        of_nothing
            .map(|(_, file)| Mistake {
                file: file.shown.clone(),
                line: 0,
                reason: "no step has this id".into(),
            })
            .collect()
    }
}

/// The first mistake in the shape of each step: a whole file's reading ends at its first one.
fn misshapen_steps(text: &str, mistakes: &mut Mistakes) {
    /// Where steps begin.
    #[derive(Deserialize)]
    struct OnlySteps {
        steps: Vec<Spanned<IgnoredAny>>,
    }
    // An anchor reaches from one step into another.
    if text.contains(" &") {
        return;
    }
    let Ok(OnlySteps { steps }) = serde_saphyr::from_str(text) else { return };
    let begins: Vec<u64> = steps.iter().map(|step| step.referenced.line()).collect();
    for (at, begin) in begins.iter().enumerate() {
        let end = begins.get(at + 1).copied().unwrap_or(u64::MAX);
        // Empty lines in place of all the others keep the step on its lines.
        let lines = (1..).zip(text.lines()).map(
            |(number, line)| {
                if (*begin..end).contains(&number) { line } else { "" }
            },
        );
        let alone: Vec<&str> = lines.collect();
        mistakes.yaml::<Vec<Spanned<StepFile>>>(&alone.join("\n"));
    }
}
