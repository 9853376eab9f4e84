//! Registers Unify's table functions, and binds their calls.

use super::calls::{gone, init, run, statement_context, Call, CallPlan};
use super::connection::Connection;
use super::context::RunningContext;
use super::entry::Catalog;
use super::feed;
use super::guard::guard;
use super::host::{done, Bridge};
use super::lent::{carried, free, give, Lent};
use super::own::OwnStatement;
use super::raised;
use super::row_groups;
use super::scan::ScanPlan;
use super::state::State;
use super::text::{c_string, Text};
use super::types::{logical_type_of, OwnedType};
use super::user::ContextUser;
use super::value::OwnedValue;
use super::written;
use crate::columns::ColumnType;
use crate::session::quote_literal;
use crate::spec::ScalarType;
use crate::sql::{explained, may_be_cut, target_catalog, Arguments, Bound, FunctionDef, ParameterDef, ParameterType, DEFINITIONS};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::sync::{Arc, Weak};

/// Rows that a call which waits is said to have.
const WAITING_WEIGHT: idx_t = 1000;

/// What a registered function carries.
struct Registered {
    state: Weak<State>,
    function: &'static FunctionDef,
}

/// Registers every function, all of them in one transaction: nobody sees one that is not described yet.
pub fn register(connection: &Connection, state: &Arc<State>, bridge: &Bridge) -> Result<()> {
    connection.query("BEGIN TRANSACTION")?;
    for function in DEFINITIONS.functions {
        register_one(connection, Registered { state: Arc::downgrade(state), function }, bridge)?;
    }
    feed::register(connection)?;
    row_groups::register(connection, bridge)?;
    done(describe_all(connection, bridge)?, "describe the functions")?;
    connection.query("COMMIT").map(|_| ())
}

/// Gives the functions of the connection's transaction the descriptions that `duckdb_functions()` shows. The C API cannot, but finds an
/// entry of the schema they are in: one that is there from the start, unlike views, which DuckDB parses when they are looked for. Returns whether
/// it was done.
fn describe_all(connection: &Connection, bridge: &Bridge) -> Result<bool> {
    let context = connection.context()?;
    let catalog = Catalog::named(&context, c"system");
    let Some(neighbour) = catalog.as_ref().and_then(|catalog| catalog.collation(c"main", c"nocase")) else { return Ok(true) };
    let described = DEFINITIONS.functions.iter().map(|function| (function.name, function.description, function.example));
    let mut described = described
        .chain([(feed::FUNCTION, feed::DESCRIPTION, feed::EXAMPLE), (row_groups::FUNCTION, row_groups::DESCRIPTION, row_groups::EXAMPLE)]);
    Ok(described.all(|(name, description, example)| neighbour.describe_neighbour(bridge, name, description, example)))
}

/// A table function that is being made; it is freed when this is dropped, and what was registered is a copy.
struct NewFunction(duckdb_table_function);

impl NewFunction {
    fn named(name: &str) -> Result<NewFunction> {
        let name = c_string(name)?;
        // SAFETY: takes no argument.
        let function = NewFunction(unsafe { duckdb_create_table_function() });
        // SAFETY: function and name are valid; the name is copied.
        unsafe { duckdb_table_function_set_name(function.0, name.as_ptr()) };
        Ok(function)
    }

    fn add_parameters(&self, def: &FunctionDef, bridge: &Bridge) -> Result<()> {
        for parameter in def.positional {
            let logical_type = parameter_type(parameter);
            // SAFETY: function and type are valid; the type is copied.
            unsafe { duckdb_table_function_add_parameter(self.0, logical_type.as_raw()) };
        }
        for (idx, parameter) in def.positional.iter().enumerate() {
            // SAFETY: the function has this parameter; the name is copied.
            let was_done = unsafe { (bridge.name_parameter)(self.0.cast(), idx, Text::lend(parameter.name)) };
            done(was_done, "name a parameter")?;
        }
        if def.has_optional {
            // SAFETY: the function has a parameter by position.
            let was_done = unsafe { (bridge.make_optional)(self.0.cast()) };
            done(was_done, "make a parameter optional")?;
        }
        for parameter in def.named {
            let logical_type = parameter_type(parameter);
            let parameter_name = c_string(parameter.name)?;
            // SAFETY: function, name and type are valid; both are copied.
            unsafe { duckdb_table_function_add_named_parameter(self.0, parameter_name.as_ptr(), logical_type.as_raw()) };
        }
        Ok(())
    }

