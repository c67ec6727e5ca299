//! The lab itself: one session owns the cluster, the loads and the metrics, takes commands and tells events.
//! The window, the terminal and the control socket all speak with it in the language of [`api`], and none of
//! them is known here.

pub mod api;
mod boards;
pub mod control;
mod desk;
pub mod diagram;
pub mod doctor;
pub mod evaluation;
pub mod home;
mod lab;
mod listen;
pub mod problems;
pub mod prometheus_api;
pub mod scenario;
mod serve;
mod session;
mod shown;
mod watch;

pub use lab::{Asker, Config, Events, Lab};
