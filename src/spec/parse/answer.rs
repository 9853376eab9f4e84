//! Reads what a table says about its answers: their format, their packing, and what stands where the records are.

use super::condition::field_condition;
use super::text::dotted;
use crate::document::{distinct_names, is_charset, BodyStyle, CsvStyle, Format, Header, Pattern};
use crate::spec::{AnswerDef, NamedRow, RecordForm, RowNames, TreeDef};
use crate::yaml::{Fields, Node};

pub(in crate::spec) const CSV_KEYS: &[&str] = &["delimiter", "quote", "header", "skip", "encoding", "null"];
/// Keys that say what stands where the records are; one at most.
pub(super) const FORM_KEYS: [&str; 4] = ["keyed_by", "row_names", "zip", "result_object_path"];
/// The keys of a field in `row_names`.
pub(in crate::spec) const NAMED_KEYS: &[&str] = &["names", "value"];
/// The keys of `tree`, in the order of the reference.
pub(in crate::spec) const TREE_KEYS: &[&str] = &["below", "also", "label", "column"];
/// The column that says what is above a record, where the spec does not say it.
const PATH_COLUMN: &str = "path";
/// The most names of a list in the spec.
const MOST_NAMES: usize = 10_000;

/// Reads the keys of a table about its answers.
pub(super) fn answer_of(table: &Fields<'_>) -> AnswerDef {
    let format = format_of(table);
    if let (Some(node), Some(Format::Json | Format::Ndjson | Format::Xml)) = (table.get("csv"), format) {
        table
            .mistakes()
            .at(node, format!("{} has 'csv', and its format is another; leave 'csv' out or write 'format: csv'", table.place()));
    }
    let body = BodyStyle {
        format,
        csv: table.get("csv").map(|node| csv_of(node, table)).unwrap_or_default(),
        is_never_packed: is_never_packed(table),
        files: files_of(table),
    };
    AnswerDef {
        body,
        tree: tree_of(table),
        records: record_form_of(table),
        skip_when: field_condition(table, "skip_when"),
        deleted_when: field_condition(table, "deleted_when"),
    }
}

fn format_of(table: &Fields<'_>) -> Option<Format> {
    let text = table.text("format")?;
    let found = Format::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(text.trim()));
    if found.is_none() {
        table.wrong("format", table.get("format")?, "json, ndjson, csv or xml");
    }
    found
}

fn is_never_packed(table: &Fields<'_>) -> bool {
    let Some(node) = table.get("compression") else { return false };
    match node.text().unwrap_or("").to_ascii_lowercase().as_str() {
        "auto" => false,
        "none" => true,
        _ => {
            table.wrong("compression", node, "auto (gzip and zip are unpacked) or none");
            false
        }
    }
}

fn files_of(table: &Fields<'_>) -> Option<Pattern> {
    let text = table.text("files")?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(err) => {
            table.mistakes().at(table.get("files")?, format!("'files' of {} is not a pattern: {err}", table.place()));
            None
        }
    }
}

/// Reads `csv`.
fn csv_of(node: &Node, table: &Fields<'_>) -> CsvStyle {
    let default = CsvStyle::default();
    let Some(fields) = Fields::of(node, format!("'csv' of {}", table.place()), CSV_KEYS, table.mistakes()) else { return default };
    let quote = match fields.text("quote").as_deref() {
        None => default.quote,
        Some("none" | "") => None,
        Some(_) => one_byte(&fields, "quote"),
    };
    let delimiter = fields.text("delimiter").and_then(|_| one_byte(&fields, "delimiter"));
    if let (Some(node), true) = (fields.get("delimiter"), delimiter.is_some() && delimiter == quote) {
        fields.wrong("delimiter", node, "another character than 'quote'");
    }
    CsvStyle {
        delimiter,
        quote,
        header: header_of(&fields),
        skip: fields.count("skip", 0).map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX)),
        encoding: encoding_of(&fields),
        nulls: if fields.get("null").is_some() { fields.texts("null") } else { default.nulls },
    }
}

/// Reads a character of one byte; `tab` and `\t` are a tab.
fn one_byte(fields: &Fields<'_>, key: &str) -> Option<u8> {
    let text = fields.text(key)?;
    let found = match text.as_str() {
        "tab" | "\\t" => Some(b'\t'),
        text => text.bytes().next().filter(|byte| text.len() == 1 && byte.is_ascii() && !matches!(byte, b'\n' | b'\r')),
    };
    if found.is_none() {
        fields.wrong(key, fields.get(key)?, "one character of ASCII, or 'tab'");
    }
    found
}

fn header_of(fields: &Fields<'_>) -> Header {
    let Some(node) = fields.get("header") else { return Header::First };
    if node.list().is_some() {
        return Header::Given(names_of(node, "header", fields));
    }
    match fields.boolean("header") {
        Some(false) => Header::Absent,
        _ => Header::First,
    }
}

