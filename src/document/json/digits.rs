//! Numbers with more digits than a DOUBLE holds or is written with.

use std::fmt::Write as _;
use std::num::IntErrorKind;
use std::ops::Range;

/// Bytes that are looked at at once. A DOUBLE gives back a run of fewer than twice as many digits, the point included.
const WORD: usize = 8;
/// Bytes that are passed over at once where no word of them is one of digits.
const BLOCK: usize = 64;
/// Digits of the exponent of a number that is not long and next to zero.
const TINY_EXPONENT: usize = 3;
/// Significant digits that every DOUBLE gives back.
const SAFE_DIGITS: usize = 15;
/// Capacity for the shortest text of a DOUBLE that is neither huge nor tiny.
const SHORTEST_LEN: usize = 32;
/// More digits than any DOUBLE needs to be written in full.
const MOST_DIGITS: usize = 800;

/// Returns whether `value`, the DOUBLE next to the number that `text` says, gives it back: the shortest text of the DOUBLE says the same number.
pub fn gives_back(value: f64, text: &str) -> bool {
    let n_digits = text.bytes().filter(u8::is_ascii_digit).count();
    if (n_digits <= SAFE_DIGITS && value.is_normal()) || is_shortest(value, text) {
        return true;
    }
    value.is_finite() && Decimal::of(text).is_some_and(|said| Decimal::of(&format!("{value:e}")) == Some(said))
}

/// Returns whether `value`, the DOUBLE next to the number that `text` says, has all its digits: written with as many, it is the same. Its shortest
/// text may have fewer, and so be another number.
pub fn has_digits(value: f64, text: &str) -> bool {
    if gives_back(value, text) {
        return true;
    }
    let Some(said) = Decimal::of(text) else { return false };
    if said.digits.is_empty() {
        return true;
    }
    if value == 0.0 || !value.is_finite() || said.digits.len() > MOST_DIGITS {
        return false;
    }
    let written = format!("{:.*e}", said.digits.len() - 1, value.abs());
    Decimal::of(&written).is_some_and(|written| written == said) || is_other_half(value, &said)
}

/// Returns whether the value lies halfway between two numbers with as many digits as the one said, and that is the one with an odd last
/// digit: formatting takes the even one, other programs may take either.
fn is_other_half(value: f64, said: &Decimal) -> bool {
    let Some(exact) = Decimal::of(&format!("{:.*e}", MOST_DIGITS, value.abs())) else { return false };
    let ([above @ .., last, b'5'], [said_above @ .., said_last]) = (&exact.digits[..], &said.digits[..]) else { return false };
    exact.exponent == said.exponent && above == said_above && (last == said_last || last + 1 == *said_last)
}

/// Returns whether the text is the shortest that reads back as the value, as most programs write it.
fn is_shortest(value: f64, text: &str) -> bool {
    let mut shortest = Buffer { bytes: [0; SHORTEST_LEN], len: 0 };
    write!(shortest, "{value}").is_ok() && &shortest.bytes[..shortest.len] == text.as_bytes()
}

