//! Recognises Unify's statements and turns them into calls of its functions.

mod near;
#[cfg(test)]
mod near_tests;
#[cfg(test)]
mod not_ours_tests;
mod slip;

use crate::sql::caret::with_caret;
use crate::sql::commands::{create_connection, DEFINITIONS};
use crate::sql::grammar::{self, Pair, Rule};
use crate::{Error, Result};

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

/// Parses one statement that DuckDB could not parse, with or without its `;`. Claims texts that begin with the complete keywords of a
/// statement of ours, those that were meant to be a `CREATE CONNECTION`, and those that are a slip or two from a statement of ours.
pub fn parse_statement(text: &str) -> ParsedStatement {
    let bare = grammar::blanked(text);
    if !grammar::is(Rule::head, &bare) {
        let message = slip::message_of(&bare).or_else(|| near::message_of(text, &bare));
        return message.map_or(ParsedStatement::NotOurs, |message| ParsedStatement::Wrong { message });
    }
    if text.contains('\0') {
        return ParsedStatement::Wrong { message: "the statement holds a NUL character, which no statement may".to_string() };
    }
    let misfit = match grammar::parsed(Rule::statement, &bare).map(|mut pairs| pairs.next().and_then(|pair| pair.into_inner().next())) {
        Ok(Some(pair)) => match call_of(pair) {
            Ok(sql) => return ParsedStatement::Call(sql),
            Err(err) => return ParsedStatement::Wrong { message: err.to_string() },
        },
        Ok(None) => return ParsedStatement::NotOurs,
        Err(misfit) => misfit,
    };
    let meant = near::meant(&bare);
    // Of these the text is not shown: it may hold a secret.
    if let Some(message) = create_connection::mistake(&bare, &grammar::expected(&misfit.expected)) {
        let hint = meant.map_or(String::new(), |(keyword, _)| format!("; did you mean {keyword}?"));
        return ParsedStatement::Wrong { message: format!("{message}{hint}") };
    }
    let found = grammar::found_at(text, misfit.position);
    let message = grammar::message_of(&misfit.expected, found);
    let message = match grammar::meant(&misfit.expected, found).or(meant.map(|(_, statement)| statement)) {
        Some(meant) => format!("{message}; did you mean {meant}?"),
        None => message,
    };
    ParsedStatement::Wrong { message: format!("{message}\n\n{}", with_caret(text, misfit.position)) }
}

/// Returns what is wrong with a statement, as its own text shows it. `known` is what its tokens showed; it stands when the text is not that
/// of the statement. Lines are counted from the first that is not blank.
pub fn mistake_in(text: &str, known: &str) -> String {
    let first_line = |message: &str| message.lines().next().map(str::to_string);
    match parse_statement(grammar::trimmed(text)) {
        ParsedStatement::Wrong { message } if first_line(&message) == first_line(known) => message,
        _ => known.to_string(),
    }
}

fn call_of(pair: Pair<'_>) -> Result<String> {
    let rule = pair.as_rule();
    match DEFINITIONS.statements.iter().find(|statement| statement.rule == rule) {
        Some(statement) => statement.call(pair),
        None => Err(Error::internal(format!("the grammar gave {rule:?} for a statement"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::grammar::table_argument;
    use crate::sql::name::TablePath;
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
            "SHOW ALL",
            "SHOW ALL \"ADAPTERS\"",
            "SHOW TABLES FROM github",
            "SHOW TABLES",
            "SHOW JOB",
            "SHOW JOBS",
            "START",
            "START TRANSACTION",
            "SHOW COLUMNS",
            "LOAD unify",
            "LOAD 'table'",
            "PEEKABOO",
            "peek$",
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
        first_line("REFRESH SCHEMA a.b", expect![[r#"syntax error at or near "."; expected the end of the statement or IN BACKGROUND"#]]);
        first_line(
            "CREATE CONNECTION IF EXISTS a (ADAPTER b)",
            expect!["syntax error in CREATE CONNECTION after the connection's name; expected '('; did you mean NOT?"],
        );
        first_line("WAIT FOR JOB one", expect![[r#"syntax error at or near "one"; expected a whole number"#]]);
        first_line("HELP 'load'", expect![[r#"syntax error at or near "'"; expected the end of the statement or a topic"#]]);
    }

    #[test]
    fn no_keyword_is_meant_where_a_name_is_missing() {
        for text in [
            "REFRESH TABLE",
            "REFRESH SCHEMA;",
            "DROP CONNECTION",
            "SHOW TABLES IN",
            "SHOW COLUMNS FROM ;",
            "TEST CONNECTION",
            "DISCOVER CONNECTION -- all",
            "CREATE CONNECTION (ADAPTER x)",
            "CREATE OR REPLACE CONNECTION",
        ] {
            let ParsedStatement::Wrong { message } = parse_statement(text) else { panic!("{text} is not wrong") };
            assert!(!message.contains("did you mean"), "{text}: {message}");
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_told() {
        let too_large = || expect!["the number 99999999999999999999 is out of range; expected a whole number up to 9223372036854775807"];
        check("SHOW JOB 99999999999999999999", too_large());
        check("CANCEL JOB 99999999999999999999 DROP", too_large());
        check("PEEK a.b LIMIT 99999999999999999999", too_large());
        check("SHOW JOB 9223372036854775807", expect!["SELECT * FROM unify_jobs(9223372036854775807, brief := true)"]);
    }

    #[test]
    fn lines_are_counted_from_the_first_that_is_not_blank() {
        let known = "syntax error at end of input; expected a name";
        expect![[r#"
            syntax error at end of input; expected a name

            LINE 2: LOAD TABLE a.
                                 ^"#]]
        .assert_eq(&mistake_in("\n\n \t-- c\nLOAD TABLE a.\n", known));
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