    fn set_callbacks(&self, registered: Registered, bridge: &Bridge) -> Result<()> {
        // SAFETY: DuckDB owns what is given from here and frees it with `free`.
        unsafe { duckdb_table_function_set_extra_info(self.0, give(registered), Some(free::<Registered>)) };
        // SAFETY: the function is valid; the callback never unwinds.
        unsafe { duckdb_table_function_set_bind(self.0, Some(bind)) };
        // SAFETY: as above.
        unsafe { duckdb_table_function_set_init(self.0, Some(init)) };
        // SAFETY: as above.
        unsafe { duckdb_table_function_set_function(self.0, Some(run)) };
        // SAFETY: the function is valid.
        unsafe { duckdb_table_function_supports_projection_pushdown(self.0, true) };
        // SAFETY: the function was made by the host the bridge is for.
        let was_done = unsafe { (bridge.run_in_steps)(self.0.cast()) };
        done(was_done, "let a function wait")
    }
}

impl Drop for NewFunction {
    fn drop(&mut self) {
        // SAFETY: made by `named`, freed once.
        unsafe { duckdb_destroy_table_function(&mut self.0) };
    }
}

fn register_one(connection: &Connection, registered: Registered, bridge: &Bridge) -> Result<()> {
    let def = registered.function;
    let function = NewFunction::named(def.name)?;
    function.add_parameters(def, bridge)?;
    function.set_callbacks(registered, bridge)?;
    // SAFETY: connection and function are valid; the function is copied.
    let state = unsafe { duckdb_register_table_function(connection.as_raw(), function.0) };
    match state == DuckDBSuccess {
        true => Ok(()),
        false => Err(Error::database(format!("DuckDB refused the function '{}'", def.name))),
    }
}

fn parameter_type(parameter: &ParameterDef) -> OwnedType {
    match parameter.parameter_type {
        ParameterType::Varchar => OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR),
        ParameterType::BigInt => OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_BIGINT),
        ParameterType::Boolean => OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN),
        ParameterType::Map => OwnedType::map_of_texts(),
        ParameterType::Texts => OwnedType::list_of_texts(),
    }
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    // SAFETY: the info is valid.
    let extra = unsafe { duckdb_bind_get_extra_info(info) };
    // SAFETY: the extra info is a `Registered` that lives as long as the function.
    let registered = unsafe { carried::<Registered>(extra) };
    // SAFETY: DuckDB lends the info for the length of this call.
    let lent = unsafe { Lent::borrow(info) };
    if let Err(err) = guard(|| bind_call(lent, registered)).or_else(|err| guard(|| fail_later(lent, registered, err))) {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_bind_set_error(info, message) });
    }
}

/// Returns the context of the statement that is bound, and that will run what is bound here.
fn context_of(info: Lent<'_, duckdb_bind_info>) -> Result<RunningContext> {
    let mut handle: duckdb_client_context = std::ptr::null_mut();
    // SAFETY: the info is valid; the handle is written.
    unsafe { duckdb_table_function_get_client_context(info.raw(), &mut handle) };
    // SAFETY: the handle is ours; the call made of the info is used by this statement alone.
    unsafe { RunningContext::take(handle) }
}

/// Lets a call that cannot be bound fail when it runs, if its text may hold secrets: DuckDB shows the text with an error of binding.
fn fail_later(info: Lent<'_, duckdb_bind_info>, registered: &Registered, err: Error) -> Result<()> {
    if !registered.function.hides_its_text {
        return Err(err);
    }
    add_result_column(info, "error", ColumnType::Scalar(ScalarType::Varchar))?;
    let (state, context) = (registered.state.clone(), context_of(info)?);
    let call = Call { state, context, catalog: Ok(String::new()), plan: CallPlan::Failed(err), written: None };
    // SAFETY: DuckDB owns the call from here and frees it with `free`.
    unsafe { duckdb_bind_set_bind_data(info.raw(), give(call), Some(free::<Call>)) };
    Ok(())
}

