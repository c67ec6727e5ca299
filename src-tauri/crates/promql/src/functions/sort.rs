//! Order. Only an instant query has one: the answer of a range query is in order of labels.

use std::cmp::Ordering;

use super::TableCall;
use crate::error::EvalError;
use crate::eval::{Cells, Row};

pub(super) fn ascending(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    by_value(call, |a, b| a.partial_cmp(&b))
}

pub(super) fn descending(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    by_value(call, |a, b| b.partial_cmp(&a))
}

fn by_value(
    mut call: TableCall<'_, '_>,
    compare: impl Fn(f64, f64) -> Option<Ordering>,
) -> Result<Cells, EvalError> {
    let mut rows = call.vector(0)?;
    if call.grid.steps == 1 {
        // NaN comes last, whichever the direction.
        rows.sort_by(|a, b| {
            let (a, b) = (a.values[0], b.values[0]);
            a.is_nan().cmp(&b.is_nan()).then(compare(a, b).unwrap_or(Ordering::Equal))
        });
    }
    Ok(Cells::Vector(rows))
}

pub(super) fn by_label(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    by_labels(call, false)
}

pub(super) fn by_label_descending(call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    by_labels(call, true)
}

fn by_labels(mut call: TableCall<'_, '_>, descending: bool) -> Result<Cells, EvalError> {
    let mut rows = call.vector(0)?;
    let names = (1..call.args.len()).map(|index| call.text(index)).collect::<Result<Vec<_>, _>>()?;
    if call.grid.steps == 1 {
        rows.sort_by(|a, b| {
            let order = compare_by(&names, a, b);
            if descending { order.reverse() } else { order }
        });
    }
    Ok(Cells::Vector(rows))
}

fn compare_by(names: &[&str], a: &Row, b: &Row) -> Ordering {
    names
        .iter()
        .map(|name| natural(a.labels.get(name), b.labels.get(name)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.labels.cmp(&b.labels))
}

/// Compares texts so that numbers in them count as numbers: `node2` before `node10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_a, rest_a) = leading_number(a);
            let (number_b, rest_b) = leading_number(b);
            (a, b) = (rest_a, rest_b);
            number_a.len().cmp(&number_b.len()).then(number_a.cmp(number_b))
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Digits without leading zeros, and what follows them.
fn leading_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_inside_names_count_as_numbers() {
        let mut names = ["etcd-10", "etcd-2", "etcd-02", "etcd", "b1a2", "b1a10"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["b1a2", "b1a10", "etcd", "etcd-2", "etcd-02", "etcd-10"]);
    }
}
