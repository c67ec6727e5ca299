//! What goes wrong on purpose: failpoints inside members, set through gofail's HTTP endpoint, and delays, limits and
//! cuts on the links between members, made by a proxy through which they speak.
//!
//! Refuses to know which faults a scenario wants, how members were started, and who is told of what is in effect.

mod ask;
mod control;
mod gofail;
mod link;
mod links;
mod term;

pub use control::control;
pub use gofail::{Failpoint, Gofail, GofailError};
pub use link::{Dial, LinkError, LinkProxy, LinkState, Shape};
pub use links::{Links, LinksError};
pub use term::{Action, Modifier, Step, Term, TermError, Value};
