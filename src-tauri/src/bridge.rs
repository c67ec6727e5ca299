//! The page's two ways into the lab: one command at a time, and one stream of events. Refuses to know what either
//! means; both are the lab's language, passed on as they are. Knows no window either, so that it is proven without.
//!
//! The page is one listener. When it is loaded anew it subscribes anew: the new listener takes the place of the
//! old, whose stream ends, so that a reloaded page gets each event once.
//!
//! While this app has no cluster and a terminal's lab has one, the page shows that one and steers it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lab::api::{Command, Event, Reply};
use lab::{Asker, Lab};
use tokio::task::JoinHandle;

/// The page's side of the lab.
pub struct Bridge {
    lab: Lab,
    page: Mutex<Page>,
}

struct Page {
    asker: Asker,
    stream: Option<JoinHandle<()>>,
}

impl Bridge {
    /// A bridge with no page on it yet. To be called within a tokio runtime, as is [`Self::subscribe`].
    pub fn new(lab: Lab) -> Self {
        let (asker, _) = lab.listen();
        Self { lab, page: Mutex::new(Page { asker, stream: None }) }
    }

    /// Carries out a command of the page's.
    pub async fn send(&self, command: Command) -> Reply {
        let asker = self.page().asker.clone();
        asker.send(command).await
    }

    /// Streams events into `deliver` until it says that nobody is there any more, or the page subscribes anew.
    pub fn subscribe(&self, deliver: impl Fn(Event) -> bool + Send + 'static) {
        let (asker, mut events) = self.lab.listen_around();
        let stream = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if !deliver(event) {
                    break;
                }
            }
        });
        let mut page = self.page();
        page.asker = asker;
        if let Some(old) = page.stream.replace(stream) {
            old.abort();
        }
    }

    /// Nothing in here is ever half-written, so a lock that was poisoned by a panic is as good as any.
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lab::Config;
    use lab::api::Snapshot;
    use tempfile::TempDir;
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn open() -> (Lab, Bridge, TempDir) {
        let base = tempfile::tempdir().unwrap();
        let config = Config { base: base.path().into(), ..Config::standard("app").unwrap() };
        let lab = Lab::open(config).await.unwrap();
        (lab.clone(), Bridge::new(lab), base)
    }

    fn subscribe(bridge: &Bridge) -> mpsc::UnboundedReceiver<Event> {
        let (page, events) = mpsc::unbounded_channel();
        bridge.subscribe(move |event| page.send(event).is_ok());
        events
    }

    async fn snapshot(bridge: &Bridge) -> Box<Snapshot> {
        match bridge.send(Command::Snapshot).await {
            Reply::Snapshot { snapshot } => snapshot,
            other => panic!("a snapshot was asked for, {other:?} came"),
        }
    }

    #[tokio::test]
    async fn a_command_is_answered_before_and_after_the_page_subscribes() {
        let (lab, bridge, _base) = open().await;
        assert_eq!(snapshot(&bridge).await.lab, *lab.info());
        let _events = subscribe(&bridge);
        assert_eq!(snapshot(&bridge).await.lab, *lab.info());
        lab.shutdown().await;
    }

    #[tokio::test]
    async fn a_page_loaded_anew_takes_the_place_of_the_old() {
        let (lab, bridge, _base) = open().await;
        let mut old = subscribe(&bridge);
        let mut new = subscribe(&bridge);
        assert_eq!(timeout(LIMIT, old.recv()).await.unwrap(), None);
        lab.shutdown().await;
        let mut told = None;
        while let Some(event) = timeout(LIMIT, new.recv()).await.unwrap() {
            told = Some(event);
        }
        assert_eq!(told, Some(Event::Ended));
    }

    #[tokio::test]
    async fn a_command_to_a_lab_that_has_ended_is_answered_with_a_problem() {
        let (lab, bridge, _base) = open().await;
        lab.shutdown().await;
        let reply = timeout(LIMIT, bridge.send(Command::Snapshot)).await.unwrap();
        assert!(matches!(&reply, Reply::Problem { problem } if problem.code == "lab-ended"), "{reply:?}");
    }
}
