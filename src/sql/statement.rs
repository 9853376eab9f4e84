//! The shape of a statement: its rule in the grammar, the call it turns into, and what HELP and the reference say of it.

use crate::sql::function::{FunctionDef, ParameterDef};
use crate::sql::grammar::{self, Pair, Rule};
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
    /// The function it calls.
    pub function: &'static FunctionDef,
    pub topic: Topic,
    /// Returns what a parsed statement gives the function: constants of SQL, in order.
    pub(crate) arguments: fn(Pair<'_>) -> Result<Vec<String>>,
}

/// Everything that is defined: what HELP lists.
#[derive(Debug, Clone, Copy)]
pub struct Definitions {
    pub statements: &'static [&'static StatementDef],
    pub functions: &'static [&'static FunctionDef],
}

/// What a statement of DuckDB's does with Unify, as HELP and the docs see it. DuckDB parses it: the grammar has no rule for it.
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

    /// Returns the call that a parsed statement stands for: `SELECT * FROM function(constants)`.
    ///
    /// The function is looked up in the user's database first, so a statement that waits is a reader that began before the load: DuckDB then
    /// writes the rows to its file once, when all are there, and not again and again while they come.
    pub(super) fn call(&self, pair: Pair<'_>) -> Result<String> {
        Ok(format!("SELECT * FROM {}({})", self.function.name, (self.arguments)(pair)?.join(", ")))
    }
}

/// Returns the arguments for the flags that a statement sets, of these.
pub(super) fn flags_of(pair: &Pair<'_>, flags: &[(Rule, ParameterDef)]) -> Vec<String> {
    flags.iter().filter(|(rule, _)| grammar::has(pair, *rule)).map(|(_, parameter)| parameter.set()).collect()
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
