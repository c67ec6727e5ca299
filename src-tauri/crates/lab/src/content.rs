//! What people write for the lab: scenarios, diagrams and terms, from `src-tauri/scenarios`. All of that folder is
//! embedded, so adding to it is adding files; another folder of the same form can be read in its place, to check it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use lab_cluster::Topology;
use rust_embed::Embed;

use crate::api::Profile;
use crate::diagram::{self, Diagram, Placed};
use crate::glossary::{self, Glossary};
use crate::mistake::Mistake;
use crate::release_line::ReleaseLine;
use crate::scenario::model::Scenario;
use crate::scenario::{self, Editions, Known, SCENARIO_FILE};

const DIAGRAMS: &str = "diagrams";
const GLOSSARY_FILE: &str = "glossary.yaml";

/// How deep files lie: `NN-name/steps/id.md`.
const DEPTH: u32 = 3;
/// Largest file that is read: more than anybody writes by hand.
const FILE_BYTES: u64 = 1 << 20;

#[derive(Embed)]
#[folder = "../../scenarios"]
struct Embedded;

/// A file that somebody wrote.
#[derive(Clone, Debug)]
pub struct File {
    /// As people know it.
    pub shown: String,
    /// What is in it.
    pub text: String,
}

/// A folder and what lies in it.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// As people know it.
    pub shown: String,
    /// By path within it, with `/`.
    pub files: BTreeMap<String, File>,
}

/// Scenarios, diagrams and terms that go together.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// In their order.
    pub diagrams: Vec<Diagram>,
    /// Terms.
    pub glossary: Glossary,
    /// By number.
    pub scenarios: Vec<Editions>,
}

impl Content {
    /// A scenario, for a profile on a release line.
    pub fn scenario(&self, id: &str, profile: Profile, line: ReleaseLine) -> Option<&Scenario> {
        let editions = self.scenarios.iter().find(|scenario| scenario.id() == id)?;
        Some(editions.of(profile, line))
    }
}

/// What comes with the lab.
pub fn builtin() -> &'static Content {
    static CONTENT: LazyLock<Content> = LazyLock::new(|| {
        // The tests read all of it, and building does; what has a mistake is left out.
        read(&embedded(), None).0
    });
    &CONTENT
}

/// Reads a folder of scenarios, or that of a single one, which may lean on terms and diagrams beside it. Where it has
/// no glossary or no diagrams, the lab's own count. What has a mistake is left out of the content.
pub fn read_folder(path: &Path) -> (Content, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let folder = if path.join(SCENARIO_FILE).exists() {
        single(path, &mut mistakes)
    } else {
        let mut folder = Folder { shown: path.display().to_string(), ..Folder::default() };
        take_in(path, "", DEPTH, &mut folder.files, &mut mistakes);
        if mistakes.is_empty() && !folder.files.keys().any(|file| file.contains('/') || file == GLOSSARY_FILE)
        {
            let reason = "neither a scenario nor a folder of scenarios".into();
            mistakes.push(Mistake { file: folder.shown.clone(), line: 0, reason });
        }
        folder
    };
    let (content, found) = read(&folder, Some(builtin()));
    mistakes.extend(found);
    (content, mistakes)
}

/// The folder that was embedded.
fn embedded() -> Folder {
    let shown = "src-tauri/scenarios";
    let files = Embedded::iter().filter_map(|path| {
        let text = String::from_utf8(Embedded::get(&path)?.data.into_owned()).ok()?;
        Some((path.to_string(), File { shown: format!("{shown}/{path}"), text }))
    });
    Folder { name: String::new(), shown: shown.into(), files: files.collect() }
}

/// A scenario's folder, and what lies beside it, as if nothing else did.
fn single(path: &Path, mistakes: &mut Vec<Mistake>) -> Folder {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let absolute = absolute.canonicalize().unwrap_or(absolute);
    let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut folder = Folder { shown: path.display().to_string(), ..Folder::default() };
    take_in(path, &format!("{name}/"), DEPTH - 1, &mut folder.files, mistakes);
    let beside = path.join("..");
    take_in_file(&beside.join(GLOSSARY_FILE), GLOSSARY_FILE, &mut folder.files, mistakes);
    if beside.join(DIAGRAMS).is_dir() {
        take_in(&beside.join(DIAGRAMS), &format!("{DIAGRAMS}/"), 1, &mut folder.files, mistakes);
    }
    folder
}

/// Takes in the files of a folder, those of hidden ones left out.
fn take_in(
    path: &Path,
    within: &str,
    depth: u32,
    files: &mut BTreeMap<String, File>,
    mistakes: &mut Vec<Mistake>,
) {
    let mut unread = |path: &Path, error: std::io::Error| {
        let reason = format!("it can't be read: {error}");
        mistakes.push(Mistake { file: path.display().to_string(), line: 0, reason });
    };
    let entries = match std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => return unread(path, error),
    };
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') {
            continue;
        }
        if !path.is_dir() {
            take_in_file(&path, &format!("{within}{name}"), files, mistakes);
        } else if depth > 1 {
            take_in(&path, &format!("{within}{name}/"), depth - 1, files, mistakes);
        }
    }
}

