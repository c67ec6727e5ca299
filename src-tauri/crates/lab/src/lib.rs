//! The lab itself: one session owns the cluster, the loads and the metrics, takes commands and tells events.
//! Knows no window and no terminal.

pub mod api;
pub mod diagram;
