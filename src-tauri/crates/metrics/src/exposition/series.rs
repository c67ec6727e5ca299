//! The part of a sample line before its value: where it ends, and the labels in it.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{BLANK, Limits, ParseErrorKind};

/// Labels of one sample, in the order written. Values borrow from the text unless they held escapes.
pub type LabelPairs<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// Where the parts of a series' text end.
pub(super) struct Bounds {
    pub name_len: usize,
    /// Length of the whole series text, closing brace included.
    pub series_len: usize,
    /// Position of the opening brace.
    pub brace: Option<usize>,
}

/// Finds the end of the series at the start of `line` without judging its labels.
pub(super) fn bounds(line: &str) -> Result<Bounds, ParseErrorKind> {
    let name_len = metric_name_len(line);
    if name_len == 0 {
        return Err(ParseErrorKind::ExpectedMetricName);
    }
    let after_name = &line[name_len..];
    let blank = after_name.len() - after_name.trim_start_matches(BLANK).len();
    let brace = name_len + blank;
    if line.as_bytes().get(brace) != Some(&b'{') {
        if blank == 0 && !after_name.is_empty() {
            return Err(ParseErrorKind::ExpectedMetricName);
        }
        return Ok(Bounds { name_len, series_len: name_len, brace: None });
    }
    let mut at = brace + 1;
    loop {
        let rest = &line.as_bytes()[at..];
        let found = memchr2(b'"', b'}', rest).ok_or(ParseErrorKind::UnclosedLabels)?;
        if rest[found] == b'}' {
            return Ok(Bounds { name_len, series_len: at + found + 1, brace: Some(brace) });
        }
        at += found + 1;
        at += quoted_len(&line[at..]).ok_or(ParseErrorKind::ExpectedLabelValue)? + 1;
    }
}

/// Length up to the double quote that closes a value whose opening quote has been passed.
fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[found] == b'"' {
            return Some(found);
        }
        // The escaped byte is never the start of anything. A backslash that ends the line closes nothing.
        at = found + 2;
        if at > bytes.len() {
            return None;
        }
    }
}

/// What stands between the braces: `name="value"` pairs, one trailing comma allowed.
pub(super) fn parse_labels<'a>(inside: &'a str, limits: &Limits) -> Result<LabelPairs<'a>, ParseErrorKind> {
    let mut labels = LabelPairs::new();
    let mut rest = inside.trim_matches(BLANK);
    while !rest.is_empty() {
        let (name, after) = rest.split_at(label_name_len(rest));
        if name.is_empty() {
            return Err(ParseErrorKind::ExpectedLabelName);
        }
        if name.len() > limits.name_bytes {
            return Err(ParseErrorKind::NameTooLong { limit: limits.name_bytes });
        }
        let after =
            after.trim_start_matches(BLANK).strip_prefix('=').ok_or(ParseErrorKind::ExpectedEquals)?;
        let quoted =
            after.trim_start_matches(BLANK).strip_prefix('"').ok_or(ParseErrorKind::ExpectedLabelValue)?;
        let len = quoted_len(quoted).ok_or(ParseErrorKind::ExpectedLabelValue)?;
        if len > limits.value_bytes {
            return Err(ParseErrorKind::ValueTooLong { limit: limits.value_bytes });
        }
        if labels.len() == limits.labels {
            return Err(ParseErrorKind::TooManyLabels { limit: limits.labels });
        }
        if labels.iter().any(|(known, _)| *known == name) {
            return Err(ParseErrorKind::DuplicateLabel);
        }
        labels.push((name, unescape(&quoted[..len], true)));
        rest = quoted[len + 1..].trim_start_matches(BLANK);
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').ok_or(ParseErrorKind::ExpectedComma)?.trim_start_matches(BLANK);
        }
    }
    Ok(labels)
}

/// `\\` and `\n`, in label values also `\"`. As in Prometheus, any other escape stays as it is written.
pub(super) fn unescape(text: &str, quotes: bool) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let (resolved, used) = match rest.as_bytes().get(at + 1) {
            Some(b'\\') => ('\\', 2),
            Some(b'n') => ('\n', 2),
            Some(b'"') if quotes => ('"', 2),
            _ => ('\\', 1),
        };
        plain.push(resolved);
        rest = &rest[at + used..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Length of the metric name at the start of `text`: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(super) fn metric_name_len(text: &str) -> usize {
    name_len(text, |byte| byte == b':')
}

/// Length of the label name at the start of `text`: `[a-zA-Z_][a-zA-Z0-9_]*`.
fn label_name_len(text: &str) -> usize {
    name_len(text, |_| false)
}

fn name_len(text: &str, also: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    if bytes.first().is_none_or(u8::is_ascii_digit) {
        return 0;
    }
    bytes
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || also(*byte)))
        .unwrap_or(bytes.len())
}
