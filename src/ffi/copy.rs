//! `COPY ... TO ... (FORMAT unify)`, through the copy functions of the C API. DuckDB hands the rows over on one thread at a time, in
//! the query's order.

use super::calls::{gone, message_of, statement_context};
use super::database::{c_string, DatabaseLease};
use super::functions::catalog_of;
use super::guard::{guard, guard_or};
use super::host::Bridge;
use super::json_type::JsonType;
use super::json_value::json_at;
use super::result::text_of;
use super::settings::{no_context, value_of, ContextSettings};
use super::state::State;
use super::user::ContextUser;
use crate::json::JsonValue;
use crate::load::WriteBack;
use crate::lock::lock;
use crate::session::Value;
use crate::sql::{bind_copy, BoundCopy, CopyArguments, COPY_FORMAT};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::c_void;
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
struct CopyRun {
    write: Mutex<WriteBack>,
}

/// Registers the format.
pub fn register(database: &DatabaseLease, state: &Arc<State>, bridge: &'static Bridge) -> Result<()> {
    let session = database.connect()?;
    let name = c_string(COPY_FORMAT)?;
    // SAFETY: takes no argument.
    let mut function = unsafe { duckdb_create_copy_function() };
    // SAFETY: function and name are valid; the name is copied.
    unsafe { duckdb_copy_function_set_name(function, name.as_ptr()) };
    let format = Box::into_raw(Box::new(Format { state: Arc::downgrade(state), bridge }));
    // SAFETY: DuckDB owns the format from here and frees it with `free_format`.
    unsafe { duckdb_copy_function_set_extra_info(function, format.cast(), Some(free_format)) };
    // SAFETY: the function is valid; the callback never unwinds.
    unsafe { duckdb_copy_function_set_bind(function, Some(bind)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_global_init(function, Some(start)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_sink(function, Some(sink)) };
    // SAFETY: as above.
    unsafe { duckdb_copy_function_set_finalize(function, Some(finish)) };
    // SAFETY: session and function are valid; the function is copied.
    let registered = unsafe { duckdb_register_copy_function(session.connection(), function) };
    // SAFETY: made above, freed once.
    unsafe { duckdb_destroy_copy_function(&mut function) };
    match registered == DuckDBSuccess {
        true => Ok(()),
        false => Err(Error::database(format!("DuckDB refused the format '{COPY_FORMAT}'"))),
    }
}

extern "C" fn free_format(format: *mut c_void) {
    // SAFETY: made by `register`, freed once.
    drop(unsafe { Box::from_raw(format.cast::<Format>()) });
}

extern "C" fn free_copy(copy: *mut c_void) {
    // SAFETY: made by `bind`, freed once.
    drop(unsafe { Box::from_raw(copy.cast::<Copy>()) });
}

extern "C" fn free_run(run: *mut c_void) {
    guard_or((), || {
        // SAFETY: made by `start`, freed once.
        drop(unsafe { Box::from_raw(run.cast::<CopyRun>()) });
    });
}

unsafe extern "C" fn bind(info: duckdb_copy_function_bind_info) {
    if let Err(err) = guard(|| bind_statement(info)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_bind_set_error(info, message.as_ptr()) };
    }
}

fn bind_statement(info: duckdb_copy_function_bind_info) -> Result<()> {
    // SAFETY: the info is valid.
    let format = unsafe { duckdb_copy_function_bind_get_extra_info(info) }.cast::<Format>();
    // SAFETY: the extra info is a `Format` that lives as long as the function.
    let format = unsafe { &*format };
    let state = format.state.upgrade().ok_or_else(gone)?;
    // SAFETY: the info is valid; the handle is taken.
    let context = context_of(unsafe { duckdb_copy_function_bind_get_client_context(info) })?;
    // SAFETY: the info is the one of the running binding, as the host's own code made it.
    let path = unsafe { (format.bridge.copy_path)(info.cast()) };
    // SAFETY: the text is lent for the length of the binding.
    let path = unsafe { path.as_str() }.to_string();
    // SAFETY: the info is valid.
    let n_columns = unsafe { duckdb_copy_function_bind_get_column_count(info) };
    let mut columns = Vec::new();
    for idx in 0..n_columns {
        // SAFETY: as for the path; there is a name for each column.
        let name = unsafe { (format.bridge.copy_column)(info.cast(), idx as usize) };
        // SAFETY: as for the path.
        let name = unsafe { name.as_str() }.to_string();
        // SAFETY: the column exists; its type is given away.
        let json_type = JsonType::of(unsafe { duckdb_copy_function_bind_get_column_type(info, idx) });
        columns.push((name.clone(), json_type.map_err(|err| err.within(format!("column '{name}'")))?));
    }
    let arguments = CopyArguments { path, columns: columns.iter().map(|(name, _)| name.clone()).collect(), options: options_of(info)? };
    let catalog = catalog_of(&state, &context);
    let interrupted = || state.is_interrupted(context.address());
    let user = ContextUser { state: &state, context: &context };
    let bound = bind_copy(&arguments, &statement_context(&user, &catalog, &interrupted)?)?;
    let copy = Copy { state: format.state.clone(), bound, columns };
    // SAFETY: DuckDB owns the copy from here and frees it with `free_copy`.
    unsafe { duckdb_copy_function_bind_set_bind_data(info, Box::into_raw(Box::new(copy)).cast(), Some(free_copy)) };
    Ok(())
}

/// Takes the ClientContext out of a handle of the C API.
fn context_of(handle: duckdb_client_context) -> Result<ContextSettings> {
    let context = ContextSettings::of_raw(ContextSettings::take_context(handle));
    match context.address() {
        0 => Err(no_context()),
        _ => Ok(context),
    }
}

/// Returns the options that DuckDB left to the format, by name.
fn options_of(info: duckdb_copy_function_bind_info) -> Result<Vec<(String, Value)>> {
    // SAFETY: the info is valid; the value is given away.
    let mut options = unsafe { duckdb_copy_function_bind_get_options(info) };
    let mut named = Vec::new();
    // SAFETY: the value is valid.
    if !options.is_null() && !unsafe { duckdb_is_null_value(options) } {
        // SAFETY: the value is valid; the type belongs to it.
        let struct_type = unsafe { duckdb_get_value_type(options) };
        // SAFETY: options that are there are a struct.
        for idx in 0..unsafe { duckdb_struct_type_child_count(struct_type) } {
            // SAFETY: the field is there; its name is given away.
            let name = unsafe { duckdb_struct_type_child_name(struct_type, idx) };
            // SAFETY: the field is there; its value is given away.
            let mut value = unsafe { duckdb_get_struct_child(options, idx) };
            named.push((text_of(name).unwrap_or_default(), value_of(value)));
            // SAFETY: the name is ours, freed once.
            unsafe { duckdb_free(name.cast()) };
            // SAFETY: the value is ours, freed once.
            unsafe { duckdb_destroy_value(&mut value) };
        }
    }
    // SAFETY: the value is ours, freed once.
    unsafe { duckdb_destroy_value(&mut options) };
    named.into_iter().map(|(name, value)| Ok((name, value?))).collect()
}

unsafe extern "C" fn start(info: duckdb_copy_function_global_init_info) {
    if let Err(err) = guard(|| start_run(info)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_global_init_set_error(info, message.as_ptr()) };
    }
}

