//! Writes texts as YAML scalars that are read back as the same texts.

/// Returns `text` as a scalar on one line: as it is where that is safe beyond doubt, else in double quotes.
pub fn scalar_of(text: &str) -> String {
    if is_plain(text) {
        return text.to_string();
    }
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            ' '..='~' => written.push(c),
            // Letters of any script stay readable; what YAML may fold, refuse or not show is escaped.
            c if c.is_alphanumeric() => written.push(c),
            c if u32::from(c) <= 0xFFFF => written.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => written.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    written.push('"');
    written
}

/// Words that YAML, or a reader of an older version of it, does not take for texts.
const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Returns whether the text is a word, with a `$` in front for a reference, and nothing else to YAML.
fn is_plain(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or(text);
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    is_word && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;
    use proptest::prelude::*;

    #[test]
    fn words_and_references_stay_as_they_are() {
        for text in ["me", "$GITHUB_TOKEN", "X-Api-Key", "_a1"] {
            assert_eq!(scalar_of(text), text);
        }
        assert_eq!(scalar_of("yes"), "\"yes\"");
        assert_eq!(scalar_of(""), "\"\"");
        assert_eq!(scalar_of("1.10"), "\"1.10\"");
        assert_eq!(scalar_of("a: \"b\" # c\\\n\u{85}é😀"), "\"a: \\\"b\\\" # c\\\\\\n\\u0085é\\U0001F600\"");
    }

    proptest! {
        #[test]
        fn a_text_is_read_back(text in "(\\PC|[\\x01-\\x20\"'$#:\\\\-]|null|~|<<|\u{85}|\u{2028}|\u{feff})*") {
            let yaml = format!("- {0}:\n    {0}: {0}\n", scalar_of(&text));
            let node = parse("a.yaml", &yaml).unwrap();
            let (key, body) = &node.list().unwrap()[0].mapping().unwrap()[0];
            prop_assert_eq!(&key.name, &text);
            prop_assert_eq!(&body.mapping().unwrap()[0].0.name, &text);
            prop_assert_eq!(body.mapping().unwrap()[0].1.text(), Some(text.as_str()));
        }
    }
}
