//! Holds an expression in place: every selector that has no `@` of its own is given one.

use std::time::{Duration, SystemTime};

use promql_parser::parser::{AtModifier, Expr};

use crate::functions::depends_on_time;
use crate::parse::{ParseError, Query, parse_with};

/// The query `text` with its selectors held at `t_ms`. None when it calls a function that depends on the time of
/// evaluation nevertheless.
pub(super) fn pinned(text: &str, t_ms: i64) -> Result<Option<Query>, ParseError> {
    let distance = Duration::from_millis(t_ms.unsigned_abs());
    let time = if t_ms < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance };
    parse_with(text, |expr| pin(expr, &AtModifier::At(time)))
}

/// Pins what is in `expr`; false when it cannot be.
fn pin(expr: &mut Expr, at: &AtModifier) -> bool {
    let place = |modifier: &mut Option<AtModifier>| {
        modifier.get_or_insert_with(|| at.clone());
        true
    };
    match expr {
        Expr::VectorSelector(selector) => place(&mut selector.at),
        Expr::MatrixSelector(selector) => place(&mut selector.vs.at),
        // What is inside moves with the subquery.
        Expr::Subquery(subquery) => place(&mut subquery.at),
        Expr::Aggregate(aggregate) => {
            aggregate.param.as_mut().is_none_or(|param| pin(param, at)) && pin(&mut aggregate.expr, at)
        }
        Expr::Unary(unary) => pin(&mut unary.expr, at),
        Expr::Paren(paren) => pin(&mut paren.expr, at),
        Expr::Binary(binary) => pin(&mut binary.lhs, at) && pin(&mut binary.rhs, at),
        Expr::Call(call) => {
            !depends_on_time(call.func.name) && call.args.args.iter_mut().all(|arg| pin(arg, at))
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => true,
    }
}
