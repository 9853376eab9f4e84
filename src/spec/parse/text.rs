//! Texts with a form of their own: templates, dotted paths, JSONPaths.

use crate::json::JsonPath;
use crate::spec::yaml::{Fields, Mistakes, Node};
use crate::spec::Template;

/// Returns a path's template. `{*name}`, which old files have, is `{name}`.
pub(super) fn path_template(text: &str) -> Template {
    Template::parse_path(&text.replace("{*", "{"))
}

/// Returns a value's template.
pub(super) fn value_template(text: &str) -> Template {
    Template::parse_value(text)
}

/// Reads a key that holds a dotted path or a list of keys. Empty when it is absent.
pub(super) fn keys_of(fields: &Fields<'_>, key: &str) -> Vec<String> {
    fields.get(key).and_then(|node| dotted(node, &format!("'{key}' of {}", fields.place()), fields.mistakes())).unwrap_or_default()
}

/// Reads a dotted path (`a.b`) or a list of keys (`[a, b]`).
pub(super) fn dotted(node: &Node, place: &str, mistakes: &Mistakes) -> Option<Vec<String>> {
    let keys: Option<Vec<String>> = match node.list() {
        Some(nodes) => nodes.iter().map(|node| node.text().map(str::to_string)).collect(),
        None => node.text().map(|text| text.strip_prefix("$.").unwrap_or(text).split('.').map(|key| key.trim().to_string()).collect()),
    };
    let keys = keys.filter(|keys| !keys.is_empty() && keys.iter().all(|key| !key.is_empty()));
    if keys.is_none() {
        mistakes.at(node, format!("{place} is {}; expected a dotted path such as 'data.items', or a list of keys", node.describe()));
    }
    keys
}

/// Reads a JSONPath.
pub(super) fn json_path(fields: &Fields<'_>, key: &str) -> Option<JsonPath> {
    let text = fields.text(key)?;
    match JsonPath::parse(&text) {
        Ok(path) => Some(path),
        Err(err) => {
            fields.mistakes().at(fields.get(key)?, format!("'{key}' of {}: {err}", fields.place()));
            None
        }
    }
}

/// Reads a JSONPath that must be there.
pub(super) fn required_json_path(fields: &Fields<'_>, key: &str) -> Option<JsonPath> {
    fields.required_text(key)?;
    json_path(fields, key)
}
