//! A connection to one member, for good: when it breaks, the next request opens it anew, to the same member.
//!
//! All requests that find it closed wait for one attempt, and all get that attempt's outcome. Attempts that fail in
//! a row are spaced out, so that clients of a dead member don't keep a core busy; the wait counts as their
//! requests' latency, like any other.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::Request;
use tokio::{net::TcpStream, sync::Mutex, time::Instant};

use super::grpc::{self, Answer, CallError};
use crate::{
    address::Address,
    errors::{Failure, GrpcCode},
};

/// Wait after the first failed attempt; doubles with each further one.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);

/// Longest wait between attempts: how late at most a member's return is noticed.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

/// Answers that a member may send before we take note of them. Large, so that ranges don't wait for window updates.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// A connection, open or not. Lives on one thread.
pub(super) struct Connection {
    /// Endpoint it belongs to, as an index into the spec's.
    pub member: usize,
    address: Address,
    dial_timeout: Duration,
    /// Connections to this member that are open, over all threads.
    open: Arc<AtomicU32>,
    state: RefCell<State>,
    /// Held while opening.
    opening: Mutex<()>,
    attempts: Cell<u64>,
}

enum State {
    Open { sender: SendRequest<Bytes>, attempt: u64 },
    Closed { failures: u32, not_before: Instant, last: Option<Failure> },
}

impl Connection {
    pub fn new(member: usize, address: Address, dial_timeout: Duration, open: Arc<AtomicU32>) -> Rc<Self> {
        Rc::new(Self {
            member,
            address,
            dial_timeout,
            open,
            state: RefCell::new(State::Closed { failures: 0, not_before: Instant::now(), last: None }),
            opening: Mutex::new(()),
            attempts: Cell::new(0),
        })
    }

    /// Opens it, if it isn't open. Waits, if the last attempts failed.
    pub async fn open(self: &Rc<Self>) -> Result<(), Failure> {
        self.sender().await.map(drop)
    }

    /// Sends one request and waits for its answer's end.
    pub async fn call(
        self: &Rc<Self>,
        head: Request<()>,
        body: Bytes,
        answer: Answer,
    ) -> Result<Bytes, Failure> {
        let (sender, attempt) = self.sender().await?;
        grpc::unary(sender, head, body, answer).await.map_err(|error| match error {
            CallError::Failed(failure) => failure,
            CallError::Lost(failure) => {
                self.close(attempt, failure.clone());
                failure
            }
        })
    }

    async fn sender(self: &Rc<Self>) -> Result<(SendRequest<Bytes>, u64), Failure> {
        if let Some(open) = self.if_open() {
            return Ok(open);
        }
        let attempts_seen = self.attempts.get();
        let _opening = self.opening.lock().await;
        if let Some(open) = self.if_open() {
            return Ok(open);
        }
        let (failures, not_before) = match &*self.state.borrow() {
            // Somebody tried while we waited: theirs was our attempt too.
            State::Closed { last: Some(failure), .. } if self.attempts.get() != attempts_seen => {
                return Err(failure.clone());
            }
            State::Closed { failures, not_before, .. } => (*failures, *not_before),
            State::Open { sender, attempt } => return Ok((sender.clone(), *attempt)),
        };
        tokio::time::sleep_until(not_before).await;
        let attempt = self.attempts.get() + 1;
        self.attempts.set(attempt);
        match self.dial().await {
            Ok((sender, connection)) => {
                self.open.fetch_add(1, Ordering::Relaxed);
                self.state.replace(State::Open { sender: sender.clone(), attempt });
                tokio::task::spawn_local(drive(Rc::downgrade(self), attempt, connection));
                Ok((sender, attempt))
            }
            Err(failure) => {
                self.state.replace(State::Closed {
                    failures: failures.saturating_add(1),
                    not_before: Instant::now() + back_off(failures),
                    last: Some(failure.clone()),
                });
                Err(failure)
            }
        }
    }

    fn if_open(&self) -> Option<(SendRequest<Bytes>, u64)> {
        match &*self.state.borrow() {
            State::Open { sender, attempt } => Some((sender.clone(), *attempt)),
            State::Closed { .. } => None,
        }
    }

    /// Notes that the connection opened by `attempt` is no more. The next attempt may come at once.
    fn close(&self, attempt: u64, why: Failure) {
        let is_current =
            matches!(&*self.state.borrow(), State::Open { attempt: open, .. } if *open == attempt);
        if is_current {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.state.replace(State::Closed { failures: 0, not_before: Instant::now(), last: Some(why) });
        }
    }

    async fn dial(&self) -> Result<(SendRequest<Bytes>, client::Connection<TcpStream>), Failure> {
        let within = self.dial_timeout;
        tokio::time::timeout(within, self.handshake()).await.unwrap_or_else(|_| {
            Err(Failure::new(
                GrpcCode::Unavailable,
                format!("the connection could not be opened within {within:?} (--dial-timeout)"),
            ))
        })
    }

    async fn handshake(&self) -> Result<(SendRequest<Bytes>, client::Connection<TcpStream>), Failure> {
        let refused = |error: std::io::Error| {
            Failure::unavailable(format!("the connection could not be opened: {error}"))
        };
        let stream =
            TcpStream::connect((self.address.host.as_str(), self.address.port)).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await
            .map_err(|error| grpc::connection_lost(&error))
    }
}

/// Moves the connection's bytes until it ends.
async fn drive(owner: std::rc::Weak<Connection>, attempt: u64, connection: client::Connection<TcpStream>) {
    let why = match connection.await {
        Ok(()) => Failure::unavailable("the connection was lost: the member closed it"),
        Err(error) => grpc::connection_lost(&error),
    };
    if let Some(owner) = owner.upgrade() {
        owner.close(attempt, why);
    }
}

fn back_off(failures: u32) -> Duration {
    FIRST_BACK_OFF.saturating_mul(1 << failures.min(16)).min(LONGEST_BACK_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_a_second() {
        let millis: Vec<_> = [0, 1, 2, 3, 4, 5, 40].map(|failures| back_off(failures).as_millis()).into();
        assert_eq!(millis, [50, 100, 200, 400, 800, 1_000, 1_000]);
    }
}
