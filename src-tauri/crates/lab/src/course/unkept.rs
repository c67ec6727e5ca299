//! What became of steps and isn't kept yet. It is tried again with the next step, so that a disk that was full for a
//! while costs nobody a step. Pure.

use super::progress::{Records, note};
use crate::api::StepRecord;

/// See the module.
#[derive(Debug, Default)]
pub struct Unkept(Records);

impl Unkept {
    /// Something became of a step.
    pub fn add(&mut self, scenario: &str, step: &str, record: StepRecord) {
        note(self.0.entry(scenario.into()).or_default(), step.into(), record);
    }

    /// All of it, to be kept now; `None` when there is nothing.
    pub fn all(&self) -> Option<Records> {
        Some(self.0.clone()).filter(|all| !all.is_empty())
    }

    /// `records` were kept. What was added meanwhile isn't among them.
    pub fn are_kept(&mut self, records: &Records) {
        self.0.retain(|scenario, steps| {
            let kept = records.get(scenario);
            steps.retain(|step, record| kept.and_then(|kept| kept.get(step)) != Some(record));
            !steps.is_empty()
        });
    }

    /// A scenario, or all, is not to be kept any more.
    pub fn forget(&mut self, scenario: Option<&str>) {
        match scenario {
            Some(scenario) => drop(self.0.remove(scenario)),
            None => self.0.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::progress::Progress;
    use super::super::progress::tests::met;
    use super::*;

    #[test]
    fn what_could_not_be_kept_is_kept_with_the_next_step() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("not there yet");
        let progress = Progress::in_base(&folder);
        let mut unkept = Unkept::default();
        assert!(unkept.all().is_none());
        unkept.add("slow-disk", "all-slow", met(1));
        progress.record(unkept.all().unwrap()).unwrap_err();
        std::fs::create_dir(&folder).unwrap();
        unkept.add("slow-disk", "one-slow", met(2));
        let now = unkept.all().unwrap();
        assert_eq!(progress.record(now.clone()).unwrap().records["slow-disk"].len(), 2);
        // Met again while that was written.
        unkept.add("slow-disk", "one-slow", met(3));
        unkept.are_kept(&now);
        let rest = unkept.all().unwrap();
        assert_eq!((rest["slow-disk"].len(), &rest["slow-disk"]["one-slow"]), (1, &met(3)));
        unkept.forget(Some("slow-disk"));
        assert!(unkept.all().is_none());
    }
}
