//! Numbers of a scenario that differ by profile or release line: written once under `values`, put wherever `${name}`
//! stands, before anything else is read. No line is added or taken away, so that mistakes keep their lines.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::api::Profile;
use crate::mistake::Mistakes;
use crate::release_line::ReleaseLine;

type Table = BTreeMap<String, Spanned<String>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ValuesFile {
    quick: Table,
    talk: Table,
    #[serde(rename = "3.5")]
    on_3_5: Table,
    #[serde(rename = "3.7")]
    on_3_7: Table,
}

/// All that is known of a scenario's file before its values are filled in.
#[derive(Deserialize)]
struct OnlyValues {
    #[serde(default)]
    values: ValuesFile,
}

/// The values of a scenario.
#[derive(Debug)]
pub struct Values {
    tables: ValuesFile,
    used: RefCell<BTreeSet<String>>,
}

/// Those for one profile on one release line.
#[derive(Debug)]
pub struct Chosen<'a> {
    all: &'a Values,
    by_name: BTreeMap<&'a str, &'a str>,
}

impl Values {
    /// Reads the values of a scenario's file. `None` when the file can't be read at all.
    pub fn read(text: &str, mistakes: &mut Mistakes) -> Option<Self> {
        // A `${name}` in a list or a map isn't YAML; a number in its place is.
        let with_stand_ins = fill_in(text, |_| Some("0"), |_, _| {});
        let OnlyValues { values: tables } = mistakes.yaml(&with_stand_ins)?;
        let ValuesFile { quick, talk, on_3_5, on_3_7 } = &tables;
        for (profile, table, other, name_of_other) in
            [("quick", quick, talk, "talk"), ("talk", talk, quick, "quick")]
        {
            for (name, value) in table.iter().filter(|(name, _)| !other.contains_key(*name)) {
                mistakes.add(value, format!("{name} has a value in {profile} and none in {name_of_other}"));
            }
        }
        for (name, value) in on_3_5.iter().chain(on_3_7) {
            if !quick.contains_key(name) && !talk.contains_key(name) {
                mistakes
                    .add(value, format!("{name} has no value in quick and talk, whose place this one takes"));
            }
        }
        for value in [quick, talk, on_3_5, on_3_7].into_iter().flat_map(BTreeMap::values) {
            if value.value.contains('\n') {
                mistakes.add(value, "a value is one line");
            }
        }
        Some(Self { tables, used: RefCell::default() })
    }

    /// The values for a profile on a release line.
    pub fn chosen(&self, profile: Profile, line: ReleaseLine) -> Chosen<'_> {
        let by_profile = match profile {
            Profile::Quick => &self.tables.quick,
            Profile::Talk => &self.tables.talk,
        };
        let by_line = match line {
            ReleaseLine::V3_5 => &self.tables.on_3_5,
            ReleaseLine::V3_7 => &self.tables.on_3_7,
        };
        // What comes later takes the place of what is there.
        let by_name = by_profile.iter().chain(by_line);
        let by_name = by_name.map(|(name, value)| (name.as_str(), value.value.as_str())).collect();
        Chosen { all: self, by_name }
    }

    /// Notes each value that was filled in nowhere.
    pub fn note_unused(&self, mistakes: &mut Mistakes) {
        let used = self.used.borrow();
        let ValuesFile { quick, talk, .. } = &self.tables;
        for (name, value) in quick.iter().chain(talk).filter(|(name, _)| !used.contains(*name)) {
            mistakes.add(value, format!("nothing uses the value {name}"));
        }
    }
}

impl Chosen<'_> {
    /// `text` with the values filled in; what has none is noted.
    pub fn fill_in(&self, text: &str, mistakes: &mut Mistakes) -> String {
        let value = |name: &str| {
            let value = self.by_name.get(name).copied()?;
            self.all.used.borrow_mut().insert(name.to_owned());
            Some(value)
        };
        fill_in(text, value, |line, name| mistakes.add_at(line, format!("there is no value {name}")))
    }
}

/// `text` with each `${name}` replaced; one without a value becomes `0`, and is told with its line.
fn fill_in<'a>(
    text: &str,
    value: impl Fn(&str) -> Option<&'a str>,
    mut unknown: impl FnMut(u64, &str),
) -> String {
    let mut filled = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, beyond)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(value(name).unwrap_or_else(|| {
                unknown(number, name);
                "0"
            }));
            rest = beyond;
        }
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id: small
values:
  quick: { clients: 200, late: 10 }
  talk: { clients: 1000, late: 20 }
  \"3.7\": { late: 30 }
load: { clients: ${clients}, of: [${clients}] }
within: ${late}
";

    fn values(text: &str) -> (Option<Values>, Vec<String>) {
        let mut mistakes = Mistakes::of("f");
        let values = Values::read(text, &mut mistakes);
        (values, mistakes.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_value_is_the_profiles_unless_the_release_line_has_another() {
        let (Some(values), mistakes) = values(TEXT) else { panic!("it can be read") };
        assert_eq!(mistakes, [""; 0]);
        let mut mistakes = Mistakes::of("f");
        for (profile, line, expected) in [
            (Profile::Quick, ReleaseLine::V3_5, "200, of: [200] }\nwithin: 10\n"),
            (Profile::Quick, ReleaseLine::V3_7, "200, of: [200] }\nwithin: 30\n"),
            (Profile::Talk, ReleaseLine::V3_5, "1000, of: [1000] }\nwithin: 20\n"),
        ] {
            let filled = values.chosen(profile, line).fill_in(TEXT, &mut mistakes);
            assert!(filled.ends_with(expected), "{filled}");
            assert_eq!(filled.lines().count(), TEXT.lines().count());
        }
        values.note_unused(&mut mistakes);
        assert_eq!(mistakes.into_list(), []);
    }

    #[test]
    fn values_that_are_unknown_unused_or_only_in_one_profile_are_mistakes() {
        let (Some(used), _) = values(TEXT) else { panic!("it can be read") };
        let mut mistakes = Mistakes::of("f");
        used.chosen(Profile::Quick, ReleaseLine::V3_5).fill_in("\n\nx: ${clients} ${clientz}", &mut mistakes);
        used.note_unused(&mut mistakes);
        let told: Vec<String> = mistakes.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "f:3: there is no value clientz",
                "f:3: nothing uses the value late",
                "f:4: nothing uses the value late"
            ]
        );
        let cases = [
            (
                "talk: { clients: 1000, late: 20 }",
                "talk: { late: 20 }",
                "f:3: clients has a value in quick and none in talk",
            ),
            (
                "{ late: 30 }",
                "{ later: 30 }",
                "f:5: later has no value in quick and talk, whose place this one takes",
            ),
            ("\"3.7\"", "\"3.8\"", "f:5: unknown field"),
        ];
        for (from, to, expected) in cases {
            let (_, mistakes) = values(&TEXT.replacen(from, to, 1));
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{mistakes:?}");
        }
    }
}
