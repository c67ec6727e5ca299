//! Variables in queries: `$name`, `${name}`, `${name:format}` and `[[name]]`.
//!
//! The rule, after Grafana's Prometheus data source:
//!
//! 1. Grafana's own variables come first: `$__interval` is the step, but never less than the scrape interval;
//!    `$__rate_interval` is `$__interval` and one scrape interval, but at least four scrape intervals; `$__range`
//!    is the length of the window shown. With `_ms` (and `_s` for the range) they are bare numbers.
//! 2. Then the dashboard's: the value chosen in the file. Of a variable that takes one value, quotes and
//!    backslashes are escaped; of one that takes several, each value is made safe inside a regular expression, and
//!    several become `(a|b)`. "All" is its `allValue`, or `.*`. A variable of kind interval set to "auto" is
//!    `$__interval`. Formats `raw`, `csv`, `pipe` and `regex` are honoured, others are as if not written.
//! 3. A name that is neither stays as it is, so that the parser reports it.

use std::borrow::Cow;

use crate::model::{Variable, VariableKind};

/// What variables stand for at the time of asking. Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Between two points of a line.
    pub step_ms: i64,
    /// Length of the window shown.
    pub range_ms: i64,
    /// Between two scrapes.
    pub scrape_ms: i64,
    /// The dashboard's variables.
    pub variables: &'a [Variable],
}

impl Scope<'_> {
    fn interval_ms(&self) -> i64 {
        self.step_ms.max(self.scrape_ms)
    }

    fn rate_interval_ms(&self) -> i64 {
        (self.interval_ms() + self.scrape_ms).max(4 * self.scrape_ms)
    }

    fn value(&self, name: &str, format: &str) -> Option<String> {
        Some(match name {
            "__interval" => duration(self.interval_ms()),
            "__interval_ms" => self.interval_ms().to_string(),
            "__rate_interval" => duration(self.rate_interval_ms()),
            "__rate_interval_ms" => self.rate_interval_ms().to_string(),
            "__range" => duration(self.range_ms),
            "__range_s" => (self.range_ms / 1000).to_string(),
            "__range_ms" => self.range_ms.to_string(),
            _ => self.chosen(self.variables.iter().find(|variable| variable.name == name)?, format)?,
        })
    }

    fn chosen(&self, variable: &Variable, format: &str) -> Option<String> {
        if variable.values.iter().any(|value| value == "$__all") {
            return Some(variable.all_value.clone().unwrap_or_else(|| ".*".to_owned()));
        }
        let first = variable.values.first()?;
        if variable.kind == VariableKind::Interval && (first == "auto" || first.starts_with("$__auto")) {
            return Some(duration(self.interval_ms()));
        }
        let escaped = || variable.values.iter().map(|value| regex_in_string(value)).collect::<Vec<_>>();
        Some(match format {
            "raw" | "csv" => variable.values.join(","),
            "pipe" => variable.values.join("|"),
            "regex" => alternatives(&escaped()),
            _ if variable.multi => alternatives(&escaped()),
            _ => first.replace('\\', r"\\").replace('"', r#"\""#),
        })
    }
}

/// `expr` with its variables filled in; see the module's rule.
pub fn substitute<'e>(expr: &'e str, scope: &Scope<'_>) -> Cow<'e, str> {
    let mut filled = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = expr[from..].find(['$', '[']).map(|found| from + found) {
        from = at + 1;
        let Some(reference) = Reference::at_start_of(&expr[at..]) else { continue };
        if let Some(value) = scope.value(reference.name, reference.format) {
            filled.push_str(&expr[copied..at]);
            filled.push_str(&value);
            copied = at + reference.len;
        }
        from = at + reference.len;
    }
    if copied == 0 {
        return Cow::Borrowed(expr);
    }
    filled.push_str(&expr[copied..]);
    Cow::Owned(filled)
}

/// Names of variables in `expr` that stand for nothing: neither Grafana's own as far as they are filled in here, nor
/// the dashboard's, or without a value. What `label_replace` calls `$1` is no variable.
pub(crate) fn unresolved<'e>(expr: &'e str, scope: &Scope<'_>) -> Vec<&'e str> {
    let starts = expr.match_indices(['$', '[']).map(|(at, _)| at);
    starts
        .filter_map(|at| Reference::at_start_of(&expr[at..]))
        .filter(|reference| !reference.name.starts_with(|first: char| first.is_ascii_digit()))
        .filter(|reference| scope.value(reference.name, reference.format).is_none())
        .map(|reference| reference.name)
        .collect()
}

