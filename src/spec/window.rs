//! Windows: a range of time or of numbers, cut into parts that are asked for one by one.

use super::{DateFormat, Filled, Hole, Moment, ParamValue, Sources};
use crate::document::JsonValue;
use crate::{Error, Result};
use time::{Date, Month};

/// Most windows of one range: beyond it the step is not what the spec's author meant.
pub const MOST_WINDOWS: i64 = 100_000;

const SECOND: i64 = 1_000_000;
const DAY: i64 = WindowDef::DAY;
/// The day that the Julian day number of the time library counts 1970-01-01 as.
const EPOCH_DAY: i64 = 2_440_588;
/// Positions lie within these, so that no difference of two overflows.
const FARTHEST: i64 = 1 << 61;
/// Lengths of time by which ways to write moments differ: up to a day, then a month and a year.
const GRAINS: [i64; 8] = [1, 1000, SECOND, 60 * SECOND, 3600 * SECOND, DAY, 31 * DAY, 366 * DAY];
/// 2024-03-15 10:20:30.123456 UTC: no length but a month and a year takes it to a new day, month or year by chance.
const SAMPLE: i64 = 1_710_498_030_123_456;

/// How a range is cut.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowDef {
    pub start: ParamValue,
    pub end: ParamValue,
    pub step: Step,
    pub ends: Ends,
    /// The smallest step of the API, in microseconds or numbers, where the spec says it.
    pub unit: Option<i64>,
    /// How far each window reaches back into the one before, in microseconds or numbers.
    pub overlap: i64,
}

/// How long a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Microseconds.
    Time(i64),
    Months(i64),
    Number(i64),
}

/// Whether the API counts the end of a window as part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ends {
    /// The next window starts where this one ends.
    #[default]
    Exclusive,
    /// The next window starts a unit later.
    Inclusive,
}

/// What positions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Moments,
    /// Days of the calendar, each by the microseconds of its first moment in UTC.
    Days,
    Numbers,
}

/// What is cut: `end` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowRange {
    pub scale: Scale,
    pub start: i64,
    pub end: i64,
    ends: Ends,
    overlap: i64,
    /// What lies between the end of a window and the start of the next one, where ends are inclusive.
    unit: i64,
    /// The least that tells two positions apart as they are written.
    grain: i64,
}

/// A part of a range: `end` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    range: WindowRange,
    pub start: i64,
    pub end: i64,
}

/// A bound of a range.
#[derive(Clone, Copy)]
struct Bound {
    at: i64,
    /// The day it is, where it is one.
    day: Option<i64>,
}

impl WindowDef {
    /// The microseconds of a day.
    pub const DAY: i64 = 86_400_000_000;

    /// Returns the range, the holes of its bounds filled from `sources`. `written` is the least that the requests tell apart. Fails when a
    /// bound has no value, or one that does not go with the step.
    pub fn range(&self, sources: &dyn Sources, written: impl Fn(Scale) -> i64) -> Result<WindowRange> {
        let bound = |key: &str, value: &ParamValue| {
            let filled = match value {
                ParamValue::Template(template) => template.value(sources)?,
                value => value.filled(),
            };
            self.bound(filled).map_err(|err| Error::new(err.kind(), format!("'{key}' of the window {}", err.message())))
        };
        let (start, end) = (bound("start", &self.start)?, bound("end", &self.end)?);
        let are_days = self.step.is_whole_days() && [self.unit.unwrap_or(DAY), self.overlap].iter().all(|length| length % DAY == 0);
        let (scale, start, end) = match (self.step, start.day, end.day) {
            (Step::Number(_), _, _) => (Scale::Numbers, start.at, end.at),
            (_, Some(start), Some(end)) if are_days => (Scale::Days, start, end),
            _ => (Scale::Moments, start.at, end.at),
        };
        let least = if scale == Scale::Days { DAY } else { 1 };
        let written = written(scale).max(least);
        let unit = self.unit.unwrap_or(if scale == Scale::Numbers { 1 } else { written.min(DAY) });
        let end = if self.ends == Ends::Inclusive { end.saturating_add(unit) } else { end };
        Ok(WindowRange { scale, start, end, ends: self.ends, overlap: self.overlap, unit, grain: unit.max(written) })
    }

