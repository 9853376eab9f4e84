//! Reads a table's `write`.

use super::body::body_of;
use super::headers::{check_header_name, headers_of};
use super::params::value_of;
use super::text::below_base_url;
use super::{Fields, Node};
use crate::spec::{Body, Builtin, JsonTemplate, Method, ParamValue, Template, WriteDef, Writes};
use std::num::NonZeroUsize;

/// The keys of a way to write, in the order of the reference.
pub(in crate::spec) const WRITE_KEYS: &[&str] = &[
    "method",
    "path",
    "headers",
    "params",
    "body",
    "form",
    "multipart",
    "graphql",
    "text",
    "batch",
    "key",
    "idempotency_header",
    "safe",
    "concurrency",
];

/// The methods that write.
const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// Reads `write` of a table: one way, or one for each action.
pub(super) fn writes_of(table: &Fields<'_>) -> Option<Writes> {
    let node = table.get("write")?;
    let place = format!("'write' of {}", table.place());
    let has_actions = node.mapping().is_some_and(|entries| entries.iter().any(|(key, _)| Writes::ACTIONS.contains(&key.name.as_str())));
    if !has_actions {
        return Some(Writes { actions: vec![(String::new(), write_of(node, place, table)?)] });
    }
    let fields = Fields::of(node, place, &Writes::ACTIONS, table.mistakes())?;
    let action = |name: &&str| {
        let write_def = write_of(fields.get(name)?, format!("'{name}' in 'write' of {}", table.place()), table)?;
        Some((name.to_string(), write_def))
    };
    let actions: Vec<(String, WriteDef)> = Writes::ACTIONS.iter().filter_map(action).collect();
    (!actions.is_empty()).then_some(Writes { actions })
}

fn write_of(node: &Node, place: String, table: &Fields<'_>) -> Option<WriteDef> {
    let fields = Fields::of(node, place, WRITE_KEYS, table.mistakes())?;
    let method = method_of(&fields);
    let number = |key: &str| fields.count(key, 1).and_then(|count| usize::try_from(count).ok()).and_then(NonZeroUsize::new);
    let batch = number("batch");
    // Without one the row is the body, but for DELETE, which has none.
    let default_body = match (method, batch) {
        (Method::Delete, _) => Body::None,
        (_, Some(_)) => Body::Json(JsonTemplate::Rows),
        (_, None) => Body::Json(JsonTemplate::Row),
    };
    let write_def = WriteDef {
        method,
        path: path_of(&fields),
        headers: headers_of(&fields, ""),
        params: params_of(&fields),
        body: body_of(&fields, true).unwrap_or(default_body),
        batch,
        key: fields.comma_texts("key"),
        idempotency_header: header_of(&fields),
        concurrency: number("concurrency").unwrap_or(NonZeroUsize::MIN),
        is_safe: fields.boolean("safe"),
    };
    check_batch(&write_def, &fields);
    check_holes(&write_def, &fields);
    Some(write_def)
}

fn method_of(fields: &Fields<'_>) -> Method {
    let Some(name) = fields.text("method") else { return Method::Post };
    Method::named(name.trim()).filter(|method| METHODS.contains(&method.name())).unwrap_or_else(|| {
        let node = fields.get("method").unwrap_or(fields.mapping_node());
        let hint = fields.mistakes().suggestions().suggestion(&name, &METHODS);
        fields.mistakes().at(node, format!("method '{name}' of {} does not write; {hint}", fields.place()));
        Method::Post
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

/// A batch needs a place for its rows, and rows need a batch.
fn check_batch(write_def: &WriteDef, fields: &Fields<'_>) {
    let node = |key: &str| fields.get(key).unwrap_or(fields.mapping_node());
    match (write_def.batch.is_some(), write_def.body.has(&JsonTemplate::Rows)) {
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

/// A hole is a column, an option, or a moment that is always known.
fn check_holes(write_def: &WriteDef, fields: &Fields<'_>) {
    for name in write_def.templates().into_iter().flat_map(Template::names) {
        let message = match Builtin::named(name) {
            None | Some(Builtin::Now | Builtin::Token | Builtin::Setup) => continue,
            Some(Builtin::Since | Builtin::Page | Builtin::Window | Builtin::Discovered | Builtin::Job) => {
                let expected = "expected a column, an option, 'now' or 'today'";
                format!("{} has a hole '{name}', which only requests that read fill; {expected}", fields.place())
            }
        };
        fields.mistakes().at(fields.mapping_node(), message);
    }
}
