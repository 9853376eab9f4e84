//! How the dates and times of a column were written, so that their texts can be written again.

use super::temporal::{offset_of, write_timestamp, Moment};

const SEPARATORS: u32 = 0b11;
const WITH_T: u32 = 1;
const WITH_BLANK: u32 = 1 << 1;

const SECONDS: u32 = 0b111 << 2;
const ALWAYS: u32 = 1 << 2;
const NEVER: u32 = 1 << 3;
const UNLESS_ZERO: u32 = 1 << 4;

const FRACTIONS: u32 = (1 << 26) - (1 << 5);
/// `FIXED << n`: n digits.
const FIXED: u32 = 1 << 5;
/// As many digits as it takes.
const TRIMMED: u32 = 1 << 15;
/// `NONE_OR << n`, n from 1: none for whole seconds, otherwise n digits.
const NONE_OR: u32 = 1 << 15;
const ANY_NONE_OR: u32 = 0b1_1111_1111 << 16;
/// 0, 3, 6 or 9 digits, as few as it takes.
const GROUPS: u32 = 1 << 25;

const ANY: u32 = SEPARATORS | SECONDS | FRACTIONS;

/// The longest zone, `+hh:mm`.
const ZONE_LEN: usize = 6;

/// The ways to write a moment that give the text of each moment seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MomentForm {
    ways: u32,
    zone: Zone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Zone {
    Unseen,
    Same([u8; ZONE_LEN], u8),
    Mixed,
}

/// When seconds are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondsStyle {
    Always,
    Never,
    /// Unless they and their fraction are 0.
    UnlessZero,
}

/// How many digits the fraction of a second has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FractionStyle {
    Fixed(usize),
    /// As many as it takes.
    Trimmed,
    /// None for whole seconds, otherwise as many.
    NoneOr(usize),
    /// 0, 3, 6 or 9, as few as it takes.
    Groups,
}

/// One way to write moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentStyle {
    pub separator: char,
    pub seconds: SecondsStyle,
    pub fraction: FractionStyle,
    pub zone: String,
    /// How far the zone is east of UTC.
    pub offset_minutes: i64,
}

impl Default for MomentStyle {
    fn default() -> MomentStyle {
        let (seconds, fraction) = (SecondsStyle::Always, FractionStyle::Trimmed);
        MomentStyle { separator: 'T', seconds, fraction, zone: String::new(), offset_minutes: 0 }
    }
}

impl Default for MomentForm {
    fn default() -> MomentForm {
        MomentForm { ways: ANY, zone: Zone::Unseen }
    }
}

impl Zone {
    fn of(text: &[u8]) -> Zone {
        let mut bytes = [0; ZONE_LEN];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text);
                Zone::Same(bytes, text.len() as u8)
            }
            None => Zone::Mixed,
        }
    }

    fn joined(self, other: Zone) -> Zone {
        match (self, other) {
            (Zone::Unseen, zone) | (zone, Zone::Unseen) => zone,
            (a, b) if a == b => a,
            _ => Zone::Mixed,
        }
    }
}

impl MomentForm {
    /// Adds a moment.
    #[inline]
    pub(super) fn add(&mut self, moment: &Moment<'_>) {
        self.ways &= ways_of(moment);
        let zone = Zone::of(moment.zone);
        if self.zone != zone {
            self.zone = self.zone.joined(zone);
        }
    }

    #[must_use]
    pub(super) fn joined(self, other: MomentForm) -> MomentForm {
        MomentForm { ways: self.ways & other.ways, zone: self.zone.joined(other.zone) }
    }

    /// Returns a way that gives the text of each moment seen; `None` when there is none.
    pub(super) fn style(&self) -> Option<MomentStyle> {
        let separator = match self.ways & SEPARATORS {
            0 => return None,
            ways if ways & WITH_T != 0 => 'T',
            _ => ' ',
        };
        let seconds = match self.ways & SECONDS {
            0 => return None,
            ways if ways & ALWAYS != 0 => SecondsStyle::Always,
            ways if ways & NEVER != 0 => SecondsStyle::Never,
            _ => SecondsStyle::UnlessZero,
        };
        let zone = match &self.zone {
            Zone::Mixed => return None,
            Zone::Unseen => "",
            Zone::Same(bytes, len) => std::str::from_utf8(&bytes[..usize::from(*len)]).ok()?,
        };
        let offset_minutes = offset_of(zone.as_bytes())?;
        Some(MomentStyle { separator, seconds, fraction: self.fraction()?, zone: zone.to_string(), offset_minutes })
    }

    fn fraction(&self) -> Option<FractionStyle> {
        let has = |way: u32| self.ways & way != 0;
        let fixed = (0..=9).find(|n_digits| has(FIXED << n_digits)).map(FractionStyle::Fixed);
        let none_or = || (1..=9).find(|n_digits| has(NONE_OR << n_digits)).map(FractionStyle::NoneOr);
        fixed
            .or_else(|| has(TRIMMED).then_some(FractionStyle::Trimmed))
            .or_else(none_or)
            .or_else(|| has(GROUPS).then_some(FractionStyle::Groups))
    }

    /// Returns the numbers and the text that [`MomentForm::of_parts`] reads.
    pub(super) fn parts(&self) -> (u32, &str) {
        let zone = match &self.zone {
            Zone::Unseen => "?",
            Zone::Mixed => "*",
            Zone::Same(bytes, len) => std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or("*"),
        };
        (self.ways, zone)
    }

