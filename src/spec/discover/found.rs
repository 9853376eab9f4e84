//! What an API was found to have, and its form in a database.

use crate::document::{read_json, JsonMap, JsonValue};
use crate::spec::{Filled, Sources, FIELDS_HOLE, OBJECT_HOLE};
use crate::{Error, Result};

/// What an API was found to have: the objects of each [`super::Discover`] of the spec, in their order. One without objects of its own has one
/// that is nothing but fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    pub objects: Vec<Vec<FoundObject>>,
}

/// An object, as far as the spec asks for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoundObject {
    /// By the names of their holes, without `object.`.
    pub values: JsonMap<String, JsonValue>,
    pub fields: Vec<FoundField>,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundField {
    pub name: String,
    /// As the API names it.
    pub field_type: Option<String>,
    pub description: Option<String>,
}

/// The values of an object, for holes.
pub struct ObjectValues<'a>(pub &'a FoundObject);

impl Sources for ObjectValues<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        if name == FIELDS_HOLE {
            return Some(Filled::Json(self.0.field_names()));
        }
        self.0.values.get(name.strip_prefix(OBJECT_HOLE)?).cloned().map(Filled::Json)
    }
}

impl FoundObject {
    /// Returns the names of the fields, as a list.
    pub fn field_names(&self) -> JsonValue {
        JsonValue::Array(self.fields.iter().map(|field| JsonValue::String(field.name.clone())).collect())
    }

    /// Returns what holes may take: names with their values.
    pub fn hole_values(&self) -> Vec<(String, JsonValue)> {
        let of_object = self.values.iter().map(|(name, value)| (format!("{OBJECT_HOLE}{name}"), value.clone()));
        of_object.chain([(FIELDS_HOLE.to_string(), self.field_names())]).collect()
    }

    /// Returns the object as messages show it: its values, the first ones.
    pub fn shown(&self) -> String {
        const MOST: usize = 80;
        let text = JsonValue::Object(self.values.clone()).to_string();
        match text.char_indices().nth(MOST) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text,
        }
    }

    /// Returns its values as they are stored.
    pub fn values_text(&self) -> String {
        JsonValue::Object(self.values.clone()).to_string()
    }

    /// Returns its fields as they are stored: a list of name, type and description each, without those at the end that are not there.
    pub fn fields_text(&self) -> String {
        let text = |text: &Option<String>| text.clone().map_or(JsonValue::Null, JsonValue::String);
        let field = |field: &FoundField| {
            let mut parts = vec![JsonValue::String(field.name.clone()), text(&field.field_type), text(&field.description)];
            while parts.last() == Some(&JsonValue::Null) {
                parts.pop();
            }
            JsonValue::Array(parts)
        };
        JsonValue::Array(self.fields.iter().map(field).collect()).to_string()
    }

    /// Reads what was stored. Fails when it is not that.
    pub fn of_texts(values: &str, fields: &str) -> Result<FoundObject> {
        let wrong = || Error::data("what was discovered is not stored as Unify stores it");
        let JsonValue::Object(values) = read_json(values)? else { return Err(wrong()) };
        let JsonValue::Array(fields) = read_json(fields)? else { return Err(wrong()) };
        let field = |field: &JsonValue| -> Option<FoundField> {
            let parts = field.as_array()?;
            let text = |idx: usize| parts.get(idx).and_then(JsonValue::as_str).map(str::to_string);
            Some(FoundField { name: text(0)?, field_type: text(1), description: text(2) })
        };
        let fields = fields.iter().map(field).collect::<Option<_>>().ok_or_else(wrong)?;
        Ok(FoundObject { values, fields })
    }
}
