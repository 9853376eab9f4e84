//! Reads `deletes`: what becomes of rows that are gone at the source.

use super::Fields;
use crate::spec::{ColumnSpec, Deletes, DELETED_AT};

/// What the table itself has: its key, its declared columns, and the names of those that are copied.
pub(super) struct OwnColumns<'a> {
    pub key: &'a [String],
    pub declared: &'a [ColumnSpec],
    pub copied: Vec<&'a str>,
}

/// Returns what becomes of rows that are gone; `default` where the table does not say.
pub(super) fn deletes_of(table: &Fields<'_>, own: &OwnColumns<'_>, default: Deletes) -> Deletes {
    let Some(node) = table.get("deletes") else { return if own.key.is_empty() { Deletes::Remove } else { default } };
    match node.text() {
        Some("remove") => return Deletes::Remove,
        Some("mark") => {}
        _ => {
            table.wrong("deletes", node, "mark or remove");
            return Deletes::Remove;
        }
    }
    if own.key.is_empty() {
        let message =
            format!("{} has 'deletes: mark', which needs a key to tell which rows are gone; name its 'key_columns'", table.place());
        table.mistakes().at(node, message);
    }
    let mut names = own.declared.iter().map(|column| column.name.as_str()).chain(own.copied.iter().copied());
    if names.any(|name| name.eq_ignore_ascii_case(DELETED_AT)) {
        let message = format!("{} has 'deletes: mark', whose column is '{DELETED_AT}', and one of its own of that name", table.place());
        table.mistakes().at(node, message);
    }
    Deletes::Mark
}

#[cfg(test)]
#[path = "deletes_tests.rs"]
mod tests;
