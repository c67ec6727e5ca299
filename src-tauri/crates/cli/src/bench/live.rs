//! The line a second while a load runs: rewritten in place on a terminal, one below the other elsewhere.

use std::io::{self, IsTerminal, Write};

use lab_bench::Progress;

use super::summary::{count, time};
use crate::say;

/// Clears the line under the cursor and returns to its start (ECMA-48, EL).
const CLEAR_LINE: &str = "\r\x1b[2K";

/// Shows a load while it runs, on standard error, so that standard output holds the result alone.
pub(super) struct Live {
    total: Option<u64>,
    in_place: bool,
    unfinished: bool,
}

impl Live {
    pub fn new(total: Option<u64>) -> Self {
        Self { total, in_place: io::stderr().is_terminal(), unfinished: false }
    }

    /// Shows the last second. The result goes elsewhere, so whether somebody sees this changes nothing.
    pub fn show(&mut self, progress: &Progress) {
        let line = line(progress, self.total);
        if self.in_place {
            self.unfinished = true;
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{CLEAR_LINE}{line}").and_then(|()| stderr.flush());
        } else {
            say::aside(line);
        }
    }

    /// Leaves the last line standing.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            say::aside("");
        }
    }
}

fn line(progress: &Progress, total: Option<u64>) -> String {
    let latency = match &progress.latency {
        Some(latency) => {
            format!(
                "p50 {:>7}  p90 {:>7}  p99 {:>7}",
                time(latency.p50_s),
                time(latency.p90_s),
                time(latency.p99_s)
            )
        }
        None => format!("{:<39}", "no answers"),
    };
    let done = count(progress.answers + progress.errors);
    let of = total.map(|total| format!("/{}", count(total))).unwrap_or_default();
    let mut line = format!(
        "{:>5.0} s  {:>8.0}/s  {latency}  errors {}  done {done}{of}",
        progress.elapsed_s, progress.rate, progress.errors
    );
    if progress.backlog > 0 {
        line.push_str(&format!("  behind {}", count(progress.backlog)));
    }
    if let Some(most) = progress.error_counts.first().filter(|_| progress.error_rate > 0.0) {
        line.push_str(&format!("  {}: {}", most.code, most.message));
    }
    line
}
