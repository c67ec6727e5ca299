//! A cluster as containers of a Docker engine. The only place that knows Docker.

mod engine;
pub mod image;
mod labels;
pub mod leftovers;
pub mod observers;
mod refusal;
mod runtime;
mod watch;

pub use engine::{Engine, EngineError, EngineInfo, LEAST_API};
pub use labels::AfterKill;
pub use runtime::{DockerConfig, DockerRuntime, ENGINE_STOPPED, Place};
pub use watch::run_if_watcher;
