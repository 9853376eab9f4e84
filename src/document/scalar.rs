//! What texts say in formats that have nothing but texts.

use simd_json::StaticNode;
use std::io::Write as _;

/// The longest text of a number.
const LONGEST_NUMBER: usize = 40;

/// Returns the boolean or number that a text says, when the same text is made of it again.
pub(super) fn scalar_of(text: &str) -> Option<StaticNode> {
    let first = *text.as_bytes().first()?;
    match text {
        "true" => return Some(StaticNode::Bool(true)),
        "false" => return Some(StaticNode::Bool(false)),
        _ if text.len() > LONGEST_NUMBER || !(first == b'-' || first.is_ascii_digit()) => return None,
        _ => {}
    }
    if !text.contains('.') {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (!digits.starts_with('0') || text == "0");
        return text
            .parse::<i128>()
            .ok()
            .filter(|_| is_plain)
            .map(|value| i64::try_from(value).map_or(StaticNode::I128(value), StaticNode::I64));
    }
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
    let mut written = Vec::with_capacity(LONGEST_NUMBER);
    // Writing to memory does not fail.
    let _ = write!(written, "{value:?}");
    (written == text.as_bytes()).then_some(StaticNode::F64(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_written_so_again_is_a_number() {
        for text in
            ["", "-", "007", "1.50", "+1", "1e5", "-0", ".5", "1.", "1_000", " 1", "1 ", "True", "NaN", "inf", "-inf", "0x1", "1.0.0"]
        {
            assert_eq!(scalar_of(text), None, "{text}");
        }
        assert_eq!(scalar_of("-20"), Some(StaticNode::I64(-20)));
        assert_eq!(scalar_of("18446744073709551616"), Some(StaticNode::I128(1 << 64)));
        assert_eq!(scalar_of("0.5"), Some(StaticNode::F64(0.5)));
        assert_eq!(scalar_of("true"), Some(StaticNode::Bool(true)));
    }

    proptest! {
        /// The law: no text changes.
        #[test]
        fn what_a_text_says_is_written_as_the_text(text in "-?[0-9]{0,20}(\\.[0-9]{0,20})?|.{0,6}") {
            let written = match scalar_of(&text) {
                None => text.clone(),
                Some(StaticNode::F64(value)) => format!("{value:?}"),
                Some(value) => value.to_string(),
            };
            prop_assert_eq!(written, text);
        }
    }
}
