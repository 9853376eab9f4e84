//! A text that is looked for, character by character, of which each may stand for itself or be escaped.
//!
//! A needle holds its text alone: how ASCII is escaped is known once for all, and how other characters are, once for all needles of a finder.

use super::escapes::{escapes_of, escapes_of_ascii};
use std::collections::BTreeMap;

/// What stands where bytes were no text.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A secret, or what base64 or hex make of one.
pub(super) struct Needle {
    text: Box<str>,
    /// How many characters, from the first, have to be there.
    pub(super) least: usize,
    pub(super) ignores_case: bool,
    /// Whether it counts only as a word of its own.
    pub(super) is_word: bool,
}

/// How the characters of needles that are not ASCII are escaped.
#[derive(Default)]
pub(super) struct Wide(BTreeMap<char, Vec<Vec<u8>>>);

/// A text, and how it is compared.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) text: &'a [u8],
    /// How many escapes may be one in the other.
    pub(super) depth: usize,
    pub(super) wide: &'a Wide,
}

impl Wide {
    /// Knows the characters of these needles.
    pub(super) fn of(needles: &[Needle]) -> Wide {
        let chars = needles.iter().flat_map(|needle| needle.text.chars()).chain([REPLACEMENT]);
        Wide(chars.filter(|c| !c.is_ascii()).map(|c| (c, escapes_of(c))).collect())
    }

    #[cfg(test)]
    pub(super) fn n_bytes(&self) -> usize {
        self.0.values().flatten().map(|escape| size_of_val(escape) + escape.capacity()).sum()
    }
}

impl Needle {
    /// Makes a needle of a text all of which has to be there.
    pub(super) fn new(text: &str) -> Needle {
        Needle { text: text.into(), least: text.chars().count(), is_word: false, ignores_case: false }
    }

    #[cfg(test)]
    pub(super) fn n_bytes(&self) -> usize {
        self.text.len()
    }

    /// Returns the first character.
    pub(super) fn first(&self) -> Option<char> {
        self.text.chars().next()
    }

    /// Returns where the needle ends that begins at `pos`.
    pub(super) fn end_in(&self, look: Look<'_>, pos: usize) -> Option<usize> {
        if !self.may_begin(look.text, pos) {
            return None;
        }
        let mut ends = vec![pos];
        let mut n_matched = 0;
        for c in self.text.chars() {
            let mut next = Vec::new();
            for end in &ends {
                look.char_ends_in(c, self.ignores_case, *end, &mut next);
            }
            if next.is_empty() {
                break;
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
            n_matched += 1;
        }
        let end = *ends.last()?;
        let is_there = n_matched >= self.least && (!self.is_word || is_word(look.text, pos, end));
        is_there.then_some(end)
    }

    /// Returns the first bytes of a needle that begins with a character.
    pub(super) fn first_bytes(c: char, ignores_case: bool) -> Vec<u8> {
        let first_of = |c: char| c.to_string().into_bytes()[0];
        let mut bytes = vec![first_of(c), b'%', b'&', b'\\'];
        bytes.extend((c == ' ').then_some(b'+'));
        bytes.extend((!c.is_ascii()).then(|| first_of(REPLACEMENT)));
        if ignores_case {
            bytes.extend([first_of(c).to_ascii_lowercase(), first_of(c).to_ascii_uppercase()]);
        }
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }

    /// Returns whether the first two characters may be there, which can be told at once for most places.
    fn may_begin(&self, text: &[u8], pos: usize) -> bool {
        let mut chars = self.text.chars();
        let (Some(first), Some(second)) = (chars.next(), chars.next()) else { return true };
        if is_escape_byte(text[pos]) || !first.is_ascii() || !second.is_ascii() {
            return true;
        }
        text.get(pos + 1)
            .is_some_and(|byte| u8::try_from(second).is_ok_and(|second| byte.eq_ignore_ascii_case(&second)) || is_escape_byte(*byte))
    }
}

impl Look<'_> {
    /// Adds where a character ends that begins at `pos`, for each way to read it.
    pub(super) fn char_ends_in(self, c: char, ignores_case: bool, pos: usize, ends: &mut Vec<usize>) {
        self.written_ends_in(c, ignores_case, pos, ends);
        if c.is_ascii() {
            return;
        }
        // Who reads its bytes as another character set may have put one for all of them, or one for each.
        let mut reached = vec![pos];
        for _ in 0..c.len_utf8() {
            let mut next = Vec::new();
            for at in reached {
                self.written_ends_in(REPLACEMENT, false, at, &mut next);
            }
            ends.extend_from_slice(&next);
            reached = next;
        }
    }

