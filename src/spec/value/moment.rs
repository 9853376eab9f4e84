//! Moments and days that fill holes: moved by lengths of time, seen from a time zone.

use super::zone::Zone;
use crate::spec::DateFormat;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A moment, or the day that it lies in.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    micros: i64,
    /// How far it is moved, in microseconds.
    shift: i64,
    kind: Kind,
    /// Whose clocks are read; `None` for UTC.
    zone: Option<Zone>,
}

/// What is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Moment,
    /// The day that the moment lies in, which the zone tells: its first moment.
    DayOfMoment,
    /// The day of the calendar that begins with the moment in UTC, and in a zone when its clocks show that.
    Date,
}

impl Moment {
    /// Returns a moment, in microseconds since 1970.
    pub fn at(micros: i64) -> Moment {
        Moment { micros, shift: 0, kind: Kind::Moment, zone: None }
    }

    /// Returns the day that a moment lies in.
    pub fn day_of(micros: i64) -> Moment {
        Moment { kind: Kind::DayOfMoment, ..Moment::at(micros) }
    }

    /// Returns the day of the calendar that begins at a moment in UTC; it is the same day in all zones.
    pub fn of_date(micros: i64) -> Moment {
        Moment { kind: Kind::Date, ..Moment::at(micros) }
    }

    /// Returns what a text in ISO 8601 says; without a zone it is taken to be in UTC. `None` for other texts.
    pub fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
            return Some(Moment::day_of(micros_of(day.midnight().assume_utc())?));
        }
        let text = text.replacen(' ', "T", 1);
        if let Ok(moment) = OffsetDateTime::parse(&text, &Rfc3339) {
            return Some(Moment::at(micros_of(moment)?));
        }
        let forms = [
            format_description!("[year]-[month]-[day]T[hour]:[minute]"),
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]"),
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond]"),
        ];
        let moment = forms.iter().find_map(|form| PrimitiveDateTime::parse(&text, form).ok())?;
        Some(Moment::at(micros_of(moment.assume_utc())?))
    }

    /// Returns the moment moved by so many microseconds.
    #[must_use]
    pub fn moved(self, micros: i64) -> Moment {
        Moment { shift: self.shift.saturating_add(micros), ..self }
    }

    /// Returns the moment as the clocks of a zone show it.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Moment {
        Moment { zone: Some(zone), ..self }
    }

    /// Returns the text of a format.
    pub fn written(&self, format: &DateFormat) -> String {
        let micros = self.micros();
        format.write_at(micros, self.offset_at(micros))
    }

    /// Returns the text it has where no format is named: a day is its date.
    pub fn text(&self, format: &DateFormat) -> String {
        match self.kind {
            Kind::Moment => self.written(format),
            Kind::DayOfMoment | Kind::Date => self.written(&DateFormat::day()),
        }
    }

    /// Returns whether it is written as a number where no format is named.
    pub fn is_number(&self, format: &DateFormat) -> bool {
        self.kind == Kind::Moment && format.number_unit().is_some()
    }

    /// Returns the microseconds since 1970. Days are moved by the calendar, which daylight saving does not change.
    pub fn micros(&self) -> i64 {
        let Some(midnight) = self.day() else { return self.micros.saturating_add(self.shift) };
        let about = midnight.saturating_sub(self.offset_at(midnight) * MICROS_PER_SECOND);
        let start = midnight.saturating_sub(self.offset_at(about) * MICROS_PER_SECOND);
        start.saturating_add(self.shift.rem_euclid(MICROS_PER_DAY))
    }

    /// Returns the day it is, by the microseconds of its first moment in UTC; `None` where it is not a whole day.
    pub fn date(&self) -> Option<i64> {
        self.day().filter(|_| self.shift % MICROS_PER_DAY == 0)
    }

    fn day(&self) -> Option<i64> {
        let local = match self.kind {
            Kind::Moment => return None,
            Kind::DayOfMoment => self.micros.saturating_add(self.offset_at(self.micros) * MICROS_PER_SECOND),
            Kind::Date => self.micros,
        };
        let day = local.div_euclid(MICROS_PER_DAY).saturating_add(self.shift.div_euclid(MICROS_PER_DAY));
        Some(day.saturating_mul(MICROS_PER_DAY))
    }

    fn offset_at(&self, micros: i64) -> i64 {
        self.zone.as_ref().map_or(0, |zone| zone.offset_at(micros.div_euclid(MICROS_PER_SECOND)))
    }
}

fn micros_of(moment: OffsetDateTime) -> Option<i64> {
    i64::try_from(moment.unix_timestamp_nanos() / 1000).ok()
}
