//! What a publication adds to a table, changes in it and takes from it: the rows before and after, compared by their key.

use crate::columns::{Column, TableSchema};
use crate::load::plan::named::find_column;
use crate::load::publish::merge_sql::{binary, Merge};
use crate::load::records::changed::{insert_changed_sql, Change, Changes};
use crate::load::records::store::Store;
use crate::load::staging::converted_sql::converted;
use crate::session::{quote_ident, quote_literal, Session, TableName, Value};
use crate::{Error, Result};

/// The rows that a publication is about, before and after it. Both queries have the columns of `schema`.
pub struct Compared<'a> {
    pub store: &'a Store,
    pub schema: &'a TableSchema,
    /// The table's key; empty: rows are the same when all of their values are.
    pub key_columns: &'a [String],
    pub before: String,
    pub after: String,
    /// Whether the rows that changed are kept.
    pub keeps_rows: bool,
}

impl Compared<'_> {
    /// Counts what changes, and notes the rows where they are kept, in the session's transaction: before the rows are where readers find them.
    pub fn note(&self, session: &mut dyn Session) -> Result<Changes> {
        let Some(keys) = self.keys() else { return self.counted_by_values(session) };
        let rows = session.query(&self.counts_sql(&keys))?;
        let count = |idx: usize| rows.first().and_then(|row| row.get(idx)).and_then(Value::as_integer);
        let count =
            |idx: usize| count(idx).and_then(|count| u64::try_from(count).ok()).ok_or_else(|| Error::internal("changes without counts"));
        let changes = Changes { added: count(0)?, changed: count(1)?, removed: count(2)? };
        if self.keeps_rows {
            session.execute(&self.kept_sql(&keys))?;
        }
        Ok(changes)
    }

    /// Returns the query that counts rows added, changed and removed. A row is changed where one of the rows before that have its key differs.
    fn counts_sql(&self, keys: &[&Column]) -> String {
        let names: Vec<String> = (0..keys.len()).map(|idx| format!("unify_key_{idx}")).collect();
        let names = names.join(", ");
        format!(
            "SELECT count(*) FILTER (WHERE d.unify_n IS NULL),
                    count(*) FILTER (WHERE t.unify_hash <> d.unify_least OR t.unify_hash <> d.unify_most),
                    CAST(coalesce(sum(d.unify_n) FILTER (WHERE t.unify_hash IS NULL), 0) AS BIGINT)
             FROM ({}) AS t
             FULL JOIN (SELECT {names}, count(*) AS unify_n, min(unify_hash) AS unify_least, max(unify_hash) AS unify_most
                        FROM ({}) AS r GROUP BY {names}) AS d ON {}",
            self.side(keys, &self.after),
            self.side(keys, &self.before),
            same_keys(keys.len())
        )
    }

    /// Returns the columns of the key; `None` without one.
    fn keys(&self) -> Option<Vec<&Column>> {
        let keys = self.key_columns.iter().map(|name| find_column(self.schema, name)).collect::<Option<Vec<&Column>>>()?;
        Some(keys).filter(|keys| !keys.is_empty())
    }

    fn counted_by_values(&self, session: &mut dyn Session) -> Result<Changes> {
        let (before, after) = (self.side(&[], &self.before), self.side(&[], &self.after));
        let mut count = |of: &str, but: &str| session.count(&format!("SELECT count(*) FROM ({of} EXCEPT ALL {but})"));
        Ok(Changes { added: count(&after, &before)?, changed: 0, removed: count(&before, &after)? })
    }

    /// Returns the query for what is compared of rows: their keys, and a hash of all values.
    fn side(&self, keys: &[&Column], rows: &str) -> String {
        let keys: Vec<String> = self.key_items(keys);
        format!("SELECT {}hash({}) AS unify_hash FROM ({rows}) AS r", keys.concat(), names_of(self.schema))
    }

    fn key_items(&self, keys: &[&Column]) -> Vec<String> {
        keys.iter().enumerate().map(|(idx, key)| format!("{} AS unify_key_{idx}, ", binary("r.", key))).collect()
    }

    /// Returns the statements that keep the rows that changed: as JSON, before and after.
    fn kept_sql(&self, keys: &[&Column]) -> String {
        let entry = |of: &str, column: &Column| format!("{}: {of}{}", quote_literal(&column.name), quote_ident(&column.name));
        let object = |columns: &mut dyn Iterator<Item = &Column>| {
            let entries: Vec<String> = columns.map(|column| entry("r.", column)).collect();
            format!("CAST(to_json({{{}}}) AS VARCHAR)", entries.join(", "))
        };
        let full = |rows: &str| {
            format!(
                "SELECT {}hash({}) AS unify_hash, {} AS unify_object, {} AS unify_key FROM ({rows}) AS r",
                self.key_items(keys).concat(),
                names_of(self.schema),
                object(&mut self.schema.columns.iter()),
                object(&mut keys.iter().copied()),
            )
        };
        let (before, after, same) = (full(&self.before), full(&self.after), same_keys(keys.len()));
        let missing = |other: &str| format!("NOT EXISTS (SELECT 1 FROM ({other}) AS d WHERE {same})");
        let insert = |change: Change, values: &str, from: String| insert_changed_sql(self.store, change, values, &from);
        [
            insert(Change::Added, "unify_key, NULL, unify_object", format!("({after}) AS t WHERE {}", missing(&before))),
            insert(
                Change::Changed,
                "t.unify_key, d.unify_object, t.unify_object",
                format!("({after}) AS t JOIN ({before}) AS d ON {same} WHERE d.unify_hash <> t.unify_hash"),
            ),
            insert(Change::Removed, "unify_key, unify_object, NULL", format!("({before}) AS t WHERE {}", missing(&after))),
        ]
        .join(" ")
    }
}

