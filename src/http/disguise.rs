//! Finds secrets in texts under the encodings that can be undone: escapes of characters as URLs, HTML and JSON have them, base64 and hex,
//! also one inside another.
//!
//! Escapes are matched where they stand, character by character, so that nothing around a secret hides it. Base64 and hex are undone and what
//! comes out is searched.

use super::blocks::{Block, BYTE, SEXTET};
use super::escapes::{escapes_of, escapes_of_ascii};
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::Engine;
use std::ops::Range;

/// Secrets that are shorter count only between characters that are neither letters nor digits.
const MIN_INSIDE: usize = 4;
/// Secrets of as many characters are found in other case, and when only their beginning is there.
const MIN_LOOSE: usize = 8;
/// How many escapes may be one in the other, and how often base64 or hex may.
const DEPTH: usize = 2;
/// Most bytes that a character has when it was escaped that often: `\u005c\u0075...`.
const MOST_ESCAPED: usize = 40;
/// Most characters of base64 or hex that can stand for a short secret.
const MOST_OF_WORD: usize = 160;
/// Most bytes that a secret is taken to have where a text is cut: those who cut it keep more around what they show.
const MOST_LOOKED_AT: usize = 60 << 10;

/// Knows secrets in all their forms.
pub(super) struct Finder {
    needles: Vec<Needle>,
    /// The needles that can begin with a byte.
    by_first: Vec<Vec<usize>>,
    /// The fewest bytes of a secret that is looked for in base64 and hex.
    shortest: usize,
    /// Whether there are shorter ones.
    has_words: bool,
    longest: usize,
}

/// A secret, or what base64 or hex make of one.
struct Needle {
    chars: Vec<Glyph>,
    /// How many characters, from the first, have to be there.
    least: usize,
    ignores_case: bool,
    /// Whether it counts only as a word of its own.
    is_word: bool,
}

/// A text, and how it is compared.
#[derive(Clone, Copy)]
struct Look<'a> {
    text: &'a [u8],
    /// How many escapes may be one in the other.
    depth: usize,
    ignores_case: bool,
}

/// How often what is found is undone.
#[derive(Clone, Copy)]
struct Depths {
    blocks: usize,
    escapes: usize,
}

/// A character and its escapes.
struct Glyph {
    raw: Box<[u8]>,
    escapes: Vec<Vec<u8>>,
}

impl Finder {
    /// Makes a finder; empty secrets are left out.
    pub(super) fn new(secrets: &[String]) -> Finder {
        let secrets: Vec<&String> = secrets.iter().filter(|secret| !secret.is_empty()).collect();
        let needles: Vec<Needle> = secrets.iter().flat_map(|secret| needles_of(secret)).collect();
        let mut by_first = vec![Vec::new(); 256];
        for (idx, needle) in needles.iter().enumerate() {
            let Some(first) = needle.chars.first() else { continue };
            let mut bytes = vec![first.raw[0], b'%', b'&', b'\\'];
            bytes.extend((first.raw[0] == b' ').then_some(b'+'));
            if needle.ignores_case {
                bytes.extend([first.raw[0].to_ascii_lowercase(), first.raw[0].to_ascii_uppercase()]);
            }
            bytes.sort_unstable();
            bytes.dedup();
            for byte in bytes {
                by_first[usize::from(byte)].push(idx);
            }
        }
        let lens = || secrets.iter().map(|secret| secret.len());
        let shortest = lens().filter(|len| *len >= MIN_INSIDE).min().unwrap_or(usize::MAX);
        let has_words = lens().any(|len| len < MIN_INSIDE);
        Finder {
            needles,
            by_first,
            shortest,
            has_words,
            longest: lens().max().unwrap_or(0).saturating_mul(MOST_ESCAPED).min(MOST_LOOKED_AT),
        }
    }

