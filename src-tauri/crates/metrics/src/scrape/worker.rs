//! One target's task: it waits for ticks, asks, and hands the answer on. Whatever one target does, the others'
//! tasks go on.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ingest::Ingest;
use super::{Clock, Scrape, ScrapeConfig, Target, fetch};
use crate::store::Storage;

/// An order to scrape now.
pub(super) struct Tick {
    pub t_ms: i64,
    pub reply: oneshot::Sender<Scrape>,
}

/// What a worker needs.
pub(super) struct Worker {
    pub target: Target,
    pub config: ScrapeConfig,
    pub store: Arc<dyn Storage>,
    pub clock: Clock,
    pub client: reqwest::Client,
    pub cancel: CancellationToken,
}

impl Worker {
    /// Scrapes at each tick until cancelled, then ends the target's series.
    pub async fn run(self, mut ticks: mpsc::Receiver<Tick>) {
        let mut ingest =
            Ingest::new(self.target.labels.clone(), self.config.honor_labels, self.config.limits);
        let served = self.cancel.run_until_cancelled(async {
            let mut body = Vec::new();
            while let Some(tick) = ticks.recv().await {
                let scrape = self.scrape(tick.t_ms, &mut body, &mut ingest).await;
                // Nobody waits for the reply of a round that was given up.
                let _ = tick.reply.send(scrape);
            }
        });
        // Cancelled or not, this is the end.
        let _ = served.await;
        ingest.end(self.store.as_ref(), (self.clock)());
    }

    async fn scrape(&self, t_ms: i64, body: &mut Vec<u8>, ingest: &mut Ingest) -> Scrape {
        let started = Instant::now();
        let ScrapeConfig { timeout, body_bytes, .. } = self.config;
        let answer = fetch::fetch(&self.client, &self.target.url, timeout, body_bytes, body).await;
        let answer = answer.map(|()| body.as_slice());
        ingest.ingest(self.store.as_ref(), t_ms, answer, || started.elapsed())
    }
}
