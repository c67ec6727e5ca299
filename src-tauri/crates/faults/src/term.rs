//! What a failpoint does when it is reached: gofail's terms, as far as they have an effect.
//!
//! Stricter than gofail's own parser (`runtime/terms.go`), which takes some slips without a word (`sleep(10x`) and
//! passes over others (`sleep()` sleeps not at all): a mistake is told where it is made, with what is allowed there.

mod parse;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A chain of steps: the first one whose modifiers allow it is done, the others aren't.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    steps: Vec<Step>,
}

/// One step of a term, such as `3*sleep(100)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it is done; all of them must allow it.
    pub modifiers: Vec<Modifier>,
    /// What is done.
    pub action: Action,
}

/// When a step is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Modifier {
    /// With this probability in percent, 0 to 100: `40.0%`. The decimal point is part of the form.
    Percent(f64),
    /// So many times, and then no more: `3*`.
    Times(u32),
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Off,
    /// The code at the failpoint gets this value and acts on it; none is enough for those that only ask whether to.
    Return(Option<Value>),
    /// The goroutine sleeps.
    Sleep(Duration),
    /// The member panics and ends, with this as its last word.
    Panic(Option<Value>),
    /// A debugger (gdb) is started on the member.
    Break,
    /// The member prints the failpoint's name.
    Print,
}

/// What is in an action's parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `10`.
    Int(i64),
    /// `"text"`: no quotes and no backslash in it, since gofail counts its bytes after unquoting.
    Text(String),
    /// `true`.
    Bool(bool),
}

/// A text that is no term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`, character {at}: {expected}")]
pub struct TermError {
    /// The whole text.
    pub text: String,
    /// Where the mistake is: which character, from 1.
    pub at: usize,
    /// What is allowed there, or what is wrong.
    pub expected: String,
}

impl Term {
    /// Its steps, in order; at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        parse::term(text).map(|steps| Self { steps })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            let arrow = if at == 0 { "" } else { "->" };
            write!(f, "{arrow}{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.modifiers.iter().try_for_each(|modifier| write!(f, "{modifier}"))?;
        write!(f, "{}", self.action)
    }
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) if percent.fract() == 0.0 => write!(f, "{percent:.1}%"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Times(times) => write!(f, "{times}*"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, word: &str, value: &Option<Value>| match value {
            Some(value) => write!(f, "{word}({value})"),
            None => f.write_str(word),
        };
        match self {
            Self::Off => f.write_str("off"),
            Self::Return(value) => with(f, "return", value),
            Self::Sleep(time) if time.subsec_nanos() % 1_000_000 == 0 => {
                write!(f, "sleep({})", time.as_millis())
            }
            Self::Sleep(time) => write!(f, "sleep(\"{}ns\")", time.as_nanos()),
            Self::Panic(value) => with(f, "panic", value),
            Self::Break => f.write_str("break"),
            Self::Print => f.write_str("print"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Bool(bool) => write!(f, "{bool}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gofail_parses_is_parsed_and_said_again() {
        for (text, said) in [
            ("off", None),
            ("sleep(100)", None),
            ("sleep(\"10s\")", Some("sleep(10000)")),
            ("sleep(\"1m30s\")", Some("sleep(90000)")),
            ("sleep(\"1.5ms\")", Some("sleep(\"1500000ns\")")),
            ("return", None),
            ("return()", Some("return")),
            ("return(true)", None),
            ("return(-5)", None),
            ("return(\"a -> b\")", None),
            ("40.0%return(true)", None),
            ("0.5%sleep(10)", None),
            ("3*sleep(100)", None),
            ("3*50.5%sleep(100)->off", None),
            ("1*panic(\"now\")->2*print->break", None),
            ("panic", None),
        ] {
            let term: Term = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(term.to_string(), said.unwrap_or(text));
            assert_eq!(term.to_string().parse(), Ok(term), "{text}");
        }
    }

    #[test]
    fn a_term_is_told_apart_into_its_parts() {
        let term: Term = "3*40.0%sleep(100)->return(7)".parse().unwrap();
        let [first, second] = term.steps() else { panic!("{term:?}") };
        assert_eq!(first.modifiers, [Modifier::Times(3), Modifier::Percent(40.0)]);
        assert_eq!(first.action, Action::Sleep(Duration::from_millis(100)));
        assert_eq!(second, &Step { modifiers: vec![], action: Action::Return(Some(Value::Int(7))) });
    }

    #[test]
    fn a_mistake_is_told_where_it_is() {
        for (text, at, expected) in [
            ("", 1, "off, return, sleep, panic, break or print"),
            ("slep(100)", 1, "off, return, sleep, panic, break or print"),
            ("Sleep(100)", 1, "off, return, sleep, panic, break or print"),
            (" sleep(100)", 1, "without spaces"),
            ("sleep (100)", 6, "without spaces"),
            ("sleep", 6, "milliseconds"),
            ("sleep()", 7, "milliseconds"),
            ("sleep(true)", 7, "milliseconds"),
            ("sleep(-1)", 7, "milliseconds"),
            ("sleep(10s)", 9, "sleep(\"10s\")"),
            ("sleep(10.5)", 9, "`)`"),
            ("sleep(10", 9, "`)`"),
            ("sleep(\"10\")", 7, "unit"),
            ("sleep(\"soon\")", 7, "unit"),
            ("sleep(\"10s)", 7, "no end"),
            ("sleep(99999999999999999999)", 7, "too large"),
            ("return(007)", 8, "leading zeros"),
            ("return(maybe)", 8, "a whole number, a \"text\", true or false"),
            ("return(\"a\\n\")", 10, "backslash"),
            ("40%return(true)", 3, "40.0%"),
            ("140.0%off", 1, "0 to 100"),
            ("3sleep(1)", 2, "`*`"),
            ("off(1)", 4, "no value"),
            ("off->", 6, "off, return, sleep, panic, break or print"),
            ("off;print", 4, "`->`"),
            ("sleep(1)->3*", 13, "off, return, sleep, panic, break or print"),
            ("return(\"é\")x", 12, "`->`"),
        ] {
            let error = text.parse::<Term>().expect_err(text);
            assert_eq!(error.at, at, "{error}");
            assert!(error.expected.contains(expected), "{error}");
        }
    }
}
