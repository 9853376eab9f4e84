//! Whether the daemon runs, and what it remembers from look to look.

use crate::load::job::awaited::Awaited;
use crate::load::job::handle::Job;
use crate::load::target::TableKey;
use crate::lock::lock;
use crate::{Error, ErrorKind};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The daemon of one database instance, running or not.
#[derive(Default)]
pub(in crate::load) struct Daemon {
    pub(in crate::load) state: Mutex<State>,
    pub(in crate::load) changed: Condvar,
}

#[derive(Default)]
pub(in crate::load) struct State {
    /// The number of the run that is on; runs are counted so that a thread knows whether it is still the one.
    pub run: Option<u64>,
    pub n_runs: u64,
    pub started_at: Option<i64>,
    pub n_refreshes: u64,
    /// Why the last look failed, or did not see everything.
    pub problem: Option<Error>,
    /// Refreshes that could not even start leave no record in the database.
    pub refused: HashMap<TableKey, Refused>,
    /// Its last refresh of each table: where another process loads the table, the loader does not list the job.
    pub started: HashMap<TableKey, Arc<Job>>,
}

#[derive(Clone, Copy)]
pub(in crate::load) struct Refused {
    pub n_failures: u32,
    pub at: i64,
}

/// One run of the daemon, from its start to its stop.
#[derive(Clone)]
pub struct DaemonRun {
    pub(in crate::load) daemon: Arc<Daemon>,
    pub(in crate::load) run: u64,
}

impl DaemonRun {
    /// Stops the daemon if this run is still on. Returns how many refreshes it started.
    pub fn stop(&self) -> u64 {
        let mut state = lock(&self.daemon.state);
        if state.run == Some(self.run) {
            state.run = None;
            self.daemon.changed.notify_all();
        }
        state.n_refreshes
    }

    /// Returns whether somebody stopped it.
    pub fn is_over(&self) -> bool {
        lock(&self.daemon.state).run != Some(self.run)
    }

    /// Returns how many refreshes it started.
    pub fn n_refreshes(&self) -> u64 {
        lock(&self.daemon.state).n_refreshes
    }
}

impl Awaited for DaemonRun {
    fn wait_at_most(&self, wait: Duration) -> bool {
        let is_on = |state: &mut State| state.run == Some(self.run);
        let waited = self.daemon.changed.wait_timeout_while(lock(&self.daemon.state), wait, is_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.run != Some(self.run)
    }

    fn interrupted(&self) -> Error {
        let n_refreshes = self.stop();
        let message = format!("the daemon was interrupted and has stopped; it started {n_refreshes} refreshes, and those that run go on");
        Error::new(ErrorKind::Interrupted, message)
    }
}
