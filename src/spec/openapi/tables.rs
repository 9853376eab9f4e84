//! Makes tables of the list operations of a description: their names, keys, parents and params.

use super::document::Description;
use super::each::{each_in_path, each_of, Each};
use super::names::{folded, hole_of, is_hole, path_key, segments, singular, snake, table_name, unique};
use super::operation::{Operation, Parameter, Place};
use super::paging::{paging_of, PagingKeys};
use super::params::{headers_of, params_of, Sent};
use super::records::{records_of, Records};
use super::schema::{Schema, Shape};
use super::server::Server;
use super::text::one_line;
use crate::document::JsonValue;
use std::collections::HashMap;

/// Names of placeholders that say nothing about what they stand for.
const GENERIC: &[&str] = &["id", "gid", "uuid", "guid", "uid", "sid", "key", "slug", "name", "code", "number", "type", "identifier", "ref"];
/// Columns that identify a row, the best first.
const IDS: &[&str] = &["id", "gid", "uuid", "guid", "uid", "sid"];
/// Endings of placeholders' names that are names of columns.
const ENDINGS: &[&str] = &["gid", "uuid", "guid", "uid", "sid", "id", "slug", "key", "name", "number", "code", "login"];

/// Where the value of a placeholder in a path comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// An option of the connection.
    Option,
    /// Other placeholders and this one are filled by the rows of a table.
    Parent,
    /// It is asked for with each value that it may have.
    Each,
}

/// A placeholder of a path.
#[derive(Debug, Clone)]
pub struct Hole {
    /// As the spec has it.
    pub name: String,
    /// As the description has it.
    pub written: String,
    pub source: Source,
    pub description: String,
    pub given: Option<String>,
}

/// The table whose rows fill placeholders.
#[derive(Debug, Clone)]
pub struct Parent {
    /// Index of the parent among the tables.
    pub table: usize,
    /// Placeholders, each with the column of the parent that fills it.
    pub columns: Vec<(String, String)>,
}

/// A list operation as a table.
pub struct Table<'a> {
    pub name: String,
    pub path: &'a str,
    pub description: String,
    pub holes: Vec<Hole>,
    pub parent: Option<Parent>,
    pub params: Vec<Sent>,
    pub each: Vec<Each>,
    pub headers: Vec<Sent>,
    pub records: Vec<&'a str>,
    pub record: Option<Schema<'a>>,
    pub key: Option<&'a str>,
    pub paging: Option<PagingKeys>,
    pub doubts: Vec<String>,
}

/// Returns the tables, parents before children, and how many GET operations are not lists.
pub fn tables_of<'a>(description: &'a Description, operations: &'a [Operation<'a>], server: &Server) -> (Vec<Table<'a>>, usize) {
    let is_here = |operation: &Operation<'_>| operation.server.is_none_or(|url| url == server.written);
    let mut lists: Vec<(&Operation<'_>, Records<'_>)> =
        operations.iter().filter_map(list_of).filter(|(operation, _)| is_here(operation)).collect();
    let n_others = operations.len() - lists.len();
    // A parent's path is shorter than its children's.
    lists.sort_by_key(|(operation, _)| segments(operation.path).len());
    let mut tables: Vec<Table<'_>> = Vec::new();
    let mut by_path: HashMap<String, usize> = HashMap::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for (operation, records) in lists {
        let mut table = table_of(operation, records);
        let wanted = table.name.clone();
        table.name = unique(&wanted, |name| names.contains_key(name));
        names.insert(table.name.clone(), tables.len());
        find_parent(&mut table, &tables, &by_path);
        take_back_each(&mut table);
        by_path.entry(path_key(&segments(operation.path))).or_insert(tables.len());
        tables.push(table);
        if description.check_steps().is_err() {
            break;
        }
    }
    find_parents_of_params(&mut tables);
    tell_options_apart(&mut tables);
    (tables, n_others)
}

