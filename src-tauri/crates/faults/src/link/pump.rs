//! Carries the bytes of one direction of one connection, each chunk when it is due.
//!
//! A chunk's time begins when it comes, not when the one before it has left: a delay makes nothing slower than late.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

use super::{Link, Shape, locked};

/// Bytes that may wait in one direction of one connection; who sends more waits himself, as at TCP's own window.
/// With a delay of one second it still lets 16 MiB a second through.
const WINDOW_BYTES: usize = 16 << 20;
/// Room for what is read at once.
const READ_BYTES: usize = 64 << 10;

/// What a direction of a connection is, seen from who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// What the dialling member sends. A cut breaks the connection when there is something to send: a stream that the
    /// member only listens to has nothing, and goes on.
    Requests,
    /// What it receives. A cut breaks the connection at once.
    Responses,
}

struct Chunk {
    entered: Instant,
    /// Where in the jitter's range it falls, -1 to 1.
    vary: f64,
    /// Empty for the end of the stream, which is held like all before it.
    data: Bytes,
}

/// A slice that has its turn under a limit.
struct Turn {
    at: Instant,
    bytes: usize,
}

/// Counts a connection as long as it lives.
struct Counted<'a>(&'a Link);

impl<'a> Counted<'a> {
    fn on(link: &'a Link) -> Self {
        link.connections.fetch_add(1, Ordering::Relaxed);
        Self(link)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Carries bytes until the end of the stream has been passed on. `vary` gives numbers from -1 to 1.
///
/// # Errors
/// When either side fails, or the link is cut: the connection is to be dropped then.
pub(super) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &Link,
    carries: Carries,
    mut vary: impl FnMut() -> f64,
) -> io::Result<()> {
    let _counted = Counted::on(link);
    let mut shapes = link.shape.subscribe();
    let mut buffer = BytesMut::new();
    let mut waiting: VecDeque<Chunk> = VecDeque::new();
    let mut waiting_bytes = 0;
    let mut open = true;
    let mut turn: Option<Turn> = None;
    loop {
        let shape = *shapes.borrow_and_update();
        if shape.cut && (carries == Carries::Responses || !waiting.is_empty()) {
            return Err(cut(link));
        }
        if buffer.capacity() < READ_BYTES / 16 {
            buffer.reserve(READ_BYTES);
        }
        let next = match (&turn, waiting.front()) {
            (Some(turn), _) => Some(turn.at),
            (None, Some(chunk)) => Some(shape.due(chunk.entered, chunk.vary)),
            (None, None) => None,
        };
        tokio::select! {
            read = from.read_buf(&mut buffer), if open && waiting_bytes < WINDOW_BYTES => {
                open = read? > 0;
                let data = buffer.split().freeze();
                waiting_bytes += data.len();
                waiting.push_back(Chunk { entered: Instant::now(), vary: vary(), data });
            }
            changed = shapes.changed() => {
                changed.map_err(io::Error::other)?;
                turn = None;
            }
            () = reach(next) => {
                let Some(chunk) = waiting.front_mut() else { continue };
                if chunk.data.is_empty() {
                    return to.shutdown().await;
                }
                let bytes = match (turn.take(), shape.bandwidth_bytes_s) {
                    (Some(turn), _) => turn.bytes,
                    (None, None) => chunk.data.len(),
                    (None, Some(limit)) => {
                        turn = Some(take_turn(link, &shape, chunk.data.len(), limit));
                        continue;
                    }
                };
                tokio::select! {
                    written = to.write_all(&chunk.data[..bytes]) => written?,
                    _ = shapes.wait_for(|shape| shape.cut) => return Err(cut(link)),
                }
                chunk.data.advance(bytes);
                waiting_bytes -= bytes;
                let now = Instant::now();
                let mut figures = locked(&link.figures);
                figures.passed(now, bytes);
                if chunk.data.is_empty() {
                    figures.left(now, now - chunk.entered);
                    waiting.pop_front();
                }
            }
        }
    }
}

fn take_turn(link: &Link, shape: &Shape, waiting: usize, limit: u64) -> Turn {
    let bytes = shape.slice(waiting);
    Turn { at: locked(&link.pace).reserve(Instant::now(), bytes, limit), bytes }
}

/// Waits for an instant, and forever for none. tokio's timers round up to a millisecond, so one that has passed
/// isn't given to them.
async fn reach(at: Option<Instant>) {
    match at {
        Some(at) if at <= Instant::now() => {}
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn cut(link: &Link) -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        format!("the link from {} to {} is cut", link.from, link.to),
    )
}

#[cfg(test)]
mod tests;
