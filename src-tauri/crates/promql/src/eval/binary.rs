//! Arithmetic and comparison between scalars and vectors, and how elements of two vectors find each other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use lab_metrics::{Labels, METRIC_NAME};

use super::table::display;
use super::{ABSENT, Cells, Evaluator, Grid, Row, is_absent, merged, sets, without_name, without_names};
use crate::engine::Semantics;
use crate::error::EvalError;
use crate::plan::{Binary, Cardinality, Matching, Operator};

impl Evaluator<'_> {
    pub(super) fn binary(&mut self, binary: &Binary, grid: Grid) -> Result<Cells, EvalError> {
        let lhs = self.eval(&binary.lhs, grid)?;
        let rhs = self.eval(&binary.rhs, grid)?;
        self.engine.check_interrupt()?;
        match (lhs, rhs) {
            (Cells::Scalar(lhs), Cells::Scalar(rhs)) => Ok(Cells::Scalar(
                lhs.into_iter().zip(rhs).map(|(l, r)| Outcome::of(binary.op, l, r).into_number()).collect(),
            )),
            (Cells::Vector(rows), Cells::Scalar(scalar)) => {
                self.with_scalar(binary, rows, &scalar, false).map(Cells::Vector)
            }
            (Cells::Scalar(scalar), Cells::Vector(rows)) => {
                self.with_scalar(binary, rows, &scalar, true).map(Cells::Vector)
            }
            (Cells::Vector(lhs), Cells::Vector(rhs)) if binary.op.is_set() => {
                sets::combine(binary.op, lhs, rhs, &binary.matching, grid.steps).map(Cells::Vector)
            }
            (Cells::Vector(lhs), Cells::Vector(rhs)) => {
                self.hold(lhs.len().max(rhs.len()).saturating_mul(grid.steps))?;
                let semantics = self.engine.semantics;
                let join =
                    Join { binary, drops_name: self.drops_name(binary.op), steps: grid.steps, semantics };
                join.run(lhs, rhs).map(Cells::Vector)
            }
            _ => Err(EvalError::Internal("an operand is a string")),
        }
    }

    /// Arithmetic makes another quantity, so that its name no longer fits; a comparison keeps it. Prometheus 2.42
    /// forgot `atan2`.
    fn drops_name(&self, op: Operator) -> bool {
        match op {
            Operator::Atan2 => self.engine.semantics == Semantics::V3,
            op => !op.is_comparison(),
        }
    }

    fn with_scalar(
        &self,
        binary: &Binary,
        mut rows: Vec<Row>,
        scalar: &[f64],
        scalar_is_left: bool,
    ) -> Result<Vec<Row>, EvalError> {
        for row in &mut rows {
            for (value, scalar) in row.values.iter_mut().zip(scalar) {
                if is_absent(*value) {
                    continue;
                }
                let (l, r) = if scalar_is_left { (*scalar, *value) } else { (*value, *scalar) };
                *value = match Outcome::of(binary.op, l, r) {
                    Outcome::Value(value) => value,
                    Outcome::Holds(holds) if binary.returns_bool => f64::from(u8::from(holds)),
                    // A filter gives the vector's value, whichever side it stands on.
                    Outcome::Holds(true) => *value,
                    Outcome::Holds(false) => ABSENT,
                };
            }
        }
        rows.retain(Row::has_values);
        if binary.returns_bool || self.drops_name(binary.op) { without_names(rows) } else { Ok(rows) }
    }
}

/// What an operator makes of two numbers.
enum Outcome {
    Value(f64),
    Holds(bool),
}

impl Outcome {
    fn of(op: Operator, l: f64, r: f64) -> Self {
        match op {
            Operator::Add => Self::Value(l + r),
            Operator::Sub => Self::Value(l - r),
            Operator::Mul => Self::Value(l * r),
            Operator::Div => Self::Value(l / r),
            Operator::Mod => Self::Value(l % r),
            Operator::Pow => Self::Value(l.powf(r)),
            Operator::Atan2 => Self::Value(l.atan2(r)),
            Operator::Eq => Self::Holds(l == r),
            Operator::Ne => Self::Holds(l != r),
            Operator::Gt => Self::Holds(l > r),
            Operator::Lt => Self::Holds(l < r),
            Operator::Ge => Self::Holds(l >= r),
            Operator::Le => Self::Holds(l <= r),
            // The grammar allows set operators between vectors only.
            Operator::And | Operator::Or | Operator::Unless => Self::Holds(false),
        }
    }

    fn into_number(self) -> f64 {
        match self {
            Self::Value(value) => value,
            Self::Holds(holds) => f64::from(u8::from(holds)),
        }
    }
}

/// The labels by which an element finds its match.
pub(super) fn signature(labels: &Labels, matching: &Matching) -> Labels {
    labels.filtered(|name| {
        let listed = matching.labels.iter().any(|label| label == name);
        if matching.on { listed } else { !listed && name != METRIC_NAME }
    })
}

/// Elements of one match group, as indices into each side's rows.
#[derive(Default)]
struct Group {
    many: Vec<usize>,
    one: Vec<usize>,
}

/// Two vectors brought together, element by element.
struct Join<'a> {
    binary: &'a Binary,
    drops_name: bool,
    steps: usize,
    semantics: Semantics,
}

