//! A slip in a keyword of any statement of ours gets an error that names the statement that was meant.

use super::*;
use crate::sql::DEFINITIONS;
use expect_test::{expect, Expect};
use proptest::prelude::*;
use proptest::sample::select;

/// Texts and what their error names; test/hosts runs them, too.
const SLIPS: &str = include_str!("../../../test/slips.txt");

/// Statements with the keywords that the examples leave out.
const MORE: [&str; 14] = [
    "LOAD TABLE shop.orders IN BACKGROUND",
    "RELOAD TABLE db.shop.orders IN BACKGROUND;",
    "REFRESH TABLE \"the shop\".\"my orders\"",
    "REFRESH SCHEMA shop IN BACKGROUND",
    "CANCEL JOB 12 DROP",
    "PEEK AT shop.orders LIMIT 5",
    "SHOW COLUMNS FROM orders",
    "DROP CONNECTION IF EXISTS mine CASCADE",
    "CREATE OR REPLACE CONNECTION mine (ADAPTER shop, bearer_token 's3cr3t')",
    "CREATE PERSISTENT CONNECTION mine (ADAPTER shop, bearer_token 's3cr3t')",
    "CREATE OR REPLACE PERSISTENT CONNECTION IF NOT EXISTS mine (ADAPTER shop, bearer_token 's3cr3t')",
    "CREATE CONNECTION IF NOT EXISTS mine (ADAPTER shop, bearer_token 's3cr3t')",
    "HELP",
    "SHOW TABLES IN \"the shop\"",
];

/// A slip of the user's fingers in one keyword.
#[derive(Debug, Clone, Copy)]
enum Slip {
    /// Two letters change places.
    Transposed(usize),
    Missing(usize),
    Doubled(usize),
    Replaced(usize, char),
    WordMissing,
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        (0..20usize).prop_map(Slip::Transposed),
        (0..20usize).prop_map(Slip::Missing),
        (0..20usize).prop_map(Slip::Doubled),
        (0..20usize, prop::char::range('A', 'Z')).prop_map(|(at, letter)| Slip::Replaced(at, letter)),
        Just(Slip::WordMissing),
    ]
}

fn slipped(word: &str, slip: Slip) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let n_letters = letters.len();
    match slip {
        Slip::Transposed(at) => letters.swap(at % (n_letters - 1), at % (n_letters - 1) + 1),
        Slip::Missing(at) => drop(letters.remove(at % n_letters)),
        Slip::Doubled(at) => letters.insert(at % n_letters, letters[at % n_letters]),
        Slip::Replaced(at, letter) => letters[at % n_letters] = letter,
        Slip::WordMissing => letters.clear(),
    }
    letters.into_iter().collect()
}

/// Returns whether the text is a statement of DuckDB that a slip makes of ours.
fn is_of_duckdb(text: &str) -> bool {
    let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
    match words.as_slice() {
        ["SHOW" | "LOAD", _] => true,
        // A table of that name.
        ["SHOW", name @ ..] => name == ["ALL", "TABLES"],
        _ => false,
    }
}

/// Returns which words of a statement are keywords.
fn keywords_of(words: &[&str]) -> Vec<usize> {
    let is_keyword = |word: &str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase());
    (0..words.len()).filter(|idx| is_keyword(words[*idx])).collect()
}

#[test]
fn each_slip_gets_an_error_that_names_what_was_meant() {
    let mut n_lines = 0;
    for line in SLIPS.lines() {
        let (text, meant) = line.split_once(" => ").unwrap();
        let ParsedStatement::Wrong { message } = parse_statement(text) else { panic!("{text} is {:?}", parse_statement(text)) };
        let first_line = message.lines().next().unwrap();
        let names = [format!("did you mean {meant}?"), format!("expected {meant}")];
        assert!(
            names.iter().any(|name| first_line.contains(name)) || first_line.contains(meant) && !meant.contains("TABLE"),
            "{text}: {message}"
        );
        assert!(!message.contains("s3cr3t"), "{text}: {message}");
        n_lines += 1;
    }
    assert!(n_lines > 60, "{n_lines}");
}

