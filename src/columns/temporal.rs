//! Dates and timestamps: strict ISO 8601 to the numbers DuckDB stores, and back to the text DuckDB writes.

use std::io::Write as _;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// 0001-01-01, in days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
/// 9999-12-31, in days since 1970-01-01.
const LAST_DAY: i64 = 2_932_896;

/// Returns the days since 1970-01-01 of a `YYYY-MM-DD` text; `None` for anything else, and for days the calendar lacks.
#[inline]
pub fn date_of(text: &str) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    date_of_bytes(bytes)
}

/// A date and time, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment<'t> {
    /// Microseconds since 1970-01-01 00:00:00 UTC, rounded down.
    pub(super) micros: i64,
    /// Nanoseconds after that.
    pub(super) nanos: i64,
    /// What stands between date and time.
    pub(super) separator: u8,
    /// The seconds; `None` when it has none.
    pub(super) second: Option<i64>,
    /// Digits of the fraction.
    pub(super) n_digits: usize,
    /// `Z`, an offset, or nothing.
    pub(super) zone: &'t [u8],
}

/// Returns the microseconds since 1970-01-01 00:00:00 UTC of an ISO 8601 date and time, rounded down; otherwise as `moment_of`.
#[inline]
pub fn timestamp_of(text: &str) -> Option<i64> {
    moment_of(text).map(|moment| moment.micros)
}

/// Reads an ISO 8601 date and time.
///
/// `T` or a blank separates them; seconds are optional, so is a fraction of 1 to 9 digits; `Z`, `+hh:mm`, `+hhmm` or `+hh` may
/// follow, and without one the time is UTC. `None` for anything else, for what calendar and clock lack, and for years beyond 1 to
/// 9999.
#[inline]
pub(super) fn moment_of(text: &str) -> Option<Moment<'_>> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_first_chunk::<10>()?;
    let (time, rest) = rest.split_first_chunk::<6>()?;
    if !matches!(time[0], b'T' | b' ') || time[3] != b':' {
        return None;
    }
    let days = i64::from(date_of_bytes(date)?);
    let (hour, minute) = (two_digits(time[1], time[2])?, two_digits(time[4], time[5])?);
    let seconds = seconds_of(rest)?;
    let second = seconds.second.unwrap_or(0);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset_minutes = offset_of(seconds.rest)?;
    let in_seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    let micros = days * MICROS_PER_DAY + in_seconds * MICROS_PER_SECOND + seconds.nanos / 1000;
    let day = micros.div_euclid(MICROS_PER_DAY);
    (FIRST_DAY..=LAST_DAY).contains(&day).then_some(Moment {
        micros,
        nanos: seconds.nanos % 1000,
        separator: time[0],
        second: seconds.second,
        n_digits: seconds.n_digits,
        zone: seconds.rest,
    })
}

#[inline]
fn date_of_bytes(bytes: &[u8; 10]) -> Option<i32> {
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = two_digits(bytes[0], bytes[1])? * 100 + two_digits(bytes[2], bytes[3])?;
    let (month, day) = (two_digits(bytes[5], bytes[6])?, two_digits(bytes[8], bytes[9])?);
    date_of_parts(year, month, day)
}

/// Returns the days since 1970-01-01; `None` for days the calendar lacks, and for years beyond 1 to 9999.
#[inline]
pub(super) fn date_of_parts(year: i64, month: i64, day: i64) -> Option<i32> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

/// What follows the minutes.
struct Seconds<'t> {
    second: Option<i64>,
    nanos: i64,
    n_digits: usize,
    rest: &'t [u8],
}

/// Reads `:ss` and `.fraction`, both optional.
#[inline]
fn seconds_of(bytes: &[u8]) -> Option<Seconds<'_>> {
    let [b':', tens, ones, rest @ ..] = bytes else {
        return Some(Seconds { second: None, nanos: 0, n_digits: 0, rest: bytes });
    };
    let second = Some(two_digits(*tens, *ones)?);
    let [b'.', rest @ ..] = rest else {
        return Some(Seconds { second, nanos: 0, n_digits: 0, rest });
    };
    let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&n_digits) {
        return None;
    }
    let mut nanos = 0;
    for digit in rest[..n_digits].iter().chain(b"00000000").take(9) {
        nanos = nanos * 10 + i64::from(digit - b'0');
    }
    Some(Seconds { second, nanos, n_digits, rest: &rest[n_digits..] })
}

