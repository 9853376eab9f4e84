//! Reads `views`.

use super::{Fields, Node};
use crate::spec::{ParentQuery, ViewDef};

/// Reads the views.
pub(super) fn views_of(spec: &Fields<'_>) -> Vec<ViewDef> {
    let Some(node) = spec.get("views") else { return Vec::new() };
    let Some(nodes) = node.list() else {
        spec.wrong("views", node, "a list of views");
        return Vec::new();
    };
    nodes.iter().filter_map(|node| view_of(node, spec)).collect()
}

fn view_of(node: &Node, spec: &Fields<'_>) -> Option<ViewDef> {
    let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
    let place = if name.is_empty() { "a view".to_string() } else { format!("view '{name}'") };
    let fields = Fields::of(node, place, &["name", "from", "query", "help"], spec.mistakes())?;
    fields.required_text("name");
    let sql_node = match fields.get("query") {
        None => {
            fields.mistakes().at(node, format!("{} has no 'query'", fields.place()));
            return None;
        }
        Some(node) if node.mapping().is_some() => node.get("duckdb").unwrap_or(node),
        Some(node) => node,
    };
    let Some(sql) = sql_node.text() else {
        fields.wrong("query", sql_node, "a SELECT, or a mapping by dialect with 'duckdb'");
        return None;
    };
    let query = match ParentQuery::parse(sql.trim().trim_end_matches(';')) {
        Ok(query) => query,
        Err(err) => {
            fields.mistakes().at(sql_node, format!("{}: {err}", fields.place()));
            return None;
        }
    };
    if let Some(option) = query.options.first() {
        fields.mistakes().at(sql_node, format!("{} has the hole '{option}'; only a query in params holds options", fields.place()));
    }
    let mut from = query.tables.clone();
    for table in fields.comma_texts("from") {
        if !from.iter().any(|other| other.eq_ignore_ascii_case(&table)) {
            from.push(table);
        }
    }
    Some(ViewDef { name, from, query, help: fields.text("help") })
}
