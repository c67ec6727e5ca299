//! Reading a member's log: its last lines, and what it gives as the reason for its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::Exit;

/// No line of a log is longer than this in what a person is shown.
const LINE_BYTES: usize = 2_000;
/// How much of the end of a file is looked at, at most.
const TAIL_BYTES: u64 = 1 << 20;
/// Log lines that go with an error.
const LOG_LINES: usize = 20;
/// Log lines searched for a reason: etcd prints its whole usage after the flag that it doesn't like.
const REASON_LINES: usize = 1_000;

/// The last `lines` lines of a file, oldest first. Long lines are cut.
///
/// # Errors
/// When the file can't be read.
pub fn last_lines(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    last_lines_since(path, 0, lines)
}

/// As [`last_lines`], of what was written after the first `from` bytes.
fn last_lines_since(path: &Path, from: u64, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let cut_at = length.saturating_sub(TAIL_BYTES);
    let start = cut_at.max(from.min(length));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // Where the file was entered in the middle, the first line is a fragment.
    let mut all: Vec<&str> = text.lines().skip(usize::from(cut_at > from)).collect();
    let keep_from = all.len().saturating_sub(lines);
    Ok(all.drain(keep_from..).map(|line| cut(line).to_owned()).collect())
}

fn cut(line: &str) -> &str {
    let mut end = line.len().min(LINE_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

/// Puts the log of the run before aside, as `NAME.log.1`.
///
/// # Errors
/// When it can't be renamed.
pub(crate) fn put_aside(log: &Path) -> io::Result<()> {
    match std::fs::rename(log, log.with_extension("log.1")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a member's log gives as the reason for its end, and the last lines of it, of what was written after the first
/// `from` bytes. Nothing when there is no log.
pub(crate) fn last_words(log: &Path, from: u64) -> (Option<String>, Vec<String>) {
    let mut lines = last_lines_since(log, from, REASON_LINES).unwrap_or_default();
    let reason = reason(&lines);
    // After a panic the Go runtime writes where it was; what it was about stands before.
    if let Some(at) = lines.iter().position(|line| line.starts_with("goroutine ")) {
        lines.truncate(at);
    }
    lines.drain(..lines.len().saturating_sub(LOG_LINES));
    (reason, lines)
}

/// What is told of a member that ended by itself.
pub(crate) fn exit(member: String, how: String, log: &Path, from: u64) -> Exit {
    let (reason, log) = last_words(log, from);
    // Who is killed has no time to write why; what stands there last is about something else.
    let reason = reason.filter(|_| !how.ends_with("signal 9"));
    Exit { member, how, reason, log }
}

/// What etcd's log gives as the reason for its end: the last line of level fatal or panic, else the last of
/// level error, else a Go panic. etcd logs JSON objects with `level`, `msg` and `error`.
pub fn reason(lines: &[String]) -> Option<String> {
    let mut found: Option<(u8, String)> = None;
    for line in lines {
        let Some((rank, text)) = judge(line) else { continue };
        if found.as_ref().is_none_or(|(best, _)| rank >= *best) {
            found = Some((rank, text));
        }
    }
    found.map(|(_, text)| text)
}

fn judge(line: &str) -> Option<(u8, String)> {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line) else {
        // Before its logger is up etcd writes plain text; the Go runtime always does.
        let said = ["panic:", "fatal error:", "invalid value", "flag provided but not defined"]
            .iter()
            .any(|start| line.starts_with(start))
            || line.contains("rror: ");
        return said.then(|| (1, line.to_owned()));
    };
    let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str);
    let rank = match text("level")? {
        "fatal" | "panic" | "dpanic" => 3,
        "error" => 2,
        _ => return None,
    };
    let message = text("msg").unwrap_or_default();
    Some((rank, text("error").map_or_else(|| message.to_owned(), |error| format!("{message}: {error}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_line_of_the_gravest_kind() {
        let lines: Vec<String> = [
            r#"{"level":"info","msg":"starting"}"#,
            r#"{"level":"error","msg":"creating listener failed","error":"address in use"}"#,
            r#"{"level":"fatal","msg":"discovery failed","error":"no space left on device"}"#,
            r#"{"level":"error","msg":"closing"}"#,
            "main.main()",
        ]
        .map(String::from)
        .into();
        assert_eq!(reason(&lines).as_deref(), Some("discovery failed: no space left on device"));
        assert_eq!(reason(&lines[..2]).as_deref(), Some("creating listener failed: address in use"));
        assert_eq!(reason(&lines[..1]), None);
    }

    #[test]
    fn only_the_end_of_a_log_is_read_and_long_lines_are_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "é".repeat(3_000);
        std::fs::write(file.path(), format!("one\ntwo\n{long}\nthree\n")).unwrap();
        let lines = last_lines(file.path(), 2).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() <= LINE_BYTES && lines[0].starts_with('é'));
        assert_eq!(lines[1], "three");
        assert_eq!(last_lines_since(file.path(), 4, 9).unwrap()[0], "two");
    }
}
