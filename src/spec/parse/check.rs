//! Checks what no single key can tell: names that repeat, holes that nothing fills, parents that are missing or go in circles.

use super::refresh::RefreshCheck;
use super::{Fields, Node};
use crate::spec::yaml::{nearest, Mistakes};
use crate::spec::{AdapterSpec, AuthSpec, OptionSpec, ParamDef, ParamValue, ParamValues, Part, TableDef, Template};

/// Holes that a load fills itself, in refresh params.
const REFRESH_HOLES: &[&str] = &["timestamp", "timestamp_day", "today", "cursor"];
/// Holes that a load fills itself, in any param.
const LOAD_HOLES: &[&str] = &["today"];

/// Adds the mistakes of a spec as a whole.
pub(super) fn check(spec: &AdapterSpec, fields: &Fields<'_>) {
    let mistakes = fields.mistakes();
    let root = fields.mapping_node();
    let options = spec.all_options();
    check_base_url(spec, fields.get("base_url").unwrap_or(root), &options, mistakes);
    check_options(spec, fields, mistakes);
    if let Some(node) = fields.get("headers") {
        check_headers(&spec.headers, node, "the spec", &options, mistakes);
    }
    let table_nodes: Vec<&Node> = nodes_named(fields, "tables");
    let view_nodes: Vec<&Node> = nodes_named(fields, "views");
    check_names(table_nodes.iter().chain(&view_nodes), mistakes);
    for table_def in &spec.tables {
        let Some(node) = table_nodes.iter().find(|node| name_of(node) == table_def.name) else { continue };
        TableCheck { spec, table_def, node, options: &options, mistakes }.run();
    }
    check_cycles(spec, &table_nodes, mistakes);
    check_views(spec, &table_nodes, &view_nodes, mistakes);
}

fn nodes_named<'a>(fields: &Fields<'a>, key: &str) -> Vec<&'a Node> {
    fields.get(key).and_then(Node::list).unwrap_or_default().iter().filter(|node| node.get("name").is_some()).collect()
}

fn name_of(node: &Node) -> &str {
    node.get("name").and_then(Node::text).unwrap_or("")
}

fn check_base_url(spec: &AdapterSpec, node: &Node, options: &[&OptionSpec], mistakes: &Mistakes) {
    let is_http = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    match spec.base_url.parts().first() {
        None => {}
        Some(Part::Literal(text)) if is_http(text) => {}
        Some(Part::Hole(name)) => match options.iter().find(|option| option.name == *name).map(|option| &option.default) {
            Some(Some(default)) if !is_http(default) => {
                mistakes
                    .at(node, format!("base_url begins with option '{name}', whose default is '{default}'; expected http:// or https://"));
            }
            _ => {}
        },
        Some(Part::Literal(text)) => mistakes.at(node, format!("base_url begins with '{text}'; expected http:// or https://")),
    }
}

/// Option names must differ, except between alternatives of `auth`.
fn check_options(spec: &AdapterSpec, fields: &Fields<'_>, mistakes: &Mistakes) {
    for auth in &spec.auth {
        for option in auth.options() {
            let is_both = spec.options.iter().any(|other| other.name.eq_ignore_ascii_case(&option.name));
            let n_same = auth.options().iter().filter(|other| other.name.eq_ignore_ascii_case(&option.name)).count();
            if is_both || n_same > 1 {
                mistakes.at(fields.get("auth").unwrap_or(fields.mapping_node()), format!("option '{}' is declared twice", option.name));
            }
        }
    }
    let last = spec.auth.len().saturating_sub(1);
    if spec.auth.iter().take(last).any(|auth| *auth == AuthSpec::None) {
        mistakes.at(
            fields.get("auth").unwrap_or(fields.mapping_node()),
            "auth type 'NONE' comes before others, which are never used; put it last",
        );
    }
}

fn check_headers(headers: &[(String, Template)], node: &Node, place: &str, options: &[&OptionSpec], mistakes: &Mistakes) {
    for (name, template) in headers {
        for hole in template.holes() {
            check_option_hole(hole, &format!("header '{name}' of {place}"), node, options, mistakes);
        }
    }
}