fn start_run(info: duckdb_copy_function_global_init_info) -> Result<()> {
    // SAFETY: the info is valid.
    let copy = copy_of(unsafe { duckdb_copy_function_global_init_get_bind_data(info) });
    let state = copy.state.upgrade().ok_or_else(gone)?;
    // SAFETY: the info is valid; the handle is taken.
    let context = context_of(unsafe { duckdb_copy_function_global_init_get_client_context(info) })?;
    // SAFETY: the info is valid; the path is lent for the length of the call.
    let path = text_of(unsafe { duckdb_copy_function_global_init_get_file_path(info) }).unwrap_or_default();
    let write = copy.bound.start(&path, &state.instance().loader, &context.read()?, context.session())?;
    let run = Box::into_raw(Box::new(CopyRun { write: Mutex::new(write) }));
    // SAFETY: DuckDB owns the run from here and frees it with `free_run`.
    unsafe { duckdb_copy_function_global_init_set_global_state(info, run.cast(), Some(free_run)) };
    Ok(())
}

/// Borrows the bind data, which lives as long as the plan.
fn copy_of<'a>(bind_data: *mut c_void) -> &'a Copy {
    // SAFETY: the bind data of the format is a `Copy`.
    unsafe { &*bind_data.cast::<Copy>() }
}

