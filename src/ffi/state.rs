//! What Unify keeps for one database instance.

use super::context::RunningContext;
use super::database::HostDatabase;
use super::entry::Entry;
use super::exit::Closes;
use super::host::Bridge;
use super::python;
use crate::catalog::Catalog;
use crate::load::Loader;
use crate::sql::Instance;
use crate::{Error, Result};
use std::sync::Arc;

/// The state of one database instance. The bridge holds the one lasting reference and drops it when the database goes away;
/// everything else holds weak ones.
pub struct State {
    instance: Instance,
    /// The same database as the instance's, with what only this layer asks of it.
    host: Arc<HostDatabase>,
    bridge: &'static Bridge,
    /// The process that loaded the extension.
    process: u32,
}

impl State {
    /// Makes the state for a database.
    pub fn new(bridge: &'static Bridge, database: HostDatabase) -> Arc<State> {
        let host = Arc::new(database);
        let instance = Instance { catalog: Arc::new(Catalog::new()), loader: Loader::new(host.clone()), database: host.clone() };
        Arc::new(State { instance, host, bridge, process: std::process::id() })
    }

    /// Fails in a process that was forked from the one that loaded the extension: it has none of its threads, and who waits for them waits for ever.
    pub fn check_process(&self) -> Result<()> {
        match self.is_in_fork() {
            false => Ok(()),
            true => Err(Error::config(
                "this process was forked from the one that opened the database, and has none of its threads; \
                 open the database after the fork, or start the process anew, as Python's multiprocessing does with 'spawn'",
            )),
        }
    }

    /// Returns whether this process was forked from the one that loaded the extension.
    pub fn is_in_fork(&self) -> bool {
        self.process != std::process::id()
    }

    /// Returns what statements work with.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Returns the database.
    pub fn host(&self) -> &HostDatabase {
        &self.host
    }

    /// Returns whether the user interrupted the statement that runs in that context.
    pub fn is_interrupted(&self, context: &RunningContext) -> bool {
        // SAFETY: the statement that asks runs inside this context, so the context is alive.
        if unsafe { (self.bridge.interrupted)(context.as_raw()) } {
            return true;
        }
        let took = python::took_interrupt();
        if took {
            // The signal is taken: all of the statement is to know.
            // SAFETY: as above.
            unsafe { (self.bridge.interrupt)(context.as_raw()) };
        }
        took
    }

    /// Returns the text of the statement that runs in that context, which may begin within a letter.
    pub fn current_query(&self, context: &RunningContext) -> String {
        // SAFETY: the statement that asks runs inside this context, so the context is alive.
        let text = unsafe { (self.bridge.current_query)(context.as_raw()) };
        // SAFETY: the text lives as long as the statement.
        unsafe { text.to_string_lossy() }
    }

    /// Returns whether an open transaction made or changed an entry.
    pub fn is_uncommitted(&self, entry: &Entry<'_>) -> bool {
        entry.is_uncommitted(self.bridge)
    }
}

impl Closes for State {
    /// Stops all jobs and joins all threads but the calling one.
    fn close(&self) {
        // A fork has none of the threads to join.
        if !self.is_in_fork() {
            self.instance.loader.close();
        }
    }
}
