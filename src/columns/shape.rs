//! Records that stand in another form than a list of objects: as the values of an object, as rows without names, as lists side by side.

use super::records::RecordGroup;
use crate::document::{column_name, distinct_names, Node, View};
use crate::spec::{NamedRow, RecordForm, RowNames};
use crate::{Error, Result};
use std::collections::HashMap;

/// The key of the value of an element that is an object.
const VALUE: &str = "value";
/// The key of the name of an element that is an object.
const NAME: &str = "name";
/// What the records of objects take besides what the body weighs: an entry of a record.
pub(super) const ENTRY: u64 = 40;

/// A record as an object.
type Entries<'d> = Vec<(&'d str, Node<'d>)>;

/// The names of the fields of records that have none, in the order of [`RecordForm::Rows`].
pub(super) type FieldNames = Vec<Vec<String>>;

/// Where the records of a group are, and how their fields are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub names: &'p FieldNames,
    /// The keys from the body to the records.
    pub keys: &'p [String],
}

/// The records of a group, as objects.
#[derive(Debug, Default)]
pub(super) struct Shaped<'d> {
    records: Vec<Record<'d>>,
}

#[derive(Debug)]
enum Record<'d> {
    AsItIs(Node<'d>),
    Made(Entries<'d>),
}

impl<'d> Shaped<'d> {
    /// Returns the records as nodes.
    pub(super) fn nodes(&'d self) -> Vec<Node<'d>> {
        let node = |record: &'d Record<'d>| match record {
            Record::AsItIs(node) => *node,
            Record::Made(entries) => Node::of_entries(entries),
        };
        self.records.iter().map(node).collect()
    }

    fn push(&mut self, entries: Entries<'d>) {
        self.records.push(Record::Made(entries));
    }
}

/// Returns the names of the fields of rows, with as many as the longest row needs. Fails when a place in the body has no names.
pub(super) fn field_names(form: &RecordForm, document: Node<'_>, groups: &[RecordGroup<'_>]) -> Result<FieldNames> {
    let RecordForm::Rows(rows) = form else { return Ok(Vec::new()) };
    let has_rows = groups.iter().any(|group| group.n_records() > 0);
    let names_of = |row: &NamedRow| {
        let mut names = match &row.names {
            RowNames::Given(names) => names.clone(),
            // Without rows there may be no names either.
            RowNames::At(_) if !has_rows => Vec::new(),
            RowNames::At(path) => names_at(document, path)?,
        };
        let longest =
            groups.iter().flat_map(|group| records_of(group)).map(|record| row_of(row, record).map_or(0, |list| list.len())).max();
        let n_more = longest.unwrap_or(0).saturating_sub(names.len());
        names.extend((names.len()..names.len() + n_more).map(column_name));
        Ok(names)
    };
    let names: Vec<Vec<String>> = rows.iter().map(names_of).collect::<Result<_>>()?;
    let mut all = distinct_names(names.iter().flatten().map(String::as_str)).into_iter();
    Ok(names.iter().map(|names| all.by_ref().take(names.len()).collect()).collect())
}

fn names_at(document: Node<'_>, path: &[String]) -> Result<Vec<String>> {
    let wrong = |found: &str| {
        Error::data(format!(
            "'row_names' points to '{}', which is {found}; expected a list of texts, or of objects with '{NAME}'",
            path.join(".")
        ))
    };
    let (node, rest) = list_on(document, path).ok_or_else(|| wrong("not there"))?;
    let View::Array(elements) = node.view() else { return Err(wrong(node.view().kind())) };
    let elements = elements.map(|element| if rest.is_empty() { Some(element) } else { element.at(rest) });
    let elements: Vec<Node<'_>> =
        elements.collect::<Option<_>>().ok_or_else(|| wrong(&format!("a list with an element without '{}'", rest.join("."))))?;
    let name_of = |element: Node<'_>| match element.view() {
        View::Text(text) => Ok(text.to_string()),
        View::Null => Ok(String::new()),
        View::Object(_) => match element.get(NAME).map(Node::view) {
            Some(View::Text(text)) => Ok(text.to_string()),
            _ => Err(wrong(&format!("a list with an object without a text '{NAME}'"))),
        },
        View::Array(_) => Err(wrong("a list of lists")),
        _ => Ok(element.to_json()),
    };
    elements.into_iter().map(name_of).collect()
}

