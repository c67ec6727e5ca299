//! `cargo xtask licences`: checks that every dependency may be used, and writes the notices that go with the bundle.
//!
//! Three sources, one file each: crates ([`crates`]), Go modules in the sidecars ([`modules`]), npm packages in the
//! window ([`npm`]). They only gather; [`allowed`] judges and [`notices`] writes.

mod allowed;
mod crates;
mod modules;
mod notices;
mod npm;

use std::fs;

use anyhow::{Context, Result, bail};

use crate::repo;

/// Something of others' that this project uses.
pub struct Component {
    /// Where it comes from, in a word: `crate`, `Go module` or `npm package`.
    pub kind: &'static str,
    pub name: String,
    pub version: String,
    /// An SPDX expression; empty when the package states none.
    pub licence: String,
    /// What is in the bundle, as opposed to what only builds or tests it.
    pub bundled: bool,
    /// Licence and notice files of what is bundled.
    pub texts: Vec<String>,
}

/// Fails, naming each, when a dependency's licence is not on the list; writes the notices otherwise.
pub fn run() -> Result<()> {
    let mut components = crates::gather()?;
    components.extend(modules::gather()?);
    components.extend(npm::gather()?);

    let refused: Vec<String> = components.iter().filter_map(allowed::objection).collect();
    if !refused.is_empty() {
        bail!(
            "licences that are not on the list (xtask/src/licences/allowed.rs):\n  {}",
            refused.join("\n  ")
        );
    }

    let own = fs::read_to_string(repo::root().join("LICENSE")).context("cannot read LICENSE")?;
    let bundled: Vec<Component> = components.into_iter().filter(|component| component.bundled).collect();
    let target = repo::notices();
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&target, notices::write(&bundled, &own))
        .with_context(|| format!("cannot write {}", target.display()))?;
    println!("{} bundled components, their notices in {}", bundled.len(), target.display());
    Ok(())
}
