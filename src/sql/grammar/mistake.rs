//! What is wrong with a statement: what stands there, what was expected, and which keyword was meant.

use super::rules::Rule;
use crate::yaml::nearest;

/// Returns `syntax error at or near "x"; expected a or b`.
pub fn message_of(positives: &[Rule], found: &str) -> String {
    let message = match found {
        "" => "syntax error at end of input".to_string(),
        found => format!("syntax error at or near \"{found}\""),
    };
    match expected(positives).as_str() {
        "" => message,
        expected => format!("{message}; expected {expected}"),
    }
}

/// Returns `a, b or c`: what could have stood where the text is wrong; empty when that goes without saying.
pub fn expected(positives: &[Rule]) -> String {
    let mut expected: Vec<&str> = Vec::new();
    for rule in positives {
        let name = described(*rule);
        if !name.is_empty() && !expected.contains(&name) {
            expected.push(name);
        }
    }
    match expected.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [firsts @ .., last] => format!("{} or {last}", firsts.join(", ")),
    }
}

/// Returns the word at a position: what stands there up to the next blank or punctuation.
pub fn found_at(text: &str, position: usize) -> &str {
    let rest = text.get(position..).unwrap_or("");
    let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    match rest.chars().next() {
        Some(first) => &rest[..len.max(first.len_utf8())],
        None => "",
    }
}

/// Returns the keyword, of those that may stand there, that is most like the word that stands there.
pub fn meant(positives: &[Rule], found: &str) -> Option<String> {
    let keywords: Vec<String> = positives.iter().filter_map(|rule| format!("{rule:?}").strip_prefix("k_").map(str::to_uppercase)).collect();
    nearest(found, keywords.iter().map(String::as_str)).map(str::to_string)
}

/// Returns what a rule is to the reader of an error; empty for what goes without saying.
fn described(rule: Rule) -> &'static str {
    match rule {
        Rule::EOI => "the end of the statement",
        Rule::dot => "'.'",
        Rule::number => "a whole number",
        Rule::bare | Rule::quoted | Rule::any_name => "a name",
        Rule::topic => "a topic",
        Rule::table_name => "a table as connection.table",
        Rule::k_at => "AT",
        Rule::k_limit => "LIMIT",
        Rule::k_drop => "DROP",
        Rule::k_in => "IN BACKGROUND",
        Rule::k_background => "BACKGROUND",
        Rule::open => "'('",
        Rule::close => "')'",
        Rule::comma => "','",
        Rule::k_adapter => "ADAPTER",
        Rule::option | Rule::option_name => "an option's name",
        Rule::option_value => "its value: a text in single quotes, a number, TRUE, FALSE or env('NAME'), or a list of such",
        Rule::string => "a text in single quotes",
        Rule::if_exists => "IF EXISTS",
        Rule::if_not_exists => "IF NOT EXISTS",
        Rule::k_exists => "EXISTS",
        Rule::k_cascade => "CASCADE",
        _ => "",
    }
}
