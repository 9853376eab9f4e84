//! Results of queries: their errors, and their rows as [`Value`]s.

use super::chunk::OwnedChunk;
use super::text::text_of;
use super::vector::Vector;
use crate::columns::date_text;
use crate::session::Value;
use crate::{DatabaseErrorType, Error, Result};
use libduckdb_sys::*;

/// A result of ours; it is freed when this is dropped.
pub struct QueryResult(duckdb_result);

/// What a result holds.
pub enum Rows {
    Read(Vec<Vec<Value>>),
    /// Columns whose type has no [`Value`] of its own, by name.
    Unreadable(Vec<String>),
}

impl QueryResult {
    /// Makes the result of a call of the C API, which fills it. Fails, with DuckDB's error, when the call does.
    ///
    /// # Safety
    /// `fill` leaves a valid result, whether it succeeds or fails.
    pub unsafe fn of(fill: impl FnOnce(*mut duckdb_result) -> duckdb_state) -> Result<QueryResult> {
        // SAFETY: a result is plain data, which the call fills.
        let mut result = QueryResult(unsafe { std::mem::zeroed() });
        let state = fill(&mut result.0);
        match state == DuckDBSuccess {
            true => Ok(result),
            false => Err(result.error().unwrap_or_else(|| Error::database("DuckDB failed without a message"))),
        }
    }

    /// Returns the error of a result that failed, at once or on the way.
    pub fn error(&mut self) -> Option<Error> {
        // SAFETY: the result is valid; its message lives as long as the result.
        let message = unsafe { duckdb_result_error(&mut self.0) };
        // SAFETY: as above.
        let message = unsafe { text_of(message) }.filter(|message| !message.is_empty())?;
        // SAFETY: the result is valid.
        let error_type = unsafe { duckdb_result_error_type(&mut self.0) };
        Some(Error::of_database(database_type(error_type), message))
    }

    /// Returns the next rows; `None` at the end, and after an error.
    pub fn next_chunk(&mut self) -> Option<OwnedChunk> {
        // SAFETY: a result is plain data; the call takes a copy and reads through it.
        let lent = unsafe { std::ptr::read(&self.0) };
        // SAFETY: the result is valid.
        let chunk = unsafe { duckdb_fetch_chunk(lent) };
        // SAFETY: what the call gave is ours, and flat.
        unsafe { OwnedChunk::take(chunk) }
    }

    /// Reads all rows, or names the columns that cannot be read.
    pub fn rows(&mut self) -> Result<Rows> {
        // SAFETY: the result is valid.
        let n_columns = unsafe { duckdb_column_count(&mut self.0) };
        // SAFETY: the column exists.
        let types: Vec<duckdb_type> = (0..n_columns).map(|idx| unsafe { duckdb_column_type(&mut self.0, idx) }).collect();
        let unreadable: Vec<usize> = (0..types.len()).filter(|idx| !is_readable(types[*idx])).collect();
        if !unreadable.is_empty() {
            return Ok(Rows::Unreadable(unreadable.into_iter().map(|idx| self.column_name(idx)).collect()));
        }
        let mut rows = Vec::new();
        while let Some(chunk) = self.next_chunk() {
            let chunk = chunk.lent();
            let first = rows.len();
            rows.resize_with(first + chunk.n_rows(), || Vec::with_capacity(types.len()));
            for (column_idx, type_id) in types.iter().enumerate() {
                let column = chunk.column(column_idx)?;
                for (row_idx, row) in rows[first..].iter_mut().enumerate() {
                    row.push(value_at(&column, *type_id, row_idx));
                }
            }
        }
        Ok(Rows::Read(rows))
    }

    fn column_name(&mut self, idx: usize) -> String {
        // SAFETY: the result is valid; null when it does not have the column, and a name lives as long as the result.
        let name = unsafe { duckdb_column_name(&mut self.0, idx as idx_t) };
        // SAFETY: as above.
        unsafe { text_of(name) }.unwrap_or_default()
    }
}

impl Drop for QueryResult {
    fn drop(&mut self) {
        // SAFETY: the result is ours, freed once.
        unsafe { duckdb_destroy_result(&mut self.0) };
    }
}

/// Returns what DuckDB says an error is.
pub fn database_type(error_type: duckdb_error_type) -> DatabaseErrorType {
    const TYPES: &[(duckdb_error_type, DatabaseErrorType)] = &[
        (duckdb_error_type_DUCKDB_ERROR_PARSER, DatabaseErrorType::Parser),
        (duckdb_error_type_DUCKDB_ERROR_SYNTAX, DatabaseErrorType::Parser),
        (duckdb_error_type_DUCKDB_ERROR_BINDER, DatabaseErrorType::Binder),
        (duckdb_error_type_DUCKDB_ERROR_CATALOG, DatabaseErrorType::Catalog),
        (duckdb_error_type_DUCKDB_ERROR_CONSTRAINT, DatabaseErrorType::Constraint),
        (duckdb_error_type_DUCKDB_ERROR_TRANSACTION, DatabaseErrorType::Transaction),
    ];
    let known = TYPES.iter().find(|(known, _)| *known == error_type);
    known.map_or(DatabaseErrorType::Other, |(_, database_type)| *database_type)
}

fn is_readable(type_id: duckdb_type) -> bool {
    matches!(
        type_id,
        DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN
            | DUCKDB_TYPE_DUCKDB_TYPE_TINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_INTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_BIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT
            | DUCKDB_TYPE_DUCKDB_TYPE_FLOAT
            | DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE
            | DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP
            | DUCKDB_TYPE_DUCKDB_TYPE_DATE
            | DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL
    )
}

/// Returns a row's value. What the vector does not hold is null.
fn value_at(column: &Vector<'_>, type_id: duckdb_type, idx: usize) -> Value {
    if column.is_null(idx) {
        return Value::Null;
    }
    let value = match type_id {
        DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => column.boolean(idx).map(Value::Boolean),
        DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => column.float(idx).map(|number| Value::Double(number.into())),
        DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => column.double(idx).map(Value::Double),
        DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => column.text(idx).map(Value::Text),
        DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => column.signed(idx).and_then(|micros| i64::try_from(micros).ok()).map(Value::Timestamp),
        DUCKDB_TYPE_DUCKDB_TYPE_DATE => {
            column.signed(idx).and_then(|days| i32::try_from(days).ok()).map(|days| Value::Text(date_text(days)))
        }
        _ => column.signed(idx).or_else(|| i128::try_from(column.unsigned(idx)?).ok()).map(Value::Integer),
    };
    value.unwrap_or(Value::Null)
}
