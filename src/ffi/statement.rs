//! Prepared statements, run a task at a time: who waits for DuckDB's threads sleeps meanwhile.

use super::connection::Connection;
use super::result::QueryResult;
use super::text::{c_string, text_of};
use super::types::OwnedType;
use super::value::OwnedText;
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::*;
use std::time::Duration;

/// How long one that waits for other threads sleeps before it looks again whether there is something to do: at first ...
const FIRST_WAIT: Duration = Duration::from_micros(50);
/// ... and at most. Each wait is twice the one before.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

/// How the rows of a result come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// A chunk at a time, as they are asked for.
    Streamed,
    /// All of them, before the first is asked for.
    AtOnce,
}

/// A prepared statement; it is freed when this is dropped, which is before its connection is closed.
pub struct Statement(duckdb_prepared_statement);

impl Statement {
    /// Prepares a statement, which is Unify's own where the caller says so.
    pub fn prepare(connection: &Connection, sql: &str) -> Result<Statement> {
        let sql = c_string(sql)?;
        let mut raw: duckdb_prepared_statement = std::ptr::null_mut();
        // SAFETY: connection and text are valid; the statement is written.
        let state = unsafe { duckdb_prepare(connection.as_raw(), sql.as_ptr(), &mut raw) };
        let statement = Statement(raw);
        if state == DuckDBSuccess {
            return Ok(statement);
        }
        // SAFETY: a failed statement holds its message.
        let message = unsafe { duckdb_prepare_error(statement.0) };
        // SAFETY: as above.
        let message = unsafe { text_of(message) };
        Err(Error::database(message.unwrap_or_else(|| "DuckDB could not prepare a statement".to_string())))
    }

    /// Returns the names and types of the result's columns.
    pub fn columns(&self) -> Vec<(OwnedText, OwnedType)> {
        // SAFETY: the statement is prepared.
        let n_columns = unsafe { duckdb_prepared_statement_column_count(self.0) };
        let column = |idx| {
            // SAFETY: the column exists.
            let name = unsafe { duckdb_prepared_statement_column_name(self.0, idx) };
            // SAFETY: what the call gave is ours.
            let name = unsafe { OwnedText::take(name.cast_mut()) };
            // SAFETY: the column exists.
            let raw = unsafe { duckdb_prepared_statement_column_logical_type(self.0, idx) };
            // SAFETY: what the call gave is ours.
            (name, unsafe { OwnedType::take(raw) })
        };
        (0..n_columns).map(column).collect()
    }

    /// Runs the statement until its first rows are there, or all of them, and asks `interrupted` all the while.
    pub fn run(&self, rows: Rows, interrupted: &dyn Fn() -> bool) -> Result<QueryResult> {
        Pending::of(self, rows).result(interrupted)
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: made by `duckdb_prepare`, freed once.
        unsafe { duckdb_destroy_prepare(&mut self.0) };
    }
}

/// A statement on its way to its first rows; it is freed when this is dropped.
struct Pending<'a> {
    pending: duckdb_pending_result,
    _statement: &'a Statement,
}

impl<'a> Pending<'a> {
    fn of(statement: &'a Statement, rows: Rows) -> Pending<'a> {
        let mut pending = Pending { pending: std::ptr::null_mut(), _statement: statement };
        let begin = match rows {
            Rows::Streamed => duckdb_pending_prepared_streaming,
            Rows::AtOnce => duckdb_pending_prepared,
        };
        // SAFETY: the statement is prepared; the pending result is written. One that failed answers with an error.
        unsafe { begin(statement.0, &mut pending.pending) };
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
            // The result of one that failed has its error, with its type.
            if state == duckdb_pending_state_DUCKDB_PENDING_RESULT_READY || state == duckdb_pending_state_DUCKDB_PENDING_ERROR {
                break;
            }
            if state == duckdb_pending_state_DUCKDB_PENDING_NO_TASKS_AVAILABLE {
                // Another thread has the task, and nobody tells when it is done.
                std::thread::park_timeout(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            } else {
                wait = FIRST_WAIT;
            }
        }
        // SAFETY: the pending result is ready or failed.
        let fill = |result| unsafe { duckdb_execute_pending(self.pending, result) };
        // SAFETY: the call fills the result either way.
        unsafe { QueryResult::of(fill) }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `of`, freed once.
        unsafe { duckdb_destroy_pending(&mut self.pending) };
    }
}
