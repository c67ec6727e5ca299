//! Go modules linked into the sidecars, as the binaries themselves tell them.
//!
//! Go modules don't state their licence, so it is recognised in the text; a text that isn't recognised is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Component;
use crate::{etcd, licence_files, repo};

/// The standard library comes under the same text and authors as the `golang.org/x` modules, and distributions' Go
/// doesn't always carry the file.
const LIKE_THE_STANDARD_LIBRARY: &str = "golang.org/x/sys";

/// A sentence or heading of each licence, in the order in which they are looked for.
const RECOGNISED: [(&str, &str); 6] = [
    ("Mozilla Public License Version 2.0", "MPL-2.0"),
    ("Apache License Version 2.0", "Apache-2.0"),
    ("Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    ("Permission to use, copy, modify, and/or distribute this software for any purpose", "ISC"),
    ("Neither the name of", "BSD-3-Clause"),
    ("Redistributions of source code must retain the above copyright notice", "BSD-2-Clause"),
];

/// Every module in the sidecars of every etcd version; all of them are bundled.
pub fn gather() -> Result<Vec<Component>> {
    let mut components = Vec::new();
    for entry in etcd::built()? {
        let licences = entry.join("licences");
        let files = licence_files::below(&licences)?;
        let modules = linked(&entry.join("bin"))?;
        let paths: Vec<&str> = modules.iter().map(|(path, _)| path.as_str()).collect();
        for (name, version) in &modules {
            let looked_up = if name == "std" { LIKE_THE_STANDARD_LIBRARY } else { name };
            let own: Vec<PathBuf> = files
                .iter()
                .filter(|file| owner(file, &licences, &paths) == Some(looked_up))
                .cloned()
                .collect();
            let texts = licence_files::read(&own)?;
            components.push(Component {
                kind: "Go module",
                name: name.clone(),
                version: version.clone(),
                licence: texts.iter().find_map(|text| recognise(text)).unwrap_or_default().to_owned(),
                bundled: true,
                texts,
            });
        }
    }
    Ok(components)
}

/// Path and version of each module in the folder's programs, the standard library as `std`.
fn linked(programs: &Path) -> Result<BTreeSet<(String, String)>> {
    let output = Command::new("go")
        .args(["version", "-m"])
        .arg(programs)
        .current_dir(repo::root())
        .output()
        .context("cannot run go version -m; `make setup` says how to get Go")?;
    if !output.status.success() {
        bail!("go version -m failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(modules(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads what `go version -m` prints: a line `FILE: goVERSION` for each program, below it `dep PATH VERSION SUM`.
fn modules(printed: &str) -> BTreeSet<(String, String)> {
    let mut modules = BTreeSet::new();
    for line in printed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["dep", path, version, ..] => modules.insert(((*path).to_owned(), (*version).to_owned())),
            [file, version] if file.ends_with(':') && version.starts_with("go") => {
                modules.insert(("std".to_owned(), (*version).to_owned()))
            }
            _ => false,
        };
    }
    modules
}

/// The module that a licence file belongs to: of those whose folder it is in, the innermost.
fn owner<'a>(file: &Path, licences: &Path, modules: &[&'a str]) -> Option<&'a str> {
    let file = file.strip_prefix(licences).ok()?;
    modules.iter().filter(|module| file.starts_with(module)).max_by_key(|module| module.len()).copied()
}

fn recognise(text: &str) -> Option<&'static str> {
    // Quotation and comment marks stand in the middle of sentences that go on on the next line.
    let is_word = |word: &&str| word.contains(char::is_alphanumeric);
    let words: Vec<&str> = text.split_whitespace().filter(is_word).collect();
    let text = words.join(" ").to_ascii_lowercase();
    let found = |(sentence, _): &&(&str, &str)| text.contains(&sentence.to_ascii_lowercase());
    RECOGNISED.iter().find(found).map(|(_, licence)| *licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_modules_and_gos_version_from_the_binaries_build_information() {
        let printed = "bin/etcd: go1.26.8\n\tpath\tgo.etcd.io/etcd/server/v3\n\tdep\ta.b/c\tv1.0.0\th1:x=\n\
                       bin/etcdctl: go1.26.8\n\tdep\ta.b/c\tv1.0.0\th1:x=\n\tdep\ta.b/d\tv2.0.0\n\tbuild\tCGO_ENABLED=0\n";
        let modules: Vec<_> = modules(printed).into_iter().collect();
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(modules, [pair("a.b/c", "v1.0.0"), pair("a.b/d", "v2.0.0"), pair("std", "go1.26.8")]);
    }

    #[test]
    fn a_file_belongs_to_the_innermost_module() {
        let owner = |file: &str| owner(Path::new(file), Path::new("/l"), &["go.io/otel", "go.io/otel/sdk"]);
        assert_eq!(owner("/l/go.io/otel/LICENSE"), Some("go.io/otel"));
        assert_eq!(owner("/l/go.io/otel/internal/forked/LICENSE"), Some("go.io/otel"));
        assert_eq!(owner("/l/go.io/otel/sdk/LICENSE"), Some("go.io/otel/sdk"));
        assert_eq!(owner("/l/go.io/otelgrpc/LICENSE"), None);
    }

    #[test]
    fn recognises_licences_however_they_are_wrapped_and_no_others() {
        assert_eq!(recognise("      Apache License\n   Version 2.0, January 2004"), Some("Apache-2.0"));
        let bsd = "Redistributions of source code must retain the above\n copyright notice";
        assert_eq!(recognise(bsd), Some("BSD-2-Clause"));
        assert_eq!(recognise(&format!("{bsd}\n * Neither the name of Google")), Some("BSD-3-Clause"));
        assert_eq!(
            recognise("> Redistributions of source code must\n> retain the above copyright notice"),
            Some("BSD-2-Clause")
        );
        assert_eq!(recognise("GNU GENERAL PUBLIC LICENSE Version 3"), None);
    }
}
