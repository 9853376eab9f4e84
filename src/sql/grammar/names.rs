//! What the pieces of a parsed text say: names, numbers, tables.

use super::comments::blanked;
use super::mistake;
use super::rules::{parsed, Pair, Pairs, Rule};
use crate::sql::name::TablePath;
use crate::{Error, Result};

/// Joins the pieces that a statement was handed over in: the statement itself, or its tokens.
pub fn joined(pieces: &[&str]) -> String {
    let mut text = String::new();
    let mut is_close = true;
    for piece in pieces {
        if !is_close && !matches!(*piece, "." | "," | ";" | ")") {
            text.push(' ');
        }
        text.push_str(piece);
        is_close = matches!(*piece, "." | "(");
    }
    text
}

/// Parses a function's argument: `conn.table` or `database.conn.table`, parts quoted or not.
pub fn table_argument(text: &str) -> Result<TablePath> {
    argument(Rule::table_argument, text)
}

/// Parses a function's argument that may name any table: one to three parts.
pub fn any_argument(text: &str) -> Result<TablePath> {
    argument(Rule::any_argument, text)
}

/// Returns the parts of a name, unquoted.
fn table_path(pair: Pair<'_>) -> TablePath {
    let parts: Vec<String> = pair.into_inner().filter(|part| matches!(part.as_rule(), Rule::bare | Rule::quoted)).map(name_of).collect();
    TablePath::of(parts)
}

/// Returns a name without its quotes.
pub fn name_of(pair: Pair<'_>) -> String {
    let text = pair.as_str();
    match pair.as_rule() {
        Rule::quoted => text[1..text.len() - 1].replace("\"\"", "\""),
        _ => text.to_string(),
    }
}

/// Returns the parts of a `CREATE CONNECTION` up to where it is wrong, or to its end; `None` when the text is not one.
pub fn connection_begin(text: &str) -> Option<Pairs<'_>> {
    parsed(Rule::connection_begin, text).ok()?.next().map(Pair::into_inner)
}

/// Returns whether a statement has a piece of that rule.
pub fn has(pair: &Pair<'_>, rule: Rule) -> bool {
    pair.clone().into_inner().any(|part| part.as_rule() == rule)
}

/// Returns the table a statement names.
pub fn table_of(pair: Pair<'_>) -> Result<TablePath> {
    let name = pair.into_inner().find(|part| matches!(part.as_rule(), Rule::table_name | Rule::any_name));
    name.map(table_path).ok_or_else(|| Error::internal("the grammar gave a statement without its table"))
}

/// Returns the first name of a statement, unquoted.
pub fn first_name(pair: Pair<'_>) -> Result<String> {
    let name = pair.into_inner().find(|part| matches!(part.as_rule(), Rule::bare | Rule::quoted)).map(name_of);
    name.ok_or_else(|| Error::internal("the grammar gave a statement without its name"))
}

/// Returns the table or connection whose name, not in quotes, a statement ends with.
pub fn end_name(text: &str) -> Option<TablePath> {
    let bare = blanked(text);
    let statement = parsed(Rule::statement, &bare).ok()?.next()?.into_inner().next()?;
    let last = statement.into_inner().last().filter(|last| last.as_span().end() == bare.trim_end().len())?;
    match last.as_rule() {
        Rule::bare => Some(TablePath::of(vec![name_of(last)])),
        Rule::table_name | Rule::any_name => {
            let is_bare = last.clone().into_inner().last().is_some_and(|part| part.as_rule() == Rule::bare);
            is_bare.then(|| table_path(last)).filter(|path| path.schema.is_some())
        }
        _ => None,
    }
}

/// Returns the number a statement names, as it is written. Fails when no number of DuckDB's type BIGINT is as large.
pub fn number_of(pair: Pair<'_>) -> Result<String> {
    let number = pair.into_inner().find(|part| part.as_rule() == Rule::number).map(|number| number.as_str().to_string());
    let number = number.ok_or_else(|| Error::internal("the grammar gave a statement without its number"))?;
    match number.parse::<i64>() {
        Ok(_) => Ok(number),
        Err(_) => Err(Error::config(format!("the number {number} is out of range; expected a whole number up to {}", i64::MAX))),
    }
}

fn argument(rule: Rule, text: &str) -> Result<TablePath> {
    let wrong = |found: &str| {
        Error::config(format!("'{text}' is not a table name: {found}; expected 'connection.table', parts quoted where need be"))
    };
    let bare = blanked(text);
    let mut pairs = parsed(rule, &bare).map_err(|misfit| wrong(&mistake::message_of(&misfit.expected, "")))?;
    let name = pairs.next().and_then(|pair| pair.into_inner().next());
    name.map(table_path).ok_or_else(|| wrong("it is empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_joined_to_the_statement_they_are_of() {
        assert_eq!(joined(&["REFRESH TABLE a . b"]), "REFRESH TABLE a . b");
        assert_eq!(joined(&["REFRESH", "TABLE", "a", ".", "\"b c\"", "now", ";"]), "REFRESH TABLE a.\"b c\" now;");
        assert_eq!(joined(&["F", "(", "'a'", ",", "-", "-", "1", ")"]), "F ('a', - - 1)");
    }

    #[test]
    fn an_argument_names_a_table() {
        let check = |text: &str, expected: [&str; 3]| {
            let path = table_argument(text).unwrap();
            assert_eq!([path.catalog.as_deref().unwrap_or(""), path.schema.as_deref().unwrap_or(""), path.table.as_str()], expected);
        };
        check("github.repos", ["", "github", "repos"]);
        check("db.github.repos", ["db", "github", "repos"]);
        check("\"a.b\" . \"c\"\"d\"", ["", "a.b", "c\"d"]);
        let err = table_argument("repos").unwrap_err().to_string();
        assert!(err.starts_with("'repos' is not a table name") && err.contains("expected 'connection.table'"), "{err}");
        assert!(table_argument("").is_err());
        assert!(table_argument("a.b.c.d").is_err());
        assert_eq!(any_argument("t").unwrap().table, "t");
    }
}