fn same_keys(n_keys: usize) -> String {
    (0..n_keys).map(|idx| format!("d.unify_key_{idx} IS NOT DISTINCT FROM t.unify_key_{idx}")).collect::<Vec<_>>().join(" AND ")
}

/// Returns the query for the rows of a table, of the columns `known`, as the columns of `schema`: those that are there at the source.
pub fn rows_as(store: &Store, known: &TableSchema, schema: &TableSchema) -> String {
    // A column that the table does not have has the type of the others' all the same: they are compared.
    let typed = |column: &Column| format!("CAST({} AS {})", converted(store.kind, known, column), store.kind.sql_type(column.column_type));
    let value = |column: &Column| format!("{} AS {}", typed(column), quote_ident(&column.name));
    let values: Vec<String> = schema.columns.iter().map(value).collect();
    format!("SELECT {} FROM {}{}", values.join(", "), store.target, where_live(known))
}

/// Returns the query for the rows of a table, which has all columns of `schema`, that are there at the source.
pub fn live_rows(table: &TableName, all: &TableSchema, schema: &TableSchema) -> String {
    format!("SELECT {} FROM {table}{}", names_of(schema), where_live(all))
}

/// Returns the query for the rows of the target of `within` that staged ones replace, or say are gone, by the key of `within`.
pub fn replaced_rows(within: &Merge<'_>, all: &TableSchema, schema: &TableSchema) -> String {
    let is_live = all.deleted_at().map_or(String::new(), |column| format!("t.{} IS NULL AND ", quote_ident(&column.name)));
    let is_it = within.has_key_among(&within.staging.to_string());
    format!("SELECT {} FROM {} AS t WHERE {is_live}{is_it}", names_of(schema), within.target)
}

/// Returns the columns whose values are compared.
pub fn compared_columns(schema: &TableSchema) -> TableSchema {
    let mut compared = schema.clone().without_marks();
    let mark = compared.deleted_at().cloned();
    compared.columns.retain(|column| Some(column) != mark.as_ref());
    compared
}

fn names_of(schema: &TableSchema) -> String {
    schema.columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ")
}

fn where_live(schema: &TableSchema) -> String {
    schema.deleted_at().map_or(String::new(), |column| format!(" WHERE {} IS NULL", quote_ident(&column.name)))
}
