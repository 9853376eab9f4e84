//! A body that is read in parts has the records that it has as a whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unify::document::{BodyPart, BodyStyle, Format, Parser, View};

const MOST: u64 = 16 << 20;

/// Returns the records of a body, as JSON; `None` where it cannot be read.
fn records(style: &BodyStyle, part: BodyPart) -> Option<Vec<String>> {
    let weight = style.weigh(&part.bytes, None, MOST);
    let body = style.open_part(part.bytes, None, MOST, part.line_base).ok()?;
    let weight = weight.of_opened(&body, MOST);
    weight.check(MOST).ok()?;
    let read = Parser::default().read_body(&body, weight, MOST, |root| match root.view() {
        View::Array(elements) => elements.map(|element| element.to_json()).collect(),
        _ => vec![root.to_json()],
    });
    read.ok()
}

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (is_csv, size, bytes) = input;
    let format = if is_csv { Format::Csv } else { Format::Ndjson };
    let style = BodyStyle { format: Some(format), ..BodyStyle::default() };
    let Some(mut cutter) = style.cutter(None, usize::from(size).max(8)) else { return };
    let mut parts = Vec::new();
    for piece in bytes.chunks(usize::from(size % 7) + 1) {
        cutter.push(piece, &style);
        match cutter.next_part() {
            Ok(part) => parts.extend(part),
            Err(_) => return,
        }
    }
    parts.push(cutter.finish());
    let Some(whole) = records(&style, BodyPart { bytes: bytes.to_vec(), line_base: 0 }) else { return };
    let mut found = Vec::new();
    for part in parts {
        found.extend(records(&style, part).expect("a part of a body that can be read"));
    }
    assert_eq!(found, whole);
});