/// A text that is short.
struct Buffer {
    bytes: [u8; SHORTEST_LEN],
    len: usize,
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// A number without its sign.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    /// The significant digits, without zeros at either end; empty for 0.
    digits: Vec<u8>,
    /// Of the first digit: 0 for 1 to 9.
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Decimal> {
        let text = text.trim_start_matches(['-', '+']);
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = match exponent.parse::<i64>() {
            Ok(exponent) => exponent,
            // It has more digits than fit: the number is 0, or as far from all others as any.
            Err(err) if *err.kind() == IntErrorKind::PosOverflow => i64::MAX,
            Err(err) if *err.kind() == IntErrorKind::NegOverflow => i64::MIN,
            Err(_) => return None,
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let n_leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let exponent = exponent.saturating_add(whole.len() as i64 - 1 - n_leading as i64);
        digits.drain(..n_leading);
        digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
        Some(Decimal { exponent: if digits.is_empty() { 0 } else { exponent }, digits })
    }
}

/// Returns whether a body holds a number with a point or an exponent that its DOUBLE does not give back. A number in a text may be taken for
/// one of the body's.
pub(super) fn loses_digits(body: &[u8]) -> bool {
    let mut seen = 0;
    let is_passed_over = |block: &[u8]| <&[u8; BLOCK]>::try_from(block).is_ok_and(|block| !has_run(block));
    for (block_idx, block) in body.chunks(BLOCK).enumerate().filter(|(_, block)| !is_passed_over(block)) {
        for (idx, word) in block.chunks_exact(WORD).enumerate() {
            let start = block_idx * BLOCK + idx * WORD;
            if start < seen || !word.try_into().is_ok_and(is_run) {
                continue;
            }
            let n_before = body[..start].iter().rev().take_while(|byte| is_digit(**byte)).count();
            let n_after = body[start..].iter().take_while(|byte| is_digit(**byte)).count();
            seen = start + n_after;
            if n_before + n_after >= 2 * WORD && is_lost(body, start - n_before..seen) {
                return true;
            }
        }
    }
    is_tiny(body)
}

/// Returns whether a body holds a number that is nearer to zero than a DOUBLE keeps all digits of, with an exponent such as `e-320`. One that is
/// written without an exponent is long.
fn is_tiny(body: &[u8]) -> bool {
    memchr::memchr_iter(b'-', body).any(|minus| {
        let Some(mark) = minus.checked_sub(1).filter(|mark| matches!(body[*mark], b'e' | b'E')) else { return false };
        let exponent = &body[minus + 1..];
        if exponent.len() < TINY_EXPONENT || !exponent[..TINY_EXPONENT].iter().all(u8::is_ascii_digit) {
            return false;
        }
        let n_before = body[..mark].iter().rev().take_while(|byte| is_digit(**byte)).count();
        n_before > 0 && is_lost(body, mark - n_before..mark)
    })
}

/// Returns whether all bytes of a word may be digits.
#[inline]
fn has_run(block: &[u8; BLOCK]) -> bool {
    block.as_chunks::<WORD>().0.iter().fold(false, |has_run, word| has_run | is_run(*word))
}

/// Returns whether all bytes are digits, points or slashes, which stand together in ASCII. They are looked at side by side in one number, whatever
/// the compiler makes of it: where none is above 127, no sum reaches into the next byte, and its highest bit says whether a byte is that large.
#[inline]
fn is_run(word: [u8; WORD]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = 0x80 * EACH;
    let word = u64::from_ne_bytes(word);
    let is_large_enough = word.wrapping_add((0x80 - b'.' as u64) * EACH);
    let is_too_large = word.wrapping_add((0x7f - b'9' as u64) * EACH);
    is_large_enough & !is_too_large & !word & HIGHEST == HIGHEST
}

#[inline]
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

/// Returns whether the run of digits is that of a number that its DOUBLE does not give back.
fn is_lost(body: &[u8], digits: Range<usize>) -> bool {
    let is_of_exponent = |byte: &&u8| matches!(**byte, b'e' | b'E' | b'+' | b'-' | b'0'..=b'9');
    let end = digits.end + body[digits.end..].iter().take_while(is_of_exponent).count();
    let start = digits.start - usize::from(body[..digits.start].ends_with(b"-"));
    let is_value = body[..start].last().is_none_or(|byte| matches!(byte, b':' | b',' | b'[' | b' ' | b'\t' | b'\n' | b'\r'));
    let number = &body[start..end];
    if !is_value || number.iter().all(|byte| !matches!(byte, b'.' | b'e' | b'E')) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(number) else { return false };
    text.parse().is_ok_and(|value| !gives_back(value, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_double_has_the_digits_it_can_be_written_with() {
        let has = |text: &str| has_digits(text.parse().unwrap(), text);
        for text in [
            "0",
            "-0.0",
            "0.1",
            "1e5",
            "1.50",
            "0.30000000000000004",
            "52.520006600000002",
            "0.1000000000000000055511151231257827",
            "5e-324",
            "1e300",
            "123456789012345680.0",
            "1.7086575565874912e14",
            "1.7086575565874913e14",
            "170865755658749.13",
            "170865755658749.125",
            "0.5e0",
            "281474976710656.12",
            "281474976710656.13",
        ] {
            assert!(has(text), "{text}");
        }
        for text in [
            "0.1234567890123456789",
            "12345678901234567.89",
            "9007199254740993.0",
            "3.14159265358979323846",
            "1e400",
            "1e-400",
            "1.2345e-320",
            "1.7086575565874911e14",
            "1.7086575565874914e14",
            "281474976710656.11",
            "281474976710656.14",
        ] {
            assert!(!has(text), "{text}");
        }
    }

    #[test]
    fn a_double_gives_back_what_its_shortest_text_says() {
        let gives_back = |text: &str| gives_back(text.parse().unwrap(), text);
        for text in ["0.1", "1.50", "52.5200066", "281474976710656.10", "1E+5", "100e3", "5e-324", "0e99999999999999999999", "-0.0"] {
            assert!(gives_back(text), "{text}");
        }
        for text in ["52.520006600000002", "281474976710656.13", "170865755658749.125", "4.9e-324", "0.10000000000000001", "1e400"] {
            assert!(!gives_back(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_found_where_they_are_values() {
        let long = ["0.1234567890123456789", "[1,-12345678901234567.89]", "{\"a\": 12345678901234567.89}", "[281474976710656.13]"];
        let tiny = ["22e-522223", "[1e-400]", "{\"a\":-1.2345E-320}", "1\n1e-0324\n"];
        for body in long.into_iter().chain(tiny) {
            assert!(loses_digits(body.as_bytes()), "{body}");
        }
        for body in [
            "[0.30000000000000004]",
            "[12345678901234567890]",
            "{\"a\":\"0.1234567890123456789\"}",
            "[\"12345678-1234-1234-1234-123456789012\"]",
            "[1e-300, 1.5e-5, 5e-324]",
            "[\"1e-400\", \"site-999\", \"e-999\"]",
        ] {
            assert!(!loses_digits(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn bytes_are_looked_at_side_by_side_as_one_by_one() {
        for (place, byte) in (0..WORD).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            for other in [b'.', b'9', b'5'] {
                let mut word = [other; WORD];
                word[place] = byte;
                assert_eq!(is_run(word), (b'.'..=b'9').contains(&byte), "{word:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn words_are_runs_where_each_byte_may_be_one_of_a_number(word in any::<[u8; WORD]>(), digits in "[./0-9]{8}") {
            prop_assert_eq!(is_run(word), word.iter().all(|byte| (b'.'..=b'9').contains(byte)));
            prop_assert!(is_run(digits.as_bytes().try_into().unwrap()));
        }

        #[test]
        fn no_such_number_is_missed(before in "[ ,1]{0,140}", digits in "[1-9][0-9]{17,30}", point in 1..17_usize, after in "[ ,1]{0,40}") {
            let number = format!("{}.{}1", &digits[..point], &digits[point..]);
            let body = format!("[{before},{number},{after}]");
            prop_assert_eq!(loses_digits(body.as_bytes()), !gives_back(number.parse().unwrap(), &number), "{}", body);
        }

        #[test]
        fn no_number_next_to_zero_is_missed(mantissa in "-?[1-9][0-9]{0,9}(\\.[0-9]{1,4})?", mark in "[eE]-0?", exponent in 1..600_u16) {
            let number = format!("{mantissa}{mark}{exponent}");
            let body = format!("{{\"a\":{number}}}");
            prop_assert_eq!(loses_digits(body.as_bytes()), !gives_back(number.parse().unwrap(), &number), "{}", body);
        }

        #[test]
        fn nothing_is_lost_of_0_whatever_its_exponent(zero in "-?0(\\.0{1,4})?[eE][+-]?[0-9]{1,30}") {
            prop_assert!(has_digits(zero.parse().unwrap(), &zero), "{}", zero);
        }

        #[test]
        fn a_double_halfway_between_two_numbers_has_the_digits_of_both(half in (1_u64 << 48)..(1_u64 << 51)) {
            // An odd number of eighths: its third decimal is a 5.
            let eighths = 2 * half + 1;
            let value = eighths as f64 / 8.0;
            let below = u128::from(eighths) * 100 / 8;
            for hundredths in [below, below + 1] {
                for text in [format!("{}.{:02}", hundredths / 100, hundredths % 100), format!("{hundredths}e-2")] {
                    prop_assert_eq!(text.parse(), Ok(value));
                    prop_assert!(has_digits(value, &text), "{}", text);
                }
            }
        }

        #[test]
        fn what_a_double_is_written_with_it_has(value in any::<f64>().prop_filter("a number", |value| value.is_finite())) {
            let texts = [format!("{value}"), format!("{value:e}"), format!("{value:.16e}"), format!("{value:.30e}")];
            for text in texts {
                prop_assert!(has_digits(value, &text), "{}", text);
            }
        }
    }
}
