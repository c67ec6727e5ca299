//! `match[]`: a series selector, which is PromQL, but none that is evaluated.

use lab_metrics::{METRIC_NAME, MatchOp, Matcher};
use promql_parser::label::MatchOp as ParsedOp;
use promql_parser::parser::Expr;

use super::reply::ApiError;

/// The conditions that `text` puts on a series.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, ApiError> {
    // Bounds depth and length before the grammar sees the text, and words the mistake as queries do.
    lab_promql::parse(text).map_err(|error| ApiError::bad_parameter("match[]", error))?;
    let no_selector = || ApiError::bad_parameter("match[]", "not a series selector");
    let Ok(Expr::VectorSelector(selector)) = promql_parser::parser::parse(text) else {
        return Err(no_selector());
    };
    if selector.offset.is_some() || selector.at.is_some() || !selector.matchers.or_matchers.is_empty() {
        return Err(no_selector());
    }
    let named = selector.name.iter().map(|name| Matcher::equal(METRIC_NAME, name.as_str()));
    let matchers = selector.matchers.matchers.iter().map(|parsed| {
        let op = match &parsed.op {
            ParsedOp::Equal => MatchOp::Equal,
            ParsedOp::NotEqual => MatchOp::NotEqual,
            ParsedOp::Re(regex) => MatchOp::Regex(Box::new(regex.clone())),
            ParsedOp::NotRe(regex) => MatchOp::NotRegex(Box::new(regex.clone())),
        };
        Matcher { name: parsed.name.clone(), op, value: parsed.value.clone() }
    });
    Ok(named.chain(matchers).collect())
}
