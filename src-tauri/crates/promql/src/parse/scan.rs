//! Looks at a text before the grammar does: cuts it into tokens, holds it to bounds, and says where a mistake is.

use std::borrow::Cow;

use super::ParseError;

/// Longest text that is parsed.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;
/// Deepest nesting of parentheses; the parser and the evaluator recurse.
pub const MAX_DEPTH: usize = 128;
/// Most operators and subqueries in one text: each may deepen the tree by one, parentheses or not.
pub const MAX_OPERATORS: usize = 512;
/// Longest duration: 1,000 years. A bare number of seconds beyond what a duration holds makes the parser panic.
const MAX_DURATION_S: f64 = 1000.0 * 365.0 * 86_400.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    /// A number or a duration.
    Number,
    Text,
    RawText,
    Open(char),
    Close(char),
    Symbol,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn text(self, source: &str) -> &str {
        &source[self.start..self.end]
    }
}

/// Cuts `text` into tokens.
///
/// # Errors
/// When a bound is exceeded, a string does not end, or parentheses do not match.
pub(super) fn scan(text: &str) -> Result<Vec<Token>, ParseError> {
    if text.len() > MAX_QUERY_BYTES {
        let message =
            format!("the expression has {} bytes, more than the {MAX_QUERY_BYTES} allowed", text.len());
        return Err(ParseError::new(MAX_QUERY_BYTES, message));
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut operators = 0;
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        let kind = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => {
                at += text[at..].find(['\n', '\r']).unwrap_or(text.len() - at);
                continue;
            }
            '"' | '\'' | '`' => {
                at = end_of_string(text, start, first)?;
                check_escapes(text, start, at, first)?;
                if first == '`' { TokenKind::RawText } else { TokenKind::Text }
            }
            '(' | '[' | '{' => {
                at += 1;
                open.push((first, start));
                if open.len() > MAX_DEPTH {
                    let message =
                        format!("parentheses are nested deeper than the {MAX_DEPTH} levels allowed");
                    return Err(ParseError::new(start, message));
                }
                operators += usize::from(first == '[');
                TokenKind::Open(first)
            }
            ')' | ']' | '}' => {
                at += 1;
                match open.pop() {
                    Some((opened, _)) if closing(opened) == first => {}
                    Some((opened, where_opened)) => {
                        let wanted = closing(opened);
                        let message = format!(
                            "unexpected {first:?}: {opened:?} at byte {where_opened} wants {wanted:?}"
                        );
                        return Err(ParseError::new(start, message));
                    }
                    None => {
                        return Err(ParseError::new(start, format!("unexpected {first:?}: nothing is open")));
                    }
                }
                TokenKind::Close(first)
            }
            c if c.is_ascii_digit() || (c == '.' && follows_digit(text, at)) => {
                at += number_length(&text[at..]);
                check_duration(Token { kind: TokenKind::Number, start, end: at }, text, &tokens, &open)?;
                TokenKind::Number
            }
            c if is_word(c) || (c == ':' && open.last().is_none_or(|(o, _)| *o != '[')) => {
                at += text[at..].find(|c| !is_word(c) && c != ':').unwrap_or(text.len() - at);
                let word = text[start..at].to_ascii_lowercase();
                operators += usize::from(matches!(word.as_str(), "and" | "or" | "unless" | "atan2"));
                if matches!(word.as_str(), "inf" | "nan") && follows_offset(&tokens, text) {
                    return Err(ParseError::new(start, "an offset must be a finite duration"));
                }
                TokenKind::Word
            }
            c => {
                at += c.len_utf8();
                operators +=
                    usize::from("+-*/%^<>=!".contains(c) && open.last().is_none_or(|(o, _)| *o != '{'));
                TokenKind::Symbol
            }
        };
        if operators > MAX_OPERATORS {
            let message = format!("the expression has more than the {MAX_OPERATORS} operators allowed");
            return Err(ParseError::new(start, message));
        }
        tokens.push(Token { kind, start, end: at });
    }
    match open.last() {
        Some((opened, at)) => Err(ParseError::new(*at, format!("{opened:?} is never closed"))),
        None if tokens.is_empty() => Err(ParseError::new(0, "there is no expression")),
        None => Ok(tokens),
    }
}

