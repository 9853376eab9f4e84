//! Recognises Unify's statements and turns them into calls of its functions.

mod mistake;
#[cfg(test)]
mod not_ours_tests;

use crate::sql::caret::with_caret;
use crate::sql::commands::{self, create_connection};
use crate::sql::name::TablePath;
use crate::{Error, Result};
use pest::error::InputLocation;
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
        /// What is wrong, and below it the line with a caret.
        message: String,
    },
}

/// Parses one statement, with or without its `;`. Claims only texts that begin with the complete keywords of a statement of ours.
pub fn parse_statement(text: &str) -> ParsedStatement {
    if StatementParser::parse(Rule::head, text).is_err() {
        return ParsedStatement::NotOurs;
    }
    if text.contains('\0') {
        return ParsedStatement::Wrong { message: "the statement holds a NUL character, which no statement may".to_string() };
    }
    let parsed = StatementParser::parse(Rule::statement, text);
    let err = match parsed.map(|mut pairs| pairs.next().and_then(|pair| pair.into_inner().next())) {
        Ok(Some(pair)) => match call_of(pair) {
            Ok(sql) => return ParsedStatement::Call(sql),
            Err(err) => return ParsedStatement::Wrong { message: err.to_string() },
        },
        Ok(None) => return ParsedStatement::NotOurs,
        Err(err) => err,
    };
    let position = match err.location {
        InputLocation::Pos(position) | InputLocation::Span((position, _)) => position,
    };
    // Of these the text is not shown: it may hold a secret.
    if let Some(message) = create_connection::mistake(text, &mistake::expected(&err.variant)) {
        return ParsedStatement::Wrong { message };
    }
    let message = mistake::message_of(&err.variant, mistake::found_at(text, position));
    ParsedStatement::Wrong { message: format!("{message}\n\n{}", with_caret(text, position)) }
}

/// Returns what is wrong with a statement, as its own text shows it. `known` is what its tokens showed; it stands when the text is not that
/// of the statement.
pub fn mistake_in(text: &str, known: &str) -> String {
    let first_line = |message: &str| message.lines().next().map(str::to_string);
    match parse_statement(text) {
        ParsedStatement::Wrong { message } if first_line(&message) == first_line(known) => message,
        _ => known.to_string(),
    }
}

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

