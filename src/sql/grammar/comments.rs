//! Puts blanks in the place of a statement's comments, so that the grammar meets none: nested comments take a grammar cubic time.

/// Blanks, to DuckDB, that are not ASCII.
const WIDE_BLANKS: [&str; 2] = ["\u{A0}", "\u{FEFF}"];

/// Returns the text with a blank for each byte of its comments: every other byte stays where it is. A comment that does not end is left.
///
/// Looks at each byte once.
pub fn blanked(text: &str) -> String {
    let mut result = text.as_bytes().to_vec();
    for (start, end) in Spans::new(text.as_bytes()) {
        result[start..end].fill(b' ');
    }
    // Whole characters were replaced.
    String::from_utf8(result).unwrap_or_default()
}

/// Returns the text without the blanks around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Returns whether a letter is a blank of the grammar.
pub fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '\u{0B}' | '\u{0C}' | '\u{A0}' | '\u{FEFF}')
}

/// Where comments begin and end, from the first to the last.
struct Spans<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Spans<'a> {
    fn new(text: &'a [u8]) -> Spans<'a> {
        Spans { text, at: 0 }
    }

    fn starts_with(&self, what: &[u8]) -> bool {
        self.text[self.at..].starts_with(what)
    }

    /// Passes bytes as long as they are such.
    fn pass(&mut self, is_such: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|byte| is_such(*byte)) {
            self.at += 1;
        }
    }

    /// Returns how long the blank is that stands here and is not ASCII; 0 when there is none.
    fn wide_blank(&self) -> usize {
        WIDE_BLANKS.iter().find(|blank| self.starts_with(blank.as_bytes())).map_or(0, |blank| blank.len())
    }

    /// Passes letters, digits and what else is part of a word.
    fn pass_letters(&mut self, with_dollars: bool) {
        while self.text.get(self.at).is_some_and(|byte| is_of_word(*byte) || with_dollars && *byte == b'$') && self.wide_blank() == 0 {
            self.at += 1;
        }
    }

    /// Passes a text in quotes, which a quote that is not doubled ends. In some a backslash makes any byte a plain one.
    fn pass_quoted(&mut self, quote: u8, has_escapes: bool) {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            if has_escapes && *byte == b'\\' {
                self.at += 1;
            } else if *byte == quote {
                if self.text.get(self.at) != Some(&quote) {
                    return;
                }
                self.at += 1;
            }
        }
        self.at = self.text.len();
    }

    /// Passes `$tag$text$tag$`, or the `$` alone when it begins none.
    fn pass_dollars(&mut self) {
        let start = self.at;
        self.at += 1;
        if !self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.pass_letters(false);
        }
        if self.text.get(self.at) != Some(&b'$') {
            self.at = start + 1;
            return;
        }
        self.at += 1;
        let tag = &self.text[start..self.at];
        while self.at < self.text.len() && !self.starts_with(tag) {
            self.at += 1;
        }
        self.at = (self.at + tag.len()).min(self.text.len());
    }

    /// Passes a comment in stars and the comments in it. Returns whether it ends.
    fn pass_block(&mut self) -> bool {
        let mut depth = 0;
        while self.at < self.text.len() {
            if self.starts_with(b"/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with(b"*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return true;
                }
            } else {
                self.at += 1;
            }
        }
        false
    }

    /// Passes a word. One that is `e` alone makes the text in quotes behind it one with escapes.
    fn pass_word(&mut self) {
        let start = self.at;
        self.pass_letters(true);
        if self.text[start..self.at].eq_ignore_ascii_case(b"e") && self.starts_with(b"'") {
            self.pass_quoted(b'\'', true);
        }
    }
}

impl Iterator for Spans<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        while let Some(byte) = self.text.get(self.at) {
            let start = self.at;
            match byte {
                b'-' if self.starts_with(b"--") => {
                    self.pass(|byte| byte != b'\n' && byte != b'\r');
                    return Some((start, self.at));
                }
                b'/' if self.starts_with(b"/*") => return self.pass_block().then_some((start, self.at)),
                b'\'' | b'"' => self.pass_quoted(*byte, false),
                b'$' => self.pass_dollars(),
                _ if self.wide_blank() > 0 => self.at += self.wide_blank(),
                byte if is_of_word(*byte) => self.pass_word(),
                _ => self.at += 1,
            }
        }
        None
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_statement;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    #[test]
    fn comments_are_blank_and_all_else_is_as_it_was() {
        let check = |text: &str, expected: &str| assert_eq!(blanked(text), expected, "{text}");
        check("a/*x*/b", "a     b");
        check("a -- é\nb", "a      \nb");
        check("a /* b /* c */ */ d", "a                 d");
        check("'--' \"/*\" /**/", "'--' \"/*\"     ");
        check("'it''s --' --", "'it''s --'   ");
        check("E'\\' -- ' --", "E'\\' -- '   ");
        check("ae'\\' -- ", "ae'\\'    ");
        check("$$ -- $$ --", "$$ -- $$   ");
        check("$a$ $$ -- $a$ --", "$a$ $$ -- $a$   ");
        check("a$b$ -- $b$", "a$b$       ");
        check("$ --", "$   ");
        check("$1$ -- $1$", "$1$       ");
        check("\u{A0}e'\\' -- ' \u{FEFF}--", "\u{A0}e'\\' -- ' \u{FEFF}  ");
        check("/* */ /* x", "      /* x");
        check("*/ -", "*/ -");
    }

    #[test]
    fn texts_of_a_hundred_thousand_signs_are_answered_at_once() {
        let shapes =
            ["/*", "/*x", "/* */", " ", "--\n", "$a$", "$", "\"", "'", "a.", "a ", "*/", "/*/", "E'\\", "(", ",", "\"a\"", "x 'a', "];
        let nested = |head: &str| format!("{head}{}{}", "/*".repeat(50_000), "*/".repeat(50_000));
        for head in [
            "SELECT 1 ",
            "",
            "REFERSH TABLE ",
            "SHOW ALL ",
            "LOAD TABLE ",
            "HELP ",
            "CREATE CONNECTION a (ADAPTER t, x ",
            "CREATE CONNECTION a (ADAPTER t, ",
        ] {
            for text in shapes.iter().map(|shape| format!("{head}{}", shape.repeat(100_000 / shape.len()))).chain([nested(head)]) {
                let began = Instant::now();
                parse_statement(&text);
                // What takes quadratic time takes minutes.
                assert!(began.elapsed() < Duration::from_secs(5), "{head}{:.9} took {:?}", text[head.len()..].to_string(), began.elapsed());
            }
        }
    }

    proptest! {
        #[test]
        fn no_byte_moves(text in "([a-eE$'\"*/\\- \\n\\\\é]|/\\*|\\*/|--){0,40}") {
            let result = blanked(&text);
            prop_assert_eq!(result.len(), text.len());
            prop_assert!(result.bytes().zip(text.bytes()).all(|(after, before)| after == before || after == b' '));
            prop_assert_eq!(blanked(&result).len(), text.len());
        }
    }
}
