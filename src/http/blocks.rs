//! Base64 and hex: where they may be in a text, and what they stand for.

use std::ops::Range;

/// Bits of a byte, and of a character in base64.
pub(super) const BYTE: usize = 8;
pub(super) const SEXTET: usize = 6;

/// An encoding of bytes by digits.
#[derive(Clone, Copy)]
pub(super) enum Block {
    Base64,
    Hex,
}

impl Block {
    /// Returns the bits of a digit.
    fn digit(self, byte: u8) -> Option<u32> {
        let is_base64 = matches!(self, Block::Base64);
        match byte {
            b'0'..=b'9' if is_base64 => Some(u32::from(byte - b'0') + 52),
            b'A'..=b'Z' if is_base64 => Some(u32::from(byte - b'A')),
            b'a'..=b'z' if is_base64 => Some(u32::from(byte - b'a') + 26),
            b'+' | b'-' if is_base64 => Some(62),
            b'/' | b'_' if is_base64 => Some(63),
            _ if is_base64 => None,
            _ => char::from(byte).to_digit(16),
        }
    }

    /// Returns how many digits begin and end with a byte each.
    pub(super) fn group(self) -> usize {
        match self {
            Block::Base64 => 4,
            Block::Hex => 2,
        }
    }

    /// Returns how many bits a digit has.
    fn bits(self) -> usize {
        match self {
            Block::Base64 => SEXTET,
            Block::Hex => 4,
        }
    }

    /// Returns how many digits as many bytes take at least.
    pub(super) fn len_of(self, n_bytes: usize) -> usize {
        n_bytes.saturating_mul(BYTE).div_ceil(self.bits())
    }

    /// Returns the places of the digits of each run of at least `least`. A run may be broken into lines.
    pub(super) fn runs(self, text: &[u8], least: usize) -> Vec<Vec<usize>> {
        let mut runs = Vec::new();
        let mut run = Vec::new();
        for (idx, byte) in text.iter().enumerate() {
            match self.digit(*byte) {
                Some(_) => run.push(idx),
                None if matches!(byte, b'\r' | b'\n') => {}
                None if run.len() >= least => runs.push(std::mem::take(&mut run)),
                None => run.clear(),
            }
        }
        if run.len() >= least {
            runs.push(run);
        }
        runs
    }

    /// Returns the bytes that digits stand for; bits that make no byte are left out.
    pub(super) fn undone(self, text: &[u8], digits: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(digits.len() * self.bits() / BYTE);
        let (mut bits, mut n_bits) = (0_u32, 0);
        for idx in digits {
            bits = (bits << self.bits() | self.digit(text[*idx]).unwrap_or(0)) & 0xffff;
            n_bits += self.bits();
            if n_bits >= BYTE {
                n_bits -= BYTE;
                bytes.push((bits >> n_bits & 0xff) as u8);
            }
        }
        bytes
    }

    /// Returns where the digits stand that have bits of the bytes in `range`.
    pub(super) fn source(self, digits: &[usize], range: &Range<usize>) -> Option<Range<usize>> {
        let first = range.start * BYTE / self.bits();
        let last = (range.end * BYTE).div_ceil(self.bits()).checked_sub(1)?;
        Some(*digits.get(first)?..digits.get(last)? + 1)
    }
}
