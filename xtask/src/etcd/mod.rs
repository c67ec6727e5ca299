//! `cargo xtask etcd`: etcd with failpoints, from public Go modules, as sidecars of the app.
//!
//! Three parts: [`pin`] says which versions and programs, [`build`] makes them once into the cache, and [`place`]
//! puts them where Tauri looks. When everything is in the cache, Go isn't needed at all.

mod build;
mod go;
mod pin;
pub mod place;

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::repo;

pub use go::Platform;

/// Builds what is missing from the cache and places the sidecars of every pinned version.
pub fn run() -> Result<()> {
    let programs = programs(Platform::host()?, repo::HOST_TRIPLE)?;
    place::sidecars(&programs, &repo::sidecars(), repo::HOST_TRIPLE)
}

/// The programs of every pinned version for a platform, built where they are missing from the cache, each with its
/// sidecar's name for that triple.
pub fn programs(platform: Platform, triple: &str) -> Result<Vec<(PathBuf, String)>> {
    let cache = repo::etcd_cache();
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    // Two builds at once would do the same work twice and remove each other's unfinished folders.
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).with_context(|| format!("cannot create {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;

    let mut programs = Vec::new();
    for pin in pin::pins()? {
        let entry = build::cached(&pin, platform, &cache)?;
        for program in &pin.programs {
            programs.push((entry.join("bin").join(program.name), pin.sidecar(program, triple)));
        }
    }
    Ok(programs)
}

/// The cache folders of all pinned versions, each with `bin` and `licences`.
pub fn built() -> Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for pin in pin::pins()? {
        let entry = build::entry(&pin, Platform::host()?, &repo::etcd_cache())?;
        if !entry.is_dir() {
            bail!("etcd {} is not built; run: make etcd", pin.version);
        }
        entries.push(entry);
    }
    Ok(entries)
}
