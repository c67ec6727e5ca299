//! The lab itself: one session owns the cluster, the loads and the metrics, takes commands and tells events.
//! The window, the terminal and the control socket all speak with it in the language of [`api`], and none of
//! them is known here.

pub mod api;
mod bench_spec;
mod boards;
pub mod content;
pub mod control;
mod course;
mod desk;
pub mod diagram;
pub mod docker;
pub mod doctor;
pub mod evaluation;
pub mod glossary;
pub mod home;
mod lab;
mod listen;
mod mistake;
pub mod problems;
pub mod prometheus_api;
mod release_line;
pub mod scenario;
mod serve;
mod session;
mod shown;
mod topologies;
mod watch;

pub use lab::{Asker, Config, Events, Lab};
pub use mistake::Mistake;
pub use release_line::ReleaseLine;
pub use topologies::Topologies;