/// Borrows the state of an execution, which lives as long as that.
fn run_of<'a>(global_state: *mut c_void) -> &'a CopyRun {
    // SAFETY: the state of the format is a `CopyRun`.
    unsafe { &*global_state.cast::<CopyRun>() }
}

unsafe extern "C" fn sink(info: duckdb_copy_function_sink_info, chunk: duckdb_data_chunk) {
    if let Err(err) = guard(|| take_rows(info, chunk)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_sink_set_error(info, message.as_ptr()) };
    }
}

fn take_rows(info: duckdb_copy_function_sink_info, chunk: duckdb_data_chunk) -> Result<()> {
    // SAFETY: the info is valid.
    let copy = copy_of(unsafe { duckdb_copy_function_sink_get_bind_data(info) });
    // SAFETY: the info is valid.
    let run = run_of(unsafe { duckdb_copy_function_sink_get_global_state(info) });
    // SAFETY: the info is valid; the handle is taken.
    let context = context_of(unsafe { duckdb_copy_function_sink_get_client_context(info) })?;
    let state = copy.state.upgrade().ok_or_else(gone)?;
    let interrupted = || state.is_interrupted(context.address());
    let mut write = lock(&run.write);
    // SAFETY: the chunk is valid.
    for row_idx in 0..unsafe { duckdb_data_chunk_get_size(chunk) } as usize {
        let row = row_of(chunk, &copy.columns, row_idx).map_err(|err| write.fail(err))?;
        write.push(row, &interrupted)?;
    }
    Ok(())
}

fn row_of(chunk: duckdb_data_chunk, columns: &[(String, JsonType)], row_idx: usize) -> Result<Vec<JsonValue>> {
    let mut row = Vec::with_capacity(columns.len());
    for (idx, (name, json_type)) in columns.iter().enumerate() {
        // SAFETY: the chunk has a flat vector for each column.
        let vector = unsafe { duckdb_data_chunk_get_vector(chunk, idx as idx_t) };
        row.push(json_at(vector, json_type, row_idx).map_err(|err| err.within(format!("column '{name}'")))?);
    }
    Ok(row)
}

unsafe extern "C" fn finish(info: duckdb_copy_function_finalize_info) {
    if let Err(err) = guard(|| finish_run(info)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_copy_function_finalize_set_error(info, message.as_ptr()) };
    }
}

fn finish_run(info: duckdb_copy_function_finalize_info) -> Result<()> {
    // SAFETY: the info is valid.
    let copy = copy_of(unsafe { duckdb_copy_function_finalize_get_bind_data(info) });
    // SAFETY: the info is valid.
    let run = run_of(unsafe { duckdb_copy_function_finalize_get_global_state(info) });
    // SAFETY: the info is valid; the handle is taken.
    let context = context_of(unsafe { duckdb_copy_function_finalize_get_client_context(info) })?;
    let state = copy.state.upgrade().ok_or_else(gone)?;
    let mut write = lock(&run.write);
    write.finish(&|| state.is_interrupted(context.address()))
}
