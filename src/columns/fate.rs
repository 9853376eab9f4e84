//! What becomes of a record, and the fields of one that says that a row is gone: those that tell which row it is about, and how new it is.

use super::names;
use super::source::ColumnSource;
use super::types::Column;
use crate::spec::TableDef;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Row,
    /// A row that says that it is gone at the source.
    Gone,
    LeftOut,
}

/// The fields of records themselves in which the key columns and the column of the cursor may lie.
#[derive(Debug, Clone, Default)]
pub(super) struct TellingFields {
    /// Their keys, where the spec says in which a column lies.
    keys: Vec<String>,
    /// The names, in lower case, of columns that may lie in any field.
    names: Vec<String>,
    /// Whether prefixes are taken from names, so that each field may hold one.
    are_all: bool,
}

impl TellingFields {
    pub(super) fn new(table_def: &TableDef, declared: &[Column]) -> TellingFields {
        let mut telling = TellingFields { are_all: !table_def.strip_prefixes.is_empty(), ..TellingFields::default() };
        let cursor = table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        for name in table_def.key_columns.iter().chain(cursor.map(|cursor| &cursor.column)) {
            match declared.iter().find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| &column.source) {
                Some(ColumnSource::Record(keys) | ColumnSource::Again { keys, .. }) => telling.keys.extend(keys.first().cloned()),
                Some(ColumnSource::Param(_) | ColumnSource::Meta(_)) => {}
                Some(ColumnSource::Named(_)) | None => telling.names.push(name.to_lowercase()),
            }
        }
        telling
    }

    /// Returns whether the field of this key may hold one of the columns.
    pub(super) fn has(&self, key: &str) -> bool {
        if self.are_all || self.keys.iter().any(|known| known == key) {
            return true;
        }
        let flattened = names::flattened(&[key.to_string()]).to_lowercase();
        let is_in = |name: &String| name.strip_prefix(&flattened).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        self.names.iter().any(is_in)
    }
}
