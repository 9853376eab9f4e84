//! The bridge of the DuckDB line that loaded us, and the releases this binary supports.

use super::callbacks::Text;
use crate::{Error, Result};
use std::ffi::{c_char, c_void};

/// The bridge built for one DuckDB line. The functions are documented in `bridge/bridge.cpp`.
pub struct Bridge {
    pub register: unsafe extern "C" fn(database: *mut c_void, state: *mut c_void, log_type: *const c_char) -> bool,
    pub weak: unsafe extern "C" fn(database: *mut c_void) -> *mut c_void,
    pub weak_free: unsafe extern "C" fn(weak: *mut c_void),
    pub users: unsafe extern "C" fn(weak: *mut c_void) -> i64,
    pub moves_first_rows: unsafe extern "C" fn() -> bool,
    pub lock: unsafe extern "C" fn(weak: *mut c_void) -> *mut c_void,
    pub unlock: unsafe extern "C" fn(handle: *mut c_void),
    pub interrupted: unsafe extern "C" fn(context: *const c_void) -> bool,
    pub run_in_steps: unsafe extern "C" fn(table_function: *mut c_void) -> bool,
    pub make_optional: unsafe extern "C" fn(table_function: *mut c_void) -> bool,
    pub check_setting_of: unsafe extern "C" fn(database: *mut c_void, name: Text, setting: usize) -> bool,
    pub name_parameter: unsafe extern "C" fn(table_function: *mut c_void, idx: usize, name: Text) -> bool,
    pub describe:
        unsafe extern "C" fn(neighbour: *mut c_void, context: *const c_void, function: Text, description: Text, example: Text) -> bool,
    pub copy_path: unsafe extern "C" fn(copy_bind_info: *mut c_void) -> Text,
    pub copy_column: unsafe extern "C" fn(copy_bind_info: *mut c_void, idx: usize) -> Text,
    pub is_uncommitted: unsafe extern "C" fn(entry: *mut c_void) -> bool,
    pub column_comment: unsafe extern "C" fn(entry: *mut c_void, idx: usize, name: *mut Text) -> *const c_void,
}

macro_rules! bridge_line {
    ($name:ident, $module:ident, $register:literal, $weak:literal, $weak_free:literal, $users:literal, $moves_first_rows:literal, $lock:literal,
     $unlock:literal,
     $interrupted:literal, $run_in_steps:literal, $make_optional:literal, $check_setting_of:literal, $name_parameter:literal, $describe:literal,
     $copy_path:literal, $copy_column:literal, $is_uncommitted:literal, $column_comment:literal) => {
        mod $module {
            use super::Text;
            use std::ffi::{c_char, c_void};
            extern "C" {
                #[link_name = $register]
                pub fn register(database: *mut c_void, state: *mut c_void, log_type: *const c_char) -> bool;
                #[link_name = $weak]
                pub fn weak(database: *mut c_void) -> *mut c_void;
                #[link_name = $weak_free]
                pub fn weak_free(weak: *mut c_void);
                #[link_name = $users]
                pub fn users(weak: *mut c_void) -> i64;
                #[link_name = $moves_first_rows]
                pub fn moves_first_rows() -> bool;
                #[link_name = $lock]
                pub fn lock(weak: *mut c_void) -> *mut c_void;
                #[link_name = $unlock]
                pub fn unlock(handle: *mut c_void);
                #[link_name = $interrupted]
                pub fn interrupted(context: *const c_void) -> bool;
                #[link_name = $run_in_steps]
                pub fn run_in_steps(table_function: *mut c_void) -> bool;
                #[link_name = $make_optional]
                pub fn make_optional(table_function: *mut c_void) -> bool;
                #[link_name = $check_setting_of]
                pub fn check_setting_of(database: *mut c_void, name: Text, setting: usize) -> bool;
                #[link_name = $name_parameter]
                pub fn name_parameter(table_function: *mut c_void, idx: usize, name: Text) -> bool;
                #[link_name = $describe]
                pub fn describe(neighbour: *mut c_void, context: *const c_void, function: Text, description: Text, example: Text) -> bool;
                #[link_name = $copy_path]
                pub fn copy_path(copy_bind_info: *mut c_void) -> Text;
                #[link_name = $copy_column]
                pub fn copy_column(copy_bind_info: *mut c_void, idx: usize) -> Text;
                #[link_name = $is_uncommitted]
                pub fn is_uncommitted(entry: *mut c_void) -> bool;
                #[link_name = $column_comment]
                pub fn column_comment(entry: *mut c_void, idx: usize, name: *mut Text) -> *const c_void;
            }
        }
        static $name: Bridge = Bridge {
            register: $module::register,
            weak: $module::weak,
            weak_free: $module::weak_free,
            users: $module::users,
            moves_first_rows: $module::moves_first_rows,
            lock: $module::lock,
            unlock: $module::unlock,
            interrupted: $module::interrupted,
            run_in_steps: $module::run_in_steps,
            make_optional: $module::make_optional,
            check_setting_of: $module::check_setting_of,
            name_parameter: $module::name_parameter,
            describe: $module::describe,
            copy_path: $module::copy_path,
            copy_column: $module::copy_column,
            is_uncommitted: $module::is_uncommitted,
            column_comment: $module::column_comment,
        };
    };
}

// The lines, `C_API` and `RELEASES`, generated from extension_config/releases.json.
include!(concat!(env!("OUT_DIR"), "/lines.rs"));

/// Fails when a function of the bridge says that it did not do `what`.
pub fn done(was_done: bool, what: &str) -> Result<()> {
    match was_done {
        true => Ok(()),
        false => Err(Error::database(format!("DuckDB failed to {what}; is there enough memory?"))),
    }
}

/// Returns the bridge for a release such as `v1.5.6`. Layouts are checked release by release, so only a listed one has a bridge.
pub fn bridge_for(release: &str) -> Option<&'static Bridge> {
    RELEASES.iter().find(|(name, _)| *name == release).map(|(_, bridge)| *bridge)
}

/// Returns the releases this binary supports, for a message.
pub fn supported_releases() -> String {
    RELEASES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