fn take_in_file(path: &Path, key: &str, files: &mut BTreeMap<String, File>, mistakes: &mut Vec<Mistake>) {
    let shown = path.display().to_string();
    let reason = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => format!("it can't be read: {error}"),
        Ok(file) if !file.is_file() => "it is no file".into(),
        Ok(file) if file.len() > FILE_BYTES => format!("it is larger than {} KiB", FILE_BYTES >> 10),
        Ok(_) => match std::fs::read_to_string(path) {
            Ok(text) => return drop(files.insert(key.to_owned(), File { shown, text })),
            Err(error) => format!("it can't be read: {error}"),
        },
    };
    mistakes.push(Mistake { file: shown, line: 0, reason });
}

/// Reads everything in a folder of scenarios. Where it has no glossary or no diagrams, those of `otherwise` count.
fn read(folder: &Folder, otherwise: Option<&Content>) -> (Content, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let mut content =
        otherwise.map(|other| Content { scenarios: Vec::new(), ..other.clone() }).unwrap_or_default();
    let beneath = subfolders(folder);
    if let Some(folder) = beneath.get(DIAGRAMS) {
        content.diagrams = diagrams(folder, &mut mistakes);
    }
    if let Some(file) = folder.files.get(GLOSSARY_FILE) {
        let (glossary, found) = glossary::read(&file.shown, &file.text);
        content.glossary = glossary;
        mistakes.extend(found);
    }
    let members = Topology::etcd().map(|topology| topology.members).unwrap_or_default();
    let members: Vec<String> = members.into_iter().map(|member| member.name).collect();
    let known = Known { diagrams: &content.diagrams, terms: content.glossary.ids(), members: &members };
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (name, folder) in beneath.iter().filter(|(name, _)| *name != DIAGRAMS) {
        match scenario::read(folder, &known) {
            Ok(editions) => {
                for what in [format!("id {}", editions.id()), format!("number {:02}", editions.number())] {
                    if let Some(other) = taken.get(&what) {
                        let reason = format!("{other} has the {what} too");
                        mistakes.push(Mistake { file: folder.shown.clone(), line: 0, reason });
                    }
                    taken.insert(what, name.clone());
                }
                content.scenarios.push(editions);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    content.scenarios.sort_by_key(Editions::number);
    mistakes.sort();
    (content, mistakes)
}

/// The folders in a folder, each with its own files.
fn subfolders(folder: &Folder) -> BTreeMap<String, Folder> {
    let mut beneath: BTreeMap<String, Folder> = BTreeMap::new();
    for (path, file) in &folder.files {
        let Some((name, rest)) = path.split_once('/') else { continue };
        let into = beneath.entry(name.to_owned()).or_insert_with(|| Folder {
            name: name.to_owned(),
            shown: file.shown.strip_suffix(rest).unwrap_or(&file.shown).trim_end_matches('/').to_owned(),
            files: BTreeMap::new(),
        });
        into.files.insert(rest.to_owned(), file.clone());
    }
    beneath
}

fn diagrams(folder: &Folder, mistakes: &mut Vec<Mistake>) -> Vec<Diagram> {
    let mut placed: Vec<Placed> = Vec::new();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for file in folder.files.values() {
        match diagram::read(&file.shown, &file.text) {
            Ok(read) => {
                let mut mistake =
                    |reason| mistakes.push(Mistake { file: file.shown.clone(), line: 0, reason });
                if !ids.insert(read.diagram.id.clone()) {
                    mistake(format!("another diagram has the id {} too", read.diagram.id));
                }
                if !places.insert(read.place) {
                    mistake(format!("another diagram has place {} too", read.place));
                }
                placed.push(read);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    placed.sort_by_key(|placed| placed.place);
    placed.into_iter().map(|placed| placed.diagram).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_by_hand_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let glossary = folder.path().join(GLOSSARY_FILE);
        std::fs::write(&glossary, vec![b'#'; FILE_BYTES as usize + 1]).unwrap();
        let (_, mistakes) = read_folder(folder.path());
        let told: Vec<&str> = mistakes.iter().map(|mistake| mistake.reason.as_str()).collect();
        assert_eq!(told, ["it is larger than 1024 KiB"]);
        std::fs::remove_file(&glossary).unwrap();
        // Reading from it would never end.
        std::os::unix::fs::symlink("/dev/zero", &glossary).unwrap();
        let (_, mistakes) = read_folder(folder.path());
        assert_eq!(mistakes[0].reason, "it is no file");
    }

    #[test]
    fn what_is_embedded_has_no_mistake() {
        let (content, mistakes) = read(&embedded(), None);
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
        let Content { diagrams, glossary, scenarios } = content;
        assert!(!diagrams.is_empty() && !glossary.terms.is_empty() && !scenarios.is_empty());
    }
}
