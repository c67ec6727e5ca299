//! The parser's tree into the evaluator's. What cannot be evaluated is turned down here, before any data is read.

use std::sync::Arc;
use std::time::Duration;

use promql_parser::parser as ast;
use promql_parser::parser::token;
use promql_parser::parser::value::ValueType as ParserType;

use super::selector::{millis, selector, shift};
use crate::functions;
use crate::plan::{
    Aggregate, Aggregator, Binary, Call, Cardinality, Expr, Grouping, Kind, Matching, Operator,
    RangeSelector, Subquery, ValueType,
};

pub(super) fn lower(parsed: &ast::Expr) -> Result<Expr, String> {
    let value_type = value_type(parsed.value_type());
    let (kind, invariant) = match parsed {
        ast::Expr::Paren(inner) => return lower(&inner.expr),
        ast::Expr::NumberLiteral(number) => (Kind::Number(number.val), true),
        ast::Expr::StringLiteral(text) => (Kind::Text(Arc::from(text.val.as_str())), true),
        ast::Expr::VectorSelector(parsed) => {
            let selector = selector(parsed)?;
            let invariant = selector.shift.at.is_some();
            (Kind::Select(selector), invariant)
        }
        ast::Expr::MatrixSelector(parsed) => {
            let selector = selector(&parsed.vs)?;
            let invariant = selector.shift.at.is_some();
            (Kind::Range(RangeSelector { selector, range_ms: some_time(parsed.range)? }), invariant)
        }
        ast::Expr::Subquery(parsed) => {
            let subquery = subquery(parsed)?;
            let invariant = subquery.shift.at.is_some();
            (Kind::Subquery(Box::new(subquery)), invariant)
        }
        ast::Expr::Unary(parsed) => {
            let inner = lower(&parsed.expr)?;
            let invariant = inner.invariant;
            (Kind::Negate(Box::new(inner)), invariant)
        }
        ast::Expr::Binary(parsed) => {
            let binary = binary(parsed)?;
            let invariant = binary.lhs.invariant && binary.rhs.invariant;
            (Kind::Binary(Box::new(binary)), invariant)
        }
        ast::Expr::Aggregate(parsed) => {
            let aggregate = aggregate(parsed)?;
            let invariant = aggregate.expr.invariant && aggregate.param.as_ref().is_none_or(|p| p.invariant);
            (Kind::Aggregate(Box::new(aggregate)), invariant)
        }
        ast::Expr::Call(parsed) => {
            let call = call(parsed)?;
            let invariant =
                !functions::depends_on_time(call.name) && call.args.iter().all(|arg| arg.invariant);
            (Kind::Call(Box::new(call)), invariant)
        }
        ast::Expr::Extension(_) => return Err("extensions of the grammar are not offered".into()),
    };
    Ok(Expr { kind, value_type, invariant })
}

fn value_type(parsed: ParserType) -> ValueType {
    match parsed {
        ParserType::Scalar => ValueType::Scalar,
        ParserType::String => ValueType::String,
        ParserType::Vector => ValueType::Vector,
        ParserType::Matrix => ValueType::Matrix,
    }
}

fn subquery(parsed: &ast::SubqueryExpr) -> Result<Subquery, String> {
    let step_ms = parsed.step.map(some_time).transpose()?;
    Ok(Subquery {
        expr: lower(&parsed.expr)?,
        range_ms: some_time(parsed.range)?,
        step_ms,
        shift: shift(parsed.offset.as_ref(), parsed.at.as_ref())?,
    })
}

/// A range or a step: a duration of at least a millisecond.
fn some_time(duration: Duration) -> Result<i64, String> {
    match millis(duration)? {
        0 => Err("a range or a step must be at least 1ms long".into()),
        ms => Ok(ms),
    }
}

