//! Compares an adapter spec with the description of its API: requests, parameters, records and columns that there are not, and lists that no
//! table loads.

use super::document::Description;
use super::names::{is_hole, segments};
use super::operation::{Operation, Place};
use super::schema::{Schema, Shape};
use super::server::server_of;
use super::spec_text::as_described;
use super::tables::tables_of;
use crate::spec::parse::is_yes;
use crate::spec::{AdapterSpec, Examined, Finding, FindingLevel, Method, ParamDef, Part, RecordForm, TableDef, Template};
use crate::yaml::{Node, Suggestions};
use std::collections::HashSet;

/// Deepest a column's name is looked for in objects.
const MAX_DEPTH: usize = 6;

/// Returns what the description does not know of the spec's tables, and its lists that no table has.
pub fn compare(examined: &Examined, description: &Description) -> Vec<Finding> {
    let (Some(spec), Some(root)) = (&examined.spec, &examined.root) else { return Vec::new() };
    let operations = description.operations();
    let server = server_of(description, &operations, &[]);
    let mut comparison = Comparison {
        spec,
        root,
        prefix: path_of_url(&base_url_of(spec)),
        server_prefix: path_of_url(&server.base_url),
        operations: &operations,
        description,
        suggestions: Suggestions::default(),
        covered: HashSet::new(),
        found: Vec::new(),
    };
    let nodes = root.get("tables").and_then(Node::list).unwrap_or_default();
    for table_def in spec.tables.iter().filter(|table_def| table_def.child.is_none()) {
        let named = |node: &&Node| node.get("name").and_then(Node::text) == Some(table_def.name.as_str());
        // What another request or another address answers, the description's GET requests do not tell.
        let is_plain = table_def.request.method == Method::Get && table_def.request.base_url.is_none();
        if let Some(node) = nodes.iter().find(named).filter(|_| is_plain) {
            comparison.table(table_def, node);
        }
    }
    let (tables, _) = tables_of(description, &operations, &server);
    let covered = std::mem::take(&mut comparison.covered);
    for table in tables.iter().filter(|table| !covered.contains(table.path)) {
        let message = format!("no table loads the list GET {}", table.path);
        let suggestion = format!("unify_import_openapi(..., include := ['{}']) writes one", table.path);
        comparison.found.push(Finding {
            place: None,
            level: FindingLevel::Note,
            key: String::new(),
            message,
            suggestion: Some(suggestion),
        });
    }
    comparison.found
}

/// Returns the path of an address, whose host may be a placeholder.
fn path_of_url(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(String::new(), |(_, path)| path.trim_matches('/').to_string())
}

/// Returns the base URL of a spec, whose beginning may be the default of an option.
fn base_url_of(spec: &AdapterSpec) -> String {
    let text = text_of(&spec.base_url);
    let Some(Part::Hole(hole)) = spec.base_url.parts().first() else { return text };
    let default = spec.option(&hole.name).and_then(|option| option.default.clone());
    let hole = format!("{{{}}}", hole.name);
    match (default, text.strip_prefix(&hole)) {
        (Some(default), Some(rest)) => format!("{}{rest}", default.trim_end_matches('/')),
        _ => text,
    }
}

/// Writes a path as descriptions do, with `{name}` for its placeholders.
fn text_of(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => as_described(text),
        Part::Hole(hole) => format!("{{{}}}", hole.name),
    };
    template.parts().iter().map(part).collect()
}

