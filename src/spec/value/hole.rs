//! A hole: a name, how far a moment is moved, and filters.

use super::filter::{Argument, Filter};
use super::name::is_name;
use super::source::Builtin;
use super::{Filled, Sources};
use crate::spec::duration_of;
use crate::yaml::nearest;
use crate::{Error, Result};
use std::fmt;

/// What stands between `${` and `}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hole {
    pub name: String,
    /// How far a moment is moved: `-5m`. Empty: not at all.
    shifts: Vec<Shift>,
    pub filters: Vec<Filter>,
}

/// A length of time that is added, or taken away.
#[derive(Debug, Clone, PartialEq)]
struct Shift {
    micros: i64,
    /// As it is written, its sign before it.
    text: String,
}

impl Hole {
    /// Returns the hole that is nothing but a name.
    pub fn of_name(name: &str) -> Hole {
        Hole { name: name.to_string(), shifts: Vec::new(), filters: Vec::new() }
    }

    /// Parses what stands between the braces.
    pub fn parse(text: &str) -> Result<Hole> {
        let mut pieces = split_at_bars(text).into_iter();
        let source = pieces.next().unwrap_or_default();
        let (name, shifts) = source_of(source.trim()).map_err(|err| err.within(format!("'${{{text}}}'")))?;
        let filters = pieces.map(Filter::parse).collect::<Result<_>>().map_err(|err| err.within(format!("'${{{text}}}'")))?;
        let hole = Hole { name, shifts, filters };
        hole.check()?;
        Ok(hole)
    }

    /// Returns whether the hole, written, is read as itself.
    pub fn is_read_back(&self) -> bool {
        Hole::parse(&self.to_string()).is_ok_and(|read| read == *self)
    }

    fn check(&self) -> Result<()> {
        let place = || format!("'${{{self}}}'");
        if let Some(idx) = self.filters.iter().position(|filter| *filter == Filter::Raw) {
            if idx + 1 < self.filters.len() {
                return Err(Error::config(format!("{} has a filter behind 'raw'; put 'raw' last", place())));
            }
        }
        Ok(())
    }

    /// Returns whether the value is not encoded where it stands.
    pub fn is_raw(&self) -> bool {
        self.filters.contains(&Filter::Raw)
    }

    /// Returns whether the hole has a value where its name has none.
    pub fn has_default(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter, Filter::Default(_)))
    }

    /// Returns whether a moment is written as the clocks of a time zone show it.
    pub fn has_zone(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter, Filter::Tz(_)))
    }

    /// Returns whether the hole is nothing but a name.
    pub fn is_plain(&self) -> bool {
        self.shifts.is_empty() && self.filters.is_empty()
    }

    /// Returns the hole's name and those that its filters take values from.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.filter_names())
    }

    /// Returns the names that filters take values from.
    pub fn filter_names(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().filter_map(|filter| match filter {
            Filter::Tz(Argument::Name(name)) | Filter::Default(Argument::Name(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the value; `None` where the name has none and no filter gives one.
    pub fn fill(&self, sources: &dyn Sources) -> Result<Option<Filled>> {
        let mut value = sources.value_of(&self.name);
        let fill = || -> Result<Option<Filled>> {
            for shift in &self.shifts {
                value = match value.take() {
                    Some(Filled::Moment(moment)) => Some(Filled::Moment(moment.moved(shift.micros))),
                    None => None,
                    Some(_) => return Err(Error::data("is not a moment, which alone can be moved")),
                };
            }
            self.filters.iter().try_fold(value, |value, filter| filter.apply(value, sources))
        };
        fill().map_err(|err| Error::new(err.kind(), format!("the value of '{}' {}", self.name, err.message())))
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.shifts.iter().try_for_each(|shift| f.write_str(&shift.text))?;
        self.filters.iter().try_for_each(|filter| write!(f, " | {filter}"))
    }
}

/// Returns where a hole's text ends: the place of the `}` that no quotes hold.
pub fn end_of(text: &str) -> Option<usize> {
    places_outside_quotes(text).find(|(_, c)| *c == '}').map(|(at, _)| at)
}

fn places_outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote = None;
    text.char_indices().filter(move |(_, c)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None if matches!(c, '\'' | '"') => {
            quote = Some(*c);
            false
        }
        None => true,
    })
}

fn split_at_bars(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, _) in places_outside_quotes(text).filter(|(_, c)| *c == '|') {
        pieces.push(&text[start..at]);
        start = at + 1;
    }
    pieces.push(&text[start..]);
    pieces
}

/// Reads a name and how far its moment is moved. Only names of moments can be moved: in others a dash is a letter.
fn source_of(text: &str) -> Result<(String, Vec<Shift>)> {
    let begin = text.find(['+', '-', ' ']).unwrap_or(text.len());
    let (base, rest) = text.split_at(begin);
    let is_moment = matches!(Builtin::named(base), Some(Builtin::Now | Builtin::Since | Builtin::Window));
    if is_moment && !rest.trim().is_empty() {
        return shifts_of(rest).map(|shifts| (base.to_string(), shifts));
    }
    if is_name(text) {
        return Ok((text.to_string(), Vec::new()));
    }
    let hint = match nearest(base, Builtin::NAMES) {
        Some(near) if base != near && !rest.trim().is_empty() => format!("; did you mean '{near}'?"),
        _ => String::new(),
    };
    Err(Error::config(format!(
        "'{text}' is not a name; expected that of a param or an option, or a moment such as 'now-5m', then filters such as \
         '| lower'{hint}"
    )))
}

fn shifts_of(text: &str) -> Result<Vec<Shift>> {
    let mut shifts = Vec::new();
    let mut rest = text.trim_start();
    while let Some(sign) = rest.chars().next() {
        let tail = rest[sign.len_utf8()..].trim_start();
        let end = tail.find(['+', '-']).unwrap_or(tail.len());
        let (length, after) = tail.split_at(end);
        let duration = if matches!(sign, '+' | '-') { duration_of(length) } else { None };
        let Some(micros) = duration.and_then(|duration| i64::try_from(duration.as_micros()).ok()) else {
            return Err(Error::config(format!(
                "'{}' is not a length of time; expected one such as '-5m', '+1d' or '-1h 30m'",
                text.trim()
            )));
        };
        let micros = if sign == '-' { -micros } else { micros };
        shifts.push(Shift { micros, text: format!("{sign}{}", length.trim()) });
        rest = after;
    }
    Ok(shifts)
}
