//! A window's seat: on its own lab, and, while that has no cluster and a terminal's lab has one, on that. So the
//! window shows what runs on this machine, whoever started it, and both steer the same lab.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Event, Phase, Reply, WatchSet};
use crate::lab::{Asker, Events, Lab};
use crate::{control, home};

/// How often to look for a terminal's lab.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events that may wait for a window that is slow to take them.
const WAITING: usize = 64;

/// Who is asked at the moment, and what he is to draw.
#[derive(Clone)]
pub(crate) struct Seat(Arc<Mutex<Seated>>);

struct Seated {
    asker: Asker,
    watched: WatchSet,
}

impl Seat {
    pub async fn send(&self, command: Command) -> Reply {
        let asker = {
            let mut seated = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Command::Watch { set } = &command {
                seated.watched = set.clone();
            }
            seated.asker.clone()
        };
        Box::pin(asker.send(command)).await
    }

    /// Another lab from now on; it is told at once what is watched.
    async fn change(&self, asker: Asker) {
        let set = {
            let mut seated = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seated.asker = asker.clone();
            seated.watched.clone()
        };
        Box::pin(asker.send(Command::Watch { set })).await;
    }
}

impl Lab {
    /// As [`Lab::listen`], but moves to a terminal's lab while this one has no cluster and that one has, and back
    /// when that one ends. After each move comes [`Event::Lagged`]: ask for the snapshot.
    pub fn listen_around(&self) -> (Asker, Events) {
        let (asker, events) = self.listen();
        let seat = Seat(Arc::new(Mutex::new(Seated { asker, watched: WatchSet::default() })));
        let (sender, receiver) = mpsc::channel(WAITING);
        let cancel = CancellationToken::new();
        let base = self.base().to_owned();
        tokio::spawn(move_about(self.clone(), base, seat.clone(), events, sender, cancel.clone()));
        (Asker::seated(seat), Events::new(receiver, cancel))
    }
}

async fn move_about(
    own: Lab,
    base: PathBuf,
    seat: Seat,
    mut events: Events,
    to: mpsc::Sender<Event>,
    cancel: CancellationToken,
) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut visiting = false;
    let mut idle = is_idle(&seat).await;
    loop {
        let event = tokio::select! {
            () = cancel.cancelled() => return,
            _ = look.tick(), if idle && !visiting => {
                let Some((asker, others)) = find_other(&own, &base).await else { continue };
                seat.change(asker).await;
                (events, visiting) = (others, true);
                Event::Lagged
            }
            event = events.next() => match event {
                None | Some(Event::Ended) if visiting => {
                    let (asker, ours) = own.listen();
                    seat.change(asker).await;
                    (events, visiting) = (ours, false);
                    idle = is_idle(&seat).await;
                    Event::Lagged
                }
                Some(event) => event,
                None => return,
            },
        };
        if let (Event::Phase { phase }, false) = (&event, visiting) {
            idle = matches!(phase, Phase::Stopped | Phase::Failed { .. });
        }
        let last = matches!(event, Event::Ended);
        if to.send(event).await.is_err() || last {
            return;
        }
    }
}

async fn is_idle(seat: &Seat) -> bool {
    match seat.send(Command::Snapshot).await {
        Reply::Snapshot { snapshot } => matches!(snapshot.phase, Phase::Stopped | Phase::Failed { .. }),
        _ => false,
    }
}

/// A lab with a cluster that a terminal holds.
async fn find_other(own: &Lab, base: &std::path::Path) -> Option<(Asker, Events)> {
    let found = home::find(base).into_iter().find(|found| {
        found.alive
            && found.record.host == "terminal"
            && !found.record.nodes.is_empty()
            && found.record.id != own.info().id
    })?;
    // It may be ending just now; then there is nothing to move to.
    control::connect(&found.socket()).await.ok()
}
