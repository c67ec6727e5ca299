//! Where labs live on disk, and how one program finds another's.
//!
//! Each running lab holds one numbered folder under the base folder, by a lock that the system releases however
//! the program ends. In it: `lab.json` (what the lab is, for `status` and `down`), `control.sock`, and unless
//! told otherwise the members' `data/` and `logs/`. Data stays when a lab ends, for a start that goes on with it, until
//! a fresh start in that place or `down --all`. A data folder that the person names is marked as ours
//! before anything in it is touched.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use etcetera::BaseStrategy;
use lab_cluster::Node;
use lab_cluster::native::end_leftovers;
use serde::{Deserialize, Serialize};

use crate::api::Problem;
use crate::problems;

/// More labs at a time than anybody runs on one machine.
const MOST_LABS: u32 = 16;
/// Folder of the members' data in a place.
const DATA: &str = "data";
/// File that marks a folder as one that a lab may write and empty.
const MARK: &str = ".etcd-lab";

/// What a running lab leaves for others to read. Units as their names say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The lab's id; members have it in their environment as `METRICS_LAB_ID`.
    pub id: String,
    /// Process that holds the lab.
    pub pid: u32,
    /// `app` or `terminal`.
    pub host: String,
    /// Members that run; empty while there is no cluster.
    pub nodes: Vec<Node>,
}

/// The folder under which all labs of this person live: `$ETCD_LAB_HOME`, or `etcd-lab` in the system's place
/// for application data (`$XDG_DATA_HOME`).
///
/// # Errors
/// When neither is known.
pub fn base() -> Result<PathBuf, Problem> {
    if let Some(home) = std::env::var_os("ETCD_LAB_HOME") {
        return Ok(home.into());
    }
    etcetera::choose_base_strategy().map(|strategy| strategy.data_dir().join("etcd-lab")).map_err(|error| {
        Problem::new(
            "no-home",
            "Your home folder is not known.",
            "Set HOME, or ETCD_LAB_HOME to a folder for the lab.",
        )
        .detail(error)
    })
}

/// A running lab's folder. Dropping it removes the record and frees the place.
#[derive(Debug)]
pub struct Home {
    folder: PathBuf,
    _lock: File,
}

impl Home {
    /// Takes the first free place under `base`, and ends and removes what a lab that was killed left in it; its data
    /// and its logs stay.
    ///
    /// # Errors
    /// When the folder can't be made, or all places are taken.
    pub fn take(base: &Path) -> Result<Self, Problem> {
        for folder in places(base) {
            private_folder(&folder)?;
            let path = folder.join("lock");
            let lock = open_private(&path).map_err(|error| problems::folder(&path, &error))?;
            match lock.try_lock() {
                Ok(()) => {
                    remove_leftovers(&folder)?;
                    return Ok(Self { folder, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(problems::folder(&path, &error)),
            }
        }
        Err(Problem::new(
            "too-many-labs",
            format!("{MOST_LABS} labs run already."),
            "End some: `etcd-labctl down --all` ends all of yours.",
        ))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the control socket is.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("control.sock")
    }

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
        std::fs::rename(&here, &aside).map_err(failed)?;
        std::fs::rename(&there, &here).map_err(failed)?;
        std::fs::rename(&aside, &there).map_err(failed)
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or the folder gone.
    pub fn write(&self, record: &Record) -> Result<(), Problem> {
        let path = self.folder.join("lab.json");
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&serde_json::to_vec_pretty(record)?)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error).map(drop)
        };
        write().map_err(|error| problems::folder(&path, &error))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Whatever stays is found without its lock by the next lab in this place or by `down`, and removed then.
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(self.folder.join("lab.json"));
    }
}

/// A lab found on disk.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it said of itself.
    pub record: Record,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether the program that holds it still runs.
    pub alive: bool,
}

impl Found {
    /// Where its control socket is.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("control.sock")
    }
}

/// All labs under `base`, those that run and those whose program ended without tidying up.
pub fn find(base: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    for folder in places(base) {
        let Some(record) = read(&folder) else { continue };
        let alive = is_locked(&folder.join("lock"));
        found.push(Found { record, folder, alive });
    }
    found
}

/// Waits for nothing: whether some program holds the lock right now.
fn is_locked(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Ends the members that a lab that is no longer alive left behind, and removes its record and its members' data;
/// logs stay. Returns how many members still ran, or `None` when there is nothing to tidy any more: another lab holds
/// the place by now, or somebody was faster.
///
/// # Errors
/// When something can't be removed.
pub fn tidy(found: &Found) -> Result<Option<usize>, Problem> {
    let path = found.folder.join("lock");
    let lock = open_private(&path).map_err(|error| problems::folder(&path, &error))?;
    // Held until all is done: the place must not become another lab's half-way.
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(problems::folder(&path, &error)),
    }
    if read(&found.folder).is_none_or(|record| record.id != found.record.id) {
        return Ok(None);
    }
    let ended = remove_leftovers(&found.folder)?;
    let data = found.folder.join(DATA);
    match std::fs::remove_dir_all(&data) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(problems::folder(&data, &error)),
        _ => Ok(Some(ended)),
    }
}

