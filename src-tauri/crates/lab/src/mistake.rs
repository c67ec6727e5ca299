//! Mistakes in what people write for the lab (scenarios, texts, diagrams, terms): each with its file and line, so that
//! an editor can jump there.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::{MessageFormatter, Spanned, UserMessageFormatter};

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
pub struct Mistake {
    /// File as it was named.
    pub file: String,
    /// Line, from 1; 0 when it concerns no particular one.
    pub line: u64,
    /// What is wrong, a sentence.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.reason),
            line => write!(f, "{}:{line}: {}", self.file, self.reason),
        }
    }
}

/// Mistakes found in one file so far.
#[derive(Debug)]
pub(crate) struct Mistakes {
    file: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// None yet in `file`.
    pub fn of(file: impl Into<String>) -> Self {
        Self { file: file.into(), list: Vec::new() }
    }

    /// Notes one where `at` stands.
    pub fn add<T>(&mut self, at: &Spanned<T>, reason: impl Into<String>) {
        self.add_at(at.referenced.line(), reason);
    }

    /// Notes one at a line, or at none in particular (0).
    pub fn add_at(&mut self, line: u64, reason: impl Into<String>) {
        self.list.push(Mistake { file: self.file.clone(), line, reason: reason.into() });
    }

    /// Reads YAML of a known shape. A mistake in the shape ends the reading of the file: only the first is found.
    pub fn yaml<T: DeserializeOwned>(&mut self, text: &str) -> Option<T> {
        let error = match serde_saphyr::from_str(text) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let line = error.location().map_or(0, |location| location.line());
        self.add_at(line, UserMessageFormatter.format_message(error.without_snippet()));
        None
    }

    /// All of them.
    pub fn into_list(self) -> Vec<Mistake> {
        self.list
    }
}
