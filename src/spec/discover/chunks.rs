//! Fields of a table that do not fit into one request: they are asked for in chunks, each of which has the fields of the key.

use crate::document::JsonValue;
use crate::spec::{TableDef, FIELDS_HOLE};
use std::sync::Arc;

impl TableDef {
    /// Returns the fields that each request asks for, in their order; empty where one request asks for all.
    fn chunks(&self) -> Vec<JsonValue> {
        let fields = self.discovered.iter().find(|(name, _)| name == FIELDS_HOLE).and_then(|(_, fields)| fields.as_array());
        let (Some(most), Some(fields)) = (self.chunk, fields) else { return Vec::new() };
        let is_key =
            |field: &&JsonValue| field.as_str().is_some_and(|field| self.key_columns.iter().any(|key| key.eq_ignore_ascii_case(field)));
        let (keys, others): (Vec<&JsonValue>, Vec<&JsonValue>) = fields.iter().partition(is_key);
        if others.len() <= most.get() || !self.hole_names().contains(&FIELDS_HOLE) {
            return Vec::new();
        }
        let chunk = |others: &[&JsonValue]| JsonValue::Array(keys.iter().chain(others).map(|field| (*field).clone()).collect());
        others.chunks(most.get()).map(chunk).collect()
    }

    /// Returns whether several requests ask for the fields of one record, whose rows are put together by key.
    pub fn is_chunked(&self) -> bool {
        !self.chunks().is_empty()
    }

    /// Returns the table once for each chunk of its fields; empty where one request asks for all.
    pub fn by_chunks(&self) -> Vec<TableDef> {
        let of_chunk = |fields: JsonValue| {
            let others = self.discovered.iter().filter(|(name, _)| name != FIELDS_HOLE).cloned();
            let discovered = others.chain([(FIELDS_HOLE.to_string(), fields)]).collect();
            TableDef { discovered: Arc::new(discovered), chunk: None, ..self.clone() }
        };
        self.chunks().into_iter().map(of_chunk).collect()
    }
}
