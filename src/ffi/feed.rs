//! Feeds the rows of batches to an INSERT, as the rows of a table function.
//!
//! DuckDB's appender copies rows into a collection and has an INSERT read that. While another thread works on the INSERT, the appender's own
//! spins. In DuckDB 2.0 that collection has a batch index, for which an INSERT on several threads makes collections of its own.

use super::chunk::{chunk_rows, LentChunk};
use super::connection::Connection;
use super::guard::guard;
use super::lent::{carried, free, give};
use super::own::OwnStatement;
use super::raised;
use super::statement::{Rows, Statement};
use super::storage::Storage;
use super::text::c_string;
use super::types::{logical_type_of, OwnedType};
use crate::columns::{Batch, Column, ColumnData};
use crate::lock::lock;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Mutex;

/// The table function. Only a statement of Unify's own can be bound with it, on the thread that has rows to feed.
pub const FUNCTION: &str = "unify_fed_rows";
/// What `duckdb_functions()` says of it.
pub const DESCRIPTION: &str = "The rows that a load of Unify's inserts: for its own use";
/// How a load calls it.
pub const EXAMPLE: &str = "INSERT INTO staging SELECT * FROM unify_fed_rows()";

thread_local! {
    /// What this thread feeds.
    static FED: Cell<*const Fed<'static>> = const { Cell::new(std::ptr::null()) };
}

/// Rows that are fed, of batches with the same columns.
struct Fed<'a> {
    batches: &'a [Batch],
    columns: Vec<(&'a str, OwnedType)>,
}

/// What a bound statement keeps of the rows that its thread feeds.
struct Bound(*const Fed<'static>);

/// The next row of a scan: its batch, and its place there.
#[derive(Default)]
struct Place {
    batch: usize,
    row: usize,
}

/// Runs `insert`, an INSERT that ends with what it selects, on the rows of batches, in the connection's transaction.
pub fn feed(connection: &Connection, insert: &str, batches: &[Batch]) -> Result<()> {
    let Some(first) = batches.first() else { return Ok(()) };
    let names = first.schema.columns.iter().map(|column| column.name.as_str());
    let fed = Fed { batches, columns: names.zip(column_types(&batches.iter().collect::<Vec<_>>())).collect() };
    if let Some(batch) = batches.iter().find(|batch| batch.columns.len() != fed.columns.len()) {
        return Err(Error::internal(format!("rows have {} columns, and in a batch {}", fed.columns.len(), batch.columns.len())));
    }
    let _own = OwnStatement::begin();
    let _feeding = Feeding::begin(&fed);
    let sql = format!("{insert} FROM system.main.{FUNCTION}()");
    match Statement::prepare(connection, &sql) {
        Ok(statement) => statement.run(Rows::AtOnce, &|| false).map(drop),
        // What is not prepared tells no type of its error. It fails again, or what was in the way is gone.
        Err(_) => connection.query(&sql).map(drop),
    }
}

/// Returns the types of the vectors for the columns of batches.
pub(super) fn column_types(batches: &[&Batch]) -> Vec<OwnedType> {
    let type_of = |(idx, column): (usize, &Column)| {
        let own = logical_type_of(column.column_type);
        let mut data = batches.iter().filter_map(|batch| batch.columns.get(idx)).map(|column| &column.data);
        data.find_map(|data| texts_for(data, &own)).unwrap_or(own)
    };
    batches.first().map_or(Vec::new(), |batch| batch.schema.columns.iter().enumerate().map(type_of).collect())
}

/// Says what this thread feeds, until it is dropped.
struct Feeding;

impl Feeding {
    fn begin(fed: &Fed<'_>) -> Feeding {
        FED.set(std::ptr::from_ref(fed).cast());
        Feeding
    }
}

impl Drop for Feeding {
    fn drop(&mut self) {
        FED.set(std::ptr::null());
    }
}

/// Registers the table function.
pub fn register(connection: &Connection) -> Result<()> {
    register_as(connection, FUNCTION, Callbacks { bind, init, run }, |_| Ok(()))
}

/// What DuckDB calls. None of them unwinds.
pub(super) struct Callbacks {
    pub bind: unsafe extern "C" fn(duckdb_bind_info),
    pub init: unsafe extern "C" fn(duckdb_init_info),
    pub run: unsafe extern "C" fn(duckdb_function_info, duckdb_data_chunk),
}

/// Registers a table function without parameters, to which `change` has been done.
pub(super) fn register_as(
    connection: &Connection,
    name: &str,
    callbacks: Callbacks,
    change: impl FnOnce(duckdb_table_function) -> Result<()>,
) -> Result<()> {
    let c_name = c_string(name)?;
    // SAFETY: takes no argument; the function is freed below.
    let mut function = unsafe { duckdb_create_table_function() };
    // SAFETY: function and name are valid; the name is copied.
    unsafe { duckdb_table_function_set_name(function, c_name.as_ptr()) };
    // SAFETY: the function is valid; the callback never unwinds.
    unsafe { duckdb_table_function_set_bind(function, Some(callbacks.bind)) };
    // SAFETY: as above.
    unsafe { duckdb_table_function_set_init(function, Some(callbacks.init)) };
    // SAFETY: as above.
    unsafe { duckdb_table_function_set_function(function, Some(callbacks.run)) };
    // SAFETY: connection and function are valid; the function is copied.
    let registered = change(function).map(|()| unsafe { duckdb_register_table_function(connection.as_raw(), function) });
    // SAFETY: made above, freed once.
    unsafe { duckdb_destroy_table_function(&mut function) };
    match registered? == DuckDBSuccess {
        true => Ok(()),
        false => Err(Error::database(format!("DuckDB refused the function '{name}'"))),
    }
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    let bound = guard(|| {
        let fed = FED.get();
        if fed.is_null() || !OwnStatement::is_running() {
            return Err(Error::config(format!("{FUNCTION} is for Unify's own use: query a table of a connection")));
        }
        // SAFETY: this thread feeds the rows for as long as it runs the statement that is bound.
        let fed_rows = unsafe { &*fed };
        let n_rows: usize = fed_rows.batches.iter().map(|batch| batch.n_rows).sum();
        // SAFETY: the info is valid.
        unsafe { duckdb_bind_set_cardinality(info, n_rows as idx_t, true) };
        for (name, logical_type) in &fed_rows.columns {
            let name = c_string(name)?;
            // SAFETY: info, name and type are valid; both are copied.
            unsafe { duckdb_bind_add_result_column(info, name.as_ptr(), logical_type.as_raw()) };
        }
        // SAFETY: the info is valid; DuckDB owns the value from here and frees it with `free`.
        unsafe { duckdb_bind_set_bind_data(info, give(Bound(fed)), Some(free::<Bound>)) };
        Ok(())
    });
    if let Err(err) = bound {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_bind_set_error(info, message) });
    }
}