    /// Returns where secrets are: ranges that neither touch nor overlap, in order.
    pub(super) fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if !self.needles.is_empty() {
            self.find(text.as_bytes(), Depths { blocks: DEPTH, escapes: DEPTH }, &mut found);
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for range in found {
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        for range in &mut ranges {
            range.start = (0..=range.start).rev().find(|idx| text.is_char_boundary(*idx)).unwrap_or(0);
            range.end = (range.end..text.len()).find(|idx| text.is_char_boundary(*idx)).unwrap_or(text.len());
        }
        ranges
    }

    /// Returns whether a secret is in the text that is not as short as a common word.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.ranges(text).iter().any(|range| range.len() >= MIN_INSIDE)
    }

    /// Returns how many bytes a secret can take.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds where secrets are in `text`, of which base64 and hex are undone as often as `depths` says.
    fn find(&self, text: &[u8], depths: Depths, found: &mut Vec<Range<usize>>) {
        for (pos, byte) in text.iter().enumerate() {
            for idx in &self.by_first[usize::from(*byte)] {
                if let Some(end) = self.needles[*idx].end_in(text, pos, depths.escapes) {
                    found.push(pos..end);
                }
            }
        }
        if depths.blocks == 0 {
            return;
        }
        for block in [Block::Base64, Block::Hex] {
            if self.has_words {
                self.find_words(text, block, depths.blocks - 1, found);
            }
            for run in block.runs(text, block.len_of(self.shortest)) {
                for skipped in 0..block.group() {
                    let digits = run.get(skipped..).unwrap_or_default();
                    let mut inner = Vec::new();
                    self.find(&block.undone(text, digits), Depths { blocks: depths.blocks - 1, escapes: 1 }, &mut inner);
                    found.extend(inner.into_iter().filter_map(|range| block.source(digits, &range)));
                }
            }
        }
    }
}

impl Finder {
    /// Adds words that are a short secret in base64 or hex, whatever escapes it has inside.
    fn find_words(&self, text: &[u8], block: Block, depth: usize, found: &mut Vec<Range<usize>>) {
        let mut start = 0;
        for line in text.split(|byte| matches!(byte, b'\r' | b'\n')) {
            for run in block.runs(line, 2).iter().filter(|run| run.len() <= MOST_OF_WORD) {
                let [first, .., last] = run.as_slice() else { continue };
                let undone = block.undone(line, run);
                let mut inner = Vec::new();
                self.find(&undone, Depths { blocks: depth, escapes: 1 }, &mut inner);
                if inner.contains(&(0..undone.len())) && is_word(line, *first, last + 1) {
                    let n_padding = line[last + 1..].iter().take_while(|byte| **byte == b'=').count().min(2);
                    found.push(start + first..start + last + 1 + n_padding);
                }
            }
            start += line.len() + 1;
        }
    }
}

impl Needle {
    fn new(text: &str) -> Needle {
        let chars: Vec<Glyph> = text.chars().map(Glyph::new).collect();
        Needle { least: chars.len(), is_word: text.len() < MIN_INSIDE, ignores_case: false, chars }
    }

    /// Makes the needle stand for the text in any case.
    fn ignore_case(&mut self) {
        self.ignores_case = true;
        for glyph in &mut self.chars {
            let cased = [glyph.raw.to_ascii_lowercase(), glyph.raw.to_ascii_uppercase()];
            let ascii = cased.iter().filter(|raw| raw.len() == 1).flat_map(|raw| escapes_of_ascii(raw[0]));
            glyph.escapes.extend(ascii.cloned());
            glyph.escapes.sort_unstable();
            glyph.escapes.dedup();
        }
    }

    /// Returns whether the first two characters may be there, which can be told at once for most places.
    fn may_begin(&self, text: &[u8], pos: usize) -> bool {
        let [first, second, ..] = self.chars.as_slice() else { return true };
        if is_escape_byte(text[pos]) {
            return true;
        }
        text.get(pos + first.raw.len()).is_some_and(|byte| byte.eq_ignore_ascii_case(&second.raw[0]) || is_escape_byte(*byte))
    }

