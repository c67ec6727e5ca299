//! Finds where a text that the grammar refused stops making sense. The grammar does not say; a person wants to know.
//!
//! It walks over the tokens, knowing at each whether an operand or an operator has to come, which finds nearly every
//! slip of the hand. It judges no text to be right: that is the grammar's to say.

use super::ParseError;
use super::scan::{Token, TokenKind};

/// The first token that cannot stand where it stands, if there is one.
pub(super) fn first_mistake(text: &str, tokens: &[Token]) -> Option<ParseError> {
    Walk { text, tokens, at: 0, open: Vec::new() }.run().err()
}

struct Walk<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    /// For each open parenthesis, whether it holds arguments.
    open: Vec<bool>,
}

type Step<T> = Result<T, ParseError>;

impl Walk<'_> {
    fn run(&mut self) -> Step<()> {
        loop {
            self.operand()?;
            // What may follow an operand, up to the operator after which another has to come.
            if !self.after_operand()? {
                return Ok(());
            }
        }
    }

    fn word(&self) -> Option<String> {
        self.tokens.get(self.at).map(|token| token.text(self.text).to_ascii_lowercase())
    }

    fn is(&self, wanted: &str) -> bool {
        self.word().as_deref() == Some(wanted)
    }

    fn accept(&mut self, wanted: &[&str]) -> bool {
        let found = self.word().is_some_and(|word| wanted.contains(&word.as_str()));
        self.at += usize::from(found);
        found
    }

    fn mistake<T>(&self, wanted: &str) -> Step<T> {
        Err(match self.tokens.get(self.at) {
            Some(token) => ParseError::new(
                token.start,
                format!("unexpected '{}', expected {wanted}", token.text(self.text)),
            ),
            None => {
                ParseError::new(self.text.len(), format!("the expression ends where {wanted} is expected"))
            }
        })
    }

    fn operand(&mut self) -> Step<()> {
        loop {
            let Some(token) = self.tokens.get(self.at) else { return self.mistake("an expression") };
            match token.kind {
                TokenKind::Number | TokenKind::Text | TokenKind::RawText => {
                    self.at += 1;
                    return Ok(());
                }
                TokenKind::Open('(') => {
                    self.at += 1;
                    self.open.push(false);
                }
                TokenKind::Open('{') => return self.matchers(),
                TokenKind::Word => {
                    self.at += 1;
                    self.grouping()?;
                    if self.is("{") {
                        return self.matchers();
                    }
                    if !self.accept(&["("]) {
                        return Ok(());
                    }
                    if self.accept(&[")"]) {
                        return Ok(());
                    }
                    self.open.push(true);
                }
                _ if self.accept(&["+", "-"]) => {}
                _ => return self.mistake("an expression"),
            }
        }
    }

    /// Modifiers, closing parentheses and the operator. False at the end of the text.
    fn after_operand(&mut self) -> Step<bool> {
        loop {
            if self.at == self.tokens.len() {
                return Ok(false);
            }
            if self.accept(&["("]) {
                self.at -= 1;
                return self.mistake("an operator");
            }
            if self.is("[") {
                self.skip_group();
            } else if self.accept(&["offset"]) {
                self.accept(&["+", "-"]);
                self.number("a duration")?;
            } else if self.accept(&["@"]) {
                if self.accept(&["start", "end"]) {
                    self.skip_group();
                } else {
                    self.accept(&["+", "-"]);
                    self.number("a time")?;
                }
            } else if self.accept(&[")"]) {
                if self.open.pop() == Some(true) {
                    self.grouping()?;
                }
            } else if self.open.last() == Some(&true) && self.accept(&[","]) {
                return Ok(true);
            } else {
                return self.operator().map(|()| true);
            }
        }
    }

    fn operator(&mut self) -> Step<()> {
        let doubled = |walk: &Self, at: usize| {
            let (first, second) = (walk.tokens.get(at)?, walk.tokens.get(at + 1)?);
            (first.end == second.start).then(|| &walk.text[first.start..second.end])
        };
        if doubled(self, self.at).is_some_and(|text| ["==", "!=", ">=", "<="].contains(&text)) {
            self.at += 2;
        } else if !self.accept(&["+", "-", "*", "/", "%", "^", "<", ">", "and", "or", "unless", "atan2"]) {
            return self.mistake("an operator");
        }
        self.accept(&["bool"]);
        while self.accept(&["on", "ignoring", "group_left", "group_right"]) {
            self.labels()?;
        }
        Ok(())
    }

    fn number(&mut self, wanted: &str) -> Step<()> {
        let plain = self.tokens.get(self.at).is_some_and(|token| token.kind == TokenKind::Number);
        if !plain && !self.is("inf") && !self.is("nan") {
            return self.mistake(wanted);
        }
        self.at += 1;
        Ok(())
    }

    /// `by (…)` or `without (…)`, if one stands here.
    fn grouping(&mut self) -> Step<()> {
        if self.accept(&["by", "without"]) { self.labels() } else { Ok(()) }
    }

    /// `(label, label)`, if a parenthesis stands here: after `group_left` none has to.
    fn labels(&mut self) -> Step<()> {
        if !self.accept(&["("]) {
            return Ok(());
        }
        while !self.accept(&[")"]) {
            let label =
                self.tokens.get(self.at).is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Text));
            if !label {
                return self.mistake("a label name");
            }
            self.at += 1;
            if !self.accept(&[","]) && !self.is(")") {
                return self.mistake("',' or ')'");
            }
        }
        Ok(())
    }

    /// `{label="text", …}`
    fn matchers(&mut self) -> Step<()> {
        self.at += 1;
        while !self.accept(&["}"]) {
            let name = self.tokens.get(self.at).map(|token| token.kind);
            if !matches!(name, Some(TokenKind::Word | TokenKind::Text | TokenKind::RawText)) {
                return self.mistake("a label name");
            }
            self.at += 1;
            // A quoted name may stand alone: it is the metric's.
            if name == Some(TokenKind::Word) || !(self.is(",") || self.is("}")) {
                if !self.accept(&["=", "!"]) {
                    return self.mistake("'=', '!=', '=~' or '!~'");
                }
                self.accept(&["=", "~"]);
                let value = self.tokens.get(self.at).map(|token| token.kind);
                if !matches!(value, Some(TokenKind::Text | TokenKind::RawText)) {
                    return self.mistake("a quoted text");
                }
                self.at += 1;
            }
            if !self.accept(&[","]) && !self.is("}") {
                return self.mistake("',' or '}'");
            }
        }
        Ok(())
    }

    /// Passes over everything up to where the parenthesis that stands here closes.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth <= 0 {
                return;
            }
        }
    }
}