    /// Adds where a character ends that is there as it is or escaped.
    fn written_ends_in(self, c: char, ignores_case: bool, pos: usize, ends: &mut Vec<usize>) {
        let rest = &self.text[pos..];
        let mut utf8 = [0; 4];
        let raw = c.encode_utf8(&mut utf8).as_bytes();
        let is_raw = match rest.get(..raw.len()) {
            Some(begin) => begin == raw || ignores_case && begin.eq_ignore_ascii_case(raw),
            None => false,
        };
        if is_raw {
            ends.push(pos + raw.len());
        }
        if !rest.first().is_some_and(|byte| is_escape_byte(*byte)) {
            return;
        }
        match u8::try_from(c).ok().filter(u8::is_ascii) {
            Some(byte) if ignores_case && byte.is_ascii_alphabetic() => {
                escapes_end_in(escapes_of_ascii(byte.to_ascii_lowercase()), self.text, pos, self.depth, ends);
                escapes_end_in(escapes_of_ascii(byte.to_ascii_uppercase()), self.text, pos, self.depth, ends);
            }
            Some(byte) => escapes_end_in(escapes_of_ascii(byte), self.text, pos, self.depth, ends),
            None => escapes_end_in(self.wide.0.get(&c).map_or(&[], Vec::as_slice), self.text, pos, self.depth, ends),
        }
    }
}

/// Adds where an escape ends that begins at `pos`, itself escaped up to `depth - 1` times. Letters are compared in any case: hex digits are
/// written in both.
fn escapes_end_in(escapes: &[Vec<u8>], text: &[u8], pos: usize, depth: usize, ends: &mut Vec<usize>) {
    if depth == 0 || !text.get(pos).is_some_and(|byte| is_escape_byte(*byte)) {
        return;
    }
    let may_nest = depth > 1 && may_be_escape_of_escape(&text[pos..]);
    for escape in escapes.iter().filter(|escape| may_nest || may_begin(escape, &text[pos..])) {
        let mut reached = vec![pos];
        for byte in escape {
            let mut next = Vec::new();
            for at in &reached {
                if text.get(*at).is_some_and(|found| found.eq_ignore_ascii_case(byte)) {
                    next.push(at + 1);
                }
                escapes_end_in(escapes_of_ascii(byte.to_ascii_lowercase()), text, *at, depth - 1, &mut next);
                if byte.is_ascii_alphabetic() {
                    escapes_end_in(escapes_of_ascii(byte.to_ascii_uppercase()), text, *at, depth - 1, &mut next);
                }
            }
            reached = next;
            if reached.is_empty() {
                break;
            }
        }
        ends.extend(reached);
    }
}

/// Returns whether all escapes, of whatever depth, begin with one of these.
pub(super) fn is_escape_byte(byte: u8) -> bool {
    matches!(byte, b'%' | b'&' | b'\\' | b'+')
}

/// Returns whether the text can begin with an escape whose own first character is not escaped. Looks at two bytes, without which most of a
/// text would be slow.
fn may_begin(escape: &[u8], text: &[u8]) -> bool {
    let is_second = |found: &u8, byte: &u8| found.eq_ignore_ascii_case(byte) || is_escape_byte(*found);
    text.first() == escape.first() && escape.get(1).is_none_or(|byte| text.get(1).is_some_and(|found| is_second(found, byte)))
}

/// Returns whether the text can begin with an escape of the characters that begin escapes.
fn may_be_escape_of_escape(text: &[u8]) -> bool {
    match (text.first(), text.get(1)) {
        (Some(b'%'), Some(b'2')) => matches!(text.get(2), Some(b'5' | b'6' | b'b' | b'B')),
        (Some(b'%'), Some(b'5')) => matches!(text.get(2), Some(b'c' | b'C')),
        (Some(b'&'), Some(second)) => matches!(second.to_ascii_lowercase(), b'#' | b'a' | b'b' | b'p'),
        (Some(b'\\'), Some(second)) => matches!(second.to_ascii_lowercase(), b'\\' | b'u' | b'x' | b'%' | b'&' | b'+' | b'0'..=b'9'),
        _ => false,
    }
}

/// Returns whether what is there neither goes on a word nor is gone on as one. What an escape before it ends with goes on nothing.
pub(super) fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let is_after_escape = |sign: &[u8], n_digits: usize| {
        let begin = start.checked_sub(n_digits + sign.len()).map(|begin| &text[begin..start]);
        begin.is_some_and(|begin| begin.starts_with(sign) && begin[sign.len()..].iter().all(u8::is_ascii_hexdigit))
    };
    let begins = start == 0 || !text[start - 1].is_ascii_alphanumeric();
    let begins =
        begins || is_after_escape(b"%", 2) || is_after_escape(b"\\u", 4) || is_after_escape(b"\\x", 2) || is_after_escape(b"\\", 1);
    begins && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}
