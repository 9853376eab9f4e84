//! One run of a load: its id, its progress, and how others wait for it.

use crate::Result;
use std::time::Duration;

/// What a job does with its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadAction {
    /// Loads the table unless it is loaded.
    Load,
    /// Brings the table up to date by its refresh strategy.
    Refresh,
    /// Loads the table anew and swaps it in when complete.
    Reload,
}

/// What a job did.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadReport {
    pub job_id: i64,
    /// `load`, `refresh`, `reload`, or `none` when the table was loaded already.
    pub action: &'static str,
    pub rows: u64,
    pub requests: u64,
    pub pages: u64,
    pub bytes: u64,
    pub seconds: f64,
}

/// A running or ended load.
pub struct Job {}

impl Job {
    /// Returns the id of the job's first record in `loading_jobs`.
    pub fn id(&self) -> i64 {
        unimplemented!()
    }

    /// Waits until the job ends. Asks `interrupted` at least every 100 ms; when it says so the job goes on and the error's kind
    /// is [`crate::ErrorKind::Interrupted`]. A timeout does the same.
    pub fn wait(&self, _interrupted: &dyn Fn() -> bool, _timeout: Option<Duration>) -> Result<LoadReport> {
        unimplemented!()
    }
}
