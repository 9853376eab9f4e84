//! Any bytes are a body of each format, or cannot be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unify::document::{BodyStyle, Format, Node, Parser, View};

/// The memory that a body may take.
const MOST: u64 = 16 << 20;

fn walk(node: Node<'_>) -> usize {
    1 + match node.view() {
        View::Array(elements) => elements.map(walk).sum(),
        View::Object(entries) => entries.map(|(_, node)| walk(node)).sum(),
        _ => 0,
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (number, bytes) = input;
    let format = Format::ALL.into_iter().nth(usize::from(number) % 5);
    let style = BodyStyle { format, ..BodyStyle::default() };
    let weight = style.weigh(bytes, None, MOST);
    let Ok(body) = style.open(bytes.to_vec(), None, MOST) else { return };
    let weight = weight.of_opened(&body, MOST);
    if weight.check(MOST).is_err() {
        return;
    }
    let _ = Parser::default().read_body(&body, weight, MOST, walk);
});
