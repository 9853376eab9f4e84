//! The shape of a statement: its rule in the grammar, the call it turns into, and what HELP and the reference say of it.

use crate::sql::parse::{Pair, Rule};
use crate::Result;

/// What a statement is about: HELP lists those of one topic, and the reference has them side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Connections,
    Tables,
    Loads,
    Jobs,
    Daemon,
    Requests,
    Help,
}

impl Topic {
    /// Returns the word that HELP takes.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Connections => "connections",
            Topic::Tables => "tables",
            Topic::Loads => "loads",
            Topic::Jobs => "jobs",
            Topic::Daemon => "daemon",
            Topic::Requests => "requests",
            Topic::Help => "help",
        }
    }
}

/// What a statement is, as the parser, HELP and the docs see it.
#[derive(Debug, Clone, Copy)]
pub struct StatementDef {
    /// The rule of the grammar that it is.
    pub(crate) rule: Rule,
    /// How it is written: keywords in capitals, `[optional]`, the rest to be filled in.
    pub syntax: &'static str,
    pub description: &'static str,
    /// A whole statement.
    pub example: &'static str,
    /// The name of the function it calls.
    pub function: &'static str,
    pub topic: Topic,
    /// Returns the call that a parsed statement stands for: `SELECT * FROM function(constants)`.
    pub(crate) call: fn(Pair<'_>) -> Result<String>,
}

/// What a statement of DuckDB's does with Unify, as HELP and the docs see it. DuckDB parses it: it is no rule of the grammar.
#[derive(Debug, Clone, Copy)]
pub struct HostStatementDef {
    pub syntax: &'static str,
    pub description: &'static str,
    /// A whole statement.
    pub example: &'static str,
    pub topic: Topic,
}

impl StatementDef {
    /// Returns the keywords it begins with: optional ones and names left out.
    pub fn keywords(&self) -> Vec<&'static str> {
        keywords_of(self.syntax)
    }
}

impl HostStatementDef {
    /// Returns the keywords it begins with.
    pub fn keywords(&self) -> Vec<&'static str> {
        keywords_of(self.syntax)
    }
}

fn keywords_of(syntax: &'static str) -> Vec<&'static str> {
    let is_keyword = |word: &&str| word.chars().all(|letter| letter.is_ascii_uppercase());
    let mut keywords = Vec::new();
    let mut n_open = 0;
    for word in syntax.split(' ') {
        let is_optional = n_open > 0 || word.starts_with('[');
        n_open += word.matches('[').count();
        n_open -= word.matches(']').count();
        match is_optional {
            true => {}
            false if is_keyword(&word) => keywords.push(word),
            false => break,
        }
    }
    keywords
}
