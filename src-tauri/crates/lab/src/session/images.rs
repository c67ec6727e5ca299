//! Work on the images that members run from: one at a time, told of as it goes on.

use std::sync::Arc;

use lab_cluster::Topology;
use lab_cluster::docker::image;
use lab_cluster::native::Binaries;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::launch::News;
use super::{Answer, Session};
use crate::api::{Command, Event, ImageWork, ImageWorkKind, Problem, Reply};
use crate::docker::{self, Images as EngineImages};
use crate::problems;
use crate::shown::{self, Line};

/// Who works on an image takes a turn, so that no two build the same.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Waits for the turn; it lasts as long as what is returned.
    pub async fn take(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0).lock_owned().await
    }
}

/// Work that is under way, if any.
#[derive(Default)]
pub(super) struct Images {
    turns: Turns,
    work: Option<ImageWork>,
    /// Cancelled when the lab is left.
    leaving: CancellationToken,
}

impl Images {
    /// The work, for a snapshot.
    pub fn under_way(&self) -> Option<ImageWork> {
        self.work.clone()
    }

    /// Turns for those who work on images beside the session.
    pub fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// Breaks off what was asked for; what a start does ends with the start.
    pub fn call_off(&self) {
        self.leaving.cancel();
    }
}

impl Session {
    /// Builds, saves or loads.
    pub(super) fn work_on_images(&mut self, command: Command, answer: Answer) {
        if let Some(work) = self.images.under_way() {
            return drop(answer.send(Reply::Problem { problem: problems::image_busy(&work) }));
        }
        let (news, turns) = (News::new(self.inbox.clone()), self.images.turns());
        let (binaries, topology) = (self.config.binaries.clone(), self.config.topologies.usual().clone());
        let leaving = self.images.leaving.clone();
        // Known at once, so that a second command that comes right behind is refused.
        self.image_work(Some(beginning(&command, &topology)));
        tokio::spawn(async move {
            let work = async {
                let _turn = turns.take().await;
                carry_out(command, &binaries, &topology, &news).await
            };
            let done = tokio::select! {
                done = work => done,
                () = leaving.cancelled() => Err(problems::called_off()),
            };
            news.image_done().await;
            let reply = match done {
                Ok(line) => {
                    news.done(line).await;
                    Reply::Done
                }
                Err(problem) => Reply::Problem { problem },
            };
            let _ = answer.send(reply);
        });
    }

    /// Work began, went on, or ended.
    pub(super) fn image_work(&mut self, work: Option<ImageWork>) {
        if self.images.work != work {
            self.images.work.clone_from(&work);
            self.tell(Event::ImageWork { work });
        }
    }
}

/// What can be told before anything is done.
fn beginning(command: &Command, topology: &Topology) -> ImageWork {
    let (kind, subject) = match command {
        Command::SaveImages { file, .. } => (ImageWorkKind::Save, file.display().to_string()),
        Command::LoadImages { file } => (ImageWorkKind::Load, file.display().to_string()),
        Command::BuildImage { etcd_version: Some(version) } => {
            (ImageWorkKind::Build, image::reference(topology, version))
        }
        _ => (ImageWorkKind::Build, image::reference(topology, topology.etcd_version())),
    };
    ImageWork { kind, subject, step: "asking the engine".into(), done: None }
}

async fn carry_out(
    command: Command,
    binaries: &Binaries,
    topology: &Topology,
    news: &News,
) -> Result<Line, Problem> {
    let engine = docker::engine().await?;
    let images = EngineImages::new(&engine, binaries, topology);
    let told = |work| news.image(work);
    match command {
        Command::SaveImages { etcd_versions, file } => {
            images.save(&etcd_versions, &file, &told).await?;
            Ok(shown::save_images(&file))
        }
        Command::LoadImages { file } => {
            images.load(&file, &told).await?;
            Ok(shown::load_images(&file))
        }
        Command::BuildImage { etcd_version: Some(version) } => {
            images.build(&version, &told).await?;
            Ok(shown::build_image(&version))
        }
        // The only other command that gets here builds the usual one.
        _ => {
            images.build(topology.etcd_version(), &told).await?;
            Ok(shown::build_image(topology.etcd_version()))
        }
    }
}