/// A hole that must always be filled: by an option that always has a value.
fn check_option_hole(hole: &str, place: &str, node: &Node, options: &[&OptionSpec], mistakes: &Mistakes) {
    match options.iter().find(|option| option.name == hole) {
        None => {
            let hint = nearest(hole, options.iter().map(|option| option.name.as_str()))
                .map_or(String::new(), |name| format!("; did you mean '{name}'?"));
            mistakes.at(node, format!("{place} has a hole '{hole}' that is no option{hint}"));
        }
        Some(option) if option.default.is_none() && !option.required => {
            mistakes.at(node, format!("{place} has a hole '{hole}', an option without a value; give it 'default' or 'required: true'"));
        }
        Some(_) => {}
    }
}

/// Tables and views share one schema, so their names must differ.
fn check_names<'a>(nodes: impl Iterator<Item = &'a &'a Node>, mistakes: &Mistakes) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for node in nodes {
        let name = name_of(node).to_lowercase();
        let place = node.get("name").unwrap_or(node);
        if name.ends_with("__loading") {
            mistakes.at(place, format!("the name '{}' is one of a table being loaded; end it otherwise than '__loading'", name_of(node)));
        }
        match seen.iter().find(|(other, _)| *other == name) {
            Some((_, line)) => mistakes.at(place, format!("the name '{}' is taken by the table or view in line {line}", name_of(node))),
            None => seen.push((name, place.line)),
        }
    }
}

struct TableCheck<'a> {
    spec: &'a AdapterSpec,
    table_def: &'a TableDef,
    node: &'a Node,
    options: &'a [&'a OptionSpec],
    mistakes: &'a Mistakes,
}

impl TableCheck<'_> {
    fn run(&self) {
        let place = format!("table '{}'", self.table_def.name);
        let path_node = self.node.get("resource_path").or_else(|| self.node.get("query_resource")).unwrap_or(self.node);
        for hole in self.spec.base_url.holes().chain(self.table_def.path.holes()) {
            if !self.has_param(hole) {
                self.check_path_hole(hole, &place, path_node);
            }
        }
        if let Some(node) = self.node.get("headers") {
            check_headers(&self.table_def.headers, node, &place, self.options, self.mistakes);
        }
        for name in &self.table_def.copy_params_to_output {
            if !self.has_param(name) {
                let hint = nearest(name, self.param_names()).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
                self.mistakes.at(
                    self.node.get("copy_params_to_output").unwrap_or(self.node),
                    format!("{place} copies param '{name}', which it does not have{hint}"),
                );
            }
        }
        self.check_params(&self.table_def.params, self.node.get("params"), LOAD_HOLES, &place);
        if let Some(updates) = self.table_def.refresh.updates() {
            self.check_params(
                &updates.params,
                self.node.get("refresh").and_then(|node| node.get("params")),
                REFRESH_HOLES,
                &format!("the refresh of {place}"),
            );
        }
        RefreshCheck { table_def: self.table_def, node: self.node, mistakes: self.mistakes }.run();
    }

    fn param_names(&self) -> impl Iterator<Item = &str> {
        self.table_def.params.iter().flat_map(|param_def| param_def.names.iter().map(String::as_str))
    }

    fn has_param(&self, name: &str) -> bool {
        self.param_names().any(|param| param == name)
    }

    fn check_path_hole(&self, hole: &str, place: &str, node: &Node) {
        if self.options.iter().any(|option| option.name == hole) {
            check_option_hole(hole, &format!("the path of {place}"), node, self.options, self.mistakes);
            return;
        }
        let names = self.param_names().chain(self.options.iter().map(|option| option.name.as_str()));
        let hint = nearest(hole, names).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
        self.mistakes.at(node, format!("the path of {place} has a hole '{hole}' that no param or option fills{hint}"));
    }

    /// An option alone may be without a value, which leaves the param out; one inside a text must have one.
    fn check_value(&self, template: &Template, load_holes: &[&str], place: &str, node: &Node) {
        let is_alone = template.parts().len() == 1;
        for hole in template.holes().filter(|hole| !load_holes.contains(hole)) {
            let is_option = self.options.iter().any(|option| option.name == hole);
            if !(is_alone && is_option) {
                check_option_hole(hole, place, node, self.options, self.mistakes);
            }
        }
    }

    fn check_params(&self, params: &[ParamDef], node: Option<&Node>, load_holes: &[&str], place: &str) {
        let node_of = |param_def: &ParamDef| {
            let entries = node.and_then(Node::mapping).unwrap_or_default();
            entries
                .iter()
                .find(|(key, _)| key.name.split(',').any(|name| name.trim() == param_def.names[0]))
                .map_or(self.node, |(_, node)| node)
        };
        for param_def in params {
            let place = format!("param '{}' of {place}", param_def.names.join(","));
            for template in values_of(&param_def.values) {
                self.check_value(template, load_holes, &place, node_of(param_def));
            }
            let ParamValues::Query(query) = &param_def.values else { continue };
            for table in &query.tables {
                if self.spec.table(table).is_none() {
                    let message = match self.spec.view(table) {
                        Some(_) => format!("the query of {place} reads view '{table}'; expected tables only"),
                        None => {
                            let names = self.spec.tables.iter().map(|table_def| table_def.name.as_str());
                            let hint = nearest(table, names).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
                            format!("the query of {place} reads table '{table}', which the spec does not have{hint}")
                        }
                    };
                    self.mistakes.at(node_of(param_def), message);
                }
            }
        }
    }
}