#[test]
fn the_error_shows_the_word_that_is_wrong() {
    let check = |text: &str, expected: Expect| {
        let ParsedStatement::Wrong { message } = parse_statement(text) else { panic!("{text} is not wrong") };
        expected.assert_eq(&message);
    };
    check(
        "REFRESH /* the */\n TABEL shop.orders -- now",
        expect![[r#"
        syntax error at or near "TABEL"; did you mean REFRESH TABLE shop.orders?

        LINE 2:  TABEL shop.orders -- now
                 ^"#]],
    );
    check(
        "REFERSH TABLE shop . \"my  orders\" ;",
        expect![[r#"
        syntax error at or near "REFERSH"; did you mean REFRESH TABLE shop."my  orders"?

        LINE 1: REFERSH TABLE shop . "my  orders" ;
                ^"#]],
    );
    check(
        "CANCEL 3",
        expect![[r#"
        syntax error at or near "3"; did you mean CANCEL JOB 3?

        LINE 1: CANCEL 3
                       ^"#]],
    );
    check(
        "REFRESH ",
        expect![[r#"
        syntax error at end of input; expected REFRESH SCHEMA conn [IN BACKGROUND] or REFRESH TABLE conn.table [IN BACKGROUND]

        LINE 1: REFRESH 
                       ^"#]],
    );
    check("WAIT FOR 3 'x'", expect![[r#"syntax error at or near "FOR"; expected WAIT FOR JOB n"#]]);
    check(
        &format!("REFERSH TABLE shop.\"{}\"", "x".repeat(300)),
        expect![[r#"
        syntax error at or near "REFERSH"; did you mean REFRESH TABLE conn.table [IN BACKGROUND]?

        LINE 1: REFERSH TABLE shop."xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
                ^"#]],
    );
    check(
        "SHOW ALL ADAPTER;",
        expect![[r#"
        syntax error at or near "ADAPTER"; did you mean SHOW ALL ADAPTER TABLES or SHOW ALL ADAPTERS?

        LINE 1: SHOW ALL ADAPTER;
                         ^"#]],
    );
}

#[test]
fn what_is_far_from_ours_or_nearer_to_duckdb_is_not_claimed() {
    for text in [
        "SHOW ALL TABLE",
        "SHOW TABELS FROM main",
        "SHOW TABLES FORM main",
        "SHOW INDEXES FROM t",
        "START TRANSACTON",
        "START",
        "DROP x",
        "DROP TABLE connection x",
        "DROP FUNCTION f x",
        "CREATE x (a INTEGER)",
        "CREATE TABLE connection (a INTEGER b INTEGER)",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "TABLE REFRESH x",
        "PREPARE p AS REFRESH TABLE shop.orders",
        "SELEC 1",
        "SET TABLE shop.orders",
        "WITH TABLE shop.orders",
        "EXPLAIN SELEC 1",
        "EXPLAIN ANALYZE SELEC TABLE",
    ] {
        assert_eq!(parse_statement(text), ParsedStatement::NotOurs, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn one_slip_in_one_keyword_is_told(
        statement in select(DEFINITIONS.statements.iter().map(|statement| statement.example).chain(MORE).collect::<Vec<_>>()),
        place in 0..8usize,
        slip in slip(),
    ) {
        let words: Vec<&str> = statement.split(' ').collect();
        let keywords = keywords_of(&words);
        let at = keywords[place % keywords.len()];
        let word = slipped(words[at], slip);
        // Without its first word a text begins like nothing of ours.
        prop_assume!(!(at == 0 && word.is_empty()) && word != words[at]);
        let mut changed: Vec<&str> = words.clone();
        changed[at] = &word;
        let text = changed.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match parse_statement(&text) {
            ParsedStatement::Call(_) => {}
            // With one word left it may be any statement.
            ParsedStatement::NotOurs => prop_assert!(is_of_duckdb(&text) || word.is_empty() && matches!(words[0], "START" | "DROP"), "{}", text),
            ParsedStatement::Wrong { message } => {
                let (said, _) = message.split_once("\n\n").unwrap_or((&message, ""));
                let (_, hint) = said.split_once(';').unwrap_or_default();
                let is_named = hint.split(|letter: char| !letter.is_ascii_uppercase()).any(|word| word == words[at]);
                prop_assert!(is_named && !message.contains("s3cr3t"), "{}: {}", text, message);
            }
        }
    }
}
