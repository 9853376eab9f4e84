//! Statements whose end DuckDB 1.5 cuts: there it takes letters beyond ASCII for blanks.
//!
//! For `CLEAR TABLE shop.café` its parser hook gets `CLEAR TABLE shop.caf`, which may be another table. The whole text is known when the statement
//! runs, unless others follow it in its script. Then the names that there are decide: where one goes on with such letters only, nobody knows
//! which of them is meant. A statement that may be about another name fails, and says how to write the name.

use crate::catalog::ConnectionEntry;
use crate::sql::discovery::{opened, Need};
use crate::sql::grammar::end_name;
use crate::sql::name::TablePath;
use crate::sql::parse::{parse_statement, ParsedStatement};
use crate::sql::StatementContext;
use crate::{Error, Result};

/// What a name is told to need.
const QUOTES: &str = "DuckDB 1.5 cuts letters beyond ASCII at the end of a statement; put the name in double quotes";

/// Parses a statement whose end may be cut, as [`parse_statement`] does. Where nothing but a name is missing there, the message says why.
pub fn parse_cut(text: &str) -> ParsedStatement {
    let parsed = parse_statement(text);
    let ParsedStatement::Wrong { message } = &parsed else { return parsed };
    if !matches!(parse_statement(&format!("{} x", bare(text))), ParsedStatement::Call(_)) {
        return parsed;
    }
    let (first, rest) = message.split_at(message.find('\n').unwrap_or(message.len()));
    ParsedStatement::Wrong { message: format!("{first}; one of letters beyond ASCII is put in double quotes on DuckDB 1.5{rest}") }
}

/// Returns whether letters beyond ASCII at the end of a statement would make it another one.
pub fn may_be_cut(written: &str) -> bool {
    ends_in_word(written)
}

/// Fails when a statement was cut, or when that cannot be known and there are names of both kinds. `written` is what DuckDB handed over,
/// `query` what it says of the statement that runs.
pub fn check_end(written: &str, query: &str, ctx: &StatementContext<'_>) -> Result<()> {
    match end_of(written, query) {
        End::Whole => Ok(()),
        End::Cut(lost) => match parse_statement(&format!("{}{lost}", bare(written))) {
            ParsedStatement::Wrong { message } => Err(Error::config(message)),
            whole if whole == parse_statement(written) => Ok(()),
            _ => Err(cut(&format!("{}{}", last_word(written), lost.split(is_space).next().unwrap_or_default()))),
        },
        End::Unknown => longer_name(written, ctx).map_or(Ok(()), |(_, name)| Err(cut(&name))),
    }
}

/// Returns the error of a statement that cannot be bound: when its name is not known, and one is that goes on with letters beyond ASCII, that
/// is the reason.
pub fn explained(written: &str, err: Error, ctx: &StatementContext<'_>) -> Error {
    match longer_name(written, ctx) {
        Some((false, name)) => cut(&name),
        _ => err,
    }
}

fn cut(name: &str) -> Error {
    Error::config(format!("{QUOTES}: \"{}\"", name.replace('"', "\"\"")))
}

/// How a statement ends in the text that DuckDB knows of it.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// These letters were cut, and what stands between them.
    Cut(String),
    /// The text ends where the statement may have been cut.
    Unknown,
}

/// Looks for the statement in `query`, which may begin before it, and end after it or in it.
fn end_of(written: &str, query: &str) -> End {
    let bare = bare(written);
    let mut end = End::Unknown;
    for (start, _) in query.match_indices(bare) {
        let rest = &query[start + bare.len()..];
        let lost_len = rest.find(|letter: char| letter.is_ascii() && !is_space(letter)).unwrap_or(rest.len());
        let (lost, after) = rest.split_at(lost_len);
        let is_ended = after.starts_with(';') || after.is_empty() && bare.len() == written.len();
        if (is_ended || after.is_empty()) && !lost.is_ascii() {
            return End::Cut(lost.trim_end_matches(is_space).to_string());
        }
        if is_ended {
            end = End::Whole;
        }
    }
    end
}

/// Returns the name of a table or connection that goes on, after the name at the end of a statement, with letters beyond ASCII alone, and
/// whether there is one of the shorter name, too.
fn longer_name(written: &str, ctx: &StatementContext<'_>) -> Option<(bool, String)> {
    let path = end_name(bare(written))?;
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    let names = match &path.schema {
        Some(connection) => tables_of(snapshot.connection(connection)?, ctx),
        None => snapshot.connections().iter().map(|entry| entry.name.clone()).collect(),
    };
    let is_known = names.iter().any(|name| name.eq_ignore_ascii_case(&path.table));
    names.into_iter().find(|name| is_longer(name, &path)).map(|name| (is_known, name))
}

fn is_longer(name: &str, path: &TablePath) -> bool {
    let start = name.get(..path.table.len()).is_some_and(|start| start.eq_ignore_ascii_case(&path.table));
    start && name.len() > path.table.len() && !name[path.table.len()..].contains(|letter: char| letter.is_ascii())
}

