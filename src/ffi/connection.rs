//! A connection to DuckDB: what is asked of the C API through it.

use super::context::RunningContext;
use super::exit::session_ended;
use super::own::OwnStatement;
use super::result::QueryResult;
use super::text::{c_string, text_of};
use super::value::OwnedValue;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::CStr;

/// A duckdb_connection of ours; it is closed when this is dropped.
pub struct Connection(duckdb_connection);

/// A statement of DuckDB's, parsed into the host's own objects; it is freed when this is dropped.
pub struct Extracted(duckdb_extracted_statements);

impl Connection {
    /// Opens a connection.
    ///
    /// # Safety
    /// The database is open for the length of the call.
    pub unsafe fn open(database: duckdb_database) -> Result<Connection> {
        let mut connection: duckdb_connection = std::ptr::null_mut();
        // SAFETY: the caller vouches for the database; the connection is written before it is read.
        let state = unsafe { duckdb_connect(database, &mut connection) };
        match state == DuckDBSuccess {
            true => Ok(Connection(connection)),
            false => Err(Error::database("could not open a session on the database")),
        }
    }

    /// Returns the handle, valid while `self` is.
    pub fn as_raw(&self) -> duckdb_connection {
        self.0
    }

    /// Runs one or more statements, which are Unify's own, and returns the result of the last one.
    pub fn query(&self, sql: &str) -> Result<QueryResult> {
        let _own = OwnStatement::begin();
        let sql = c_string(sql)?;
        // SAFETY: connection and text are valid.
        let fill = |result| unsafe { duckdb_query(self.0, sql.as_ptr(), result) };
        // SAFETY: the call fills the result either way.
        unsafe { QueryResult::of(fill) }
    }

    /// Returns the context of the connection, to be used while a statement of Unify's runs in it, or a transaction of its is open.
    pub fn context(&self) -> Result<RunningContext> {
        let mut handle: duckdb_client_context = std::ptr::null_mut();
        // SAFETY: the connection is open; the context's handle is written.
        unsafe { duckdb_connection_get_client_context(self.0, &mut handle) };
        // SAFETY: the handle is ours; the context lives as long as the connection, which one thread at a time uses.
        unsafe { RunningContext::take(handle) }
    }

    /// Returns the text of a setting of DuckDB's. Runs no statement.
    pub fn option(&self, name: &CStr) -> Option<String> {
        let context = self.context().ok()?;
        let mut lent = context.lend();
        // SAFETY: context and name are valid; the scope is not asked for; the value is ours.
        let raw = unsafe { duckdb_client_context_get_config_option(lent.as_raw(), name.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: what the call gave is ours.
        let value = unsafe { OwnedValue::take(raw) };
        value.lent().text().ok()?.as_text().map(str::to_string)
    }

    /// Returns the names of the tables and views that a query reads, without their schemas, as DuckDB itself finds them; `None` when the
    /// query cannot be bound.
    pub fn table_names(&self, sql: &str) -> Result<Option<Vec<String>>> {
        let _own = OwnStatement::begin();
        let sql = c_string(sql)?;
        // SAFETY: connection and text are valid; the value is ours.
        let raw = unsafe { duckdb_get_table_names(self.0, sql.as_ptr(), false) };
        // SAFETY: what the call gave is ours.
        let list = unsafe { OwnedValue::take(raw) };
        if !list.is_there() {
            return Ok(None);
        }
        let names = list.lent().list_texts()?;
        Ok(Some(names.iter().filter_map(|name| name.as_text().map(str::to_string)).collect()))
    }

    /// Parses `sql`, which holds one statement.
    pub fn extract(&self, sql: &str) -> Result<Extracted> {
        let sql = c_string(sql)?;
        let mut extracted = Extracted(std::ptr::null_mut());
        // SAFETY: connection and text are valid; the result is written.
        let n_statements = unsafe { duckdb_extract_statements(self.0, sql.as_ptr(), &mut extracted.0) };
        match n_statements {
            1 => Ok(extracted),
            _ => Err(Error::internal("a statement of Unify's own does not parse")),
        }
    }

    /// Returns what DuckDB finds wrong with a text, without the kind of error; `None` when it parses.
    pub fn syntax_error(&self, text: &str) -> Option<String> {
        let _own = OwnStatement::begin();
        let sql = c_string(text).ok()?;
        let mut extracted = Extracted(std::ptr::null_mut());
        // SAFETY: connection and text are valid; the result is written.
        unsafe { duckdb_extract_statements(self.0, sql.as_ptr(), &mut extracted.0) };
        // SAFETY: the message lives as long as what was extracted; null when the text parses.
        let message = unsafe { duckdb_extract_statements_error(extracted.0) };
        // SAFETY: as above.
        let message = unsafe { text_of(message) }?;
        Some(message.strip_prefix("Parser Error: ").unwrap_or(&message).to_string())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is ours, closed once.
        unsafe { duckdb_disconnect(&mut self.0) };
        session_ended();
    }
}

impl Extracted {
    /// Takes back what [`Extracted::into_raw`] gave.
    ///
    /// # Safety
    /// `extracted` is what `into_raw` returned; it comes back once.
    pub unsafe fn take_back(extracted: duckdb_extracted_statements) -> Extracted {
        Extracted(extracted)
    }

    /// Gives the statement to the bridge, which gives it back.
    pub fn into_raw(self) -> duckdb_extracted_statements {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }
}

impl Drop for Extracted {
    fn drop(&mut self) {
        // SAFETY: what was extracted is ours, freed once; null is allowed.
        unsafe { duckdb_destroy_extracted(&mut self.0) };
    }
}