/// Returns an operation with the place of its records, where it is a list. One of several lists is it when the answer has pages.
fn list_of<'a>(operation: &'a Operation<'a>) -> Option<(&'a Operation<'a>, Records<'a>)> {
    let records = records_of(operation).filter(|_| is_askable(operation))?;
    if records.path.iter().any(|key| key.trim().is_empty()) {
        return None;
    }
    let is_sure = records.doubt.is_none() || paging_of(operation, &records).paging.is_some();
    is_sure.then_some((operation, records))
}

/// Returns whether a request can be asked as a spec says it: at the address of the others, with its parameters in path, query and headers.
fn is_askable(operation: &Operation<'_>) -> bool {
    let is_odd = |parameter: &Parameter<'_>| parameter.place == Place::Elsewhere && parameter.is_required;
    let path = operation.path;
    // A placeholder that holds a slash, or does not end, is not one.
    let is_closed = segments(path).iter().all(|segment| segment.matches('{').count() == segment.matches('}').count());
    let is_plain = is_closed && path.len() < 1000 && !path.contains(['?', '#', '"', '\\', '\n', '$']);
    is_plain && !operation.parameters.iter().any(is_odd)
}

fn table_of<'a>(operation: &Operation<'a>, records: Records<'a>) -> Table<'a> {
    let guess = paging_of(operation, &records);
    let text_of = |key: &str| operation.node.get(key).and_then(JsonValue::as_str).map(one_line).filter(|text| !text.is_empty());
    let mut doubts: Vec<String> = records.doubt.clone().into_iter().chain(guess.doubt).collect();
    let mut each = Vec::new();
    let mut params = params_of(operation, guess.paging.as_ref(), &mut doubts);
    params.retain(|sent| {
        let parameter = operation.query_parameter(|parameter| parameter.name == sent.name);
        let found = parameter.filter(|_| sent.value.is_none()).and_then(|parameter| each_of(parameter, records.record));
        if found.is_some() {
            doubts.retain(|doubt| !doubt.contains(&format!("needs parameter '{}'", sent.name)));
        }
        let is_each = found.is_some();
        each.extend(found);
        !is_each
    });
    let mut holes = holes_of(operation);
    for hole in &mut holes {
        let parameter = operation.parameters.iter().find(|parameter| parameter.place == Place::Path && parameter.name == hole.written);
        if let Some(found) =
            parameter.filter(|_| hole.given.is_none()).and_then(|parameter| each_in_path(parameter, &hole.name, records.record))
        {
            hole.source = Source::Each;
            each.push(found);
        }
    }
    if operation.node.get("deprecated") == Some(&JsonValue::Bool(true)) {
        doubts.push("the description calls this request deprecated".to_string());
    }
    let name = table_name(operation.path);
    for found in each.iter_mut().filter(|found| GENERIC.contains(&found.name.as_str())) {
        found.option = format!("{}_{}", singular(&name), found.option);
    }
    Table {
        name,
        path: operation.path,
        description: text_of("summary").or_else(|| text_of("description")).unwrap_or_default(),
        holes,
        parent: None,
        params,
        each,
        headers: headers_of(operation),
        key: records.record.and_then(|record| key_of(record, operation.path)),
        records: records.path,
        record: records.record,
        paging: guess.paging,
        doubts,
    }
}

/// Lets an option give the one value of a placeholder before others of which an option has one: these go with it.
fn take_back_each(table: &mut Table<'_>) {
    let Some(last) = table.holes.iter().rposition(|hole| hole.source == Source::Option) else { return };
    for hole in table.holes[..last].iter_mut().filter(|hole| hole.source == Source::Each) {
        hole.source = Source::Option;
        table.each.retain(|each| each.name != hole.name);
    }
}

/// Gives options of the same name that list other values the names of their tables, too.
fn tell_options_apart(tables: &mut [Table<'_>]) {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for table in tables.iter() {
        let holes = table.holes.iter().filter(|hole| hole.source == Source::Option).map(|hole| &hole.name);
        known.extend(holes.chain(table.params.iter().map(|sent| &sent.option)).map(|name| (name.clone(), Vec::new())));
    }
    for table in tables {
        for each in &mut table.each {
            let values = known.entry(each.option.clone()).or_insert_with(|| each.values.clone());
            if *values != each.values {
                each.option = format!("{}_{}", table.name, each.option);
                known.insert(each.option.clone(), each.values.clone());
            }
        }
    }
}

