//! How a person is told things in a terminal: facts on standard output, problems on standard error.
//!
//! A reader may go away (`| head`). That is no reason to end a program that holds a cluster, so nothing here ends
//! it: what nobody reads is not said, and [`unheard`] tells those who want to leave then.

use std::io::Write;
use std::sync::LazyLock;

use lab::api::Problem;
use tokio_util::sync::CancellationToken;

/// Log lines shown with a problem; the rest is in the file.
const LOG_LINES: usize = 10;
/// Characters shown of each: etcd writes stack traces of thousands into one line.
const LOG_WIDTH: usize = 200;

/// Tells a problem: what happened, what next, the code, and the end of a member's log.
pub fn problem(problem: &Problem) {
    aside(text(problem).trim_end());
}

/// Prints to standard error; whether somebody reads it changes nothing.
pub fn aside(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn text(problem: &Problem) -> String {
    let mut text = format!("{}\n  → {}\n  code {}", problem.sentence, problem.next, problem.code);
    if !problem.detail.is_empty() && !problem.sentence.contains(&problem.detail) {
        text += &format!(": {}", problem.detail);
    }
    text.push('\n');
    let from = problem.log.len().saturating_sub(LOG_LINES);
    if let (Some(member), false) = (&problem.member, problem.log.is_empty()) {
        text += &format!("  the end of {member}'s log:\n");
        for line in &problem.log[from..] {
            let more = if line.chars().count() > LOG_WIDTH { "…" } else { "" };
            text += &format!("    {}{more}\n", line.chars().take(LOG_WIDTH).collect::<String>());
        }
    }
    text
}

/// Cancelled once standard output takes nothing any more.
static UNHEARD: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// Prints one line to standard output, as long as somebody reads it.
pub fn line(text: impl std::fmt::Display) {
    if UNHEARD.is_cancelled() {
        return;
    }
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        UNHEARD.cancel();
    }
}

/// Waits until nobody reads standard output any more; known only after a line was said.
pub async fn unheard() {
    UNHEARD.cancelled().await;
}

/// A number of things: `1 step`, `2 steps`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Prints a table: columns as wide as their widest cell, the last one as it is.
pub fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut text = String::new();
        for (at, cell) in row.iter().enumerate() {
            if at + 1 == row.len() {
                text += cell;
            } else {
                text += &format!("{cell:<width$}  ", width = widths[at]);
            }
        }
        line(text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_and_what_next_and_shows_the_end_of_the_log() {
        let log = (0..30).map(|number| format!("line {number}")).collect();
        let problem = Problem::new("member-died", "etcd-2 ended.", "See its log.")
            .detail("os error 2")
            .member("etcd-2", log);
        let text = text(&problem);
        assert!(
            text.starts_with("etcd-2 ended.\n  → See its log.\n  code member-died: os error 2\n"),
            "{text}"
        );
        assert!(text.contains("line 29") && !text.contains("line 19\n"), "{text}");
    }
}