/// Reads a list of names, each of which must be another.
fn names_of(node: &Node, key: &str, fields: &Fields<'_>) -> Vec<String> {
    let names: Vec<String> = node.list().unwrap_or_default().iter().map(|name| name.text().unwrap_or("").trim().to_string()).collect();
    if names.is_empty() || names.len() > MOST_NAMES || distinct_names(names.iter().map(String::as_str)) != names {
        fields.wrong(key, node.first_nested(), "a list of names that are all different");
    }
    names
}

fn encoding_of(fields: &Fields<'_>) -> Option<String> {
    let name = fields.text("encoding")?;
    if !is_charset(&name) {
        fields.wrong("encoding", fields.get("encoding")?, "the name of a charset, such as 'utf-8', 'iso-8859-1' or 'windows-1252'");
    }
    Some(name)
}

fn record_form_of(table: &Fields<'_>) -> RecordForm {
    let given: Vec<&str> = FORM_KEYS.into_iter().filter(|key| table.get(key).is_some()).collect();
    if let [first, second, ..] = given.as_slice() {
        let node = table.get(second).unwrap_or(table.mapping_node());
        table.mistakes().at(node, format!("{} has both '{first}' and '{second}'; keep one", table.place()));
    }
    match given.first().copied() {
        Some("keyed_by") => table.required_text("keyed_by").map_or(RecordForm::Plain, RecordForm::KeyedBy),
        Some("row_names") => row_names_of(table),
        Some("zip") => zip_of(table),
        _ => RecordForm::Plain,
    }
}

/// Reads `row_names`: names, a path to them, or a mapping of a record's fields to either.
fn row_names_of(table: &Fields<'_>) -> RecordForm {
    let Some(node) = table.get("row_names") else { return RecordForm::Plain };
    let rows = match node.mapping() {
        Some(entries) => entries.iter().filter_map(|(key, node)| named_field(&key.name, node, table)).collect(),
        None => row_names(node, table).map(|names| NamedRow { field: None, names, value: None }).into_iter().collect(),
    };
    RecordForm::Rows(rows)
}

/// Reads the names of a field's elements, or these and the key of their values.
fn named_field(field: &str, node: &Node, table: &Fields<'_>) -> Option<NamedRow> {
    let field = Some(field.to_string());
    if node.mapping().is_none() {
        return Some(NamedRow { field, names: row_names(node, table)?, value: None });
    }
    let place = format!("'{}' in 'row_names' of {}", field.as_deref().unwrap_or_default(), table.place());
    let fields = Fields::of(node, place, NAMED_KEYS, table.mistakes())?;
    let value = fields.text("value");
    let Some(names) = fields.get("names") else {
        fields.mistakes().at(node, format!("{} has no 'names'; expected a list of names, or the path to them", fields.place()));
        return None;
    };
    Some(NamedRow { field, names: row_names(names, &fields)?, value })
}

fn row_names(node: &Node, table: &Fields<'_>) -> Option<RowNames> {
    let key = if table.get("names").is_some() { "names" } else { "row_names" };
    match node.list() {
        Some(_) => Some(RowNames::Given(names_of(node, key, table))),
        None => dotted(node, &format!("'{key}' of {}", table.place()), table.mistakes()).map(RowNames::At),
    }
}

/// Reads `tree`.
fn tree_of(table: &Fields<'_>) -> Option<TreeDef> {
    let node = table.get("tree")?;
    let fields = Fields::of(node, format!("'tree' of {}", table.place()), TREE_KEYS, table.mistakes())?;
    if let Some(other) = FORM_KEYS.into_iter().find(|key| *key != "row_names" && table.get(key).is_some()) {
        fields.mistakes().at(node, format!("{} has both 'tree' and '{other}'; keep one", table.place()));
    }
    let path = |key: &str| fields.get(key).and_then(|node| dotted(node, &format!("'{key}' of {}", fields.place()), fields.mistakes()));
    let column = fields.text("column").unwrap_or_else(|| PATH_COLUMN.to_string());
    let Some(below) = path("below") else {
        if fields.get("below").is_none() {
            let message = format!("{} has no 'below'; expected where the records below a record are, such as 'Rows.Row'", fields.place());
            fields.mistakes().at(node, message);
        }
        return None;
    };
    Some(TreeDef { below, also: fields.texts("also"), label: path("label"), column })
}

/// Reads `zip`: a mapping of columns to the paths of their lists.
fn zip_of(table: &Fields<'_>) -> RecordForm {
    let Some(node) = table.get("zip") else { return RecordForm::Plain };
    let Some(entries) = node.mapping().filter(|entries| !entries.is_empty()) else {
        table.wrong("zip", node, "a mapping of columns to the paths of their lists");
        return RecordForm::Plain;
    };
    let lists = entries.iter().filter_map(|(key, node)| {
        let path = dotted(node, &format!("'{}' in 'zip' of {}", key.name, table.place()), table.mistakes())?;
        Some((key.name.clone(), path))
    });
    RecordForm::Zip(lists.collect())
}
