//! Where labs live on disk, and how one program finds another's.
//!
//! Each running lab holds one numbered folder under the base folder, by a lock that the system releases however
//! the program ends. In it: `lab.json` (what the lab is, for `status` and `down`), `control.sock`, and unless
//! told otherwise the members' `data/` and `logs/`. Data stays when a lab ends, for a start that goes on with it, until
//! a fresh start in that place or `down --all`. A data folder that the person names is marked as ours
//! before anything in it is touched.

mod data;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use lab_cluster::Node;
use lab_cluster::native::end_leftovers;
use serde::{Deserialize, Serialize};

use crate::api::Problem;
use crate::problems;
use data::DATA;

pub use data::{DataFolder, KeptData, kept_data, remove_kept_data};

/// More labs at a time than anybody runs on one machine.
const MOST_LABS: u32 = 16;
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

fn places(base: &Path) -> impl Iterator<Item = PathBuf> {
    places_in(&labs(base))
}

/// The folder of all labs' places.
pub fn labs(base: &Path) -> PathBuf {
    base.join("labs")
}

fn places_in(labs: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let labs = labs.to_owned();
    (1..=MOST_LABS).map(move |number| labs.join(number.to_string()))
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
        let node = |pid| Node {
            name: "m".into(),
            client: url(),
            peer: url(),
            gofail: url(),
            pid: Some(pid),
            container: None,
        };
        // Another's process, under an id that was given out anew, is not touched.
        let nodes = vec![node(left.id()), node(std::process::id())];
        killed(base.path(), &Record { nodes, ..record("dead") });
        let home = Home::take(base.path()).unwrap();
        let ended = left.wait().unwrap();
        assert!(!ended.success() && !home.folder().join("lab.json").exists(), "{ended}");
    }
}