fn binary(parsed: &ast::BinaryExpr) -> Result<Binary, String> {
    let op = match parsed.op.id() {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Sub,
        token::T_MUL => Operator::Mul,
        token::T_DIV => Operator::Div,
        token::T_MOD => Operator::Mod,
        token::T_POW => Operator::Pow,
        token::T_ATAN2 => Operator::Atan2,
        token::T_EQLC => Operator::Eq,
        token::T_NEQ => Operator::Ne,
        token::T_GTR => Operator::Gt,
        token::T_LSS => Operator::Lt,
        token::T_GTE => Operator::Ge,
        token::T_LTE => Operator::Le,
        token::T_LAND => Operator::And,
        token::T_LOR => Operator::Or,
        token::T_LUNLESS => Operator::Unless,
        _ => return Err(format!("the operator '{}' is not offered", parsed.op)),
    };
    let (matching, returns_bool) = match &parsed.modifier {
        None => (matching(None), false),
        Some(modifier) => {
            if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
                return Err("'fill' modifiers are experimental in Prometheus and not offered".into());
            }
            (matching(Some(modifier)), modifier.return_bool)
        }
    };
    Ok(Binary { op, lhs: lower(&parsed.lhs)?, rhs: lower(&parsed.rhs)?, matching, returns_bool })
}

fn matching(modifier: Option<&ast::BinModifier>) -> Matching {
    let (cardinality, include) = match modifier.map(|m| &m.card) {
        Some(ast::VectorMatchCardinality::ManyToOne(labels)) => {
            (Cardinality::ManyToOne, labels.labels.clone())
        }
        Some(ast::VectorMatchCardinality::OneToMany(labels)) => {
            (Cardinality::OneToMany, labels.labels.clone())
        }
        _ => (Cardinality::OneToOne, Vec::new()),
    };
    let (on, labels) = match modifier.and_then(|m| m.matching.as_ref()) {
        Some(ast::LabelModifier::Include(labels)) => (true, labels.labels.clone()),
        Some(ast::LabelModifier::Exclude(labels)) => (false, labels.labels.clone()),
        None => (false, Vec::new()),
    };
    Matching { cardinality, on, labels, include }
}

fn aggregate(parsed: &ast::AggregateExpr) -> Result<Aggregate, String> {
    let op = match parsed.op.id() {
        token::T_SUM => Aggregator::Sum,
        token::T_AVG => Aggregator::Avg,
        token::T_COUNT => Aggregator::Count,
        token::T_MIN => Aggregator::Min,
        token::T_MAX => Aggregator::Max,
        token::T_GROUP => Aggregator::Group,
        token::T_STDDEV => Aggregator::Stddev,
        token::T_STDVAR => Aggregator::Stdvar,
        token::T_TOPK => Aggregator::TopK,
        token::T_BOTTOMK => Aggregator::BottomK,
        token::T_LIMITK => Aggregator::LimitK,
        token::T_QUANTILE => Aggregator::Quantile,
        token::T_COUNT_VALUES => Aggregator::CountValues,
        _ => return Err(format!("the aggregation '{}' is not offered", parsed.op)),
    };
    let grouping = match &parsed.modifier {
        Some(ast::LabelModifier::Exclude(labels)) => {
            Grouping { without: true, labels: labels.labels.clone() }
        }
        Some(ast::LabelModifier::Include(labels)) => {
            Grouping { without: false, labels: labels.labels.clone() }
        }
        None => Grouping { without: false, labels: Vec::new() },
    };
    let param = parsed.param.as_deref().map(lower).transpose()?;
    if op == Aggregator::LimitK && param.as_ref().is_none_or(|p| p.value_type != ValueType::Scalar) {
        return Err("expected a scalar as the parameter of 'limitk'".into());
    }
    Ok(Aggregate { op, expr: lower(&parsed.expr)?, param, grouping })
}

fn call(parsed: &ast::Call) -> Result<Call, String> {
    let name = parsed.func.name;
    let function = functions::find(name).ok_or_else(|| format!("the function '{name}' is not offered"))?;
    // The parser leaves out its type check for literals such as ln(-1).
    for (index, arg) in parsed.args.args.iter().enumerate() {
        let Some(wanted) = parsed.func.arg_types.get(index).or(parsed.func.arg_types.last()) else {
            continue;
        };
        if arg.value_type() != *wanted {
            let (wanted, given) = (value_type(*wanted), value_type(arg.value_type()));
            return Err(format!("argument {} of '{name}' must be of type {wanted}, not {given}", index + 1));
        }
    }
    let args = parsed.args.args.iter().map(|arg| lower(arg)).collect::<Result<_, _>>()?;
    Ok(Call { name, function, args })
}
