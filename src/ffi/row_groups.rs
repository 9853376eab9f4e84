//! Feeds the rows of [`RowGroups`] to an INSERT, on several of DuckDB's threads.

use super::answer::Answer;
use super::chunk::{chunk_rows, LentChunk};
use super::connection::Connection;
use super::feed::{column_types, feed, register_as, Callbacks};
use super::guard::guard;
use super::host::{done, Bridge};
use super::lent::{carried, free, give};
use super::own::OwnStatement;
use super::raised;
use super::statement::{Rows, Statement};
use super::storage::Storage;
use super::text::{c_string, exception_of, Text};
use super::types::{logical_type_of, OwnedType};
use crate::columns::{Batch, ColumnData, ColumnVector, Validity};
use crate::session::{batch_of, quote_ident, HeldBatch, Next, RowGroups, RowSource, Share, TableName};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::cell::Cell;
use std::ffi::c_void;

/// The table function. Only a statement of Unify's own can be bound with it, on the thread that has rows to feed.
pub const FUNCTION: &str = "unify_fed_row_groups";
/// What `duckdb_functions()` says of it.
pub const DESCRIPTION: &str = "The rows that a load of Unify's inserts on several threads: for its own use";
/// How a load calls it.
pub const EXAMPLE: &str = "INSERT INTO staging SELECT * EXCLUDE (is_row) FROM unify_fed_row_groups() WHERE is_row";

/// One that takes rows, and one that compresses. Each has a row group in memory.
const MOST_THREADS: idx_t = 2;

thread_local! {
    /// What this thread feeds.
    static FED: Cell<Option<Fed>> = const { Cell::new(None) };
}

/// What a statement is bound with.
#[derive(Clone, Copy)]
struct Fed {
    groups: *const RowGroups<'static>,
    columns: *const [(String, OwnedType)],
}

/// How the values of a column are given.
#[derive(Clone, Copy)]
struct Given {
    /// As texts that become values of another type.
    as_texts: bool,
    is_text: bool,
}

impl Given {
    fn takes(self, data: &ColumnData) -> bool {
        match data {
            ColumnData::Undecided => true,
            ColumnData::List { child, .. } => self.takes(&child.data),
            ColumnData::Varchar(_) => self.is_text || self.as_texts,
            _ => !self.as_texts,
        }
    }
}

/// Appends the rows of batches to a table that has exactly their columns, in order, and those that the source brings after them, in the
/// connection's transaction.
pub fn feed_row_groups(connection: &Connection, table: &TableName, first: Vec<HeldBatch>, source: &dyn RowSource) -> Result<()> {
    let batches: Vec<&Batch> = first.iter().map(batch_of).collect();
    let Some(schema) = batches.first().map(|batch| &batch.schema) else { return Ok(()) };
    let mut mark = "is_row".to_string();
    while schema.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&mark)) {
        mark.push('_');
    }
    let types = column_types(&batches);
    let given = schema.columns.iter().zip(&types).map(|(column, given)| {
        let is_text = is_text(&logical_type_of(column.column_type));
        Given { as_texts: !is_text && self::is_text(given), is_text }
    });
    let given: Vec<Given> = given.collect();
    let mut columns: Vec<(String, OwnedType)> = schema.columns.iter().map(|column| column.name.clone()).zip(types).collect();
    columns.push((mark.clone(), OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN)));
    let fits = |batch: &Batch| {
        batch.columns.len() == given.len() && batch.columns.iter().zip(&given).all(|(column, given)| given.takes(&column.data))
    };
    let groups = RowGroups::new(first, source, &fits);
    let mark = quote_ident(&mark);
    let insert = format!("INSERT INTO {table} SELECT * EXCLUDE ({mark}) FROM system.main.{FUNCTION}() WHERE {mark}");
    insert_fed(connection, &insert, Fed { groups: std::ptr::from_ref(&groups).cast(), columns: columns.as_slice() })?;
    for held in groups.unfit() {
        feed(connection, &format!("INSERT INTO {table} SELECT *"), std::slice::from_ref(batch_of(&held)))?;
    }
    Ok(())
}

fn insert_fed(connection: &Connection, insert: &str, fed: Fed) -> Result<()> {
    let _own = OwnStatement::begin();
    FED.set(Some(fed));
    // DuckDB may bind it once more when it runs it.
    let ran = Statement::prepare(connection, insert).and_then(|statement| statement.run(Rows::AtOnce, &|| false));
    FED.set(None);
    ran.map(drop)
}

/// Returns whether values of the type, or those in lists of it, are texts.
fn is_text(logical_type: &OwnedType) -> bool {
    match logical_type.element() {
        Some(element) => is_text(&element),
        None => Storage::of(logical_type) == Storage::Text,
    }
}

