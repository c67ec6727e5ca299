//! Being told to stop: once in order, twice at once.

use lab::api::Problem;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP. The second one ends the program at once; the members go with it.
pub struct Signals {
    each: [Signal; 3],
    seen: bool,
}

impl Signals {
    /// Listens for them.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn new() -> Result<Self, Problem> {
        let on = |kind| {
            signal(kind).map_err(|error| {
                Problem::new("no-signals", "This program can't be told to stop in order.", "Start it anew.")
                    .detail(error)
            })
        };
        let each = [on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?];
        Ok(Self { each, seen: false })
    }

    /// Waits for the first.
    pub async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.each;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if std::mem::replace(&mut self.seen, true) {
            return;
        }
        let (mut again, mut or_again) =
            match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
                (Ok(again), Ok(or_again)) => (again, or_again),
                _ => return,
            };
        tokio::spawn(async move {
            tokio::select! {
                _ = again.recv() => {}
                _ = or_again.recv() => {}
            }
            std::process::exit(130);
        });
    }
}
