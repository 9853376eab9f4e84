//! Reads `headers`.

use super::text::value_template;
use crate::spec::Template;
use crate::yaml::{Fields, Mistakes, Node};

/// Reads `headers`: names with values that may hold `${option}`. `table` is empty for those of the spec.
pub fn headers_of(fields: &Fields<'_>, table: &str) -> Vec<(String, Template)> {
    let Some(node) = fields.get("headers") else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong("headers", node, "a mapping of header names");
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (key, value) in entries {
        check_header_name(&key.name, &format!("header '{}' of {}", key.name, fields.place()), fields.mistakes(), value);
        match value.text() {
            Some(text) if text.chars().any(|c| c.is_control()) => {
                fields.mistakes().at(value, format!("header '{}' of {} has a line break or control character", key.name, fields.place()));
            }
            Some(text) => {
                if let Some(name) = variable_in(text) {
                    let message = format!(
                        "header '{}' of {} is sent with '${name}' as it is: a spec does not read the environment; declare an option and write \
                         '${{option}}', and give the connection's option the value '${name}'",
                        key.name,
                        fields.place()
                    );
                    fields.mistakes().warn(table, value, message);
                }
                let place = format!("header '{}' of {}", key.name, fields.place());
                headers.push((key.name.clone(), value_template(text, value, &place, fields.mistakes())));
            }
            None => fields.wrong(&key.name, value, "a text"),
        }
    }
    headers
}

/// Returns the name of what looks like an environment variable in a text: `$NAME`.
fn variable_in(text: &str) -> Option<&str> {
    text.split('$').skip(1).map(|after| after.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("")).find(|name| {
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.len() > 1 && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && name.chars().all(is_capital)
    })
}

/// Notes a mistake unless the name is one that HTTP allows (RFC 9110, section 5.1).
pub fn check_header_name(name: &str, place: &str, mistakes: &Mistakes, node: &Node) {
    let is_token = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
    if !is_token {
        mistakes.at(node, format!("{place} has no valid HTTP header name; expected letters, digits and dashes"));
    }
}