/// Returns the first list on a path, and the rest of the path, which leads into its elements; what stands at the end where there is no list.
fn list_on<'d, 'p>(document: Node<'d>, path: &'p [String]) -> Option<(Node<'d>, &'p [String])> {
    let mut node = document;
    for (idx, key) in path.iter().enumerate() {
        if matches!(node.view(), View::Array(_)) && key.parse::<usize>().is_err() {
            return Some((node, &path[idx..]));
        }
        node = node.at(&path[idx..=idx])?;
    }
    Some((node, &[]))
}

fn records_of<'d>(group: &RecordGroup<'d>) -> Vec<Node<'d>> {
    match group.records.view() {
        View::Null => Vec::new(),
        View::Array(records) => records.collect(),
        _ => vec![group.records],
    }
}

/// Returns the list of a record whose elements have no names.
fn row_of<'d>(row: &NamedRow, record: Node<'d>) -> Option<crate::document::ArrayIter<'d>> {
    let node = match &row.field {
        None => record,
        Some(field) => record.get(field)?,
    };
    match node.view() {
        View::Array(elements) => Some(elements),
        _ => None,
    }
}

/// Returns the records of a group as objects. Fails when something else stands where the form says that they are, and when they take more than
/// `most` bytes.
pub(super) fn shaped<'d>(form: &'d RecordForm, group: &RecordGroup<'d>, place: Place<'d>, most: u64) -> Result<Shaped<'d>> {
    let shaped = match form {
        RecordForm::Plain => Shaped { records: records_of(group).into_iter().map(Record::AsItIs).collect() },
        RecordForm::KeyedBy(name) => keyed(name, group.records)?,
        RecordForm::Rows(rows) => named(rows, group, place)?,
        RecordForm::Zip(lists) => zipped(lists, group.records)?,
    };
    let n_entries =
        shaped.records.iter().map(|record| if let Record::Made(entries) = record { entries.len() as u64 } else { 1 }).sum::<u64>();
    match n_entries.saturating_mul(ENTRY) {
        n_bytes if n_bytes > most => {
            Err(Error::data(crate::document::too_much(&format!("{n_entries} fields of its records"), n_bytes, most)))
        }
        _ => Ok(shaped),
    }
}

/// Returns the values of an object, each with its key, of equal keys the last. Where a value is a list, its elements are the records.
fn keyed<'d>(name: &'d str, records: Node<'d>) -> Result<Shaped<'d>> {
    let mut shaped = Shaped::default();
    let entries = match records.view() {
        View::Null => return Ok(shaped),
        View::Object(entries) => entries,
        // An object without entries is an empty list in some languages.
        View::Array(elements) if elements.is_empty() => return Ok(shaped),
        view => {
            let kind = view.kind();
            return Err(Error::data(format!("where the records are is {kind}; expected an object, since the table has 'keyed_by'")));
        }
    };
    let last: HashMap<&str, usize> = entries.clone().enumerate().map(|(idx, (key, _))| (key, idx)).collect();
    for (_, (key, value)) in entries.enumerate().filter(|(idx, (key, _))| last.get(key) == Some(idx)) {
        match value.view() {
            View::Array(elements) => elements.map(|element| keyed_record(name, key, element)).try_for_each(|record| {
                shaped.push(record?);
                Ok::<_, Error>(())
            })?,
            _ => shaped.push(keyed_record(name, key, value)?),
        }
    }
    Ok(shaped)
}

fn keyed_record<'d>(name: &'d str, key: &'d str, value: Node<'d>) -> Result<Entries<'d>> {
    let mut record = vec![(name, Node::of_text(key))];
    match value.view() {
        View::Object(entries) => {
            for (own, value) in entries {
                match own == name {
                    false => record.push((own, value)),
                    true if matches!(value.view(), View::Text(text) if text == key) || value.to_json() == key => {}
                    true => {
                        return Err(Error::data(format!(
                            "the record of key '{key}' has another value in its field '{name}'; choose another name in 'keyed_by'"
                        )))
                    }
                }
            }
        }
        View::Null => {}
        _ => record.push((VALUE, value)),
    }
    Ok(record)
}

