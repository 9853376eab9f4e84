//! Registers the settings, and reads them in the session of the statement that needs them.

use super::callbacks::Text;
use super::database::{c_string, DatabaseLease};
use super::host::{done, Bridge};
use super::result::text_of;
use crate::session::{quote_literal, SettingType, Settings, Value, SETTINGS};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::c_void;

/// Registers every setting with the database. One that is there already, from an earlier LOAD, stays.
pub fn register(database: &DatabaseLease, bridge: &Bridge) -> Result<()> {
    let session = database.connect()?;
    for (idx, setting) in SETTINGS.iter().enumerate() {
        let (name, default, description) = (c_string(setting.name)?, c_string(setting.default)?, c_string(setting.description)?);
        let type_id = match setting.setting_type {
            SettingType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
            SettingType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
            SettingType::Double => DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
            SettingType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        };
        // SAFETY: takes a valid type id.
        let mut logical_type = unsafe { duckdb_create_logical_type(type_id) };
        // SAFETY: the text outlives the call, which copies it.
        let mut value = unsafe { duckdb_create_varchar(default.as_ptr()) };
        // SAFETY: takes no argument.
        let mut option = unsafe { duckdb_create_config_option() };
        // SAFETY: option and text are valid; the text is copied.
        unsafe { duckdb_config_option_set_name(option, name.as_ptr()) };
        // SAFETY: option and type are valid; the type is copied.
        unsafe { duckdb_config_option_set_type(option, logical_type) };
        // SAFETY: option and value are valid; the value is cast to the type.
        unsafe { duckdb_config_option_set_default_value(option, value) };
        // SAFETY: the option is valid.
        unsafe { duckdb_config_option_set_default_scope(option, duckdb_config_option_scope_DUCKDB_CONFIG_OPTION_SCOPE_GLOBAL) };
        // SAFETY: option and text are valid; the text is copied.
        unsafe { duckdb_config_option_set_description(option, description.as_ptr()) };
        // SAFETY: session and option are valid. A setting that is there already is refused, which is what is wanted.
        unsafe { duckdb_register_config_option(session.connection(), option) };
        // SAFETY: the database and the name are valid for the length of the call.
        let was_done = unsafe { (bridge.check_setting_of)(database.as_ptr(), Text::lend(setting.name), idx) };
        // SAFETY: made above, freed once.
        unsafe { duckdb_destroy_config_option(&mut option) };
        // SAFETY: made above, freed once.
        unsafe { duckdb_destroy_value(&mut value) };
        // SAFETY: made above, freed once.
        unsafe { duckdb_destroy_logical_type(&mut logical_type) };
        done(was_done, "check a setting's values")?;
    }
    Ok(())
}

/// The layout of a duckdb_client_context (duckdb/main/capi/capi_internal.hpp, CClientContextWrapper).
#[repr(C)]
pub struct ContextHandle {
    context: *const c_void,
}

/// The settings as one session sees them.
pub struct ContextSettings {
    context: *const c_void,
}

impl ContextSettings {
    /// Reads through the ClientContext at `context`, whose statement is being bound or run while this lives.
    pub fn of_raw(context: *const c_void) -> ContextSettings {
        ContextSettings { context }
    }

    /// Returns the address of the ClientContext behind a handle of the C API, and frees the handle.
    pub fn take_context(mut handle: duckdb_client_context) -> *const c_void {
        if handle.is_null() {
            return std::ptr::null();
        }
        // SAFETY: the handle is a pointer to a structure that holds the context's address.
        let context = unsafe { (*handle.cast::<ContextHandle>()).context };
        // SAFETY: the handle came from the C API and is freed once; the context is not its property.
        unsafe { duckdb_destroy_client_context(&mut handle) };
        context
    }

    /// Returns all of Unify's settings. Fails, naming the setting, on a value out of its range.
    pub fn read(&self) -> Result<Settings> {
        Settings::read(|name| self.value(name))
    }

    /// Returns the value of any setting; `None` when there is none of that name.
    pub fn value(&self, name: &str) -> Option<Value> {
        let name = c_string(name).ok()?;
        let mut handle = self.lend();
        let context = std::ptr::addr_of_mut!(handle).cast();
        // SAFETY: the handle has the C API's layout, and its context is alive.
        let mut value = unsafe { duckdb_client_context_get_config_option(context, name.as_ptr(), std::ptr::null_mut()) };
        if value.is_null() {
            return None;
        }
        let read = value_of(value).ok();
        // SAFETY: the value is the caller's, freed once.
        unsafe { duckdb_destroy_value(&mut value) };
        read
    }

    /// Returns what the user made the search path: schemas, each with its database where one was named.
    pub fn search_path(&self) -> Vec<(Option<String>, String)> {
        self.value("search_path").and_then(|path| path.as_text().map(path_entries)).unwrap_or_default()
    }

    /// Returns what the C API takes for a duckdb_client_context, valid while `self` is.
    pub fn lend(&self) -> ContextHandle {
        ContextHandle { context: self.context }
    }

    /// Returns the number of the session in its database instance.
    pub fn session(&self) -> u64 {
        let mut handle = self.lend();
        let context = std::ptr::addr_of_mut!(handle).cast();
        // SAFETY: the handle has the C API's layout, and its context is alive.
        unsafe { duckdb_client_context_get_connection_id(context) }
    }