fn holes_of(operation: &Operation<'_>) -> Vec<Hole> {
    let parts = segments(operation.path);
    let mut holes: Vec<Hole> = Vec::new();
    for (idx, segment) in parts.iter().enumerate() {
        let mut rest = *segment;
        while let Some(written) = hole_of(rest) {
            let parameter = operation.parameters.iter().find(|parameter| parameter.place == Place::Path && parameter.name == written);
            let mut name = snake(written);
            if GENERIC.contains(&name.as_str()) {
                let before = parts[..idx].iter().rev().find(|part| !is_hole(part)).map(|part| singular(&snake(part)));
                name = before.map_or(format!("path_{name}"), |before| format!("{before}_{name}"));
            }
            // A parameter of the query that is called so would take the place of the placeholder.
            if operation.parameters.iter().any(|parameter| parameter.place == Place::Query && parameter.name == name) {
                name = format!("path_{name}");
            }
            name = unique(&name, |name| holes.iter().any(|hole| hole.name == name));
            holes.push(Hole {
                name,
                written: written.to_string(),
                source: Source::Option,
                description: parameter.map(Parameter::told).unwrap_or_else(|| format!("Value of '{written}'")),
                given: parameter.and_then(Parameter::given_value).map(super::text::text_of_value),
            });
            rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        }
    }
    holes
}

/// Returns the column that identifies a record.
fn key_of<'a>(record: Schema<'a>, path: &str) -> Option<&'a str> {
    let properties = record.properties();
    let scalar = |wanted: &str, is_old: bool| {
        let fits = |name: &str, schema: &Schema<'_>| {
            folded(name) == wanted && !matches!(schema.shape(), Shape::List | Shape::Object) && schema.is_deprecated() == is_old
        };
        properties.iter().find(|(name, schema)| fits(name, schema)).map(|(name, _)| *name)
    };
    let last =
        segments(path).into_iter().rev().find(|segment| !is_hole(segment)).map(|segment| singular(&folded(segment))).unwrap_or_default();
    let found = |is_old: bool| IDS.iter().find_map(|id| scalar(id, is_old)).or_else(|| scalar(&format!("{last}id"), is_old));
    found(false).or_else(|| found(true)).filter(|name| is_column(name))
}

/// Returns whether a field has a column of its own name, and can be named in a query.
fn is_column(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | ' ' | '@'))
}

/// Finds the table whose rows fill the last placeholder of a path, and those before it that it was asked with itself.
fn find_parent(table: &mut Table<'_>, tables: &[Table<'_>], by_path: &HashMap<String, usize>) {
    let parts = segments(table.path);
    for idx in (1..parts.len()).rev().filter(|idx| is_hole(parts[*idx])) {
        // A placeholder in the middle of a part, or several in one, are not a column's value.
        let is_whole = parts[idx].starts_with('{') && parts[idx].find('}') == Some(parts[idx].len() - 1);
        let Some(parent_idx) = by_path.get(&path_key(&parts[..idx])).copied().filter(|_| is_whole) else { continue };
        let parent = &tables[parent_idx];
        let n_before: usize = parts[..idx].iter().map(|part| part.matches('{').count()).sum();
        let entity = parts[..idx].iter().rev().find(|part| !is_hole(part)).map(|part| singular(&folded(part))).unwrap_or_default();
        let written = table.holes.get(n_before).map(|hole| hole.written.clone()).unwrap_or_default();
        let Some((column, is_guess)) = parent.record.and_then(|record| column_for(&written, &entity, record)) else { continue };
        if is_guess {
            table.doubts.push(format!("'{written}' of the path is taken from column '{column}' of '{}'", parent.name));
        }
        let mut columns = Vec::new();
        for (position, hole) in parent.holes.iter().enumerate().filter(|(_, hole)| hole.source != Source::Option) {
            columns.push((table.holes[position].name.clone(), hole.name.clone()));
            table.holes[position].source = Source::Parent;
        }
        columns.push((table.holes[n_before].name.clone(), column));
        table.holes[n_before].source = Source::Parent;
        table.parent = Some(Parent { table: parent_idx, columns });
        // The parent has those values.
        let is_of_parent = |name: &str| table.holes.iter().any(|hole| hole.source == Source::Parent && hole.name == name);
        table.each.retain(|each| !is_of_parent(&each.name));
        return;
    }
}

