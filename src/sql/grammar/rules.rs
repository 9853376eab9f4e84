//! The grammar of Unify's statements (`grammar.pest`), and its parser: the only place that names pest.

use pest::error::{ErrorVariant, InputLocation};
use pest::Parser;
use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "sql/grammar/grammar.pest"]
struct StatementParser;

/// A piece of a parsed text.
pub type Pair<'a> = pest::iterators::Pair<'a, Rule>;

/// The pieces of a parsed text.
pub type Pairs<'a> = pest::iterators::Pairs<'a, Rule>;

/// Where a text stops being what a rule takes.
#[derive(Debug)]
pub struct Misfit {
    /// Byte of the text.
    pub position: usize,
    /// What could have stood there.
    pub expected: Vec<Rule>,
}

/// Parses a text, which has no comments.
pub fn parsed(rule: Rule, text: &str) -> std::result::Result<Pairs<'_>, Misfit> {
    StatementParser::parse(rule, text).map_err(|err| {
        let position = match err.location {
            InputLocation::Pos(position) | InputLocation::Span((position, _)) => position,
        };
        let expected = match err.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Misfit { position, expected }
    })
}

/// Returns whether a text, which has no comments, is what the rule takes.
pub fn is(rule: Rule, text: &str) -> bool {
    StatementParser::parse(rule, text).is_ok()
}
