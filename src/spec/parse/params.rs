//! Reads `params`: scalars, lists, tuples and queries.

use super::text::value_template;
use crate::spec::yaml::{Fields, Mistakes, Node, NodeKind};
use crate::spec::{ParamDef, ParamValue, ParamValues, ParentQuery};

/// Reads the `params` mapping of `fields`.
pub(super) fn params_of(fields: &Fields<'_>) -> Vec<ParamDef> {
    let Some(node) = fields.get("params") else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong("params", node, "a mapping of param names to values");
        return Vec::new();
    };
    let mistakes = fields.mistakes();
    let mut params: Vec<ParamDef> = Vec::new();
    for (key, node) in entries {
        let names: Vec<String> = key.name.split(',').map(|name| name.trim().to_string()).collect();
        if names.iter().any(String::is_empty) {
            mistakes.at_key(key, format!("param '{}' of {} has an empty name", key.name, fields.place()));
            continue;
        }
        for (idx, name) in names.iter().enumerate() {
            if names[..idx].contains(name) || params.iter().any(|param_def| param_def.names.contains(name)) {
                mistakes.at_key(key, format!("param '{name}' of {} is there twice", fields.place()));
            }
        }
        let place = format!("param '{}' of {}", key.name, fields.place());
        if let Some(values) = values_of(&names, node, &place, mistakes) {
            params.push(ParamDef { names, values });
        }
    }
    params
}

fn values_of(names: &[String], node: &Node, place: &str, mistakes: &Mistakes) -> Option<ParamValues> {
    if let Some(sql) = node.text().and_then(|text| text.trim().strip_prefix("sql@")) {
        return query_of(names, sql, node, place, mistakes).map(ParamValues::Query);
    }
    if let Some(nodes) = node.list() {
        return nodes.iter().map(|node| element_of(names, node, place, mistakes)).collect::<Option<_>>().map(ParamValues::Each);
    }
    if names.len() > 1 {
        mistakes
            .at(node, format!("{place} is {}; expected a list of lists of {} values, or sql@(SELECT ...)", node.describe(), names.len()));
        return None;
    }
    value_of(node, place, mistakes).map(ParamValues::One)
}

/// Reads the values of one call: as many as there are names.
fn element_of(names: &[String], node: &Node, place: &str, mistakes: &Mistakes) -> Option<Vec<ParamValue>> {
    let nodes = match node.list() {
        Some(nodes) => nodes,
        None if names.len() == 1 => std::slice::from_ref(node),
        None => &[],
    };
    if nodes.len() != names.len() {
        mistakes.at(node, format!("an element of {place} has {}; expected a list of {} values", count_of(node), names.len()));
        return None;
    }
    nodes.iter().map(|node| value_of(node, place, mistakes)).collect()
}

fn count_of(node: &Node) -> String {
    node.list().map_or_else(|| node.describe(), |nodes| format!("{} values", nodes.len()))
}

/// Reads a value that is sent as a param.
pub(super) fn value_of(node: &Node, place: &str, mistakes: &Mistakes) -> Option<ParamValue> {
    match &node.kind {
        NodeKind::Null => Some(ParamValue::Null),
        NodeKind::Boolean(value) => Some(ParamValue::Boolean(*value)),
        // A number that would be sent otherwise than it is written (007, 1.10) is sent as it is written.
        NodeKind::Integer(value) if value.to_string() == node.written => Some(ParamValue::Integer(*value)),
        NodeKind::Double(value) if value.to_string() == node.written => Some(ParamValue::Double(*value)),
        NodeKind::Integer(_) | NodeKind::Double(_) => Some(ParamValue::Text(node.written.clone())),
        NodeKind::Text(text) if text.trim_start().starts_with("sql@") => {
            mistakes.at(node, format!("{place} has a query inside a list; expected sql@(SELECT ...) alone"));
            None
        }
        NodeKind::Text(text) => {
            let template = value_template(text);
            Some(if template.holes().next().is_some() { ParamValue::Template(template) } else { ParamValue::Text(text.clone()) })
        }
        NodeKind::List(_) | NodeKind::Mapping(_) => {
            mistakes.at(node, format!("a value of {place} is {}; expected a text, a number, a boolean or null", node.describe()));
            None
        }
    }
}

fn query_of(names: &[String], sql: &str, node: &Node, place: &str, mistakes: &Mistakes) -> Option<ParentQuery> {
    let sql = sql.trim();
    let Some(inner) = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        mistakes.at(node, format!("{place} is '{sql}'; expected sql@(SELECT ...)"));
        return None;
    };
    if value_template(inner).holes().next().is_some() {
        mistakes.at(node, format!("the query of {place} has a '${{...}}' hole; holes in queries are not supported yet"));
        return None;
    }
    let query = match ParentQuery::parse(inner) {
        Ok(query) => query,
        Err(err) => {
            mistakes.at(node, format!("{place}: {err}"));
            return None;
        }
    };
    if let Some(n_columns) = query.n_columns().filter(|n_columns| *n_columns != names.len()) {
        mistakes.at(node, format!("the query of {place} yields {n_columns} columns; expected {}, one for each name", names.len()));
    }
    Some(query)
}