    fn bound(&self, filled: Option<Filled>) -> Result<Bound> {
        let is_number = matches!(self.step, Step::Number(_));
        let filled = filled.filter(|filled| !filled.is_null());
        let filled = filled.ok_or_else(|| Error::config("has no value; give the option or param that fills it one, or write a default"))?;
        let bound = match &filled {
            Filled::Moment(moment) if !is_number => Some(Bound::of(moment)),
            Filled::Json(JsonValue::String(text)) if !is_number => Moment::parse(text).as_ref().map(Bound::of),
            Filled::Json(JsonValue::String(text)) => text.trim().parse().ok().map(|at| Bound { at, day: None }),
            Filled::Json(JsonValue::Number(number)) if is_number => number.to_string().parse().ok().map(|at| Bound { at, day: None }),
            _ => None,
        };
        bound.filter(|bound| bound.at.abs() < FARTHEST).ok_or_else(|| {
            let shown = filled.into_json(&DateFormat::default());
            Error::config(match is_number {
                true => format!(
                    "is {shown}; the step is a number, so expected a whole number, or write the step as a length of time such as '1d'"
                ),
                false => {
                    format!("is {shown}; expected a moment such as '2024-05-01' or '2024-05-01T10:00:00Z', or write the step as a number")
                }
            })
        })
    }

    /// Returns bounds of the kind that windows have, for a request that is only shown.
    pub fn sample(&self, now: i64) -> [Filled; 2] {
        let bound = match self.step {
            Step::Number(_) => Filled::integer(0),
            Step::Time(_) | Step::Months(_) => Filled::Moment(Moment::at(now)),
        };
        [bound.clone(), bound]
    }

    /// Fails where a bound without holes does not go with the step.
    pub fn check_bounds(&self) -> Result<()> {
        for (key, value) in [("start", &self.start), ("end", &self.end)] {
            if value.templates().is_empty() {
                self.bound(value.filled()).map_err(|err| Error::config(format!("'{key}' {}", err.message())))?;
            }
        }
        Ok(())
    }

    /// Returns the windows of a range, the first one first. Fails when there are more than 100,000.
    pub fn windows(&self, range: WindowRange) -> Result<Vec<Window>> {
        let mut windows = Vec::new();
        let mut start = range.start;
        for idx in 1.. {
            if start >= range.end {
                break;
            }
            if idx > MOST_WINDOWS {
                return Err(Error::config(format!("the window's range makes more than {MOST_WINDOWS} windows; write a longer 'step'")));
            }
            let end = self.step.nth(range.start, idx).min(range.end);
            windows.push(Window { range, start, end });
            start = end;
        }
        Ok(windows)
    }

    /// Returns where the last window of a range ends that is as long as the step says.
    pub fn complete_until(&self, range: WindowRange) -> i64 {
        let ends = (1..=MOST_WINDOWS).map(|idx| self.step.nth(range.start, idx));
        ends.take_while(|end| *end <= range.end).last().unwrap_or(range.start)
    }
}

impl Bound {
    fn of(moment: &Moment) -> Bound {
        Bound { at: moment.micros(), day: moment.date() }
    }
}

impl Step {
    fn is_whole_days(self) -> bool {
        match self {
            Step::Time(micros) => micros % DAY == 0,
            Step::Months(_) => true,
            Step::Number(_) => false,
        }
    }

    /// Returns the position so many steps behind another. By the calendar, the 31st becomes the last day of a shorter month.
    fn nth(self, start: i64, n_steps: i64) -> i64 {
        match self {
            Step::Time(length) | Step::Number(length) => start.saturating_add(length.saturating_mul(n_steps)),
            Step::Months(months) => months_later(start, months.saturating_mul(n_steps)).unwrap_or(i64::MAX),
        }
    }

