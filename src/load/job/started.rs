//! What came of asking for a load.

use crate::load::job::handle::Job;
use crate::load::job::report::LoadReport;
use crate::Result;
use std::sync::Arc;
use std::time::Duration;

/// What came of asking for a load.
#[derive(Clone)]
pub enum Started {
    /// The table of that name, `connection.table`, is loaded, and nothing else was asked for: there is no job.
    Loaded { label: String },
    /// A job that began, or that ran already.
    Job(Arc<Job>),
}

impl Started {
    /// Waits for the end as [`Job::wait`] does.
    pub fn wait(&self, interrupted: &dyn Fn() -> bool, timeout: Option<Duration>) -> Result<LoadReport> {
        match self {
            Started::Loaded { .. } => Ok(LoadReport::nothing_to_do()),
            Started::Job(job) => job.wait(interrupted, timeout),
        }
    }

    /// Returns how it ended; `None` while the job runs.
    pub fn outcome(&self) -> Option<Result<LoadReport>> {
        match self {
            Started::Loaded { .. } => Some(Ok(LoadReport::nothing_to_do())),
            Started::Job(job) => job.outcome(),
        }
    }

    /// Returns how far it is, in percent, where that is known.
    pub fn percent(&self) -> Option<f64> {
        match self {
            Started::Loaded { .. } => Some(100.0),
            Started::Job(job) => job.percent(),
        }
    }
}