struct Comparison<'c, 'a> {
    spec: &'c AdapterSpec,
    root: &'c Node,
    prefix: String,
    server_prefix: String,
    operations: &'c [Operation<'a>],
    description: &'a Description,
    suggestions: Suggestions,
    /// Paths of the description that a table asks for.
    covered: HashSet<&'a str>,
    found: Vec<Finding>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    fn add(&mut self, node: &Node, key: String, message: String, suggestion: Option<String>) {
        self.found.push(Finding { place: Some((node.line, node.column)), level: FindingLevel::Warning, key, message, suggestion });
    }

    fn near<'n>(&self, name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
        self.suggestions.nearest(name, names).map(|near| format!("did you mean '{near}'?"))
    }

    fn table(&mut self, table_def: &TableDef, node: &Node) {
        let key = |below: &str| format!("tables.{}.{below}", table_def.name);
        let path = text_of(&table_def.path);
        // A path that is written so stands for itself, and not for a placeholder of another.
        let is_only_written =
            self.description.root()["paths"].get(&path).is_some() && !self.operations.iter().any(|operation| operation.path == path);
        let Some(operation) = self.operation_of(&path).filter(|_| !is_only_written) else {
            let place = ["resource_path", "query_resource"].iter().find_map(|key| node.get(key)).unwrap_or(node);
            let other =
                self.description.root()["paths"].as_object().is_some_and(|paths| paths.keys().any(|known| self.is_same(known, &path)));
            let (message, suggestion) = match other {
                true => (format!("the description has '{path}', but no GET request for it"), None),
                false => {
                    let near = self.near(&path, self.operations.iter().map(|operation| operation.path));
                    (format!("the description has no path '{path}'"), near)
                }
            };
            self.add(place, key("resource_path"), message, suggestion);
            return;
        };
        self.covered.insert(operation.path);
        self.params(table_def, node, operation);
        self.records(table_def, node, operation);
    }

    /// Returns the request that a path of the spec asks for: of those that fit, the first with most parts that are the same.
    fn operation_of(&self, path: &str) -> Option<&'c Operation<'a>> {
        let operations = self.operations;
        let fitting = operations.iter().filter(|operation| self.is_same(operation.path, path));
        fitting.rev().max_by_key(|operation| likeness(&segments(operation.path), &segments(path)))
    }

    /// Returns whether a path of the description is one of the spec, each behind its own address or alone.
    fn is_same(&self, described: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or("");
        let own = format!("{}/{path}", self.prefix);
        let whole = format!("{}/{described}", self.server_prefix);
        fits(&segments(&whole), &segments(&own)) || fits(&segments(described), &segments(path))
    }

    fn params(&mut self, table_def: &TableDef, node: &Node, operation: &Operation<'a>) {
        let holes: Vec<&str> = self.spec.base_url.names().chain(table_def.path.names()).collect();
        let known: Vec<&str> =
            operation.parameters.iter().filter(|parameter| parameter.place == Place::Query).map(|parameter| parameter.name).collect();
        let refresh = table_def.refresh.updates();
        let refresh_params = refresh.map_or(&[][..], |updates| &updates.params);
        let names = |params: &[ParamDef]| -> Vec<String> { params.iter().flat_map(|param_def| param_def.names.clone()).collect() };
        let mut sent: Vec<(String, &'static str)> = names(&table_def.params).into_iter().map(|name| (name, "params")).collect();
        sent.extend(names(refresh_params).into_iter().map(|name| (name, "refresh")));
        sent.extend(refresh.and_then(|updates| updates.cursor.as_ref()?.param.clone()).map(|name| (name, "refresh")));
        sent.extend(self.paging_params(node).into_iter().map(|name| (name, "paging")));
        for (name, place) in &sent {
            if holes.contains(&name.as_str()) || known.contains(&name.as_str()) {
                continue;
            }
            let suggestion = self.near(name, known.iter().copied());
            // What the paging of the whole spec sends stands elsewhere.
            let at = node.get(place).map_or(node, |within| node_of_param(within, name));
            self.add(
                at,
                format!("tables.{}.{place}", table_def.name),
                format!("GET {} has no parameter '{name}'", operation.path),
                suggestion,
            );
        }
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query && parameter.is_required) {
            if !sent.iter().any(|(name, _)| name == parameter.name) {
                let message = format!("GET {} needs parameter '{}', which the table does not send", operation.path, parameter.name);
                self.add(node, format!("tables.{}.params", table_def.name), message, None);
            }
        }
    }

    /// Returns the params that the paging of a table sends.
    fn paging_params(&self, table: &Node) -> Vec<String> {
        let is_paged = table.get("supports_paging").and_then(Node::text);
        let common = is_paged.filter(|text| is_yes(text)).and(self.root.get("paging"));
        let paging = table.get("paging").or(common).filter(|_| is_paged.is_none_or(is_yes));
        let entries = paging.and_then(Node::mapping).unwrap_or_default().iter().filter(|(key, _)| key.name.ends_with("_param"));
        entries.filter_map(|(_, value)| value.text().map(str::to_string)).collect()
    }

    fn records(&mut self, table_def: &TableDef, node: &Node, operation: &Operation<'a>) {
        let Some(answer) = operation.answer.filter(|_| table_def.answer.records == RecordForm::Plain) else { return };
        let mut schema = answer;
        for name in &table_def.result_body_path {
            let is_list = schema.shape() == Shape::List;
            schema = element_of(schema);
            // The elements of a list are described alike, whatever their positions.
            if is_list && name.parse::<usize>().is_ok() {
                continue;
            }
            let Some(below) = schema.property(name) else {
                if schema.shape() == Shape::Object && !schema.is_open() {
                    let place = node.get("result_body_path").unwrap_or(node);
                    let names: Vec<&str> = schema.properties().into_iter().map(|(name, _)| name).collect();
                    let suggestion = self.near(name, names.iter().copied()).or_else(|| Some(format!("expected one of: {}", shown(&names))));
                    let message = format!("the answer of GET {} has no '{name}'", operation.path);
                    self.add(place, format!("tables.{}.result_body_path", table_def.name), message, suggestion);
                }
                return;
            };
            schema = below;
        }
        self.columns(table_def, node, element_of(schema), operation);
    }

    fn columns(&mut self, table_def: &TableDef, node: &Node, record: Schema<'a>, operation: &Operation<'a>) {
        if !table_def.strip_prefixes.is_empty() || table_def.result_object_path.is_some() || record.shape() != Shape::Object {
            return;
        }
        let above = table_def.result_meta_paths.iter().map(|path| path.join("_"));
        let names_above = table_def.answer.tree.iter().map(|tree| tree.column.clone());
        let others: Vec<String> = table_def.copy_params_to_output.iter().cloned().chain(above).chain(names_above).collect();
        let has = |name: &str| others.iter().any(|other| other.eq_ignore_ascii_case(name)) || has_column(record, name, 0);
        let sourced = |name: &str| table_def.columns.iter().any(|column| column.source.is_some() && column.name.eq_ignore_ascii_case(name));
        let keys = table_def.key_columns.iter().map(|name| (name.as_str(), "key_column"));
        let declared = table_def.columns.iter().map(|column| (column.name.as_str(), "columns"));
        let mut told: HashSet<&str> = HashSet::new();
        for (name, key) in keys.chain(declared) {
            if has(name) || sourced(name) || !told.insert(name) {
                continue;
            }
            let place = [key, "key_columns", "columns"].iter().find_map(|key| node.get(key)).unwrap_or(node);
            let names: Vec<&str> = record.properties().into_iter().map(|(name, _)| name).collect();
            let suggestion = self.near(name, names.iter().copied());
            let message = format!("the records of GET {} have no field for column '{name}'", operation.path);
            self.add(place, format!("tables.{}.{key}", table_def.name), message, suggestion);
        }
    }
}

