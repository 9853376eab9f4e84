//! Reads `tables`.

use super::columns::{columns_of, key_columns_of, nested_of, select_of};
use super::paging::paging_of;
use super::params::params_of;
use super::refresh::refresh_of;
use super::text::{dotted, keys_of, path_template};
use super::write::write_of;
use super::{headers_of, Fields, Node};
use crate::spec::{DateFormat, Paging, TableDef, Template};

pub(in crate::spec) const TABLE_KEYS: &[&str] = &[
    "name",
    "description",
    "resource_path",
    "query_resource",
    "method",
    "headers",
    "params",
    "result_body_path",
    "result_object_path",
    "result_meta_paths",
    "supports_paging",
    "paging",
    "copy_params_to_output",
    "select",
    "strip_prefixes",
    "columns",
    "only_columns",
    "key_column",
    "key_columns",
    "refresh",
    "nested",
    "write",
];
/// Keys that are known, and mean something this version cannot do.
const LATER_KEYS: &[&str] = &["post", "graphql"];

/// What tables have of the spec where they do not say otherwise.
pub(super) struct SpecDefaults<'a> {
    pub paging: Option<&'a Paging>,
    pub date_format: DateFormat,
}

/// Reads the tables.
pub(super) fn tables_of(spec: &Fields<'_>, defaults: &SpecDefaults<'_>) -> Vec<TableDef> {
    let nodes = spec.get("tables").and_then(Node::list).unwrap_or_default();
    if nodes.is_empty() {
        match spec.get("tables") {
            Some(node) => spec.wrong("tables", node, "a list of at least one table"),
            None => spec.mistakes().at(spec.mapping_node(), "the spec has no 'tables'"),
        }
    }
    nodes.iter().filter_map(|node| table_of(node, spec, defaults)).collect()
}

fn table_of(node: &Node, spec: &Fields<'_>, defaults: &SpecDefaults<'_>) -> Option<TableDef> {
    let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
    let place = if name.is_empty() { "a table".to_string() } else { format!("table '{name}'") };
    let mut keys = TABLE_KEYS.to_vec();
    for later in LATER_KEYS {
        if let Some(node) = node.get(later) {
            spec.mistakes().at(node, format!("'{later}' of {place} is not supported yet; only GET tables are"));
            keys.push(later);
        }
    }
    let fields = Fields::of(node, place, &keys, spec.mistakes())?;
    fields.required_text("name");
    let columns = columns_of(&fields);
    let key_columns = key_columns_of(&fields, &columns);
    let (refresh, max_staleness) = refresh_of(&fields, &defaults.date_format);
    Some(TableDef {
        name,
        description: fields.text("description"),
        path: path_of(&fields),
        headers: headers_of(&fields),
        params: params_of(&fields),
        paging: table_paging(&fields, spec, defaults.paging),
        result_body_path: keys_of(&fields, "result_body_path"),
        result_object_path: fields.text("result_object_path"),
        result_meta_paths: meta_paths(&fields),
        copy_params_to_output: fields.comma_texts("copy_params_to_output"),
        select: select_of(&fields),
        strip_prefixes: fields.texts("strip_prefixes"),
        only_columns: fields.boolean("only_columns").unwrap_or(false),
        refresh,
        max_staleness,
        nested: nested_of(&fields),
        write: write_of(&fields),
        columns,
        key_columns,
    })
}

fn path_of(fields: &Fields<'_>) -> Template {
    let method = fields.text("method").unwrap_or_else(|| "GET".to_string());
    let mut path = fields.text("resource_path");
    let mut methods = vec![("method", method)];
    if let Some(resource) = fields.text("query_resource") {
        let words: Vec<&str> = resource.split_whitespace().collect();
        match (words.as_slice(), &path) {
            (_, Some(_)) => fields
                .mistakes()
                .at(fields.mapping_node(), format!("{} has both resource_path and query_resource; keep one", fields.place())),
            ([method, resource], None) => {
                methods.push(("query_resource", method.to_string()));
                path = Some(resource.to_string());
            }
            _ => fields.wrong(
                "query_resource",
                fields.get("query_resource").unwrap_or(fields.mapping_node()),
                "a method and a path, such as 'GET /repos'",
            ),
        }
    }
    for (key, method) in methods {
        if !method.eq_ignore_ascii_case("GET") {
            let node = fields.get(key).unwrap_or(fields.mapping_node());
            fields.mistakes().at(node, format!("method '{method}' of {} is not supported yet; only GET is", fields.place()));
        }
    }
    let path = path.unwrap_or_default();
    below_base_url(&path, fields.get("resource_path").unwrap_or(fields.mapping_node()), fields)
}

/// Returns the template of a path below `base_url`.
pub(super) fn below_base_url(path: &str, node: &Node, fields: &Fields<'_>) -> Template {
    let path = path.trim();
    if path.contains("://") {
        fields.mistakes().at(node, format!("the path of {} is '{path}'; expected a path below base_url", fields.place()));
    }
    if path.is_empty() || path.starts_with(['/', '?']) {
        path_template(path)
    } else {
        path_template(&format!("/{path}"))
    }
}

fn table_paging(fields: &Fields<'_>, spec: &Fields<'_>, paging: Option<&Paging>) -> Paging {
    let is_paged = fields.boolean("supports_paging");
    let own = fields.get("paging").map(|node| paging_of(node, &format!("'paging' of {}", fields.place()), fields.mistakes()));
    match (own, is_paged) {
        (_, Some(false)) => Paging::None,
        (Some(own), _) => own.unwrap_or_default(),
        (None, Some(true)) => {
            if let (None, Some(node)) = (spec.get("paging"), fields.get("supports_paging")) {
                fields.mistakes().at(node, format!("{} supports paging, but neither it nor the spec has 'paging'", fields.place()));
            }
            paging.cloned().unwrap_or_default()
        }
        (None, None) => Paging::None,
    }
}

fn meta_paths(fields: &Fields<'_>) -> Vec<Vec<String>> {
    let Some(node) = fields.get("result_meta_paths") else { return Vec::new() };
    let place = format!("an element of 'result_meta_paths' of {}", fields.place());
    node.list().unwrap_or(std::slice::from_ref(node)).iter().filter_map(|node| dotted(node, &place, fields.mistakes())).collect()
}
