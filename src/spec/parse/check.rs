//! Checks what no single key can tell: names that repeat, holes that nothing fills, parents that are missing or go in circles.

use super::check_table::{check_base_url, has_tokens, may_be_filled, TableCheck};
use super::foreign::Known;
use super::foreign_texts::check_texts;
use super::holes::{Discovers, Given, HolePlace};
use super::limits::check_login_rules;
use super::setup::check_setup;
use super::window::WindowCheck;
use super::{updating, Fields, Node};
use crate::spec::{AdapterSpec, AuthSpec, OptionSpec, ParamDef, RuleVerdict, TableDef, Template, KEY_HOLE, NETWORK_OPTIONS};
use crate::yaml::Mistakes;

/// Adds the mistakes of a spec as a whole.
pub(super) fn check(spec: &AdapterSpec, fields: &Fields<'_>) {
    let mistakes = fields.mistakes();
    let root = fields.mapping_node();
    let options = spec.all_options();
    let base_url_node = fields.get("base_url").unwrap_or(root);
    check_base_url(&spec.base_url, base_url_node, &options, mistakes);
    let in_base_url = HolePlace {
        name: "'base_url'".to_string(),
        given: Given::Request,
        is_path: true,
        ..place_in_spec(spec, &options, base_url_node, mistakes)
    };
    spec.base_url.names().filter(|name| !may_be_filled(spec, &options, name)).for_each(|name| in_base_url.check(&Template::of_hole(name)));
    check_options(spec, fields, mistakes);
    check_auth_holes(spec, fields, &options);
    check_login_rules(fields, has_tokens(spec));
    check_setup(spec, fields, &options);
    let known = Known { params: Vec::new(), options: options.iter().map(|option| option.name.as_str()).collect() };
    check_texts(root, "the spec", &known, mistakes);
    if let Some(node) = fields.get("headers") {
        for (key, template) in &spec.headers {
            let name = format!("header '{key}' of the spec");
            HolePlace { name, ..place_in_spec(spec, &options, node.get(key).unwrap_or(node), mistakes) }.check(template);
        }
    }
    let table_nodes: Vec<&Node> = nodes_named(fields, "tables");
    let view_nodes: Vec<&Node> = nodes_named(fields, "views");
    let child_nodes: Vec<&Node> = table_nodes.iter().flat_map(|node| children_in(node)).collect();
    check_names(table_nodes.iter().chain(&child_nodes).chain(&view_nodes), mistakes);
    for table_def in &spec.tables {
        let Some(node) = table_nodes.iter().find(|node| name_of(node) == table_def.name) else { continue };
        let discovers = discovers_of(spec, table_def);
        TableCheck { spec, table_def, node, discovers, options: &options, has_start: false, mistakes }.run_with_texts();
        if let Some((updating, node)) = table_def.updating.as_deref().zip(updating::overlaid(node)) {
            let has_start = !updating.params.iter().any(ParamDef::varies);
            TableCheck { spec, table_def: updating, node: &node, discovers, options: &options, has_start, mistakes }.run();
        }
        updating::check_calls(table_def, node, mistakes);
        WindowCheck { table_def, node, mistakes }.run();
    }
    let splits = spec.errors.iter().any(|rule| rule.verdict == RuleVerdict::Split);
    if splits && !table_nodes.iter().any(|node| node.get("window").is_some()) {
        mistakes.at(fields.get("errors").unwrap_or(root), "a rule of 'errors' says 'do: split', and no table has a 'window' to split");
    }
    check_discovery(spec, &table_nodes, &options, mistakes);
    check_cycles(spec, &table_nodes, mistakes);
    let filled: Vec<&Node> = table_nodes.iter().chain(&child_nodes).copied().collect();
    check_views(spec, &filled, &view_nodes, mistakes);
}

fn nodes_named<'a>(fields: &Fields<'a>, key: &str) -> Vec<&'a Node> {
    fields.get(key).and_then(Node::list).unwrap_or_default().iter().filter(|node| node.get("name").is_some()).collect()
}

fn children_in(table: &Node) -> impl Iterator<Item = &Node> {
    table.get("children").and_then(Node::list).unwrap_or_default().iter().filter(|node| node.get("name").is_some())
}

