//! From where on a refresh asks for updates: cursors, look-backs, and the holes of params that a load fills.

use crate::columns::{date_of, date_text, timestamp_of};
use crate::session::Value;
use crate::spec::{number_of, Cursor, DateFormat, Filled, LoadValues, Lookback, Moment, Updates};
use crate::{Error, Result};
use std::time::Duration;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Covers clocks that differ, and filters that leave out their bound.
const MOMENT_LOOKBACK: Duration = Duration::from_secs(300);

/// The place a cursor has reached: a value of its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CursorValue {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Moment(i64),
    /// Days since 1970-01-01.
    Day(i32),
    Integer(i128),
    Double(f64),
}

impl CursorValue {
    /// Returns a value that a query gave, a date as text; `None` for null, numbers that are none, and other types.
    pub fn of(value: &Value) -> Option<CursorValue> {
        match value {
            Value::Timestamp(micros) => Some(CursorValue::Moment(*micros)),
            Value::Integer(number) => Some(CursorValue::Integer(*number)),
            Value::Double(number) if number.is_finite() => Some(CursorValue::Double(*number)),
            Value::Text(text) => date_of(text).map(CursorValue::Day).or_else(|| timestamp_of(text).map(CursorValue::Moment)),
            _ => None,
        }
    }

    /// Returns where requests begin: the look-back earlier, and no later than the look-back before the last load began, since rows that
    /// changed while it ran may lie on pages it had read. A number is a moment where the `format` writes moments as numbers. Fails when the
    /// look-back does not suit the value.
    pub fn start(self, cursor: &Cursor, format: &DateFormat, last_start: Option<i64>) -> Result<CursorValue> {
        let earliest = |micros: i64| last_start.map_or(micros, |last_start| micros.min(last_start));
        match (self, format.number_unit()) {
            (CursorValue::Moment(micros), _) => Ok(CursorValue::Moment(earliest(micros).saturating_sub(lookback_micros(cursor)))),
            (CursorValue::Day(days), _) => {
                let micros = earliest(i64::from(days) * MICROS_PER_DAY).saturating_sub(lookback_micros(cursor));
                Ok(CursorValue::Day(i32::try_from(micros.div_euclid(MICROS_PER_DAY)).unwrap_or(days)))
            }
            (CursorValue::Integer(number), Some(unit)) => {
                let latest = last_start.map_or(number, |last_start| number.min(i128::from(last_start.div_euclid(unit))));
                Ok(CursorValue::Integer(latest.saturating_sub(i128::from(lookback_units(cursor, unit)))))
            }
            (CursorValue::Double(number), Some(unit)) => {
                let latest = last_start.map_or(number, |last_start| number.min(last_start.div_euclid(unit) as f64));
                Ok(CursorValue::Double(latest - lookback_units(cursor, unit) as f64))
            }
            (CursorValue::Integer(number), None) => Ok(CursorValue::Integer(number.saturating_sub(i128::from(lookback_number(cursor)?)))),
            (CursorValue::Double(number), None) => Ok(CursorValue::Double(number - lookback_number(cursor)? as f64)),
        }
    }

    /// Returns the value for holes.
    fn filled(self, format: &DateFormat) -> Filled {
        match self {
            CursorValue::Moment(micros) => Filled::Moment(Moment::at(micros)),
            CursorValue::Day(days) if *format == DateFormat::default() => Filled::Moment(Moment::day_of(i64::from(days) * MICROS_PER_DAY)),
            CursorValue::Day(days) => Filled::Moment(Moment::at(i64::from(days) * MICROS_PER_DAY)),
            CursorValue::Integer(number) => Filled::integer(number),
            CursorValue::Double(number) => Filled::Json(number_of(&number.to_string())),
        }
    }

    /// Returns the value as requests carry it.
    pub fn to_param(self, format: &DateFormat) -> String {
        match self {
            CursorValue::Moment(micros) => format.write(micros),
            CursorValue::Day(days) if *format == DateFormat::default() => date_text(days),
            CursorValue::Day(days) => format.write(i64::from(days) * MICROS_PER_DAY),
            CursorValue::Integer(number) => number.to_string(),
            CursorValue::Double(number) => number.to_string(),
        }
    }
}

