//! Registers Unify's table functions, and runs their calls.

use super::database::{c_string, DatabaseLease};
use super::guard::guard;
use super::host::Bridge;
use super::scan::{ScanPlan, ScanRun};
use super::settings::{no_context, value_of, ContextSettings};
use super::state::State;
use super::vector::{write_rows, Place, Strings};
use super::wait::Wait;
use crate::columns::{Batch, ColumnType};
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::{
    functions, Arguments, Bound, BoundCall, ParameterDef, ParameterType, StatementContext, Step, TableFunction, WaitingCall, Work,
};
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::*;
use std::ffi::{c_void, CString};
use std::sync::{Arc, Weak};

/// What a registered function carries.
struct Registered {
    state: Weak<State>,
    function: Arc<dyn TableFunction>,
}

/// A bound call.
struct Call {
    state: Weak<State>,
    /// Address of the ClientContext that bound the call and runs it.
    context: usize,
    current_catalog: String,
    plan: CallPlan,
}

enum CallPlan {
    Rows(Box<dyn BoundCall>),
    Waiting(Box<dyn WaitingCall>),
    Scan(ScanPlan),
}

/// A call under way.
enum CallRun {
    NotStarted,
    Working(Box<dyn Work>),
    Rows { batches: std::vec::IntoIter<Batch>, batch: Option<Batch>, next_row: usize },
    Scan(ScanRun),
}

/// Registers every function.
pub fn register(database: &DatabaseLease, state: &Arc<State>, bridge: &Bridge) -> Result<()> {
    let session = database.connect()?;
    for function in functions() {
        let function: Arc<dyn TableFunction> = Arc::from(function);
        register_one(session.connection(), Registered { state: Arc::downgrade(state), function }, bridge)?;
    }
    Ok(())
}

fn register_one(connection: duckdb_connection, registered: Registered, bridge: &Bridge) -> Result<()> {
    let def = registered.function.def();
    let name = c_string(def.name)?;
    // SAFETY: takes no argument.
    let mut function = unsafe { duckdb_create_table_function() };
    // SAFETY: function and name are valid; the name is copied.
    unsafe { duckdb_table_function_set_name(function, name.as_ptr()) };
    for parameter in def.positional {
        let mut logical_type = parameter_type(parameter);
        // SAFETY: function and type are valid; the type is copied and then freed once.
        unsafe { duckdb_table_function_add_parameter(function, logical_type) };
        // SAFETY: made above.
        unsafe { duckdb_destroy_logical_type(&mut logical_type) };
    }
    if def.has_optional {
        // SAFETY: the function has a parameter by position.
        unsafe { (bridge.make_optional)(function.cast()) };
    }
    for parameter in def.named {
        let mut logical_type = parameter_type(parameter);
        let parameter_name = c_string(parameter.name)?;
        // SAFETY: function, name and type are valid; both are copied.
        unsafe { duckdb_table_function_add_named_parameter(function, parameter_name.as_ptr(), logical_type) };
        // SAFETY: made above.
        unsafe { duckdb_destroy_logical_type(&mut logical_type) };
    }
    let extra = Box::into_raw(Box::new(registered));
    // SAFETY: DuckDB owns `extra` from here and frees it with `free_registered`.
    unsafe { duckdb_table_function_set_extra_info(function, extra.cast(), Some(free_registered)) };
    // SAFETY: the function is valid; the callback never unwinds.
    unsafe { duckdb_table_function_set_bind(function, Some(bind)) };
    // SAFETY: as above.
    unsafe { duckdb_table_function_set_init(function, Some(init)) };
    // SAFETY: as above.
    unsafe { duckdb_table_function_set_function(function, Some(run)) };
    // SAFETY: the function is valid.
    unsafe { duckdb_table_function_supports_projection_pushdown(function, true) };
    // SAFETY: the function was made by the host the bridge is for.
    unsafe { (bridge.run_in_steps)(function.cast()) };
    // SAFETY: connection and function are valid; the function is copied.
    let registered = unsafe { duckdb_register_table_function(connection, function) };
    // SAFETY: made above, freed once.
    unsafe { duckdb_destroy_table_function(&mut function) };
    if registered != DuckDBSuccess {
        return Err(Error::database(format!("DuckDB refused the function '{}'", name.to_string_lossy())));
    }
    Ok(())
}

fn parameter_type(parameter: &ParameterDef) -> duckdb_logical_type {
    let type_id = match parameter.parameter_type {
        ParameterType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        ParameterType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
        ParameterType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
    };
    // SAFETY: takes a valid type id.
    unsafe { duckdb_create_logical_type(type_id) }
}

