//! Jobs with the tables they load.

use crate::load::job::handle::Job;
use crate::load::target::{TableKey, TableTarget};
use std::sync::Arc;

/// A job and the table it loads.
#[derive(Clone)]
pub struct KnownJob {
    pub job: Arc<Job>,
    pub target: TableTarget,
}

/// A job that runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningJob {
    pub id: i64,
    pub catalog: String,
    pub connection: String,
    pub table: String,
}

impl RunningJob {
    /// Names the job that loads a table.
    pub fn new(id: i64, key: TableKey) -> RunningJob {
        let TableKey { catalog, connection, table } = key;
        RunningJob { id, catalog, connection, table }
    }
}
