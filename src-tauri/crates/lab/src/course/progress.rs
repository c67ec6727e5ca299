//! How far a person got, kept across restarts in `progress.json`, in the folder that all their labs share. Written
//! whole or not at all, under a lock, since an app and a terminal may both have something to keep. A file that can't
//! be read is set aside and never overwritten.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::api::{Problem, StepRecord};
use crate::problems;

/// Of the file's format; a file of another is set aside.
const VERSION: u32 = 1;
const FILE: &str = "progress.json";
/// What is about to be `FILE`.
const NEW: &str = "progress.json.new";
const LOCK: &str = "progress.lock";
/// Who holds the lock writes one small file; longer than this only a stopped program takes.
const LOCKED_WITHIN: Duration = Duration::from_secs(2);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// What became of each step, by scenario and step.
pub type Records = BTreeMap<String, BTreeMap<String, StepRecord>>;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    version: u32,
    scenarios: Records,
}

/// Where progress is kept.
#[derive(Clone, Debug)]
pub struct Progress {
    base: PathBuf,
}

/// What was kept, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Kept {
    /// All records.
    pub records: Records,
    /// That a file could not be read and was set aside.
    pub set_aside: Option<Problem>,
}

/// Puts what became of a step in place of an earlier record of it. What was met once stays so: to try a step again and
/// miss it takes nothing away.
pub fn note(steps: &mut BTreeMap<String, StepRecord>, step: String, record: StepRecord) {
    if record.met || steps.get(&step).is_none_or(|earlier| !earlier.met) {
        steps.insert(step, record);
    }
}

impl Progress {
    /// In the folder under which a person's labs live.
    pub fn in_base(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    /// What is kept.
    ///
    /// # Errors
    /// When there is a file that can neither be read nor set aside.
    pub fn read(&self) -> Result<Kept, Problem> {
        if !self.file().exists() {
            return Ok(Kept::default());
        }
        let _lock = self.lock()?;
        self.read_locked()
    }

    /// Keeps what became of steps, as [`note`] does with each.
    ///
    /// # Errors
    /// When it can't be written; then what was kept before is as it was.
    pub fn record(&self, new: Records) -> Result<Kept, Problem> {
        self.change(|records| {
            for (scenario, steps) in new {
                let kept = records.entry(scenario).or_default();
                steps.into_iter().for_each(|(step, record)| note(kept, step, record));
            }
        })
    }

    /// Forgets one scenario, or all.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn forget(&self, scenario: Option<&str>) -> Result<Kept, Problem> {
        self.change(|records| match scenario {
            Some(scenario) => drop(records.remove(scenario)),
            None => records.clear(),
        })
    }

    fn change(&self, change: impl FnOnce(&mut Records)) -> Result<Kept, Problem> {
        let _lock = self.lock()?;
        let mut kept = self.read_locked()?;
        change(&mut kept.records);
        let book = Book { version: VERSION, scenarios: kept.records };
        self.write(&book).map_err(|error| problems::progress_unwritten(&self.file(), &error))?;
        Ok(Kept { records: book.scenarios, ..kept })
    }

