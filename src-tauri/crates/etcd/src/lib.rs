//! What the lab asks of a cluster that runs, and does to it: status, samples of put and range, compaction,
//! defragmentation, alarms. Refuses to know how members were started, and what their metrics say.

mod cluster;
mod error;
mod member;

pub use cluster::Cluster;
pub use error::EtcdError;
pub use member::{Alarm, AlarmKind, Deletion, Member, MemberStatus, Value};
