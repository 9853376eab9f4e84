//! Reads JSON with holes, written as YAML.

use super::text::value_template;
use super::Node;
use crate::document::JsonValue;
use crate::spec::{number_of, JsonTemplate};
use crate::yaml::{Key, Mistakes, NodeKind};

/// The hole that stands for the rows of a batch.
const ROWS: &str = "rows";
/// The hole that stands for the columns that no other hole takes.
const ROW: &str = "row";

/// Reads a value with holes. `writes`: whether the rows that are written may stand in it.
pub(super) fn json_template(node: &Node, place: &str, writes: bool, mistakes: &Mistakes) -> Option<JsonTemplate> {
    Some(match &node.kind {
        NodeKind::Null => JsonTemplate::Value(JsonValue::Null),
        NodeKind::Boolean(value) => JsonTemplate::Value(JsonValue::Bool(*value)),
        // A number that JSON writes otherwise (007, 0x10) is sent as the text it is.
        NodeKind::Integer(_) | NodeKind::Double(_) => JsonTemplate::Value(number_of(&node.written)),
        NodeKind::Text(text) => text_template(text, node, place, writes, mistakes)?,
        NodeKind::List(nodes) => {
            JsonTemplate::List(nodes.iter().map(|node| json_template(node, place, writes, mistakes)).collect::<Option<_>>()?)
        }
        NodeKind::Mapping(entries) => {
            let entry = |(key, node): &(Key, Node)| Some((key.name.clone(), json_template(node, place, writes, mistakes)?));
            JsonTemplate::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

fn text_template(text: &str, node: &Node, place: &str, writes: bool, mistakes: &Mistakes) -> Option<JsonTemplate> {
    let template = value_template(text, node, place, mistakes);
    if template.as_literal().is_some() {
        return Some(JsonTemplate::Value(JsonValue::String(text.to_string())));
    }
    if !writes {
        return Some(JsonTemplate::Text(template));
    }
    for (name, rows) in [(ROWS, JsonTemplate::Rows), (ROW, JsonTemplate::Row)] {
        if template.only_hole().is_some_and(|hole| hole.name == name && hole.is_plain()) {
            return Some(rows);
        }
        if template.names().any(|hole| hole == name) {
            mistakes.at(node, format!("{place} has '${{{name}}}' inside a text; expected it alone"));
            return None;
        }
    }
    Some(JsonTemplate::Text(template))
}
