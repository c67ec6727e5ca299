//! Labels made from labels: `label_replace`, `label_join`.

use regex::Regex;

use super::TableCall;
use crate::engine::Semantics;
use crate::error::EvalError;
use crate::eval::{Cells, merged};

pub(super) fn replace(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let mut rows = call.vector(0)?;
    let (target, replacement) = (call.text(1)?, call.text(2)?);
    let (source, pattern) = (call.text(3)?, call.text(4)?);
    let semantics = call.evaluator.engine.semantics;
    // Prometheus 3 lets a dot match a line break.
    let anchored = match semantics {
        Semantics::V2_42 => format!("^(?:{pattern})$"),
        Semantics::V3 => format!("^(?s:{pattern})$"),
    };
    let regex = Regex::new(&anchored).map_err(|_| {
        EvalError::Argument(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    check_name(target, semantics, || format!("invalid destination label name in label_replace(): {target}"))?;
    let mut value = String::new();
    for row in &mut rows {
        if let Some(captures) = regex.captures(row.labels.get(source)) {
            value.clear();
            captures.expand(replacement, &mut value);
            row.labels = row.labels.with(target, &value);
        }
    }
    merged(rows).map(Cells::Vector)
}

pub(super) fn join(mut call: TableCall<'_, '_>) -> Result<Cells, EvalError> {
    let mut rows = call.vector(0)?;
    let (target, separator) = (call.text(1)?, call.text(2)?);
    let sources = (3..call.args.len()).map(|index| call.text(index)).collect::<Result<Vec<_>, _>>()?;
    let semantics = call.evaluator.engine.semantics;
    for source in &sources {
        check_name(source, semantics, || format!("invalid source label name in label_join(): {source}"))?;
    }
    check_name(target, semantics, || format!("invalid destination label name in label_join(): {target}"))?;
    for row in &mut rows {
        let values: Vec<&str> = sources.iter().map(|source| row.labels.get(source)).collect();
        row.labels = row.labels.with(target, &values.join(separator));
    }
    merged(rows).map(Cells::Vector)
}

/// Label names are ASCII identifiers in Prometheus 2, and any text but the empty one in Prometheus 3.
pub(crate) fn check_name(
    name: &str,
    semantics: Semantics,
    message: impl FnOnce() -> String,
) -> Result<(), EvalError> {
    let mut chars = name.chars();
    let valid = match semantics {
        Semantics::V3 => !name.is_empty(),
        Semantics::V2_42 => {
            chars.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
                && chars.all(|c| c == '_' || c.is_ascii_alphanumeric())
        }
    };
    if valid { Ok(()) } else { Err(EvalError::Argument(message())) }
}
