//! Reads `children` of a table: lists inside its records that are tables of their own.

use super::columns::{columns_of, key_columns_of, nested_of, select_of};
use super::condition::field_condition;
use super::deletes::{deletes_of, OwnColumns};
use super::expect::expect_of;
use super::text::{dotted, keys_of};
use super::{Fields, Node};
use crate::document::stripped;
use crate::spec::{AnswerDef, ChildDef, Missing, RecordForm, RefreshStrategy, TableDef};

/// The keys of a child, in the order of the reference.
pub(in crate::spec) const CHILD_KEYS: &[&str] = &[
    "name",
    "description",
    "path",
    "copy",
    "keep",
    "key_column",
    "key_columns",
    "columns",
    "only_columns",
    "select",
    "strip_prefixes",
    "nested",
    "skip_when",
    "expect",
    "deletes",
];
/// The most children of a table: each is another pass over a page.
const MOST_CHILDREN: usize = 20;

/// Returns the children of a table, complete but for what the spec as a whole tells.
pub(super) fn children_of(table: &Fields<'_>, parent: &TableDef) -> Vec<TableDef> {
    let Some(node) = table.get("children") else { return Vec::new() };
    let Some(nodes) = node.list().filter(|nodes| (1..=MOST_CHILDREN).contains(&nodes.len())) else {
        table.wrong("children", node, &format!("a list of 1 to {MOST_CHILDREN} children, each with 'name', 'path' and 'copy'"));
        return Vec::new();
    };
    if parent.result_object_path.is_some() {
        let message = format!("{} has 'children' and 'result_object_path', whose object is one row as it is; keep one", table.place());
        table.mistakes().at(node, message);
    }
    nodes.iter().filter_map(|node| child_of(node, table, parent)).collect()
}

fn child_of(node: &Node, table: &Fields<'_>, parent: &TableDef) -> Option<TableDef> {
    let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
    let of = if name.is_empty() { "a child".to_string() } else { format!("child '{name}'") };
    let fields = Fields::of(node, format!("{of} of {}", table.place()), CHILD_KEYS, table.mistakes())?;
    fields.required_text("name");
    if fields.get("path").is_none() {
        fields.mistakes().at(node, format!("{} has no 'path'; expected where the list is in each record, such as 'lines'", fields.place()));
    }
    let columns = columns_of(&fields);
    let key_columns = key_columns_of(&fields, &columns);
    let copy = copy_of(&fields);
    if let Some((taken, _)) = copy.iter().find(|(name, _)| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))) {
        let message = format!("column '{taken}' of {} is both copied and declared; keep one", fields.place());
        fields.mistakes().at(fields.get("columns").unwrap_or(node), message);
    }
    if let Some((taken, _)) =
        copy.iter().find(|(name, _)| parent.copy_params_to_output.iter().any(|param| param.eq_ignore_ascii_case(name)))
    {
        let message =
            format!("'copy' of {} has column '{taken}', which is a param that the parent's rows and these have already", fields.place());
        fields.mistakes().at(fields.get("copy").unwrap_or(node), message);
    }
    let own = OwnColumns { key: &key_columns, declared: &columns, copied: copy.iter().map(|(name, _)| name.as_str()).collect() };
    let deletes = deletes_of(&fields, &own, parent.deletes);
    let child_def = ChildDef {
        parent: parent.name.clone(),
        path: keys_of(&fields, "path"),
        parent_key: parent_key(parent, &copy),
        copy,
        keep: fields.boolean("keep").unwrap_or(false),
    };
    check_updates(&fields, parent, &child_def);
    let skip_when = field_condition(&fields, "skip_when");
    Some(TableDef {
        name,
        description: fields.text("description"),
        answer: AnswerDef { records: RecordForm::Plain, skip_when, deleted_when: None, ..parent.answer.clone() },
        result_body_path: Vec::new(),
        missing: Missing::Empty,
        result_meta_paths: child_def.copy.iter().map(|(name, _)| vec![name.clone()]).collect(),
        select: select_of(&fields),
        strip_prefixes: fields.texts("strip_prefixes"),
        only_columns: fields.boolean("only_columns").unwrap_or(false),
        refresh: RefreshStrategy::Reload,
        max_staleness: None,
        nested: nested_of(&fields),
        expect: expect_of(&fields, &key_columns),
        write: None,
        deletes,
        columns,
        key_columns,
        child: Some(child_def),
        ..parent.clone()
    })
}

/// Reads `copy`: columns, each with the path of its value in the parent's record.
fn copy_of(fields: &Fields<'_>) -> Vec<(String, Vec<String>)> {
    let expected = "a mapping of columns to where their values are in the parent's record, such as {invoice_id: id}";
    let Some(node) = fields.get("copy") else {
        fields.mistakes().at(fields.mapping_node(), format!("{} has no 'copy'; expected {expected}", fields.place()));
        return Vec::new();
    };
    let Some(entries) = node.mapping().filter(|entries| !entries.is_empty()) else {
        fields.wrong("copy", node, expected);
        return Vec::new();
    };
    let mut copy: Vec<(String, Vec<String>)> = Vec::new();
    for (key, node) in entries {
        let name = key.name.trim();
        if name.is_empty() || copy.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            fields.mistakes().at(node, format!("'copy' of {} has the column '{name}' twice, or one without a name", fields.place()));
        }
        let path = dotted(node, &format!("'{name}' in 'copy' of {}", fields.place()), fields.mistakes());
        copy.extend(path.map(|path| (name.to_string(), path)));
    }
    copy
}

/// Returns the child's columns that hold the parent's key, if all of it is copied.
fn parent_key(parent: &TableDef, copy: &[(String, Vec<String>)]) -> Vec<String> {
    let column_of = |key: &String| {
        let source = parent
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(key) && !column.is_meta)
            .and_then(|column| column.source.clone());
        let is_it = |path: &[String]| match &source {
            Some(source) => path == source.as_slice(),
            None => stripped(&path.join("_"), &parent.strip_prefixes).eq_ignore_ascii_case(key),
        };
        let copied = copy.iter().find(|(_, path)| is_it(path)).map(|(name, _)| name);
        copied.or_else(|| parent.copy_params_to_output.iter().find(|param| param.eq_ignore_ascii_case(key))).cloned()
    };
    parent.key_columns.iter().map(column_of).collect::<Option<Vec<String>>>().unwrap_or_default()
}

/// Where only changed records come, the children of each are replaced: its key says which those are.
fn check_updates(fields: &Fields<'_>, parent: &TableDef, child_def: &ChildDef) {
    if parent.refresh.updates().is_none() || !child_def.parent_key.is_empty() {
        return;
    }
    let key = parent.key_columns.join(", ");
    let message = match parent.key_columns.is_empty() {
        true => format!("table '{}' is refreshed by updates, which replace the children of changed rows; name its 'key_columns'", parent.name),
        false => format!(
            "'copy' of {} lacks a part of the key ({key}) of table '{}', by which a refresh replaces the children of changed rows; copy all of it",
            fields.place(),
            parent.name
        ),
    };
    fields.mistakes().at(fields.get("copy").unwrap_or(fields.mapping_node()), message);
}

#[cfg(test)]
#[path = "children_tests.rs"]
mod tests;
