//! A hash of what the records of a page have beyond the columns: pages that differ there only are still different pages.

use crate::document::View;
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hasher};

/// Hashes of values, added up: equal for equal values, in whatever order they came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub(super) sum: u64,
}

impl LeftOut {
    /// Adds the value of a row at a place. Null is not a value.
    pub(super) fn add(&mut self, place: u64, row_idx: usize, view: &View<'_>) {
        if matches!(view, View::Null) {
            return;
        }
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u64(place);
        hasher.write_usize(row_idx);
        hash(view, &mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

/// Returns the place of the field that these keys lead to.
pub(super) fn place_of(keys: &[String]) -> u64 {
    FixedState::default().hash_one(keys)
}

/// Returns the hash of a record: equal for equal records, whatever of them becomes a column.
pub(super) fn record_hash(view: &View<'_>) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hash(view, &mut hasher);
    hasher.finish()
}

/// Hashes a value. Documents are nested no deeper than the parser allows.
fn hash(view: &View<'_>, hasher: &mut impl Hasher) {
    match view {
        View::Null => hasher.write_u8(0),
        View::Boolean(value) => hasher.write_u8(1 + u8::from(*value)),
        View::Integer(value) => hasher.write_i128(*value),
        View::BigNumber(number) => hash_text(&number.to_string(), hasher),
        View::Double(value) => hasher.write_u64(value.to_bits()),
        View::Text(text) => hash_text(text, hasher),
        View::Array(elements) => {
            hasher.write_usize(elements.len());
            elements.clone().for_each(|element| hash(&element.view(), hasher));
        }
        View::Object(entries) => {
            hasher.write_usize(entries.len());
            for (key, value) in entries.clone() {
                hash_text(key, hasher);
                hash(&value.view(), hasher);
            }
        }
    }
}

fn hash_text(text: &str, hasher: &mut impl Hasher) {
    hasher.write_usize(text.len());
    hasher.write(text.as_bytes());
}
