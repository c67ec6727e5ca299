//! Selectors: matchers, offsets and `@` in the evaluator's terms.

use std::time::{Duration, SystemTime};

use lab_metrics::{METRIC_NAME, MatchOp, Matcher};
use promql_parser::label::MatchOp as ParsedOp;
use promql_parser::parser as ast;

use crate::plan::{At, Selector, Shift};

pub(super) fn selector(parsed: &ast::VectorSelector) -> Result<Selector, String> {
    if !parsed.matchers.or_matchers.is_empty() {
        return Err("'or' between label matchers is not part of PromQL".into());
    }
    let mut matchers: Vec<Matcher> = parsed.matchers.matchers.iter().map(matcher).collect();
    if let Some(name) = &parsed.name {
        matchers.push(Matcher::equal(METRIC_NAME, name.as_str()));
    }
    Ok(Selector { matchers, shift: shift(parsed.offset.as_ref(), parsed.at.as_ref())? })
}

fn matcher(parsed: &promql_parser::label::Matcher) -> Matcher {
    // The parser has anchored and compiled the expression, with what Go allows and Rust does not put right.
    let op = match &parsed.op {
        ParsedOp::Equal => MatchOp::Equal,
        ParsedOp::NotEqual => MatchOp::NotEqual,
        ParsedOp::Re(regex) => MatchOp::Regex(Box::new(regex.clone())),
        ParsedOp::NotRe(regex) => MatchOp::NotRegex(Box::new(regex.clone())),
    };
    Matcher { name: parsed.name.clone(), op, value: parsed.value.clone() }
}

pub(super) fn shift(offset: Option<&ast::Offset>, at: Option<&ast::AtModifier>) -> Result<Shift, String> {
    let offset_ms = match offset {
        None => 0,
        Some(ast::Offset::Pos(duration)) => millis(*duration)?,
        Some(ast::Offset::Neg(duration)) => -millis(*duration)?,
    };
    let at = match at {
        None => None,
        Some(ast::AtModifier::Start) => Some(At::Start),
        Some(ast::AtModifier::End) => Some(At::End),
        Some(ast::AtModifier::At(time)) => Some(At::Time(unix_millis(*time)?)),
    };
    Ok(Shift { offset_ms, at })
}

/// A thousand years, so that sums of several times stay far from what an i64 holds.
const MAX_DURATION_MS: u128 = 1000 * 365 * 86_400_000;

pub(super) fn millis(duration: Duration) -> Result<i64, String> {
    i64::try_from(duration.as_millis())
        .ok()
        .filter(|_| duration.as_millis() <= MAX_DURATION_MS)
        .ok_or_else(|| "a duration is longer than 1,000 years".into())
}

fn unix_millis(time: SystemTime) -> Result<i64, String> {
    let out_of_bounds = |_| String::from("the time after '@' is out of bounds");
    let (distance, sign) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (after, 1),
        Err(before) => (before.duration(), -1),
    };
    let distance = i64::try_from(distance.as_millis()).map_err(|e| out_of_bounds(e.to_string()))?;
    if distance > crate::engine::MAX_TIME_MS {
        return Err(out_of_bounds(String::new()));
    }
    Ok(sign * distance)
}
