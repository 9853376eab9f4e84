//! What the loads of one database instance share, under one lock: jobs, threads, clients, memory, record ids.

use super::JobKey;
use crate::http::{ApiClient, HttpSettings};
use crate::load::audit::close_open_jobs;
use crate::load::budget::Budget;
use crate::load::job::Job;
use crate::load::pool::Workers;
use crate::load::pulse::Pulse;
use crate::load::registry::Registry;
use crate::load::run::JobRun;
use crate::load::store::Store;
use crate::session::{quote_literal, Database, Session};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

#[derive(Default)]
pub(super) struct State {
    pub(super) running: HashMap<JobKey, Arc<Job>>,
    pub(super) known: Registry,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) workers: Option<Arc<Workers>>,
    pub(super) pulse: Option<Arc<Pulse>>,
    pub(super) budget: Option<(u64, Arc<Budget>)>,
    /// By connection: its tables share the API's budget, and connections to it.
    pub(super) clients: HashMap<String, (HttpSettings, Arc<ApiClient>)>,
    /// The last id given out in each database's `loading_jobs`.
    pub(super) last_ids: HashMap<String, Arc<AtomicI64>>,
    /// By database: statements that write rows back, and give out ids as loads do.
    pub(super) writing: HashMap<String, usize>,
}

/// The ids of records of a database.
pub(in crate::load) struct Ids<'a> {
    pub(super) state: &'a mut State,
    pub(super) catalog: &'a str,
    pub(super) database: &'a Arc<dyn Database>,
}

impl Ids<'_> {
    /// Returns an id that no record has.
    pub(in crate::load) fn next(&mut self, session: &mut dyn Session, store: &Store) -> Result<i64> {
        self.take(session, store, 1)
    }

    /// Returns the first of `count` ids in a row that no record has.
    pub(in crate::load) fn take(&mut self, session: &mut dyn Session, store: &Store, count: usize) -> Result<i64> {
        let ids = self.state.ids(session, self.catalog, store)?;
        Ok(ids.fetch_add(count as i64, Ordering::Relaxed) + 1)
    }

    /// Returns what gives signs of life to other processes.
    pub(in crate::load) fn pulse(&mut self) -> Result<Arc<Pulse>> {
        self.state.pulse(self.database)
    }
}

impl State {
    /// Drops what is kept for jobs that have ended.
    pub(super) fn forget_ended(&mut self) {
        self.threads.retain(|thread| !thread.is_finished());
        self.running.retain(|_, job| !job.is_ended());
    }

    /// Starts the job's own thread. A job whose thread cannot start has to be ended.
    pub(super) fn spawn(&mut self, key: JobKey, run: &Arc<JobRun>) -> Result<()> {
        let own = run.clone();
        let thread = std::thread::Builder::new().name("unify-load".to_string()).spawn(move || own.run());
        self.threads.push(thread.map_err(|err| Error::internal(format!("could not start a thread: {err}")))?);
        self.running.insert(key, run.job.clone());
        Ok(())
    }

    pub(super) fn workers(&mut self) -> Result<Arc<Workers>> {
        if let Some(workers) = &self.workers {
            return Ok(workers.clone());
        }
        let workers = Arc::new(Workers::start()?);
        self.workers = Some(workers.clone());
        Ok(workers)
    }

    /// Returns the thread that gives signs of life to other processes.
    pub(super) fn pulse(&mut self, database: &Arc<dyn Database>) -> Result<Arc<Pulse>> {
        if let Some(pulse) = &self.pulse {
            return Ok(pulse.clone());
        }
        let pulse = Arc::new(Pulse::start(database.clone())?);
        self.pulse = Some(pulse.clone());
        Ok(pulse)
    }

    /// Returns the memory all loads share; a changed limit holds for loads that start from now on.
    pub(super) fn budget(&mut self, bytes: u64) -> Arc<Budget> {
        match &self.budget {
            Some((known, budget)) if *known == bytes => budget.clone(),
            _ => {
                let budget = Arc::new(Budget::new(bytes));
                self.budget = Some((bytes, budget.clone()));
                budget
            }
        }
    }

    /// Returns the counter of record ids of a database. While no load runs, records that an ended process left open are closed.
    pub(super) fn ids(&mut self, session: &mut dyn Session, catalog: &str, store: &Store) -> Result<Arc<AtomicI64>> {
        // A name can be attached to another file later.
        let path = session.value(&format!(
            "SELECT coalesce(path, '') FROM duckdb_databases() WHERE lower(database_name) = lower({})",
            quote_literal(catalog)
        ))?;
        let key = format!("{}\n{}", catalog.to_lowercase(), path.as_text().unwrap_or_default());
        // While no load runs here, another process may have had the file: its records count, too.
        let catalog = catalog.to_lowercase();
        let is_busy = self.writing.contains_key(&catalog) || self.running.keys().any(|(busy, ..)| *busy == catalog);
        if let Some(ids) = self.last_ids.get(&key).filter(|_| is_busy) {
            return Ok(ids.clone());
        }
        let ids = Arc::new(AtomicI64::new(close_open_jobs(session, &store.unify_schema)?));
        self.last_ids.insert(key, ids.clone());
        Ok(ids)
    }
}
