//! A window's seat: on its own lab, and, while that has no cluster and a terminal's lab has one, on that. So the
//! window shows what runs on this machine, whoever started it, and both steer the same lab.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Event, Phase, Reply, WatchSet};
use crate::lab::{Asker, Events, Lab};
use crate::{control, home};

/// How often to look for a terminal's lab.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events that may wait for a window that is slow to take them.
const WAITING: usize = 64;

/// How long a lab may take to answer before the window is moved to it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Who is asked at the moment, and what he is to draw.
#[derive(Clone)]
pub(crate) struct Seat(Arc<Mutex<Seated>>);

struct Seated {
    asker: Asker,
    watched: WatchSet,
    /// A clone is held by each start under way: a seat does not leave the lab that the person is starting.
    starts: Arc<()>,
}

impl Seat {
    fn new(asker: Asker) -> Self {
        Self(Arc::new(Mutex::new(Seated { asker, watched: WatchSet::default(), starts: Arc::default() })))
    }

    pub async fn send(&self, command: Command) -> Reply {
        let (asker, _start) = {
            let mut seated = self.seated();
            if let Command::Watch { set } = &command {
                seated.watched = set.clone();
            }
            let starts = matches!(command, Command::Start { .. } | Command::BeginScenario { .. });
            let start = starts.then(|| Arc::clone(&seated.starts));
            (seated.asker.clone(), start)
        };
        Box::pin(asker.send(command)).await
    }

    /// Another lab from now on; it is told at once what is watched.
    async fn change(&self, asker: Asker) {
        let set = self.seated().change(&asker);
        Box::pin(asker.send(Command::Watch { set })).await;
    }

    /// As [`Self::change`], unless the lab that is sat at has, or is about to have, a cluster. Looking for another
    /// lab takes a while, and the person may have started this one in the meantime. Returns whether it changed.
    async fn leave_idle(&self, asker: Asker) -> bool {
        if !is_idle(self).await {
            return false;
        }
        let set = {
            let mut seated = self.seated();
            if Arc::strong_count(&seated.starts) > 1 {
                return false;
            }
            seated.change(&asker)
        };
        Box::pin(asker.send(Command::Watch { set })).await;
        true
    }

    fn seated(&self) -> MutexGuard<'_, Seated> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    fn change(&mut self, asker: &Asker) -> WatchSet {
        self.asker = asker.clone();
        self.watched.clone()
    }
}

impl Lab {
    /// As [`Lab::listen`], but moves to a terminal's lab while this one has no cluster and that one has, and back
    /// when that one ends. After each move comes [`Event::Lagged`]: ask for the snapshot.
    pub fn listen_around(&self) -> (Asker, Events) {
        let (asker, events) = self.listen();
        let seat = Seat::new(asker);
        let (sender, receiver) = mpsc::channel(WAITING);
        let cancel = CancellationToken::new();
        tokio::spawn(move_about(self.clone(), seat.clone(), events, sender, cancel.clone()));
        (Asker::seated(seat), Events::new(receiver, cancel))
    }
}

async fn move_about(
    own: Lab,
    seat: Seat,
    mut events: Events,
    to: mpsc::Sender<Event>,
    cancel: CancellationToken,
) {
    let mut visiting = false;
    let mut idle = is_idle(&seat).await;
    // Beside the events: a lab that is slow to answer must not hold up what this one tells.
    let mut look = Box::pin(find_other(&own));
    loop {
        let event = tokio::select! {
            () = cancel.cancelled() => return,
            (asker, others) = &mut look, if idle && !visiting => {
                look.set(find_other(&own));
                if !seat.leave_idle(asker).await {
                    continue;
                }
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
        // Between two clusters of a scenario none runs, and the person is still at it.
        Reply::Snapshot { snapshot } => {
            snapshot.course.is_none() && matches!(snapshot.phase, Phase::Stopped | Phase::Failed { .. })
        }
        _ => false,
    }
}

/// Looks until there is a lab with a cluster that a terminal holds, and that answers.
async fn find_other(own: &Lab) -> (Asker, Events) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let found = home::find(own.base()).into_iter().filter(|found| {
            found.alive
                && found.record.host == "terminal"
                && !found.record.nodes.is_empty()
                && found.record.id != own.info().id
        });
        for other in found {
            // It may be ending just now, or its program was stopped; then there is nothing to move to.
            if let Ok(Ok(other)) = timeout(ANSWERS_WITHIN, control::connect(&other.socket())).await {
                return other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;
    use tokio::time::Instant;

    use super::*;
    use crate::Config;
    use crate::api::StartOptions;
    use crate::home::{Home, Record};
    use lab_cluster::Node;

    async fn open(base: &std::path::Path) -> Lab {
        Lab::open(Config { base: base.into(), ..Config::standard("app").unwrap() }).await.unwrap()
    }

    async fn sits_at(asker: &Asker) -> String {
        match asker.ask(Command::Snapshot).await.unwrap() {
            Reply::Snapshot { snapshot } => snapshot.lab.id,
            other => panic!("{other:?}"),
        }
    }

    /// `etcd-labctl up`, stopped with Ctrl-Z: its folder is held, its socket takes connections, nothing answers.
    #[tokio::test]
    async fn a_window_does_not_move_to_a_lab_that_does_not_answer() {
        let base = tempfile::tempdir().unwrap();
        let lab = open(base.path()).await;
        let (asker, mut events) = lab.listen_around();
        let home = Home::take(base.path()).unwrap();
        let socket = UnixListener::bind(home.socket()).unwrap();
        let url = || String::from("http://127.0.0.1:1");
        let node = Node {
            name: "etcd-1".into(),
            client: url(),
            peer: url(),
            gofail: url(),
            pid: None,
            container: None,
        };
        let record = Record { id: "stopped".into(), pid: 1, host: "terminal".into(), nodes: vec![node] };
        home.write(&record).unwrap();

        // It has been knocked at, and looked at again: that is after the first time-out.
        let mut held = Vec::new();
        let began = Instant::now();
        while held.len() < 2 {
            tokio::select! {
                knocked = socket.accept() => held.push(knocked.unwrap()),
                event = events.next() => panic!("{event:?}"),
            }
            let asked = Instant::now();
            assert_eq!(sits_at(&asker).await, lab.info().id);
            assert!(asked.elapsed() < ANSWERS_WITHIN, "the own lab was held up");
        }
        assert!(began.elapsed() >= ANSWERS_WITHIN);
        lab.shutdown().await;
    }

    #[tokio::test]
    async fn a_seat_does_not_leave_the_lab_that_is_being_started() {
        let bases = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (own, other) = (open(bases[0].path()).await, open(bases[1].path()).await);
        let seat = Seat::new(own.listen().0);
        let asker = Asker::seated(seat.clone());
        {
            // On its way, while the lab still says that it is idle; which it stays, since there is no such version.
            let options = StartOptions { etcd_version: Some("0.0.0".into()), ..StartOptions::default() };
            let start = seat.send(Command::Start { options });
            let mut start = std::pin::pin!(start);
            let waker = std::task::Waker::noop();
            assert!(start.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
            assert!(!seat.leave_idle(other.listen().0).await);
            assert_eq!(sits_at(&asker).await, own.info().id);
        }
        assert!(seat.leave_idle(other.listen().0).await);
        assert_eq!(sits_at(&asker).await, other.info().id);
        for lab in [own, other] {
            lab.shutdown().await;
        }
    }
}
