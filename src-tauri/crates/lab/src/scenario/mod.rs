//! Scenarios as data: what one consists of ([`model`]) and how it is read from a folder ([`read`]), with every mistake
//! named by file and line. The format is described in `src-tauri/scenarios/README.md`. Knows no scenario by name; a
//! new one is a new folder. Refuses to know how one is played.

mod action;
mod bound;
mod condition;
pub mod model;
pub(crate) mod names;
mod raw;
mod read;
mod scope;
mod step;
mod text;
mod values;

pub use bound::bytes;
pub(crate) use read::SCENARIO_FILE;
pub use read::{Editions, read};
pub use scope::Known;
pub(crate) use text::check_links;
