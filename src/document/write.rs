//! Values back to JSON text.

use super::node::{ArrayIter, Node, ObjectIter, View};
use std::collections::HashMap;
use std::io::Write as _;

/// Objects with more entries than this are searched for equal keys with a map.
const FEW_KEYS: usize = 16;

impl Node<'_> {
    /// Appends the value as compact JSON. Of equal keys only the last is written.
    pub fn write_json(self, out: &mut Vec<u8>) {
        match self.view() {
            View::Null => out.extend_from_slice(b"null"),
            View::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            View::Integer(value) => write_display(out, value),
            View::BigNumber(number) => write_display(out, number),
            View::Double(value) => write_double(out, value),
            View::Text(text) => write_text(out, text),
            View::Array(elements) => elements.write_json(out),
            View::Object(entries) => entries.write_json(out),
        }
    }

    /// Returns the value as compact JSON.
    pub fn to_json(self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl ArrayIter<'_> {
    /// Appends the elements that are left as a compact JSON list.
    pub fn write_json(self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (idx, element) in self.enumerate() {
            if idx > 0 {
                out.push(b',');
            }
            element.write_json(out);
        }
        out.push(b']');
    }
}

impl ObjectIter<'_> {
    /// Appends the entries that are left as a compact JSON object. Of equal keys only the last is written.
    pub fn write_json(self, out: &mut Vec<u8>) {
        let last_idx: HashMap<&str, usize> =
            if self.len() > FEW_KEYS { self.clone().enumerate().map(|(idx, (key, _))| (key, idx)).collect() } else { HashMap::new() };
        let mut rest = self;
        let mut idx = 0;
        let mut is_first = true;
        out.push(b'{');
        while let Some((key, value)) = rest.next() {
            let is_last = match last_idx.get(key) {
                Some(&last) => last == idx,
                None => rest.clone().all(|(later, _)| later != key),
            };
            idx += 1;
            if !is_last {
                continue;
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            write_text(out, key);
            out.push(b':');
            value.write_json(out);
        }
        out.push(b'}');
    }
}

/// Returns the text as JSON has it, in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_text(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a text as a JSON string, quotes included.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (idx, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..idx]);
        start = idx + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => write_display(out, format_args!("\\u{byte:04x}")),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// Appends a number as JSON: the shortest digits that give the same value, null for what JSON does not have.
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        write_display(out, format_args!("{value:?}"));
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}