unsafe extern "C" fn init(info: duckdb_init_info) {
    // SAFETY: the info is valid; DuckDB owns the value from here and frees it with `free`.
    unsafe { duckdb_init_set_init_data(info, give(Mutex::new(Place::default())), Some(free::<Mutex<Place>>)) };
}

unsafe extern "C" fn run(info: duckdb_function_info, output: duckdb_data_chunk) {
    // SAFETY: the info is valid.
    let bind_data: *const c_void = unsafe { duckdb_function_get_bind_data(info) };
    // SAFETY: the bind data is a `Bound` that lives as long as the plan.
    let fed = unsafe { carried::<Bound>(bind_data) }.0;
    // SAFETY: the info is valid.
    let init_data: *const c_void = unsafe { duckdb_function_get_init_data(info) };
    // SAFETY: the init data is a `Place` in its mutex, which lives as long as the execution.
    let place = unsafe { carried::<Mutex<Place>>(init_data) };
    // SAFETY: DuckDB lends the chunk for the length of this call.
    let output = unsafe { LentChunk::borrow(output) };
    // SAFETY: the thread that feeds the rows waits for the end of the statement, which is the only one with a pointer to them.
    if let Err(err) = guard(|| fill(unsafe { &*fed }, &mut lock(place), output)) {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_function_set_error(info, message) });
    }
}

/// Puts the next rows into a chunk, as many as it holds. Their texts stay in the batches.
fn fill(fed: &Fed<'_>, place: &mut Place, output: LentChunk<'_>) -> Result<()> {
    let mut n_rows = 0;
    while let Some(batch) = fed.batches.get(place.batch).filter(|_| n_rows < chunk_rows()) {
        let rows = place.row..(place.row + chunk_rows() - n_rows).min(batch.n_rows);
        for (idx, column) in batch.columns.iter().enumerate() {
            // SAFETY: the batches outlive the statement, which copies the rows of this chunk.
            unsafe { output.slots(idx)?.lend(column, rows.clone(), n_rows) }?;
        }
        n_rows += rows.len();
        *place = if rows.end < batch.n_rows { Place { row: rows.end, ..*place } } else { Place { batch: place.batch + 1, row: 0 } };
    }
    output.set_rows(n_rows);
    Ok(())
}

/// Returns the type of a vector for texts, or for lists of them, that are to become values of another type.
fn texts_for(data: &ColumnData, own: &OwnedType) -> Option<OwnedType> {
    match (data, own.element()) {
        (ColumnData::Varchar(_), _) if Storage::of(own) != Storage::Text => Some(OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR)),
        (ColumnData::List { child, .. }, Some(element)) => texts_for(&child.data, &element).map(|_| OwnedType::list_of_texts()),
        _ => None,
    }
}
