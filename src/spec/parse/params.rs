//! Reads `params`: scalars, lists, tuples and queries.

use super::text::value_template;
use crate::spec::{with_placeholders, Many, ManyForm, ParamDef, ParamValue, ParamValues, ParentQuery};
use crate::yaml::{Fields, Mistakes, Node, NodeKind};
use std::num::NonZeroUsize;

/// The keys of a param of which a request may have many values.
pub(in crate::spec) const LONG_KEYS: &[&str] = &["values", "query", "batch", "as"];

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
        if node.mapping().is_some() {
            params.extend(long_form(names, node, &place, mistakes));
            continue;
        }
        if let Some(values) = values_of(&names, node, &place, mistakes) {
            params.push(ParamDef { names, values, many: None });
        }
    }
    params
}

/// Reads a param of which a request may have many values.
fn long_form(names: Vec<String>, node: &Node, place: &str, mistakes: &Mistakes) -> Option<ParamDef> {
    let fields = Fields::of(node, place, LONG_KEYS, mistakes)?;
    if names.len() > 1 {
        mistakes.at(node, format!("{place} is a mapping; expected a list of lists of {} values, or sql@(SELECT ...)", names.len()));
        return None;
    }
    let batch = fields.count("batch", 1).and_then(|count| usize::try_from(count).ok()).and_then(NonZeroUsize::new);
    let form = match fields.text("as") {
        None => ManyForm::default(),
        Some(name) => ManyForm::named(&name).unwrap_or_else(|| {
            let hint = mistakes.suggestions().suggestion(&name, &ManyForm::NAMES);
            mistakes.at(fields.get("as").unwrap_or(node), format!("'as' of {place} is '{name}'; {hint}"));
            ManyForm::default()
        }),
    };
    let values = match (fields.get("values"), fields.get("query")) {
        (Some(values), None) => {
            let nodes = values.list().unwrap_or(std::slice::from_ref(values));
            if nodes.is_empty() {
                mistakes.at(values, format!("'values' of {place} is empty; expected at least one value"));
            }
            ParamValues::Each(nodes.iter().map(|node| element_of(&names, node, place, mistakes)).collect::<Option<_>>()?)
        }
        (None, Some(query)) => {
            let text = fields.text("query")?;
            let text = text.trim();
            let sql = text.strip_prefix("sql@").unwrap_or(text).trim();
            let sql = if sql.starts_with('(') { sql.to_string() } else { format!("({sql})") };
            ParamValues::Query(query_of(&names, &sql, query, place, mistakes)?)
        }
        _ => {
            mistakes.at(node, format!("{place} needs 'values' or 'query', one of them"));
            return None;
        }
    };
    Some(ParamDef { names, values, many: Some(Many { batch, form }) })
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
            let template = value_template(text, node, place, mistakes);
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
    let query = match with_placeholders(inner).and_then(|sql| ParentQuery::parse(&sql)) {
        Ok(query) => query,
        Err(err) => {
            mistakes.at(node, format!("{place}: {err}"));
            return None;
        }
    };
    if query.options.len() != inner.matches("${").count() {
        mistakes.at(node, format!("the query of {place} has a hole inside of a text or a name; a hole is a value by itself"));
    }
    if let Some(n_columns) = query.n_columns().filter(|n_columns| *n_columns != names.len()) {
        mistakes.at(node, format!("the query of {place} yields {n_columns} columns; expected {}, one for each name", names.len()));
    }
    Some(query)
}