    /// Returns where the needle ends that begins at `pos`.
    fn end_in(&self, text: &[u8], pos: usize, depth: usize) -> Option<usize> {
        if !self.may_begin(text, pos) {
            return None;
        }
        let look = Look { text, depth, ignores_case: self.ignores_case };
        let mut ends = vec![pos];
        let mut n_matched = 0;
        for glyph in &self.chars {
            let mut next = Vec::new();
            for end in &ends {
                glyph.ends_in(look, *end, &mut next);
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
        let is_there = n_matched >= self.least && (!self.is_word || is_word(text, pos, end));
        is_there.then_some(end)
    }
}

impl Glyph {
    fn new(c: char) -> Glyph {
        Glyph { raw: c.to_string().into_bytes().into(), escapes: escapes_of(c) }
    }

    /// Adds where the character ends that begins at `pos`, for each way to read it.
    fn ends_in(&self, look: Look<'_>, pos: usize, ends: &mut Vec<usize>) {
        let Look { text, depth, ignores_case } = look;
        let rest = &text[pos..];
        let is_raw = match rest.get(..self.raw.len()) {
            Some(begin) => begin == &*self.raw || ignores_case && begin.eq_ignore_ascii_case(&self.raw),
            None => false,
        };
        if is_raw {
            ends.push(pos + self.raw.len());
        }
        escapes_end_in(&self.escapes, text, pos, depth, ends);
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
fn is_escape_byte(byte: u8) -> bool {
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
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let is_after_escape = |sign: &[u8], n_digits: usize| {
        let begin = start.checked_sub(n_digits + sign.len()).map(|begin| &text[begin..start]);
        begin.is_some_and(|begin| begin.starts_with(sign) && begin[sign.len()..].iter().all(u8::is_ascii_hexdigit))
    };
    let begins = start == 0 || !text[start - 1].is_ascii_alphanumeric();
    let begins =
        begins || is_after_escape(b"%", 2) || is_after_escape(b"\\u", 4) || is_after_escape(b"\\x", 2) || is_after_escape(b"\\", 1);
    begins && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

/// Returns the needles of a secret.
fn needles_of(secret: &str) -> Vec<Needle> {
    let n_chars = secret.chars().count();
    let mut itself = Needle::new(secret);
    if n_chars >= MIN_LOOSE {
        itself.ignore_case();
        itself.least = MIN_LOOSE.max(n_chars.div_ceil(2));
    }
    let mut blocks: Vec<String> = Vec::new();
    match secret.len() < MIN_INSIDE {
        true => {
            let once = whole_blocks(secret);
            blocks.extend(once.iter().flat_map(|block| whole_blocks(block)));
            blocks.extend(once);
        }
        // Others are found in base64 and hex by undoing these, unless they are escaped in turn.
        false => {
            blocks.extend((0..3).flat_map(|n_before| cores(secret, n_before)));
            blocks.push(hex(secret));
        }
    }
    blocks.sort_unstable();
    blocks.dedup();
    let blocks = blocks.into_iter().map(|block| {
        let mut needle = Needle::new(&block);
        needle.is_word = secret.len() < MIN_INSIDE;
        if block == hex(secret) {
            needle.ignore_case();
        }
        needle
    });
    std::iter::once(itself).chain(blocks).collect()
}

/// Returns what base64 and hex make of a text that stands for itself.
fn whole_blocks(text: &str) -> Vec<String> {
    let encoded = [STANDARD.encode(text), URL_SAFE.encode(text)];
    let mut blocks: Vec<String> = encoded.iter().map(|text| text.trim_end_matches('=').to_string()).collect();
    blocks.extend(encoded);
    blocks.extend([hex(text), hex(text).to_uppercase()]);
    blocks
}

/// Returns the characters of base64 that a text decides alone when `n_before` bytes stand before it.
fn cores(text: &str, n_before: usize) -> [String; 2] {
    let bytes: Vec<u8> = std::iter::repeat_n(0, n_before).chain(text.bytes()).collect();
    let range = (n_before * BYTE).div_ceil(SEXTET)..bytes.len() * BYTE / SEXTET;
    [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)].map(|encoded| encoded.get(range.clone()).unwrap_or_default().to_string())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
