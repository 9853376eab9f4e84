//! The entry point DuckDB calls at LOAD.

use super::database::{DatabaseLease, HostDatabase};
use super::exit::{stop_at_exit, Closes};
use super::guard::guard;
use super::host::{bridge_for, done, supported_releases, C_API};
use super::state::State;
use super::{copy, functions, settings};
use crate::load::LOG_TYPE;
use crate::{Error, Result};
use libduckdb_sys::{duckdb_ext_api_v1, duckdb_extension_access, duckdb_extension_info, duckdb_rs_extension_api_init};
use std::ffi::{c_void, CStr, CString};
use std::sync::Arc;

/// Called by DuckDB at LOAD. Returns whether the extension is usable; otherwise the error has been set.
///
/// # Safety
/// DuckDB passes its own `info` and `access`, valid for the length of the call.
#[no_mangle]
pub unsafe extern "C" fn unify_init_c_api(info: duckdb_extension_info, access: *const duckdb_extension_access) -> bool {
    // SAFETY: DuckDB passes its own, valid for the length of the call.
    match guard(|| unsafe { load(info, access) }) {
        Ok(()) => true,
        Err(err) => {
            let message = CString::new(err.message().replace('\0', " ")).unwrap_or_default();
            // SAFETY: DuckDB passes a valid access structure.
            if let Some(set_error) = unsafe { (*access).set_error } {
                // SAFETY: the message outlives the call, which copies it.
                unsafe { set_error(info, message.as_ptr()) };
            }
            false
        }
    }
}

/// Loads the extension.
///
/// # Safety
/// As for [`unify_init_c_api`].
unsafe fn load(info: duckdb_extension_info, access: *const duckdb_extension_access) -> Result<()> {
    // SAFETY: the caller vouches for both.
    let release = unsafe { release_of(info, access) }?;
    let Some(bridge) = bridge_for(&release) else {
        return Err(Error::config(format!("unify does not support DuckDB {release}; {}", supported_releases())));
    };
    // SAFETY: DuckDB passes a valid access structure; this fills the table of C API functions.
    let filled = unsafe { duckdb_rs_extension_api_init(info, access, C_API) };
    if !filled.unwrap_or(false) {
        return Err(Error::internal(format!("DuckDB {release} does not offer its C API {C_API}")));
    }
    // SAFETY: DuckDB passes a valid access structure.
    let get_database = unsafe { (*access).get_database }.ok_or_else(|| Error::internal("DuckDB gave no access to the database"))?;
    // SAFETY: the pointer is valid for the length of this call.
    let database = unsafe { get_database(info) };
    // SAFETY: it points to the handle of an open database.
    let database: *mut c_void = unsafe { database.read() }.cast();
    // SAFETY: the database is open for the length of this call.
    let lease = unsafe { DatabaseLease::borrow(database) };
    let state = State::new(bridge, HostDatabase::new(bridge, &lease)?);
    let connection = lease.connect()?;
    settings::register(&lease, &connection, bridge)?;
    functions::register(&connection, &state, bridge)?;
    copy::register(&connection, &state, bridge)?;
    drop(connection);
    stop_at_exit(&(state.clone() as Arc<dyn Closes>));
    let log_type = CString::new(LOG_TYPE).unwrap_or_default();
    // SAFETY: the database is valid for the length of this call, which copies the text; the reference goes to the bridge, which gives it back through
    // `unify_state_free`.
    let was_done = unsafe { (bridge.register)(database, Arc::into_raw(state).cast_mut().cast(), log_type.as_ptr()) };
    done(was_done, "register the statements of unify")
}

/// Returns the host's release, such as `v1.5.6`, reading nothing else: the table of a release that is not supported may be shorter
/// than ours.
///
/// # Safety
/// As for [`unify_init_c_api`].
unsafe fn release_of(info: duckdb_extension_info, access: *const duckdb_extension_access) -> Result<String> {
    let no_api = || Error::config(format!("unify needs DuckDB's C API {C_API}; {}", supported_releases()));
    let version = CString::new(C_API).unwrap_or_default();
    // SAFETY: DuckDB passes a valid access structure.
    let get_api = unsafe { (*access).get_api }.ok_or_else(no_api)?;
    // SAFETY: the version is a C string that outlives the call.
    let api = unsafe { get_api(info, version.as_ptr()) }.cast::<duckdb_ext_api_v1>();
    if api.is_null() {
        return Err(no_api());
    }
    // SAFETY: every release that offers the C API v1 has this entry at this place; no reference to the whole table is made.
    let library_version = unsafe { std::ptr::addr_of!((*api).duckdb_library_version) };
    // SAFETY: as above.
    let library_version = unsafe { library_version.read() }.ok_or_else(no_api)?;
    // SAFETY: the function takes no argument.
    let release = unsafe { library_version() };
    // SAFETY: the host returns a static text.
    let release = unsafe { CStr::from_ptr(release) };
    Ok(release.to_string_lossy().into_owned())
}
