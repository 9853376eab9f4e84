//! Appends batches to a table through DuckDB's appender: straight into a table of DuckDB's own, by INSERT into one of another kind.

use super::database::c_string;
use super::result::text_of;
use super::types::logical_type_of;
use super::vector::{write_rows, Place, Strings};
use crate::columns::{Batch, ColumnType};
use crate::session::TableName;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ops::Range;

/// How rows get into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The table is DuckDB's own.
    Direct,
    /// The table is of another kind of database, which takes rows from INSERT.
    Insert,
}

/// Appends the rows of the batches to `table`, whose columns are theirs in the same order, in the connection's transaction.
pub fn append(connection: duckdb_connection, table: &TableName, batches: &[Batch], way: Way) -> Result<()> {
    let Some(first) = batches.first() else { return Ok(()) };
    let appender = match way {
        Way::Direct => Appender::create(connection, table)?,
        Way::Insert => {
            let types: Vec<ColumnType> = first.schema.columns.iter().map(|column| column.column_type).collect();
            Appender::create_insert(connection, table, &types)?
        }
    };
    let n_columns = appender.n_columns();
    if let Some(batch) = batches.iter().find(|batch| batch.columns.len() != n_columns) {
        return Err(Error::internal(format!("{table} has {n_columns} columns, its batch {}", batch.columns.len())));
    }
    let mut chunk = Chunk::for_appender(&appender);
    for batch in batches {
        let mut start = 0;
        while start < batch.n_rows {
            let rows = start..(start + chunk.room()).min(batch.n_rows);
            start = rows.end;
            chunk.write(batch, rows)?;
            if chunk.room() == 0 {
                chunk.append_to(&appender)?;
            }
        }
    }
    chunk.append_to(&appender)?;
    // SAFETY: the appender is valid.
    let state = unsafe { duckdb_appender_flush(appender.appender) };
    appender.check(state)
}

struct Appender {
    appender: duckdb_appender,
}

impl Appender {
    fn create(connection: duckdb_connection, table: &TableName) -> Result<Appender> {
        let catalog = table.catalog.as_deref().map(c_string).transpose()?;
        let (schema, name) = (c_string(&table.schema)?, c_string(&table.table)?);
        let mut appender: duckdb_appender = std::ptr::null_mut();
        let catalog = catalog.as_ref().map_or(std::ptr::null(), |catalog| catalog.as_ptr());
        // SAFETY: all texts outlive the call; a null catalog is the connection's own.
        let state = unsafe { duckdb_appender_create_ext(connection, catalog, schema.as_ptr(), name.as_ptr(), &mut appender) };
        let appender = Appender { appender };
        appender.check(state)?;
        Ok(appender)
    }

    /// Makes an appender whose rows, in columns of these types, are the source of an INSERT.
    fn create_insert(connection: duckdb_connection, table: &TableName, types: &[ColumnType]) -> Result<Appender> {
        let insert = c_string(&format!("INSERT INTO {table} SELECT * FROM appended_data"))?;
        let mut types: Vec<duckdb_logical_type> = types.iter().map(|column_type| logical_type_of(*column_type)).collect();
        let (n_types, no_text) = (types.len() as idx_t, std::ptr::null());
        let mut appender: duckdb_appender = std::ptr::null_mut();
        // SAFETY: connection, statement and types are valid and copied; null names are the default ones, `appended_data` for the table.
        let state = unsafe {
            duckdb_appender_create_query(
                connection,
                insert.as_ptr(),
                n_types,
                types.as_mut_ptr(),
                no_text,
                std::ptr::null_mut(),
                &mut appender,
            )
        };
        for logical_type in &mut types {
            // SAFETY: each was made above and is freed once.
            unsafe { duckdb_destroy_logical_type(logical_type) };
        }
        let appender = Appender { appender };
        appender.check(state)?;
        Ok(appender)
    }

    fn n_columns(&self) -> usize {
        // SAFETY: the appender is valid.
        unsafe { duckdb_appender_column_count(self.appender) as usize }
    }

    fn check(&self, state: duckdb_state) -> Result<()> {
        if state == DuckDBSuccess {
            return Ok(());
        }
        // SAFETY: the error data of a null or failed appender may be asked for; it is freed below.
        let mut error = unsafe { duckdb_appender_error_data(self.appender) };
        // SAFETY: the message lives as long as the error data.
        let message = text_of(unsafe { duckdb_error_data_message(error) });
        // SAFETY: freed once.
        unsafe { duckdb_destroy_error_data(&mut error) };
        Err(Error::database(message.unwrap_or_else(|| "DuckDB's appender failed without a message".to_string())))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // SAFETY: created once, destroyed once. What a failed append left behind is dropped with the transaction.
        unsafe { duckdb_appender_destroy(&mut self.appender) };
    }
}

/// Rows on their way to the appender. Their strings point into the batches, which live until the chunk was appended.
struct Chunk {
    chunk: duckdb_data_chunk,
    vectors: Vec<duckdb_vector>,
    n_rows: usize,
    capacity: usize,
}

impl Chunk {
    /// Makes a chunk with the appender's own column types, so that nothing is cast.
    fn for_appender(appender: &Appender) -> Chunk {
        let mut types: Vec<duckdb_logical_type> = Vec::new();
        for idx in 0..appender.n_columns() {
            // SAFETY: the column exists.
            types.push(unsafe { duckdb_appender_column_type(appender.appender, idx as idx_t) });
        }
        // SAFETY: the types are valid; the chunk copies them.
        let chunk = unsafe { duckdb_create_data_chunk(types.as_mut_ptr(), types.len() as idx_t) };
        for logical_type in &mut types {
            // SAFETY: each was made above and is freed once.
            unsafe { duckdb_destroy_logical_type(logical_type) };
        }
        // SAFETY: the chunk has a vector for each type.
        let vectors = (0..types.len()).map(|idx| unsafe { duckdb_data_chunk_get_vector(chunk, idx as idx_t) }).collect();
        // SAFETY: takes no argument.
        let capacity = unsafe { duckdb_vector_size() } as usize;
        Chunk { chunk, vectors, n_rows: 0, capacity }
    }

    fn room(&self) -> usize {
        self.capacity - self.n_rows
    }

    fn write(&mut self, batch: &Batch, rows: Range<usize>) -> Result<()> {
        for (vector, column) in self.vectors.iter().zip(&batch.columns) {
            write_rows(*vector, column, rows.clone(), Place { at: self.n_rows, strings: Strings::Borrowed })?;
        }
        self.n_rows += rows.len();
        Ok(())
    }

    fn append_to(&mut self, appender: &Appender) -> Result<()> {
        if self.n_rows == 0 {
            return Ok(());
        }
        // SAFETY: the rows were written to every vector.
        unsafe { duckdb_data_chunk_set_size(self.chunk, self.n_rows as idx_t) };
        // SAFETY: appender and chunk are valid; the chunk is copied.
        let state = unsafe { duckdb_append_data_chunk(appender.appender, self.chunk) };
        appender.check(state)?;
        // SAFETY: the chunk is valid.
        unsafe { duckdb_data_chunk_reset(self.chunk) };
        self.n_rows = 0;
        Ok(())
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: created once, destroyed once.
        unsafe { duckdb_destroy_data_chunk(&mut self.chunk) };
    }
}
