//! What a person is told when something goes wrong: a stable code, a sentence, a next step.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that went wrong, in words for a person. Never a raw error: `detail` and `log` carry what an
/// engineer wants to see besides, and may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{sentence} {next} [{code}]")]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct Problem {
    /// Stable, `kebab-case`; tests and translations hold on to it.
    pub code: String,
    /// What happened, one sentence.
    pub sentence: String,
    /// What to do next, one sentence.
    pub next: String,
    /// The cause as the library or the operating system put it; may be empty.
    #[serde(default)]
    pub detail: String,
    /// The member it concerns, if one.
    #[serde(default)]
    pub member: Option<String>,
    /// The last lines of that member's log, oldest first.
    #[serde(default)]
    pub log: Vec<String>,
}

impl Problem {
    /// A problem with a code, a sentence and a next step.
    pub fn new(code: &str, sentence: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            sentence: sentence.into(),
            next: next.into(),
            detail: String::new(),
            member: None,
            log: Vec::new(),
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// Names the member and shows the end of its log.
    #[must_use]
    pub fn member(mut self, name: &str, log: Vec<String>) -> Self {
        self.member = Some(name.into());
        self.log = log;
        self
    }
}
