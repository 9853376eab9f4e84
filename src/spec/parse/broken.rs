//! Sets aside the tables of a spec that have mistakes, and what reads them, so that the others can be used.

use super::text::is_no;
use super::{Mistakes, Node};
use crate::spec::{AdapterSpec, BrokenTable, TableDef, ViewDef};
use std::ops::Range;

/// Line and column.
type Place = (usize, usize);

/// Moves the tables with mistakes, and the tables and views that read them, from `spec` to its broken ones, and takes their mistakes. Does
/// nothing where the spec is strict, or a mistake is not within a table, or no table would be left.
pub(super) fn set_aside(spec: &mut AdapterSpec, root: &Node, mistakes: &Mistakes) {
    let is_strict = root.get("strict").and_then(Node::text).is_some_and(|text| !is_no(text));
    let tables = places_of_tables(root);
    let is_in_table = |place: Place| tables.iter().any(|(_, places)| places.contains(&place));
    let has_good_one = tables.iter().any(|(_, places)| mistakes.are_all_at(|place| !places.contains(&place)));
    if is_strict || !has_good_one || !mistakes.are_all_at(is_in_table) {
        return;
    }
    for (name, places) in &tables {
        if let Some(message) = mistakes.take_at(|place| places.contains(&place)) {
            put(spec, name, message);
        }
    }
    while let Some((name, message)) = next_that_reads(spec) {
        put(spec, &name, message);
    }
}

/// Returns each table that has a name, with the places from its first one to the next table's.
fn places_of_tables(root: &Node) -> Vec<(String, Range<Place>)> {
    let entries = root.mapping().unwrap_or_default();
    let Some((_, list)) = entries.iter().find(|(key, _)| key.name == "tables") else { return Vec::new() };
    let start = (list.line, list.column);
    let after = entries.iter().map(|(key, _)| (key.line, key.column)).filter(|place| *place > start).min();
    let nodes = list.list().unwrap_or_default();
    let mut places = Vec::new();
    for (idx, node) in nodes.iter().enumerate() {
        let end = nodes.get(idx + 1).map(|next| (next.line, next.column)).or(after).unwrap_or((usize::MAX, 0));
        if let Some(name) = node.get("name").and_then(Node::text) {
            places.push((name.to_string(), (node.line, node.column)..end));
        }
    }
    places
}

fn put(spec: &mut AdapterSpec, name: &str, message: String) {
    spec.tables.retain(|table_def| !table_def.name.eq_ignore_ascii_case(name));
    spec.views.retain(|view_def| !view_def.name.eq_ignore_ascii_case(name));
    spec.discover.retain(|discover| !discover.table.name.eq_ignore_ascii_case(name));
    spec.broken.push(BrokenTable { name: name.to_string(), message });
}

/// Returns a table or view that reads a broken one, and why it cannot be used.
fn next_that_reads(spec: &AdapterSpec) -> Option<(String, String)> {
    let broken = |names: Vec<&str>| names.into_iter().find(|name| spec.mistakes_of(name).is_some()).map(str::to_string);
    let table = spec.tables.iter().find_map(|table_def| Some((table_def.name.clone(), broken(table_def.parents())?)));
    let is_lost = |table_def: &&TableDef| table_def.child.is_some() && spec.mistakes_of(table_def.filler()).is_some();
    if let Some(lost) = spec.tables.iter().find(is_lost) {
        let message = spec.mistakes_of(lost.filler()).unwrap_or_default();
        return Some((lost.name.clone(), format!("it is filled with '{}', which has mistakes: {message}", lost.filler())));
    }
    let view = || {
        let read = |view_def: &'_ ViewDef| -> Option<String> {
            broken(view_def.from.iter().chain(&view_def.query.tables).map(String::as_str).collect())
        };
        spec.views.iter().find_map(|view_def| Some((view_def.name.clone(), read(view_def)?)))
    };
    let (name, read) = table.or_else(view)?;
    let message = format!("it reads '{read}', which has mistakes: {}", spec.mistakes_of(&read).unwrap_or_default());
    Some((name, message))
}

#[cfg(test)]
mod tests {
    use crate::spec::AdapterSpec;

    const SPEC: &str = "name: a
base_url: https://a
tables:
  - name: good
    resource_path: /good
  - name: bad
    resource_pth: /bad
  - {name: worse, params: {x: {y: z}}, nested: maybe}
  - name: child
    params: {id: sql@(SELECT id FROM bad)}
views:
  - {name: fine, query: SELECT * FROM good}
  - {name: gone, query: SELECT * FROM child}
";

    fn names(spec: &AdapterSpec) -> Vec<&str> {
        let views = spec.views.iter().map(|view_def| view_def.name.as_str());
        spec.tables.iter().map(|table_def| table_def.name.as_str()).chain(views).collect()
    }

    #[test]
    fn a_table_with_mistakes_keeps_only_itself_and_what_reads_it_from_being_used() {
        let spec = AdapterSpec::parse_usable("a.yaml", SPEC).unwrap().unwrap();
        assert_eq!(names(&spec), ["good", "fine"]);
        assert!(spec.mistakes_of("bad").unwrap().starts_with("a.yaml:7:5: unknown key 'resource_pth' in table 'bad'"));
        assert!(spec.mistakes_of("WORSE").unwrap().contains("a.yaml:8:"));
        assert!(spec.mistakes_of("child").unwrap().starts_with("it reads 'bad', which has mistakes: a.yaml:7:5"));
        assert!(spec.mistakes_of("gone").unwrap().starts_with("it reads 'child'"));
        assert_eq!(spec.mistakes_of("good"), None);
        assert!(AdapterSpec::parse("a.yaml", SPEC).is_err());
    }

    #[test]
    fn other_mistakes_keep_the_whole_spec_from_being_used() {
        let fails = |text: String| assert!(AdapterSpec::parse_usable("a.yaml", &text).is_err(), "{text}");
        fails(SPEC.replace("name: a\n", "name: a\nstrict: true\n"));
        fails(SPEC.replace("name: a\n", "name: a\npagin: 1\n"));
        fails(SPEC.replace("FROM good", "FROM god"));
        fails(SPEC.replace("  - name: good\n    resource_path: /good\n", ""));
        fails(SPEC.replace("name: bad", "nam: bad"));
        let good = SPEC.replace("resource_pth", "resource_path").replace("nested: maybe", "nested: json").replace("{x: {y: z}}", "{x: y}");
        assert!(AdapterSpec::parse_usable("a.yaml", &good).unwrap().unwrap().broken.is_empty());
    }
}
