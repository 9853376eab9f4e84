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

    /// Returns the query that counts rows added, changed and removed. Equal rows cancel each other. Of those that are left, as many of one key as
    /// there are both before and after changed. Those whose key is null in part are not known by it: they came, or went.
    fn counts_sql(&self, keys: &[&Column]) -> String {
        let (names, has_key) = (key_names(keys).join(", "), has_key(keys));
        let more = "count(*) FILTER (WHERE unify_is_new) - count(*) FILTER (WHERE NOT unify_is_new)";
        let differing = format!(
            "SELECT {names}, {more} AS unify_more FROM ({} UNION ALL {}) AS r GROUP BY {names}, unify_hash HAVING {more} <> 0",
            self.side(keys, true),
            self.side(keys, false)
        );
        let by_key = format!(
            "SELECT {has_key} AS unify_has_key, coalesce(sum(unify_more) FILTER (WHERE unify_more > 0), 0) AS unify_came,
                    coalesce(sum(0 - unify_more) FILTER (WHERE unify_more < 0), 0) AS unify_went
             FROM ({differing}) AS r GROUP BY {names}"
        );
        let changed = "CASE WHEN NOT unify_has_key THEN 0 WHEN unify_came < unify_went THEN unify_came ELSE unify_went END";
        let total = |of: &str| format!("CAST(coalesce(sum({of}), 0) AS BIGINT)");
        format!(
            "SELECT {}, {}, {} FROM (SELECT unify_came, unify_went, {changed} AS unify_changed FROM ({by_key}) AS r) AS r",
            total("unify_came - unify_changed"),
            total("unify_changed"),
            total("unify_went - unify_changed")
        )
    }

    /// Returns the columns of the key; `None` without one.
    fn keys(&self) -> Option<Vec<&Column>> {
        let keys = self.key_columns.iter().map(|name| find_column(self.schema, name)).collect::<Option<Vec<&Column>>>()?;
        Some(keys).filter(|keys| !keys.is_empty())
    }

    fn counted_by_values(&self, session: &mut dyn Session) -> Result<Changes> {
        let hashes = |rows: &str| format!("SELECT {} FROM ({rows}) AS r", self.hash());
        let (before, after) = (hashes(&self.before), hashes(&self.after));
        let mut count = |of: &str, but: &str| session.count(&format!("SELECT count(*) FROM ({of} EXCEPT ALL {but})"));
        Ok(Changes { added: count(&after, &before)?, changed: 0, removed: count(&before, &after)? })
    }

    /// Returns the query for what is compared of the rows after, or before: their keys, a hash of all values, and which they are.
    fn side(&self, keys: &[&Column], is_new: bool) -> String {
        let rows = if is_new { &self.after } else { &self.before };
        format!("SELECT {}, {}, {is_new} AS unify_is_new FROM ({rows}) AS r", key_items(keys).join(", "), self.hash())
    }

    fn hash(&self) -> String {
        format!("hash({}) AS unify_hash", names_of(self.schema))
    }

    /// Returns the statement that keeps the rows that changed: as JSON, before and after. It pairs the rows as [`Compared::counts_sql`] counts them.
    fn kept_sql(&self, keys: &[&Column]) -> String {
        let entry = |column: &Column| format!("{}: r.{}", quote_literal(&column.name), quote_ident(&column.name));
        let object = |columns: &mut dyn Iterator<Item = &Column>| {
            let entries: Vec<String> = columns.map(entry).collect();
            format!("CAST(to_json({{{}}}) AS VARCHAR)", entries.join(", "))
        };
        let (own_key, all) = (object(&mut keys.iter().copied()), object(&mut self.schema.columns.iter()));
        let full = |rows: &str, is_new: bool| {
            let items = key_items(keys).join(", ");
            let hash = self.hash();
            format!("SELECT {items}, {hash}, {is_new} AS unify_is_new, {own_key} AS unify_key, {all} AS unify_object FROM ({rows}) AS r")
        };
        let (names, has_key) = (key_names(keys).join(", "), has_key(keys));
        let numbered = format!(
            "SELECT *, row_number() OVER (PARTITION BY {names}, unify_hash, unify_is_new) AS unify_copy FROM ({} UNION ALL {}) AS r",
            full(&self.after, true),
            full(&self.before, false)
        );
        let first = |of: &str| format!("any_value({of}) AS {of}");
        let differing = format!(
            "SELECT {names}, unify_hash, {}, {}, {} FROM ({numbered}) AS r GROUP BY {names}, unify_hash, unify_copy HAVING count(*) = 1",
            first("unify_is_new"),
            first("unify_key"),
            first("unify_object")
        );
        let placed = format!(
            "SELECT *, {has_key} OR unify_is_new AS unify_side,
                    row_number() OVER (PARTITION BY {names}, unify_is_new ORDER BY unify_hash) AS unify_place FROM ({differing}) AS r"
        );
        let paired = format!(
            "SELECT any_value(unify_key) AS unify_key, any_value(unify_object) FILTER (WHERE NOT unify_is_new) AS unify_before,
                    any_value(unify_object) FILTER (WHERE unify_is_new) AS unify_after
             FROM ({placed}) AS r GROUP BY {names}, unify_side, unify_place"
        );
        let [added, changed, removed] = [Change::Added, Change::Changed, Change::Removed].map(Change::name);
        let change =
            format!("CASE WHEN unify_before IS NULL THEN '{added}' WHEN unify_after IS NULL THEN '{removed}' ELSE '{changed}' END");
        insert_changed_sql(self.store, &format!("{change}, unify_key, unify_before, unify_after FROM ({paired}) AS r"))
    }
}

/// Returns what the columns of a key are called where rows are compared.
fn key_names(keys: &[&Column]) -> Vec<String> {
    (0..keys.len()).map(|idx| format!("unify_key_{idx}")).collect()
}

fn key_items(keys: &[&Column]) -> Vec<String> {
    keys.iter().zip(key_names(keys)).map(|(key, name)| format!("{} AS {name}", binary("r.", key))).collect()
}

/// Returns the condition that a compared row has a value in each column of its key.
fn has_key(keys: &[&Column]) -> String {
    let is_there: Vec<String> = key_names(keys).into_iter().map(|name| format!("{name} IS NOT NULL")).collect();
    format!("({})", is_there.join(" AND "))
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

/// Returns the query for the rows of the target of `within` that staged ones replace, or say are gone.
pub fn replaced_rows(within: &Merge<'_>, all: &TableSchema, schema: &TableSchema) -> String {
    let is_live = all.deleted_at().map_or(String::new(), |column| format!("t.{} IS NULL AND ", quote_ident(&column.name)));
    format!("SELECT {} FROM {} AS t WHERE {is_live}{}", names_of(schema), within.target, within.is_replaced())
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
