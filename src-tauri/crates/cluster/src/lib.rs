//! A cluster of etcd members on this machine: what it consists of ([`Topology`], read from `compose/*.yaml`)
//! and who runs it ([`Runtime`]). Only [`native`] starts member processes, only [`docker`] knows Docker. Refuses to know
//! what members say of themselves once they run: that is the `etcd` and `metrics` crates' business.

pub mod docker;
mod error;
mod health;
mod log;
pub mod native;
mod ports;
mod ready;
mod runtime;
mod topology;

pub use error::{ClusterError, PortTaken};
pub use log::{last_lines, reason};
pub use ports::{PortChoice, ports_taken};
pub use runtime::{Exit, MemberAction, MemberProgress, Node, OnLaunched, OnProgress, Runtime};
pub use topology::{Endpoint, Member, PeerProxy, Topology, TopologyError, TopologyName};