fn read(folder: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(folder.join("lab.json")).ok()?).ok()
}

/// Ends the members named in the record, and removes record and socket. To be called by who holds the lock. Returns
/// how many members still ran.
fn remove_leftovers(folder: &Path) -> Result<usize, Problem> {
    let ended = read(folder).map_or(0, |record| end_leftovers(&record.nodes, &record.id));
    for name in ["control.sock", "lab.json"] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(problems::folder(&path, &error));
            }
            _ => {}
        }
    }
    Ok(ended)
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

fn places(base: &Path) -> impl Iterator<Item = PathBuf> {
    places_in(&base.join("labs"))
}

fn places_in(labs: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let labs = labs.to_owned();
    (1..=MOST_LABS).map(move |number| labs.join(number.to_string()))
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

fn private_folder(folder: &Path) -> Result<(), Problem> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| problems::folder(folder, &error))
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> Record {
        Record { id: id.into(), pid: 1, host: "terminal".into(), nodes: vec![] }
    }

    #[test]
    fn each_lab_gets_a_place_and_is_found_while_it_lives() {
        let base = tempfile::tempdir().unwrap();
        let first = Home::take(base.path()).unwrap();
        let second = Home::take(base.path()).unwrap();
        assert_ne!(first.folder(), second.folder());
        first.write(&record("a")).unwrap();
        second.write(&record("b")).unwrap();
        let ids = |found: Vec<Found>| found.into_iter().map(|f| (f.record.id, f.alive)).collect::<Vec<_>>();
        assert_eq!(ids(find(base.path())), [("a".into(), true), ("b".into(), true)]);
        drop(first);
        assert_eq!(ids(find(base.path())), [("b".into(), true)]);
    }

    /// What a lab leaves that was killed: everything but its lock.
    fn killed(base: &Path, record: &Record) -> PathBuf {
        let home = Home::take(base).unwrap();
        let folder = home.folder().to_owned();
        home.write(record).unwrap();
        let left = std::fs::read(folder.join("lab.json")).unwrap();
        drop(home);
        std::fs::write(folder.join("lab.json"), left).unwrap();
        std::fs::create_dir(folder.join("data")).unwrap();
        folder
    }

    #[test]
    fn a_lab_that_was_killed_is_found_and_tidied() {
        let base = tempfile::tempdir().unwrap();
        let folder = killed(base.path(), &record("a"));
        let found = find(base.path());
        assert_eq!((found.len(), found[0].alive), (1, false));
        assert_eq!(tidy(&found[0]).unwrap(), Some(0));
        assert!(find(base.path()).is_empty() && !folder.join("data").exists());
        assert_eq!(tidy(&found[0]).unwrap(), None);
    }

    /// `down` has found the dead lab; before it tidies, `up` takes the place.
    #[test]
    fn a_place_that_is_taken_again_is_not_tidied() {
        let base = tempfile::tempdir().unwrap();
        killed(base.path(), &record("dead"));
        let found = find(base.path());
        let home = Home::take(base.path()).unwrap();
        home.write(&record("new")).unwrap();
        assert_eq!(tidy(&found[0]).unwrap(), None);
        assert_eq!(find(base.path())[0].record.id, "new");
        assert!(home.folder().join("data").exists());
        // Nor when that lab was killed, too: its record is not the one that was found.
        let left = std::fs::read(home.folder().join("lab.json")).unwrap();
        let folder = home.folder().to_owned();
        drop(home);
        std::fs::write(folder.join("lab.json"), left).unwrap();
        assert_eq!(tidy(&found[0]).unwrap(), None);
        assert!(folder.join("data").exists());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn members_that_a_killed_lab_left_end_when_its_place_is_taken() {
        let base = tempfile::tempdir().unwrap();
        let mut left =
            std::process::Command::new("sleep").arg("600").env("METRICS_LAB_ID", "dead").spawn().unwrap();
        let url = String::new;
        let node = |pid| Node { name: "m".into(), client: url(), peer: url(), gofail: url(), pid: Some(pid) };
        // Another's process, under an id that was given out anew, is not touched.
        let nodes = vec![node(left.id()), node(std::process::id())];
        killed(base.path(), &Record { nodes, ..record("dead") });
        let home = Home::take(base.path()).unwrap();
        let ended = left.wait().unwrap();
        assert!(!ended.success() && !home.folder().join("lab.json").exists(), "{ended}");
    }

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
        assert_eq!(kept_data(base.path()), [kept.clone()]);
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
