//! Filters: what is done to the value of a hole before it is used.

use super::filled::number_of;
use super::name::is_name;
use super::quote::Dialect;
use super::zone::Zone;
use super::{Filled, Moment, Sources};
use crate::document::JsonValue;
use crate::spec::DateFormat;
use crate::yaml::Suggestions;
use crate::{Error, Result};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use std::fmt;

const NAMES: [&str; 15] = [
    "format", "iso8601", "epoch", "epoch_ms", "http", "tz", "join", "json", "base64", "quote", "raw", "lower", "upper", "snake", "default",
];

/// What is done to a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Writes a moment: `format('...')`, `iso8601`, `epoch`, `epoch_ms` and `http`. The text is as the spec has it.
    Format(DateFormat, String),
    Tz(Argument),
    Join(String),
    Json,
    Base64,
    Quote(Dialect),
    Raw,
    Lower,
    Upper,
    Snake,
    Default(Argument),
}

/// What stands in a filter's brackets.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    Value(JsonValue),
    /// The name of a param or an option.
    Name(String),
}

impl Argument {
    fn parse(text: &str) -> Result<Argument> {
        let text = text.trim();
        for quote in ['\'', '"'] {
            if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
                return Ok(Argument::Value(JsonValue::String(inner.to_string())));
            }
        }
        match text {
            "true" | "false" => Ok(Argument::Value(JsonValue::Bool(text == "true"))),
            "null" => Ok(Argument::Value(JsonValue::Null)),
            name if is_name(name) => Ok(Argument::Name(name.to_string())),
            number => match number_of(number) {
                number @ JsonValue::Number(_) => Ok(Argument::Value(number)),
                _ => Err(Error::config(format!("'{text}' is not a value; expected a text in quotes, a number, or the name of an option"))),
            },
        }
    }

    fn value(&self, sources: &dyn Sources) -> Option<Filled> {
        match self {
            Argument::Value(value) => Some(Filled::Json(value.clone())),
            Argument::Name(name) => sources.value_of(name),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Value(JsonValue::String(text)) => quoted(text, f),
            Argument::Value(value) => write!(f, "{value}"),
            Argument::Name(name) => f.write_str(name),
        }
    }
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    write!(f, "{quote}{text}{quote}")
}

