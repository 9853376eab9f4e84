//! What DuckDB says itself is never claimed: real statements of all its leading keywords, and what becomes of them by accident. Of what it
//! cannot parse nothing is run but our statements, and nothing is claimed but what begins nearly like one.

use super::*;
use crate::sql::DEFINITIONS;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

/// Statements of DuckDB, and texts that are nobody's; test/hosts runs them, too.
const STATEMENTS: &str = include_str!("../../../test/duckdb_statements.txt");

/// Words that begin or go on in statements of DuckDB or of Unify.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "TABLE",
    "SHOW",
    "ALL",
    "TABLES",
    "IN",
    "LOAD",
    "REFRESH",
    "SCHEMA",
    "JOB",
    "JOBS",
    "FOR",
    "WAIT",
    "CREATE",
    "DROP",
    "COLUMNS",
    "SET",
    "START",
    "STOP",
    "SYSTEM",
    "ADAPTERS",
    "CONNECTIONS",
    "DAEMON",
    "STATUS",
    "CANCEL",
    "CLEAR",
    "RELOAD",
    "(",
    ")",
    ",",
    ".",
    ";",
    "'x'",
    "\"TABLE\"",
    "1",
    "a.b",
    "$$",
    "--",
    "/*",
    "*/",
    "é",
    "BACKGROUND",
    "LIMIT",
    "DESCRIBE",
    "ATTACH",
    "USE",
    "COPY",
];

fn lines() -> Vec<&'static str> {
    STATEMENTS.lines().collect()
}

/// Returns whether the text begins with all keywords of a statement of ours, in whatever case; the optional ones of a CREATE may be between.
fn begins_like_ours(text: &str) -> bool {
    let words = leading_words(text);
    DEFINITIONS.statements.iter().any(|statement| {
        let keywords = statement.keywords();
        let mut rest = words.iter();
        match keywords.as_slice() {
            ["CREATE", kind] => {
                let optional: &[&[&str]] = &[&[], &["OR", "REPLACE"], &["PERSISTENT"], &["OR", "REPLACE", "PERSISTENT"]];
                optional.iter().any(|optional| {
                    let keywords: Vec<&str> = ["CREATE"].iter().chain(*optional).chain([kind]).copied().collect();
                    words.iter().take(keywords.len()).eq(&keywords)
                })
            }
            ["DROP", kind] => {
                let written: [&[&str]; 2] = [&["DROP", kind], &["DROP", "PERSISTENT", kind]];
                written.iter().any(|keywords| words.iter().take(keywords.len()).eq(keywords.iter()))
            }
            // Without the number it is DuckDB's.
            ["SHOW", "JOB"] => {
                words.starts_with(&["SHOW".into(), "JOB".into()]) && words.get(2).is_some_and(|word| word.starts_with(is_digit))
            }
            _ => keywords.iter().all(|keyword| rest.next().is_some_and(|word| word == keyword)),
        }
    })
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

/// Returns the words a text begins with in capitals, blanks and comments left out, up to the first thing that is not a word.
fn leading_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = &comment[comment.find(['\n', '\r']).unwrap_or(comment.len())..];
        } else if rest.starts_with("/*") {
            let Some(end) = end_of_comment(rest) else { return words };
            rest = &rest[end..];
        } else {
            let len = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$').unwrap_or(rest.len());
            if len == 0 || words.len() == 8 {
                return words;
            }
            words.push(rest[..len].to_uppercase());
            rest = &rest[len..];
        }
        rest = rest.trim_start_matches(is_blank);
    }
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{FEFF}'
}

fn end_of_comment(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut idx = 0;
    while idx + 2 <= text.len() {
        match &text.as_bytes()[idx..idx + 2] {
            b"/*" => (depth, idx) = (depth + 1, idx + 2),
            b"*/" if depth == 1 => return Some(idx + 2),
            b"*/" => (depth, idx) = (depth - 1, idx + 2),
            _ => idx += 1,
        }
    }
    None
}

