//! Rust crates, as `cargo metadata` tells them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Component;
use crate::{licence_files, repo};

/// The crates whose programs are bundled.
const PROGRAMS: [&str; 2] = ["etcd-lab", "etcd-labctl"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    /// Nothing for the crates of this workspace.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `build` or `dev`; nothing for what ends up in the program.
    kind: Option<String>,
}

/// Every crate of others, and the Rust standard library. Bundled is what this machine's programs are linked from;
/// judged is what any machine's are.
pub fn gather() -> Result<Vec<Component>> {
    let linked = linked(&metadata(&["--filter-platform", repo::HOST_TRIPLE])?)?;
    let mut components = vec![Component {
        kind: "crate",
        name: "std, the Rust standard library".to_owned(),
        version: String::new(),
        licence: "MIT OR Apache-2.0".to_owned(),
        bundled: true,
        texts: Vec::new(),
    }];
    for package in metadata(&[])?.packages.into_iter().filter(|package| package.source.is_some()) {
        let bundled = linked.contains(&package.id);
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        let texts =
            if bundled { licence_files::read(&licence_files::in_folder(folder)?)? } else { Vec::new() };
        components.push(Component {
            kind: "crate",
            licence: package.license.unwrap_or_default(),
            name: package.name,
            version: package.version,
            bundled,
            texts,
        });
    }
    Ok(components)
}

fn metadata(arguments: &[&str]) -> Result<Metadata> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo::root()).args(["metadata", "--format-version", "1"]).args(arguments);
    let output = cargo.output().context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata's answer has another shape than expected")
}

/// Ids of all packages that the bundled programs are linked from: over normal dependencies only.
fn linked(metadata: &Metadata) -> Result<HashSet<String>> {
    let nodes: HashMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut pending = Vec::new();
    for program in PROGRAMS {
        let package =
            metadata.packages.iter().find(|package| package.name == program && package.source.is_none());
        pending.push(package.with_context(|| format!("no crate {program} in the workspace"))?.id.as_str());
    }
    let mut linked = HashSet::new();
    while let Some(id) = pending.pop() {
        if linked.insert(id.to_owned()) {
            let node = nodes.get(id).with_context(|| format!("{id} is not resolved"))?;
            let normal =
                |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
            pending.extend(node.deps.iter().filter(normal).map(|dependency| dependency.pkg.as_str()));
        }
    }
    Ok(linked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_and_test_dependencies_are_not_linked() {
        let metadata: Metadata = serde_json::from_str(
            r#"{
              "packages": [
                {"id": "app", "name": "etcd-lab", "version": "1.0.0", "manifest_path": "/a/Cargo.toml"},
                {"id": "ctl", "name": "etcd-labctl", "version": "1.0.0", "manifest_path": "/c/Cargo.toml"}
              ],
              "resolve": {"nodes": [
                {"id": "app", "deps": [
                  {"pkg": "linked", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                  {"pkg": "builds", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "ctl", "deps": []},
                {"id": "linked", "deps": [
                  {"pkg": "deep", "dep_kinds": [{"kind": null}]},
                  {"pkg": "tests", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "deep", "deps": []},
                {"id": "builds", "deps": []},
                {"id": "tests", "deps": []}
              ]}
            }"#,
        )
        .expect("well-formed");
        let mut ids: Vec<_> = linked(&metadata).expect("resolved").into_iter().collect();
        ids.sort();
        assert_eq!(ids, ["app", "ctl", "deep", "linked"]);
    }
}