/// Finds the tables whose rows fill a query parameter that a request needs: `location_id` is `id` of `locations`. Such a parent is loaded by
/// itself, so that no table waits for itself.
fn find_parents_of_params(tables: &mut [Table<'_>]) {
    let is_free =
        |table: &Table<'_>| table.parent.is_none() && table.holes.is_empty() && table.params.iter().all(|sent| sent.value.is_some());
    let free: HashMap<String, usize> =
        tables.iter().enumerate().filter(|(_, table)| is_free(table)).map(|(idx, table)| (folded(&singular(&table.name)), idx)).collect();
    for idx in 0..tables.len() {
        let mut open = tables[idx].params.iter().enumerate().filter(|(_, sent)| sent.value.is_none());
        let (Some((position, sent)), None) = (open.next(), open.next()) else { continue };
        if tables[idx].parent.is_some() || snake(&sent.name) != sent.name {
            continue;
        }
        let hole = folded(&sent.name);
        let entity = ENDINGS.iter().find_map(|ending| hole.strip_suffix(ending)).filter(|entity| !entity.is_empty()).unwrap_or(&hole);
        let Some(parent) = free.get(entity).or_else(|| free.get(&hole)).copied() else { continue };
        let Some((column, _)) = tables[parent].record.and_then(|record| column_for(&hole, entity, record)) else { continue };
        let name = sent.name.clone();
        let doubt = format!("parameter '{name}' is taken from column '{column}' of '{}'", tables[parent].name);
        let table = &mut tables[idx];
        table.params.remove(position);
        table.doubts.retain(|doubt| !doubt.contains(&format!("needs parameter '{name}'")));
        table.doubts.push(doubt);
        table.parent = Some(Parent { table: parent, columns: vec![(name, column)] });
    }
}

/// Returns the column of a parent's record that fills a placeholder, and whether that is a guess. One that is deprecated is the last choice.
fn column_for(hole: &str, entity: &str, record: Schema<'_>) -> Option<(String, bool)> {
    column_among(hole, entity, record, false).or_else(|| column_among(hole, entity, record, true))
}

fn column_among(hole: &str, entity: &str, record: Schema<'_>, is_old: bool) -> Option<(String, bool)> {
    let properties = record.properties();
    let scalar = |wanted: &str| {
        let fits = |name: &str, schema: &Schema<'_>| {
            folded(name) == wanted && !matches!(schema.shape(), Shape::List | Shape::Object) && schema.is_deprecated() == is_old
        };
        properties.iter().find(|(name, schema)| fits(name, schema) && is_column(name)).map(|(name, _)| name.to_string())
    };
    let hole = folded(hole);
    let rest = hole.strip_prefix(entity).filter(|_| hole != "username").filter(|rest| !rest.is_empty());
    let ending = ENDINGS.iter().find(|ending| hole.ends_with(*ending) && hole.len() > ending.len());
    let user = || (hole == "username").then(|| scalar("login")).flatten();
    let sure = scalar(&hole).or_else(user).or_else(|| scalar(rest?)).or_else(|| scalar(ending?));
    if let Some(name) = sure {
        return Some((name, false));
    }
    let is_of_entity = hole == entity || entity.ends_with(&hole) || hole.ends_with(entity);
    let guess = ["id", "gid", "uuid", "sid", "key", "slug", "login", "name"].iter().find_map(|id| scalar(id))?;
    Some((guess, !(is_of_entity && hole == entity)))
}
