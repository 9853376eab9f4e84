//! Recognises Unify's statements and turns them into calls of its functions.

use crate::sql::commands;
use crate::sql::name::TablePath;
use crate::{Error, Result};
use pest::error::{ErrorVariant, InputLocation};
use pest::Parser;
use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "sql/grammar.pest"]
struct StatementParser;

/// A piece of a parsed statement.
pub(super) type Pair<'a> = pest::iterators::Pair<'a, Rule>;

/// What a text is that DuckDB could not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedStatement {
    /// No statement of Unify.
    NotOurs,
    /// SQL that does what the statement says: `SELECT * FROM unify_refresh('github.repos')`, a function over constants.
    Call(String),
    /// A statement of Unify with a mistake.
    Wrong {
        message: String,
        /// Byte offset in the text.
        position: Option<usize>,
    },
}

/// Parses one statement, with or without its `;`. Claims only texts that begin with the complete keywords of a statement of ours.
pub fn parse_statement(text: &str) -> ParsedStatement {
    if StatementParser::parse(Rule::head, text).is_err() {
        return ParsedStatement::NotOurs;
    }
    let parsed = StatementParser::parse(Rule::statement, text);
    let err = match parsed.map(|mut pairs| pairs.next().and_then(|pair| pair.into_inner().next())) {
        Ok(Some(pair)) => match call_of(pair) {
            Ok(sql) => return ParsedStatement::Call(sql),
            Err(err) => return ParsedStatement::Wrong { message: err.to_string(), position: None },
        },
        Ok(None) => return ParsedStatement::NotOurs,
        Err(err) => err,
    };
    let position = match err.location {
        InputLocation::Pos(position) | InputLocation::Span((position, _)) => position,
    };
    ParsedStatement::Wrong { message: message_of(&err.variant, found_at(text, position)), position: Some(position) }
}

/// Parses a function's argument: `conn.table` or `database.conn.table`, parts quoted or not.
pub(super) fn table_argument(text: &str) -> Result<TablePath> {
    argument(Rule::table_argument, text)
}

/// Parses a function's argument that may name any table: one to three parts.
pub(super) fn any_argument(text: &str) -> Result<TablePath> {
    argument(Rule::any_argument, text)
}

/// Returns the parts of a name, unquoted.
pub(super) fn table_path(pair: Pair<'_>) -> TablePath {
    let parts: Vec<String> = pair.into_inner().filter(|part| matches!(part.as_rule(), Rule::bare | Rule::quoted)).map(name_of).collect();
    TablePath::of(parts)
}

/// Returns a name without its quotes.
pub(super) fn name_of(pair: Pair<'_>) -> String {
    let text = pair.as_str();
    match pair.as_rule() {
        Rule::quoted => text[1..text.len() - 1].replace("\"\"", "\""),
        _ => text.to_string(),
    }
}

/// Returns the first name of a statement, unquoted.
pub(super) fn first_name(pair: Pair<'_>) -> Result<String> {
    let name = pair.into_inner().find(|part| matches!(part.as_rule(), Rule::bare | Rule::quoted)).map(name_of);
    name.ok_or_else(|| Error::internal("the grammar gave a statement without its name"))
}

/// Returns the number a statement names, as it is written.
pub(super) fn number_of(pair: Pair<'_>) -> Option<String> {
    pair.into_inner().find(|part| part.as_rule() == Rule::number).map(|number| number.as_str().to_string())
}

fn argument(rule: Rule, text: &str) -> Result<TablePath> {
    let wrong =
        |found: &str| Error::config(format!("'{text}' is no table name: {found}; expected 'connection.table', parts quoted where need be"));
    let parsed = StatementParser::parse(rule, text);
    let mut pairs = parsed.map_err(|err| wrong(&message_of(&err.variant, "")))?;
    let name = pairs.next().and_then(|pair| pair.into_inner().next());
    name.map(table_path).ok_or_else(|| wrong("it is empty"))
}

