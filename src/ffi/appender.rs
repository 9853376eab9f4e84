//! Appends batches to a table through DuckDB's appender: straight into a table of DuckDB's own, by INSERT into one of another kind.

use super::chunk::{chunk_rows, OwnedChunk};
use super::connection::Connection;
use super::result::database_type;
use super::storage::Storage;
use super::text::{c_string, text_of};
use super::types::{logical_type_of, OwnedType};
use crate::columns::{Batch, ColumnData, ColumnType};
use crate::session::TableName;
use crate::spec::ScalarType;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::{c_char, CString};
use std::fmt::Display;
use std::marker::PhantomData;

/// How rows get into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The table is DuckDB's own.
    Direct,
    /// The table is of another kind of database, which takes rows from INSERT.
    Insert,
}

/// Appends the rows of the batches to `table`, whose columns are theirs in the same order, in the connection's transaction.
pub fn append(connection: &Connection, table: &TableName, batches: &[Batch], way: Way) -> Result<()> {
    let Some(first) = batches.first() else { return Ok(()) };
    let appender = match way {
        Way::Direct => Appender::create(connection, table)?,
        Way::Insert => {
            let columns: Vec<(&str, ColumnType)> =
                first.schema.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
            Appender::create_insert(connection, &format!("INSERT INTO {table} SELECT *"), &columns)?
        }
    };
    append_all(&appender, table, batches)
}

/// Runs `insert`, an INSERT that ends with what it selects, on rows of texts in columns with these names.
pub fn insert_texts(connection: &Connection, insert: &str, columns: &[&str], rows: &[Vec<Option<&str>>]) -> Result<()> {
    let varchar = ColumnType::Scalar(ScalarType::Varchar);
    let columns: Vec<(&str, ColumnType)> = columns.iter().map(|name| (*name, varchar)).collect();
    let appender = Appender::create_insert(connection, insert, &columns)?;
    append_all(&appender, &"the rows of an INSERT", &[Batch::of_texts(&columns, rows)])
}

fn append_all(appender: &Appender, table: &dyn Display, batches: &[Batch]) -> Result<()> {
    let n_columns = appender.n_columns();
    if let Some(batch) = batches.iter().find(|batch| batch.columns.len() != n_columns) {
        return Err(Error::internal(format!("{table} has {n_columns} columns, its batch {}", batch.columns.len())));
    }
    let mut rows = RowsOf::batches(batches, appender);
    for batch in batches {
        rows.append(batch, appender)?;
    }
    rows.hand_on(appender)?;
    // SAFETY: the appender is valid.
    let state = unsafe { duckdb_appender_flush(appender.appender) };
    appender.check(state)
}

/// Returns the type of a vector for texts, or for lists of them, that are to become values of another type.
fn texts_for(data: &ColumnData, own: &OwnedType) -> Option<OwnedType> {
    match (data, own.element()) {
        (ColumnData::Varchar(_), _) if Storage::of(own) != Storage::Text => Some(OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR)),
        (ColumnData::List { child, .. }, Some(element)) => texts_for(&child.data, &element).map(|_| OwnedType::list_of_texts()),
        _ => None,
    }
}

struct Appender {
    appender: duckdb_appender,
}

impl Appender {
    fn create(connection: &Connection, table: &TableName) -> Result<Appender> {
        let catalog = table.catalog.as_deref().map(c_string).transpose()?;
        let (schema, name) = (c_string(&table.schema)?, c_string(&table.table)?);
        let mut appender: duckdb_appender = std::ptr::null_mut();
        let catalog = catalog.as_ref().map_or(std::ptr::null(), |catalog| catalog.as_ptr());
        // SAFETY: all texts outlive the call; a null catalog is the connection's own.
        let state = unsafe { duckdb_appender_create_ext(connection.as_raw(), catalog, schema.as_ptr(), name.as_ptr(), &mut appender) };
        let appender = Appender { appender };
        appender.check(state)?;
        Ok(appender)
    }

