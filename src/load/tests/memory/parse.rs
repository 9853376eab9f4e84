//! The statements of a text of SQL, parsed, so that neither blanks nor the case of keywords matter.

use crate::lock::lock;
use crate::{Error, Result};
use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect, DuckDbDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Word};
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// The last part of the name that stands for a table's description: the parser knows DESCRIBE as a statement only.
pub(super) const DESCRIBED: &str = "(described)";

/// DuckDB's SQL, with what the parser knows of other dialects only.
#[derive(Debug)]
struct Sql;

impl Dialect for Sql {
    fn dialect(&self) -> TypeId {
        TypeId::of::<DuckDbDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        DuckDbDialect.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        DuckDbDialect.is_identifier_part(ch)
    }

    fn supports_comment_on(&self) -> bool {
        true
    }

    fn supports_alter_column_type_using(&self) -> bool {
        true
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_from_first_select(&self) -> bool {
        true
    }

    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }
}

/// Most texts that are remembered: those with a time in them never come again.
const MOST_KNOWN: usize = 10_000;

/// A statement, and its text without what does not matter.
pub(super) struct Parsed {
    pub statement: Statement,
    pub text: String,
}

/// Returns the statements. Fails on what is not SQL. Most texts are sent again and again, and are parsed once.
pub(super) fn parsed(sql: &str) -> Result<Arc<Vec<Parsed>>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Vec<Parsed>>>>> = LazyLock::new(Mutex::default);
    if let Some(known) = lock(&KNOWN).get(sql) {
        return Ok(known.clone());
    }
    let wrong = |err: &dyn std::fmt::Display| Error::internal(format!("the in-memory database cannot parse this ({err}): {sql}"));
    let tokens = Tokenizer::new(&Sql, sql).tokenize().map_err(|err| wrong(&err))?;
    let tokens = without_describe(tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect());
    let statements = Parser::new(&Sql).with_tokens(tokens).parse_statements().map_err(|err| wrong(&err))?;
    let statements = statements.into_iter().map(|statement| Parsed { text: statement.to_string(), statement }).collect();
    let mut known = lock(&KNOWN);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    Ok(known.entry(sql.to_string()).or_insert(Arc::new(statements)).clone())
}

/// Writes `SELECT * FROM name."(described)"` for `DESCRIBE name` in parentheses, and RESET without the SESSION that the parser does not know.
fn without_describe(tokens: Vec<Token>) -> Vec<Token> {
    let mut rewritten: Vec<Token> = Vec::with_capacity(tokens.len());
    let is_word = |token: Option<&Token>, keyword| matches!(token, Some(Token::Word(word)) if word.keyword == keyword);
    let mut is_described = false;
    for token in tokens {
        if is_word(Some(&token), Keyword::SESSION) && is_word(rewritten.last(), Keyword::RESET) {
            continue;
        }
        if is_word(Some(&token), Keyword::DESCRIBE) && rewritten.last() == Some(&Token::LParen) {
            rewritten.extend([word("SELECT"), Token::Mul, word("FROM")]);
            is_described = true;
            continue;
        }
        if is_described && token == Token::RParen {
            rewritten.extend([Token::Period, Token::make_word(DESCRIBED, Some('"'))]);
            is_described = false;
        }
        rewritten.push(token);
    }
    rewritten
}

fn word(text: &str) -> Token {
    let Token::Word(word) = Token::make_keyword(text) else { return Token::EOF };
    Token::Word(Word { quote_style: None, ..word })
}

#[test]
fn a_description_is_a_table() {
    let statements = parsed("select a FROM\n (DESCRIBE \"x\".\"y\") WHERE \"b\" IS NOT NULL; BEGIN").unwrap();
    let texts: Vec<&str> = statements.iter().map(|parsed| parsed.text.as_str()).collect();
    assert_eq!(texts, ["SELECT a FROM (SELECT * FROM \"x\".\"y\".\"(described)\") WHERE \"b\" IS NOT NULL", "BEGIN"]);
}