/// The text with its back-quoted strings written in double quotes: the parser reads escapes in the former, where
/// PromQL has none.
pub(super) fn without_raw_strings<'a>(text: &'a str, tokens: &[Token]) -> Cow<'a, str> {
    if tokens.iter().all(|token| token.kind != TokenKind::RawText) {
        return Cow::Borrowed(text);
    }
    let mut rewritten = String::with_capacity(text.len() + 16);
    let mut copied = 0;
    for token in tokens.iter().filter(|token| token.kind == TokenKind::RawText) {
        rewritten.push_str(&text[copied..token.start]);
        rewritten.push('"');
        for c in text[token.start + 1..token.end - 1].chars() {
            match c {
                '\\' | '"' => rewritten.extend(['\\', c]),
                '\n' => rewritten.push_str("\\n"),
                c => rewritten.push(c),
            }
        }
        rewritten.push('"');
        copied = token.end;
    }
    rewritten.push_str(&text[copied..]);
    Cow::Owned(rewritten)
}

/// Gives the parser's `message` a place: the first token that it quotes.
pub(super) fn located(text: &str, tokens: &[Token], message: String) -> ParseError {
    let at = message
        .split('\'')
        .skip(1)
        .step_by(2)
        .find_map(|quoted| tokens.iter().find(|token| token.text(text) == quoted))
        .map_or(0, |token| token.start);
    ParseError::new(at, message)
}

fn end_of_string(text: &str, start: usize, quote: char) -> Result<usize, ParseError> {
    let mut escaped = false;
    for (offset, c) in text[start + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return Ok(start + 1 + offset + 1),
            _ => {}
        }
    }
    Err(ParseError::new(start, "the string is never closed"))
}

/// In PromQL `\xff` is a byte; labels here are Unicode, and the parser would read it as a character.
fn check_escapes(text: &str, start: usize, end: usize, quote: char) -> Result<(), ParseError> {
    let mut rest = &text[start..end];
    while let Some(at) = rest.find('\\').filter(|_| quote != '`') {
        let escape = &rest[at + 1..];
        let beyond_ascii = match escape.as_bytes() {
            [b'x', high, ..] => !high.is_ascii_digit() || *high >= b'8',
            [first, ..] => matches!(first, b'2' | b'3'),
            [] => false,
        };
        if beyond_ascii {
            let message =
                "byte escapes beyond \\x7f are not offered: write the character, or \\u and its number";
            return Err(ParseError::new(end - rest.len() + at, message));
        }
        // Past the escaped character, which may be a backslash itself.
        rest = escape.get(escape.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    Ok(())
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

fn follows_digit(text: &str, at: usize) -> bool {
    text[at + 1..].starts_with(|c: char| c.is_ascii_digit())
}

fn number_length(text: &str) -> usize {
    let mut previous = ' ';
    text.find(|c: char| {
        let exponent_sign =
            matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !text.starts_with("0x");
        previous = c;
        !(is_word(c) || c == '.' || exponent_sign)
    })
    .unwrap_or(text.len())
}

fn follows_offset(tokens: &[Token], text: &str) -> bool {
    let mut before = tokens.iter().rev();
    let mut last = before.next();
    if last.is_some_and(|token| matches!(token.text(text), "+" | "-")) {
        last = before.next();
    }
    last.is_some_and(|token| token.text(text).eq_ignore_ascii_case("offset"))
}

/// Durations that the parser would misread (a part beyond 32 bits counts as nothing) or panic on.
fn check_duration(
    token: Token,
    text: &str,
    before: &[Token],
    open: &[(char, usize)],
) -> Result<(), ParseError> {
    if open.last().is_none_or(|(c, _)| *c != '[') && !follows_offset(before, text) {
        return Ok(());
    }
    let word = token.text(text);
    let too_long = match word.parse::<f64>() {
        Ok(seconds) => !seconds.is_finite() || seconds > MAX_DURATION_S,
        Err(_) => {
            word.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.trim_start_matches('0').len() > 9)
        }
    };
    if too_long {
        Err(ParseError::new(token.start, format!("the duration {word} is too long")))
    } else {
        Ok(())
    }
}
