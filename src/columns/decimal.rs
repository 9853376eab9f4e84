//! Exact decimals: whole numbers of the smallest unit that their scale has.

/// The most digits of a DECIMAL.
pub(super) const MOST_DIGITS: u8 = 38;

/// Returns a number, as texts and JSON write it, in units of `scale` digits behind the point. `None`: it is none, or has more than `width` digits,
/// or others than zeros behind those of `scale`.
pub(super) fn decimal_of(text: &str, width: u8, scale: u8) -> Option<i128> {
    let most = 10_i128.checked_pow(u32::from(width.min(MOST_DIGITS)))?;
    units_of(text, scale).filter(|value| (1 - most..most).contains(value))
}

/// Returns a number, as texts and JSON write it, in units of `scale` digits behind the point. `None`: it is none, or other digits than zeros stand
/// behind those of `scale`, or there are too many.
pub(super) fn units_of(text: &str, scale: u8) -> Option<i128> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if (whole.is_empty() && fraction.is_empty()) || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // The value is these digits, times ten to the power of `shift`, in units of the scale.
    let n_zeros = digits().rev().take_while(|digit| *digit == b'0').count();
    let n_digits = whole.len() + fraction.len();
    let shift = exponent.checked_sub(fraction.len() as i64)?.checked_add(n_zeros as i64)?.checked_add(i64::from(scale))?;
    let mut value: i128 = 0;
    for digit in digits().take(n_digits - n_zeros) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if value != 0 {
        value = value.checked_mul(10_i128.checked_pow(u32::try_from(shift).ok()?)?)?;
    }
    Some(if is_negative { -value } else { value })
}

/// Appends the number as DuckDB writes it.
pub(super) fn write_decimal(out: &mut Vec<u8>, value: i128, scale: u8) {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if value < 0 { "-" } else { "" };
    out.extend_from_slice(format!("{sign}{whole}{point}{fraction}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        for (text, expected) in [
            ("0.1", Some(10)),
            ("12.50", Some(1250)),
            ("-3", Some(-300)),
            ("+.5", Some(50)),
            ("1e2", Some(10_000)),
            ("125E-2", Some(125)),
            ("1.2500", Some(125)),
            ("0e99999", Some(0)),
            ("0.000", Some(0)),
            ("999.99", Some(99_999)),
            ("1000", None),
            ("1.255", None),
            ("1e99999999999", None),
            ("", None),
            (".", None),
            ("1,5", None),
            ("--1", None),
            ("1e", None),
            ("NaN", None),
        ] {
            assert_eq!(decimal_of(text, 5, 2), expected, "{text}");
        }
        assert_eq!(decimal_of("99999999999999999999999999999999999999", 38, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(decimal_of("100000000000000000000000000000000000000", 38, 0), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in -10_i128.pow(37)..10_i128.pow(37), scale in 0_u8..=38) {
            let mut out = Vec::new();
            write_decimal(&mut out, value, scale);
            prop_assert_eq!(decimal_of(std::str::from_utf8(&out).unwrap(), 38, scale), Some(value));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-+0-9.eE]{0,60}", width in 0_u8..=60, scale in 0_u8..=60) {
            let _ = decimal_of(&text, width, scale);
        }
    }
}
