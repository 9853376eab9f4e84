//! Texts of a description as comments and descriptions of one line.

use crate::document::JsonValue;

/// Longest description, in letters.
const LONGEST: usize = 200;

/// Returns the first sentence or paragraph of a text on one line, without tags and links, shortened when it is long.
pub fn one_line(text: &str) -> String {
    let start: String = without_marks(text.trim_start()).chars().take(LONGEST * 4).collect();
    let paragraph = start.split("\n\n").next().unwrap_or("");
    let line: String =
        paragraph.split_whitespace().map(|word| word.chars().filter(|c| !c.is_control()).collect::<String>()).collect::<Vec<_>>().join(" ");
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence).trim_end_matches(['.', ' ']);
    match sentence.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", sentence[..end].trim_end()),
        None => sentence.to_string(),
    }
}

/// Returns a text without HTML's tags and the addresses of Markdown's links.
fn without_marks(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', ']']) {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let (opens, close) = match from.strip_prefix('<') {
            Some(inside) => (inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/'), '>'),
            None => (from[1..].starts_with('('), ')'),
        };
        let end = from.find(close).filter(|end| opens && *end < 300);
        match end {
            Some(end) => rest = &from[end + 1..],
            None => {
                plain.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
        if plain.len() > LONGEST * 16 {
            return plain;
        }
    }
    plain.push_str(rest);
    plain
}

/// Returns a value of a description as it is sent.
pub fn text_of_value(value: &JsonValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string).chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Returns a comment of one line.
pub fn comment(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}') { ' ' } else { c })
        .take(400)
        .collect();
    format!("# {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_sentence() {
        let check = |text: &str, expected: &str| assert_eq!(one_line(text), expected);
        check("  Lists all\n  orders. Needs a key.", "Lists all orders");
        check("List orders.\n\nMore", "List orders");
        check("", "");
        check("<p>Returns a <a href=\"x\">list</a> of a < b</p>", "Returns a list of a < b");
        check("See [the [docs](https://x)", "See [the [docs");
        assert_eq!(one_line(&"a ".repeat(1000)).chars().count(), 202);
        assert_eq!(comment("a\nb: c"), "# a b: c");
    }
}