extern "C" fn free_registered(extra: *mut c_void) {
    // SAFETY: made by `register_one`, freed once.
    drop(unsafe { Box::from_raw(extra.cast::<Registered>()) });
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    if let Err(err) = guard(|| bind_call(info)) {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_bind_set_error(info, message.as_ptr()) };
    }
}

fn bind_call(info: duckdb_bind_info) -> Result<()> {
    // SAFETY: the info is valid.
    let extra = unsafe { duckdb_bind_get_extra_info(info) }.cast::<Registered>();
    // SAFETY: the extra info is a `Registered` that lives as long as the function.
    let registered = unsafe { &*extra };
    let state = registered.state.upgrade().ok_or_else(gone)?;
    let mut handle: duckdb_client_context = std::ptr::null_mut();
    // SAFETY: the handle is written and then taken.
    unsafe { duckdb_table_function_get_client_context(info, &mut handle) };
    let context = ContextSettings::of_raw(ContextSettings::take_context(handle));
    if context.address() == 0 {
        return Err(no_context());
    }
    let arguments = arguments_of(info, registered.function.as_ref());
    let def = registered.function.def();
    if arguments.positional.len() > def.positional.len() {
        let (expected, found) = (def.positional.len(), arguments.positional.len());
        return Err(Error::config(format!("{} takes at most {expected} arguments, found {found}; for example {}", def.name, def.example)));
    }
    let current_catalog = current_catalog(&state, &context)?;
    let bound = {
        let interrupted = || state.is_interrupted(context.address());
        let ctx = statement_context(&state, &context, &current_catalog, &interrupted)?;
        registered.function.bind(&arguments, &ctx)?
    };
    let plan = match bound {
        Bound::Rows(call) => {
            for column in &call.schema().columns {
                add_result_column(info, &column.name, column.column_type)?;
            }
            CallPlan::Rows(call)
        }
        Bound::Waiting(call) => {
            for column in &call.schema().columns {
                add_result_column(info, &column.name, column.column_type)?;
            }
            CallPlan::Waiting(call)
        }
        Bound::Scan(table) => CallPlan::Scan(ScanPlan::bind(info, state.instance().database.as_ref(), &table)?),
    };
    let call = Call { state: registered.state.clone(), context: context.address(), current_catalog, plan };
    // SAFETY: DuckDB owns the call from here and frees it with `free_call`.
    unsafe { duckdb_bind_set_bind_data(info, Box::into_raw(Box::new(call)).cast(), Some(free_call)) };
    Ok(())
}

fn statement_context<'a>(
    state: &'a State,
    context: &ContextSettings,
    current_catalog: &str,
    interrupted: &'a dyn Fn() -> bool,
) -> Result<StatementContext<'a>> {
    Ok(StatementContext {
        instance: state.instance(),
        settings: context.read()?,
        current_catalog: current_catalog.to_string(),
        interrupted,
        has_progress_bar: context.value("enable_progress_bar") == Some(Value::Boolean(true)),
    })
}

fn gone() -> Error {
    Error::new(ErrorKind::DatabaseGone, "the database was closed")
}

/// Returns the attached database that unqualified names mean in the statement's session.
fn current_catalog(state: &State, context: &ContextSettings) -> Result<String> {
    let mut session = state.instance().database.connect()?;
    if let Some(catalog) = context.search_path_catalog() {
        // As DuckDB has the name: USE takes it in any case.
        let catalog = quote_literal(&catalog);
        let rows = session.query(&format!("SELECT database_name FROM duckdb_databases() WHERE lower(database_name) = lower({catalog})"))?;
        if let Some(name) = rows.first().and_then(|row| row.first()).and_then(|value| value.as_text()) {
            return Ok(name.to_string());
        }
    }
    let rows = session.query("SELECT current_database()")?;
    let name = rows.first().and_then(|row| row.first()).and_then(|value| value.as_text().map(str::to_string));
    name.ok_or_else(|| Error::internal("the database has no name"))
}

fn arguments_of(info: duckdb_bind_info, function: &dyn TableFunction) -> Arguments {
    let mut arguments = Arguments::default();
    // SAFETY: the bind info is valid.
    let n_positional = unsafe { duckdb_bind_get_parameter_count(info) };
    for idx in 0..n_positional {
        // SAFETY: the parameter exists.
        let mut value = unsafe { duckdb_bind_get_parameter(info, idx) };
        arguments.positional.push(value_of(value));
        // SAFETY: the value is ours, freed once.
        unsafe { duckdb_destroy_value(&mut value) };
    }
    for parameter in function.def().named {
        let Ok(name) = c_string(parameter.name) else { continue };
        // SAFETY: the name is valid; null when the parameter was not given.
        let mut value = unsafe { duckdb_bind_get_named_parameter(info, name.as_ptr()) };
        if !value.is_null() {
            arguments.named.push((parameter.name.to_string(), value_of(value)));
            // SAFETY: the value is ours, freed once.
            unsafe { duckdb_destroy_value(&mut value) };
        }
    }
    arguments
}

