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

/// Returns how long the beginning of a text is, which has no comments, that is what the rule takes; `None` when it does not begin so.
pub fn len_of(rule: Rule, text: &str) -> Option<usize> {
    StatementParser::parse(rule, text).ok()?.next().map(|pair| pair.as_span().end())
}

/// Returns where the names stand in a statement that are not in quotes; `None` when the text, which has no comments, is not a statement.
pub fn places_of_names(text: &str) -> Option<Vec<usize>> {
    let pairs = StatementParser::parse(Rule::statement, text).ok()?;
    Some(pairs.flatten().filter(|pair| pair.as_rule() == Rule::bare).map(|pair| pair.as_span().start()).collect())
}

/// Returns whether a text, which has no comments, is what the rule takes.
pub fn is(rule: Rule, text: &str) -> bool {
    StatementParser::parse(rule, text).is_ok()
}
