//! What a container writes, brought into a file on this host while it runs: so the log of a member is read in one way,
//! whoever runs it, and stays when its container is gone.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// Between two tries to read on, of a container that runs while the engine doesn't answer.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How often that is tried.
const TRIES: u32 = 10;

/// The output of one container on its way into a file.
pub(super) struct Output {
    /// Bytes of it that were dealt with, from its first line on.
    dealt_with: Arc<AtomicU64>,
    done: watch::Receiver<bool>,
    task: AbortHandle,
}

impl Output {
    /// Appends to `file` what the container writes, but for its first `skip` bytes, until it ends.
    pub fn follow(docker: Docker, container: String, file: PathBuf, skip: u64) -> Self {
        let dealt_with = Arc::new(AtomicU64::new(skip));
        let (tell, done) = watch::channel(false);
        let copied = Arc::clone(&dealt_with);
        let task = tokio::spawn(async move {
            copy(&docker, &container, file, &copied).await;
            tell.send_replace(true);
        });
        Self { dealt_with, done, task: task.abort_handle() }
    }

    /// Bytes that were dealt with, from the container's first line on: where another run of it goes on.
    pub fn dealt_with(&self) -> u64 {
        self.dealt_with.load(Ordering::Acquire)
    }

    /// Waits until the container has ended and all it wrote is in the file, but no longer than `limit`.
    pub async fn complete(&self, limit: Duration) {
        let mut done = self.done.clone();
        // Too late, or nobody copies any more: what is there is what there is.
        let _ = timeout(limit, done.wait_for(|done| *done)).await;
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn copy(docker: &Docker, container: &str, file: PathBuf, dealt_with: &AtomicU64) {
    let Ok(mut file) = File::options().create(true).append(true).open(&file).await else { return };
    let mut failed = 0;
    loop {
        // The engine tells all from the first line on: what is in the file is passed over.
        read(docker, container, true, &mut file, dealt_with).await;
        let running = docker
            .inspect_container(container, None)
            .await
            .map(|container| container.state.and_then(|state| state.running).unwrap_or(false));
        match running {
            Ok(true) => {}
            // The stream may have ended a moment before the container's last word was written down.
            Ok(false) => return read(docker, container, false, &mut file, dealt_with).await,
            Err(error) if crate::docker::refusal::is_absent(&error) => return,
            Err(_) if failed == TRIES => return,
            Err(_) => failed += 1,
        }
        sleep(TRY_EVERY).await;
    }
}

async fn read(docker: &Docker, container: &str, follow: bool, file: &mut File, dealt_with: &AtomicU64) {
    let options = LogsOptionsBuilder::new().follow(follow).stdout(true).stderr(true).build();
    let mut output = std::pin::pin!(docker.logs(container, Some(options)));
    let mut known = dealt_with.load(Ordering::Acquire);
    while let Some(Ok(piece)) = output.next().await {
        let piece = piece.into_bytes();
        let passed_over = usize::try_from(known).unwrap_or(usize::MAX).min(piece.len());
        known -= passed_over as u64;
        let new = &piece[passed_over..];
        // Where this host's disk is full, the member goes on, and its log has a gap at the end.
        if new.is_empty() || file.write_all(new).await.is_err() {
            continue;
        }
        dealt_with.fetch_add(new.len() as u64, Ordering::AcqRel);
    }
    let _ = file.flush().await;
}
