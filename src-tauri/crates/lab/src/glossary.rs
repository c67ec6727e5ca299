//! Terms, explained: written in `src-tauri/scenarios/glossary.yaml`, shown wherever a text links to one, with the
//! metrics that tell of it as the running members expose them.

mod file;
mod metrics;

pub use file::{Glossary, NameByLine, Term, read};
pub use metrics::views;
