//! What an in-memory database holds, and how what one transaction made of it becomes everybody's.

use crate::session::Value;
use crate::{Error, Result};
use sqlparser::ast::Expr;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// The one attached database.
pub(crate) const CATALOG: &str = "lake";
/// The schema of temporary tables.
pub(super) const TEMP: &str = "temp.main";

pub(crate) type Row = Vec<Value>;

/// Schema and name, in lower case.
pub(crate) type Key = (String, String);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableColumn {
    pub name: String,
    pub sql_type: String,
    pub default: Option<String>,
    pub comment: Option<String>,
}

/// What a table demands of its rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    NotNull(String),
    /// Of a constraint or an index: the words of the error, and the columns.
    Unique(UniqueKind, Vec<String>),
    Check(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum UniqueKind {
    PrimaryKey,
    Unique,
}

/// An index of the user's. `definition` is what follows the table's name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableIndex {
    pub name: String,
    pub is_unique: bool,
    pub columns: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// As they were written.
    pub schema: String,
    pub name: String,
    pub columns: Vec<TableColumn>,
    /// Each with an id that no other row has.
    pub rows: Vec<(u64, Row)>,
    pub rules: Vec<Rule>,
    pub indexes: Vec<TableIndex>,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub name: String,
    pub query: String,
    pub comment: Option<String>,
}

/// All that a transaction sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub schemas: BTreeSet<String>,
    pub tables: BTreeMap<Key, Arc<Table>>,
    pub views: BTreeMap<Key, View>,
}

/// Returns an id that no row has.
fn next_row_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Adds rows of all columns.
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows.into_iter().map(|row| (next_row_id(), row)));
    }

    /// Replaces the rows at these places: to everybody else, an old one goes and a new one comes.
    pub(super) fn replace(&mut self, replaced: Vec<(usize, Row)>) {
        for (idx, row) in replaced {
            self.rows[idx] = (next_row_id(), row);
        }
    }

    fn ids(&self) -> HashSet<u64> {
        self.rows.iter().map(|(id, _)| *id).collect()
    }

    fn is_same_but_for_rows(&self, other: &Table) -> bool {
        self.columns == other.columns && self.rules == other.rules && self.indexes == other.indexes && self.comment == other.comment
    }

    /// Returns what became of the table when `own` came out of `base` and the table itself did meanwhile.
    fn rebased(&self, base: &Table, own: &Table) -> Result<Table> {
        let (before, after, now) = (base.ids(), own.ids(), self.ids());
        if before.iter().any(|id| !after.contains(id) && !now.contains(id)) {
            return Err(Error::of_database(
                crate::DatabaseErrorType::Transaction,
                "TransactionContext Error: Failed to commit: Conflict on tuple deletion!",
            ));
        }
        let mut rebased = self.clone();
        rebased.rows.retain(|(id, _)| after.contains(id) || !before.contains(id));
        rebased.rows.extend(own.rows.iter().filter(|(id, _)| !before.contains(id)).cloned());
        Ok(rebased)
    }
}

impl State {
    pub(crate) fn table(&self, schema: &str, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(&key_of(schema, name))
    }

    /// Returns the values of these columns of a table's rows, as texts; no row where there is no such table.
    pub(crate) fn texts(&self, schema: &str, name: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let Some(table) = self.table(schema, name) else { return Vec::new() };
        let places: Vec<usize> = columns.iter().filter_map(|column| table.column(column)).collect();
        assert_eq!(places.len(), columns.len(), "{columns:?} of {:?}", table.columns);
        table.rows.iter().map(|(_, row)| places.iter().map(|idx| shown(&row[*idx])).collect()).collect()
    }

    /// Returns what this becomes when a transaction that made `own` of `base` is committed. Fails when another one was in its way.
    pub(super) fn committed(&self, base: &State, own: &State) -> Result<State> {
        let mut committed = self.clone();
        let keys: BTreeSet<&Key> = base.tables.keys().chain(own.tables.keys()).collect();
        for key in keys {
            let (before, after, now) = (base.tables.get(key), own.tables.get(key), self.tables.get(key));
            if is_same(before, after) {
                continue;
            }
            let merged = match (before, after, now) {
                _ if is_same(before, now) => after.cloned(),
                (Some(before), Some(after), Some(now)) if before.is_same_but_for_rows(after) && before.is_same_but_for_rows(now) => {
                    Some(Arc::new(now.rebased(before, after)?))
                }
                _ => return Err(conflict(&key.1)),
            };
            match merged {
                Some(table) => committed.tables.insert(key.clone(), table),
                None => committed.tables.remove(key),
            };
        }
        committed.schemas.extend(own.schemas.difference(&base.schemas).cloned());
        committed.schemas.retain(|schema| own.schemas.contains(schema) || !base.schemas.contains(schema));
        let views: BTreeSet<&Key> = base.views.keys().chain(own.views.keys()).collect();
        for key in views.into_iter().filter(|key| base.views.get(*key) != own.views.get(*key)) {
            if self.views.get(key) != base.views.get(key) {
                return Err(conflict(&key.1));
            }
            match own.views.get(key) {
                Some(view) => committed.views.insert(key.clone(), view.clone()),
                None => committed.views.remove(key),
            };
        }
        Ok(committed)
    }
}

/// Returns a value as a test compares it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_string(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Boolean(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

pub(crate) fn key_of(schema: &str, name: &str) -> Key {
    (schema.to_lowercase(), name.to_lowercase())
}

fn is_same(a: Option<&Arc<Table>>, b: Option<&Arc<Table>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

fn conflict(name: &str) -> Error {
    Error::of_database(
        crate::DatabaseErrorType::Transaction,
        format!("TransactionContext Error: Failed to commit: Catalog write-write conflict on \"{name}\""),
    )
}
