//! Queries: they are understood, their variables stand for something, and what looks back looks back far enough.

use std::time::Duration;

use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};

use crate::model::Variable;
use crate::variables::{Scope, substitute, unresolved};

/// Members are scraped each second.
pub const SCRAPE: Duration = Duration::from_secs(1);
/// A rate needs two samples; with four scrapes it survives one that is lost and one that is late.
const SCRAPES_IN_A_WINDOW: u32 = 4;
/// What `$__interval` and the like stand for here; any ordinary panel width will do.
const STEP_MS: i64 = 1_000;
const RANGE_MS: i64 = 900_000;

/// What variables stand for while a query is judged.
fn scope(variables: &[Variable]) -> Scope<'_> {
    Scope { step_ms: STEP_MS, range_ms: RANGE_MS, scrape_ms: SCRAPE.as_millis() as i64, variables }
}

/// The query as a tree, when it is understood.
pub fn tree(expr: &str, variables: &[Variable]) -> Option<Expr> {
    let expr = substitute(expr, &scope(variables));
    // The lab's own parser goes first: it bounds what the grammar behind it gets to see.
    lab_promql::parse(&expr).ok()?;
    parser::parse(&expr).ok()
}

/// What is wrong with it.
pub fn check(expr: &str, variables: &[Variable]) -> Vec<String> {
    if expr.trim().is_empty() {
        return vec!["it is empty".into()];
    }
    let scope = scope(variables);
    let unknown = unresolved(expr, &scope);
    if !unknown.is_empty() {
        let told = unknown.iter().map(|name| format!("the variable ${name} stands for nothing"));
        return told.collect();
    }
    if let Err(error) = lab_promql::parse(&substitute(expr, &scope)) {
        return vec![error.to_string()];
    }
    let Some(tree) = tree(expr, variables) else { return Vec::new() };
    let mut windows = Windows(Vec::new());
    let Ok(_) = walk_expr(&mut windows, &tree);
    let least = SCRAPE * SCRAPES_IN_A_WINDOW;
    let short = windows.0.into_iter().filter(|window| *window < least);
    let told = short.map(|window| {
        format!(
            "a window of {window:?} holds fewer than {SCRAPES_IN_A_WINDOW} scrapes; take {least:?} or more"
        )
    });
    told.collect()
}

/// Collects the lengths of range selectors.
struct Windows(Vec<Duration>);

impl ExprVisitor for Windows {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        if let Expr::MatrixSelector(selector) = expr {
            self.0.push(selector.range);
        }
        Ok(true)
    }
}