    /// Returns the shortest that the step is.
    pub fn shortest(self) -> i64 {
        match self {
            Step::Time(length) | Step::Number(length) => length,
            Step::Months(months) => months.saturating_mul(31 * DAY),
        }
    }
}

fn months_later(micros: i64, months: i64) -> Option<i64> {
    let date = Date::from_julian_day(i32::try_from(micros.div_euclid(DAY) + EPOCH_DAY).ok()?).ok()?;
    let month = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + months;
    let (year, month) = (i32::try_from(month.div_euclid(12)).ok()?, Month::try_from(month.rem_euclid(12) as u8 + 1).ok()?);
    let later = Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()?;
    Some((i64::from(later.to_julian_day()) - EPOCH_DAY) * DAY + micros.rem_euclid(DAY))
}

impl WindowRange {
    /// Returns texts of the bounds.
    pub fn bound_names(&self) -> [String; 2] {
        [self.start, self.end].map(|at| self.name(at))
    }

    fn name(&self, at: i64) -> String {
        let shown = |moment: Moment| moment.text(&DateFormat::default());
        match self.scale {
            Scale::Numbers => at.to_string(),
            Scale::Days => shown(Moment::of_date(at)),
            Scale::Moments if at % SECOND == 0 => shown(Moment::at(at)),
            Scale::Moments => format!("{}+{}", shown(Moment::at(at)), at.rem_euclid(SECOND)),
        }
    }

    fn filled(&self, at: i64) -> Filled {
        match self.scale {
            Scale::Moments => Filled::Moment(Moment::at(at)),
            Scale::Days => Filled::Moment(Moment::of_date(at)),
            Scale::Numbers => Filled::integer(at),
        }
    }
}

impl Window {
    /// Returns what its positions count.
    pub fn scale(&self) -> Scale {
        self.range.scale
    }

    /// Returns the first and the last position, as the API counts them.
    pub fn bounds(&self) -> [Filled; 2] {
        let unit = if self.range.ends == Ends::Inclusive { self.range.unit } else { 0 };
        let start = self.start.saturating_sub(self.range.overlap).max(self.range.start);
        [self.range.filled(start), self.range.filled(self.end.saturating_sub(unit))]
    }

    /// Returns texts that no other window of the range has.
    pub fn names(&self) -> [String; 2] {
        [self.start, self.end].map(|at| self.range.name(at))
    }

    /// Returns the two halves; `None` where nothing that is smaller can be asked for.
    pub fn halves(&self) -> Option<[Window; 2]> {
        let grain = self.range.grain.max(1);
        let n_grains = (self.end - self.start) / grain + i64::from((self.end - self.start) % grain > 0);
        if n_grains < 2 {
            return None;
        }
        let middle = self.start + n_grains / 2 * grain;
        Some([Window { end: middle, ..*self }, Window { start: middle, ..*self }])
    }
}

/// Returns the least difference of two bounds that a hole's text shows; `None` where it does not tell moments. `format` is how moments are
/// written that no filter gives a form. Fails as the filters do.
pub fn grain_of(hole: &Hole, scale: Scale, format: &DateFormat) -> Result<Option<i64>> {
    let written = |at: i64| -> Result<Option<String>> {
        let value = match scale {
            Scale::Moments => Filled::Moment(Moment::at(at)),
            Scale::Days => Filled::Moment(Moment::of_date(at.div_euclid(DAY) * DAY)),
            Scale::Numbers => Filled::integer(at),
        };
        let filled = hole.fill(&Sample { name: &hole.name, value, format })?;
        filled.map_or(Ok(None), |filled| filled.to_text(format))
    };
    let sample = written(SAMPLE)?;
    for grain in GRAINS {
        if written(SAMPLE + grain)? != sample {
            return Ok(Some(grain));
        }
    }
    Ok(None)
}

/// A window's bound, and a time zone for all other names.
struct Sample<'a> {
    name: &'a str,
    value: Filled,
    format: &'a DateFormat,
}

impl Sources for Sample<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        Some(if name == self.name { self.value.clone() } else { Filled::text("UTC") })
    }

    fn date_format(&self) -> DateFormat {
        self.format.clone()
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