fn lookback_micros(cursor: &Cursor) -> i64 {
    let duration = match cursor.lookback {
        None => MOMENT_LOOKBACK,
        Some(Lookback::Time(duration)) => duration,
        Some(Lookback::Number(seconds)) => Duration::from_secs(seconds),
    };
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Returns the look-back from a number that is a moment, of which a one is `unit` microseconds.
fn lookback_units(cursor: &Cursor, unit: i64) -> u64 {
    match cursor.lookback {
        Some(Lookback::Number(number)) => number,
        None | Some(Lookback::Time(_)) => u64::try_from(lookback_micros(cursor)).unwrap_or_default().div_ceil(unit.unsigned_abs().max(1)),
    }
}

fn lookback_number(cursor: &Cursor) -> Result<u64> {
    match cursor.lookback {
        None => Ok(0),
        Some(Lookback::Number(number)) => Ok(number),
        Some(Lookback::Time(_)) => Err(Error::config(format!(
            "the cursor looks back a length of time, but its column '{}' is a number; give 'lookback' as a number, or 'format: epoch' where the number is a moment",
            cursor.column
        ))),
    }
}

/// What a load knows about time when it fills params.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub now: i64,
    /// When the last load that succeeded began.
    pub last_start: Option<i64>,
}

impl Moments {
    /// Returns what fills the holes of a full load.
    pub fn values(&self, format: &DateFormat) -> LoadValues {
        LoadValues { now: Some(self.now), format: format.clone(), ..LoadValues::default() }
    }