fn tables_of(entry: &ConnectionEntry, ctx: &StatementContext<'_>) -> Vec<String> {
    let Ok(connection) = opened(entry, Need::Known, ctx) else { return Vec::new() };
    let adapter = &connection.adapter;
    let tables = adapter.tables.iter().map(|table_def| table_def.name.clone());
    tables.chain(adapter.views.iter().map(|view_def| view_def.name.clone())).collect()
}

/// Returns a statement without the `;` that DuckDB puts behind what it cuts.
fn bare(written: &str) -> &str {
    written.strip_suffix(';').unwrap_or(written)
}

fn ends_in_word(written: &str) -> bool {
    bare(written).ends_with(is_of_word)
}

fn last_word(written: &str) -> &str {
    let bare = bare(written);
    &bare[bare.trim_end_matches(is_of_word).len()..]
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '$' || !letter.is_ascii()
}

/// A blank that is cut off with the letters.
fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\u{0B}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::TestInstance;
    use expect_test::{expect, Expect};
    use proptest::prelude::*;

    fn check(written: &str, query: &str, expected: Expect) {
        let instance = TestInstance::new();
        let shown = match check_end(written, query, &instance.context()) {
            Ok(()) => "runs".to_string(),
            Err(err) => err.message().to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_statement_that_was_cut_does_not_run() {
        let quotes =
            || expect![[r#"DuckDB 1.5 cuts letters beyond ASCII at the end of a statement; put the name in double quotes: "orderé""#]];
        check("CLEAR TABLE shop.order", "CLEAR TABLE shop.orderé", quotes());
        check("CLEAR TABLE shop.order;", "CLEAR TABLE shop.orderé;", quotes());
        check("CLEAR TABLE shop.order;", "\u{fffd}; CLEAR TABLE shop.orderé ; -- é", quotes());
        check(
            "LOAD TABLE shop.orders IN BACKGROUND",
            "LOAD TABLE shop.orders IN BACKGROUNDé",
            expect![[r#"
            syntax error at or near "BACKGROUNDé"; expected BACKGROUND; did you mean BACKGROUND?

            LINE 1: LOAD TABLE shop.orders IN BACKGROUNDé
                                              ^"#]],
        );
    }

    #[test]
    fn a_statement_that_was_not_cut_runs() {
        check("CLEAR TABLE shop.order", "CLEAR TABLE shop.order", expect!["runs"]);
        check("CLEAR TABLE shop.order;", "é; CLEAR TABLE shop.order \n; -- é", expect!["runs"]);
        check("CLEAR TABLE shop.order -- caf", "CLEAR TABLE shop.order -- café", expect!["runs"]);
        check("CLEAR TABLE shop.order;", "CLEAR TABLE shop.order", expect!["runs"]);
        check("CLEAR TABLE shop.order;", "", expect!["runs"]);
    }

    #[test]
    fn where_nobody_knows_names_decide() {
        let longer = |name: &str, longer: &str| is_longer(longer, &TablePath { catalog: None, schema: None, table: name.to_string() });
        assert!(longer("caf", "Café") && longer("caf", "caféß") && longer("caf", "caf日本"));
        assert!(!longer("caf", "caf") && !longer("caf", "cafés") && !longer("caf", "ca") && !longer("caf", "cé") && !longer("ca", "café"));
    }

    #[test]
    fn a_name_that_is_cut_away_is_told() {
        let first_line = |text: &str, expected: Expect| {
            let ParsedStatement::Wrong { message } = parse_cut(text) else { panic!("{text} is not wrong") };
            expected.assert_eq(message.lines().next().unwrap_or_default());
        };
        let quotes =
            || expect!["syntax error at end of input; expected a name; one of letters beyond ASCII is put in double quotes on DuckDB 1.5"];
        first_line("CLEAR TABLE shop.", quotes());
        first_line("DROP CONNECTION", quotes());
        first_line("CLEAR TABLE shop", expect!["syntax error at end of input; expected '.'"]);
        assert_eq!(parse_cut("CLEAR TABLE a.b"), parse_statement("CLEAR TABLE a.b"));
    }

    proptest! {
        /// What 1.5 does with a statement that stands last in its script: it cuts, and tells the text from a place that is not after its begin.
        #[test]
        fn a_cut_end_is_found(before in "(|é; |x;\n )", lost in "[é日]{1,3}", blanks in "[ \n]{0,2}", more in "(|;|; -- é|;\n)") {
            let written = format!("CLEAR TABLE a.b{}", if more.is_empty() { "" } else { ";" });
            let query = format!("{before}CLEAR TABLE a.b{lost}{blanks}{more}");
            prop_assert_eq!(end_of(&written, &query), End::Cut(lost));
            let query = format!("{before}CLEAR TABLE a.b{blanks}{more}");
            prop_assert_eq!(end_of(&written, &query), End::Whole);
        }
    }
}
