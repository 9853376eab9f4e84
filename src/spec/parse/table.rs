//! Reads `tables`.

use super::answer::answer_of;
use super::body::{add_variables, body_of, graphql_errors_of, BODY_KEYS};
use super::children::children_of;
use super::columns::{columns_of, key_columns_of, meta_paths_of, nested_of, select_of};
use super::deletes::{deletes_of, OwnColumns};
use super::etag::has_etag;
use super::expect::expect_of;
use super::headers::headers_of;
use super::job::job_of;
use super::keys::{CALL_KEYS, TABLE_KEYS};
use super::params::params_of;
use super::path::path_of;
use super::recurse::recurse_of;
use super::refresh::refresh_of;
use super::text::{keys_of, path_template};
use super::throttle::throttle_name_of;
use super::window::{max_rows_of, window_of};
use super::write::writes_of;
use super::{updating, Fields, Node};
use crate::source::Paging;
use crate::spec::{Body, DateFormat, Deletes, FirstRequest, Method, Missing, RequestDef, TableDef, Unpaged};
use std::sync::Arc;

/// The methods that read.
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// What tables have of the spec where they do not say otherwise.
pub(super) struct SpecDefaults<'a> {
    pub paging: Option<&'a Paging>,
    pub date_format: DateFormat,
    pub is_strict: bool,
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
    let read = |node: &Node| {
        let mut tables = table_of(node, spec, defaults);
        if let Some(table_def) = tables.first_mut() {
            let updating = updating::overlaid(node).and_then(|node| table_of(&node, spec, defaults).into_iter().next());
            table_def.updating = updating.map(Arc::new);
        }
        tables
    };
    nodes.iter().flat_map(read).collect()
}

/// Reads a table: it, and its children.
fn table_of(node: &Node, spec: &Fields<'_>, defaults: &SpecDefaults<'_>) -> Vec<TableDef> {
    let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
    let place = if name.is_empty() { "a table".to_string() } else { format!("table '{name}'") };
    let Some(fields) = Fields::of(node, place, TABLE_KEYS, spec.mistakes()) else { return Vec::new() };
    fields.required_text("name");
    let table_def = request_table(&fields, spec, defaults, name);
    let children = children_of(&fields, &table_def);
    std::iter::once(table_def).chain(children).collect()
}

/// Reads a table of that name, which `fields` need not have.
pub(super) fn request_table(fields: &Fields<'_>, spec: &Fields<'_>, defaults: &SpecDefaults<'_>, name: String) -> TableDef {
    let mut columns = columns_of(fields);
    let result_meta_paths = meta_paths_of(fields, &mut columns);
    let key_columns = key_columns_of(fields, &columns);
    let (refresh, max_staleness) = refresh_of(fields, &defaults.date_format);
    let unpaged = unpaged_of(fields, spec, defaults.is_strict);
    let (path, method) = path_of(fields, &METHODS);
    let mut headers = headers_of(fields, &name);
    let job = job_of(fields, &mut headers).map(Box::new);
    let mut table_def = TableDef {
        description: fields.text("description"),
        path,
        headers,
        request: request_of(fields, method),
        name,
        params: params_of(fields),
        date_format: refresh.updates().map_or(&defaults.date_format, |updates| &updates.format).clone(),
        paging: table_paging(fields, spec, defaults.paging),
        unpaged: if job.as_ref().is_some_and(|job| job.urls.is_some()) { Unpaged::Wanted } else { unpaged },
        answer: answer_of(fields),
        result_body_path: keys_of(fields, "result_body_path"),
        result_object_path: fields.text("result_object_path"),
        missing: missing_of(fields),
        result_meta_paths,
        copy_params_to_output: fields.comma_texts("copy_params_to_output"),
        select: select_of(fields),
        strip_prefixes: fields.texts("strip_prefixes"),
        only_columns: fields.boolean("only_columns").unwrap_or(false),
        refresh,
        max_staleness,
        etag: false,
        updating: None,
        nested: nested_of(fields),
        throttle: throttle_name_of(fields, spec),
        expect: expect_of(fields, &key_columns),
        write: writes_of(fields),
        window: window_of(fields),
        max_rows: max_rows_of(fields),
        discovered: Arc::default(),
        chunk: None,
        job,
        deletes: Deletes::Remove,
        columns,
        key_columns,
        recurse: recurse_of(fields),
        child: None,
    };
    let own = OwnColumns {
        key: &table_def.key_columns,
        declared: &table_def.columns,
        copied: table_def.copy_params_to_output.iter().map(String::as_str).collect(),
    };
    table_def.deletes = deletes_of(fields, &own, Deletes::Remove);
    table_def.request.first = first_of(fields, spec);
    if table_def.request.graphql_errors.is_some() {
        add_variables(&mut table_def.request.body, &table_def.paging.variables());
    }
    let holes: Vec<String> = table_def.hole_names().into_iter().map(str::to_string).collect();
    table_def.paging.set_holes(&holes.iter().map(String::as_str).collect::<Vec<_>>());
    table_def.etag = has_etag(fields, spec, &table_def);
    table_def
}