    /// Makes an appender whose rows, in columns with these names and types, are the source of an INSERT that ends with what it selects.
    fn create_insert(connection: &Connection, insert: &str, columns: &[(&str, ColumnType)]) -> Result<Appender> {
        let insert = c_string(&format!("{insert} FROM appended_data"))?;
        let types: Vec<OwnedType> = columns.iter().map(|(_, column_type)| logical_type_of(*column_type)).collect();
        let mut raw: Vec<duckdb_logical_type> = types.iter().map(OwnedType::as_raw).collect();
        let names = columns.iter().map(|(name, _)| c_string(name)).collect::<Result<Vec<CString>>>()?;
        let mut raw_names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let (n_types, no_text) = (types.len() as idx_t, std::ptr::null());
        let mut appender: duckdb_appender = std::ptr::null_mut();
        // SAFETY: connection, statement, types and names are valid and copied; a null table name is the default, `appended_data`.
        let state = unsafe {
            duckdb_appender_create_query(
                connection.as_raw(),
                insert.as_ptr(),
                n_types,
                raw.as_mut_ptr(),
                no_text,
                raw_names.as_mut_ptr(),
                &mut appender,
            )
        };
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
        let message = unsafe { duckdb_error_data_message(error) };
        // SAFETY: as above.
        let message = unsafe { text_of(message) };
        // SAFETY: the error data is valid.
        let error_type = unsafe { duckdb_error_data_error_type(error) };
        // SAFETY: freed once.
        unsafe { duckdb_destroy_error_data(&mut error) };
        let message = message.unwrap_or_else(|| "DuckDB's appender failed without a message".to_string());
        Err(Error::of_database(database_type(error_type), message))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // SAFETY: created once, destroyed once. What a failed append left behind is dropped with the transaction.
        unsafe { duckdb_appender_destroy(&mut self.appender) };
    }
}

/// Rows on their way to the appender. Their texts stay in the batches, which are borrowed until the rows were handed on.
struct RowsOf<'a> {
    chunk: OwnedChunk,
    n_rows: usize,
    _batches: PhantomData<&'a [Batch]>,
}

impl<'a> RowsOf<'a> {
    /// Makes a chunk with the appender's own column types, so that nothing is cast; but texts stay texts, and the appender casts them.
    fn batches(batches: &'a [Batch], appender: &Appender) -> RowsOf<'a> {
        let type_of = |idx: usize| {
            // SAFETY: the column exists.
            let raw = unsafe { duckdb_appender_column_type(appender.appender, idx as idx_t) };
            // SAFETY: what the call gave is ours.
            let own = unsafe { OwnedType::take(raw) };
            match batches.first().and_then(|batch| batch.columns.get(idx)) {
                Some(column) => texts_for(&column.data, &own).unwrap_or(own),
                None => own,
            }
        };
        let types: Vec<OwnedType> = (0..appender.n_columns()).map(type_of).collect();
        RowsOf { chunk: OwnedChunk::of_types(&types), n_rows: 0, _batches: PhantomData }
    }

    /// Hands the rows of a batch on, a full chunk at a time. Some stay in the chunk.
    fn append(&mut self, batch: &'a Batch, appender: &Appender) -> Result<()> {
        let mut start = 0;
        while start < batch.n_rows {
            let rows = start..(start + chunk_rows() - self.n_rows).min(batch.n_rows);
            for (idx, column) in batch.columns.iter().enumerate() {
                let slots = self.chunk.lent().slots(idx)?;
                // SAFETY: the batch lives longer than this chunk, which nobody else reads.
                unsafe { slots.lend(column, rows.clone(), self.n_rows) }?;
            }
            self.n_rows += rows.len();
            start = rows.end;
            if self.n_rows == chunk_rows() {
                self.hand_on(appender)?;
            }
        }
        Ok(())
    }

    /// Hands on what the chunk holds.
    fn hand_on(&mut self, appender: &Appender) -> Result<()> {
        if self.n_rows == 0 {
            return Ok(());
        }
        self.chunk.lent().set_rows(self.n_rows);
        // SAFETY: appender and chunk are valid; the chunk is copied.
        let state = unsafe { duckdb_append_data_chunk(appender.appender, self.chunk.as_raw()) };
        appender.check(state)?;
        self.chunk.reset();
        self.n_rows = 0;
        Ok(())
    }
}
