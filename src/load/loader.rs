//! Starts jobs, one per table at a time, and knows which tables are loaded.

use super::{Job, LoadAction};
use crate::columns::Batch;
use crate::session::{Session, Settings};
use crate::spec::Connection;
use crate::Result;
use std::sync::Arc;

/// A table of a connection, in one attached database.
#[derive(Clone)]
pub struct TableTarget {
    pub connection: Arc<Connection>,
    /// Name of the table in the adapter's spec.
    pub table: String,
    /// The attached database its rows go to.
    pub catalog: String,
}

/// The loads of one database instance.
pub struct Loader {}

impl Loader {
    /// Starts a job for the table, or joins the one that runs. Parents load first, inside the job.
    pub fn start(&self, _target: &TableTarget, _action: LoadAction, _settings: &Settings) -> Result<Arc<Job>> {
        unimplemented!()
    }

    /// Makes one request for the table and returns its first `n_rows` rows. Writes nothing.
    pub fn peek(&self, _target: &TableTarget, _n_rows: usize, _settings: &Settings, _interrupted: &dyn Fn() -> bool) -> Result<Batch> {
        unimplemented!()
    }

    /// Returns whether the native table exists and was made by Unify.
    pub fn is_loaded(&self, _session: &mut dyn Session, _target: &TableTarget) -> Result<bool> {
        unimplemented!()
    }
}
