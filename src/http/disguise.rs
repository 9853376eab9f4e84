//! Finds secrets in texts under the encodings that can be undone: escapes of characters as URLs, HTML and JSON have them, base64 and hex,
//! also one inside another.
//!
//! Escapes are matched where they stand, character by character, so that nothing around a secret hides it. Base64 and hex are undone and what
//! comes out is searched.

use super::blocks::{Block, BYTE, SEXTET};
use super::needle::{is_escape_byte, is_word, Look, Needle, Wide};
use crate::document;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::Engine;
use std::collections::BTreeMap;
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
    beginnings: Vec<Beginning>,
    /// The beginnings that can begin with a byte.
    by_first: Vec<Vec<usize>>,
    wide: Wide,
    /// The fewest bytes of a secret that is looked for in base64 and hex.
    shortest: usize,
    /// Whether there are shorter ones.
    has_words: bool,
    longest: usize,
}

/// Needles that begin alike.
struct Beginning {
    first: char,
    ignores_case: bool,
    /// Their places among all.
    needles: Vec<usize>,
}

/// How often what is found is undone.
#[derive(Clone, Copy)]
struct Depths {
    blocks: usize,
    escapes: usize,
}

impl Finder {
    /// Makes a finder; empty secrets are left out.
    pub(super) fn new(secrets: &[String]) -> Finder {
        let secrets: Vec<&String> = secrets.iter().filter(|secret| !secret.is_empty()).collect();
        let needles: Vec<Needle> = secrets.iter().flat_map(|secret| needles_of(secret)).collect();
        let beginnings = beginnings_of(&needles);
        let mut by_first = vec![Vec::new(); 256];
        for (idx, beginning) in beginnings.iter().enumerate() {
            for byte in Needle::first_bytes(beginning.first, beginning.ignores_case) {
                by_first[usize::from(byte)].push(idx);
            }
        }
        let lens = || secrets.iter().map(|secret| secret.len());
        let shortest = lens().filter(|len| *len >= MIN_INSIDE).min().unwrap_or(usize::MAX);
        let has_words = lens().any(|len| len < MIN_INSIDE);
        Finder {
            wide: Wide::of(&needles),
            needles,
            beginnings,
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

    /// Returns how much memory the finder takes, roughly.
    #[cfg(test)]
    pub(super) fn n_bytes(&self) -> usize {
        let of_needles = self.needles.iter().map(|needle| size_of::<Needle>() + needle.n_bytes());
        of_needles.sum::<usize>() + self.wide.n_bytes()
    }

    /// Returns how many bytes a secret can take.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds where secrets are in `text`, of which base64 and hex are undone as often as `depths` says.
    fn find(&self, text: &[u8], depths: Depths, found: &mut Vec<Range<usize>>) {
        let look = Look { text, depth: depths.escapes, wide: &self.wide };
        for (pos, byte) in text.iter().enumerate() {
            for idx in &self.by_first[usize::from(*byte)] {
                let beginning = &self.beginnings[*idx];
                if is_escape_byte(*byte) && !beginning.is_at(look, pos) {
                    continue;
                }
                let ends = beginning.needles.iter().filter_map(|idx| self.needles[*idx].end_in(look, pos));
                found.extend(ends.map(|end| pos..end));
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

impl Beginning {
    /// Returns whether its first character is there.
    fn is_at(&self, look: Look<'_>, pos: usize) -> bool {
        let mut ends = Vec::new();
        look.char_ends_in(self.first, self.ignores_case, pos, &mut ends);
        !ends.is_empty()
    }
}

/// Returns the needles by how they begin, so that what is true of many is looked at once.
fn beginnings_of(needles: &[Needle]) -> Vec<Beginning> {
    let mut by_first: BTreeMap<(char, bool), Vec<usize>> = BTreeMap::new();
    for (idx, needle) in needles.iter().enumerate() {
        if let Some(first) = needle.first() {
            by_first.entry((first, needle.ignores_case)).or_default().push(idx);
        }
    }
    by_first.into_iter().map(|((first, ignores_case), needles)| Beginning { first, ignores_case, needles }).collect()
}

/// Returns the needles of a secret: it as it is, as what reads UTF-8 as another character set shows it, and what base64 and hex make of it.
fn needles_of(secret: &str) -> Vec<Needle> {
    let plain = |text: &str| {
        let n_chars = text.chars().count();
        let mut needle = Needle::new(text);
        needle.is_word = secret.len() < MIN_INSIDE;
        if n_chars >= MIN_LOOSE {
            needle.ignores_case = true;
            needle.least = MIN_LOOSE.max(n_chars.div_ceil(2));
        }
        needle
    };
    let mut texts = vec![secret.to_string()];
    texts.extend(readings_of(secret));
    let mut blocks: Vec<String> = Vec::new();
    match secret.len() < MIN_INSIDE {
        true => {
            let once = whole_blocks(secret);
            blocks.extend(once.iter().flat_map(|block| whole_blocks(block)));
            blocks.extend(once);
        }
        // Others are found in base64 and hex by undoing these, unless they are escaped in turn.
        false => {
            blocks.extend(texts.iter().flat_map(|text| (0..3).flat_map(|n_before| cores(text, n_before))));
            blocks.extend(texts.iter().map(|text| hex(text)));
        }
    }
    blocks.sort_unstable();
    blocks.dedup();
    let blocks = blocks.into_iter().map(|block| {
        let mut needle = Needle::new(&block);
        needle.is_word = secret.len() < MIN_INSIDE;
        needle.ignores_case = texts.iter().any(|text| block == hex(text));
        needle
    });
    texts.iter().map(|text| plain(text)).chain(blocks).collect()
}

/// Returns what is shown of a text's UTF-8 by those who take it for ASCII, for ISO 8859-1 or for windows-1252.
fn readings_of(text: &str) -> Vec<String> {
    if text.is_ascii() {
        return Vec::new();
    }
    let latin = text.bytes().map(char::from).collect();
    let ascii = text.chars().map(|c| if c.is_ascii() { c } else { char::REPLACEMENT_CHARACTER }).collect();
    let mut readings = vec![ascii, latin, document::misread(text)];
    readings.dedup();
    readings
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
