//! The control socket: one line of JSON a message, in the lab's own language. Whoever may open the socket (the
//! same person: its mode is 0600) can do what the window can.

mod client;
mod server;

use serde::{Deserialize, Serialize};

use crate::api::{Command, Event, Reply};

pub use client::{Client, connect};
pub use server::serve;

/// Longest line sent and accepted: a frame of the largest screen is well below.
const LINE_BYTES: usize = 16 << 20;

/// From who asks to the lab.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Request {
    /// A command; its answer bears the same id.
    Ask { id: u64, command: Command },
    /// From now on, events too.
    Listen,
}

/// From the lab to who asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Response {
    /// The answer to the command of that id.
    Answer { id: u64, reply: Reply },
    /// News.
    News { event: Event },
}

#[cfg(test)]
pub(crate) mod tests;