fn values_of(values: &ParamValues) -> Vec<&Template> {
    fn template(value: &ParamValue) -> Option<&Template> {
        match value {
            ParamValue::Template(template) => Some(template),
            _ => None,
        }
    }
    match values {
        ParamValues::One(value) => template(value).into_iter().collect(),
        ParamValues::Each(rows) => rows.iter().flatten().filter_map(template).collect(),
        ParamValues::Query(_) => Vec::new(),
    }
}

/// Returns the tables that a table's params and refresh params query, as indexes into the spec's tables.
fn parent_idxs(spec: &AdapterSpec, table_def: &TableDef) -> Vec<usize> {
    let idx_of = |name: &&str| spec.tables.iter().position(|table_def| table_def.name.eq_ignore_ascii_case(name));
    table_def.parents().iter().filter_map(idx_of).collect()
}

/// Takes away tables whose parents are all gone, until only those in and below circles are left.
fn check_cycles(spec: &AdapterSpec, nodes: &[&Node], mistakes: &Mistakes) {
    let parents: Vec<Vec<usize>> = spec.tables.iter().map(|table_def| parent_idxs(spec, table_def)).collect();
    let mut is_done = vec![false; parents.len()];
    while let Some(idx) = (0..parents.len()).find(|idx| !is_done[*idx] && parents[*idx].iter().all(|parent| is_done[*parent])) {
        is_done[idx] = true;
    }
    for start in (0..parents.len()).filter(|idx| !is_done[*idx]) {
        let Some(circle) = circle_from(start, &parents) else { continue };
        // Said once, at the circle's first table in the file.
        if circle.iter().min() == Some(&start) {
            let names: Vec<&str> = circle.iter().chain([&start]).map(|idx| spec.tables[*idx].name.as_str()).collect();
            let node = nodes.iter().find(|node| name_of(node) == spec.tables[start].name);
            let message = format!("tables need each other to load: {}", names.join(" reads "));
            match node {
                Some(node) => mistakes.at(node, message),
                None => mistakes.push(1, 1, message),
            }
        }
    }
}

/// Returns a way from `start` over parents back to it.
fn circle_from(start: usize, parents: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut came_from: Vec<Option<usize>> = vec![None; parents.len()];
    let mut open = vec![start];
    while let Some(idx) = open.pop() {
        for &parent in &parents[idx] {
            if parent == start {
                let mut way = vec![idx];
                while let Some(previous) = came_from[way[way.len() - 1]].filter(|_| way[way.len() - 1] != start) {
                    way.push(previous);
                }
                way.reverse();
                return Some(way);
            }
            if came_from[parent].is_none() {
                came_from[parent] = Some(idx);
                open.push(parent);
            }
        }
    }
    None
}

fn check_views(spec: &AdapterSpec, table_nodes: &[&Node], view_nodes: &[&Node], mistakes: &Mistakes) {
    for (idx, view_def) in spec.views.iter().enumerate() {
        let Some(node) = view_nodes.iter().find(|node| name_of(node) == view_def.name) else { continue };
        let earlier = spec.views[..idx].iter().map(|view_def| view_def.name.as_str());
        let known: Vec<&str> = table_nodes.iter().map(|node| name_of(node)).chain(earlier).collect();
        for name in &view_def.from {
            if !known.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                let hint = nearest(name, known.iter().copied()).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
                let message = format!("view '{}' reads '{name}', which is neither a table nor an earlier view{hint}", view_def.name);
                mistakes.at(node.get("query").unwrap_or(node), message);
            }
        }
    }
}