fn call_of(pair: Pair<'_>) -> Result<String> {
    let rule = pair.as_rule();
    match commands::statements().iter().find(|statement| statement.rule == rule) {
        Some(statement) => (statement.call)(pair),
        None => Err(Error::internal(format!("the grammar gave {rule:?} for a statement"))),
    }
}

/// Returns `syntax error at or near "x"; expected a or b`.
fn message_of(variant: &ErrorVariant<Rule>, found: &str) -> String {
    let found = match found {
        "" => "syntax error at end of input".to_string(),
        found => format!("syntax error at or near \"{found}\""),
    };
    let ErrorVariant::ParsingError { positives, .. } = variant else { return found };
    let mut expected: Vec<&str> = Vec::new();
    for rule in positives {
        let name = described(*rule);
        if !name.is_empty() && !expected.contains(&name) {
            expected.push(name);
        }
    }
    match expected.as_slice() {
        [] => found,
        [one] => format!("{found}; expected {one}"),
        [firsts @ .., last] => format!("{found}; expected {} or {last}", firsts.join(", ")),
    }
}

/// Returns the word at a position: what stands there up to the next blank or punctuation.
fn found_at(text: &str, position: usize) -> &str {
    let rest = text.get(position..).unwrap_or("");
    let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    match rest.chars().next() {
        Some(first) => &rest[..len.max(first.len_utf8())],
        None => "",
    }
}