/// Reads what a request sends. A body is posted where no method is written.
fn request_of(fields: &Fields<'_>, method: Option<Method>) -> RequestDef {
    let body = body_of(fields, false).unwrap_or_default();
    let method = method.unwrap_or(if body == Body::None { Method::Get } else { Method::Post });
    let is_safe = fields.boolean("safe");
    if let (Method::Get, Some(false), Some(node)) = (method, is_safe, fields.get("safe")) {
        fields.mistakes().at(node, format!("'safe' of {} is false, but it reads by GET, which changes nothing", fields.place()));
    }
    let base_url = fields.text("base_url").map(|text| {
        let node = fields.get("base_url").unwrap_or(fields.mapping_node());
        path_template(text.trim().trim_end_matches('/'), node, &format!("'base_url' of {}", fields.place()), fields.mistakes())
    });
    RequestDef { method, base_url, body, is_safe, graphql_errors: graphql_errors_of(fields), first: None }
}

/// Reads the request of the first page, which the table's paging has, or that of the spec.
fn first_of(fields: &Fields<'_>, spec: &Fields<'_>) -> Option<Box<FirstRequest>> {
    let is_paged = fields.boolean("supports_paging");
    let paging = fields.get("paging").or_else(|| spec.get("paging").filter(|_| is_paged == Some(true)));
    let node = paging.filter(|_| is_paged != Some(false))?.get("first").filter(|node| !node.is_null())?;
    // Whether it may be sent twice is said of the table.
    let keys: Vec<&str> = CALL_KEYS.iter().filter(|key| **key != "safe").chain(BODY_KEYS).copied().collect();
    let first = Fields::of(node, format!("'first' in the paging of {}", fields.place()), &keys, fields.mistakes())?;
    let (path, method) = path_of(&first, &METHODS);
    let RequestDef { method, body, .. } = request_of(&first, method);
    Some(Box::new(FirstRequest { path, method, body }))
}

fn table_paging(fields: &Fields<'_>, spec: &Fields<'_>, paging: Option<&Paging>) -> Paging {
    let is_paged = fields.boolean("supports_paging");
    let own = fields.get("paging").map(|node| Paging::parse(node, &format!("'paging' of {}", fields.place()), fields.mistakes()));
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

/// Returns what an answer that is not paged means when it shows that there is more. Warns where the spec has paging and the table leaves open
/// whether it is paged.
fn unpaged_of(fields: &Fields<'_>, spec: &Fields<'_>, is_strict: bool) -> Unpaged {
    let strategy_of = |node: &Node| node.get("strategy").and_then(Node::text).map(str::to_ascii_lowercase);
    if fields.get("paging").and_then(strategy_of).as_deref() == Some("none") {
        return Unpaged::Wanted;
    }
    let says_nothing = ["supports_paging", "paging", "result_object_path"].iter().all(|key| fields.get(key).is_none());
    let is_left_open = says_nothing && spec.get("paging").is_some_and(|node| strategy_of(node).as_deref() != Some("none"));
    if let (true, Some(name)) = (is_left_open, fields.get("name")) {
        let message = format!(
            "{} loads one page: the spec has 'paging', and the table does not say whether it has pages; write 'supports_paging: true' or 'false'",
            fields.place()
        );
        fields.mistakes().warn(name.text().unwrap_or(""), name, message);
    }
    match is_strict {
        true => Unpaged::Fails,
        false => Unpaged::Warns,
    }
}

fn missing_of(fields: &Fields<'_>) -> Missing {
    let Some(node) = fields.get("missing") else { return Missing::Fails };
    match node.text().unwrap_or("") {
        "empty" => Missing::Empty,
        "error" => Missing::Fails,
        _ => {
            fields.wrong("missing", node, "'empty' (an answer without the key of 'result_body_path' has no rows) or 'error'");
            Missing::Fails
        }
    }
}
