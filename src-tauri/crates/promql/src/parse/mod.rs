//! From text to [`Query`]. The grammar is `promql-parser`'s; around it stand bounds, because that parser overflows
//! the stack, takes minutes or panics on input that a hostile or unlucky person can write, and positions, because
//! it reports none.

mod lower;
mod scan;
mod selector;
mod syntax;

use std::sync::{Arc, Once};

use promql_parser::parser::value::ValueType as ParserType;
use promql_parser::parser::{Function, register_extra_functions};

use crate::plan::{Expr, ValueType};

pub use scan::{MAX_DEPTH, MAX_OPERATORS, MAX_QUERY_BYTES};

/// A query that was understood. Cheap to clone; evaluate it as often as needed.
#[derive(Clone, Debug)]
pub struct Query(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    text: String,
    root: Expr,
}

impl Query {
    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The type of its answer to an instant query. Only scalars and vectors have range queries.
    pub fn value_type(&self) -> ValueType {
        self.0.root.value_type
    }

    pub(crate) fn root(&self) -> &Expr {
        &self.0.root
    }
}

/// Why a text is no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {message}")]
pub struct ParseError {
    /// Byte offset into the text where the mistake shows; 0 when it concerns the whole.
    pub at: usize,
    /// A sentence for a person.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// Prometheus' `errorType` for it.
    pub fn error_type(&self) -> &'static str {
        "bad_data"
    }
}

/// Understands `text`.
///
/// Takes time in proportion to the text's length, bounded by [`MAX_QUERY_BYTES`], [`MAX_DEPTH`] and
/// [`MAX_OPERATORS`]; callers that evaluate more than once keep the [`Query`].
///
/// # Errors
/// With the position and a sentence, when the text is no PromQL, exceeds a bound, mistypes an argument or asks for
/// what is not offered here (native histograms' functions, experimental syntax).
pub fn parse(text: &str) -> Result<Query, ParseError> {
    parse_with(text, |_| true)
        .and_then(|query| query.ok_or_else(|| ParseError::new(0, "there is no expression")))
}

/// As [`parse`], after `edit` had its way with the parser's tree; None when `edit` says no.
pub(crate) fn parse_with(
    text: &str,
    edit: impl FnOnce(&mut promql_parser::parser::Expr) -> bool,
) -> Result<Option<Query>, ParseError> {
    let tokens = scan::scan(text)?;
    offer_former_names();
    let source = scan::without_raw_strings(text, &tokens);
    // The bounds above keep the parser from what is known to break it; a panic that is left is a mistake of its
    // own and must not take the lab down.
    let parsed = std::panic::catch_unwind(|| promql_parser::parser::parse(&source))
        .map_err(|_| ParseError::new(0, "the expression cannot be parsed"))?;
    let mut ast = parsed.map_err(|message| {
        syntax::first_mistake(text, &tokens).unwrap_or_else(|| scan::located(text, &tokens, message))
    })?;
    if !edit(&mut ast) {
        return Ok(None);
    }
    let root = lower::lower(&ast).map_err(|message| scan::located(text, &tokens, message))?;
    Ok(Some(Query(Arc::new(Parsed { text: text.to_owned(), root }))))
}

/// Prometheus 3 renamed `holt_winters` to `double_exponential_smoothing`, and the parser knows the new name only.
/// Dashboards written for Prometheus 2 use the old one.
fn offer_former_names() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let arguments = vec![ParserType::Matrix, ParserType::Scalar, ParserType::Scalar];
        let former = Function::new("holt_winters", arguments, 0, ParserType::Vector, false);
        // It fails only if a later parser knows the name again, and then there is nothing to add.
        let _already_known = register_extra_functions(vec![former]);
    });
}