/// Registers the table function.
pub fn register(connection: &Connection, bridge: &Bridge) -> Result<()> {
    register_as(connection, FUNCTION, Callbacks { bind, init, run }, |function| {
        // SAFETY: the function was made by the host the bridge is for.
        done(unsafe { (bridge.feed_row_groups)(function.cast()) }, "let a function feed several threads")
    })
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    let bound = guard(|| {
        let Some(fed) = FED.get().filter(|_| OwnStatement::is_running()) else {
            return Err(Error::config(format!("{FUNCTION} is for Unify's own use: query a table of a connection")));
        };
        // SAFETY: this thread runs the statement in `feed_row_groups`, which has the columns.
        for (name, logical_type) in unsafe { &*fed.columns } {
            let name = c_string(name)?;
            // SAFETY: info, name and type are valid; both are copied.
            unsafe { duckdb_bind_add_result_column(info, name.as_ptr(), logical_type.as_raw()) };
        }
        // SAFETY: the info is valid; DuckDB owns the value from here and frees it with `free`.
        unsafe { duckdb_bind_set_bind_data(info, give(fed), Some(free::<Fed>)) };
        Ok(())
    });
    if let Err(err) = bound {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_bind_set_error(info, message) });
    }
}

unsafe extern "C" fn init(info: duckdb_init_info) {
    // SAFETY: the info is valid.
    unsafe { duckdb_init_set_max_threads(info, MOST_THREADS) };
}

/// The C API refuses a function without this one. The bridge has DuckDB call [`unify_give_rows`] instead.
unsafe extern "C" fn run(_info: duckdb_function_info, _output: duckdb_data_chunk) {}

#[no_mangle]
extern "C" fn unify_share_new() -> *mut c_void {
    give(Share::default())
}

#[no_mangle]
unsafe extern "C" fn unify_share_free(share: *mut c_void) {
    // SAFETY: made by `unify_share_new`; it comes back once.
    unsafe { free::<Share>(share) };
}

#[no_mangle]
unsafe extern "C" fn unify_give_rows(bind_data: *const c_void, share: *mut c_void, batch_index: *mut u64, chunk: *mut c_void) -> Answer {
    // SAFETY: the bind data is a `Fed` that lives as long as the plan.
    let fed = unsafe { carried::<Fed>(bind_data) };
    // SAFETY: whoever feeds the row groups waits for the end of the statement.
    let groups = unsafe { &*fed.groups };
    // SAFETY: made by `unify_share_new`; one thread at a time has it.
    let share = unsafe { &mut *share.cast::<Share>() };
    // SAFETY: DuckDB lends the chunk for the length of this call.
    let output = unsafe { LentChunk::borrow(chunk.cast()) };
    // SAFETY: as above.
    let n_columns = unsafe { duckdb_data_chunk_get_column_count(chunk.cast()) } as usize - 1;
    let given = guard(|| match groups.next(share, chunk_rows())? {
        Next::Store(parts) => {
            let mut n_rows = 0;
            for (held, rows) in parts {
                for (idx, column) in batch_of(held).columns.iter().enumerate() {
                    // SAFETY: the share holds the batch until its thread asks for other rows, when DuckDB has copied these.
                    unsafe { output.slots(idx)?.lend(column, rows.clone(), n_rows) }?;
                }
                n_rows += rows.len();
            }
            mark(output, n_columns, n_rows, true)
        }
        Next::Compress => {
            let null = ColumnVector { data: ColumnData::Undecided, validity: Validity { bytes: Vec::new(), has_nulls: false } };
            (0..n_columns).try_for_each(|idx| output.slots(idx)?.write(&null, 0..1, 0))?;
            mark(output, n_columns, 1, false)
        }
        Next::Leave => {
            output.set_rows(0);
            Ok(())
        }
    });
    // SAFETY: the bridge lends the place for the length of this call.
    unsafe { *batch_index = share.batch_index };
    match given {
        Ok(()) => Answer::NONE,
        Err(err) => {
            groups.end();
            Answer { kind: -1, text: Text::give(exception_of(&err)) }
        }
    }
}

/// Says of a chunk's rows whether the statement takes them.
fn mark(output: LentChunk<'_>, n_columns: usize, n_rows: usize, is_row: bool) -> Result<()> {
    let validity = Validity { bytes: Vec::new(), has_nulls: false };
    let marks = ColumnVector { data: ColumnData::Boolean(vec![is_row; n_rows]), validity };
    output.slots(n_columns)?.write(&marks, 0..n_rows, 0)?;
    output.set_rows(n_rows);
    Ok(())
}
