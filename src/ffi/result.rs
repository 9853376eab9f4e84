//! Rows of a query's result as [`Value`]s.

use crate::columns::date_text;
use crate::session::Value;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::{c_char, CStr};

/// Returns the error of a failed result.
pub fn take_error(result: &mut duckdb_result) -> Error {
    // SAFETY: the result was filled by a failed call; its message lives as long as the result.
    let message = unsafe { duckdb_result_error(result) };
    Error::database(text_of(message).unwrap_or_else(|| "DuckDB failed without a message".to_string()))
}

/// Copies a C string; null is `None`.
pub fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: DuckDB's texts are NUL-terminated and live for the length of this call.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// What a result holds.
pub enum Rows {
    Read(Vec<Vec<Value>>),
    /// Columns whose type has no [`Value`] of its own, by name.
    Unreadable(Vec<String>),
}

/// Reads all rows, or names the columns that cannot be read.
pub fn rows_of(result: &mut duckdb_result) -> Result<Rows> {
    // SAFETY: the result is valid.
    let n_columns = unsafe { duckdb_column_count(result) };
    let mut types = Vec::new();
    for idx in 0..n_columns {
        // SAFETY: the column exists.
        types.push(unsafe { duckdb_column_type(result, idx) });
    }
    let unreadable: Vec<usize> = (0..types.len()).filter(|idx| !is_readable(types[*idx])).collect();
    if !unreadable.is_empty() {
        // SAFETY: the columns exist; a name lives as long as the result.
        let name = |idx: usize| text_of(unsafe { duckdb_column_name(result, idx as idx_t) }).unwrap_or_default();
        return Ok(Rows::Unreadable(unreadable.into_iter().map(name).collect()));
    }
    let mut rows = Vec::new();
    loop {
        // SAFETY: a result is plain data; the call takes a copy and reads through it.
        let lent = unsafe { std::ptr::read(result) };
        // SAFETY: the result is valid.
        let mut chunk = unsafe { duckdb_fetch_chunk(lent) };
        if chunk.is_null() {
            return Ok(Rows::Read(rows));
        }
        // SAFETY: the chunk is valid until it is destroyed below.
        let n_rows = unsafe { duckdb_data_chunk_get_size(chunk) } as usize;
        let first = rows.len();
        rows.resize_with(first + n_rows, || Vec::with_capacity(types.len()));
        for (column_idx, type_id) in types.iter().enumerate() {
            // SAFETY: the chunk has as many vectors as the result has columns.
            let vector = unsafe { duckdb_data_chunk_get_vector(chunk, column_idx as idx_t) };
            for (row_idx, row) in rows[first..].iter_mut().enumerate() {
                row.push(value_at(vector, *type_id, row_idx));
            }
        }
        // SAFETY: fetched above, destroyed once.
        unsafe { duckdb_destroy_data_chunk(&mut chunk) };
    }
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

fn value_at(vector: duckdb_vector, type_id: duckdb_type, idx: usize) -> Value {
    // SAFETY: the vector belongs to a live chunk; a null mask means all rows are valid.
    let validity = unsafe { duckdb_vector_get_validity(vector) };
    // SAFETY: the mask covers every row of the chunk.
    if !validity.is_null() && !unsafe { duckdb_validity_row_is_valid(validity, idx as idx_t) } {
        return Value::Null;
    }
    // SAFETY: the vector is flat, as those of fetched chunks are.
    let data = unsafe { duckdb_vector_get_data(vector) };
    macro_rules! read {
        ($type:ty) => {
            // SAFETY: the vector holds values of this type, and `idx` is one of its rows.
            unsafe { *data.cast::<$type>().add(idx) }
        };
    }
    match type_id {
        DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Value::Boolean(read!(u8) != 0),
        DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => Value::Integer(read!(i8).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => Value::Integer(read!(i16).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => Value::Integer(read!(i32).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => Value::Integer(read!(i64).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => Value::Integer(read!(u8).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => Value::Integer(read!(u16).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => Value::Integer(read!(u32).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => Value::Integer(read!(u64).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => {
            let huge = read!(duckdb_hugeint);
            Value::Integer((i128::from(huge.upper) << 64) | i128::from(huge.lower))
        }
        DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => Value::Double(read!(f32).into()),
        DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => Value::Double(read!(f64)),
        DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => Value::Timestamp(read!(i64)),
        DUCKDB_TYPE_DUCKDB_TYPE_DATE => Value::Text(date_text(read!(i32))),
        DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => {
            let mut string = read!(duckdb_string_t);
            // SAFETY: the string is a valid one of the vector.
            let len = unsafe { duckdb_string_t_length(string) } as usize;
            // SAFETY: the data is inside `string` or in the vector's heap; both outlive the copy below.
            let start = unsafe { duckdb_string_t_data(&mut string) };
            // SAFETY: `len` bytes are readable there.
            let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) };
            Value::Text(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => Value::Null,
    }
}
