//! Reads a table on a session of its own: the rows a load committed are not visible to the statement that waited for it.

use super::chunk::LentChunk;
use super::database::{HostDatabase, HostSession};
use super::lent::Lent;
use super::own::OwnStatement;
use super::result::QueryResult;
use super::text::{c_string, text_of};
use super::types::OwnedType;
use super::value::OwnedText;
use crate::session::{quote_ident, Session};
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::*;
use std::time::Duration;

/// How long a scan waits before it looks again whether there is something to do: at first ...
const FIRST_WAIT: Duration = Duration::from_micros(50);
/// ... and at most. Each wait is twice the one before.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

/// A table or query to scan, its columns known.
pub struct ScanPlan {
    /// What stands behind FROM.
    from: String,
    columns: Vec<ScanColumn>,
}

/// A column as the statement was bound with it.
struct ScanColumn {
    name: String,
    /// The type as DuckDB writes it.
    sql_type: String,
}

impl ScanPlan {
    /// Looks the columns up of what `from`, behind FROM, is, and declares them as the function's result.
    pub fn bind(info: Lent<'_, duckdb_bind_info>, database: &HostDatabase, from: String) -> Result<ScanPlan> {
        let described = database.session()?.query(&format!("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {from})"))?;
        let mut columns: Vec<ScanColumn> = Vec::new();
        for row in described {
            let mut texts = row.into_iter().map(|value| value.as_text().unwrap_or_default().to_string());
            columns.push(ScanColumn { name: texts.next().unwrap_or_default(), sql_type: texts.next().unwrap_or_default() });
        }
        let plan = ScanPlan { from, columns };
        for (name, logical_type) in Prepared::new(database, &plan.sql(0..plan.columns.len()))?.columns() {
            // SAFETY: name and type are valid and copied.
            unsafe { duckdb_bind_add_result_column(info.raw(), name.as_raw(), logical_type.as_raw()) };
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
        format!("SELECT {columns} FROM {}", self.from)
    }

    /// Starts reading the columns at the positions in `projection`. Fails when the table changed so that they cannot be had, and
    /// when the user interrupts.
    pub fn start(&self, projection: &[usize], database: &HostDatabase, interrupted: &dyn Fn() -> bool) -> Result<ScanRun> {
        let changed = |words: &str| format!("{words}; the table changed since the statement was bound, run it again");
        let prepared = Prepared::new(database, &self.sql(projection.iter().copied())).map_err(|err| err.in_words(changed))?;
        let result = prepared.stream(interrupted)?;
        Ok(ScanRun { result, _prepared: prepared, n_columns: projection.len() })
    }
}

/// A scan under way.
pub struct ScanRun {
    result: QueryResult,
    /// Keeps statement and session alive as long as the result streams.
    _prepared: Prepared,
    n_columns: usize,
}

impl ScanRun {
    /// Puts the next rows into `output`; none at the end.
    pub fn next(&mut self, output: LentChunk<'_>) -> Result<()> {
        match self.result.next_chunk() {
            Some(chunk) => output.share(chunk.lent(), self.n_columns),
            None => {
                output.set_rows(0);
                self.result.error().map_or(Ok(()), Err)
            }
        }
    }
}

/// A prepared statement, freed when this is dropped, and the session it belongs to.
struct Prepared {
    statement: duckdb_prepared_statement,
    _session: HostSession,
}

impl Prepared {
    fn new(database: &HostDatabase, sql: &str) -> Result<Prepared> {
        let _own = OwnStatement::begin();
        let session = database.session()?;
        let sql = c_string(sql)?;
        let mut statement: duckdb_prepared_statement = std::ptr::null_mut();
        // SAFETY: connection and text are valid; the statement is written.
        let state = unsafe { duckdb_prepare(session.connection().as_raw(), sql.as_ptr(), &mut statement) };
        let prepared = Prepared { statement, _session: session };
        if state != DuckDBSuccess {
            // SAFETY: a failed statement holds its message.
            let message = unsafe { duckdb_prepare_error(prepared.statement) };
            // SAFETY: as above.
            let message = unsafe { text_of(message) };
            return Err(Error::database(message.unwrap_or_else(|| "DuckDB could not prepare a scan".to_string())));
        }
        Ok(prepared)
    }

    /// Returns the names and types of the result's columns.
    fn columns(&self) -> Vec<(OwnedText, OwnedType)> {
        // SAFETY: the statement is prepared.
        let n_columns = unsafe { duckdb_prepared_statement_column_count(self.statement) };
        let column = |idx| {
            // SAFETY: the column exists.
            let name = unsafe { duckdb_prepared_statement_column_name(self.statement, idx) };
            // SAFETY: what the call gave is ours.
            let name = unsafe { OwnedText::take(name.cast_mut()) };
            // SAFETY: the column exists.
            let raw = unsafe { duckdb_prepared_statement_column_logical_type(self.statement, idx) };
            // SAFETY: what the call gave is ours.
            (name, unsafe { OwnedType::take(raw) })
        };
        (0..n_columns).map(column).collect()
    }

    /// Runs the statement until its first rows are there, and asks `interrupted` all the while.
    fn stream(&self, interrupted: &dyn Fn() -> bool) -> Result<QueryResult> {
        let _own = OwnStatement::begin();
        Pending::of(self).result(interrupted)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: made by `duckdb_prepare`, freed once, before the session.
        unsafe { duckdb_destroy_prepare(&mut self.statement) };
    }
}

/// A statement on its way to its first rows; it is freed when this is dropped.
struct Pending<'a> {
    pending: duckdb_pending_result,
    _prepared: &'a Prepared,
}

impl<'a> Pending<'a> {
    fn of(prepared: &'a Prepared) -> Pending<'a> {
        let mut pending = Pending { pending: std::ptr::null_mut(), _prepared: prepared };
        // SAFETY: the statement is prepared; the pending result is written. One that failed answers with an error.
        unsafe { duckdb_pending_prepared_streaming(prepared.statement, &mut pending.pending) };
        pending
    }

    fn result(&self, interrupted: &dyn Fn() -> bool) -> Result<QueryResult> {
        let mut wait = FIRST_WAIT;
        loop {
            // SAFETY: the pending result is valid; one that failed answers with an error.
            let state = unsafe { duckdb_pending_execute_task(self.pending) };
            if interrupted() {
                return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_RESULT_READY {
                break;
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_ERROR {
                return Err(self.error());
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_NO_TASKS_AVAILABLE {
                // Another thread has the task, and nobody tells when it is done.
                std::thread::park_timeout(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            } else {
                wait = FIRST_WAIT;
            }
        }
        // SAFETY: the pending result is ready.
        let fill = |result| unsafe { duckdb_execute_pending(self.pending, result) };
        // SAFETY: the call fills the result either way.
        unsafe { QueryResult::of(fill) }
    }

    fn error(&self) -> Error {
        // SAFETY: the pending result is valid and holds its message.
        let message = unsafe { duckdb_pending_error(self.pending) };
        // SAFETY: as above.
        let message = unsafe { text_of(message) };
        Error::database(message.unwrap_or_else(|| "DuckDB could not run a scan".to_string()))
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `of`, freed once.
        unsafe { duckdb_destroy_pending(&mut self.pending) };
    }
}