    fn read_locked(&self) -> Result<Kept, Problem> {
        let file = self.file();
        let failed = |error: &io::Error| problems::progress_unwritten(&file, error);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
            Err(error) => return Err(failed(&error)),
        };
        let reason = match serde_json::from_slice::<Book>(&bytes) {
            Ok(book) if book.version == VERSION => {
                return Ok(Kept { records: book.scenarios, set_aside: None });
            }
            Ok(book) => format!("version {}", book.version),
            Err(error) => error.to_string(),
        };
        let aside = self.free_name();
        std::fs::rename(&file, &aside).map_err(|error| failed(&error))?;
        Ok(Kept { set_aside: Some(problems::progress_set_aside(&aside, &reason)), ..Kept::default() })
    }

    /// `progress.json.unreadable-20260102T030405Z`, numbered when there is one already.
    fn free_name(&self) -> PathBuf {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let name = self.base.join(format!("{FILE}.unreadable-{now}"));
        let numbered = (2..).map(|number| self.base.join(format!("{FILE}.unreadable-{now}-{number}")));
        std::iter::once(name).chain(numbered).find(|name| !name.exists()).unwrap_or_else(|| self.file())
    }

    fn write(&self, book: &Book) -> io::Result<()> {
        // Who has the lock is alone with this name, so what a killed program left there is written over.
        let new = self.base.join(NEW);
        let written = (|| {
            let mut file = private().truncate(true).open(&new)?;
            file.write_all(&serde_json::to_vec_pretty(book)?)?;
            file.sync_all()?;
            std::fs::rename(&new, self.file())
        })();
        if let Err(error) = written {
            let _ = std::fs::remove_file(&new);
            return Err(error);
        }
        // So that the new name survives a power cut too.
        File::open(&self.base)?.sync_all()
    }

    /// Held until it is dropped, or the program ends.
    fn lock(&self) -> Result<File, Problem> {
        let path = self.base.join(LOCK);
        let failed = |error: &io::Error| problems::progress_unwritten(&self.file(), error);
        let file = private().truncate(false).open(&path).map_err(|error| failed(&error))?;
        let deadline = Instant::now() + LOCKED_WITHIN;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(TRY_AGAIN_AFTER);
                }
                Err(TryLockError::WouldBlock) => return Err(problems::progress_locked(&path)),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.base.join(FILE)
    }
}

