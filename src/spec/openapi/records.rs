//! Where the records of a list operation are in its answer.

use super::names::{folded, is_hole, segments, singular};
use super::operation::Operation;
use super::schema::{Schema, Shape};

/// Names of lists that tell about the answer and are not its records.
const NOTES: &[&str] = &["errors", "warnings", "messages", "links", "included", "tags", "sort", "schemas", "failures", "partialerrors"];
/// Names that APIs give to the list of records, the commonest first.
const USUAL: &[&str] = &[
    "data",
    "items",
    "results",
    "records",
    "values",
    "value",
    "entries",
    "rows",
    "list",
    "content",
    "objects",
    "elements",
    "resources",
    "result",
];
/// What the names of fields have in them that tell about a list: which page it is, and how much there is.
const ABOUT_LISTS: &[&str] = &["page", "total", "count", "limit", "offset", "cursor", "token", "next", "prev", "more", "size", "link"];
/// Names of fields that stand beside lists and say nothing about a record.
const ENVELOPE: &[&str] = &[
    "first", "last", "start", "end", "skip", "from", "to", "success", "ok", "error", "message", "code", "status", "object", "kind", "type",
    "etag", "url", "self", "isdone", "finished",
];
/// The most fields of another meaning that an answer has whose list of another name is its records.
const MOST_OWN_FIELDS: usize = 4;
/// Names of objects that hold the list of records.
const WRAPPERS: &[&str] = &["data", "result", "results", "response", "embedded", "payload", "page", "body", "d", "items", "collection"];

/// The records of an answer.
pub struct Records<'a> {
    /// Keys down to them; empty: the answer itself is the list.
    pub path: Vec<&'a str>,
    pub record: Option<Schema<'a>>,
    /// What is not sure about it.
    pub doubt: Option<String>,
}

/// Returns where the records are; `None` when the answer is not a list of records.
pub fn records_of<'a>(operation: &Operation<'a>) -> Option<Records<'a>> {
    let answer = operation.answer?;
    match answer.shape() {
        Shape::List => Some(Records { path: Vec::new(), record: answer.items(), doubt: None }),
        Shape::Object => records_in(answer, operation, 0),
        Shape::Scalar | Shape::Open => None,
    }
}

fn records_in<'a>(answer: Schema<'a>, operation: &Operation<'a>, depth: usize) -> Option<Records<'a>> {
    let properties = answer.properties();
    let lists: Vec<(&str, Schema<'_>)> = properties
        .iter()
        .filter(|(name, schema)| schema.shape() == Shape::List && !NOTES.contains(&folded(name).as_str()))
        .copied()
        .collect();
    let objects: Vec<(&str, Schema<'_>)> = lists.iter().filter(|(_, list)| holds_records(*list)).copied().collect();
    let is_usual = |name: &str| USUAL.contains(&folded(name).as_str()) || is_named_as(name, operation.path);
    let usual = usual_list(&lists, operation.path);
    let describes_one = is_one_record(&properties, operation.path);
    let found = match (usual, objects.as_slice()) {
        (Some(found), _) => Some((found, None)),
        (None, [only]) if !describes_one || is_usual(only.0) => Some((*only, None)),
        (None, [first, _, ..]) if !describes_one => {
            let others: Vec<&str> = objects[1..].iter().map(|(name, _)| *name).collect();
            Some((*first, Some(format!("the answer has several lists; the others are {}", others.join(", ")))))
        }
        _ => None,
    };
    if let Some(((name, list), doubt)) = found {
        return Some(Records { path: vec![name], record: list.items(), doubt });
    }
    if depth >= 2 {
        return None;
    }
    let wrapper = properties.iter().find(|(name, schema)| WRAPPERS.contains(&folded(name).as_str()) && schema.shape() == Shape::Object)?;
    let mut records = records_in(wrapper.1, operation, depth + 1)?;
    records.path.insert(0, wrapper.0);
    Some(records)
}

/// Returns the list that has one of the usual names, or the one that the path ends with.
fn usual_list<'a>(lists: &[(&'a str, Schema<'a>)], path: &str) -> Option<(&'a str, Schema<'a>)> {
    let named = lists.iter().find(|(name, _)| is_named_as(name, path));
    let usual = || USUAL.iter().find_map(|usual| lists.iter().find(|(name, _)| folded(name) == *usual));
    named.or_else(usual).copied()
}

/// Returns whether a list has the name of what the path asks for.
fn is_named_as(name: &str, path: &str) -> bool {
    let segments = segments(path);
    let Some(last) = segments.iter().rev().find(|segment| !is_hole(segment)) else { return false };
    let (name, last) = (folded(name), folded(last));
    name == last || singular(&name) == last || singular(&last) == name
}

/// Returns whether a list holds objects, or may.
fn holds_records(list: Schema<'_>) -> bool {
    list.items().is_none_or(|items| items.shape() != Shape::Scalar)
}

/// Returns whether an answer is one record that happens to have a list: it has an id, its path ends with a placeholder and it has more than
/// notes about a list, or it has many fields of its own.
fn is_one_record(properties: &[(&str, Schema<'_>)], path: &str) -> bool {
    let has = |wanted: &[&str]| {
        properties.iter().any(|(name, schema)| wanted.contains(&folded(name).as_str()) && schema.shape() == Shape::Scalar)
    };
    let ends_with_hole = segments(path).last().is_some_and(|segment| is_hole(segment));
    let is_about_list = |name: &str| ABOUT_LISTS.iter().any(|about| name.contains(about)) || ENVELOPE.contains(&name);
    let is_own = |(name, schema): &&(&str, Schema<'_>)| schema.shape() == Shape::Scalar && !is_about_list(&folded(name));
    has(&["id", "gid", "uuid", "guid"])
        || properties.iter().filter(is_own).count() > MOST_OWN_FIELDS
        || ends_with_hole && has(&["name", "title", "status", "state", "type", "createdat", "created", "key"])
}