/// Returns the records with names for their values. Where one of the records is the list of names itself, it is left out.
fn named<'d>(rows: &'d [NamedRow], group: &RecordGroup<'d>, place: Place<'d>) -> Result<Shaped<'d>> {
    let mut shaped = Shaped::default();
    let of_names: Vec<usize> = rows.iter().filter_map(|row| position_of_names(row, place.keys)).collect();
    for (idx, record) in records_of(group).into_iter().enumerate() {
        if of_names.contains(&idx) {
            continue;
        }
        let mut entries = Entries::new();
        for (row, names) in rows.iter().zip(place.names) {
            match row_of(row, record) {
                Some(list) => entries.extend(names.iter().map(String::as_str).zip(list.map(|element| value_of(element, row)))),
                None if row.field.is_some() => {}
                None => {
                    let (number, kind) = (idx + 1, record.view().kind());
                    return Err(Error::data(format!(
                        "record {number} of the page is {kind}; expected a list, since the table has 'row_names'"
                    )));
                }
            }
        }
        if let View::Object(own) = record.view() {
            add_own(&mut entries, own.filter(|(key, _)| !is_named(rows, key, record)), idx + 1)?;
        }
        shaped.push(entries);
    }
    Ok(shaped)
}

/// Returns whether a field of a record is the list whose elements have names, or null in its place.
fn is_named(rows: &[NamedRow], key: &str, record: Node<'_>) -> bool {
    let of_field = |row: &&NamedRow| row.field.as_deref() == Some(key) && row.value.is_none();
    rows.iter().find(of_field).is_some_and(|row| row_of(row, record).is_some() || record.get(key).is_some_and(Node::is_null))
}

/// Adds the other fields of a record to its named values. Fails when a field and a value of one name differ: one would be lost.
fn add_own<'d>(entries: &mut Entries<'d>, own: impl Iterator<Item = (&'d str, Node<'d>)>, number: usize) -> Result<()> {
    let n_named = entries.len();
    for (key, value) in own {
        match entries[..n_named].iter().find(|(name, named)| *name == key && !named.is_null()) {
            Some(_) if value.is_null() => {}
            Some((_, named)) if named.to_json() != value.to_json() => {
                return Err(Error::data(format!(
                    "record {number} of the page has a field '{key}', and a value of that name by 'row_names'; write other names in 'row_names'"
                )))
            }
            _ => entries.push((key, value)),
        }
    }
    Ok(())
}

/// Returns the position of the record that is the list of names.
fn position_of_names(row: &NamedRow, keys: &[String]) -> Option<usize> {
    match &row.names {
        RowNames::At(path) if row.field.is_none() => path.strip_prefix(keys).and_then(|rest| match rest {
            [position] => position.parse().ok(),
            _ => None,
        }),
        _ => None,
    }
}

/// Returns the value of an element, which some APIs put in an object.
fn value_of<'d>(element: Node<'d>, row: &NamedRow) -> Node<'d> {
    if let (Some(key), View::Object(_)) = (&row.value, element.view()) {
        return element.get(key).unwrap_or(Node::null());
    }
    match element.view() {
        View::Object(entries) if entries.len() == 1 => element.get(VALUE).unwrap_or(element),
        _ => element,
    }
}

/// Returns the elements of lists side by side. Fails when the lists are of different lengths.
fn zipped<'d>(lists: &'d [(String, Vec<String>)], records: Node<'d>) -> Result<Shaped<'d>> {
    let mut shaped = Shaped::default();
    if records.is_null() {
        return Ok(shaped);
    }
    let mut columns = Vec::with_capacity(lists.len());
    for (name, path) in lists {
        let elements = match records.at(path).map(Node::view) {
            Some(View::Array(elements)) => elements,
            found => {
                let found = found.map_or("not there", |view| view.kind());
                let path = path.join(".");
                return Err(Error::data(format!("'{path}', the list of column '{name}' in 'zip', is {found}; expected a list")));
            }
        };
        columns.push((name.as_str(), elements));
    }
    let Some((first, n_rows)) = columns.first().map(|(name, elements)| (*name, elements.len())) else { return Ok(shaped) };
    if let Some((other, elements)) = columns.iter().find(|(_, elements)| elements.len() != n_rows) {
        let n_others = elements.len();
        return Err(Error::data(format!(
            "the lists of 'zip' have different lengths: '{first}' has {n_rows} elements, and '{other}' has {n_others}"
        )));
    }
    for _ in 0..n_rows {
        shaped.push(columns.iter_mut().filter_map(|(name, elements)| Some((*name, elements.next()?))).collect());
    }
    Ok(shaped)
}