fn add_result_column(info: duckdb_bind_info, name: &str, column_type: ColumnType) -> Result<()> {
    let name = c_string(name)?;
    let mut logical_type = logical_type_of(column_type);
    // SAFETY: name and type are valid and copied.
    unsafe { duckdb_bind_add_result_column(info, name.as_ptr(), logical_type) };
    // SAFETY: made above, freed once.
    unsafe { duckdb_destroy_logical_type(&mut logical_type) };
    Ok(())
}

fn logical_type_of(column_type: ColumnType) -> duckdb_logical_type {
    let scalar = |scalar: ScalarType| {
        let type_id = match scalar {
            ScalarType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
            ScalarType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
            ScalarType::HugeInt => DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT,
            ScalarType::Double => DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
            ScalarType::Date => DUCKDB_TYPE_DUCKDB_TYPE_DATE,
            ScalarType::Timestamp => DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP,
            ScalarType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        };
        // SAFETY: takes a valid type id.
        unsafe { duckdb_create_logical_type(type_id) }
    };
    match column_type {
        ColumnType::Undecided => scalar(ScalarType::Varchar),
        ColumnType::Scalar(scalar_type) => scalar(scalar_type),
        ColumnType::List(child) => {
            let mut child = scalar(child.unwrap_or(ScalarType::Varchar));
            // SAFETY: the child type is valid and copied.
            let list = unsafe { duckdb_create_list_type(child) };
            // SAFETY: made above, freed once.
            unsafe { duckdb_destroy_logical_type(&mut child) };
            list
        }
        ColumnType::Json => {
            let json = scalar(ScalarType::Varchar);
            // SAFETY: the type is valid; the alias is a static text and copied.
            unsafe { duckdb_logical_type_set_alias(json, c"JSON".as_ptr()) };
            json
        }
    }
}

extern "C" fn free_call(call: *mut c_void) {
    // SAFETY: made by `bind_call`, freed once.
    drop(unsafe { Box::from_raw(call.cast::<Call>()) });
}

unsafe extern "C" fn init(info: duckdb_init_info) {
    let outcome = guard(|| {
        // SAFETY: the info is valid.
        let call = unsafe { duckdb_init_get_bind_data(info) }.cast::<Call>();
        // SAFETY: the bind data is a `Call` that lives as long as the plan.
        let call = unsafe { &*call };
        let run = match &call.plan {
            CallPlan::Rows(_) | CallPlan::Waiting(_) => RunState { run: CallRun::NotStarted, projection: projection_of(info) },
            CallPlan::Scan(plan) => {
                let state = call.state.upgrade().ok_or_else(gone)?;
                let interrupted = || state.is_interrupted(call.context);
                let run = plan.start(&projection_of(info), state.instance().database.as_ref(), &interrupted)?;
                RunState { run: CallRun::Scan(run), projection: Vec::new() }
            }
        };
        // SAFETY: DuckDB owns the run from here and frees it with `free_run`.
        unsafe { duckdb_init_set_init_data(info, Box::into_raw(Box::new(run)).cast(), Some(free_run)) };
        // SAFETY: the info is valid.
        unsafe { duckdb_init_set_max_threads(info, 1) };
        Ok(())
    });
    if let Err(err) = outcome {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_init_set_error(info, message.as_ptr()) };
    }
}

struct RunState {
    run: CallRun,
    /// For rows Unify makes: which columns the statement wants, in order.
    projection: Vec<usize>,
}

fn projection_of(info: duckdb_init_info) -> Vec<usize> {
    // SAFETY: the info is valid.
    let n_columns = unsafe { duckdb_init_get_column_count(info) };
    // SAFETY: the column exists.
    (0..n_columns).map(|idx| unsafe { duckdb_init_get_column_index(info, idx) } as usize).collect()
}

extern "C" fn free_run(run: *mut c_void) {
    // SAFETY: made by `init`, freed once.
    drop(unsafe { Box::from_raw(run.cast::<RunState>()) });
}

