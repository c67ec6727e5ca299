//! Which etcd versions are built, and which programs of each. A version's number is written in its `go.mod` and
//! nowhere else: the sidecars' names follow from it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repo;

/// One of the Go modules under `compose/etcd-image`.
pub struct Pin {
    /// etcd's version without the `v`, such as `3.5.9`.
    pub version: String,
    /// The Go version that the module asks for, such as `1.26.0`.
    pub go: String,
    /// The module's folder.
    pub module: PathBuf,
    /// What is built from it.
    pub programs: Vec<Program>,
}

/// A program and the Go package it is built from.
#[derive(Clone, Copy)]
pub struct Program {
    /// What people call it.
    pub name: &'static str,
    /// Import path of its `main` package.
    pub package: &'static str,
}

const SERVER_MODULE: &str = "go.etcd.io/etcd/server/v3";

const PROGRAMS: [Program; 4] = [
    Program { name: "etcd", package: SERVER_MODULE },
    Program { name: "etcdctl", package: "go.etcd.io/etcd/etcdctl/v3" },
    Program { name: "benchmark", package: "go.etcd.io/etcd/v3/tools/benchmark" },
    Program { name: "bridge", package: "go.etcd.io/etcd/v3/tools/local-tester/bridge" },
];

impl Program {
    /// Whether it is what a member runs, and not a tool beside it.
    pub fn is_server(&self) -> bool {
        self.package == SERVER_MODULE
    }
}

impl Pin {
    fn read(module: PathBuf) -> Result<Self> {
        let (go_mod, tools) = (read(&module.join("go.mod"))?, read(&module.join("tools.go"))?);
        let version = directive(&go_mod, SERVER_MODULE)
            .and_then(|version| version.strip_prefix('v'))
            .with_context(|| format!("{}/go.mod requires no {SERVER_MODULE}", module.display()))?;
        let go = directive(&go_mod, "go")
            .with_context(|| format!("{}/go.mod has no go directive", module.display()))?;
        // The imports that keep a package in the module's vendor folder also say that it is wanted from there.
        let imported = |program: &&Program| tools.contains(&format!("\"{}\"", program.package));
        Ok(Self {
            version: version.to_owned(),
            go: go.to_owned(),
            programs: PROGRAMS.iter().filter(imported).copied().collect(),
            module,
        })
    }

    /// The program's file name where Tauri and the lab look for it, without a folder.
    pub fn sidecar(&self, program: &Program, triple: &str) -> String {
        format!("etcd-lab-{}-{}-{triple}", program.name, self.version)
    }
}

/// Every pinned version, oldest folder name first.
pub fn pins() -> Result<Vec<Pin>> {
    let image = repo::etcd_image();
    let mut modules = Vec::new();
    for entry in fs::read_dir(&image).with_context(|| format!("cannot read {}", image.display()))? {
        let path = entry?.path();
        if path.join("tools.go").is_file() {
            modules.push(path);
        }
    }
    modules.sort();
    modules.into_iter().map(Pin::read).collect()
}

/// The word after `name` on the `go.mod` line that starts with it.
fn directive<'a>(go_mod: &'a str, name: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word == "require");
        (words.next() == Some(name)).then(|| words.next()).flatten()
    })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directive_reads_blocks_and_single_lines() {
        let go_mod =
            "module m\n\ngo 1.26.0\n\nrequire a/b v1.0.0\nrequire (\n\ta/b/c v2.0.0 // indirect\n)\n";
        assert_eq!(directive(go_mod, "go"), Some("1.26.0"));
        assert_eq!(directive(go_mod, "a/b"), Some("v1.0.0"));
        assert_eq!(directive(go_mod, "a/b/c"), Some("v2.0.0"));
        assert_eq!(directive(go_mod, "a"), None);
    }

    #[test]
    fn every_version_has_etcd_and_etcdctl() {
        let pins = pins().expect("the pinned modules are readable");
        assert!(pins.len() >= 2, "two versions of etcd are compared, found {}", pins.len());
        for pin in pins {
            let names: Vec<_> = pin.programs.iter().map(|program| program.name).collect();
            assert!(names.starts_with(&["etcd", "etcdctl"]), "{}: {names:?}", pin.version);
        }
    }

    #[test]
    fn etcds_own_benchmark_and_bridge_come_from_the_talks_version() {
        let pins = pins().expect("the pinned modules are readable");
        let talk = pins.iter().find(|pin| pin.version == "3.5.9").expect("3.5.9 is pinned");
        let names: Vec<_> = talk.programs.iter().map(|program| program.name).collect();
        assert_eq!(names, ["etcd", "etcdctl", "benchmark", "bridge"]);
    }
}
