//! Tells columns whose names are data: those of a map keyed by ids, each entry of which became columns of its own.

use super::source::ColumnSource;
use super::types::TableSchema;
use std::collections::{BTreeMap, BTreeSet};

/// A table of fewer columns was meant to have them.
const LEAST_COLUMNS: usize = 200;
/// A map of fewer entries is an object.
const LEAST_ENTRIES: usize = 10;

/// The fields below one object: by their first key, what follows it.
#[derive(Default)]
struct Entries<'s> {
    n_columns: usize,
    by_key: BTreeMap<&'s str, BTreeSet<&'s [String]>>,
}

impl Entries<'_> {
    /// Returns whether the keys are data: nearly all look like numbers, ids or dates, or have objects of the same fields.
    fn is_map(&self) -> bool {
        let n_keys = self.by_key.len();
        let n_ids = self.by_key.keys().filter(|key| is_id(key)).count();
        let fields: BTreeSet<&[String]> = self.by_key.values().flatten().copied().collect();
        let are_objects = fields.iter().all(|rest| !rest.is_empty());
        let are_alike = are_objects && self.n_columns * 4 >= n_keys * fields.len() * 3;
        n_keys >= LEAST_ENTRIES && self.n_columns >= LEAST_COLUMNS && (n_ids * 10 >= n_keys * 9 || are_alike)
    }
}

/// Returns a warning about columns whose names are data, and what to write in the spec; `None` when there are none. `path` leads to the
/// records.
pub fn data_in_names(schema: &TableSchema, path: &[String]) -> Option<String> {
    let sources: Vec<&[String]> = schema
        .columns
        .iter()
        .filter_map(|column| match &column.source {
            ColumnSource::Record(keys) => Some(keys.as_slice()),
            _ => None,
        })
        .collect();
    if sources.len() < LEAST_COLUMNS {
        return None;
    }
    let mut objects: BTreeMap<&[String], Entries<'_>> = BTreeMap::new();
    for source in &sources {
        for depth in 0..source.len() {
            let entries = objects.entry(&source[..depth]).or_default();
            entries.n_columns += 1;
            entries.by_key.entry(&source[depth]).or_default().insert(&source[depth + 1..]);
        }
    }
    let (above, entries) = objects.iter().filter(|(_, entries)| entries.is_map()).max_by_key(|(_, entries)| entries.n_columns)?;
    let (n_columns, n_keys) = (entries.n_columns, entries.by_key.len());
    let shown: Vec<String> = entries.by_key.keys().take(2).map(|key| format!("'{key}'")).collect();
    let place = [path, above].concat().join(".");
    let place = if place.is_empty() { "the body".to_string() } else { format!("'{place}'") };
    Some(format!(
        "{n_columns} columns are made of the {n_keys} keys of {place}, which look like data ({}, ...): {}",
        shown.join(", "),
        remedy(path, above)
    ))
}

fn remedy(path: &[String], above: &[String]) -> String {
    let apart = "and take it apart with json_each";
    match (above, path.split_last()) {
        ([], None) => {
            "write 'keyed_by: NAME' for a row for each, or read the body with unify_http instead, and take it apart with json_each"
                .to_string()
        }
        ([], Some((last, _))) => {
            format!("write 'keyed_by: NAME' for a row for each, or let 'result_body_path' end before '{last}', declare that as one column, 'columns: {{{last}: JSON}}', {apart}")
        }
        (above, _) => format!("declare it as one column, 'columns: {{{}: JSON}}', {apart}", above.join("_")),
    }
}

/// Returns whether a key looks like a number, an id, a date or a UUID.
fn is_id(key: &str) -> bool {
    let n_letters = key.chars().filter(|c| c.is_alphanumeric()).count();
    let n_digits = key.chars().filter(char::is_ascii_digit).count();
    let is_hex = n_letters >= 16 && n_digits > 0 && key.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_hex || (n_digits > 0 && n_digits * 2 > n_letters)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{convert_with, table_def};
    use super::*;
    use crate::spec::TableDef;

    fn warning(path: &[&str], body: &str) -> Option<String> {
        let path: Vec<String> = path.iter().map(|key| key.to_string()).collect();
        let table_def = TableDef { result_body_path: path.clone(), ..table_def() };
        let batch = convert_with(&table_def, body, &TableSchema::default(), &[]).unwrap();
        data_in_names(&batch.schema, &path)
    }

    /// An object with so many keys and one value for all.
    fn object(n_keys: usize, key: impl Fn(usize) -> String, value: &str) -> String {
        format!("{{{}}}", (0..n_keys).map(|idx| format!("\"{}\":{value}", key(idx))).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn maps_keyed_by_ids_are_told() {
        let ids = object(250, |idx| (1000 + idx).to_string(), "1.5");
        let at_path = warning(&["data"], &format!("{{\"data\":{ids}}}")).unwrap();
        assert!(
            at_path.starts_with("250 columns are made of the 250 keys of 'data', which look like data ('1000', '1001', ...)"),
            "{at_path}"
        );
        assert!(at_path.contains("let 'result_body_path' end before 'data'") && at_path.contains("'columns: {data: JSON}'"), "{at_path}");
        assert!(warning(&[], &ids).unwrap().contains("unify_http"));
        let below = warning(&[], &format!("[{{\"id\":1,\"rates\":{}}}]", object(200, |idx| format!("2026-01-{idx:03}"), "2")));
        assert!(below.unwrap().contains("'columns: {rates: JSON}'"));
        assert!(warning(&[], &object(200, |idx| format!("{idx:08x}-0000-4000-8000-000000abcdef"), "2")).is_some());
        let names = |idx: usize| char::from(b'a' + (idx % 26) as u8).to_string().repeat(1 + idx / 26);
        assert!(warning(&[], &object(50, names, r#"{"name":"x","size":1,"at":2,"by":null}"#)).is_some());
    }

    #[test]
    fn wide_records_are_left_alone() {
        let names = |idx: usize| char::from(b'a' + (idx % 26) as u8).to_string().repeat(1 + idx / 26);
        assert_eq!(warning(&[], &object(300, names, "1")), None);
        assert_eq!(warning(&[], &object(199, |idx| idx.to_string(), "1")), None);
        assert_eq!(warning(&[], &object(49, names, r#"{"name":"x","size":1,"at":2,"by":null}"#)), None);
    }
}