impl Filter {
    /// Parses what stands behind a bar.
    pub fn parse(text: &str) -> Result<Filter> {
        let text = text.trim();
        let (name, argument) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => {
                let inner = rest.trim_end().strip_suffix(')').ok_or_else(|| Error::config(format!("'{text}' has no ')'")))?;
                (name.trim(), Some(Argument::parse(inner).map_err(|err| err.within(format!("filter '{name}'")))?))
            }
        };
        Filter::named(name, argument)
    }

    fn named(name: &str, argument: Option<Argument>) -> Result<Filter> {
        let has_argument = argument.is_some();
        let expected = |what: &str| Error::config(format!("filter '{name}' needs {what}"));
        let text_of = |argument: Option<Argument>, what: &str| match argument {
            Some(Argument::Value(JsonValue::String(text))) => Ok(text),
            _ => Err(expected(what)),
        };
        let filter = match name {
            "format" => {
                let text = text_of(argument, "a format in quotes: format('%Y-%m-%d')")?;
                let format = DateFormat::parse(&text)?;
                return Ok(Filter::Format(format, format!("format('{text}')")));
            }
            "tz" => return argument.ok_or_else(|| expected("a time zone: tz('Europe/Berlin'), or an option")).and_then(Filter::tz),
            "join" => return text_of(argument, "what stands between the values: join(',')").map(Filter::Join),
            "quote" => return Filter::quote(argument),
            "default" => return argument.map(Filter::Default).ok_or_else(|| expected("a value: default('x'), or an option")),
            "iso8601" | "epoch" | "epoch_ms" | "http" => Filter::Format(DateFormat::parse(name)?, name.to_string()),
            "json" => Filter::Json,
            "base64" => Filter::Base64,
            "raw" => Filter::Raw,
            "lower" => Filter::Lower,
            "upper" => Filter::Upper,
            "snake" => Filter::Snake,
            _ => {
                let hint = Suggestions::default().suggestion(name, &NAMES);
                return Err(Error::config(format!("there is no filter '{name}'; {hint}")));
            }
        };
        match has_argument {
            true => Err(Error::config(format!("filter '{name}' takes nothing in brackets"))),
            false => Ok(filter),
        }
    }

    fn tz(argument: Argument) -> Result<Filter> {
        match &argument {
            Argument::Value(JsonValue::String(name)) => Zone::named(name).map(|_| ())?,
            Argument::Value(value) => {
                return Err(Error::config(format!("{value} is not a time zone; expected one such as 'Europe/Berlin'")))
            }
            Argument::Name(_) => {}
        }
        Ok(Filter::Tz(argument))
    }

    fn quote(argument: Option<Argument>) -> Result<Filter> {
        let name = match argument {
            Some(Argument::Name(name) | Argument::Value(JsonValue::String(name))) => name,
            _ => return Err(Error::config(format!("filter 'quote' needs a query language: {}", Dialect::NAMES.join(", ")))),
        };
        Dialect::named(&name).map(Filter::Quote).ok_or_else(|| {
            let hint = Suggestions::default().suggestion(&name, &Dialect::NAMES);
            Error::config(format!("filter 'quote' does not know the query language '{name}'; {hint}"))
        })
    }

    /// Returns what the filter makes of a value; what is not there stays so, but for `default`.
    pub fn apply(&self, value: Option<Filled>, sources: &dyn Sources) -> Result<Option<Filled>> {
        if let Filter::Default(argument) = self {
            return Ok(value.filter(|value| !value.is_null()).or_else(|| argument.value(sources)));
        }
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        let format = sources.date_format();
        Ok(Some(match self {
            Filter::Format(format, _) => {
                let moment = moment_of(&value)?;
                match format.number_unit() {
                    Some(_) => Filled::Json(number_of(&moment.written(format))),
                    None => Filled::text(moment.written(format)),
                }
            }
            Filter::Tz(argument) => {
                let name = argument.value(sources).and_then(|name| name.to_text(&format).ok().flatten());
                let name = name.ok_or_else(|| Error::config(format!("needs a time zone, and '{argument}' has no value")))?;
                Filled::Moment(moment_of(&value)?.in_zone(Zone::named(&name)?))
            }
            Filter::Join(separator) => Filled::text(texts_of(value, &format)?.join(separator)),
            Filter::Json => Filled::text(value.into_json(&format).to_string()),
            Filter::Raw => value,
            Filter::Base64 => mapped(value, &format, |text| Ok(STANDARD.encode(text)))?,
            Filter::Lower => mapped(value, &format, |text| Ok(text.to_lowercase()))?,
            Filter::Upper => mapped(value, &format, |text| Ok(text.to_uppercase()))?,
            Filter::Snake => mapped(value, &format, |text| Ok(snake(text)))?,
            Filter::Quote(dialect) => each(
                value,
                |value| match value {
                    number @ JsonValue::Number(_) => Ok(number),
                    flag @ JsonValue::Bool(_) => Ok(flag),
                    other => match Filled::Json(other).to_text(&format)? {
                        Some(text) => dialect.quoted(&text).map(JsonValue::String),
                        None => Ok(JsonValue::Null),
                    },
                },
                &format,
            )?,
            Filter::Default(_) => value,
        }))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Format(_, text) => f.write_str(text),
            Filter::Tz(argument) => write!(f, "tz({argument})"),
            Filter::Join(separator) => {
                f.write_str("join(")?;
                quoted(separator, f)?;
                f.write_str(")")
            }
            Filter::Json => f.write_str("json"),
            Filter::Base64 => f.write_str("base64"),
            Filter::Quote(dialect) => write!(f, "quote({})", dialect.name()),
            Filter::Raw => f.write_str("raw"),
            Filter::Lower => f.write_str("lower"),
            Filter::Upper => f.write_str("upper"),
            Filter::Snake => f.write_str("snake"),
            Filter::Default(argument) => write!(f, "default({argument})"),
        }
    }
}

fn moment_of(value: &Filled) -> Result<Moment> {
    let moment = match value {
        Filled::Moment(moment) => Some(moment.clone()),
        Filled::Json(JsonValue::String(text)) => Moment::parse(text),
        Filled::Json(_) => None,
    };
    moment.ok_or_else(|| Error::data("is not a moment; expected one such as '2024-05-01' or '2024-05-01T10:20:30Z'"))
}

/// Returns the texts of a list's values, or the one of a value.
fn texts_of(value: Filled, format: &DateFormat) -> Result<Vec<String>> {
    match value {
        Filled::Json(JsonValue::Array(values)) => {
            let texts: Result<Vec<Option<String>>> = values.into_iter().map(|value| Filled::Json(value).to_text(format)).collect();
            Ok(texts?.into_iter().flatten().collect())
        }
        value => Ok(value.to_text(format)?.into_iter().collect()),
    }
}

/// Changes the text of a value, or of each value of a list.
fn mapped(value: Filled, format: &DateFormat, change: impl Fn(&str) -> Result<String>) -> Result<Filled> {
    let change = |value: JsonValue| match Filled::Json(value).to_text(format)? {
        Some(text) => change(&text).map(JsonValue::String),
        None => Ok(JsonValue::Null),
    };
    each(value, change, format)
}

fn each(value: Filled, change: impl Fn(JsonValue) -> Result<JsonValue>, format: &DateFormat) -> Result<Filled> {
    let changed = match value.into_json(format) {
        JsonValue::Array(values) => JsonValue::Array(values.into_iter().map(change).collect::<Result<_>>()?),
        value => change(value)?,
    };
    Ok(Filled::Json(changed))
}

/// Returns a name in small letters with `_` between its words: `LineItem No` is `line_item_no`.
fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let ends_capitals = before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase());
        let begins_word = c.is_uppercase() && (before.is_lowercase() || before.is_numeric() || ends_capitals);
        let ends_word = !c.is_alphanumeric() || begins_word;
        if ends_word && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        }
        before = c;
    }
    out.trim_end_matches('_').to_string()
}
