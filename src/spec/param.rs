//! Params of requests: their names, and the values that they take.

use super::{number_of, DateFormat, Filled, Many, ManyForm, ParentQuery, Template};
use crate::document::JsonValue;
use crate::Result;

/// A request parameter, or several that vary together.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDef {
    /// One name, or the names of a tuple.
    pub names: Vec<String>,
    pub values: ParamValues,
    /// How many values go into one request; `None`: one.
    pub many: Option<Many>,
}

impl ParamDef {
    /// Makes a param that has one value in each request.
    pub fn new(names: Vec<String>, values: ParamValues) -> ParamDef {
        ParamDef { names, values, many: None }
    }

    /// Returns whether the table makes several calls for it.
    pub fn varies(&self) -> bool {
        match (&self.values, &self.many) {
            (ParamValues::One(_), _) | (ParamValues::Each(_), Some(Many { batch: None, .. })) => false,
            (ParamValues::Each(_) | ParamValues::Query(_), _) => true,
        }
    }
}

/// Where a param's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValues {
    /// One value for every request. `Null` means the param is left out.
    One(ParamValue),
    /// One call per element; each element has as many values as the param has names.
    Each(Vec<Vec<ParamValue>>),
    /// One call per row of a query over tables of the same connection.
    Query(ParentQuery),
}

impl ParamValues {
    /// Returns the texts with holes.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            ParamValues::One(value) => value.templates(),
            ParamValues::Each(rows) => rows.iter().flatten().flat_map(ParamValue::templates).collect(),
            ParamValues::Query(_) => Vec::new(),
        }
    }
}

/// A value sent to the API.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    Null,
    Boolean(bool),
    Integer(i128),
    Double(f64),
    Text(String),
    /// A text that stands in a URL as it is.
    Raw(String),
    /// A text with holes.
    Template(Template),
    /// Several values of one request.
    Many {
        values: Vec<ParamValue>,
        form: ManyForm,
    },
}

impl ParamValue {
    /// Returns the value as it is sent; `None` for null. Holes that are not filled stay as they are written.
    pub fn to_text(&self) -> Option<String> {
        match self {
            ParamValue::Null => None,
            ParamValue::Boolean(value) => Some(value.to_string()),
            ParamValue::Integer(value) => Some(value.to_string()),
            ParamValue::Double(value) => Some(value.to_string()),
            ParamValue::Text(text) | ParamValue::Raw(text) => Some(text.clone()),
            ParamValue::Template(template) => Some(template.to_string()),
            ParamValue::Many { .. } => self.filled().map(|value| value.into_json(&DateFormat::default()).to_string()),
        }
    }

    /// Returns the texts with holes in it.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            ParamValue::Template(template) => vec![template],
            ParamValue::Many { values, .. } => values.iter().flat_map(ParamValue::templates).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the value for a hole; `None` for null. Holes of its own must have been filled before.
    pub fn filled(&self) -> Option<Filled> {
        match self {
            ParamValue::Null => None,
            ParamValue::Boolean(value) => Some(Filled::Json(JsonValue::Bool(*value))),
            ParamValue::Integer(value) => Some(Filled::integer(*value)),
            ParamValue::Double(value) => Some(Filled::Json(number_of(&value.to_string()))),
            ParamValue::Text(_) | ParamValue::Raw(_) | ParamValue::Template(_) => self.to_text().map(Filled::text),
            ParamValue::Many { values, .. } => {
                let json = |value: Filled| value.into_json(&DateFormat::default());
                Some(Filled::Json(JsonValue::Array(values.iter().filter_map(ParamValue::filled).map(json).collect())))
            }
        }
    }

    /// Returns the param that a hole's value makes. Moments are texts. Fails for lists and objects.
    pub fn of_filled(value: &Filled, format: &DateFormat) -> Result<ParamValue> {
        let text = value.to_text(format)?;
        let as_written = |value: &ParamValue| value.to_text() == text;
        let typed = match value {
            Filled::Json(JsonValue::Bool(value)) => Some(ParamValue::Boolean(*value)),
            Filled::Json(JsonValue::Number(number)) => {
                let number = number.to_string();
                let integer = number.parse().ok().map(ParamValue::Integer);
                integer.or_else(|| number.parse().ok().map(ParamValue::Double)).filter(as_written)
            }
            _ => None,
        };
        Ok(typed.unwrap_or_else(|| text.map_or(ParamValue::Null, ParamValue::Text)))
    }
}
