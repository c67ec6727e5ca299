//! The members' data on disk: whose it is, whether it is in use, and what of it is left when labs have ended.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Home, open_private, places, places_in, private_folder};
use crate::api::Problem;
use crate::problems;

/// Folder of the members' data in a place.
pub(super) const DATA: &str = "data";
/// File that marks a folder as one that a lab may write and empty.
const MARK: &str = ".etcd-lab";

impl Home {
    /// Takes the data in this folder for members to be started on. To go on with the `last` run's, that is fetched
    /// from the place it has, and what is here goes there in exchange.
    ///
    /// # Errors
    /// When it can't be made or moved.
    pub fn data(&self, last: bool) -> Result<DataFolder, Problem> {
        if last {
            self.fetch_last_data()?;
        }
        let here = self.folder.join(DATA);
        private_folder(&here)?;
        DataFolder::lock(&here)
    }

    fn fetch_last_data(&self) -> Result<(), Problem> {
        let Some(labs) = self.folder.parent() else { return Ok(()) };
        // Also from the place of a lab that lives, such as an app without a cluster, if only nobody uses the data.
        let others = places_in(labs).filter(|place| *place != self.folder).filter_map(|place| {
            let there = place.join(DATA);
            let at = started(&there)?;
            Some((at, DataFolder::lock(&there).ok()?, there))
        });
        let here = self.folder.join(DATA);
        let own = started(&here);
        let last = others.max_by_key(|(at, ..)| *at).filter(|(at, ..)| own < Some(*at));
        let Some((_, _lock, there)) = last else { return Ok(()) };
        let failed = |error: io::Error| problems::folder(&here, &error);
        if !here.exists() {
            return std::fs::rename(&there, &here).map_err(failed);
        }
        let aside = self.folder.join("data-aside");
        // Left when a lab was killed between these lines; older than both.
        let _ = std::fs::remove_dir_all(&aside);
        std::fs::rename(&here, &aside).map_err(failed)?;
        std::fs::rename(&there, &here).map_err(failed)?;
        std::fs::rename(&aside, &there).map_err(failed)
    }
}

/// Data of members that ended in order; a start that keeps data goes on with the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptData {
    /// Where.
    pub folder: PathBuf,
    /// How much, bytes.
    pub bytes: u64,
}

/// Data in the labs' places that nobody uses.
pub fn kept_data(base: &Path) -> Vec<KeptData> {
    unused_data(base).map(|(kept, _)| kept).collect()
}

/// Removes the data in the labs' places that nobody uses; returns what was there.
///
/// # Errors
/// When some can't be removed.
pub fn remove_kept_data(base: &Path) -> Result<Vec<KeptData>, Problem> {
    let mut removed = Vec::new();
    for (kept, _lock) in unused_data(base) {
        std::fs::remove_dir_all(&kept.folder).map_err(|error| problems::folder(&kept.folder, &error))?;
        removed.push(kept);
    }
    Ok(removed)
}

fn unused_data(base: &Path) -> impl Iterator<Item = (KeptData, DataFolder)> {
    let folders = places(base).map(|place| place.join(DATA)).filter(|folder| folder.is_dir());
    let unused = folders.filter_map(|folder| {
        let lock = DataFolder::lock(&folder).ok()?;
        Some((KeptData { bytes: size(&folder), folder }, lock))
    });
    // A start that was refused leaves an empty folder, which is nothing to speak of.
    unused.filter(|(kept, _)| kept.bytes > 0)
}

/// Bytes of all files below `folder`, as far as they can be read.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| if metadata.is_dir() { size(&path) } else { metadata.len() })
        .sum()
}

/// When members were last started on this data: each start writes their ports.
fn started(data: &Path) -> Option<SystemTime> {
    std::fs::metadata(data.join("ports.json")).ok()?.modified().ok()
}

/// A data folder, the lab's own or one that a person named, marked as a lab's and locked against a second lab.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Takes `folder`, which must be new, empty, or marked by an earlier lab.
    ///
    /// # Errors
    /// When it can't be made or written, holds what isn't ours, or another lab uses it.
    pub fn take(folder: &Path) -> Result<Self, Problem> {
        let failed = |error: io::Error| problems::folder(folder, &error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mark = folder.join(MARK);
        if !mark.exists() && std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(Problem::new(
                "folder-not-ours",
                format!("{} holds files that are not this lab's.", folder.display()),
                "Name an empty or a new folder: the lab empties its data folder at each start.",
            ));
        }
        Self::lock(folder)
    }

    fn lock(folder: &Path) -> Result<Self, Problem> {
        let failed = |error: io::Error| problems::folder(folder, &error);
        let lock = open_private(&folder.join(MARK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Problem::new(
                "folder-in-use",
                format!("Another lab uses {}.", folder.display()),
                "Stop that lab, or name another folder.",
            )),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place whose members were started at that time, in seconds, with what was last written.
    fn wrote(place: &Path, at: u64, text: &str) {
        let data = place.join(DATA);
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("key"), text).unwrap();
        let ports = File::create(data.join("ports.json")).unwrap();
        ports.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at)).unwrap();
    }

    #[test]
    fn the_last_runs_data_is_found_wherever_it_was_and_the_older_stays() {
        let base = tempfile::tempdir().unwrap();
        let held = [(); 3].map(|()| Home::take(base.path()).unwrap());
        let folders: Vec<PathBuf> = held.iter().map(|home| home.folder().to_owned()).collect();
        for (folder, (at, text)) in folders.iter().zip([(100, "older"), (300, "in use"), (200, "last")]) {
            wrote(folder, at, text);
        }
        let [first, second, third] = held;
        let in_use = second.data(false).unwrap();
        // The third is an app's, say, that has no cluster.
        drop(first);
        let home = Home::take(base.path()).unwrap();
        let key = |folder: &Path| std::fs::read_to_string(folder.join("data/key")).unwrap();
        drop(home.data(true).unwrap());
        assert_eq!(folders.iter().map(|folder| key(folder)).collect::<Vec<_>>(), ["last", "in use", "older"]);
        drop(home.data(true).unwrap());
        assert_eq!(key(home.folder()), "last");
        drop((home, second, in_use, third));
    }

    #[test]
    fn kept_data_is_told_and_removed_unless_it_is_in_use() {
        let base = tempfile::tempdir().unwrap();
        let (living, ended) = (Home::take(base.path()).unwrap(), Home::take(base.path()).unwrap());
        wrote(living.folder(), 1, "living");
        wrote(ended.folder(), 1, "ended");
        let kept = KeptData { folder: ended.folder().join(DATA), bytes: 5 };
        drop(ended);
        let _in_use = living.data(false).unwrap();
        assert_eq!(kept_data(base.path()), std::slice::from_ref(&kept));
        assert_eq!(remove_kept_data(base.path()).unwrap(), [kept]);
        assert!(kept_data(base.path()).is_empty() && living.folder().join(DATA).exists());
    }

    #[test]
    fn only_our_own_data_folders_are_taken_and_only_once() {
        let base = tempfile::tempdir().unwrap();
        let foreign = base.path().join("foreign");
        std::fs::create_dir(&foreign).unwrap();
        std::fs::write(foreign.join("thesis.tex"), "x").unwrap();
        assert_eq!(DataFolder::take(&foreign).unwrap_err().code, "folder-not-ours");
        let ours = base.path().join("ours");
        let taken = DataFolder::take(&ours).unwrap();
        assert_eq!(DataFolder::take(&ours).unwrap_err().code, "folder-in-use");
        drop(taken);
        std::fs::write(ours.join("x"), "x").unwrap();
        DataFolder::take(&ours).unwrap();
    }
}