/// How files are opened that are for this person only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).mode(0o600);
    options
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::api::Profile;

    /// One step's record, as it is kept.
    fn of(scenario: &str, step: &str, record: StepRecord) -> Records {
        Records::from([(scenario.into(), BTreeMap::from([(step.into(), record)]))])
    }

    /// A step that was met then.
    pub fn met(at_ms: i64) -> StepRecord {
        StepRecord {
            met: true,
            solved: false,
            predicted: Some("They stop.".into()),
            right: Some(false),
            measured: vec!["Measured 3.".into()],
            profile: Profile::Quick,
            etcd_version: "3.5.9".into(),
            at_ms,
        }
    }

    #[test]
    fn what_is_kept_is_there_for_the_next_program_and_can_be_forgotten() {
        let base = tempfile::tempdir().unwrap();
        let progress = Progress::in_base(base.path());
        assert!(progress.read().unwrap().records.is_empty());
        progress.record(of("slow-disk", "all-slow", met(1))).unwrap();
        progress.record(of("slow-disk", "one-slow", met(2))).unwrap();
        progress.record(of("quota", "fill", met(3))).unwrap();
        let records = Progress::in_base(base.path()).read().unwrap().records;
        assert_eq!((records.len(), &records["slow-disk"]["one-slow"]), (2, &met(2)));
        assert_eq!(progress.forget(Some("slow-disk")).unwrap().records.len(), 1);
        assert!(progress.forget(None).unwrap().records.is_empty());
    }

    #[test]
    fn what_was_met_stays_met_when_it_is_tried_again_and_missed() {
        let base = tempfile::tempdir().unwrap();
        let progress = Progress::in_base(base.path());
        let missed = |at_ms| StepRecord { met: false, ..met(at_ms) };
        let kept = |record| progress.record(of("slow-disk", "all-slow", record)).unwrap().records;
        assert_eq!(kept(missed(1))["slow-disk"]["all-slow"], missed(1));
        assert_eq!(kept(missed(2))["slow-disk"]["all-slow"], missed(2));
        assert_eq!(kept(met(3))["slow-disk"]["all-slow"], met(3));
        assert_eq!(kept(missed(4))["slow-disk"]["all-slow"], met(3));
        assert_eq!(kept(met(5))["slow-disk"]["all-slow"], met(5));
    }

    #[test]
    fn what_a_program_left_that_was_killed_as_it_wrote_harms_nothing() {
        let base = tempfile::tempdir().unwrap();
        let progress = Progress::in_base(base.path());
        progress.record(of("slow-disk", "all-slow", met(1))).unwrap();
        std::fs::write(base.path().join(NEW), "{\"version\":1,".repeat(1_000)).unwrap();
        let kept = progress.read().unwrap();
        assert!(kept.set_aside.is_none() && kept.records.contains_key("slow-disk"));
        progress.record(of("slow-disk", "one-slow", met(2))).unwrap();
        assert_eq!(progress.read().unwrap().records["slow-disk"].len(), 2);
        assert!(!base.path().join(NEW).exists());
    }

    #[test]
    fn a_torn_or_foreign_file_is_set_aside_and_said() {
        let torn = &serde_json::to_vec(&Book { version: VERSION, scenarios: Records::new() }).unwrap()[..20];
        let cases: [&[u8]; 4] = [torn, b"", b"\xff\xfe", br#"{"version":2,"scenarios":{}}"#];
        for content in cases {
            let base = tempfile::tempdir().unwrap();
            let progress = Progress::in_base(base.path());
            std::fs::write(base.path().join(FILE), content).unwrap();
            let kept = progress.record(of("slow-disk", "all-slow", met(1))).unwrap();
            let problem = kept.set_aside.unwrap();
            assert_eq!(problem.code, "progress-set-aside");
            let aside = std::fs::read_dir(base.path())
                .unwrap()
                .map(|entry| entry.unwrap())
                .find(|entry| entry.file_name().to_string_lossy().contains(".unreadable-"))
                .unwrap();
            assert_eq!(std::fs::read(aside.path()).unwrap(), content);
            assert!(problem.sentence.contains(&*aside.file_name().to_string_lossy()), "{problem}");
            // Said once: the new file is a good one.
            let kept = progress.read().unwrap();
            assert!(kept.set_aside.is_none() && kept.records.contains_key("slow-disk"));
        }
    }

    #[test]
    fn a_folder_that_takes_nothing_is_said_and_leaves_what_was_kept() {
        let base = tempfile::tempdir().unwrap();
        let progress = Progress::in_base(&base.path().join("gone"));
        let problem = progress.record(of("slow-disk", "all-slow", met(1))).unwrap_err();
        assert_eq!(problem.code, "progress-unwritten");

        // A disk on which nothing more fits: the file is a folder, which no rename replaces.
        let progress = Progress::in_base(base.path());
        std::fs::create_dir_all(base.path().join(FILE).join("full")).unwrap();
        let problem = progress.record(of("slow-disk", "all-slow", met(1))).unwrap_err();
        assert_eq!(problem.code, "progress-unwritten");
        let full = problems::progress_unwritten(Path::new(FILE), &io::ErrorKind::StorageFull.into());
        assert!(full.sentence.contains("no room"), "{full}");
    }

    #[test]
    fn two_programs_that_write_at_once_lose_nothing() {
        let base = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let progress = Progress::in_base(base.path());
                scope.spawn(move || {
                    for step in 0..10 {
                        progress.record(of(&format!("of {writer}"), &step.to_string(), met(step))).unwrap();
                    }
                });
            }
        });
        let records = Progress::in_base(base.path()).read().unwrap().records;
        assert_eq!(records.values().map(BTreeMap::len).sum::<usize>(), 40);
    }

    #[test]
    fn a_program_that_holds_the_lock_for_ever_stops_nobody() {
        let base = tempfile::tempdir().unwrap();
        let progress = Progress::in_base(base.path());
        let held = progress.lock().unwrap();
        assert_eq!(progress.record(of("slow-disk", "all-slow", met(1))).unwrap_err().code, "progress-locked");
        drop(held);
        progress.record(of("slow-disk", "all-slow", met(1))).unwrap();
    }
}
