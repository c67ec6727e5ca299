//! Scenarios: content as data ([`read`]) and the one engine that plays any of them ([`play`]). Knows no
//! scenario by name; a new one is a new folder under `src-tauri/scenarios`.

mod file;
mod play;

pub use file::{Check, PerProfile, Profile, Scenario, Step, Watched, builtin, read};
pub use play::{Outcome, Played, play};
