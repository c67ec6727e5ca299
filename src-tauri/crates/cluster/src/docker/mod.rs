//! A cluster as containers of a Docker engine. The only place that knows Docker.

mod engine;
pub mod image;

pub use engine::{Engine, EngineError, EngineInfo, LEAST_API};
