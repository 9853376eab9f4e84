//! Registers Unify's table functions, and binds their calls.

use super::callbacks::Text;
use super::calls::{free_call, gone, init, run, statement_context, Call, CallPlan};
use super::database::{c_string, DatabaseLease};
use super::guard::guard;
use super::host::{done, Bridge};
use super::own::OwnStatement;
use super::raised;
use super::scan::ScanPlan;
use super::settings::{no_context, value_of, ContextSettings};
use super::state::State;
use super::types::logical_type_of;
use super::user::ContextUser;
use crate::columns::ColumnType;
use crate::session::{quote_literal, Session};
use crate::spec::ScalarType;
use crate::sql::{functions, target_catalog, Arguments, Bound, ParameterDef, ParameterType, TableFunction};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::c_void;
use std::sync::{Arc, Weak};

/// Rows that a call which waits is said to have.
const WAITING_WEIGHT: idx_t = 1000;

/// What a registered function carries.
struct Registered {
    state: Weak<State>,
    function: Arc<dyn TableFunction>,
}

/// Registers every function, all of them in one transaction: nobody sees one that is not described yet.
pub fn register(database: &DatabaseLease, state: &Arc<State>, bridge: &Bridge) -> Result<()> {
    let mut session = database.connect()?;
    session.execute("BEGIN TRANSACTION")?;
    for function in functions() {
        let function: Arc<dyn TableFunction> = Arc::from(function);
        register_one(session.connection(), Registered { state: Arc::downgrade(state), function }, bridge)?;
    }
    done(describe_all(session.connection(), bridge), "describe the functions")?;
    session.execute("COMMIT")
}

/// Gives the functions of the connection's transaction the descriptions that `duckdb_functions()` shows. The C API cannot, but finds an
/// entry of the schema they are in. Returns whether it was done.
fn describe_all(connection: duckdb_connection, bridge: &Bridge) -> bool {
    let mut context: duckdb_client_context = std::ptr::null_mut();
    // SAFETY: the connection is valid; the context is written.
    unsafe { duckdb_connection_get_client_context(connection, &mut context) };
    // SAFETY: the context is valid, the name a C string; null when there is no such catalog.
    let mut catalog = unsafe { duckdb_client_context_get_catalog(context, c"system".as_ptr()) };
    let view = duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_VIEW;
    // SAFETY: the names are C strings; null when the catalog is or when there is no such entry.
    let mut neighbour = unsafe { duckdb_catalog_get_entry(catalog, context, view, c"main".as_ptr(), c"duckdb_tables".as_ptr()) };
    let context = ContextSettings::take_context(context);
    let mut was_done = true;
    if !neighbour.is_null() {
        for function in functions() {
            let def = function.def();
            let (name, description, example) = (Text::lend(def.name), Text::lend(def.description), Text::lend(def.example));
            // SAFETY: entry and context are alive; the texts are copied.
            was_done &= unsafe { (bridge.describe)(neighbour.cast(), context, name, description, example) };
        }
    }
    // SAFETY: made above, freed once; null is allowed.
    unsafe { duckdb_destroy_catalog_entry(&mut neighbour) };
    // SAFETY: as above.
    unsafe { duckdb_destroy_catalog(&mut catalog) };
    was_done
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
    for (idx, parameter) in def.positional.iter().enumerate() {
        // SAFETY: the function has this parameter; the name is copied.
        let was_done = unsafe { (bridge.name_parameter)(function.cast(), idx, Text::lend(parameter.name)) };
        done(was_done, "name a parameter")?;
    }
    if def.has_optional {
        // SAFETY: the function has a parameter by position.
        let was_done = unsafe { (bridge.make_optional)(function.cast()) };
        done(was_done, "make a parameter optional")?;
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
    let was_done = unsafe { (bridge.run_in_steps)(function.cast()) };
    done(was_done, "let a function wait")?;
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
        ParameterType::Map => return map_of_texts(),
    };
    // SAFETY: takes a valid type id.
    unsafe { duckdb_create_logical_type(type_id) }
}

fn map_of_texts() -> duckdb_logical_type {
    // SAFETY: takes a valid type id.
    let mut text = unsafe { duckdb_create_logical_type(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR) };
    // SAFETY: the type is valid and copied.
    let map = unsafe { duckdb_create_map_type(text, text) };
    // SAFETY: made above, freed once.
    unsafe { duckdb_destroy_logical_type(&mut text) };
    map
}

extern "C" fn free_registered(extra: *mut c_void) {
    // SAFETY: made by `register_one`, freed once.
    drop(unsafe { Box::from_raw(extra.cast::<Registered>()) });
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    if let Err(err) = guard(|| bind_call(info)).or_else(|err| guard(|| fail_later(info, err))) {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_bind_set_error(info, message) });
    }
}

