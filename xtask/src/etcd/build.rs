//! Building one etcd version into the cache.
//!
//! A cache entry is a folder that is complete when it has its name: the work is done in a temporary folder beside it
//! and renamed at the end, so a build that was interrupted leaves nothing that passes for whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::go::{self, Platform, go};
use super::pin::{Pin, Program};
use crate::{licence_files, repo};

/// Unfinished builds; removed by whoever builds next.
const UNFINISHED: &str = "unfinished-";

/// Says how entries are made. A change of the build's commands needs a new number, or old binaries stay in use.
const RECIPE: &str = "2";

/// Files of a module that say what is built.
const MODULE_FILES: [&str; 3] = ["go.mod", "go.sum", "tools.go"];

/// The cache folder of the version, whether it is there or not: programs are in `bin/NAME`, licence texts in
/// `licences/MODULE/…`.
pub fn entry(pin: &Pin, platform: Platform, cache: &Path) -> Result<PathBuf> {
    Ok(cache.join(format!("{}{}", of_version(pin, platform), digest(pin)?)))
}

/// What the names of a version's entries start with, whatever inputs they were made from.
fn of_version(pin: &Pin, Platform { os, arch }: Platform) -> String {
    format!("{}-{os}-{arch}-", pin.version)
}

/// The version's cache folder, built first if it isn't there.
pub fn cached(pin: &Pin, platform: Platform, cache: &Path) -> Result<PathBuf> {
    let entry = entry(pin, platform, cache)?;
    if entry.is_dir() {
        return Ok(entry);
    }

    go::check(&pin.module, &pin.go)?;
    remove_starting_with(cache, UNFINISHED)?;
    let Platform { os, arch } = platform;
    println!("building etcd {} with failpoints for {os}/{arch} (a minute or two, once)", pin.version);
    let started = Instant::now();
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(cache)
        .with_context(|| format!("cannot create a folder in {}", cache.display()))?;
    let source = work.path().join("source");
    let result = work.path().join("result");
    vendor(pin, &source)?;
    // The server alone gets failpoints. A tool with gofail in it would listen where GOFAIL_HTTP says, and so end at
    // once beside a member that does: etcdctl by `docker exec`, and in the health check of a container.
    let (servers, tools): (Vec<_>, Vec<_>) = pin.programs.iter().partition(|program| program.is_server());
    let bin = result.join("bin");
    compile(&tools, platform, &source, &bin)?;
    add_failpoints(&source)?;
    compile(&servers, platform, &source, &bin)?;
    keep_licences(&source.join("vendor"), &result.join("licences"))?;

    // Entries of this version made from other inputs are out of use from now on.
    remove_starting_with(cache, &of_version(pin, platform))?;
    fs::rename(&result, &entry).with_context(|| format!("cannot create {}", entry.display()))?;
    println!("built etcd {} in {:.0} s", pin.version, started.elapsed().as_secs_f64());
    Ok(entry)
}

/// A short digest of everything that the binaries are made from.
fn digest(pin: &Pin) -> Result<String> {
    let mut inputs: Vec<PathBuf> = MODULE_FILES.iter().map(|name| pin.module.join(name)).collect();
    let image = repo::etcd_image();
    inputs.push(image.join("go.mod"));
    let marker = image.join("mark");
    for file in fs::read_dir(&marker).with_context(|| format!("cannot read {}", marker.display()))? {
        let path = file?.path();
        if path.is_file() && !path.to_string_lossy().ends_with("_test.go") {
            inputs.push(path);
        }
    }
    inputs.sort();
    let mut hash = Sha256::new();
    hash.update(RECIPE);
    for input in inputs {
        hash.update(fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?);
        hash.update([0]);
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Copies the module to `source` and vendors what it needs, so that the sources can be changed.
fn vendor(pin: &Pin, source: &Path) -> Result<()> {
    fs::create_dir_all(source)?;
    for name in MODULE_FILES {
        let from = pin.module.join(name);
        fs::copy(&from, source.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    go::run(go(source).args(["mod", "vendor"]), "getting etcd's modules (go mod vendor)")
}

/// Puts our marker into the write-ahead log and makes code of all markers.
fn add_failpoints(source: &Path) -> Result<()> {
    let server = source.join("vendor/go.etcd.io/etcd/server/v3");
    // Up to 3.5, and from 3.6 on.
    let candidates = [server.join("wal/wal.go"), server.join("storage/wal/wal.go")];
    let logs: Vec<&PathBuf> = candidates.iter().filter(|path| path.is_file()).collect();
    let [log] = logs.as_slice() else {
        bail!("wanted one of {candidates:?} to put the failpoint into, found {}", logs.len());
    };
    go::run(
        go(&repo::etcd_image()).args(["run", "./mark"]).arg(log),
        "putting the failpoint into etcd's write-ahead log",
    )?;

    let marked = folders_with_markers(&source.join("vendor"))?;
    let mut gofail = go(source);
    gofail.args(["run", "-mod=vendor", "go.etcd.io/gofail", "enable"]).args(&marked);
    go::run(&mut gofail, "making code of the failpoints (gofail enable)")
}

/// Every vendored package with a gofail marker, gofail itself left out.
fn folders_with_markers(vendor: &Path) -> Result<Vec<PathBuf>> {
    let mut marked = Vec::new();
    let mut pending = vec![vendor.to_owned()];
    while let Some(folder) = pending.pop() {
        let mut has_marker = false;
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("go.etcd.io/gofail") {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "go") && !has_marker {
                has_marker = fs::read_to_string(&path)?.contains("// gofail:");
            }
        }
        if has_marker {
            marked.push(folder);
        }
    }
    marked.sort();
    Ok(marked)
}

fn compile(programs: &[&Program], platform: Platform, source: &Path, bin: &Path) -> Result<()> {
    fs::create_dir_all(bin)?;
    for program in programs {
        let mut build = go(source);
        platform.aim(&mut build);
        build.args(["build", "-mod=vendor", "-trimpath", "-ldflags", "-s -w", "-o"]);
        build.arg(bin.join(program.name)).arg(program.package);
        go::run(&mut build, &format!("compiling {}", program.name))?;
    }
    Ok(())
}

/// Keeps the licence texts of all vendored modules (`go mod vendor` copies them along), since the sources go.
fn keep_licences(vendor: &Path, licences: &Path) -> Result<()> {
    for file in licence_files::below(vendor)? {
        let target = licences.join(file.strip_prefix(vendor)?);
        fs::create_dir_all(target.parent().unwrap_or(licences))?;
        fs::copy(&file, &target).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

fn remove_starting_with(folder: &Path, start: &str) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(start) {
            let path = entry.path();
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
