//! Texts that were meant to be a `CREATE CONNECTION` and are not: DuckDB's own error would show them, and with them a secret.

use crate::sql::commands::DEFINITIONS;
use crate::sql::grammar::Rule;
use crate::yaml::edits;

/// Words before the opening parenthesis that are looked at: `EXPLAIN ANALYZE CREATE OR REPLACE PERSISTENT CONNECTION IF NOT EXISTS name`.
const MOST_WORDS: usize = 12;
/// What may stand between CREATE and CONNECTION, also by mistake.
const MODIFIERS: [&str; 5] = ["OR", "REPLACE", "PERSISTENT", "TEMP", "TEMPORARY"];

/// Returns the message for a text that looks like a `CREATE CONNECTION` with a slip, or with something before it; `None` when it looks
/// like anything else. The message shows no more of the text than the word that is nearly CONNECTION.
pub(super) fn message_of(text: &str) -> Option<String> {
    let (words, rest) = leading_words(text);
    let place = words.iter().position(|word| is_near(word, "CONNECTION"))?;
    let first = words[..place].iter().rposition(|word| !MODIFIERS.iter().any(|modifier| is_near(word, modifier)))?;
    let creates = is_near(words[first], "CREATE") || words[first + 1..place].iter().any(|word| is_near(word, "REPLACE"));
    let has_adapter = leading_words(rest.strip_prefix('(')?).0.first().is_some_and(|word| is_near(word, "ADAPTER"));
    let has_text = rest.contains('\'') && !words[place].eq_ignore_ascii_case("CONNECTIONS");
    if !creates || !(has_adapter || has_text) {
        return None;
    }
    let found = match words[place].eq_ignore_ascii_case("CONNECTION") {
        true => "before CONNECTION".to_string(),
        false => format!("at or near \"{}\"", words[place]),
    };
    let syntax = DEFINITIONS.statements.iter().find(|statement| statement.rule == Rule::create_connection)?.syntax;
    Some(format!("syntax error {found}; expected a statement of its own: {syntax}"))
}

/// Returns whether a word is a keyword but for few letters that are wrong, missing, too many or swapped.
fn is_near(word: &str, keyword: &str) -> bool {
    let most_slips = (keyword.len() / 4).min(2);
    edits(word, keyword, most_slips).is_some()
}

/// Returns the words a text begins with, quoted ones included, and what comes after them. Blanks and comments are left out.
fn leading_words(text: &str) -> (Vec<&str>, &str) {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
        let len = match rest.as_bytes() {
            [b'-', b'-', ..] => {
                rest = rest.find(['\n', '\r']).map_or("", |end| &rest[end..]);
                continue;
            }
            [b'/', b'*', ..] => {
                rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
                continue;
            }
            [b'"', after @ ..] => after.iter().position(|byte| *byte == b'"').map_or(0, |end| end + 2),
            _ => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
        };
        if len == 0 || words.len() == MOST_WORDS {
            return (words, rest);
        }
        let (word, after) = rest.split_at(len);
        words.push(word);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_it_is_claimed_without_showing_a_secret() {
        for begin in [
            "CREATE CONECTION x (ADAPTER shop,",
            "create conecton x (adapter shop,",
            "CRAETE CONNECTION x (ADAPTER shop,",
            "CREATE TEMP CONNECTION x (ADAPTER shop,",
            "CREATE TEMPORARY CONNECTION x (ADAPTER shop,",
            "CREATE OR REPLCE CONNECTION x (ADAPTER shop,",
            "CREATE PERSISTANT CONNECTION x (ADAPTER shop,",
            "CREATE CONNECTIONS x (ADAPTER shop,",
            "EXPLAIN CREATE CONNECTION x (ADAPTER shop,",
            "EXPLAIN ANALYZE CREATE CONNECTION x (ADAPTER shop,",
            "PREPARE p AS CREATE CONNECTION x (ADAPTER shop,",
            "PREPARE \"a b\" AS CREATE OR REPLACE PERSISTENT CONNECTION IF NOT EXISTS \"x\" (ADAPTER shop,",
            "-- c\n/* c */ CREATE /* c */ CONECTION x (ADPTER shop,",
            "CREATE CONECTION x (",
            "EXPLAIN REPLACE CONNECTION x (ADAPTER shop,",
        ] {
            let message = message_of(&format!("{begin} password 's3cr3t')"));
            assert!(message.as_ref().is_some_and(|message| !message.contains("s3cr3t")), "{begin}: {message:?}");
        }
        assert_eq!(
            message_of("CREATE CONECTION x (ADAPTER shop)").as_deref().and_then(|message| message.split(';').next()),
            Some("syntax error at or near \"CONECTION\"")
        );
    }

    #[test]
    fn what_does_not_is_left_to_duckdb() {
        for text in [
            "",
            "CREATE CONECTION",
            "CREATE PERSISTENT SECRET connection (adapter 'x')",
            "CREATE TABLE connection (a INTEGER, b VARCHAR DEFAULT 'x')",
            "CREATE CONNECTIONS t (a INTEGER, b VARCHAR DEFAULT 'x')",
            "CREATE COLLATION x (adapter 'x')",
            "SELECT connection FROM t WHERE (adapter = 'x')",
            "SELECT 'CREATE CONECTION x (ADAPTER shop)'",
            "\"",
            "/*",
            "--",
        ] {
            assert_eq!(message_of(text), None, "{text}");
        }
    }
}
