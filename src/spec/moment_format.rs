//! How moments are written in answers: numbers since 1970, or a strftime format.

use crate::{Error, Result};
use time::format_description::{parse_strftime_owned, Component, OwnedFormatItem};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// What [`MomentFormat::parse`] takes, for messages.
pub const MOMENT_FORMATS: &str =
    "a strftime format with a day, such as '%d.%m.%Y %H:%M', or one of: epoch, epoch_ms, epoch_us, epoch_ns, json_date";

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;
/// Digits of a second that are kept.
const N_DIGITS: usize = 9;
/// A moment whose parts are all different: 2013-12-25 17:45:56 UTC.
const SAMPLE: i64 = 1_387_993_556;

/// A way in which moments are written.
#[derive(Debug, Clone, PartialEq)]
pub struct MomentFormat {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// Ones of so many nanoseconds since 1970.
    Epoch(i128),
    /// `/Date(1573755038314+0100)/`: milliseconds since 1970, and a zone that does not change the moment.
    JsonDate,
    Strftime(OwnedFormatItem, Parts),
}

/// What a strftime format tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// The day, the time and the zone.
    Zoned,
    /// The day and the time, which is in UTC.
    Timed,
    Day,
}

impl MomentFormat {
    /// Parses a format. Fails on directives that are unknown, and on a format that leaves the day open.
    pub fn parse(text: &str) -> Result<MomentFormat> {
        let form = match text.trim().to_ascii_lowercase().as_str() {
            "epoch" | "epoch_s" => Form::Epoch(SECOND),
            "epoch_ms" => Form::Epoch(SECOND / 1000),
            "epoch_us" => Form::Epoch(SECOND / 1_000_000),
            "epoch_ns" => Form::Epoch(1),
            "json_date" => Form::JsonDate,
            _ => strftime(text)?,
        };
        Ok(MomentFormat { text: text.to_string(), form })
    }

    /// Returns the format as the spec has it.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// Returns the seconds since 1970, and the nanoseconds of that second, that a text or the digits of a number say. `None` when it is not
    /// written so.
    pub fn read(&self, text: &str) -> Option<(i64, i64)> {
        let nanos = match &self.form {
            Form::Epoch(unit) => nanos_of(text.trim(), *unit)?,
            Form::JsonDate => json_date_nanos(text.trim())?,
            Form::Strftime(format, parts) => moment_of(text.trim(), format, *parts)?.unix_timestamp_nanos(),
        };
        Some((i64::try_from(nanos.div_euclid(SECOND)).ok()?, i64::try_from(nanos.rem_euclid(SECOND)).ok()?))
    }
}

/// Returns the nanoseconds that a decimal number of units says. What is shorter than a nanosecond is cut off.
fn nanos_of(text: &str, unit: i128) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && whole.len() <= 20 && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(N_DIGITS).collect();
    let parts: i128 = kept.parse().ok()?;
    Some(sign * (whole.parse::<i128>().ok()? * unit + parts * unit / SECOND))
}

/// Returns the nanoseconds that `/Date(1573755038314+0100)/` says, with or without a zone.
fn json_date_nanos(text: &str) -> Option<i128> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    // A sign in front belongs to the number.
    let zone_at = inner.get(1..)?.find(['+', '-']).map_or(inner.len(), |idx| idx + 1);
    let (millis, zone) = inner.split_at(zone_at);
    let is_zone = zone.is_empty() || zone.len() == 5 && zone[1..].bytes().all(|byte| byte.is_ascii_digit());
    (is_zone && !millis.contains('.')).then(|| nanos_of(millis, SECOND / 1000)).flatten()
}

fn moment_of(text: &str, format: &OwnedFormatItem, parts: Parts) -> Option<OffsetDateTime> {
    match parts {
        Parts::Zoned => OffsetDateTime::parse(text, format).ok(),
        Parts::Timed => PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc),
        Parts::Day => Date::parse(text, format).ok().map(|day| day.midnight().assume_utc()),
    }
}

/// Parses a strftime format, whose `%f` is a fraction of any number of digits.
fn strftime(text: &str) -> Result<Form> {
    let wrong = |why: &dyn std::fmt::Display| Error::config(format!("'{text}' is not a format: {why}; expected {MOMENT_FORMATS}"));
    let mut items = Vec::new();
    let fraction = OwnedFormatItem::Component(Component::Subsecond(time::format_description::modifier::Subsecond::default()));
    for (idx, piece) in pieces_of(text).iter().enumerate() {
        if idx > 0 {
            items.push(fraction.clone());
        }
        items.push(parse_strftime_owned(piece).map_err(|err| wrong(&err))?);
    }
    let format = OwnedFormatItem::Compound(items.into());
    let sample = OffsetDateTime::from_unix_timestamp(SAMPLE).map_err(|err| wrong(&err))?;
    let written = sample.format(&format).map_err(|err| wrong(&err))?;
    let told = [Parts::Zoned, Parts::Timed, Parts::Day].into_iter().find(|parts| moment_of(&written, &format, *parts).is_some());
    told.map(|parts| Form::Strftime(format, parts)).ok_or_else(|| wrong(&"it does not tell the year, the month and the day"))
}

