//! The ClientContext of a statement: its settings, search path and session.

use super::text::c_string;
use super::value::OwnedValue;
use crate::session::{Settings, Value};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::c_void;

/// The layout of a duckdb_client_context (duckdb/main/capi/capi_internal.hpp, CClientContextWrapper).
#[repr(C)]
pub struct LentHandle {
    context: *const c_void,
}

impl LentHandle {
    /// Returns what the C API takes for a duckdb_client_context, valid while `self` is.
    pub fn as_raw(&mut self) -> duckdb_client_context {
        std::ptr::from_mut(self).cast()
    }
}

/// The ClientContext of a statement that is bound or run while this is used.
#[derive(Clone, Copy)]
pub struct RunningContext {
    context: *const c_void,
}

// SAFETY: who makes one vouches that its statement is under way whenever it is used, on whichever thread DuckDB runs that.
unsafe impl Send for RunningContext {}
// SAFETY: as above; what it is asked for, any thread of the statement may ask.
unsafe impl Sync for RunningContext {}

impl RunningContext {
    /// Refers to the ClientContext at `context`.
    ///
    /// # Safety
    /// The address is not null, and a statement is bound or run in that ClientContext whenever the result or a copy of it is used.
    pub unsafe fn at(context: *const c_void) -> RunningContext {
        RunningContext { context }
    }

    /// Refers to the ClientContext behind a handle of the C API, and frees the handle. Fails when there is none.
    ///
    /// # Safety
    /// The handle is null, or valid and the caller's to free; the rest as for [`RunningContext::at`].
    pub unsafe fn take(mut handle: duckdb_client_context) -> Result<RunningContext> {
        if handle.is_null() {
            return Err(Error::internal("DuckDB gave no client context"));
        }
        // SAFETY: the handle is a pointer to a structure that holds the context's address.
        let context = unsafe { (*handle.cast::<LentHandle>()).context };
        // SAFETY: the handle came from the C API and is freed once; the context is not its property.
        unsafe { duckdb_destroy_client_context(&mut handle) };
        match context.is_null() {
            true => Err(Error::internal("DuckDB gave no client context")),
            // SAFETY: the caller vouches for the statement.
            false => Ok(unsafe { RunningContext::at(context) }),
        }
    }

    /// Returns all of Unify's settings. Fails, naming the setting, on a value out of its range.
    pub fn read(&self) -> Result<Settings> {
        Settings::read(|name| self.value(name))
    }

    /// Returns the value of any setting; `None` when there is none of that name.
    pub fn value(&self, name: &str) -> Option<Value> {
        let name = c_string(name).ok()?;
        let mut lent = self.lend();
        // SAFETY: the handle has the C API's layout, and its context is alive; the value is ours.
        let raw = unsafe { duckdb_client_context_get_config_option(lent.as_raw(), name.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: what the call gave is ours.
        let value = unsafe { OwnedValue::take(raw) };
        value.is_there().then(|| value.lent().read().ok()).flatten()
    }

    /// Returns what the user made the search path: schemas, each with its database where one was named.
    pub fn search_path(&self) -> Vec<(Option<String>, String)> {
        self.value("search_path").and_then(|path| path.as_text().map(path_entries)).unwrap_or_default()
    }

    /// Lends the context to the C API.
    pub fn lend(&self) -> LentHandle {
        LentHandle { context: self.context }
    }

    /// Returns the number of the session in its database instance.
    pub fn session(&self) -> u64 {
        let mut lent = self.lend();
        // SAFETY: the handle has the C API's layout, and its context is alive.
        unsafe { duckdb_client_context_get_connection_id(lent.as_raw()) }
    }

    /// Returns the ClientContext's address, for the bridge.
    pub fn as_raw(&self) -> *const c_void {
        self.context
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