/// Returns the parts of a `CREATE CONNECTION` up to where it is wrong, or to its end; `None` when the text is none.
pub(super) fn connection_begin(text: &str) -> Option<pest::iterators::Pairs<'_, Rule>> {
    StatementParser::parse(Rule::connection_begin, text).ok()?.next().map(Pair::into_inner)
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
    let mut pairs = parsed.map_err(|err| wrong(&mistake::message_of(&err.variant, "")))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};
    use proptest::prelude::*;

    fn check(text: &str, expected: Expect) {
        let shown = match parse_statement(text) {
            ParsedStatement::NotOurs => "not ours".to_string(),
            ParsedStatement::Call(sql) => sql,
            ParsedStatement::Wrong { message } => message,
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
            "EXPLAIN REFRESH a.b",
            "EXPLAIN LOAD TABLE a.b",
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
                syntax error at end of input; expected a table as connection.table

                LINE 1: REFRESH TABLE
                                     ^"#]],
        );
        check(
            "REFRESH TABLE github",
            expect![[r#"
                syntax error at end of input; expected '.'

                LINE 1: REFRESH TABLE github
                                            ^"#]],
        );
        check(
            "REFRESH TABLE github.",
            expect![[r#"
                syntax error at end of input; expected a name

                LINE 1: REFRESH TABLE github.
                                             ^"#]],
        );
        check(
            "REFRESH TABLE github.repos quickly",
            expect![[r#"
                syntax error at or near "quickly"; expected the end of the statement, IN BACKGROUND or '.'

                LINE 1: REFRESH TABLE github.repos quickly
                                                   ^"#]],
        );
        check(
            "REFRESH TABLE 'github.repos'",
            expect![[r#"
                syntax error at or near "'"; expected a table as connection.table

                LINE 1: REFRESH TABLE 'github.repos'
                                      ^"#]],
        );
        check(
            "PEEK github.repos LIMIT many",
            expect![[r#"
                syntax error at or near "many"; expected a whole number

                LINE 1: PEEK github.repos LIMIT many
                                                ^"#]],
        );
        check(
            "SHOW ALL ADAPTERS LIKE 'git%'",
            expect![[r#"
                syntax error at or near "LIKE"; expected the end of the statement

                LINE 1: SHOW ALL ADAPTERS LIKE 'git%'
                                          ^"#]],
        );
        check(
            "SHOW TABLES IN github.repos",
            expect![[r#"
                syntax error at or near "."; expected the end of the statement

                LINE 1: SHOW TABLES IN github.repos
                                             ^"#]],
        );
    }

    #[test]
    fn the_keyword_that_was_meant_is_named() {
        let first_line = |text: &str, expected: Expect| {
            let ParsedStatement::Wrong { message } = parse_statement(text) else { panic!("{text} is not wrong") };
            expected.assert_eq(message.lines().next().unwrap());
        };
        first_line(
            "LOAD TABLE a.b IN BACKGROUNG",
            expect![[r#"syntax error at or near "BACKGROUNG"; expected BACKGROUND; did you mean BACKGROUND?"#]],
        );
        first_line(
            "peek a.b limt 5",
            expect![[r#"syntax error at or near "limt"; expected the end of the statement, LIMIT or '.'; did you mean LIMIT?"#]],
        );
        first_line(
            "cancel job 1 drp",
            expect![[r#"syntax error at or near "drp"; expected the end of the statement or DROP; did you mean DROP?"#]],
        );
        first_line(
            "REFRESH SCHEMA a INN BACKGROUND",
            expect![[r#"syntax error at or near "INN"; expected the end of the statement or IN BACKGROUND; did you mean IN?"#]],
        );
        first_line(
            "REFRESH SCHEMA a quickly",
            expect![[r#"syntax error at or near "quickly"; expected the end of the statement or IN BACKGROUND"#]],
        );
        first_line("WAIT FOR JOB one", expect![[r#"syntax error at or near "one"; expected a whole number"#]]);
        first_line("HELP 'load'", expect![[r#"syntax error at or near "'"; expected the end of the statement or a topic"#]]);
    }

    #[test]
    fn a_mistake_is_shown_in_the_line_it_is_in() {
        check(
            "REFRESH TABLE -- of GitHub\n  github.repos /* soon */ IN BACKGROUNG;\n",
            expect![[r#"
            syntax error at or near "BACKGROUNG"; expected BACKGROUND; did you mean BACKGROUND?

            LINE 2:   github.repos /* soon */ IN BACKGROUNG;
                                                 ^"#]],
        );
        check(
            "REFRESH TABLE \"日本\".\"é☃\" now",
            expect![[r#"
            syntax error at or near "now"; expected the end of the statement, IN BACKGROUND or '.'

            LINE 1: REFRESH TABLE "日本"."é☃" now
                                              ^"#]],
        );
    }

    #[test]
    fn tokens_are_joined_to_the_statement_they_are_of() {
        assert_eq!(joined(&["REFRESH TABLE a . b"]), "REFRESH TABLE a . b");
        assert_eq!(joined(&["REFRESH", "TABLE", "a", ".", "\"b c\"", "now", ";"]), "REFRESH TABLE a.\"b c\" now;");
        assert_eq!(joined(&["F", "(", "'a'", ",", "-", "-", "1", ")"]), "F ('a', - - 1)");
    }

    #[test]
    fn the_text_shows_what_the_tokens_said() {
        let text = "REFRESH /* it */ TABLE\n a.b now";
        let ParsedStatement::Wrong { message: known } = parse_statement("REFRESH TABLE a.b now") else { panic!("it is right") };
        let ParsedStatement::Wrong { message: exact } = parse_statement(text) else { panic!("it is right") };
        assert_ne!(exact, known);
        assert_eq!(mistake_in(text, &known), exact);
        for other in ["", "SELECT 1", "REFRESH TABLE a.b", "REFRESH TABLE a"] {
            assert_eq!(mistake_in(other, &known), known);
        }
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
            if let ParsedStatement::Wrong { message } = parse_statement(&text) {
                prop_assert!(message.starts_with("syntax error at ") && message.ends_with('^'), "{message}");
            }
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