fn bind_call(info: Lent<'_, duckdb_bind_info>, registered: &Registered) -> Result<()> {
    if OwnStatement::is_running() {
        return Err(Error::database("a table that Unify works on is not there: it was dropped meanwhile; run the statement again"));
    }
    let written = written::take().filter(|text| may_be_cut(text));
    let state = registered.state.upgrade().ok_or_else(gone)?;
    state.check_process()?;
    let context = context_of(info)?;
    let arguments = arguments_of(info, registered.function)?;
    let def = registered.function;
    if arguments.positional.len() > def.positional.len() {
        let (expected, found) = (def.positional.len(), arguments.positional.len());
        return Err(Error::config(format!("{} takes at most {expected} arguments, found {found}; for example {}", def.name, def.example)));
    }
    let catalog = catalog_of(&state, &context);
    let bound = {
        let interrupted = || state.is_interrupted(&context);
        let user = ContextUser { state: &state, context: &context };
        let ctx = statement_context(&user, &catalog, &interrupted)?;
        (registered.function.bind)(&arguments, &ctx).map_err(|err| match &written {
            Some(text) => explained(text, err, &ctx),
            None => err,
        })?
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
            unsafe { duckdb_bind_set_cardinality(info.raw(), WAITING_WEIGHT, false) };
            CallPlan::Waiting(call)
        }
        Bound::Scan(from) => CallPlan::Scan(ScanPlan::bind(info, state.host(), from)?),
    };
    let call = Call { state: registered.state.clone(), context, catalog, plan, written };
    // SAFETY: DuckDB owns the call from here and frees it with `free`.
    unsafe { duckdb_bind_set_bind_data(info.raw(), give(call), Some(free::<Call>)) };
    Ok(())
}

/// Returns the attached database that connections' schemas are in, for a statement. Fails when setting `unify_target` names one that is not attached.
pub(super) fn catalog_of(state: &State, context: &RunningContext) -> Result<String> {
    match target_catalog(state.instance(), &context.read()?)? {
        Some(target) => Ok(target),
        None => current_catalog(state, context),
    }
}

/// Returns the attached database that unqualified names mean in the statement's session.
fn current_catalog(state: &State, context: &RunningContext) -> Result<String> {
    let mut session = state.instance().database.connect()?;
    if let Some(catalog) = context.search_path().into_iter().next().and_then(|(catalog, _)| catalog) {
        // As DuckDB has the name: USE takes it in any case.
        let catalog = quote_literal(&catalog);
        let rows = session.query(&format!("SELECT database_name FROM duckdb_databases() WHERE lower(database_name) = lower({catalog})"))?;
        if let Some(name) = rows.first().and_then(|row| row.first()).and_then(|value| value.as_text()) {
            return Ok(name.to_string());
        }
    }
    session.default_catalog()
}

fn arguments_of(info: Lent<'_, duckdb_bind_info>, function: &FunctionDef) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    // SAFETY: the bind info is valid.
    let n_positional = unsafe { duckdb_bind_get_parameter_count(info.raw()) };
    for idx in 0..n_positional {
        // SAFETY: the parameter exists; its value is ours.
        let raw = unsafe { duckdb_bind_get_parameter(info.raw(), idx) };
        // SAFETY: what the call gave is ours.
        let value = unsafe { OwnedValue::take(raw) };
        arguments.positional.push(value.lent().read().map_err(|err| err.within(format!("argument {}", idx + 1)))?);
    }
    for parameter in function.named {
        let Ok(name) = c_string(parameter.name) else { continue };
        // SAFETY: the name is valid; the value is ours, and null when the parameter was not given.
        let raw = unsafe { duckdb_bind_get_named_parameter(info.raw(), name.as_ptr()) };
        // SAFETY: what the call gave is ours.
        let value = unsafe { OwnedValue::take(raw) };
        if value.is_there() {
            let copy = value.lent().read().map_err(|err| err.within(format!("argument '{}'", parameter.name)))?;
            arguments.named.push((parameter.name.to_string(), copy));
        }
    }
    Ok(arguments)
}

fn add_result_column(info: Lent<'_, duckdb_bind_info>, name: &str, column_type: ColumnType) -> Result<()> {
    let name = c_string(name)?;
    let logical_type = logical_type_of(column_type);
    // SAFETY: name and type are valid and copied.
    unsafe { duckdb_bind_add_result_column(info.raw(), name.as_ptr(), logical_type.as_raw()) };
    Ok(())
}