impl Join<'_> {
    fn run(&self, lhs: Vec<Row>, rhs: Vec<Row>) -> Result<Vec<Row>, EvalError> {
        // With group_right the "one" side is the left.
        let one_is_left = self.binary.matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if one_is_left { (rhs, lhs) } else { (lhs, rhs) };
        let mut places: HashMap<Labels, usize> = HashMap::with_capacity(one.len());
        let mut groups: Vec<Group> = Vec::with_capacity(one.len());
        for (index, row) in one.iter().enumerate() {
            match places.entry(signature(&row.labels, &self.binary.matching)) {
                Entry::Occupied(place) => groups[*place.get()].one.push(index),
                Entry::Vacant(place) => {
                    place.insert(groups.len());
                    groups.push(Group { many: Vec::new(), one: vec![index] });
                }
            }
        }
        let mut order = Vec::new();
        for (index, row) in many.iter().enumerate() {
            if let Some(place) = places.get(&signature(&row.labels, &self.binary.matching)) {
                groups[*place].many.push(index);
                order.push((index, *place));
            }
        }
        for group in groups.iter().filter(|group| group.one.len() > 1) {
            self.check_unique(&group.one, &one, &many, one_is_left)?;
        }
        // Prometheus 3 counts matches before a comparison filters them, 2.42 those that are left.
        let counts_filtered = self.semantics == Semantics::V3 && self.filters();
        let mut rows = Vec::with_capacity(order.len());
        let mut matches = Vec::new();
        // In the order of the "many" side, as a person reading the answer expects.
        for (index, place) in order {
            let group = &groups[place];
            for other in &group.one {
                let (many, one) = (&many[index], &one[*other]);
                if counts_filtered && group.many.len() > 1 {
                    matches.extend(self.pair(many, one, one_is_left, false).map(|row| (place, row)));
                }
                rows.extend(self.pair(many, one, one_is_left, self.filters()).map(|row| (place, row)));
            }
        }
        self.check_matches(if counts_filtered { &matches } else { &rows }, groups.len())?;
        merged(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Whether elements for which the operator does not hold are left out.
    fn filters(&self) -> bool {
        self.binary.op.is_comparison() && !self.binary.returns_bool
    }

    /// On the "one" side a match group has at most one element a step; also when nothing matches it, as long as
    /// the other side is not empty.
    fn check_unique(
        &self,
        group: &[usize],
        one: &[Row],
        many: &[Row],
        one_is_left: bool,
    ) -> Result<(), EvalError> {
        for step in 0..self.steps {
            let mut present =
                group.iter().map(|index| &one[*index]).filter(|row| !is_absent(row.values[step]));
            let (Some(first), Some(second)) = (present.next(), present.next()) else { continue };
            if many.iter().any(|row| !is_absent(row.values[step])) {
                return Err(EvalError::ManyToMany {
                    group: display(&signature(&first.labels, &self.binary.matching)),
                    side: if one_is_left { "left" } else { "right" },
                    first: display(&second.labels),
                    second: display(&first.labels),
                });
            }
        }
        Ok(())
    }

    /// The result of one element of each side, unless it is empty.
    fn pair(&self, many: &Row, one: &Row, one_is_left: bool, filter: bool) -> Option<Row> {
        let mut row = Row::empty(Labels::default(), self.steps);
        let mut any = false;
        for ((out, m), o) in row.values.iter_mut().zip(&many.values).zip(&one.values) {
            if is_absent(*m) || is_absent(*o) {
                continue;
            }
            let (l, r) = if one_is_left { (*o, *m) } else { (*m, *o) };
            *out = match Outcome::of(self.binary.op, l, r) {
                Outcome::Value(value) => value,
                Outcome::Holds(holds) if !filter => f64::from(u8::from(holds)),
                Outcome::Holds(true) => l,
                Outcome::Holds(false) => continue,
            };
            any = true;
        }
        any.then(|| {
            row.labels = self.result_labels(&many.labels, &one.labels);
            row
        })
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let matching = &self.binary.matching;
        let mut labels = if self.drops_name { without_name(many) } else { many.clone() };
        if matching.cardinality == Cardinality::OneToOne {
            labels = labels.filtered(|name| matching.labels.iter().any(|label| label == name) == matching.on);
        }
        for label in &matching.include {
            labels = labels.with(label, one.get(label));
        }
        if self.binary.returns_bool { without_name(&labels) } else { labels }
    }

    /// Several elements may meet the same "one" only when the expression says so, and then their results must
    /// differ in labels.
    fn check_matches(&self, rows: &[(usize, Row)], groups: usize) -> Result<(), EvalError> {
        let mut of_group: Vec<Vec<&Row>> = vec![Vec::new(); groups];
        for (group, row) in rows {
            of_group[*group].push(row);
        }
        for rows in of_group.iter().filter(|rows| rows.len() > 1) {
            let mut seen: HashMap<&Labels, Vec<bool>> = HashMap::new();
            let explicit = self.binary.matching.cardinality != Cardinality::OneToOne;
            let anything = Labels::default();
            for row in rows {
                let key = if explicit { &row.labels } else { &anything };
                let taken = seen.entry(key).or_insert_with(|| vec![false; self.steps]);
                for (taken, _) in taken.iter_mut().zip(&row.values).filter(|(_, value)| !is_absent(**value)) {
                    if *taken {
                        return Err(if explicit {
                            EvalError::AmbiguousGrouping
                        } else {
                            EvalError::ImplicitManyToOne
                        });
                    }
                    *taken = true;
                }
            }
        }
        Ok(())
    }
}
