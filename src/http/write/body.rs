//! The body of a request that writes: rows as objects, or a template filled.

use super::{WritePlan, WriteRow};
use crate::json::{JsonMap, JsonValue};
use crate::spec::{BodyTemplate, WriteBody};
use crate::{Error, Result};

impl WritePlan {
    /// Returns the body as JSON text; `None` when the request has none.
    pub(super) fn body(&self, rows: &[WriteRow]) -> Result<Option<String>> {
        let body = match &self.write_def.body {
            WriteBody::None => return Ok(None),
            WriteBody::Rows if self.write_def.batch.is_some() => self.list_of(rows),
            WriteBody::Rows => rows.first().map_or(JsonValue::Null, |row| self.object_of(row)),
            WriteBody::Template(template) => self.value_of(template, rows)?,
        };
        Ok(Some(body.to_string()))
    }

    fn list_of(&self, rows: &[WriteRow]) -> JsonValue {
        JsonValue::Array(rows.iter().map(|row| self.object_of(row)).collect())
    }

    /// Returns the columns that no hole takes.
    fn object_of(&self, row: &WriteRow) -> JsonValue {
        let mut object = JsonMap::new();
        for (idx, (name, value)) in self.columns.iter().zip(row).enumerate() {
            if !self.is_taken(idx) {
                object.insert(name.clone(), value.clone());
            }
        }
        JsonValue::Object(object)
    }

    fn value_of(&self, template: &BodyTemplate, rows: &[WriteRow]) -> Result<JsonValue> {
        let first = rows.first().ok_or_else(|| Error::internal("a body without rows"))?;
        Ok(match template {
            BodyTemplate::Value(value) => value.clone(),
            BodyTemplate::Hole(name) => match self.value(first, name) {
                Some((_, value)) => value.clone(),
                None => self.option(name).map_or(JsonValue::Null, JsonValue::String),
            },
            BodyTemplate::Text(template) => self.filled(template, first)?.map_or(JsonValue::Null, JsonValue::String),
            BodyTemplate::Rows => self.list_of(rows),
            BodyTemplate::List(elements) => {
                JsonValue::Array(elements.iter().map(|element| self.value_of(element, rows)).collect::<Result<_>>()?)
            }
            BodyTemplate::Object(entries) => {
                let mut object = JsonMap::new();
                for (key, value) in entries {
                    object.insert(key.clone(), self.value_of(value, rows)?);
                }
                JsonValue::Object(object)
            }
        })
    }
}
