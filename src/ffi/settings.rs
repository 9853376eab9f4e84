//! Registers the settings.

use super::connection::Connection;
use super::database::DatabaseLease;
use super::host::{done, Bridge};
use super::text::{c_string, Text};
use super::types::OwnedType;
use super::value::OwnedValue;
use crate::session::{SettingType, SETTINGS};
use crate::Result;
use libduckdb_sys::*;

/// A setting that is being made; it is freed when this is dropped, and what was registered is a copy.
struct NewOption(duckdb_config_option);

impl Drop for NewOption {
    fn drop(&mut self) {
        // SAFETY: made by `register`, freed once.
        unsafe { duckdb_destroy_config_option(&mut self.0) };
    }
}

/// Registers every setting with the database. One that is there already, from an earlier LOAD, stays.
pub fn register(database: &DatabaseLease, connection: &Connection, bridge: &Bridge) -> Result<()> {
    for (idx, setting) in SETTINGS.iter().enumerate() {
        let (name, default, description) = (c_string(setting.name)?, c_string(setting.default)?, c_string(setting.description)?);
        let type_id = match setting.setting_type {
            SettingType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
            SettingType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
            SettingType::Double => DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
            SettingType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        };
        let logical_type = OwnedType::simple(type_id);
        // SAFETY: the text outlives the call, which copies it; the value is ours.
        let raw = unsafe { duckdb_create_varchar(default.as_ptr()) };
        // SAFETY: what the call gave is ours.
        let value = unsafe { OwnedValue::take(raw) };
        // SAFETY: takes no argument.
        let option = NewOption(unsafe { duckdb_create_config_option() });
        // SAFETY: option and text are valid; the text is copied.
        unsafe { duckdb_config_option_set_name(option.0, name.as_ptr()) };
        // SAFETY: option and type are valid; the type is copied.
        unsafe { duckdb_config_option_set_type(option.0, logical_type.as_raw()) };
        // SAFETY: option and value are valid; the value is cast to the type.
        unsafe { duckdb_config_option_set_default_value(option.0, value.as_raw()) };
        // SAFETY: the option is valid.
        unsafe { duckdb_config_option_set_default_scope(option.0, duckdb_config_option_scope_DUCKDB_CONFIG_OPTION_SCOPE_GLOBAL) };
        // SAFETY: option and text are valid; the text is copied.
        unsafe { duckdb_config_option_set_description(option.0, description.as_ptr()) };
        // SAFETY: connection and option are valid. A setting that is there already is refused, which is what is wanted.
        unsafe { duckdb_register_config_option(connection.as_raw(), option.0) };
        // SAFETY: the database and the name are valid for the length of the call.
        let was_done = unsafe { (bridge.check_setting_of)(database.as_ptr(), Text::lend(setting.name), idx) };
        done(was_done, "check a setting's values")?;
    }
    Ok(())
}
