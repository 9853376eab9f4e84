//! What the last publication of each table changed: counts in `unify.table_changes`, and rows in `unify.changed_rows` where they are kept.

use super::exists::exists;
use super::store::Store;
use super::tables::{RecordTable, CHANGED_ROWS, TABLE_CHANGES};
use crate::load::clock::now_micros;
use crate::session::{lowered, quote_literal, Session, TableName, Value};
use crate::Result;

const COUNT_COLUMNS: &[&str] = &["table_schema", "table_name", "loading_job_id", "published", "added", "changed", "removed", "keeps_rows"];
const ROW_COLUMNS: &[&str] = &["table_schema", "table_name", "change", "key", "before", "after"];

/// How a row changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Added,
    Changed,
    Removed,
}

impl Change {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Removed => "removed",
        }
    }
}

/// How many rows a publication added, changed and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

/// What is stored of the last publication of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredChanges {
    pub changes: Changes,
    pub job_id: i64,
    /// When it was published, in microseconds since 1970.
    pub published: i64,
    /// Whether the rows are kept, too.
    pub keeps_rows: bool,
}

/// A row that changed: its key and its values as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRow {
    pub change: String,
    pub key: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Makes the tables where an older release made the others, and forgets the rows of the publication before, in the session's transaction.
pub fn begin_changes(store: &Store, session: &mut dyn Session) -> Result<()> {
    for table in [&TABLE_CHANGES, &CHANGED_ROWS] {
        if !is_there(store, session, table)? {
            session.execute(&format!("CREATE TABLE IF NOT EXISTS {} ({})", table.sql_name(&store.unify_schema), table.columns_sql()))?;
        }
    }
    session.execute(&format!("DELETE FROM {} WHERE {}", CHANGED_ROWS.sql_name(&store.unify_schema), is_about(store)))
}

/// Returns the statements that note how many rows changed, for the transaction that publishes them.
pub fn changes_sql(store: &Store, changes: Changes, keeps_rows: bool, job_id: i64) -> String {
    let Changes { added, changed, removed } = changes;
    let values = format!(
        "VALUES ({}, {}, {job_id}, make_timestamp({}), {added}, {changed}, {removed}, {keeps_rows})",
        quote_literal(&store.target.schema),
        quote_literal(&store.target.table),
        now_micros(),
    );
    let table = TABLE_CHANGES.sql_name(&store.unify_schema);
    format!("DELETE FROM {table} WHERE {}; {}", is_about(store), TABLE_CHANGES.insert_sql(&store.unify_schema, COUNT_COLUMNS, &values))
}

/// Returns the statement that keeps rows: `rows` selects how they changed, their key, and what they were before and after.
pub fn insert_changed_sql(store: &Store, rows: &str) -> String {
    let (schema, table) = (quote_literal(&store.target.schema), quote_literal(&store.target.table));
    CHANGED_ROWS.insert_sql(&store.unify_schema, ROW_COLUMNS, &format!("SELECT {schema}, {table}, {rows}"))
}

/// Returns what is stored of the last publication of the store's table.
pub fn stored_changes(store: &Store, session: &mut dyn Session) -> Result<Option<StoredChanges>> {
    if !is_there(store, session, &TABLE_CHANGES)? {
        return Ok(None);
    }
    let rows = session.query(&format!(
        "SELECT loading_job_id, published, added, changed, removed, keeps_rows FROM {} WHERE {}",
        TABLE_CHANGES.sql_name(&store.unify_schema),
        is_about(store)
    ))?;
    let Some([job_id, Value::Timestamp(published), added, changed, removed, keeps_rows]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let count = |value: &Value| value.as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    Ok(Some(StoredChanges {
        changes: Changes { added: count(added), changed: count(changed), removed: count(removed) },
        job_id: job_id.as_integer().and_then(|id| i64::try_from(id).ok()).unwrap_or(0),
        published: *published,
        keeps_rows: *keeps_rows == Value::Boolean(true),
    }))
}

/// Returns the rows that are kept of the last publication of the store's table.
pub fn stored_rows(store: &Store, session: &mut dyn Session) -> Result<Vec<ChangedRow>> {
    let rows = session.query(&format!(
        "SELECT change, key, before, after FROM {} WHERE {} ORDER BY change, key",
        CHANGED_ROWS.sql_name(&store.unify_schema),
        is_about(store)
    ))?;
    let text = |value: Option<&Value>| value.and_then(Value::as_text).map(str::to_string);
    let row = |row: &Vec<Value>| ChangedRow {
        change: text(row.first()).unwrap_or_default(),
        key: text(row.get(1)),
        before: text(row.get(2)),
        after: text(row.get(3)),
    };
    Ok(rows.iter().map(row).collect())
}

/// Forgets, in the session's transaction, what is stored of the tables of the store's connection.
pub fn forget_changes(store: &Store, session: &mut dyn Session) -> Result<()> {
    for table in [&TABLE_CHANGES, &CHANGED_ROWS] {
        if is_there(store, session, table)? {
            let schema = quote_literal(&store.target.schema);
            session.execute(&format!("DELETE FROM {} WHERE lower(table_schema) = lower({schema})", table.sql_name(&store.unify_schema)))?;
        }
    }
    Ok(())
}

fn is_there(store: &Store, session: &mut dyn Session, table: &RecordTable) -> Result<bool> {
    let name = TableName { catalog: store.target.catalog.clone(), schema: "unify".to_string(), table: table.name.to_string() };
    exists(session, store.kind, &name)
}

fn is_about(store: &Store) -> String {
    let (schema, table) = (lowered(&store.target.schema), lowered(&store.target.table));
    format!("lower(table_schema) = {schema} AND lower(table_name) = {table}")
}