/// A variable as it stands in an expression.
struct Reference<'e> {
    name: &'e str,
    /// Empty when none is written.
    format: &'e str,
    /// Bytes that it takes up.
    len: usize,
}

impl<'e> Reference<'e> {
    fn at_start_of(text: &'e str) -> Option<Self> {
        let (open, close) =
            [("${", "}"), ("[[", "]]"), ("$", "")].into_iter().find(|(open, _)| text.starts_with(open))?;
        let name = word(&text[open.len()..]);
        let mut len = open.len() + name.len();
        let mut format = "";
        if !close.is_empty() {
            if let Some(rest) = text[len..].strip_prefix(':') {
                format = word(rest);
                len += 1 + format.len();
            }
            if !text[len..].starts_with(close) {
                return None;
            }
        }
        (!name.is_empty()).then_some(Self { name, format, len: len + close.len() })
    }
}

/// The letters, digits and underscores that `text` begins with.
fn word(text: &str) -> &str {
    let end =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    &text[..end]
}

/// A value made safe inside a regular expression that stands in a quoted string: its special characters are
/// escaped, and so are the backslashes that do it.
fn regex_in_string(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' => safe.push_str(r"\\\\"),
            '"' => safe.push_str(r#"\""#),
            '^' | '$' | '*' | '+' | '?' | '.' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '/' => {
                safe.push_str(r"\\");
                safe.push(letter);
            }
            other => safe.push(other),
        }
    }
    safe
}

fn alternatives(values: &[String]) -> String {
    match values {
        [one] => one.clone(),
        several => format!("({})", several.join("|")),
    }
}

/// As PromQL writes a duration.
fn duration(ms: i64) -> String {
    if ms % 1000 == 0 { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, multi: bool, values: &[&str]) -> Variable {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Variable { name: name.into(), kind: VariableKind::Other, multi, all_value: None, values }
    }

    #[test]
    fn variables_follow_the_rule() {
        let mut window = variable("window", false, &["auto"]);
        window.kind = VariableKind::Interval;
        let variables = [
            variable("job", false, &["et\"cd"]),
            variable("member", true, &["etcd-1", "etcd.2"]),
            variable("one", true, &["a.b"]),
            variable("all", true, &["$__all"]),
            window,
        ];
        let scope = Scope { step_ms: 500, range_ms: 900_000, scrape_ms: 1_000, variables: &variables };
        let cases = [
            ("rate(x[$__rate_interval])", "rate(x[4s])"),
            ("rate(x[${__interval}])", "rate(x[1s])"),
            ("x[$__range] / $__range_s / ${__interval_ms}", "x[900s] / 900 / 1000"),
            (r#"x{job="$job"}"#, r#"x{job="et\"cd"}"#),
            (r#"x{i=~"$member"}"#, r#"x{i=~"(etcd-1|etcd\\.2)"}"#),
            (r#"x{i=~"[[one]]"}"#, r#"x{i=~"a\\.b"}"#),
            (r#"x{i=~"${member:pipe}"}"#, r#"x{i=~"etcd-1|etcd.2"}"#),
            (r#"x{i=~"$all"}"#, r#"x{i=~".*"}"#),
            ("rate(x[$window])", "rate(x[1s])"),
            ("$nobody + ${none}", "$nobody + ${none}"),
            (r#"x{a=~"b$"}"#, r#"x{a=~"b$"}"#),
        ];
        for (expr, expected) in cases {
            assert_eq!(substitute(expr, &scope), expected);
        }
        assert_eq!(
            unresolved("rate(x[$__interval]) + $nobody + ${none:pipe} + [[a]]", &scope),
            ["nobody", "none", "a"]
        );
        assert_eq!(unresolved(r#"label_replace(x{a=~"b$"}, "c", "$1", "d", "(.*)")"#, &scope), [""; 0]);
        let coarse = Scope { step_ms: 15_500, ..scope };
        assert_eq!(substitute("$__rate_interval", &coarse), "16500ms");
    }
}
