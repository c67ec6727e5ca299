//! Progress, as the actor keeps it: read and written beside it, since a disk may take its time.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::super::names::Names;
use super::super::note::Note;
use super::super::progress::{Kept, Progress, Records, note};
use super::Actor;
use crate::api::{Problem, Profile, Reply, ScenarioView, StepRecord, StepSummary};
use crate::content;
use crate::release_line::ReleaseLine;
use crate::scenario::model::Scenario;

impl Actor {
    /// Answers with the list of scenarios.
    pub(super) fn scenarios(&self, answer: oneshot::Sender<Reply>) {
        let line = ReleaseLine::of_version(&self.setting.default_version);
        let unkept = self.unkept.all().unwrap_or_default();
        self.with_progress(answer, move |progress| {
            // What can't be read doesn't keep anybody from beginning.
            let mut kept = progress
                .read()
                .unwrap_or_else(|problem| Kept { set_aside: Some(problem), ..Kept::default() });
            for (scenario, steps) in unkept {
                let kept = kept.records.entry(scenario).or_default();
                steps.into_iter().for_each(|(step, record)| note(kept, step, record));
            }
            (Reply::Scenarios { scenarios: list(line, &kept.records) }, kept.set_aside)
        });
    }

    /// Forgets what became of a scenario's steps, or of all.
    pub(super) fn forget(&mut self, scenario: Option<String>, answer: oneshot::Sender<Reply>) {
        if let Some(play) = &mut self.play
            && scenario.as_ref().is_none_or(|scenario| *scenario == play.scenario.id)
        {
            play.records.clear();
        }
        self.unkept.forget(scenario.as_deref());
        self.with_progress(answer, move |progress| match progress.forget(scenario.as_deref()) {
            Ok(kept) => (Reply::Done, kept.set_aside),
            Err(problem) => (Reply::Problem { problem }, None),
        });
    }

    /// Reads or writes progress beside the actor, answers, and keeps what was wrong with it for the next course.
    fn with_progress(
        &self,
        answer: oneshot::Sender<Reply>,
        work: impl FnOnce(&Progress) -> (Reply, Option<Problem>) + Send + 'static,
    ) {
        let (progress, reporter) = (self.setting.progress.clone(), self.reporter());
        tokio::spawn(async move {
            let worked = tokio::task::spawn_blocking(move || work(&progress)).await;
            let Ok((reply, problem)) = worked else { return };
            if let Some(problem) = problem {
                reporter.tell(Note::SetAside(problem)).await;
            }
            let _ = answer.send(reply);
        });
    }

    /// What became of a scenario's steps so far, and why it can't be told or kept, if it can't.
    pub(super) async fn records(
        &mut self,
        scenario: &str,
    ) -> (BTreeMap<String, StepRecord>, Option<Problem>) {
        let progress = self.setting.progress.clone();
        let read = tokio::task::spawn_blocking(move || progress.read()).await;
        let (mut records, problem) = match read.unwrap_or_else(|_| Ok(Kept::default())) {
            Ok(kept) => (kept.records, kept.set_aside.or_else(|| self.set_aside.take())),
            Err(problem) => (Records::new(), Some(problem)),
        };
        let mut records = records.remove(scenario).unwrap_or_default();
        for (step, record) in self.unkept.all().and_then(|mut all| all.remove(scenario)).unwrap_or_default() {
            note(&mut records, step, record);
        }
        (records, problem)
    }

    /// Keeps what isn't kept yet.
    pub(super) fn keep(&self) {
        let Some(records) = self.unkept.all() else { return };
        let (progress, reporter, to_keep) = (self.setting.progress.clone(), self.reporter(), records.clone());
        tokio::spawn(async move {
            let kept = tokio::task::spawn_blocking(move || progress.record(to_keep)).await;
            if let Ok(kept) = kept {
                reporter.tell(Note::Recorded(records, kept)).await;
            }
        });
    }

    /// `records` were kept, or could not be.
    pub(super) fn recorded(&mut self, records: &Records, result: Result<Kept, Problem>) {
        let play = self.play.as_mut().filter(|play| play.options.recorded);
        match result {
            Ok(kept) => {
                self.unkept.are_kept(records);
                if let Some(play) = play {
                    // That a file was set aside is said to the end, since it is said once.
                    play.progress_problem.take_if(|problem| problem.code != "progress-set-aside");
                }
                if let Some(problem) = kept.set_aside {
                    self.was_set_aside(problem);
                }
            }
            Err(problem) => {
                if let Some(play) = play {
                    play.progress_problem = Some(problem);
                }
            }
        }
    }

    /// A file was set aside: the person is told by the course they are in, or by the next.
    pub(super) fn was_set_aside(&mut self, problem: Problem) {
        match self.play.as_mut().filter(|play| play.options.recorded) {
            Some(play) => play.progress_problem = Some(problem),
            None => self.set_aside = Some(problem),
        }
    }
}

/// All scenarios, as a list shows them.
fn list(line: ReleaseLine, records: &Records) -> Vec<ScenarioView> {
    let view = |quick: &Scenario, talk: &Scenario| ScenarioView {
        id: quick.id.clone(),
        number: quick.number,
        title: quick.title.clone(),
        about: quick.about.clone(),
        quick_minutes: quick.minutes,
        talk_minutes: talk.minutes,
        steps: quick
            .steps
            .iter()
            .map(|step| {
                let record = records.get(&quick.id).and_then(|steps| steps.get(&step.id)).cloned();
                let heading = step.heading(record.as_ref().is_some_and(|record| record.met));
                let title = Names::of(quick).text(heading);
                StepSummary { id: step.id.clone(), title, record }
            })
            .collect(),
    };
    let scenarios = content::builtin().scenarios.iter();
    scenarios
        .map(|editions| view(editions.of(Profile::Quick, line), editions.of(Profile::Talk, line)))
        .collect()
}
