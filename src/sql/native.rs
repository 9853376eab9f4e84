//! What is in the database already: tables, views, their columns, and when each was loaded last.

use crate::session::{quote_literal, CatalogKind, Found, Session, TableName, Value};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Schema and name in lower case.
type Key = (String, String);

fn key(schema: &str, name: &str) -> Key {
    (schema.to_lowercase(), name.to_lowercase())
}

/// The tables and views of one attached database, with their numbers of columns.
pub(super) struct NativeRelations {
    columns: HashMap<Key, i128>,
}

impl NativeRelations {
    /// Reads them with one query.
    pub(super) fn read(session: &mut dyn Session, catalog: &str) -> Result<NativeRelations> {
        let catalog = quote_literal(catalog);
        let sql = format!(
            "SELECT schema_name, table_name, column_count FROM duckdb_tables() WHERE database_name = {catalog} AND NOT internal \
             UNION ALL SELECT schema_name, view_name, column_count FROM duckdb_views() WHERE database_name = {catalog} AND NOT internal"
        );
        let mut columns = HashMap::new();
        for row in session.query(&sql)? {
            if let [Value::Text(schema), Value::Text(name), n_columns] = row.as_slice() {
                columns.insert(key(schema, name), n_columns.as_integer().unwrap_or(0));
            }
        }
        Ok(NativeRelations { columns })
    }

    /// Returns the number of columns of a table or view that exists.
    pub(super) fn columns_of(&self, schema: &str, name: &str) -> Option<i128> {
        self.columns.get(&key(schema, name)).copied()
    }
}

/// When each table's last successful load ended, in microseconds since 1970.
pub(super) struct LastLoads {
    ends: HashMap<Key, i64>,
}

impl LastLoads {
    /// Reads them from the audit table, if there is one.
    pub(super) fn read(session: &mut dyn Session, catalog: &str, natives: &NativeRelations) -> Result<LastLoads> {
        let mut ends = HashMap::new();
        if natives.columns_of("unify", "loading_jobs").is_none() {
            return Ok(LastLoads { ends });
        }
        let jobs = TableName { catalog: Some(catalog.to_string()), schema: "unify".to_string(), table: "loading_jobs".to_string() };
        let sql = format!(
            "SELECT table_schema, table_name, max(\"timestamp\") FROM {jobs} \
             WHERE action IN ('load_end', 'refresh_end') AND status = 'success' GROUP BY table_schema, table_name"
        );
        for row in session.query(&sql)? {
            if let [Value::Text(schema), Value::Text(table), Value::Timestamp(end)] = row.as_slice() {
                ends.insert(key(schema, table), *end);
            }
        }
        Ok(LastLoads { ends })
    }

    /// Returns when a table's last successful load ended.
    pub(super) fn of(&self, schema: &str, table: &str) -> Option<i64> {
        self.ends.get(&key(schema, table)).copied()
    }
}

/// A column of a table or view that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NativeColumn {
    pub name: String,
    pub data_type: String,
    pub nullable: bool,
    pub comment: Option<String>,
    /// Whether it belongs to the primary key.
    pub key: bool,
}

/// Returns the columns of a table or view that every session sees, in order; `None` when it does not exist.
///
/// One table is asked for its columns, never DuckDB's list of all columns: that binds every view there is, each under a lock of its own, and
/// a statement that binds such a view may hold that lock while it waits for this very call, or for a load.
pub(super) fn columns(session: &mut dyn Session, name: &TableName) -> Result<Option<Vec<NativeColumn>>> {
    let kind = CatalogKind::of(session, name.catalog.as_deref().unwrap_or("")).ok();
    let is_table = match found(session, kind, name)? {
        Found::Nothing => return Ok(None),
        found => found == Found::Table,
    };
    let described = session.query(&format!("SELECT column_name, column_type, \"null\" = 'YES', key FROM (DESCRIBE {name})"));
    let rows = described.map_err(|err| match err.kind() {
        ErrorKind::Database if !is_table => Error::database(format!(
            "view {name} cannot be listed, since something that it reads is not there, such as a table that is not loaded; \
             DESCRIBE {name} loads that or says what is missing"
        )),
        _ => err,
    })?;
    let has_comments = is_table && kind.is_some_and(CatalogKind::has_comments);
    let comments = if has_comments { comments(session, name)? } else { Vec::new() };
    let mut columns = Vec::new();
    for row in rows {
        if let [Value::Text(name), Value::Text(data_type), nullable, key] = row.as_slice() {
            columns.push(NativeColumn {
                name: name.clone(),
                data_type: data_type.clone(),
                nullable: *nullable == Value::Boolean(true),
                comment: comments.iter().find(|(column, _)| column == name).map(|(_, comment)| comment.clone()),
                key: key.as_text() == Some("PRI"),
            });
        }
    }
    Ok(Some(columns))
}

/// Returns what has that name in a database of that kind.
fn found(session: &mut dyn Session, kind: Option<CatalogKind>, name: &TableName) -> Result<Found> {
    let own = kind.filter(|kind| !kind.is_shared()).and_then(|_| session.find(name));
    if let Some(found) = own {
        return Ok(found);
    }
    let catalog = quote_literal(name.catalog.as_deref().unwrap_or(""));
    let is_there = format!("lower(database_name) = lower({catalog}) AND lower(schema_name) = lower({})", quote_literal(&name.schema));
    let table = quote_literal(&name.table);
    let sql = format!(
        "SELECT true FROM duckdb_tables() WHERE {is_there} AND lower(table_name) = lower({table}) \
         UNION ALL SELECT false FROM duckdb_views() WHERE {is_there} AND lower(view_name) = lower({table})"
    );
    Ok(match session.query(&sql)?.into_iter().flatten().next() {
        None => Found::Nothing,
        Some(Value::Boolean(true)) => Found::Table,
        Some(_) => Found::View,
    })
}

/// Returns the comments of a table's columns, each with the column's name.
fn comments(session: &mut dyn Session, name: &TableName) -> Result<Vec<(String, String)>> {
    session.execute("BEGIN TRANSACTION")?;
    let comments = session.column_comments(name);
    session.execute("ROLLBACK")?;
    comments
}

/// Returns the number of rows of a table.
pub(super) fn count_rows(session: &mut dyn Session, name: &TableName) -> Result<Value> {
    let rows = session.query(&format!("SELECT count(*) FROM {name}"))?;
    Ok(rows.into_iter().flatten().next().unwrap_or(Value::Null))
}

/// Returns the time now in microseconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
