//! The cases stand in `tests/data/exposition.cases`: a title, the exposition, and what it says.

use std::fmt::Write;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn render(text: &str) -> String {
    let mut out = String::new();
    for entry in parse(text) {
        let written = entry.and_then(|entry| match entry {
            Entry::Type { metric, kind } => Ok(format!("type {metric} {kind:?}")),
            Entry::Help { metric, help } => Ok(format!("help {metric} {help:?}")),
            Entry::Sample(sample) => {
                let mut line = format!("sample {}", sample.metric());
                for (name, value) in sample.labels()? {
                    write!(line, " {name}={value:?}").unwrap();
                }
                write!(line, " = {:?}", sample.value).unwrap();
                if let Some(t_ms) = sample.timestamp_ms {
                    write!(line, " @{t_ms}").unwrap();
                }
                Ok(line)
            }
        });
        match written {
            Ok(line) => writeln!(out, "{line}").unwrap(),
            Err(error) => {
                writeln!(out, "error {error}").unwrap();
                break;
            }
        }
    }
    out
}

#[test]
fn cases() {
    let cases = include_str!("../../tests/data/exposition.cases");
    let mut failures = Vec::new();
    let mut count = 0;
    for case in cases.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("---\n").unwrap();
        let actual = render(text);
        if actual != expected {
            failures.push(format!("=== {title}\nexpected\n{expected}got\n{actual}"));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 35, "only {count} cases were read");
}

#[test]
fn the_last_line_needs_no_newline() {
    assert_eq!(render("a 1\nb 2"), "sample a = 1.0\nsample b = 2.0\n");
}

#[test]
fn the_series_text_is_a_key_without_blanks_around_it() {
    let Some(Ok(Entry::Sample(sample))) = parse("  a_b { c = \"}\\\"\" }  1").next() else { panic!() };
    assert_eq!(sample.series, "a_b { c = \"}\\\"\" }");
}

#[test]
fn no_exposition_contains_a_staleness_marker() {
    for text in ["a NaN", "a -nan", "a +NaN"] {
        let Some(Ok(Entry::Sample(sample))) = parse(text).next() else { continue };
        assert!(sample.value.is_nan() && !crate::is_stale(sample.value), "{text}");
    }
}

#[test]
fn limits_are_errors_with_the_limit_in_them() {
    let limits = Limits { line_bytes: 40, labels: 2, name_bytes: 4, value_bytes: 5 };
    let error = |text: &str| {
        let parsed = Parser::new(text, limits).try_for_each(|entry| match entry? {
            Entry::Sample(sample) => sample.labels().map(drop),
            _ => Ok(()),
        });
        parsed.unwrap_err().to_string()
    };
    assert_eq!(error("ab 1\nabcde 1"), "line 2: a name is longer than 4 bytes");
    assert_eq!(error("a{bcdef=\"\"} 1"), "line 1: a name is longer than 4 bytes");
    assert_eq!(error("# TYPE abcde gauge"), "line 1: a name is longer than 4 bytes");
    assert_eq!(error("a{b=\"123456\"} 1"), "line 1: a label value is longer than 5 bytes");
    assert_eq!(error("a{b=\"\",c=\"\",d=\"\"} 1"), "line 1: more than 2 labels");
    assert_eq!(error(&" ".repeat(41)), "line 1: the line is longer than 40 bytes");
}

/// Every prefix of real text, and real text with bytes knocked about: an answer, never a panic.
#[test]
fn damaged_text_never_panics() {
    let text = include_str!("../../tests/data/exposition.cases");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        render(&text[..end].replace("===", "#").replace("error", "#"));
        let from = text[..end].rfind('\n').map_or(0, |at| at + 1);
        render(&text[from..end]);
    }
    let seed = 0x5eed_2407_u64;
    println!("seed {seed:#x}");
    let mut random = SmallRng::seed_from_u64(seed);
    let palette = b"{}\"\\=,# \t\n0a:_-.e";
    for _ in 0..20_000 {
        let bytes: Vec<u8> =
            (0..random.random_range(0..40)).map(|_| palette[random.random_range(0..palette.len())]).collect();
        render(&String::from_utf8(bytes).unwrap());
    }
}
