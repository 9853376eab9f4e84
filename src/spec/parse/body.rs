//! Reads the body of a request: `body`, `form`, `multipart`, `text`, `graphql`, and `post` of old files.

use super::json::json_template;
use super::text::value_template;
use super::{Fields, Node};
use crate::document::JsonValue;
use crate::spec::{Body, GraphqlErrors, JsonTemplate, Template};
use crate::yaml::NodeKind;

/// The keys that say what a body is: a request has one of them.
pub(in crate::spec) const BODY_KEYS: &[&str] = &["body", "form", "multipart", "text", "graphql", "post"];
/// The keys of `graphql`.
pub(in crate::spec) const GRAPHQL_KEYS: &[&str] = &["query", "variables", "operation", "partial"];

/// Reads a request's body; `None` without one of the keys, or when it has a mistake. `writes`: whether the rows that are written may stand in it.
pub(super) fn body_of(fields: &Fields<'_>, writes: bool) -> Option<Body> {
    let given: Vec<(&str, &Node)> = BODY_KEYS.iter().filter_map(|key| Some((*key, fields.get(key)?))).collect();
    if let [_, .., (key, node)] = given.as_slice() {
        let names: Vec<&str> = given.iter().map(|(key, _)| *key).collect();
        fields
            .mistakes()
            .at(node, format!("'{key}' of {} is one body too many: it has '{}'; keep one", fields.place(), names.join("', '")));
    }
    let (key, node) = given.first()?;
    let place = format!("'{key}' of {}", fields.place());
    match *key {
        "graphql" => graphql_of(node, fields, writes),
        "text" => Some(Body::Text(value_template(&fields.text("text")?, node, &place, fields.mistakes()))),
        _ if is_none(node) => Some(Body::None),
        key => {
            let may_be_list = matches!(key, "body" | "post");
            let fits = match &node.kind {
                NodeKind::Text(text) => text.contains("${"),
                NodeKind::List(_) => may_be_list,
                NodeKind::Mapping(_) => true,
                _ => false,
            };
            if !fits {
                let expected = match may_be_list {
                    true => "a mapping or a list with '${...}' holes, one such hole, or none",
                    false => "a mapping of names to values with '${...}' holes, or one such hole",
                };
                fields.wrong(key, node, expected);
                return None;
            }
            let json = json_template(node, &place, writes, fields.mistakes())?;
            Some(match key {
                "form" => Body::Form(json),
                "multipart" => Body::Multipart(json),
                _ => Body::Json(json),
            })
        }
    }
}

fn is_none(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Text(text) if text.trim().eq_ignore_ascii_case("none"))
}

/// Reads `graphql`, which is sent as JSON (GraphQL over HTTP, section 5).
fn graphql_of(node: &Node, request: &Fields<'_>, writes: bool) -> Option<Body> {
    let place = format!("'graphql' of {}", request.place());
    let fields = Fields::of(node, place.clone(), GRAPHQL_KEYS, request.mistakes())?;
    let query = fields.required_text("query")?;
    let query = value_template(&query, fields.get("query")?, &place, fields.mistakes());
    let query = match query.as_literal() {
        Some(text) => JsonTemplate::Value(JsonValue::String(text.to_string())),
        None => JsonTemplate::Text(query),
    };
    let mut entries = vec![("query".to_string(), query)];
    if let Some(node) = fields.get("variables") {
        if !matches!(node.kind, NodeKind::Mapping(_)) {
            fields.wrong("variables", node, "a mapping of names to values");
        }
        entries.push(("variables".to_string(), json_template(node, &place, writes, fields.mistakes())?));
    }
    if let Some(name) = fields.text("operation") {
        entries.push(("operationName".to_string(), JsonTemplate::Value(JsonValue::String(name))));
    }
    Some(Body::Json(JsonTemplate::Object(entries)))
}

/// Reads what it means when an answer of a GraphQL API has data and errors; `None` when the request is another's.
pub(super) fn graphql_errors_of(request: &Fields<'_>) -> Option<GraphqlErrors> {
    let graphql = request.get("graphql")?;
    let Some(node) = graphql.get("partial") else { return Some(GraphqlErrors::Fail) };
    Some(match node.text().unwrap_or("") {
        "fail" => GraphqlErrors::Fail,
        "warn" => GraphqlErrors::Warn,
        _ => {
            request.wrong("partial", node, "'warn' (the data of an answer with errors is used) or 'fail'");
            GraphqlErrors::Fail
        }
    })
}

/// Adds variables to a GraphQL query, each with the hole that fills it, unless the spec gives them.
pub(super) fn add_variables(body: &mut Body, variables: &[(&str, &str)]) {
    let Body::Json(JsonTemplate::Object(entries)) = body else { return };
    let has_variables = entries.iter().any(|(key, _)| key == "variables");
    if !has_variables && !variables.is_empty() {
        entries.push(("variables".to_string(), JsonTemplate::Object(Vec::new())));
    }
    let Some((_, JsonTemplate::Object(given))) = entries.iter_mut().find(|(key, _)| key == "variables") else { return };
    for (name, hole) in variables {
        if !given.iter().any(|(own, _)| own == name) {
            given.push((name.to_string(), JsonTemplate::Text(Template::of_hole(hole))));
        }
    }
}
