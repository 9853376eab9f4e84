//! What a query may hold before it is parsed: whoever parses and walks one goes as deep as it is nested, on a stack that ends.

use crate::{Error, Result};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Longest query, in bytes.
const MAX_BYTES: usize = 32 << 10;
/// Most words, numbers, texts and signs. A chain of operators is nested as deep as it is long.
const MAX_TOKENS: usize = 2000;
/// Deepest nesting of brackets. The parser tries brackets in several ways, one inside the other.
const MAX_BRACKETS: usize = 12;

/// Fails when a query is longer or nested deeper than it may be.
pub(super) fn check_size(sql: &str) -> Result<()> {
    let too = |what: &str, found: usize, most: usize| {
        Err(Error::config(format!("the query cannot be parsed: it has {found} {what}; expected at most {most}")))
    };
    if sql.len() > MAX_BYTES {
        return too("bytes", sql.len(), MAX_BYTES);
    }
    let tokens =
        Tokenizer::new(&DuckDbDialect {}, sql).tokenize().map_err(|err| Error::config(format!("the query cannot be parsed: {err}")))?;
    let (mut n_tokens, mut depth, mut deepest) = (0, 0usize, 0);
    for token in &tokens {
        match token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
        n_tokens += 1;
        deepest = deepest.max(depth);
    }
    match (n_tokens > MAX_TOKENS, deepest > MAX_BRACKETS) {
        (true, _) => too("words and signs", n_tokens, MAX_TOKENS),
        (_, true) => too("brackets in one another", deepest, MAX_BRACKETS),
        (false, false) => Ok(()),
    }
}