    /// Returns what fills the holes of a refresh.
    pub fn update_values(&self, updates: &Updates, cursor: Option<CursorValue>) -> LoadValues {
        let lookback = i64::try_from(updates.lookback.as_micros()).unwrap_or(i64::MAX);
        LoadValues {
            timestamp: self.last_start.map(|last_start| last_start.saturating_sub(lookback)),
            cursor: cursor.map(|cursor| cursor.filled(&updates.format)),
            ..self.values(&updates.format)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Sources;
    use proptest::prelude::*;

    const DAY: CursorValue = CursorValue::Day(19_844);

    fn cursor(lookback: Option<Lookback>) -> Cursor {
        Cursor { column: "at".into(), param: Some("since".into()), lookback }
    }

    fn moment(text: &str) -> i64 {
        timestamp_of(text).unwrap()
    }

    #[test]
    fn values_come_from_queries() {
        assert_eq!(CursorValue::of(&Value::Timestamp(5)), Some(CursorValue::Moment(5)));
        assert_eq!(CursorValue::of(&Value::Text("2024-05-01".into())), Some(DAY));
        assert_eq!(CursorValue::of(&Value::Integer(7)), Some(CursorValue::Integer(7)));
        for none in [Value::Null, Value::Double(f64::NAN), Value::Text("soon".into()), Value::Boolean(true)] {
            assert_eq!(CursorValue::of(&none), None, "{none:?}");
        }
    }

    #[test]
    fn requests_begin_before_the_greatest_value() {
        let at = CursorValue::Moment(moment("2024-05-01T10:00:00Z"));
        let text = |lookback, last_start| {
            at.start(&cursor(lookback), &DateFormat::default(), last_start).unwrap().to_param(&DateFormat::default())
        };
        assert_eq!(text(None, None), "2024-05-01T09:55:00Z");
        assert_eq!(text(Some(Lookback::Number(1)), None), "2024-05-01T09:59:59Z");
        assert_eq!(text(Some(Lookback::Time(Duration::from_secs(3600))), None), "2024-05-01T09:00:00Z");
        // Never later than when the last load began, however far ahead the rows are.
        let last_start = Some(moment("2024-05-01T09:30:00Z"));
        assert_eq!(text(Some(Lookback::Number(0)), last_start), "2024-05-01T09:30:00Z");
        assert_eq!(text(Some(Lookback::Number(0)), Some(moment("2024-05-01T12:00:00Z"))), "2024-05-01T10:00:00Z");
    }

    #[test]
    fn days_begin_with_the_day_the_lookback_reaches() {
        let text = |lookback| DAY.start(&cursor(lookback), &DateFormat::default(), None).unwrap().to_param(&DateFormat::default());
        assert_eq!(text(Some(Lookback::Number(0))), "2024-05-01");
        assert_eq!(text(None), "2024-04-30");
        assert_eq!(text(Some(Lookback::Time(Duration::from_secs(3 * 86_400)))), "2024-04-28");
        assert_eq!(DAY.to_param(&DateFormat::parse("%Y%m%d").unwrap()), "20240501");
    }

    #[test]
    fn numbers_go_back_by_numbers() {
        let start = |value: CursorValue, lookback| {
            value.start(&cursor(lookback), &DateFormat::default(), Some(0)).map(|value| value.to_param(&DateFormat::default()))
        };
        assert_eq!(start(CursorValue::Integer(41), None).unwrap(), "41");
        assert_eq!(start(CursorValue::Integer(41), Some(Lookback::Number(2))).unwrap(), "39");
        assert_eq!(start(CursorValue::Double(1.5), Some(Lookback::Number(1))).unwrap(), "0.5");
        let err = start(CursorValue::Integer(1), Some(Lookback::Time(Duration::from_secs(1)))).unwrap_err();
        assert!(err.message().contains("its column 'at' is a number"), "{err}");
    }

    #[test]
    fn numbers_that_are_moments_begin_no_later_than_the_last_load() {
        let last_start = moment("2024-05-01T10:00:00Z");
        let text = |value: CursorValue, format: &str, lookback| {
            value.start(&cursor(lookback), &DateFormat::parse(format).unwrap(), Some(last_start)).unwrap().to_param(&DateFormat::default())
        };
        // Seconds and milliseconds of that moment: 1714557600.
        let far = CursorValue::Integer(4_102_444_800_000);
        assert_eq!(text(far, "epoch", Some(Lookback::Number(0))), "1714557600");
        assert_eq!(text(far, "epoch", Some(Lookback::Number(7))), "1714557593");
        assert_eq!(text(far, "epoch", None), "1714557300");
        assert_eq!(text(far, "epoch_ms", None), "1714557300000");
        assert_eq!(text(far, "epoch_ms", Some(Lookback::Time(Duration::from_secs(60)))), "1714557540000");
        assert_eq!(text(CursorValue::Double(4e9), "epoch", None), "1714557300");
        assert_eq!(text(CursorValue::Integer(1_714_000_000), "epoch", Some(Lookback::Number(0))), "1714000000");
        assert_eq!(text(far, "iso8601", None), "4102444800000");
    }

    #[test]
    fn holes_are_filled() {
        let updates = Updates {
            full_every: None,
            sync_token: None,
            params: Vec::new(),
            lookback: Duration::from_secs(3600),
            cursor: Some(cursor(None)),
            overwrite: None,
            format: DateFormat::parse("%Y-%m-%d %H:%M").unwrap(),
        };
        let moments = Moments { now: moment("2024-05-03T07:08:09Z"), last_start: Some(moment("2024-05-02T00:30:00Z")) };
        let text = |values: &LoadValues, name: &str| values.value_of(name).map(|value| value.to_text(&values.format).unwrap().unwrap());
        let check = |values: &LoadValues, name: &str, expected: Option<&str>| assert_eq!(text(values, name).as_deref(), expected, "{name}");
        let of_updates = moments.update_values(&updates, Some(DAY));
        check(&of_updates, "timestamp", Some("2024-05-01 23:30"));
        check(&of_updates, "timestamp_day", Some("2024-05-01"));
        check(&of_updates, "today", Some("2024-05-03"));
        check(&of_updates, "now", Some("2024-05-03 07:08"));
        check(&of_updates, "cursor", Some("2024-05-01 00:00"));
        check(&of_updates, "other", None);
        let of_load = moments.values(&DateFormat::default());
        check(&of_load, "today", Some("2024-05-03"));
        check(&of_load, "timestamp", None);
        check(&Moments { last_start: None, ..moments }.update_values(&updates, None), "timestamp", None);
    }

    proptest! {
        /// The law that nothing is lost: requests never begin after the greatest value, nor after the last load began.
        #[test]
        fn requests_begin_early_enough(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000, last_start: Option<u32>, seconds: u16) {
            let last_start = last_start.map(|seconds| i64::from(seconds) * 1_000_000);
            let start = CursorValue::Moment(micros).start(&cursor(Some(Lookback::Number(seconds.into()))), &DateFormat::default(), last_start).unwrap();
            let CursorValue::Moment(start) = start else { panic!("{start:?}") };
            prop_assert!(start <= micros - i64::from(seconds) * 1_000_000);
            prop_assert!(last_start.is_none_or(|last_start| start <= last_start));
        }

        #[test]
        fn what_is_written_is_never_later(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            for format in ["iso8601", "epoch", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%fZ"] {
                let text = CursorValue::Moment(micros).to_param(&DateFormat::parse(format).unwrap());
                let read = match text.parse::<i64>() {
                    Ok(seconds) => seconds * 1_000_000,
                    Err(_) => timestamp_of(&text).unwrap(),
                };
                prop_assert!(read <= micros, "{text}");
            }
        }
    }
}
