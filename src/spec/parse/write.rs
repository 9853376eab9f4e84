//! Reads a table's `write`.

use super::params::value_of;
use super::table::below_base_url;
use super::text::value_template;
use super::{check_header_name, Fields, Node};
use crate::json::{JsonNumber, JsonValue};
use crate::spec::yaml::{suggestion, Mistakes, NodeKind};
use crate::spec::{BodyTemplate, ParamValue, Part, Template, WriteBody, WriteDef, WriteMethod};
use std::num::NonZeroUsize;

pub(in crate::spec) const WRITE_KEYS: &[&str] = &["method", "path", "params", "body", "batch", "key", "idempotency_header"];

/// The hole that stands for the rows of a batch.
const ROWS: &str = "rows";

/// Reads `write` of a table.
pub(super) fn write_of(table: &Fields<'_>) -> Option<WriteDef> {
    let node = table.get("write")?;
    let fields = Fields::of(node, format!("'write' of {}", table.place()), WRITE_KEYS, table.mistakes())?;
    let method = method_of(&fields);
    let batch = fields.count("batch", 1).and_then(|count| usize::try_from(count).ok()).and_then(NonZeroUsize::new);
    let write_def = WriteDef {
        method,
        path: path_of(&fields),
        params: params_of(&fields),
        body: body_of(&fields, method),
        batch,
        key: fields.comma_texts("key"),
        idempotency_header: header_of(&fields),
    };
    check_batch(&write_def, &fields);
    Some(write_def)
}

fn method_of(fields: &Fields<'_>) -> WriteMethod {
    let Some(name) = fields.text("method") else { return WriteMethod::Post };
    WriteMethod::named(name.trim()).unwrap_or_else(|| {
        let node = fields.get("method").unwrap_or(fields.mapping_node());
        let hint = suggestion(&name, &WriteMethod::NAMES);
        fields.mistakes().at(node, format!("method '{name}' of {} does not write; {hint}", fields.place()));
        WriteMethod::Post
    })
}

fn path_of(fields: &Fields<'_>) -> Template {
    let path = fields.required_text("path").unwrap_or_default();
    below_base_url(&path, fields.get("path").unwrap_or(fields.mapping_node()), fields)
}

fn params_of(fields: &Fields<'_>) -> Vec<(String, ParamValue)> {
    let Some(node) = fields.get("params") else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong("params", node, "a mapping of param names to values");
        return Vec::new();
    };
    let value = |name: &str, node: &Node| value_of(node, &format!("param '{name}' of {}", fields.place()), fields.mistakes());
    entries.iter().filter_map(|(key, node)| Some((key.name.clone(), value(&key.name, node)?))).collect()
}

fn header_of(fields: &Fields<'_>) -> Option<String> {
    let name = fields.text("idempotency_header")?;
    check_header_name(&name, &format!("'idempotency_header' of {}", fields.place()), fields.mistakes(), fields.get("idempotency_header")?);
    Some(name)
}

/// Reads `body`: `none`, or JSON with holes, written as YAML. Without it the row is the body, but for DELETE, which has none.
fn body_of(fields: &Fields<'_>, method: WriteMethod) -> WriteBody {
    let Some(node) = fields.get("body") else {
        return if method == WriteMethod::Delete { WriteBody::None } else { WriteBody::Rows };
    };
    match &node.kind {
        NodeKind::Text(text) if text.trim().eq_ignore_ascii_case("none") => return WriteBody::None,
        NodeKind::Text(text) if value_template(text).parts().iter().any(|part| matches!(part, Part::Hole(_))) => {}
        NodeKind::List(_) | NodeKind::Mapping(_) => {}
        _ => fields.wrong("body", node, "a mapping or a list with '${column}' holes, one such hole, or none"),
    }
    template_of(node, fields.place(), fields.mistakes()).map_or(WriteBody::Rows, WriteBody::Template)
}

fn template_of(node: &Node, place: &str, mistakes: &Mistakes) -> Option<BodyTemplate> {
    Some(match &node.kind {
        NodeKind::Null => BodyTemplate::Value(JsonValue::Null),
        NodeKind::Boolean(value) => BodyTemplate::Value(JsonValue::Bool(*value)),
        // A number that JSON writes otherwise (007, 0x10) is sent as the text it is.
        NodeKind::Integer(_) | NodeKind::Double(_) => BodyTemplate::Value(match node.written.parse::<JsonNumber>() {
            Ok(number) => JsonValue::Number(number),
            Err(_) => JsonValue::String(node.written.clone()),
        }),
        NodeKind::Text(text) => text_template(text, node, place, mistakes)?,
        NodeKind::List(nodes) => BodyTemplate::List(nodes.iter().map(|node| template_of(node, place, mistakes)).collect::<Option<_>>()?),
        NodeKind::Mapping(entries) => {
            let entry = |(key, node): &(crate::spec::yaml::Key, Node)| Some((key.name.clone(), template_of(node, place, mistakes)?));
            BodyTemplate::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

fn text_template(text: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Option<BodyTemplate> {
    let template = value_template(text);
    match template.parts() {
        [Part::Hole(name)] if name == ROWS => Some(BodyTemplate::Rows),
        [Part::Hole(name)] => Some(BodyTemplate::Hole(name.clone())),
        parts if parts.iter().any(|part| matches!(part, Part::Hole(name) if name == ROWS)) => {
            mistakes.at(node, format!("'body' of {place} has '${{rows}}' inside a text; expected it alone"));
            None
        }
        parts if parts.iter().any(|part| matches!(part, Part::Hole(_))) => Some(BodyTemplate::Text(template)),
        _ => Some(BodyTemplate::Value(JsonValue::String(text.to_string()))),
    }
}

/// A batch needs a place for its rows, and rows need a batch.
fn check_batch(write_def: &WriteDef, fields: &Fields<'_>) {
    let has_rows = match &write_def.body {
        WriteBody::None => false,
        WriteBody::Rows => write_def.batch.is_some(),
        WriteBody::Template(template) => template.has_rows(),
    };
    let node = |key: &str| fields.get(key).unwrap_or(fields.mapping_node());
    match (write_def.batch.is_some(), has_rows) {
        (true, false) => {
            let message = format!("{} has 'batch', but no place for the rows; put '${{rows}}' into 'body'", fields.place());
            fields.mistakes().at(node("batch"), message);
        }
        (false, true) => {
            let message = format!("'body' of {} has '${{rows}}'; say with 'batch' how many rows a request may have", fields.place());
            fields.mistakes().at(node("body"), message);
        }
        _ => {}
    }
}
