//! Putting built programs where Tauri looks for them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What the name of a file ends with until it is whole.
const UNFINISHED: &str = ".unfinished";

/// Makes `folder` hold every program under its sidecar name, and no other sidecar for the same target.
pub fn sidecars(programs: &[(PathBuf, String)], folder: &Path, triple: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with("etcd-lab-") && name.trim_end_matches(UNFINISHED).ends_with(triple);
        if ours && !programs.iter().any(|(_, wanted)| *wanted == name) {
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    for (program, name) in programs {
        let target = folder.join(name);
        if !is_same(program, &target) {
            place(program, &target).with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

/// By length and time of change, which [`place`] gives the copy too.
fn is_same(program: &Path, target: &Path) -> bool {
    let (Ok(program), Ok(target)) = (program.metadata(), target.metadata()) else { return false };
    program.len() == target.len() && program.modified().ok() == target.modified().ok()
}

/// Copies under a temporary name, then renames: a running member keeps its old file, and nobody sees half of a new one.
fn place(program: &Path, target: &Path) -> Result<()> {
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    fs::copy(program, &unfinished)?;
    File::options().write(true).open(&unfinished)?.set_modified(program.metadata()?.modified()?)?;
    fs::rename(&unfinished, target)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn places_what_is_wanted_and_removes_other_versions_for_that_target() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (built, folder) = (dir.path().join("etcd"), dir.path().join("binaries"));
        fs::write(&built, "new").expect("writable");
        fs::create_dir(&folder).expect("writable");
        fs::write(folder.join("etcd-lab-etcd-3.7.0-host"), "old").expect("writable");
        for kept in ["another-sidecar", "etcd-lab-etcd-3.7.0-elsewhere"] {
            fs::write(folder.join(kept), "kept").expect("writable");
        }

        let wanted = [(built.clone(), "etcd-lab-etcd-3.7.1-host".to_owned())];
        sidecars(&wanted, &folder, "host").expect("placed");
        assert_eq!(
            names(&folder),
            ["another-sidecar", "etcd-lab-etcd-3.7.0-elsewhere", "etcd-lab-etcd-3.7.1-host"]
        );
        assert_eq!(fs::read_to_string(folder.join("etcd-lab-etcd-3.7.1-host")).expect("readable"), "new");
    }

    #[test]
    fn replaces_a_half_written_file_and_leaves_a_whole_one_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (built, folder) = (dir.path().join("etcd"), dir.path().join("binaries"));
        fs::write(&built, "whole").expect("writable");
        fs::create_dir(&folder).expect("writable");
        let target = folder.join("etcd-lab-etcd-3.5.9-host");
        fs::write(&target, "wh").expect("writable");

        let wanted = [(built.clone(), "etcd-lab-etcd-3.5.9-host".to_owned())];
        sidecars(&wanted, &folder, "host").expect("placed");
        assert_eq!(fs::read_to_string(&target).expect("readable"), "whole");
        assert!(is_same(&built, &target));
    }
}
