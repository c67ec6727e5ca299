//! npm packages, as the UI's lock file tells them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Component;
use crate::{licence_files, repo};

/// Its runtime is compiled into the window, though it is listed as a tool.
const COMPILED_IN: &str = "svelte";

#[derive(Deserialize)]
struct Lock {
    /// By folder, such as `node_modules/a/node_modules/b`; the UI itself under the empty name.
    packages: BTreeMap<String, Package>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    version: String,
    #[serde(default)]
    license: String,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
}

/// Every npm package of the UI. Bundled are what it depends on at run time and Svelte, with what these need.
pub fn gather() -> Result<Vec<Component>> {
    let ui = repo::root().join("ui");
    let path = ui.join("package-lock.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lock: Lock =
        serde_json::from_str(&text).with_context(|| format!("{} has an unexpected shape", path.display()))?;
    let bundled = bundled(&lock);

    let mut components = Vec::new();
    for (folder, package) in lock.packages.iter().filter(|(folder, _)| !folder.is_empty()) {
        let bundled = bundled.contains(folder.as_str());
        let texts = if bundled {
            let files = licence_files::in_folder(&ui.join(folder));
            licence_files::read(&files.context("the UI's modules are not installed; run: make setup")?)?
        } else {
            Vec::new()
        };
        components.push(Component {
            kind: "npm package",
            name: name(folder).to_owned(),
            version: package.version.clone(),
            licence: package.license.clone(),
            bundled,
            texts,
        });
    }
    Ok(components)
}

fn name(folder: &str) -> &str {
    folder.rsplit_once("node_modules/").map_or(folder, |(_, name)| name)
}

/// The folders of all packages that the window is made of.
fn bundled(lock: &Lock) -> BTreeSet<&str> {
    let mut bundled = BTreeSet::new();
    let mut pending: Vec<&str> = installed(lock, "", COMPILED_IN).into_iter().collect();
    pending.push("");
    while let Some(folder) = pending.pop() {
        if bundled.insert(folder) {
            let wanted =
                lock.packages.get(folder).into_iter().flat_map(|package| package.dependencies.keys());
            pending.extend(wanted.filter_map(|name| installed(lock, folder, name)));
        }
    }
    bundled.remove("");
    bundled
}

/// Where the package of this name that `folder` sees is installed: its own, or that of the nearest folder around it.
fn installed<'a>(lock: &'a Lock, folder: &str, name: &str) -> Option<&'a str> {
    let mut around = Some(folder);
    while let Some(folder) = around {
        let candidate = if folder.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{folder}/node_modules/{name}")
        };
        if let Some((found, _)) = lock.packages.get_key_value(&candidate) {
            return Some(found);
        }
        around = match folder.rsplit_once("/node_modules/") {
            Some((outer, _)) => Some(outer),
            None if folder.is_empty() => None,
            None => Some(""),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_is_what_the_window_is_made_of_in_the_version_it_sees() {
        let lock: Lock = serde_json::from_str(
            r#"{"packages": {
              "": {"dependencies": {"@scope/chart": "1"}, "devDependencies": {"svelte": "5", "lint": "1"}},
              "node_modules/@scope/chart": {"version": "1.0.0", "dependencies": {"math": "2", "optional": "1"}},
              "node_modules/@scope/chart/node_modules/math": {"version": "2.0.0", "dependencies": {"bits": "1"}},
              "node_modules/bits": {"version": "1.0.0"},
              "node_modules/lint": {"version": "1.0.0", "dependencies": {"math": "1"}},
              "node_modules/math": {"version": "1.0.0"},
              "node_modules/svelte": {"version": "5.0.0"}
            }}"#,
        )
        .expect("well-formed");
        let bundled: Vec<&str> = bundled(&lock).into_iter().collect();
        assert_eq!(
            bundled,
            [
                "node_modules/@scope/chart",
                "node_modules/@scope/chart/node_modules/math",
                "node_modules/bits",
                "node_modules/svelte"
            ]
        );
        assert_eq!(name("node_modules/@scope/chart/node_modules/math"), "math");
        assert_eq!(name("node_modules/@scope/chart"), "@scope/chart");
    }
}
