//! Reads a table on a session of its own: the rows a load committed are not visible to the statement that waited for it.

use super::database::{c_string, HostSession};
use super::own::OwnStatement;
use super::result::{take_error, text_of};
use crate::session::{quote_ident, Database, TableName};
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::*;

/// A table to scan, its columns known.
pub struct ScanPlan {
    table: TableName,
    columns: Vec<ScanColumn>,
}

/// A column as the statement was bound with it.
struct ScanColumn {
    name: String,
    /// The type as DuckDB writes it.
    sql_type: String,
}

impl ScanPlan {
    /// Looks the table's columns up and declares them as the function's result.
    pub fn bind(info: duckdb_bind_info, database: &dyn Database, table: &TableName) -> Result<ScanPlan> {
        let described = database.connect()?.query(&format!("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {table})"))?;
        let mut columns: Vec<ScanColumn> = Vec::new();
        for row in described {
            let mut texts = row.into_iter().map(|value| value.as_text().unwrap_or_default().to_string());
            columns.push(ScanColumn { name: texts.next().unwrap_or_default(), sql_type: texts.next().unwrap_or_default() });
        }
        let plan = ScanPlan { table: table.clone(), columns };
        let prepared = Prepared::new(database, &plan.sql(0..plan.columns.len()))?;
        // SAFETY: the statement is prepared.
        for idx in 0..unsafe { duckdb_prepared_statement_column_count(prepared.statement) } {
            // SAFETY: the column exists; the name is freed below.
            let name = unsafe { duckdb_prepared_statement_column_name(prepared.statement, idx) };
            // SAFETY: the column exists; the type is freed below.
            let mut logical_type = unsafe { duckdb_prepared_statement_column_logical_type(prepared.statement, idx) };
            // SAFETY: name and type are valid and copied.
            unsafe { duckdb_bind_add_result_column(info, name, logical_type) };
            // SAFETY: the type is ours, freed once.
            unsafe { duckdb_destroy_logical_type(&mut logical_type) };
            // SAFETY: the name is ours, freed once.
            unsafe { duckdb_free(name.cast_mut().cast()) };
        }
        Ok(plan)
    }

    /// Returns the SELECT of the columns at these positions, each with the type the statement was bound with: the table may have
    /// been loaded anew since, with others.
    fn sql(&self, positions: impl Iterator<Item = usize>) -> String {
        let column = |idx: usize| {
            self.columns.get(idx).map_or("NULL".to_string(), |column| {
                let name = quote_ident(&column.name);
                format!("CAST({name} AS {}) AS {name}", column.sql_type)
            })
        };
        let columns: Vec<String> = positions.map(column).collect();
        let columns = if columns.is_empty() { "NULL".to_string() } else { columns.join(", ") };
        format!("SELECT {columns} FROM {}", self.table)
    }

    /// Starts reading the columns at the positions in `projection`. Fails when the table changed so that they cannot be had, and
    /// when the user interrupts.
    pub fn start(&self, projection: &[usize], database: &dyn Database, interrupted: &dyn Fn() -> bool) -> Result<ScanRun> {
        let changed = |err: Error| Error::new(err.kind(), format!("{err}; the table changed since the statement was bound, run it again"));
        let prepared = Prepared::new(database, &self.sql(projection.iter().copied())).map_err(changed)?;
        let result = prepared.stream(interrupted)?;
        Ok(ScanRun { result, _prepared: prepared, n_columns: projection.len() })
    }
}

/// A scan under way.
pub struct ScanRun {
    result: duckdb_result,
    /// Keeps statement and session alive as long as the result streams.
    _prepared: Prepared,
    n_columns: usize,
}

