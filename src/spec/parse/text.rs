//! Texts with a form of their own: templates, dotted paths, JSONPaths.

use super::foreign::double_brace_with_dollar;
use crate::spec::{duration_of, Template, DURATION_FORMS};
use crate::yaml::{Fields, Mistakes, Node};
use crate::Result;
use std::time::Duration;

/// Returns a path's template. `{*name}`, which old files have, is `{name}`.
pub(super) fn path_template(text: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Template {
    parsed(Template::parse_path(&text.replace("{*", "{")), text, node, place, mistakes)
}

/// Returns the template of a URL, without a slash at its end.
pub(super) fn url_template(text: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Template {
    path_template(text.trim().trim_end_matches('/'), node, place, mistakes)
}

/// Returns a value's template.
pub(super) fn value_template(text: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Template {
    parsed(Template::parse_value(text), text, node, place, mistakes)
}

fn parsed(template: Result<Template>, text: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Template {
    template.unwrap_or_else(|err| {
        mistakes.at(node, double_brace_with_dollar(text).map_or_else(|| format!("{place}: {err}"), |found| format!("{place} {found}")));
        Template::of_text(text)
    })
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
    if let Some(text) = node.text().filter(|text| text.contains('[')) {
        let remedy =
            "lists on the way of 'result_body_path' are gone through by themselves; a position in 'source' is a key, as in 'tags.0'; \
                      a key that holds a bracket is written in a list of keys";
        mistakes.at(node, format!("{place} is '{text}'; expected keys with dots between them, such as 'data.items': {remedy}"));
        return None;
    }
    let keys = keys.filter(|keys| !keys.is_empty() && keys.iter().all(|key| !key.is_empty()));
    if keys.is_none() {
        let node = if node.list().is_some() { node.first_nested() } else { node };
        mistakes.at(node, format!("{place} is {}; expected a dotted path such as 'data.items', or a list of keys", node.describe()));
    }
    keys
}

/// Returns whether a text says yes.
pub fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on")
}

/// Reads a length of time.
pub(super) fn duration(fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let node = fields.get(key)?;
    let found = node.text().and_then(duration_of);
    if found.is_none() {
        fields.wrong(key, node, DURATION_FORMS);
    }
    found
}

/// Returns whether a text says no.
pub fn is_no(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "off")
}

/// Returns the template of a path below `base_url`.
pub fn below_base_url(path: &str, node: &Node, fields: &Fields<'_>) -> Template {
    let path = path.trim();
    if path.contains("://") {
        fields.mistakes().at(node, format!("the path of {} is '{path}'; expected a path below base_url", fields.place()));
    }
    let path = if path.is_empty() || path.starts_with(['/', '?']) { path.to_string() } else { format!("/{path}") };
    path_template(&path, node, &format!("the path of {}", fields.place()), fields.mistakes())
}
