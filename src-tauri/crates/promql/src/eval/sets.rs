//! `and`, `or`, `unless`: which elements are there, regardless of their values.

use std::collections::HashMap;

use lab_metrics::Labels;

use super::binary::signature;
use super::{ABSENT, Row, is_absent, merged};
use crate::error::EvalError;
use crate::plan::{Matching, Operator};

pub(super) fn combine(
    op: Operator,
    mut lhs: Vec<Row>,
    mut rhs: Vec<Row>,
    matching: &Matching,
    steps: usize,
) -> Result<Vec<Row>, EvalError> {
    match op {
        Operator::And => {
            let right = presence(&rhs, matching, steps);
            keep_where(&mut lhs, matching, |group, step| right.get(group).is_some_and(|there| there[step]));
        }
        Operator::Unless => {
            let right = presence(&rhs, matching, steps);
            keep_where(&mut lhs, matching, |group, step| right.get(group).is_none_or(|there| !there[step]));
        }
        _ => {
            let left = presence(&lhs, matching, steps);
            keep_where(&mut rhs, matching, |group, step| left.get(group).is_none_or(|there| !there[step]));
            lhs.append(&mut rhs);
        }
    }
    lhs.retain(Row::has_values);
    merged(lhs)
}

/// Of each match group, at which steps any element is there.
fn presence(rows: &[Row], matching: &Matching, steps: usize) -> HashMap<Labels, Vec<bool>> {
    let mut groups: HashMap<Labels, Vec<bool>> = HashMap::new();
    for row in rows {
        let there = groups.entry(signature(&row.labels, matching)).or_insert_with(|| vec![false; steps]);
        for (there, value) in there.iter_mut().zip(&row.values) {
            *there |= !is_absent(*value);
        }
    }
    groups
}

fn keep_where(rows: &mut [Row], matching: &Matching, keep: impl Fn(&Labels, usize) -> bool) {
    for row in rows {
        let group = signature(&row.labels, matching);
        for (step, value) in row.values.iter_mut().enumerate() {
            if !is_absent(*value) && !keep(&group, step) {
                *value = ABSENT;
            }
        }
    }
}