    /// Returns the ClientContext's address.
    pub fn address(&self) -> usize {
        self.context as usize
    }
}

/// Returns the entries of a search path such as `"my db".main,other`.
fn path_entries(path: &str) -> Vec<(Option<String>, String)> {
    let mut entries = Vec::new();
    let mut catalog = None;
    let mut name = String::new();
    let mut chars = path.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => catalog = Some(std::mem::take(&mut name)),
            ',' if !quoted => entries.push((catalog.take(), std::mem::take(&mut name))),
            c => name.push(c),
        }
    }
    if !name.is_empty() {
        entries.push((catalog, name));
    }
    entries
}

/// Copies a value of the C API. Types Unify's functions and settings do not have are their text. Fails when a text holds a NUL character.
pub fn value_of(value: duckdb_value) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    // SAFETY: the value is valid.
    if unsafe { duckdb_is_null_value(value) } {
        return Ok(Value::Null);
    }
    // SAFETY: the value is valid; the type belongs to it and is not freed.
    let logical_type = unsafe { duckdb_get_value_type(value) };
    // SAFETY: the type is valid.
    let type_id = unsafe { duckdb_get_type_id(logical_type) };
    Ok(match type_id {
        // SAFETY: the value has the type.
        DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Value::Boolean(unsafe { duckdb_get_bool(value) }),
        DUCKDB_TYPE_DUCKDB_TYPE_TINYINT
        | DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT
        | DUCKDB_TYPE_DUCKDB_TYPE_INTEGER
        | DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => {
            // SAFETY: the value is a whole number that fits.
            Value::Integer(unsafe { duckdb_get_int64(value) }.into())
        }
        DUCKDB_TYPE_DUCKDB_TYPE_FLOAT | DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => {
            // SAFETY: the value is a number.
            Value::Double(unsafe { duckdb_get_double(value) })
        }
        DUCKDB_TYPE_DUCKDB_TYPE_MAP => Value::Map(map_entries(value)?),
        _ => text_value(value)?,
    })
}

/// Copies the entries of a map, as texts.
fn map_entries(map: duckdb_value) -> Result<Vec<(String, Option<String>)>> {
    // SAFETY: the value is a map.
    let n_entries = unsafe { duckdb_get_map_size(map) };
    let mut entries = Vec::new();
    for idx in 0..n_entries {
        // SAFETY: the entry exists.
        let mut key = unsafe { duckdb_get_map_key(map, idx) };
        // SAFETY: as above.
        let mut value = unsafe { duckdb_get_map_value(map, idx) };
        let entry = (text_value(key), text_value(value));
        // SAFETY: the key is ours, freed once.
        unsafe { duckdb_destroy_value(&mut key) };
        // SAFETY: the value is ours, freed once.
        unsafe { duckdb_destroy_value(&mut value) };
        if let (Value::Text(name), text) = (entry.0?, entry.1?) {
            entries.push((name, text.as_text().map(str::to_string)));
        }
    }
    Ok(entries)
}

/// Copies a value as its text. Fails when that holds a NUL character, where the C API cuts it off.
fn text_value(value: duckdb_value) -> Result<Value> {
    // SAFETY: a value that is not null is valid.
    if value.is_null() || unsafe { duckdb_is_null_value(value) } {
        return Ok(Value::Null);
    }
    // SAFETY: any value can be cast to text; the text is freed below.
    let text = unsafe { duckdb_get_varchar(value) };
    let copy = text_of(text);
    // SAFETY: freed once.
    unsafe { duckdb_free(text.cast()) };
    match copy {
        Some(text) if is_cut(value, &text) => Err(Error::config("a text holds a NUL character, which no text for Unify may")),
        copy => Ok(copy.map_or(Value::Null, Value::Text)),
    }
}

/// Returns whether a value that is a text is longer than what the C API gave of it. The C API tells no lengths; as a literal, too, a text
/// ends where it is cut, and then has no closing quote.
fn is_cut(value: duckdb_value, text: &str) -> bool {
    // SAFETY: the value is valid; the type belongs to it and is not freed.
    let logical_type = unsafe { duckdb_get_value_type(value) };
    // SAFETY: the type is valid.
    if unsafe { duckdb_get_type_id(logical_type) } != DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR {
        return false;
    }
    // SAFETY: the value is valid; the text is freed below.
    let literal = unsafe { duckdb_value_to_string(value) };
    let is_cut = text_of(literal).is_some_and(|literal| literal != quote_literal(text));
    // SAFETY: freed once.
    unsafe { duckdb_free(literal.cast()) };
    is_cut
}

/// Builds the error of a setting that cannot be read in the current state.
pub fn no_context() -> Error {
    Error::internal("DuckDB gave no client context")
}

#[cfg(test)]
mod tests {
    use super::path_entries;

    #[test]
    fn a_search_path_is_schemas_with_and_without_their_database() {
        let entry = |catalog: Option<&str>, schema: &str| (catalog.map(str::to_string), schema.to_string());
        assert_eq!(path_entries(""), []);
        assert_eq!(path_entries("main"), [entry(None, "main")]);
        assert_eq!(path_entries("a.b,c,d.e"), [entry(Some("a"), "b"), entry(None, "c"), entry(Some("d"), "e")]);
        assert_eq!(path_entries("\"my \"\"db.\".\"x,y\""), [entry(Some("my \"db."), "x,y")]);
    }
}