/// Returns what stands between the places of `%f`.
fn pieces_of(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let directive = if c == '%' { chars.next() } else { None };
        if directive == Some('f') {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(c);
            piece.extend(directive);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(format: &str, text: &str) -> Option<(i64, i64)> {
        MomentFormat::parse(format).unwrap().read(text)
    }

    #[test]
    fn numbers_since_1970_are_moments() {
        assert_eq!(read("epoch", "1714558830"), Some((1_714_558_830, 0)));
        assert_eq!(read("epoch", " 1714558830.25 "), Some((1_714_558_830, 250_000_000)));
        assert_eq!(read("epoch_ms", "1714558830123"), Some((1_714_558_830, 123_000_000)));
        assert_eq!(read("epoch_ms", "-1"), Some((-1, 999_000_000)));
        assert_eq!(read("epoch_ms", "1.5"), Some((0, 1_500_000)));
        assert_eq!(read("epoch_us", "1"), Some((0, 1000)));
        assert_eq!(read("EPOCH_NS", "1714558830123456789"), Some((1_714_558_830, 123_456_789)));
        for text in ["", "-", "x", "1e9", "1.2.3", "+1", "0x1", "2024-01-01", "123456789012345678901234567890"] {
            assert_eq!(read("epoch", text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_read_by_their_format() {
        assert_eq!(read("%d.%m.%Y", "01.05.2024"), Some((1_714_521_600, 0)));
        assert_eq!(read("%d.%m.%Y %H:%M", "01.05.2024 10:20"), Some((1_714_558_800, 0)));
        assert_eq!(read("%Y%m%dT%H%M%S.%f", "20240501T102030.123456"), Some((1_714_558_830, 123_456_000)));
        assert_eq!(read("%Y-%m-%d %H:%M:%S %z", "2024-05-01 12:20:30 +0200"), Some((1_714_558_830, 0)));
        assert_eq!(read("%b %d, %Y %I:%M %p", "May 01, 2024 10:20 PM"), Some((1_714_602_000, 0)));
        for text in ["", "1.5.2024x", "32.05.2024", "30.02.2024", "2024-05-01"] {
            assert_eq!(read("%d.%m.%Y", text), None, "{text}");
        }
    }

    #[test]
    fn texts_of_dates_in_json_are_moments() {
        assert_eq!(read("json_date", "/Date(1573755038314)/"), Some((1_573_755_038, 314_000_000)));
        assert_eq!(read("json_date", " /Date(1573755038314+0000)/ "), Some((1_573_755_038, 314_000_000)));
        // The zone is where the moment was written down.
        assert_eq!(read("JSON_DATE", "/Date(1700000000000+0100)/"), Some((1_700_000_000, 0)));
        assert_eq!(read("json_date", "/Date(-1-0530)/"), Some((-1, 999_000_000)));
        assert_eq!(read("json_date", "/Date(0)/"), Some((0, 0)));
        let wrong =
            ["", "/Date()/", "/Date(x)/", "/Date(1.5)/", "/Date(1+01)/", "/Date(1+01:00)/", "/Date(1+abcd)/", "/Date(é)/", "/Date(+1)/"];
        for text in wrong.into_iter().chain(["Date(1)", "/Date(1", "/Date(--1)/", "/Date(1)/x", "1573755038314", "2024-01-01T00:00:00"]) {
            assert_eq!(read("json_date", text), None, "{text}");
        }
    }

    #[test]
    fn a_format_tells_the_day() {
        for format in ["", "x", "%H:%M", "%m/%Y", "%Q", "%Y-%", "iso8601"] {
            assert!(MomentFormat::parse(format).is_err(), "{format}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(format in "[%a-zA-Z0-9 :./-]{0,12}|%[a-zA-Z]%m%d|epoch(_ms)?|json_date", text in "[0-9:./ -]{0,24}|.{0,9}|/Date\\([0-9+.-]{0,9}\\)/|/Date\\(.{0,3}\\)/") {
            if let Ok(format) = MomentFormat::parse(&format) {
                let _ = format.read(&text);
            }
        }

        /// The law: each moment is read as it was written.
        #[test]
        fn moments_are_read_as_they_were_written(seconds in -62_000_000_000_i64..250_000_000_000) {
            let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let written = moment.format(&parse_strftime_owned("%Y/%m/%d %H:%M:%S").unwrap()).unwrap();
            prop_assert_eq!(read("%Y/%m/%d %H:%M:%S", &written), Some((seconds, 0)));
            prop_assert_eq!(read("epoch", &seconds.to_string()), Some((seconds, 0)));
        }
    }
}
