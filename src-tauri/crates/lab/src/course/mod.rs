//! Plays scenarios: an actor beside the session that gives the same commands as a person, hears the same events, and
//! tells where it is as a [`CourseView`](crate::api::CourseView). Knows no scenario by name.
//!
//! What is decided is decided without I/O: where a step is ([`progression`]), whether a condition holds and what to say
//! of it ([`judge`]), how a prediction turned out ([`verdict`]). Around it, [`measure`] asks, [`hands`] and [`stage`]
//! act, [`progress`] and [`unkept`] keep, and [`actor`] brings them together.

mod actor;
mod already;
mod describe;
mod hands;
mod judge;
mod measure;
mod names;
mod note;
mod notebook;
mod play;
mod progress;
mod progression;
mod stage;
mod unkept;
mod verdict;
mod watchdog;
mod world;

use tokio::sync::{mpsc, oneshot};

use crate::api::{Command, Problem, Reply};
use crate::problems;

pub use actor::{Actor, Setting};
pub use progress::Progress;

/// Commands that may wait for the actor.
const WAITING: usize = 64;

/// Asks the actor. Cheap to clone.
#[derive(Clone)]
pub struct Courses(mpsc::Sender<Request>);

/// A command, and where its answer goes.
pub type Request = (Command, oneshot::Sender<Reply>);

/// Who asks, and what the actor takes commands from.
pub fn channel() -> (Courses, mpsc::Receiver<Request>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Courses(sender), receiver)
}

impl Courses {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When the lab has ended.
    pub async fn send(&self, command: Command) -> Result<Reply, Problem> {
        let (answer, reply) = oneshot::channel();
        self.0.send((command, answer)).await.map_err(|_| problems::lab_ended())?;
        reply.await.map_err(|_| problems::lab_ended())
    }
}
