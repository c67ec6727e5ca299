//! Which samples a query reads, so that somebody who holds them elsewhere can be asked for just these.

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr, Offset, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

/// An instant selector takes a sample as old as this (Prometheus' `query.lookback-delta`).
pub const LOOKBACK_MS: i64 = 300_000;

/// What a query reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Series selectors as PromQL writes them, without range and offset.
    pub selectors: BTreeSet<String>,
    /// Metrics that are named in them.
    pub metrics: BTreeSet<String>,
    /// It reads no sample that is more milliseconds older than the time it is asked for.
    pub back_ms: i64,
}

/// What `query`, its variables filled in, reads; `None` when it isn't understood, or reads at a time that doesn't
/// follow from the one it is asked for (`@`, or an offset into the future).
pub fn reads(query: &str) -> Option<Reads> {
    // The lab's own parser goes first: it bounds what the grammar behind it gets to see.
    lab_promql::parse(query).ok()?;
    let tree = parser::parse(query).ok()?;
    let mut collected = Collected(Reads { back_ms: LOOKBACK_MS, ..Reads::default() });
    walk_expr(&mut collected, &tree).ok()?;
    Some(collected.0)
}

struct Collected(Reads);

/// It reads at a time of its own.
struct Elsewhere;

impl Collected {
    fn shift(&mut self, offset: Option<&Offset>, is_fixed: bool) -> Result<(), Elsewhere> {
        match offset {
            _ if is_fixed => return Err(Elsewhere),
            Some(Offset::Neg(_)) => return Err(Elsewhere),
            Some(Offset::Pos(by)) => self.look_back(by.as_millis()),
            None => {}
        }
        Ok(())
    }

    fn look_back(&mut self, ms: u128) {
        self.0.back_ms = self.0.back_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
    }

    fn select(&mut self, selector: &VectorSelector) -> Result<(), Elsewhere> {
        self.shift(selector.offset.as_ref(), selector.at.is_some())?;
        self.0.metrics.extend(selector.name.clone());
        let bare = VectorSelector { offset: None, at: None, ..selector.clone() };
        self.0.selectors.insert(bare.to_string());
        Ok(())
    }
}

impl ExprVisitor for Collected {
    type Error = Elsewhere;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Elsewhere> {
        match expr {
            Expr::VectorSelector(selector) => self.select(selector)?,
            Expr::MatrixSelector(selector) => {
                self.look_back(selector.range.as_millis());
                self.select(&selector.vs)?;
            }
            Expr::Subquery(subquery) => {
                self.look_back(subquery.range.as_millis());
                self.shift(subquery.offset.as_ref(), subquery.at.is_some())?;
            }
            _ => {}
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_metrics_and_how_far_back() {
        let read =
            reads(r#"sum(rate(a{b="c"}[15s] offset 5s)) / on () max_over_time(d[1m:1s]) + d"#).unwrap();
        let expected = Reads {
            selectors: [r#"a{b="c"}"#, "d"].map(String::from).into(),
            metrics: ["a", "d"].map(String::from).into(),
            back_ms: LOOKBACK_MS + 15_000 + 5_000 + 60_000,
        };
        assert_eq!(read, expected);
        assert_eq!(reads("1 + time()"), Some(Reads { back_ms: LOOKBACK_MS, ..Reads::default() }));
        for elsewhere in ["a @ 5", "rate(a[1m] @ end())", "a offset -1m", "max_over_time(a[1m:] @ 5)", "sum("]
        {
            assert_eq!(reads(elsewhere), None, "{elsewhere}");
        }
    }
}