unsafe extern "C" fn run(info: duckdb_function_info, output: duckdb_data_chunk) {
    let outcome = guard(|| {
        // SAFETY: the info is valid.
        let call = unsafe { duckdb_function_get_bind_data(info) }.cast::<Call>();
        // SAFETY: the bind data is a `Call` that lives as long as the plan.
        let call = unsafe { &*call };
        // SAFETY: the info is valid.
        let run_state = unsafe { duckdb_function_get_init_data(info) }.cast::<RunState>();
        // SAFETY: the init data is a `RunState`; one thread at a time uses it.
        let run_state = unsafe { &mut *run_state };
        fill(call, run_state, output)
    });
    if let Err(err) = outcome {
        let message = message_of(&err);
        // SAFETY: the message is copied.
        unsafe { duckdb_function_set_error(info, message.as_ptr()) };
    }
}

/// Goes on with a call until its rows are there. Returns what it waits for if they are not.
fn work(call: &Call, run_state: &mut RunState) -> Result<Option<Wait>> {
    let state = call.state.upgrade().ok_or_else(gone)?;
    let context = ContextSettings::of_raw(call.context as *const c_void);
    let interrupted = || state.is_interrupted(call.context);
    let ctx = statement_context(&state, &context, &call.current_catalog, &interrupted)?;
    let step = match (&mut run_state.run, &call.plan) {
        (CallRun::NotStarted, CallPlan::Rows(bound)) => Step::Rows(bound.run(&ctx)?),
        (CallRun::NotStarted, CallPlan::Waiting(bound)) => {
            let mut work = bound.start(&ctx)?;
            let step = work.step(&ctx)?;
            run_state.run = CallRun::Working(work);
            step
        }
        (CallRun::Working(work), _) => work.step(&ctx)?,
        _ => return Err(Error::internal("a call has nothing to run")),
    };
    match step {
        Step::Waits(job) => Ok(Some(Wait { job, state: call.state.clone(), context: call.context })),
        Step::Rows(batches) => {
            run_state.run = CallRun::Rows { batches: batches.into_iter(), batch: None, next_row: 0 };
            Ok(None)
        }
    }
}

fn fill(call: &Call, run_state: &mut RunState, output: duckdb_data_chunk) -> Result<()> {
    Wait::leave(None);
    if matches!(run_state.run, CallRun::NotStarted | CallRun::Working(_)) {
        if let Some(wait) = work(call, run_state)? {
            Wait::leave(Some(wait));
            // SAFETY: the chunk is valid; the bridge says that there are rows to come.
            unsafe { duckdb_data_chunk_set_size(output, 0) };
            return Ok(());
        }
    }
    match &mut run_state.run {
        CallRun::NotStarted | CallRun::Working(_) => Err(Error::internal("a call ran before it started")),
        CallRun::Scan(scan) => scan.next(output),
        CallRun::Rows { batches, batch, next_row } => {
            while batch.as_ref().is_none_or(|batch| *next_row >= batch.n_rows) {
                *next_row = 0;
                *batch = batches.next();
                if batch.is_none() {
                    // SAFETY: the chunk is valid; no rows ends the scan.
                    unsafe { duckdb_data_chunk_set_size(output, 0) };
                    return Ok(());
                }
            }
            let Some(batch) = batch else { return Ok(()) };
            // SAFETY: takes no argument.
            let chunk_rows = unsafe { duckdb_vector_size() } as usize;
            let rows = *next_row..(*next_row + chunk_rows).min(batch.n_rows);
            *next_row = rows.end;
            for (to, from) in run_state.projection.iter().enumerate() {
                let Some(column) = batch.columns.get(*from) else { continue };
                // SAFETY: the chunk has a vector for each projected column.
                let vector = unsafe { duckdb_data_chunk_get_vector(output, to as idx_t) };
                write_rows(vector, column, rows.clone(), Place { at: 0, strings: Strings::Copied })?;
            }
            // SAFETY: the rows were written to every vector.
            unsafe { duckdb_data_chunk_set_size(output, rows.len() as idx_t) };
            Ok(())
        }
    }
}

/// Returns how far the call is, in percent; -1 when unknown.
pub fn progress_of(bind_data: *const c_void) -> f64 {
    if bind_data.is_null() {
        return -1.0;
    }
    // SAFETY: DuckDB asks for the progress of a function of ours while its plan lives, so this is a `Call`.
    let call = unsafe { &*bind_data.cast::<Call>() };
    match &call.plan {
        CallPlan::Waiting(bound) => bound.progress().unwrap_or(-1.0),
        CallPlan::Rows(_) | CallPlan::Scan(_) => -1.0,
    }
}

fn message_of(err: &Error) -> CString {
    CString::new(err.message().replace('\0', " ")).unwrap_or_default()
}
