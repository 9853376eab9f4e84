//! What the values of a column looked like when they came: what decides how it widens, and how they are written as text.

use super::moments::{MomentForm, MomentStyle};
use super::temporal::Moment;

/// The greatest integer up to which a DOUBLE holds each.
const MOST_EXACT: i128 = 1 << 53;
/// 1678-01-01 and 2262-01-01 in microseconds since 1970: every moment between them has a TIMESTAMP_NS.
const NEAR_MICROS: std::ops::Range<i64> = -9_214_560_000_000_000..9_214_646_400_000_000;

/// Kinds of values, as bits.
pub(super) const BOOLEAN: u16 = 1;
pub(super) const INTEGER: u16 = 1 << 1;
/// An integer that a DOUBLE may round.
pub(super) const WIDE: u16 = 1 << 2;
/// A DOUBLE that an integer could be, such as 1.0.
pub(super) const WHOLE: u16 = 1 << 3;
/// Any other DOUBLE.
pub(super) const FRACTION: u16 = 1 << 4;
/// A number that only its digits represent: in a DOUBLE one that its shortest text does not say.
pub(super) const DIGITS: u16 = 1 << 5;
pub(super) const DATE: u16 = 1 << 6;
pub(super) const MOMENT: u16 = 1 << 7;
/// A date or moment beyond TIMESTAMP_NS.
pub(super) const FAR: u16 = 1 << 8;
/// A text that is neither.
pub(super) const TEXT: u16 = 1 << 9;
/// Digits were cut to fit a declared type.
pub(super) const CUT: u16 = 1 << 10;
/// Nothing is known of values that came before.
pub(super) const UNKNOWN: u16 = 1 << 11;

/// Numbers and booleans: as JSON they have no quotes.
pub(super) const BARE: u16 = BOOLEAN | INTEGER | WHOLE | FRACTION | DIGITS;
pub(super) const QUOTED: u16 = DATE | MOMENT | TEXT;
/// What decides how a column widens, and what is known of the values of a table while others are added to it.
const OF_TABLE: u16 = WIDE | FAR;

/// What a column's values, or the elements of its lists, looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Form {
    seen: u16,
    moments: MomentForm,
}

impl Form {
    /// Returns the form of values of which nothing is known.
    pub(super) fn unknown() -> Form {
        Form { seen: UNKNOWN, ..Form::default() }
    }

    #[inline]
    pub(super) fn add(&mut self, kinds: u16) {
        self.seen |= kinds;
    }

    #[inline]
    pub(super) fn add_integer(&mut self, value: i128) {
        self.seen |= kinds_of_integer(value);
    }

    #[inline]
    pub(super) fn add_double(&mut self, value: f64) {
        self.seen |= kind_of_double(value);
    }

    #[inline]
    pub(super) fn add_moment(&mut self, moment: &Moment<'_>) {
        self.seen |= if is_near(moment.micros) { MOMENT } else { MOMENT | FAR };
        self.moments.add(moment);
    }

    /// Adds a date, by its midnight.
    #[inline]
    pub(super) fn add_date(&mut self, micros: i64) {
        self.seen |= if is_near(micros) { DATE } else { DATE | FAR };
    }

    pub(super) fn has(&self, kind: u16) -> bool {
        self.seen & kind != 0
    }

    /// Returns the form of both columns' values.
    #[must_use]
    pub fn joined(self, other: Form) -> Form {
        Form { seen: self.seen | other.seen, moments: self.moments.joined(other.moments) }
    }

    /// Returns the form of a table to which no row was added yet.
    #[must_use]
    pub(super) fn without_rows(self) -> Form {
        Form { seen: self.seen & OF_TABLE, ..Form::default() }
    }

    /// Returns whether digits were cut to fit a declared type.
    pub fn is_cut(&self) -> bool {
        self.has(CUT)
    }

    /// Returns how the moments are written; `None` when several ways were seen.
    pub fn moment_style(&self) -> Option<MomentStyle> {
        self.moments.style()
    }

    /// Returns whether numbers without a fraction came without a point.
    pub fn has_plain_integers(&self) -> bool {
        self.has(INTEGER) && !self.has(WHOLE)
    }

    /// Returns whether the texts are those of numbers and booleans.
    pub fn is_bare(&self) -> bool {
        self.has(BARE) && !self.has(QUOTED)
    }

    /// Returns the parts that [`Form::of_parts`] reads.
    pub(super) fn parts(&self) -> (u16, u32, &str) {
        let (ways, zone) = self.moments.parts();
        (self.seen, ways, zone)
    }

    pub(super) fn of_parts(seen: u16, ways: u32, zone: &str) -> Form {
        Form { seen, moments: MomentForm::of_parts(ways, zone) }
    }
}

/// Returns whether a TIMESTAMP_NS holds the moment.
#[inline]
pub(super) fn is_near(micros: i64) -> bool {
    NEAR_MICROS.contains(&micros)
}

/// Returns whether a DOUBLE holds the integer, and no other rounds to it.
#[inline]
pub(super) fn is_wide(value: i128) -> bool {
    !(-MOST_EXACT..=MOST_EXACT).contains(&value)
}

#[inline]
pub(super) fn kinds_of_integer(value: i128) -> u16 {
    if is_wide(value) {
        INTEGER | WIDE
    } else {
        INTEGER
    }
}

#[inline]
pub(super) fn kind_of_double(value: f64) -> u16 {
    if value.trunc() == value && value.abs() <= MOST_EXACT as f64 {
        WHOLE
    } else {
        FRACTION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_nanoseconds_is_whole_years() {
        let micros = |text: &str| super::super::timestamp_of(text).unwrap();
        assert_eq!(NEAR_MICROS, micros("1678-01-01T00:00Z")..micros("2262-01-01T00:00Z"));
    }
}