    pub(super) fn of_parts(ways: u32, zone: &str) -> MomentForm {
        let zone = match zone {
            "?" => Zone::Unseen,
            "*" => Zone::Mixed,
            text => Zone::of(text.as_bytes()),
        };
        MomentForm { ways: ways & ANY, zone }
    }
}

/// Returns the ways that give the moment's text.
#[inline]
fn ways_of(moment: &Moment<'_>) -> u32 {
    let separator = if moment.separator == b'T' { WITH_T } else { WITH_BLANK };
    let Some(second) = moment.second else {
        return separator | NEVER | UNLESS_ZERO | FRACTIONS;
    };
    let nanos = moment.micros.rem_euclid(1_000_000) * 1000 + moment.nanos;
    let seconds = if second == 0 && nanos == 0 { ALWAYS } else { ALWAYS | UNLESS_ZERO };
    let fraction = match (nanos, moment.n_digits) {
        (0, 0) => FIXED | TRIMMED | ANY_NONE_OR | GROUPS,
        (0, n_digits) => FIXED << n_digits,
        (nanos, n_digits) => {
            let n_least = n_least_digits(nanos);
            let trimmed = if n_least == n_digits { TRIMMED } else { 0 };
            let groups = if n_least.next_multiple_of(3) == n_digits { GROUPS } else { 0 };
            FIXED << n_digits | NONE_OR << n_digits | trimmed | groups
        }
    };
    separator | seconds | fraction
}

/// Returns how many digits the nanoseconds of a second take.
fn n_least_digits(mut nanos: i64) -> usize {
    let mut n_digits = 9;
    while n_digits > 0 && nanos % 10 == 0 {
        nanos /= 10;
        n_digits -= 1;
    }
    n_digits
}

impl MomentStyle {
    /// Appends the moment: microseconds since 1970 and nanoseconds after that.
    pub(super) fn write(&self, out: &mut Vec<u8>, micros: i64, nanos: i64) {
        let local = micros + self.offset_minutes * 60_000_000;
        let start = out.len();
        // `YYYY-MM-DD HH:MM:SS`, without the fraction.
        write_timestamp(out, local - local.rem_euclid(1_000_000));
        out[start + 10] = self.separator as u8;
        let nanos = local.rem_euclid(1_000_000) * 1000 + nanos;
        let is_zero = nanos == 0 && local.rem_euclid(60_000_000) == 0;
        let has_seconds = match self.seconds {
            SecondsStyle::Always => true,
            SecondsStyle::Never => false,
            SecondsStyle::UnlessZero => !is_zero,
        };
        if has_seconds {
            let n_digits = match self.fraction {
                FractionStyle::Fixed(n_digits) => n_digits,
                FractionStyle::Trimmed => n_least_digits(nanos),
                FractionStyle::NoneOr(_) if nanos == 0 => 0,
                FractionStyle::NoneOr(n_digits) => n_digits,
                FractionStyle::Groups => n_least_digits(nanos).next_multiple_of(3),
            };
            if n_digits > 0 {
                out.push(b'.');
                out.extend_from_slice(&format!("{nanos:09}").as_bytes()[..n_digits]);
            }
        } else {
            out.truncate(start + 16);
        }
        out.extend_from_slice(self.zone.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::temporal::moment_of;
    use super::*;
    use proptest::prelude::*;

    /// Returns the style of moments, and what it makes of them.
    fn written(texts: &[&str]) -> Option<Vec<String>> {
        let mut form = MomentForm::default();
        texts.iter().for_each(|text| form.add(&moment_of(text).unwrap()));
        let style = form.style()?;
        let write = |text: &&str| {
            let (mut out, moment) = (Vec::new(), moment_of(text).unwrap());
            style.write(&mut out, moment.micros, moment.nanos);
            String::from_utf8(out).unwrap()
        };
        Some(texts.iter().map(write).collect())
    }

    #[test]
    fn moments_of_one_style_are_written_as_they_came() {
        for texts in [
            ["2026-01-01T00:00:00Z", "2026-01-01T10:20:30Z"],
            ["2026-01-01 00:00:00", "0001-01-01 10:20:30"],
            ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.120Z"],
            ["2026-01-01T00:00:00", "2026-01-01T00:00:00.120000"],
            ["2026-01-01T00:00:00.12Z", "2026-01-01T00:00:00.123456789Z"],
            ["2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123456Z"],
            ["2026-01-01T00:00+05:30", "2026-01-01T03:00+05:30"],
            ["2026-01-01T00:00", "2026-01-01T00:00:01"],
            ["2026-01-01T00:00:00-0800", "1969-12-31T23:59:59-0800"],
        ] {
            assert_eq!(written(&texts).unwrap(), texts);
        }
    }

    #[test]
    fn moments_of_several_styles_have_none() {
        for texts in [
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00"],
            ["2026-01-01T00:00:00Z", "2026-01-01 00:00:00Z"],
            ["2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00+02:00"],
            ["2026-01-01T00:00:00.0Z", "2026-01-01T00:00:00Z"],
            ["2026-01-01T00:00Z", "2026-01-01T00:00:00Z"],
        ] {
            assert_eq!(written(&texts), None, "{texts:?}");
        }
    }

    proptest! {
        #[test]
        fn what_has_a_style_is_written_by_it(
            texts in proptest::collection::vec(
                "20[0-9]{2}-0[1-9]-1[0-9](T| )[01][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?(Z|[+-]0[0-9]:?[0-5][0-9])?",
                1..3,
            ),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            if let Some(written) = written(&texts) {
                prop_assert_eq!(written, texts);
            } else {
                prop_assert!(texts.len() > 1);
            }
        }
    }
}
