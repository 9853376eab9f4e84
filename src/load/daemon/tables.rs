//! The loaded tables of all attached databases, as `unify.load_state` and `unify.loading_jobs` tell of them.

use super::plan::LoadedTable;
use crate::load::known::RunningJob;
use crate::load::records::audit::ended_with_process_sql;
use crate::load::records::check_version;
use crate::load::records::discovery::{stored_discovery, Discovery};
use crate::load::services::dropped::gone_sql;
use crate::load::target::TableTarget;
use crate::session::{quote_ident, quote_literal, CatalogKind, Session, Settings, Value};
use crate::spec::{Connection, TableDef};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Finds the connection of a name; `None` when there is none that can be used. The last argument reads what a database keeps of its discovery.
pub type ConnectionOf = dyn Fn(&Settings, &str, &mut StoredOf<'_>) -> Option<Arc<Connection>> + Send + Sync;
/// Reads what a database keeps of a connection's discovery.
pub type StoredOf<'a> = dyn FnMut(&Connection) -> Option<Discovery> + 'a;

/// A loaded table, and what it takes to refresh it.
pub(super) struct Candidate {
    pub table: LoadedTable,
    pub target: TableTarget,
}

/// Returns the values that settings have for the whole database.
pub(super) fn global_settings(session: &mut dyn Session) -> Result<Settings> {
    let rows = session.query("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'unify%' OR name = 'enable_external_access'")?;
    Settings::read(|name| {
        let row = rows.iter().find(|row| row.first().and_then(Value::as_text) == Some(name))?;
        let value = row.get(1)?;
        match value.as_text() {
            Some("false") => Some(Value::Boolean(false)),
            Some("true") => Some(Value::Boolean(true)),
            _ => Some(value.clone()),
        }
    })
}

/// The complete tables of known connections in all attached databases that can be written.
pub(super) struct LoadedTables {
    pub candidates: Vec<Candidate>,
    /// Those that seem to have been dropped.
    pub gone: Vec<TableTarget>,
    /// Why the tables of a database are missing here. Those of others are kept fresh all the same.
    pub problem: Option<Error>,
}

/// Returns the loaded tables.
pub(super) fn loaded_tables(
    session: &mut dyn Session,
    connection_of: &ConnectionOf,
    settings: &Settings,
    running: &[RunningJob],
) -> Result<LoadedTables> {
    let databases = session.query(
        "SELECT DISTINCT tables.database_name FROM duckdb_tables() AS tables JOIN duckdb_databases() AS databases USING (database_name)
         WHERE tables.schema_name = 'unify' AND tables.table_name = 'load_state' AND NOT databases.readonly ORDER BY ALL",
    )?;
    let mut found = LoadedTables { candidates: Vec::new(), gone: Vec::new(), problem: None };
    for row in databases {
        let Some(catalog) = row.first().and_then(Value::as_text) else { continue };
        let rows = rows_of(session, catalog, running);
        let tables = rows.and_then(|rows| {
            let gone = session.query(&gone_sql(catalog))?;
            let mut connection_in = |name: &str| {
                // Without what is kept, tables that were discovered are not known, and are left alone.
                connection_of(settings, name, &mut |connection| stored_discovery(session, connection, catalog).ok().flatten())
            };
            let candidates = rows.iter().filter_map(|row| candidate_of(catalog, row, &mut connection_in, settings).transpose());
            let candidates = candidates.collect::<Result<Vec<_>>>()?;
            Ok((candidates, gone.iter().filter_map(|row| gone_of(catalog, row, &mut connection_in)).collect::<Vec<_>>()))
        });
        match tables {
            Ok((candidates, gone)) => {
                found.candidates.extend(candidates);
                found.gone.extend(gone);
            }
            Err(err) if err.kind() == ErrorKind::DatabaseGone => return Err(err),
            Err(err) => found.problem = Some(err.within(format!("database '{catalog}'"))),
        }
    }
    Ok(found)
}

/// Returns a row for each complete table of a database.
fn rows_of(session: &mut dyn Session, catalog: &str, running: &[RunningJob]) -> Result<Vec<Vec<Value>>> {
    let kind = CatalogKind::of(session, catalog)?;
    if let Some(sql) = kind.fresh_look_sql() {
        // DuckDB's extension for PostgreSQL does not survive that one session forgets what another is reading.
        if running.iter().any(|job| job.catalog.eq_ignore_ascii_case(catalog)) {
            return Err(Error::config("its tables are looked at again when no load of this process works in it"));
        }
        session.execute(sql)?;
    }
    check_version(session, catalog, kind)?;
    session.query(&tables_sql(catalog))
}

/// Returns the query for the complete tables of a database: names, when the load began, failures since and the last of them.
fn tables_sql(catalog: &str) -> String {
    let unify = format!("{}.unify", quote_ident(catalog));
    // The table is not to blame for a process that ended: its load goes on at once.
    let ended_with_process = ended_with_process_sql();
    format!(
        "WITH ended AS (SELECT lower(table_schema) AS connection, lower(table_name) AS name, \"timestamp\" AS moment, status, error_message
                        FROM {unify}.loading_jobs WHERE action IN ('load_end', 'refresh_end')),
              succeeded AS (SELECT connection, name, max(moment) AS last FROM ended WHERE status = 'success' GROUP BY ALL),
              failed AS (SELECT connection, name, count(*) AS n_failures, max(moment) AS failed_at
                         FROM ended LEFT JOIN succeeded USING (connection, name)
                         WHERE status = 'error' AND (last IS NULL OR moment > last) AND NOT {ended_with_process} GROUP BY ALL)
         SELECT state.table_schema, state.table_name, coalesce(state.started, state.updated), coalesce(n_failures, 0), failed_at
         FROM {unify}.load_state AS state
         JOIN duckdb_tables() AS tables ON tables.database_name = {catalog} AND lower(tables.schema_name) = lower(state.table_schema)
              AND lower(tables.table_name) = lower(state.table_name)
         LEFT JOIN failed ON failed.connection = lower(state.table_schema) AND failed.name = lower(state.table_name)
         WHERE state.status = 'complete' AND coalesce(state.parameter_set, '') = '' AND state.table_name <> ''
         ORDER BY state.table_schema, state.table_name",
        catalog = quote_literal(catalog),
    )
}

