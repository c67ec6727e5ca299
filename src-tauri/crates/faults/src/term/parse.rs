//! The parser of terms: `term = step ("->" step)*`, `step = (float "%" | int "*")* action ["(" value ")"]`.

use std::time::Duration;

use super::{Action, Modifier, Step, TermError, Value};

const ACTIONS: &str = "an action is off, return, sleep, panic, break or print";
const PAUSE: &str = "a sleep has milliseconds, `sleep(100)`, or a duration, `sleep(\"10s\")`";
const UNIT: &str = "a duration has a unit: \"10s\", \"1.5s\", \"300ms\", \"1m30s\"";
const VALUE: &str = "a value is a whole number, a \"text\", true or false";
const NO_SPACES: &str = "a term is written without spaces";
const TOO_LARGE: &str = "this number is too large";

/// The steps of a term.
pub(super) fn term(text: &str) -> Result<Vec<Step>, TermError> {
    let mut parser = Parser { text, at: 0 };
    let mut steps = vec![parser.step()?];
    while parser.at < text.len() {
        if !parser.take("->") {
            return Err(parser.expected(parser.at, "the next step is behind `->`"));
        }
        steps.push(parser.step()?);
    }
    Ok(steps)
}

struct Parser<'a> {
    text: &'a str,
    /// Byte that is next.
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        if there {
            self.at += what.len();
        }
        there
    }

    fn take_while(&mut self, takes: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !takes(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// What is allowed at a byte; a space has its own word, wherever it is.
    fn expected(&self, at: usize, expected: impl Into<String>) -> TermError {
        let space = self.text[at..].starts_with(char::is_whitespace);
        TermError {
            text: self.text.into(),
            at: self.text[..at].chars().count() + 1,
            expected: if space { NO_SPACES.into() } else { expected.into() },
        }
    }

    fn step(&mut self) -> Result<Step, TermError> {
        let mut modifiers = Vec::new();
        while self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            modifiers.push(self.modifier()?);
        }
        let began = self.at;
        let action = match self.take_while(|c| c.is_ascii_alphanumeric()) {
            "off" => Action::Off,
            "break" => Action::Break,
            "print" => Action::Print,
            "return" => Action::Return(self.value()?),
            "panic" => Action::Panic(self.value()?),
            "sleep" => Action::Sleep(self.pause()?),
            _ => return Err(self.expected(began, ACTIONS)),
        };
        if self.rest().starts_with('(') {
            return Err(self.expected(self.at, "this action takes no value"));
        }
        Ok(Step { modifiers, action })
    }

    fn modifier(&mut self) -> Result<Modifier, TermError> {
        let began = self.at;
        let digit = |c: char| c.is_ascii_digit();
        self.take_while(digit);
        let point = self.take(".");
        self.take_while(digit);
        let number = &self.text[began..self.at];
        if point {
            if !self.take("%") {
                let expected = "a number with a decimal point is a percentage: `%` follows";
                return Err(self.expected(self.at, expected));
            }
            let percent = number.parse().ok().filter(|percent| *percent <= 100.0);
            return percent
                .map(Modifier::Percent)
                .ok_or_else(|| self.expected(began, "a percentage is from 0 to 100"));
        }
        if self.take("*") {
            return number.parse().map(Modifier::Times).map_err(|_| self.expected(began, TOO_LARGE));
        }
        let expected = if self.rest().starts_with('%') {
            format!("a percentage has a decimal point: `{number}.0%`")
        } else {
            format!("a number is followed by `*`, or is a percentage: `{number}.0%`")
        };
        Err(self.expected(self.at, expected))
    }

    /// What is in the parentheses; `None` when there are none, or nothing in them.
    fn value(&mut self) -> Result<Option<Value>, TermError> {
        if !self.take("(") || self.take(")") {
            return Ok(None);
        }
        let began = self.at;
        let value = if self.take("\"") {
            Value::Text(self.text(began)?)
        } else if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            Value::Int(self.int(began)?)
        } else {
            match self.take_while(|c| c.is_ascii_alphanumeric()) {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err(self.expected(began, VALUE)),
            }
        };
        if !self.take(")") {
            return Err(self.expected(self.at, "the value ends with `)`"));
        }
        Ok(Some(value))
    }

    fn text(&mut self, began: usize) -> Result<String, TermError> {
        let text = self.take_while(|c| c != '"' && c != '\\' && !c.is_control());
        if self.take("\"") {
            Ok(text.to_owned())
        } else if self.rest().starts_with('\\') {
            Err(self.expected(self.at, "gofail can't read a text with a backslash in it"))
        } else {
            Err(self.expected(began, "this text has no end: a `\"` is missing"))
        }
    }

    fn int(&mut self, began: usize) -> Result<i64, TermError> {
        self.take("-");
        self.take_while(|c| c.is_ascii_digit());
        let digits = &self.text[began..self.at];
        let int: i64 = digits
            .parse()
            .map_err(|_| self.expected(began, if digits == "-" { VALUE } else { TOO_LARGE }))?;
        // gofail skips as many characters as it would print for the number.
        if int.to_string() != digits {
            return Err(self.expected(began, "a number is written without leading zeros"));
        }
        Ok(int)
    }

    /// What a sleep has in its parentheses.
    fn pause(&mut self) -> Result<Duration, TermError> {
        let inside = self.at + usize::from(self.rest().starts_with('('));
        let value = self.value().map_err(|error| {
            // Everybody's slip: gofail reads the number, and stumbles over the unit.
            let written = self.text[inside..].split(')').next().unwrap_or_default();
            match duration(written) {
                Some(_) => {
                    TermError { expected: format!("a duration is a text: `sleep(\"{written}\")`"), ..error }
                }
                None => error,
            }
        })?;
        let (pause, expected) = match value {
            Some(Value::Int(ms)) => (u64::try_from(ms).ok().map(Duration::from_millis), PAUSE),
            Some(Value::Text(text)) => (duration(&text), UNIT),
            Some(Value::Bool(_)) | None => (None, PAUSE),
        };
        pause.ok_or_else(|| self.expected(inside, expected))
    }
}

/// A duration as Go writes it (`time.ParseDuration`), not negative.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("μs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
    ];
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = Some(text).filter(|text| !text.is_empty())?;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (count, behind) = rest.split_at(rest.find(|c| !number(c))?);
        let (unit, behind) = behind.split_at(behind.find(number).unwrap_or(behind.len()));
        let (_, unit_s) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += count.parse::<f64>().ok()? * unit_s;
        rest = behind;
    }
    Duration::try_from_secs_f64(seconds).ok()
}