/// Returns the minutes east of UTC.
#[inline]
pub(super) fn offset_of(bytes: &[u8]) -> Option<i64> {
    let (sign, digits) = match bytes {
        [] | b"Z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [a, b] => (two_digits(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two_digits(a, b)?, two_digits(c, d)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in eras of 400 years that start on the 1st of March, so that a leap day ends its year.
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Returns the date as DuckDB writes it: `YYYY-MM-DD`.
pub fn date_text(days: i32) -> String {
    let mut out = Vec::with_capacity(10);
    write_date(&mut out, days);
    String::from_utf8(out).unwrap_or_default()
}

/// Returns the timestamp as DuckDB writes it: `YYYY-MM-DD HH:MM:SS[.ffffff]`, without zeros at the fraction's end.
pub fn timestamp_text(micros: i64) -> String {
    let mut out = Vec::with_capacity(26);
    write_timestamp(&mut out, micros);
    String::from_utf8(out).unwrap_or_default()
}

pub(super) fn write_date(out: &mut Vec<u8>, days: i32) {
    let (year, month, day) = civil_from_days(i64::from(days));
    // Writing to memory does not fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// Appends the timestamp as DuckDB writes it.
pub(super) fn write_timestamp(out: &mut Vec<u8>, micros: i64) {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let rest = micros.rem_euclid(MICROS_PER_DAY);
    write_date(out, days as i32);
    let (seconds, fraction) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
    let _ = write!(out, " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        let _ = write!(out, ".{fraction:06}");
        out.truncate(out.iter().rposition(|&byte| byte != b'0').map_or(0, |idx| idx + 1));
    }
}

/// Returns the date in ISO 8601; `None` for years beyond 1 to 9999, which it writes otherwise, and for infinity.
pub fn iso_date(days: i32) -> Option<String> {
    (FIRST_DAY..=LAST_DAY).contains(&i64::from(days)).then(|| date_text(days))
}

/// Returns the time of the day in ISO 8601: `HH:MM:SS[.ffffff]`.
pub fn iso_time(micros: i64) -> String {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{time}{}", fraction_text(micros.rem_euclid(MICROS_PER_SECOND) * 1000))
}

/// Returns the moment in ISO 8601, in UTC: `YYYY-MM-DDTHH:MM:SS[.fffffffff]Z`. `nanos` are those of the second. `None` as for
/// [`iso_date`].
pub fn iso_timestamp(seconds: i64, nanos: i64) -> Option<String> {
    let date = iso_date(i32::try_from(seconds.div_euclid(86_400)).ok()?)?;
    let time = iso_time(seconds.rem_euclid(86_400) * MICROS_PER_SECOND);
    Some(format!("{date}T{time}{}Z", fraction_text(nanos)))
}

/// Returns `.ffffff` without zeros at its end; empty for none.
fn fraction_text(nanos: i64) -> String {
    match nanos {
        0 => String::new(),
        nanos => format!(".{nanos:09}").trim_end_matches('0').to_string(),
    }
}

/// Returns midnight at the start of the day.
pub(super) fn timestamp_of_date(days: i32) -> i64 {
    i64::from(days) * MICROS_PER_DAY
}

/// Returns the day the timestamp falls on.
pub(super) fn date_of_timestamp(micros: i64) -> i32 {
    micros.div_euclid(MICROS_PER_DAY) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_iso_8601() {
        assert_eq!(iso_timestamp(1_795_305_600, 0).as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(iso_timestamp(-1, 500_000_000).as_deref(), Some("1969-12-31T23:59:59.5Z"));
        assert_eq!(iso_timestamp(0, 123_456_789).as_deref(), Some("1970-01-01T00:00:00.123456789Z"));
        assert_eq!(iso_timestamp(i64::MAX / 1_000_000, 0), None);
        assert_eq!((iso_date(0).as_deref(), iso_date(i32::MAX), iso_date(-i32::MAX)), (Some("1970-01-01"), None, None));
        assert_eq!((iso_time(0).as_str(), iso_time(45_296_000_100).as_str()), ("00:00:00", "12:34:56.0001"));
        assert_eq!(iso_time(86_400_000_000), "24:00:00");
    }
}
