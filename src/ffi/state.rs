//! What Unify keeps for one database instance.

use super::database::HostDatabase;
use super::host::Bridge;
use crate::catalog::Catalog;
use crate::load::Loader;
use crate::sql::Instance;
use std::ffi::c_void;
use std::sync::Arc;

/// The state of one database instance. The bridge holds the one lasting reference and drops it when the database goes away;
/// everything else holds weak ones.
pub struct State {
    instance: Instance,
    bridge: &'static Bridge,
}

impl State {
    /// Makes the state for a database.
    pub fn new(bridge: &'static Bridge, database: HostDatabase) -> Arc<State> {
        let database = Arc::new(database);
        let instance = Instance { catalog: Arc::new(Catalog::new()), loader: Loader::new(database.clone()), database };
        Arc::new(State { instance, bridge })
    }

    /// Returns what statements work with.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Returns whether the user interrupted the query that runs in the ClientContext at `context`.
    ///
    /// The address must be that of a context whose query runs now: it comes from a call DuckDB is in the middle of.
    pub fn is_interrupted(&self, context: usize) -> bool {
        let context = context as *const c_void;
        // SAFETY: the query that asks runs inside this context, so the context is alive.
        !context.is_null() && unsafe { (self.bridge.interrupted)(context) }
    }

    /// Returns whether an open transaction made or changed a duckdb_catalog_entry, which must be alive.
    pub fn is_uncommitted(&self, entry: *mut c_void) -> bool {
        // SAFETY: the caller vouches for the entry.
        unsafe { (self.bridge.is_uncommitted)(entry) }
    }

    /// Stops all jobs and joins all threads but the calling one.
    pub fn close(&self) {
        self.instance.loader.close();
    }
}
