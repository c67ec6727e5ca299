//! What is done beside the actor, and what it reports.

use tokio::sync::mpsc;

use super::judge::Measured;
use super::progress::{Kept, Records};
use crate::api::{ActionState, Problem};

/// A report.
#[derive(Debug)]
pub enum Note {
    /// The stage is being set: what is done now.
    Doing(String),
    /// The fresh cluster runs.
    Up,
    /// The stage is set, or can't be.
    Staged(Result<(), Problem>),
    /// How far an action is, counted from 0.
    Action(usize, ActionState),
    /// All actions were carried out, or one could not be.
    Acted(Result<(), Problem>),
    /// What conditions speak of was measured.
    Looked(Look),
    /// What became of these steps was kept, or not.
    Recorded(Records, Result<Kept, Problem>),
    /// A file of progress could not be read and was set aside.
    SetAside(Problem),
}

/// What was measured at one time.
#[derive(Debug, Default)]
pub struct Look {
    /// Whether actions were being carried out when it began.
    pub acting: bool,
    /// Of each condition of the check, or of those the step requires.
    pub conditions: Vec<Measured>,
    /// Of each value to remember.
    pub remember: Vec<Option<f64>>,
    /// What was to be predicted.
    pub actual: Option<f64>,
}

/// Reports to the actor, as of one turn: what comes of an earlier one is no longer listened to.
#[derive(Clone, Debug)]
pub struct Reporter {
    /// Which turn.
    pub turn: u64,
    /// Where to.
    pub to: mpsc::Sender<(u64, Note)>,
}

impl Reporter {
    /// Reports. That the actor has ended is no matter.
    pub async fn tell(&self, note: Note) {
        let _ = self.to.send((self.turn, note)).await;
    }
}
