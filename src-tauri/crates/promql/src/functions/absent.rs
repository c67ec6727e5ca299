//! `absent`: an element where a selector finds none, labelled with what the selector demanded.

use std::collections::HashSet;

use lab_metrics::{Labels, METRIC_NAME, MatchOp};

use super::TableCall;
use crate::error::EvalError;
use crate::eval::{ABSENT, Cells, Row, is_absent};
use crate::plan::{Expr, Kind, RangeSelector, Selector};

pub(super) fn absent(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let rows = call.vector(0)?;
    let labels = call.exprs.first().map(absent_labels).unwrap_or_default();
    let values = (0..call.grid.steps)
        .map(|step| if rows.iter().any(|row| !is_absent(row.values[step])) { ABSENT } else { 1.0 })
        .collect();
    let row = Row { labels, values };
    Ok(Cells::Vector(if row.has_values() { vec![row] } else { Vec::new() }))
}

/// The labels that every series the expression can select must have: those with one `=` matcher and no other.
pub(crate) fn absent_labels(expr: &Expr) -> Labels {
    let (Kind::Select(selector) | Kind::Range(RangeSelector { selector, .. })) = &expr.kind else {
        return Labels::default();
    };
    let Selector { matchers, .. } = selector;
    let mut seen = HashSet::new();
    let mut labels = Labels::default();
    for matcher in matchers.iter().filter(|matcher| matcher.name != METRIC_NAME) {
        let first_equal = matches!(matcher.op, MatchOp::Equal) && seen.insert(matcher.name.as_str());
        labels = labels.with(&matcher.name, if first_equal { &matcher.value } else { "" });
    }
    labels
}
