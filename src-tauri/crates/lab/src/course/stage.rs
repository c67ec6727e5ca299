//! Brings the cluster into the state that a step needs: a fresh one where the person begins or begins again, the one
//! that runs where they go on.

use std::time::Duration;

use tokio::time::timeout;

use super::hands::{Hands, Stop};
use super::measure::locked;
use super::note::Note;
use crate::api::{Command, Phase, Reply, StartOptions};
use crate::problems;
use crate::scenario::model::{Action, Step};

/// Members that just became ready say how they are within this.
const WELL_WITHIN: Duration = Duration::from_secs(60);

/// What a stage is set on.
#[derive(Debug)]
pub enum Ground {
    /// A fresh cluster, started so.
    Fresh(StartOptions),
    /// The cluster as the step before left it, once these are done.
    AsItIs(Vec<Action>),
}

impl Hands {
    /// Sets the stage for `step`.
    ///
    /// # Errors
    /// When the cluster can't be started, or an action fails.
    pub async fn set_stage(&self, ground: Ground, step: &Step) -> Result<(), Stop> {
        match ground {
            Ground::Fresh(options) => self.fresh_cluster(options).await?,
            Ground::AsItIs(cleanup) => {
                self.bring_about(&cleanup).await?;
                self.settle().await?;
            }
        }
        self.bring_about(&step.stage).await?;
        Ok(self.bind(&step.bind)?)
    }

    async fn fresh_cluster(&self, options: StartOptions) -> Result<(), Stop> {
        self.reporter.tell(Note::Doing("Stopping the cluster that runs".into())).await;
        self.asker.ask(Command::Stop).await?;
        locked(&self.notebook).fresh_cluster();
        self.reporter.tell(Note::Doing("Starting three members".into())).await;
        tokio::select! {
            () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            started = self.asker.ask(Command::Start { options }) => drop(started?),
        }
        // News come by another way than answers: those of the cluster before may still be on theirs.
        let since = match self.asker.ask(Command::Snapshot).await? {
            Reply::Snapshot { snapshot } => snapshot.phase,
            _ => Phase::Stopped,
        };
        if !matches!(since, Phase::Running { .. }) {
            return Err(problems::stopped_meanwhile().into());
        }
        let mut world = self.world.clone();
        let running = async {
            let _ = world.wait_for(|world| world.phase == since).await;
            self.reporter.tell(Note::Up).await;
            let _ = world.wait_for(super::world::World::is_well).await;
        };
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            well = timeout(WELL_WITHIN, running) => Ok(well.map_err(|_| problems::not_well(WELL_WITHIN))?),
        }
    }
}
