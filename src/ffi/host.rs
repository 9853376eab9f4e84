//! The bridge of the DuckDB line that loaded us, and the releases this binary supports.

use super::text::Text;
use crate::{Error, Result};
use std::ffi::{c_char, c_void};

/// The bridge built for one DuckDB line: `UnifyBridge` in `bridge/bridge.h`, which says what the functions do.
#[repr(C)]
pub struct Bridge {
    pub register: unsafe extern "C" fn(database: *mut c_void, state: *mut c_void, log_type: *const c_char) -> bool,
    pub weak: unsafe extern "C" fn(database: *mut c_void) -> *mut c_void,
    pub weak_free: unsafe extern "C" fn(weak: *mut c_void),
    pub users: unsafe extern "C" fn(weak: *mut c_void) -> i64,
    pub has_external_access: unsafe extern "C" fn(weak: *mut c_void) -> i32,
    pub moves_first_rows: unsafe extern "C" fn() -> bool,
    pub lock: unsafe extern "C" fn(weak: *mut c_void) -> *mut c_void,
    pub unlock: unsafe extern "C" fn(handle: *mut c_void),
    pub interrupted: unsafe extern "C" fn(context: *const c_void) -> bool,
    pub interrupt: unsafe extern "C" fn(context: *const c_void),
    pub feed_row_groups: unsafe extern "C" fn(table_function: *mut c_void) -> bool,
    pub run_in_steps: unsafe extern "C" fn(table_function: *mut c_void) -> bool,
    pub make_optional: unsafe extern "C" fn(table_function: *mut c_void) -> bool,
    pub check_setting_of: unsafe extern "C" fn(database: *mut c_void, name: Text, setting: usize) -> bool,
    pub name_parameter: unsafe extern "C" fn(table_function: *mut c_void, idx: usize, name: Text) -> bool,
    pub describe: unsafe extern "C" fn(neighbour: *mut c_void, function: Text, description: Text, example: Text) -> bool,
    pub copy_path: unsafe extern "C" fn(copy_bind_info: *mut c_void) -> Text,
    pub copy_column: unsafe extern "C" fn(copy_bind_info: *mut c_void, idx: usize) -> Text,
    pub is_uncommitted: unsafe extern "C" fn(entry: *mut c_void) -> bool,
    pub column_comment: unsafe extern "C" fn(entry: *mut c_void, idx: usize, name: *mut Text) -> *const c_void,
    pub current_query: unsafe extern "C" fn(context: *const c_void) -> Text,
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

/// Returns the releases this binary supports and how to get the newest of them, for a message.
pub fn supported_releases() -> String {
    let names: Vec<&str> = RELEASES.iter().map(|(name, _)| *name).collect();
    let newest = names.last().map_or("", |name| name.trim_start_matches('v'));
    format!("supported releases: {}; install the newest of them with 'pip install duckdb=={newest}'", names.join(", "))
}
