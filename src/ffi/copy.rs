//! `COPY ... TO ... (FORMAT unify)`, through the copy functions of the C API. DuckDB hands the rows over on one thread at a time, in
//! the query's order.

use super::calls::{gone, statement_context};
use super::chunk::LentChunk;
use super::connection::Connection;
use super::context::RunningContext;
use super::functions::catalog_of;
use super::guard::guard;
use super::host::Bridge;
use super::json_type::JsonType;
use super::json_value::json_at;
use super::lent::{carried, free, give, Lent};
use super::state::State;
use super::text::{c_string, message_of, text_of};
use super::types::OwnedType;
use super::user::ContextUser;
use super::value::OwnedValue;
use super::vector::Vector;
use crate::document::JsonValue;
use crate::load::WriteBack;
use crate::lock::lock;
use crate::session::Value;
use crate::sql::{bind_copy, BoundCopy, CopyArguments, COPY_FORMAT};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::sync::{Arc, Mutex, Weak};

/// What the registered format carries.
struct Format {
    state: Weak<State>,
    bridge: &'static Bridge,
}

/// A bound COPY.
struct Copy {
    state: Weak<State>,
    bound: BoundCopy,
    columns: Vec<(String, JsonType)>,
}

/// A COPY under way.
type CopyRun = Mutex<WriteBack>;

/// A format that is being made; it is freed when this is dropped, and what was registered is a copy.
struct NewFormat(duckdb_copy_function);

impl Drop for NewFormat {
    fn drop(&mut self) {
        // SAFETY: made by `register`, freed once.
        unsafe { duckdb_destroy_copy_function(&mut self.0) };
    }
}

/// Registers the format.
pub fn register(connection: &Connection, state: &Arc<State>, bridge: &'static Bridge) -> Result<()> {
    let name = c_string(COPY_FORMAT)?;
    // SAFETY: takes no argument.
    let function = NewFormat(unsafe { duckdb_create_copy_function() });
    // SAFETY: function and name are valid; the name is copied.
    unsafe { duckdb_copy_function_set_name(function.0, name.as_ptr()) };
    let format = give(Format { state: Arc::downgrade(state), bridge });
    // SAFETY: DuckDB owns the format from here and frees it with `free`.
    unsafe { duckdb_copy_function_set_extra_info(function.0, format, Some(free::<Format>)) };
    // SAFETY: the function is valid; the callback never unwinds.
    unsafe { duckdb_copy_function_set_bind(function.0, Some(bind)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_global_init(function.0, Some(start)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_sink(function.0, Some(sink)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_finalize(function.0, Some(finish)) };
    // SAFETY: connection and function are valid; the function is copied.
    let registered = unsafe { duckdb_register_copy_function(connection.as_raw(), function.0) };
    match registered == DuckDBSuccess {
        true => Ok(()),
        false => Err(Error::database(format!("DuckDB refused the format '{COPY_FORMAT}'"))),
    }
}

unsafe extern "C" fn bind(info: duckdb_copy_function_bind_info) {
    // SAFETY: the info is valid.
    let extra = unsafe { duckdb_copy_function_bind_get_extra_info(info) };
    // SAFETY: the extra info is a `Format` that lives as long as the function.
    let format = unsafe { carried::<Format>(extra) };
    // SAFETY: DuckDB lends the info for the length of this call.
    let lent = unsafe { Lent::borrow(info) };
    if let Err(err) = guard(|| bind_statement(lent, format)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_bind_set_error(info, message.as_ptr()) };
    }
}

fn bind_statement(info: Lent<'_, duckdb_copy_function_bind_info>, format: &Format) -> Result<()> {
    let state = format.state.upgrade().ok_or_else(gone)?;
    state.check_process()?;
    // SAFETY: the info is valid; the handle is ours, and the statement is under way during this call.
    let handle = unsafe { duckdb_copy_function_bind_get_client_context(info.raw()) };
    // SAFETY: the handle is ours.
    let context = unsafe { RunningContext::take(handle) }?;
    // SAFETY: the info is the one of the running binding, as the host's own code made it.
    let path = unsafe { (format.bridge.copy_path)(info.raw().cast()) };
    // SAFETY: the text is lent for the length of the binding.
    let path = unsafe { path.as_str() }.to_string();
    // SAFETY: the info is valid.
    let n_columns = unsafe { duckdb_copy_function_bind_get_column_count(info.raw()) };
    let mut columns = Vec::new();
    for idx in 0..n_columns {
        // SAFETY: as for the path; there is a name for each column.
        let name = unsafe { (format.bridge.copy_column)(info.raw().cast(), idx as usize) };
        // SAFETY: as for the path.
        let name = unsafe { name.as_str() }.to_string();
        // SAFETY: the column exists; its type is ours.
        let raw = unsafe { duckdb_copy_function_bind_get_column_type(info.raw(), idx) };
        // SAFETY: what the call gave is ours.
        let column_type = unsafe { OwnedType::take(raw) };
        columns.push((name.clone(), JsonType::of(&column_type).map_err(|err| err.within(format!("column '{name}'")))?));
    }
    let arguments = CopyArguments { path, columns: columns.iter().map(|(name, _)| name.clone()).collect(), options: options_of(info)? };
    let catalog = catalog_of(&state, &context);
    let interrupted = || state.is_interrupted(&context);
    let user = ContextUser { state: &state, context: &context };
    let bound = bind_copy(&arguments, &statement_context(&user, &catalog, &interrupted)?)?;
    let copy = Copy { state: format.state.clone(), bound, columns };
    // SAFETY: DuckDB owns the copy from here and frees it with `free`.
    unsafe { duckdb_copy_function_bind_set_bind_data(info.raw(), give(copy), Some(free::<Copy>)) };
    Ok(())
}

/// Returns the options that DuckDB left to the format, by name.
fn options_of(info: Lent<'_, duckdb_copy_function_bind_info>) -> Result<Vec<(String, Value)>> {
    // SAFETY: the info is valid; the value is ours.
    let raw = unsafe { duckdb_copy_function_bind_get_options(info.raw()) };
    // SAFETY: what the call gave is ours.
    let options = unsafe { OwnedValue::take(raw) };
    options.lent().struct_fields()
}

unsafe extern "C" fn start(info: duckdb_copy_function_global_init_info) {
    // SAFETY: the info is valid.
    let bind_data = unsafe { duckdb_copy_function_global_init_get_bind_data(info) };
    // SAFETY: the bind data of the format is a `Copy` that lives as long as the plan.
    let copy = unsafe { carried::<Copy>(bind_data) };
    // SAFETY: DuckDB lends the info for the length of this call.
    let lent = unsafe { Lent::borrow(info) };
    if let Err(err) = guard(|| start_run(lent, copy)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_global_init_set_error(info, message.as_ptr()) };
    }
}

fn start_run(info: Lent<'_, duckdb_copy_function_global_init_info>, copy: &Copy) -> Result<()> {
    let state = copy.state.upgrade().ok_or_else(gone)?;
    // SAFETY: the info is valid; the handle is ours, and the statement is under way during this call.
    let handle = unsafe { duckdb_copy_function_global_init_get_client_context(info.raw()) };
    // SAFETY: the handle is ours.
    let context = unsafe { RunningContext::take(handle) }?;
    // SAFETY: the info is valid; the path is lent for the length of the call.
    let path = unsafe { duckdb_copy_function_global_init_get_file_path(info.raw()) };
    // SAFETY: as above.
    let path = unsafe { text_of(path) }.unwrap_or_default();
    let write = copy.bound.start(&path, &state.instance().loader, &context.read()?, context.session())?;
    // SAFETY: DuckDB owns the run from here and frees it with `free`.
    unsafe { duckdb_copy_function_global_init_set_global_state(info.raw(), give(Mutex::new(write)), Some(free::<CopyRun>)) };
    Ok(())
}

unsafe extern "C" fn sink(info: duckdb_copy_function_sink_info, chunk: duckdb_data_chunk) {
    // SAFETY: the info is valid.
    let bind_data = unsafe { duckdb_copy_function_sink_get_bind_data(info) };
    // SAFETY: the bind data of the format is a `Copy` that lives as long as the plan.
    let copy = unsafe { carried::<Copy>(bind_data) };
    // SAFETY: the info is valid.
    let state = unsafe { duckdb_copy_function_sink_get_global_state(info) };
    // SAFETY: the state of the format is a `CopyRun` that lives as long as the execution.
    let run = unsafe { carried::<CopyRun>(state) };
    // SAFETY: the info is valid; the handle is ours.
    let handle = unsafe { duckdb_copy_function_sink_get_client_context(info) };
    // SAFETY: DuckDB lends the chunk, whose vectors are flat, for the length of this call.
    let rows = unsafe { LentChunk::borrow(chunk) };
    // SAFETY: the handle is ours, and the statement is under way during this call.
    if let Err(err) = guard(|| take_rows(copy, run, unsafe { RunningContext::take(handle) }?, rows)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_sink_set_error(info, message.as_ptr()) };
    }
}