/// Returns what a rule is to the reader of an error; empty for what goes without saying.
fn described(rule: Rule) -> &'static str {
    match rule {
        Rule::EOI => "the end of the statement",
        Rule::dot => "'.'",
        Rule::number => "a whole number",
        Rule::bare | Rule::quoted | Rule::any_name => "a name",
        Rule::table_name => "a table as connection.table",
        Rule::k_at => "AT",
        Rule::k_limit => "LIMIT",
        Rule::k_drop => "DROP",
        Rule::k_in => "IN BACKGROUND",
        Rule::k_background => "BACKGROUND",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};
    use proptest::prelude::*;

    fn check(text: &str, expected: Expect) {
        let shown = match parse_statement(text) {
            ParsedStatement::NotOurs => "not ours".to_string(),
            ParsedStatement::Call(sql) => sql,
            ParsedStatement::Wrong { message, position } => {
                format!("{text}\n{}^\n{message}", " ".repeat(position.map_or(0, |position| text[..position].chars().count())))
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_lacks_our_complete_keywords_is_not_ours() {
        for text in [
            "",
            ";",
            "SELECT 1",
            "SHOW ALL ADAPTERSX",
            "SHOW ALL ADAPTER",
            "SHOW ALL",
            "SHOWALL ADAPTERS",
            "SHOW ALL adapters_x",
            "SHOW ALL \"ADAPTERS\"",
            "SHOW TABLES FROM github",
            "SHOW TABLES",
            "SHOW JOB",
            "SHOW JOB x",
            "SHOW JOBS",
            "WAIT 5",
            "CANCEL 5",
            "CLEAR",
            "START",
            "START DAEMONS",
            "START TRANSACTION",
            "STOP \"DAEMON\"",
            "SYSTEM",
            "SYSTEM STATUS_",
            "REFRESH SCHEMAS x",
            "SHOW COLUMNS",
            "REFRESH MATERIALIZED VIEW x",
            "REFRESH TABLES a.b",
            "REFRESH TABLE1",
            "REFRESHTABLE a.b",
            "LOAD unify",
            "LOAD 'table'",
            "PEEKABOO",
            "peek$",
            "EXPLAIN REFRESH TABLE a.b",
            "/* SHOW ALL ADAPTERS",
            "-- SHOW ALL ADAPTERS",
            "'SHOW ALL ADAPTERS'",
        ] {
            assert_eq!(parse_statement(text), ParsedStatement::NotOurs, "{text}");
        }
    }

    #[test]
    fn blanks_comments_and_case_do_not_matter() {
        let refresh = || expect!["SELECT * FROM unify_refresh('github.repos')"];
        check("REFRESH TABLE github.repos", refresh());
        check("refresh table github . repos ;", refresh());
        check("  Refresh\n\tTABLE github. -- the connection\n repos;  ", refresh());
        check("/* a /* b /* c */ */ */REFRESH/**/TABLE/* ; */github./* x */repos-- y", refresh());
        check("REFRESH TABLE \"github\".\"repos\"", refresh());
    }

    #[test]
    fn a_mistake_is_shown_with_its_place() {
        check(
            "REFRESH TABLE",
            expect![[r#"
            REFRESH TABLE
                         ^
            syntax error at end of input; expected a table as connection.table"#]],
        );
        check(
            "REFRESH TABLE github",
            expect![[r#"
            REFRESH TABLE github
                                ^
            syntax error at end of input; expected '.'"#]],
        );
        check(
            "REFRESH TABLE github.",
            expect![[r#"
            REFRESH TABLE github.
                                 ^
            syntax error at end of input; expected a name"#]],
        );
        check(
            "REFRESH TABLE github.repos quickly",
            expect![[r#"
                REFRESH TABLE github.repos quickly
                                           ^
                syntax error at or near "quickly"; expected the end of the statement, IN BACKGROUND or '.'"#]],
        );
        check(
            "REFRESH TABLE 'github.repos'",
            expect![[r#"
            REFRESH TABLE 'github.repos'
                          ^
            syntax error at or near "'"; expected a table as connection.table"#]],
        );
        check(
            "PEEK github.repos LIMIT many",
            expect![[r#"
            PEEK github.repos LIMIT many
                                    ^
            syntax error at or near "many"; expected a whole number"#]],
        );
        check(
            "SHOW ALL ADAPTERS LIKE 'git%'",
            expect![[r#"
            SHOW ALL ADAPTERS LIKE 'git%'
                              ^
            syntax error at or near "LIKE"; expected the end of the statement"#]],
        );
        check(
            "SHOW TABLES IN github.repos",
            expect![[r#"
            SHOW TABLES IN github.repos
                                 ^
            syntax error at or near "."; expected the end of the statement"#]],
        );
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
        assert!(err.starts_with("'repos' is no table name") && err.contains("expected 'connection.table'"), "{err}");
        assert!(table_argument("").is_err());
        assert!(table_argument("a.b.c.d").is_err());
        assert_eq!(any_argument("t").unwrap().table, "t");
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in "\\PC*") {
            parse_statement(&text);
            let _ = table_argument(&text);
        }

        #[test]
        fn nothing_after_our_keywords_panics(text in "(REFRESH TABLE|peek|SHOW COLUMNS FROM|SHOW ALL ADAPTERS|LOAD TABLE)[ ./*\"a-z;é\\-\n]{0,30}") {
            if let ParsedStatement::Wrong { position: Some(position), .. } = parse_statement(&text) {
                prop_assert!(text.is_char_boundary(position));
            }
        }

        #[test]
        fn statements_of_duckdb_are_not_ours(
            verb in "(SELECT|FROM|INSERT INTO|CREATE TABLE|SHOW|SHOW TABLES|DESCRIBE|LOAD|EXPLAIN|CALL|SET|COPY|ATTACH|PRAGMA|SHOW ALL TABLES|refresh|show tables from)",
            tail in "( (a|\"b\"|'c'|1|,|\\(|\\)|=|x.y|github|repos|from|where))*",
        ) {
            prop_assert_eq!(parse_statement(&format!("{verb}{tail}")), ParsedStatement::NotOurs);
        }

        #[test]
        fn any_quoted_name_comes_back(schema in "\\PC{1,12}", table in "\\PC{1,12}") {
            let path = TablePath { catalog: None, schema: Some(schema), table };
            prop_assert_eq!(table_argument(&path.to_string()).unwrap(), path.clone());
            let call = ParsedStatement::Call(format!("SELECT * FROM unify_load({})", crate::session::quote_literal(&path.to_string())));
            prop_assert_eq!(parse_statement(&format!("LOAD TABLE {path}")), call);
        }
    }
}