fn name_of(node: &Node) -> &str {
    node.get("name").and_then(Node::text).unwrap_or("")
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
    for option in spec.all_options() {
        if let Some(network) = NETWORK_OPTIONS.iter().find(|network| network.eq_ignore_ascii_case(&option.name)) {
            let message = format!("option '{network}' is one that every connection takes; give the adapter's another name");
            mistakes.at(fields.get("options").unwrap_or(fields.mapping_node()), message);
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

/// Returns a place that is in no table, without its name.
fn place_in_spec<'a>(spec: &'a AdapterSpec, options: &'a [&'a OptionSpec], node: &'a Node, mistakes: &'a Mistakes) -> HolePlace<'a> {
    HolePlace {
        options,
        params: Vec::new(),
        given: Given::Now,
        of_refresh: Vec::new(),
        updates: None,
        has_tokens: has_tokens(spec),
        setup: spec.setup_names().collect(),
        discovers: Discovers::default(),
        captured: Vec::new(),
        paging: None,
        is_later: false,
        has_window: false,
        is_path: false,
        name: String::new(),
        node,
        mistakes,
    }
}

/// What fills the texts of `auth`: options, the token answer, and what a service account's file says.
fn check_auth_holes(spec: &AdapterSpec, fields: &Fields<'_>, options: &[&OptionSpec]) {
    let node = fields.get("auth").unwrap_or(fields.mapping_node());
    let place = HolePlace { name: "'auth'".to_string(), ..place_in_spec(spec, options, node, fields.mistakes()) };
    for template in
        spec.auth.iter().flat_map(AuthSpec::templates).filter(|template| !template.names().any(|name| name.starts_with(KEY_HOLE)))
    {
        place.check(template);
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

/// Returns what is discovered of a table.
fn discovers_of(spec: &AdapterSpec, table_def: &TableDef) -> Discovers {
    let discover = spec.discover.iter().find(|discover| discover.table.name == table_def.name);
    discover.map_or(Discovers::default(), |discover| Discovers { objects: !discover.is_fixed(), fields: discover.fields.is_some() })
}

/// Checks the tables that are discovered, and the requests by which they are.
fn check_discovery(spec: &AdapterSpec, table_nodes: &[&Node], options: &[&OptionSpec], mistakes: &Mistakes) {
    for discover in &spec.discover {
        let Some(node) = table_nodes.iter().find(|node| name_of(node) == discover.table.name) else { continue };
        if !discover.is_fixed() {
            let discovers = discovers_of(spec, &discover.table);
            TableCheck { spec, table_def: &discover.table, node, discovers, options, has_start: false, mistakes }.run_with_texts();
            if let Some((updating, node)) = discover.table.updating.as_deref().zip(updating::overlaid(node)) {
                let has_start = !updating.params.iter().any(ParamDef::varies);
                TableCheck { spec, table_def: updating, node: &node, discovers, options, has_start, mistakes }.run();
            }
            updating::check_calls(&discover.table, node, mistakes);
        }
        let objects = discover.objects.iter().map(|objects| (&objects.request, "objects"));
        let fields = discover.requests().skip(objects.len()).map(|request| (request, "fields"));
        for (table_def, key) in objects.chain(fields) {
            let Some(node) = node.get("discover").and_then(|node| node.get(key)) else { continue };
            let discovers = Discovers { objects: key == "fields" && !discover.is_fixed(), fields: false };
            TableCheck { spec, table_def, node, discovers, options, has_start: false, mistakes }.run_with_texts();
            for parent in table_def.parents().into_iter().filter(|parent| needs_discovery(spec, parent)) {
                let of = &discover.table.name;
                let message = format!("'{key}' in 'discover' of table '{of}' queries table '{parent}', which has to be discovered itself");
                mistakes.at(node.get("params").unwrap_or(node), message);
            }
        }
    }
}

/// Returns whether a table, or one that has to be loaded before it, is only known once the API was asked what it has.
fn needs_discovery(spec: &AdapterSpec, table: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut pending = vec![table];
    while let Some(table_def) = pending.pop().and_then(|name| spec.table(name)) {
        let filler = table_def.filler();
        if spec.discover.iter().any(|discover| discover.table.name.eq_ignore_ascii_case(filler)) {
            return true;
        }
        let parents = table_def.parents().into_iter().filter(|parent| !seen.contains(parent));
        pending.extend(parents);
        seen.push(&table_def.name);
    }
    false
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
                let hint = mistakes.suggestions().hint("; ", name, known.iter().copied());
                let message = format!("view '{}' reads '{name}', which is neither a table nor an earlier view{hint}", view_def.name);
                let from = node.get("from").map(|from| from.naming(name)).filter(|named| named.text().is_some());
                mistakes.at(from.or(node.get("query")).unwrap_or(node), message);
            }
        }
    }
}
