//! How queries are evaluated, wherever they were asked: in the window, over the socket, by a Grafana. Off the async
//! threads, a few at a time, with a limit on their time, and no longer than somebody waits for the answer.
//!
//! Knows neither what is asked nor how an answer looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lab_promql::{Engine, Interrupt};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::Instant;

/// How long a query may take, waiting for its turn included: Prometheus' time-out.
pub const TIMEOUT: Duration = Duration::from_secs(120);
/// Queries at once: a lab shares its few cores with three members and their load.
const AT_ONCE: usize = 4;

/// The turns that queries take. Clones share them.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self::of(AT_ONCE)
    }
}

/// Why there was no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Its turn did not come in time.
    #[error("query timed out in query queue")]
    NoTurn,
    /// The evaluation broke off; a mistake of ours.
    #[error(transparent)]
    Broken(#[from] JoinError),
}

impl Turns {
    /// Turns for so many queries at once.
    pub fn of(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// Lets `ask` evaluate with an engine that stops `within` this time, or when this future is dropped.
    ///
    /// # Errors
    /// When its turn did not come in time.
    pub async fn evaluate<T: Send + 'static>(
        &self,
        engine: &Engine,
        within: Duration,
        ask: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let deadline = Instant::now() + within;
        let turn = tokio::time::timeout_at(deadline, Arc::clone(&self.0).acquire_owned());
        let Ok(Ok(turn)) = turn.await else { return Err(Unanswered::NoTurn) };
        let waiting = Waiting::default();
        let given_up = Arc::clone(&waiting.given_up);
        let engine = engine.clone().with_interrupt(Arc::new(move || {
            if given_up.load(Ordering::Relaxed) {
                Some(Interrupt::Canceled)
            } else {
                (Instant::now() >= deadline).then_some(Interrupt::Timeout)
            }
        }));
        let evaluation = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ask(&engine)
        });
        let answer = evaluation.await;
        drop(waiting);
        Ok(answer?)
    }
}

/// Held while somebody waits for an answer; who goes away drops it, and with it ends the evaluation.
#[derive(Default)]
struct Waiting {
    given_up: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use lab_promql::Semantics;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    /// Goes on until the engine is told to stop; returns why.
    fn until_interrupted(engine: &Engine) -> Interrupt {
        let check = engine.interrupt.as_ref().unwrap();
        loop {
            if let Some(why) = check() {
                return why;
            }
            std::thread::yield_now();
        }
    }

    fn engine() -> Engine {
        Engine::new(Semantics::V3)
    }

    #[tokio::test]
    async fn a_query_ends_when_its_time_is_up() {
        let within = Duration::from_millis(50);
        let why = Turns::default().evaluate(&engine(), within, until_interrupted).await.unwrap();
        assert_eq!(why, Interrupt::Timeout);
    }

    #[tokio::test]
    async fn a_query_ends_when_nobody_waits_for_it_and_gives_its_turn_on() {
        let turns = Turns::of(1);
        let (sender, began) = tokio::sync::oneshot::channel();
        let (of_asker, engine) = (turns.clone(), engine());
        let (asked, of_engine) = (engine.clone(), engine);
        let asker = tokio::spawn(async move {
            let ask = move |engine: &Engine| {
                let _ = sender.send(());
                until_interrupted(engine)
            };
            let _ = of_asker.evaluate(&asked, LONG, ask).await;
        });
        began.await.unwrap();
        asker.abort();
        assert!(turns.evaluate(&of_engine, LONG, |_| true).await.unwrap());
    }

    #[tokio::test]
    async fn a_query_whose_turn_does_not_come_says_so() {
        let refused = Turns::of(0).evaluate(&engine(), Duration::from_millis(10), |_| ()).await;
        assert!(matches!(refused, Err(Unanswered::NoTurn)));
    }
}
