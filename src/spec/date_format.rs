//! How moments are written in params: ISO 8601, seconds since 1970, or a strftime format.

use crate::{Error, Result};
use time::format_description::{parse_strftime_owned, BorrowedFormatItem, OwnedFormatItem};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// `Sun, 06 Nov 1994 08:49:37 GMT`
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// What [`DateFormat::parse`] takes, for messages.
pub const DATE_FORMATS: &str = "a strftime format such as '%Y-%m-%d %H:%M', or one of: iso8601, epoch, epoch_ms, http";

/// A way to write a moment in UTC. What a format has no place for, such as fractions of a second, is cut off, never rounded up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Iso8601,
    Day,
    EpochSeconds,
    EpochMillis,
    /// As in the headers of HTTP (RFC 9110), which is always in UTC.
    Http,
    /// What stands between the places of `%f`, the microseconds, which the time library has no directive for.
    Strftime(Vec<OwnedFormatItem>),
}

impl Default for DateFormat {
    fn default() -> DateFormat {
        DateFormat { form: Form::Iso8601 }
    }
}

impl DateFormat {
    /// Parses a format. Fails on an empty one and on directives that are unknown.
    pub fn parse(text: &str) -> Result<DateFormat> {
        let form = match text.trim().to_ascii_lowercase().as_str() {
            "iso8601" | "iso" => Form::Iso8601,
            "epoch" | "epoch_s" => Form::EpochSeconds,
            "epoch_ms" => Form::EpochMillis,
            "http" => Form::Http,
            _ if !text.contains('%') => return Err(Error::config(format!("'{text}' has no date in it; expected {DATE_FORMATS}"))),
            _ => Form::Strftime(strftime(text)?),
        };
        let format = DateFormat { form };
        // Some directives are known only to fail: they need what a moment in UTC does not have.
        format.write_or_fail(0, 0).map(|_| format)
    }

    /// Returns the format of a day, `2024-05-01`.
    pub fn day() -> DateFormat {
        DateFormat { form: Form::Day }
    }

    /// Returns how many microseconds a one is where moments are written as numbers since 1970; `None` where they are texts.
    pub fn number_unit(&self) -> Option<i64> {
        match self.form {
            Form::EpochSeconds => Some(1_000_000),
            Form::EpochMillis => Some(1000),
            Form::Iso8601 | Form::Day | Form::Http | Form::Strftime(_) => None,
        }
    }

    /// Returns the moment as text. `micros` counts from 1970-01-01 00:00:00 UTC; moments beyond the years 1 to 9999 become the nearest
    /// one in them.
    pub fn write(&self, micros: i64) -> String {
        self.write_at(micros, 0)
    }

    /// Returns the moment as text, as clocks show it that are `offset` seconds ahead of UTC.
    pub fn write_at(&self, micros: i64, offset: i64) -> String {
        self.write_or_fail(micros, offset).unwrap_or_default()
    }

    fn write_or_fail(&self, micros: i64, offset: i64) -> Result<String> {
        let micros = micros.clamp(-62_135_596_800_000_000, 253_402_300_799_999_999);
        let failed = |err: &dyn std::fmt::Display| Error::config(format!("the date format cannot be written: {err}"));
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|err| failed(&err))?;
        let offset = UtcOffset::from_whole_seconds(i32::try_from(offset).unwrap_or_default()).unwrap_or(UtcOffset::UTC);
        // Near the first and the last year the clocks of a zone may show a year that cannot be written.
        let moment = moment.checked_to_offset(offset).unwrap_or(moment);
        let pieces = match &self.form {
            Form::EpochSeconds => return Ok(micros.div_euclid(1_000_000).to_string()),
            Form::EpochMillis => return Ok(micros.div_euclid(1000).to_string()),
            Form::Iso8601 => return Ok(iso8601(moment)),
            Form::Day => return Ok(day_text(moment)),
            Form::Http => return moment.to_offset(UtcOffset::UTC).format(HTTP_DATE).map_err(|err| failed(&err)),
            Form::Strftime(pieces) => pieces,
        };
        let written: Result<Vec<String>> = pieces.iter().map(|piece| moment.format(piece).map_err(|err| failed(&err))).collect();
        Ok(written?.join(&format!("{:06}", moment.microsecond())))
    }
}

fn day_text(moment: OffsetDateTime) -> String {
    let date = moment.date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn iso8601(moment: OffsetDateTime) -> String {
    let time = moment.time();
    let (hours, minutes, _) = moment.offset().as_hms();
    let zone = match (moment.offset().is_utc(), moment.offset().is_negative()) {
        (true, _) => "Z".to_string(),
        (false, is_negative) => format!("{}{:02}:{:02}", if is_negative { '-' } else { '+' }, hours.abs(), minutes.abs()),
    };
    format!("{}T{:02}:{:02}:{:02}{zone}", day_text(moment), time.hour(), time.minute(), time.second())
}

/// Parses a strftime format, in pieces around each `%f`.
fn strftime(text: &str) -> Result<Vec<OwnedFormatItem>> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            piece.push(c);
            continue;
        }
        match chars.next() {
            Some('f') => pieces.push(std::mem::take(&mut piece)),
            directive => piece.extend(std::iter::once('%').chain(directive)),
        }
    }
    pieces.push(piece);
    let parsed: std::result::Result<_, _> = pieces.iter().map(|piece| parse_strftime_owned(piece)).collect();
    parsed.map_err(|err| Error::config(format!("'{text}' is not a date format: {err}; expected {DATE_FORMATS}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-05-01 10:20:30.123456 UTC.
    const MOMENT: i64 = 1_714_558_830_123_456;

    fn check(format: &str, expected: &str) {
        assert_eq!(DateFormat::parse(format).unwrap().write(MOMENT), expected, "{format}");
    }

    #[test]
    fn moments_are_written_in_utc_and_cut_off() {
        check("iso8601", "2024-05-01T10:20:30Z");
        check("epoch", "1714558830");
        check("epoch_ms", "1714558830123");
        check("http", "Wed, 01 May 2024 10:20:30 GMT");
        assert_eq!(DateFormat::parse("HTTP").unwrap().write_at(MOMENT, 7200), "Wed, 01 May 2024 10:20:30 GMT");
        check("%Y-%m-%d", "2024-05-01");
        check("%Y-%m-%d %H:%M", "2024-05-01 10:20");
        check("%Y-%m-%dT%H:%M:%S.%fZ", "2024-05-01T10:20:30.123456Z");
        check("%f%%f", "123456%f");
        check("%s", "1714558830");
        check("%d/%m/%y, [%T]", "01/05/24, [10:20:30]");
        assert_eq!(DateFormat::default().write(-1), "1969-12-31T23:59:59Z");
        assert_eq!(DateFormat::parse("epoch").unwrap().write(-1), "-1");
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for format in ["", "YYYY-MM-DD", "ISO 8601", "%Q", "%Y-%"] {
            assert!(DateFormat::parse(format).is_err(), "{format}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_format_or_an_error(text in "[%a-zA-Z0-9 :-]{0,12}", micros in any::<i64>()) {
            if let Ok(format) = DateFormat::parse(&text) {
                prop_assert!(!format.write(micros).is_empty());
            }
        }
    }
}
