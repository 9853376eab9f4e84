//! What fills a hole: JSON, or a moment that has no form yet.

use super::Moment;
use crate::document::{JsonNumber, JsonValue};
use crate::spec::DateFormat;
use crate::{Error, Result};

/// The value of a hole.
#[derive(Debug, Clone, PartialEq)]
pub enum Filled {
    Json(JsonValue),
    Moment(Moment),
}

/// Where the values of holes come from.
pub trait Sources {
    /// Returns the value of a name; `None` when it has none.
    fn value_of(&self, name: &str) -> Option<Filled>;

    /// Returns how moments are written that no filter gives a form.
    fn date_format(&self) -> DateFormat {
        DateFormat::default()
    }
}

/// Two places where values come from: the first is asked first.
pub struct Layered<'a>(pub &'a dyn Sources, pub &'a dyn Sources);

impl Sources for Layered<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        self.0.value_of(name).or_else(|| self.1.value_of(name))
    }

    fn date_format(&self) -> DateFormat {
        self.0.date_format()
    }
}

/// Has no value for any name.
pub struct NoSources;

impl Sources for NoSources {
    fn value_of(&self, _name: &str) -> Option<Filled> {
        None
    }
}

impl Filled {
    /// Returns a text.
    pub fn text(text: impl Into<String>) -> Filled {
        Filled::Json(JsonValue::String(text.into()))
    }

    /// Returns a whole number.
    pub fn integer(number: impl Into<i128>) -> Filled {
        Filled::Json(number_of(&number.into().to_string()))
    }

    /// Returns whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Filled::Json(JsonValue::Null))
    }

    /// Returns the value as JSON. A moment is a text, or a number where the format writes numbers.
    pub fn into_json(self, format: &DateFormat) -> JsonValue {
        match self {
            Filled::Json(value) => value,
            Filled::Moment(moment) if moment.is_number(format) => number_of(&moment.text(format)),
            Filled::Moment(moment) => JsonValue::String(moment.text(format)),
        }
    }

    /// Returns the value as it stands in a text; `None` for null. Fails for lists and objects, which do not say how.
    pub fn to_text(&self, format: &DateFormat) -> Result<Option<String>> {
        match self {
            Filled::Moment(moment) => Ok(Some(moment.text(format))),
            Filled::Json(JsonValue::Null) => Ok(None),
            Filled::Json(JsonValue::String(text)) => Ok(Some(text.clone())),
            Filled::Json(value @ (JsonValue::Bool(_) | JsonValue::Number(_))) => Ok(Some(value.to_string())),
            Filled::Json(JsonValue::Array(_) | JsonValue::Object(_)) => Err(Error::data(
                "is a list or an object, which cannot be part of a text; write it with '| json', or a list with '| join(',')'",
            )),
        }
    }
}

/// Returns a number as it is written, or the text where JSON has no such number.
pub fn number_of(written: &str) -> JsonValue {
    written.parse::<JsonNumber>().map_or_else(|_| JsonValue::String(written.to_string()), JsonValue::Number)
}
