//! The scripts' notation for series: `metric{label="value"} 1 2+3x4 _ stale`.

use std::time::Duration;

use lab_metrics::{Labels, METRIC_NAME, stale_marker};

/// One value of a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    /// `_`: no sample.
    Omitted,
    Value(f64),
    /// `{{…}}`: a native histogram, which is outside of this evaluator.
    Native,
}

/// A series' labels and its sequence of values.
pub(super) fn parse_series(text: &str) -> Result<(Labels, Vec<Slot>), String> {
    let (labels, rest) = parse_labels(text.trim())?;
    let mut slots = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let end = end_of_word(rest)?;
        parse_slots(&rest[..end], &mut slots)?;
        rest = rest[end..].trim_start();
    }
    Ok((labels, slots))
}

/// Where a value ends: at white space, except inside the double braces of a native histogram.
fn end_of_word(text: &str) -> Result<usize, String> {
    let mut end = 0;
    loop {
        let next = &text[end..];
        let space = next.find(char::is_whitespace).unwrap_or(next.len());
        match next.find("{{").filter(|open| *open < space) {
            None => return Ok(end + space),
            Some(_) => end += next.find("}}").ok_or("a native histogram is never closed")? + 2,
        }
    }
}

/// `name{label="value", …}` or `{"name", label="value"}`; gives what follows too.
fn parse_labels(text: &str) -> Result<(Labels, &str), String> {
    let name_end = text.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(name_end);
    let mut pairs = vec![(METRIC_NAME.to_owned(), name.to_owned())];
    let trimmed = rest.trim_start();
    if let Some(inside) = trimmed.strip_prefix('{').filter(|inside| !inside.starts_with('{')) {
        rest = inside;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, after) = if rest.starts_with(['"', '\'', '`']) {
                parse_quoted(rest)?
            } else {
                let end = rest.find(|c: char| c == '=' || c.is_whitespace()).ok_or("a label has no value")?;
                (rest[..end].to_owned(), &rest[end..])
            };
            match after.trim_start().strip_prefix('=') {
                Some(after) => {
                    let (value, after) = parse_quoted(after.trim_start())?;
                    pairs.push((label, value));
                    rest = after;
                }
                // A lone quoted text is the metric name.
                None => {
                    pairs.push((METRIC_NAME.to_owned(), label));
                    rest = after;
                }
            }
        }
    }
    Ok((Labels::from_pairs(pairs), rest))
}

/// A quoted text at the start of `text`, unescaped, and what follows it.
pub(super) fn parse_quoted(text: &str) -> Result<(String, &str), String> {
    let mut chars = text.char_indices();
    let quote = match chars.next() {
        Some((_, quote @ ('"' | '\'' | '`'))) => quote,
        _ => return Err(format!("expected a quoted text at {text:?}")),
    };
    let mut value = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((value, &text[at + c.len_utf8()..])),
            '\\' if quote != '`' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'x')) => {
                    let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                    let code = u8::from_str_radix(&digits, 16).map_err(|_| "a bad \\x escape")?;
                    value.push(char::from(code));
                }
                Some((_, c)) => value.push(c),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("a quoted text is never closed".into())
}

/// `1`, `1x3`, `1+2x3`, `_`, `_x3`, `stale`. A repetition gives one value more than its number, `_x3` gives three.
fn parse_slots(word: &str, slots: &mut Vec<Slot>) -> Result<(), String> {
    if word.starts_with("{{") {
        let times = word.rsplit_once("}}x").map_or(Ok(0), |(_, times)| times.parse()).unwrap_or(0usize);
        slots.extend(std::iter::repeat_n(Slot::Native, times + 1));
        return Ok(());
    }
    let unreadable = || format!("cannot read the value {word:?}");
    let (values, times) = match word.split_once('x') {
        Some((values, times)) => (values, Some(times.parse::<usize>().map_err(|_| unreadable())?)),
        None => (word, None),
    };
    if times.is_some_and(|times| times > 1_000_000) {
        return Err(format!("{word:?} repeats a value too often"));
    }
    if values == "_" {
        slots.extend(std::iter::repeat_n(Slot::Omitted, times.unwrap_or(1)));
        return Ok(());
    }
    let step_at = values
        .char_indices()
        .skip(1)
        .find(|(at, c)| matches!(c, '+' | '-') && !values[..*at].ends_with(['e', 'E']))
        .map(|(at, _)| at);
    let (first, step) = match step_at {
        Some(at) if times.is_some() => (&values[..at], parse_number(&values[at..]).ok_or_else(unreadable)?),
        _ => (values, 0.0),
    };
    let mut value =
        if first == "stale" { stale_marker() } else { parse_number(first).ok_or_else(unreadable)? };
    for _ in 0..=times.unwrap_or(0) {
        slots.push(Slot::Value(value));
        // Adding to the staleness marker would quieten it.
        if step != 0.0 {
            value += step;
        }
    }
    Ok(())
}

/// A number as Go reads it: also hexadecimal, and octal with a leading zero.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16).ok()? as f64
    } else if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| (b'0'..b'8').contains(&b))
    {
        u64::from_str_radix(digits, 8).ok()? as f64
    } else if digits.starts_with(['+', '-']) {
        return None;
    } else {
        digits.parse().ok()?
    };
    Some(sign * magnitude)
}

/// `1h30m`, `15s`, `-5m`, `0`, or bare seconds.
pub(super) fn parse_duration_ms(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(sign * i64::try_from(Duration::try_from_secs_f64(seconds).ok()?.as_millis()).ok()?);
    }
    let duration = promql_parser::util::parse_duration(text).or_else(|_| {
        // The parser refuses durations of nothing; scripts evaluate at 0s.
        if text.trim_start_matches('0').trim_matches(|c: char| "smhdwy".contains(c)).is_empty() {
            Ok(Duration::ZERO)
        } else {
            Err(())
        }
    });
    Some(sign * i64::try_from(duration.ok()?.as_millis()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_expand_as_prometheus_expands_them() {
        let (labels, slots) = parse_series(r#"m{a="x y", b='\''} 1 2+3x2 _x2 stale -1e1-0.5x1 Inf"#).unwrap();
        assert_eq!(labels, Labels::from_pairs([("__name__", "m"), ("a", "x y"), ("b", "'")]));
        let shown: Vec<String> = slots
            .iter()
            .map(|slot| match slot {
                Slot::Value(v) if lab_metrics::is_stale(*v) => "stale".into(),
                Slot::Value(v) => v.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            ["1", "2", "5", "8", "Omitted", "Omitted", "stale", "-10", "-10.5", "inf"].map(String::from)
        );
    }

    #[test]
    fn durations_may_be_nothing_or_negative() {
        let table = [("0", 0), ("0s", 0), ("5m", 300_000), ("-1m30s", -90_000), ("2.5", 2_500)];
        for (text, ms) in table {
            assert_eq!(parse_duration_ms(text), Some(ms), "{text}");
        }
        assert_eq!(parse_duration_ms("soon"), None);
    }
}