/// Returns the table of a row of [`gone_sql`], unless its connection is gone, too.
fn gone_of(catalog: &str, row: &[Value], connection_in: &mut dyn FnMut(&str) -> Option<Arc<Connection>>) -> Option<TableTarget> {
    let [Value::Text(schema), Value::Text(table)] = row else { return None };
    let connection = connection_in(schema)?;
    Some(TableTarget { connection, table: table.clone(), catalog: catalog.to_string() })
}

/// Returns the table a row is about, unless its connection or its definition is gone.
fn candidate_of(
    catalog: &str,
    row: &[Value],
    connection_in: &mut dyn FnMut(&str) -> Option<Arc<Connection>>,
    settings: &Settings,
) -> Result<Option<Candidate>> {
    let [Value::Text(schema), Value::Text(table), Value::Timestamp(loaded_at), n_failures, failed_at] = row else {
        return Err(Error::internal("load_state has a row of another shape than expected"));
    };
    let Some(connection) = connection_in(schema) else { return Ok(None) };
    // A child is refreshed with its parent.
    let is_candidate = |table_def: &&TableDef| table_def.child.is_none() && !connection.adapter.is_undiscovered(table_def);
    let Some(table_def) = connection.adapter.table(table).filter(is_candidate) else { return Ok(None) };
    let table = LoadedTable {
        catalog: catalog.to_string(),
        connection: connection.name.clone(),
        table: table_def.name.clone(),
        loaded_at: *loaded_at,
        max_staleness: table_def.max_staleness.unwrap_or(settings.max_staleness),
        n_failures: n_failures.as_integer().and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
        failed_at: failed_at.as_timestamp(),
    };
    let target = TableTarget { table: table_def.name.clone(), catalog: catalog.to_string(), connection };
    Ok(Some(Candidate { table, target }))
}