/// What can happen to a statement.
#[derive(Debug, Clone)]
enum Change {
    CutAfter(usize),
    DropWord(usize),
    SwapWords(usize, usize),
    Insert(usize, &'static str),
    Replace(usize, &'static str),
    Lowercase,
    JoinWords(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let insertions = [WORDS, &["/* c */", "-- c\n", "/* /* nested */ */", "\t", "\u{A0}", "\r\n"]].concat();
    prop_oneof![
        (0..80usize).prop_map(Change::CutAfter),
        (0..8usize).prop_map(Change::DropWord),
        (0..8usize, 0..8usize).prop_map(|(one, other)| Change::SwapWords(one, other)),
        (0..6usize, select(insertions)).prop_map(|(at, text)| Change::Insert(at, text)),
        (0..6usize, select(WORDS)).prop_map(|(at, text)| Change::Replace(at, text)),
        Just(Change::Lowercase),
        (0..4usize).prop_map(Change::JoinWords),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_string).collect();
    let n_words = words.len();
    match change {
        Change::CutAfter(n_letters) => return text.chars().take(*n_letters).collect(),
        Change::Lowercase => return text.to_lowercase(),
        Change::DropWord(at) => drop(words.remove(at % n_words)),
        Change::SwapWords(one, other) => words.swap(one % n_words, other % n_words),
        Change::Insert(at, text) => words.insert(at % (n_words + 1), text.to_string()),
        Change::Replace(at, text) => words[at % n_words] = text.to_string(),
        Change::JoinWords(at) if n_words > 1 => {
            let next = words.remove(at % (n_words - 1) + 1);
            words[at % (n_words - 1)] += &next;
        }
        Change::JoinWords(_) => {}
    }
    words.join(" ")
}

#[test]
fn the_statements_begin_with_every_leading_keyword_of_duckdb() {
    // The rules for `Statement` in the grammars of DuckDB 1.5 and 2.0.
    let keywords = "CREATE SELECT WITH FROM VALUES TABLE PIVOT UNPIVOT SET RESET PRAGMA CALL INSERT DROP COPY EXPLAIN UPDATE PREPARE EXECUTE \
                    DEALLOCATE ALTER BEGIN START COMMIT END ROLLBACK ABORT DELETE ATTACH DETACH USE FORCE CHECKPOINT VACUUM ANALYZE EXPORT IMPORT \
                    COMMENT TRUNCATE LOAD INSTALL MERGE CONNECT DISCONNECT DESCRIBE DESC SHOW SUMMARIZE";
    for keyword in keywords.split_whitespace() {
        assert!(lines().iter().any(|line| leading_words(line).first().is_some_and(|word| word == keyword)), "{keyword}");
    }
}

#[test]
fn none_of_them_is_ours() {
    // 2.0 hands over the tokens of a text, 1.5 appends the semicolon.
    let is_claimed =
        |text: &&str| [text.to_string(), format!("{text};")].iter().any(|text| parse_statement(text) != ParsedStatement::NotOurs);
    let claimed: Vec<&str> = lines().into_iter().filter(is_claimed).collect();
    assert!(claimed.is_empty(), "{}", claimed.join("\n"));
    assert!(!lines().into_iter().any(begins_like_ours));
}

#[test]
fn what_begins_like_ours_is_ours() {
    for statement in DEFINITIONS.statements {
        assert!(begins_like_ours(statement.example), "{}", statement.example);
        assert!(begins_like_ours(&format!("/* a */ -- b\n{}", statement.example.to_lowercase())), "{}", statement.example);
        assert_ne!(parse_statement(statement.example), ParsedStatement::NotOurs);
    }
}

/// Checks what becomes of a text that does not begin with our keywords: it is not run, and when it is claimed, its first word is nearly one
/// that begins a statement of ours, and the error says what was expected.
fn check_other(text: &str) -> std::result::Result<(), TestCaseError> {
    let message = match parse_statement(text) {
        ParsedStatement::NotOurs => return Ok(()),
        ParsedStatement::Call(sql) => return Err(TestCaseError::fail(format!("{text} runs {sql}"))),
        ParsedStatement::Wrong { message } => message,
    };
    let word = leading_words(text).into_iter().next().unwrap_or_default();
    let is_near = |keyword: &str| strsim::osa_distance(&word, keyword) <= 2 || word.starts_with(keyword);
    let firsts: Vec<&str> = DEFINITIONS.statements.iter().map(|statement| statement.keywords()[0]).collect();
    // A CREATE CONNECTION may have anything before it.
    let is_creation = text.to_uppercase().contains("CONNECTION");
    prop_assert!(firsts.iter().any(|keyword| is_near(keyword)) || is_creation, "{}: {}", text, message);
    prop_assert!(message.contains("did you mean") || message.contains("expected"), "{}: {}", text, message);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_is_claimed_but_what_begins_nearly_with_our_keywords(text in select(lines()), changes in proptest::collection::vec(change(), 0..4)) {
        let text = changes.iter().fold(text.to_string(), |text, change| changed(&text, change));
        if !begins_like_ours(&text) {
            check_other(&text)?;
        }
    }

    #[test]
    fn nothing_is_run_of_words_that_do_not_begin_so(words in proptest::collection::vec(select(WORDS), 1..7)) {
        let text = words.join(" ");
        if !begins_like_ours(&text) {
            check_other(&text)?;
        }
    }
}
