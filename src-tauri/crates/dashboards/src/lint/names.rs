//! Names that must tell things apart: legends the lines of a panel, uids and titles the dashboards.

use std::collections::{HashMap, HashSet};

use promql_parser::label::METRIC_NAME;
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier, VectorMatchCardinality, token};

use super::query;
use crate::grafana;
use crate::legend::AUTO_LEGEND;
use crate::model::{Dashboard, Variable};

/// Uids and titles that more than one of `dashboards`, given with their files' names, bear. Links go by uid, people
/// by title.
pub fn shared<'a>(dashboards: &[(&'a str, Dashboard)]) -> Vec<(&'a str, String)> {
    let mut told = Vec::new();
    let (mut uids, mut titles) = (HashMap::new(), HashMap::new());
    for (file, dashboard) in dashboards {
        let Dashboard { uid, title, .. } = dashboard;
        for (seen, of, what) in [(&mut uids, uid, "uid"), (&mut titles, title, "title")] {
            if of.is_empty() {
                continue;
            }
            match seen.get(of) {
                Some(other) => told.push((*file, format!("{other} has the {what} \"{of}\" too"))),
                None => drop(seen.insert(of, *file)),
            }
        }
    }
    told
}

/// Queries of a panel whose lines can't be told from those of a query before them.
pub fn same_legend(targets: &[grafana::Target]) -> Vec<String> {
    let mut seen = HashSet::new();
    let shown = targets.iter().filter(|target| !target.hide && !target.legend_format.trim().is_empty());
    let same = shown.filter(|target| !seen.insert(target.legend_format.trim()));
    let told = same.map(|target| {
        format!("query {}: another query has the same legend, so the same names", target.ref_id)
    });
    told.collect()
}

/// Whether the legend of `target` tells its own lines apart.
pub fn legend(target: &grafana::Target, variables: &[Variable]) -> Option<String> {
    let format = target.legend_format.trim();
    if format.is_empty() {
        return Some("it has no legend, so its lines show all their labels".into());
    }
    if format == AUTO_LEGEND {
        return None;
    }
    let named: HashSet<&str> = format
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.trim())
        .collect();
    match lines(&query::tree(&target.expr, variables)?) {
        Lines::One => None,
        Lines::Many if named.is_empty() => {
            Some("its legend names no label, so several lines have the same name".into())
        }
        Lines::Many => None,
        Lines::By(labels) => {
            let missing: Vec<&str> =
                labels.iter().map(String::as_str).filter(|label| !named.contains(label)).collect();
            let told = || {
                let labels = missing.join(" and ");
                format!(
                    "its lines differ in {labels}, which the legend leaves out, so several have the same name"
                )
            };
            (!missing.is_empty()).then(told)
        }
    }
}

/// How the lines of an answer differ, as far as the query tells.
#[derive(PartialEq)]
enum Lines {
    /// There is one.
    One,
    /// In these labels.
    By(Vec<String>),
    /// In labels that only the answer knows.
    Many,
}

fn lines(expr: &Expr) -> Lines {
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Lines::One,
        Expr::Paren(inner) => lines(&inner.expr),
        Expr::Unary(inner) => lines(&inner.expr),
        Expr::Subquery(inner) => lines(&inner.expr),
        Expr::Aggregate(aggregate) => aggregated(aggregate),
        Expr::Binary(binary) => {
            let card = binary.modifier.as_ref().map(|modifier| &modifier.card);
            match (binary.lhs.value_type(), binary.rhs.value_type(), card) {
                (_, ValueType::Scalar, _) => lines(&binary.lhs),
                (ValueType::Scalar, ..) => lines(&binary.rhs),
                (.., Some(VectorMatchCardinality::OneToMany(_))) => lines(&binary.rhs),
                _ if binary.op.id() == token::T_LOR && lines(&binary.lhs) != lines(&binary.rhs) => {
                    Lines::Many
                }
                _ => lines(&binary.lhs),
            }
        }
        Expr::Call(call) => {
            let shown = |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
            match (call.func.return_type, call.args.args.iter().map(AsRef::as_ref).find(shown)) {
                (ValueType::Vector, Some(arg)) => match lines(arg) {
                    // A quantile is made of the buckets, and their bounds are gone then.
                    Lines::By(labels) if call.func.name == "histogram_quantile" => {
                        by(labels.into_iter().filter(|label| label != "le").collect())
                    }
                    lines => lines,
                },
                _ => Lines::One,
            }
        }
        Expr::VectorSelector(_) | Expr::MatrixSelector(_) | Expr::Extension(_) => Lines::Many,
    }
}

fn aggregated(aggregate: &AggregateExpr) -> Lines {
    match (aggregate.op.id(), &aggregate.modifier) {
        // These choose among lines and make none.
        (token::T_TOPK | token::T_BOTTOMK | token::T_LIMITK, _) => lines(&aggregate.expr),
        // The label that it makes stands in its parameter.
        (token::T_COUNT_VALUES, _) | (_, Some(LabelModifier::Exclude(_))) => Lines::Many,
        (_, None) => Lines::One,
        (_, Some(LabelModifier::Include(labels))) => {
            by(labels.labels.iter().filter(|label| *label != METRIC_NAME).cloned().collect())
        }
    }
}

fn by(labels: Vec<String>) -> Lines {
    if labels.is_empty() { Lines::One } else { Lines::By(labels) }
}