fn registered_of<'a>(info: duckdb_bind_info) -> &'a Registered {
    // SAFETY: the info is valid.
    let extra = unsafe { duckdb_bind_get_extra_info(info) }.cast::<Registered>();
    // SAFETY: the extra info is a `Registered` that lives as long as the function.
    unsafe { &*extra }
}

/// Lets a call that cannot be bound fail when it runs, if its text may hold secrets: DuckDB shows the text with an error of binding.
fn fail_later(info: duckdb_bind_info, err: Error) -> Result<()> {
    let registered = registered_of(info);
    if !registered.function.hides_its_text() {
        return Err(err);
    }
    add_result_column(info, "error", ColumnType::Scalar(ScalarType::Varchar))?;
    let call = Call { state: registered.state.clone(), context: 0, catalog: Ok(String::new()), plan: CallPlan::Failed(err) };
    // SAFETY: DuckDB owns the call from here and frees it with `free_call`.
    unsafe { duckdb_bind_set_bind_data(info, Box::into_raw(Box::new(call)).cast(), Some(free_call)) };
    Ok(())
}

fn bind_call(info: duckdb_bind_info) -> Result<()> {
    if OwnStatement::is_running() {
        return Err(Error::database("a table that Unify works on is not there: it was dropped meanwhile; run the statement again"));
    }
    let registered = registered_of(info);
    let state = registered.state.upgrade().ok_or_else(gone)?;
    let mut handle: duckdb_client_context = std::ptr::null_mut();
    // SAFETY: the handle is written and then taken.
    unsafe { duckdb_table_function_get_client_context(info, &mut handle) };
    let context = ContextSettings::of_raw(ContextSettings::take_context(handle));
    if context.address() == 0 {
        return Err(no_context());
    }
    let arguments = arguments_of(info, registered.function.as_ref())?;
    let def = registered.function.def();
    if arguments.positional.len() > def.positional.len() {
        let (expected, found) = (def.positional.len(), arguments.positional.len());
        return Err(Error::config(format!("{} takes at most {expected} arguments, found {found}; for example {}", def.name, def.example)));
    }
    let catalog = catalog_of(&state, &context);
    let bound = {
        let interrupted = || state.is_interrupted(context.address());
        let user = ContextUser { state: &state, context: &context };
        let ctx = statement_context(&user, &catalog, &interrupted)?;
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
            // DuckDB weighs the progress of a statement's parts by their rows: the waiting is nearly all of it.
            // SAFETY: the info is valid.
            unsafe { duckdb_bind_set_cardinality(info, WAITING_WEIGHT, false) };
            CallPlan::Waiting(call)
        }
        Bound::Scan(table) => CallPlan::Scan(ScanPlan::bind(info, state.instance().database.as_ref(), &table)?),
    };
    let call = Call { state: registered.state.clone(), context: context.address(), catalog, plan };
    // SAFETY: DuckDB owns the call from here and frees it with `free_call`.
    unsafe { duckdb_bind_set_bind_data(info, Box::into_raw(Box::new(call)).cast(), Some(free_call)) };
    Ok(())
}

/// Returns the attached database that connections' schemas are in, for a statement. Fails when setting `unify_target` names none.
pub(super) fn catalog_of(state: &State, context: &ContextSettings) -> Result<String> {
    match target_catalog(state.instance(), &context.read()?)? {
        Some(target) => Ok(target),
        None => current_catalog(state, context),
    }
}

/// Returns the attached database that unqualified names mean in the statement's session.
fn current_catalog(state: &State, context: &ContextSettings) -> Result<String> {
    let mut session = state.instance().database.connect()?;
    if let Some(catalog) = context.search_path().into_iter().next().and_then(|(catalog, _)| catalog) {
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

fn arguments_of(info: duckdb_bind_info, function: &dyn TableFunction) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    // SAFETY: the bind info is valid.
    let n_positional = unsafe { duckdb_bind_get_parameter_count(info) };
    for idx in 0..n_positional {
        // SAFETY: the parameter exists.
        let mut value = unsafe { duckdb_bind_get_parameter(info, idx) };
        let copy = value_of(value);
        // SAFETY: the value is ours, freed once.
        unsafe { duckdb_destroy_value(&mut value) };
        arguments.positional.push(copy.map_err(|err| err.within(format!("argument {}", idx + 1)))?);
    }
    for parameter in function.def().named {
        let Ok(name) = c_string(parameter.name) else { continue };
        // SAFETY: the name is valid; null when the parameter was not given.
        let mut value = unsafe { duckdb_bind_get_named_parameter(info, name.as_ptr()) };
        if !value.is_null() {
            let copy = value_of(value);
            // SAFETY: the value is ours, freed once.
            unsafe { duckdb_destroy_value(&mut value) };
            let copy = copy.map_err(|err| err.within(format!("argument '{}'", parameter.name)))?;
            arguments.named.push((parameter.name.to_string(), copy));
        }
    }
    Ok(arguments)
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