/// Returns whether two paths are one: each part is the same, or has a placeholder on one side whose text it may be.
fn fits(described: &[&str], path: &[&str]) -> bool {
    let same = |(described, own): (&&str, &&str)| match (is_hole(described), is_hole(own)) {
        (false, false) => described == own,
        (true, false) => may_be(described, own),
        (false, true) => may_be(own, described),
        (true, true) => true,
    };
    described.len() == path.len() && described.iter().zip(path).all(same)
}

/// Returns whether a part of a path may be one with placeholders, such as `{id}:cancel`: it begins and ends as that does.
fn may_be(pattern: &str, part: &str) -> bool {
    let begin = pattern.split('{').next().unwrap_or_default();
    let end = pattern.rsplit('}').next().unwrap_or_default();
    part.len() > begin.len() + end.len() && part.starts_with(begin) && part.ends_with(end)
}

/// Returns how many parts at the ends of two paths are the same; one that is a placeholder on both sides counts half.
fn likeness(described: &[&str], path: &[&str]) -> usize {
    let of_pair = |(described, own): (&&str, &&str)| match (is_hole(described), is_hole(own)) {
        (true, true) => 1,
        _ if described == own => 2,
        _ => 0,
    };
    described.iter().rev().zip(path.iter().rev()).map(of_pair).sum()
}

/// Returns the schema of what a list holds, or the schema itself.
fn element_of(schema: Schema<'_>) -> Schema<'_> {
    match schema.shape() {
        Shape::List => schema.items().unwrap_or(schema),
        _ => schema,
    }
}

/// Returns whether a record has a field that becomes a column of that name.
fn has_column(record: Schema<'_>, name: &str, depth: usize) -> bool {
    if record.is_open() || depth > MAX_DEPTH {
        return true;
    }
    record.properties().into_iter().any(|(field, schema)| {
        let rest = name.get(..field.len()).filter(|start| start.eq_ignore_ascii_case(field)).map(|start| &name[start.len()..]);
        match rest {
            Some("") => true,
            Some(rest) => rest.strip_prefix('_').is_some_and(|rest| schema.shape() != Shape::Scalar && has_column(schema, rest, depth + 1)),
            None => false,
        }
    })
}

fn node_of_param<'n>(params: &'n Node, name: &str) -> &'n Node {
    let entries = params.mapping().unwrap_or_default();
    let named = |key: &str| key.split(',').any(|part| part.trim() == name);
    entries.iter().find(|(key, value)| named(&key.name) || value.text() == Some(name)).map_or(params, |(_, value)| value)
}

fn shown(names: &[&str]) -> String {
    let more = if names.len() > 20 { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(20).copied().collect::<Vec<_>>().join(", "))
}
