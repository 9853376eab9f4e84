//! Escaped halves of surrogate pairs that stand alone, which some APIs send where they cut texts.

/// Returns the body with every lone `\uD800` to `\uDFFF` replaced by `\ufffd`, or `None` when there is none.
pub(super) fn with_lone_surrogates_replaced(body: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = body.to_vec();
    let mut changed = false;
    let mut idx = 0;
    while idx < repaired.len() {
        if repaired[idx] != b'\\' {
            idx += 1;
            continue;
        }
        match surrogate_at(&repaired, idx) {
            Some(0xD800..=0xDBFF) if matches!(surrogate_at(&repaired, idx + 6), Some(0xDC00..=0xDFFF)) => idx += 12,
            Some(_) => {
                repaired[idx..idx + 6].copy_from_slice(b"\\ufffd");
                changed = true;
                idx += 6;
            }
            None => idx += 2,
        }
    }
    changed.then_some(repaired)
}

fn surrogate_at(body: &[u8], idx: usize) -> Option<u32> {
    let escape = body.get(idx..idx + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xD800..=0xDFFF).contains(&code).then_some(code)
}
