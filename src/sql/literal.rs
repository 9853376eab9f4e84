//! The texts that DuckDB's string literals mean: `'it''s'`, `E'line\n'`, `$tag$text$tag$`.

use std::iter::Peekable;
use std::str::Chars;

/// Returns the text of a literal as the grammar takes it; `None` when its escapes are not valid.
pub(super) fn text_of(literal: &str) -> Option<String> {
    let text = match literal.chars().next()? {
        '\'' => literal[1..literal.len() - 1].replace("''", "'"),
        '$' => {
            let tag_len = literal[1..].find('$')? + 2;
            literal[tag_len..literal.len() - tag_len].to_string()
        }
        _ => unescaped(&literal[2..literal.len() - 1])?,
    };
    (!text.contains('\0')).then_some(text)
}

/// Returns what the inside of an `E'...'` literal means. `\x` and octal escapes are bytes, several of which may be one character.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            // It is doubled.
            chars.next();
        }
        let c = match c {
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'x' if chars.peek().is_some_and(char::is_ascii_hexdigit) => {
                    bytes.push(number(&mut chars, 16, 1..=2)?.try_into().ok()?);
                    continue;
                }
                first @ '0'..='7' => {
                    let rest = digits(&mut chars, 8, 2);
                    bytes.push(u8::from_str_radix(&format!("{first}{rest}"), 8).ok()?);
                    continue;
                }
                'u' => char::from_u32(number(&mut chars, 16, 4..=4)?)?,
                'U' => char::from_u32(number(&mut chars, 16, 8..=8)?)?,
                other => other,
            },
            c => c,
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn number(chars: &mut Peekable<Chars<'_>>, radix: u32, len: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let digits = digits(chars, radix, *len.end());
    len.contains(&digits.len()).then(|| u32::from_str_radix(&digits, radix).ok()).flatten()
}

fn digits(chars: &mut Peekable<Chars<'_>>, radix: u32, most: usize) -> String {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(|c| digits.len() < most && c.is_digit(radix)) {
        digits.push(digit);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_literal_means_its_text() {
        let check = |literal: &str, expected: &str| assert_eq!(text_of(literal).as_deref(), Some(expected), "{literal}");
        check("'it''s'", "it's");
        check("''", "");
        check("$$it's$$", "it's");
        check("$a$x$$y$a$", "x$$y");
        check("e'a\\'b''c\\\\d'", "a'b'c\\d");
        check("E'\\n\\t\\x41\\101\\0601\\u00e9\\U0001F600\\z\\xz'", "\n\tAA01\u{e9}\u{1F600}zxz");
        check("E'\\xc3\\xa9\\303\\251'", "éé");
    }

    #[test]
    fn escapes_that_are_not_valid_have_no_text() {
        for literal in ["E'\\xff'", "E'\\u12'", "E'\\ud800'", "E'\\x00'", "E'\\0'", "E'\\U00'", "'a\0b'"] {
            assert_eq!(text_of(literal), None, "{literal:?}");
        }
    }
}
