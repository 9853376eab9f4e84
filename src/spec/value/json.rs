//! JSON with holes, as YAML writes it.

use super::{Sources, Template};
use crate::document::{JsonMap, JsonValue};
use crate::Result;

/// JSON with holes. A value never becomes anything else than a value: there is no text to break out of.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonTemplate {
    /// A value without holes.
    Value(JsonValue),
    /// A text with holes; one that is only a hole is the value itself, with its type.
    Text(Template),
    /// The columns of a written row that no hole takes, as an object.
    Row,
    /// The rows of a written batch, each as such an object.
    Rows,
    List(Vec<JsonTemplate>),
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Returns all texts with holes, in order.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            JsonTemplate::Value(_) | JsonTemplate::Row | JsonTemplate::Rows => Vec::new(),
            JsonTemplate::Text(template) => vec![template],
            JsonTemplate::List(elements) => elements.iter().flat_map(JsonTemplate::templates).collect(),
            JsonTemplate::Object(entries) => entries.iter().flat_map(|(_, value)| value.templates()).collect(),
        }
    }

    /// Returns whether this, or something in it, is `wanted`.
    pub fn has(&self, wanted: &JsonTemplate) -> bool {
        match self {
            JsonTemplate::List(elements) => elements.iter().any(|element| element.has(wanted)),
            JsonTemplate::Object(entries) => entries.iter().any(|(_, value)| value.has(wanted)),
            other => other == wanted,
        }
    }

    /// Returns the JSON. An entry of an object that is only a hole without a value is left out; in a list it is null.
    pub fn fill(&self, sources: &dyn Sources, rows: &dyn Rows) -> Result<Option<JsonValue>> {
        Ok(Some(match self {
            JsonTemplate::Value(value) => value.clone(),
            JsonTemplate::Text(template) => match template.value(sources)? {
                Some(value) => value.into_json(&sources.date_format()),
                None => return Ok(None),
            },
            JsonTemplate::Row => rows.row(),
            JsonTemplate::Rows => rows.rows(),
            JsonTemplate::List(elements) => {
                let element = |element: &JsonTemplate| Ok(element.fill(sources, rows)?.unwrap_or(JsonValue::Null));
                JsonValue::Array(elements.iter().map(element).collect::<Result<_>>()?)
            }
            JsonTemplate::Object(entries) => {
                let mut object = JsonMap::new();
                for (key, value) in entries {
                    if let Some(value) = value.fill(sources, rows)? {
                        object.insert(key.clone(), value);
                    }
                }
                JsonValue::Object(object)
            }
        }))
    }
}

/// The rows that a body writes.
pub trait Rows {
    /// Returns the first row's columns that no hole takes, as an object.
    fn row(&self) -> JsonValue;

    /// Returns such an object for each row.
    fn rows(&self) -> JsonValue;
}

/// The rows of a request that reads.
pub struct NoRows;

impl Rows for NoRows {
    fn row(&self) -> JsonValue {
        JsonValue::Null
    }

    fn rows(&self) -> JsonValue {
        JsonValue::Null
    }
}