fn take_rows(copy: &Copy, run: &CopyRun, context: RunningContext, chunk: LentChunk<'_>) -> Result<()> {
    let state = copy.state.upgrade().ok_or_else(gone)?;
    let interrupted = || state.is_interrupted(&context);
    let mut write = lock(run);
    let columns: Vec<Vector<'_>> = (0..copy.columns.len()).map(|idx| chunk.column(idx)).collect::<Result<_>>()?;
    for row_idx in 0..chunk.n_rows() {
        let row = row_of(&columns, &copy.columns, row_idx).map_err(|err| write.fail(err))?;
        write.push(row, &interrupted)?;
    }
    Ok(())
}

fn row_of(vectors: &[Vector<'_>], columns: &[(String, JsonType)], row_idx: usize) -> Result<Vec<JsonValue>> {
    let value = |(vector, (name, json_type)): (&Vector<'_>, &(String, JsonType))| {
        json_at(vector, json_type, row_idx).map_err(|err| err.within(format!("column '{name}'")))
    };
    vectors.iter().zip(columns).map(value).collect()
}

unsafe extern "C" fn finish(info: duckdb_copy_function_finalize_info) {
    // SAFETY: the info is valid.
    let bind_data = unsafe { duckdb_copy_function_finalize_get_bind_data(info) };
    // SAFETY: the bind data of the format is a `Copy` that lives as long as the plan.
    let copy = unsafe { carried::<Copy>(bind_data) };
    // SAFETY: the info is valid.
    let state = unsafe { duckdb_copy_function_finalize_get_global_state(info) };
    // SAFETY: the state of the format is a `CopyRun` that lives as long as the execution.
    let run = unsafe { carried::<CopyRun>(state) };
    // SAFETY: the info is valid; the handle is ours.
    let handle = unsafe { duckdb_copy_function_finalize_get_client_context(info) };
    // SAFETY: the handle is ours, and the statement is under way during this call.
    if let Err(err) = guard(|| finish_run(copy, run, unsafe { RunningContext::take(handle) }?)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_finalize_set_error(info, message.as_ptr()) };
    }
}

fn finish_run(copy: &Copy, run: &CopyRun, context: RunningContext) -> Result<()> {
    let state = copy.state.upgrade().ok_or_else(gone)?;
    lock(run).finish(&|| state.is_interrupted(&context))
}