impl ScanRun {
    /// Puts the next rows into `output`; none at the end.
    pub fn next(&mut self, output: duckdb_data_chunk) -> Result<()> {
        // SAFETY: a result is plain data; the call takes a copy and reads through it.
        let lent = unsafe { std::ptr::read(&self.result) };
        // SAFETY: the result streams.
        let mut chunk = unsafe { duckdb_fetch_chunk(lent) };
        if chunk.is_null() {
            // SAFETY: the result is valid.
            let message = text_of(unsafe { duckdb_result_error(&mut self.result) });
            // SAFETY: the chunk is valid; no rows ends the scan.
            unsafe { duckdb_data_chunk_set_size(output, 0) };
            return message.filter(|message| !message.is_empty()).map_or(Ok(()), |message| Err(Error::database(message)));
        }
        for idx in 0..self.n_columns {
            // SAFETY: the chunk has the projected columns.
            let to = unsafe { duckdb_data_chunk_get_vector(output, idx as idx_t) };
            // SAFETY: as above.
            let from = unsafe { duckdb_data_chunk_get_vector(chunk, idx as idx_t) };
            // SAFETY: the columns are of the same type; from here on both vectors own what they point to.
            unsafe { duckdb_vector_reference_vector(to, from) };
        }
        // SAFETY: the chunk is valid.
        let n_rows = unsafe { duckdb_data_chunk_get_size(chunk) };
        // SAFETY: as above.
        unsafe { duckdb_data_chunk_set_size(output, n_rows) };
        // SAFETY: fetched above, destroyed once.
        unsafe { duckdb_destroy_data_chunk(&mut chunk) };
        Ok(())
    }
}

impl Drop for ScanRun {
    fn drop(&mut self) {
        // SAFETY: filled by the execution, freed once, before the statement and its session.
        unsafe { duckdb_destroy_result(&mut self.result) };
    }
}

/// A prepared statement and the session it belongs to.
struct Prepared {
    statement: duckdb_prepared_statement,
    _session: Box<dyn crate::session::Session>,
}

impl Prepared {
    fn new(database: &dyn Database, sql: &str) -> Result<Prepared> {
        let _own = OwnStatement::begin();
        let mut session = database.connect()?;
        let host = session.as_any().downcast_ref::<HostSession>().ok_or_else(|| Error::internal("the session is not the host's"))?;
        let sql = c_string(sql)?;
        let mut statement: duckdb_prepared_statement = std::ptr::null_mut();
        // SAFETY: connection and text are valid; the statement is written.
        let state = unsafe { duckdb_prepare(host.connection(), sql.as_ptr(), &mut statement) };
        let prepared = Prepared { statement, _session: session };
        if state != DuckDBSuccess {
            // SAFETY: a failed statement holds its message.
            let message = text_of(unsafe { duckdb_prepare_error(prepared.statement) });
            return Err(Error::database(message.unwrap_or_else(|| "DuckDB could not prepare a scan".to_string())));
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Runs the statement until its first rows are there, and asks `interrupted` all the while.
    fn stream(&self, interrupted: &dyn Fn() -> bool) -> Result<duckdb_result> {
        let _own = OwnStatement::begin();
        let mut pending: duckdb_pending_result = std::ptr::null_mut();
        // SAFETY: the statement is prepared; the pending result is written and freed below.
        unsafe { duckdb_pending_prepared_streaming(self.statement, &mut pending) };
        let outcome = loop {
            // SAFETY: the pending result is valid; one that failed answers with an error.
            let state = unsafe { duckdb_pending_execute_task(pending) };
            if interrupted() {
                break Err(Error::new(ErrorKind::Interrupted, "interrupted"));
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_RESULT_READY {
                break Ok(());
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_ERROR {
                // SAFETY: the pending result is valid and holds its message.
                let message = text_of(unsafe { duckdb_pending_error(pending) });
                break Err(Error::database(message.unwrap_or_else(|| "DuckDB could not run a scan".to_string())));
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_NO_TASKS_AVAILABLE {
                std::thread::yield_now();
            }
        };
        // SAFETY: a result is plain data; the call below fills it.
        let mut result: duckdb_result = unsafe { std::mem::zeroed() };
        let outcome = outcome.and_then(|()| {
            // SAFETY: the pending result is ready.
            let state = unsafe { duckdb_execute_pending(pending, &mut result) };
            if state == DuckDBSuccess {
                return Ok(());
            }
            let err = take_error(&mut result);
            // SAFETY: filled by the failed call, freed once.
            unsafe { duckdb_destroy_result(&mut result) };
            Err(err)
        });
        // SAFETY: made above, freed once.
        unsafe { duckdb_destroy_pending(&mut pending) };
        outcome.map(|()| result)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: made by `duckdb_prepare`, freed once, before the session.
        unsafe { duckdb_destroy_prepare(&mut self.statement) };
    }
}
