//! The thread that stands for a database where other processes look for signs of life, and gives them.

use super::live_jobs::beat_sql;
use super::owner::{Owner, BEAT};
use super::pool::join_other;
use super::retry::retry_conflicts;
use crate::lock::lock;
use crate::session::Database;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

/// A running thread. It ends with `stop`.
pub struct Pulse {
    owner: Owner,
    beating: Arc<Beating>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
struct Beating {
    database: Arc<dyn Database>,
    /// The running jobs in shared databases: the schema `unify` of each, and its id.
    jobs: Mutex<Vec<(String, i64)>>,
    stopped: AtomicBool,
}

impl Pulse {
    /// Starts the thread.
    pub fn start(database: Arc<dyn Database>) -> Result<Pulse> {
        let beating = Arc::new(Beating { database, jobs: Mutex::default(), stopped: AtomicBool::new(false) });
        let (sender, receiver) = mpsc::channel();
        let own = beating.clone();
        let failed = |err: &dyn std::fmt::Display| Error::internal(format!("could not start a thread: {err}"));
        let thread = std::thread::Builder::new().name("unify-pulse".to_string()).spawn(move || {
            // The other side waits for it.
            let _ = sender.send(Owner::of_this_thread());
            own.run();
        });
        let thread = thread.map_err(|err| failed(&err))?;
        let owner = receiver.recv().map_err(|err| failed(&err))?;
        Ok(Pulse { owner, beating, thread: Mutex::new(Some(thread)) })
    }

    /// Returns the name other processes know this one's jobs by.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Gives signs of life for a job from here on, until `leave`.
    pub fn enter(&self, unify_schema: &str, id: i64) {
        lock(&self.beating.jobs).push((unify_schema.to_string(), id));
    }

    /// Gives no more signs of life for a job.
    pub fn leave(&self, unify_schema: &str, id: i64) {
        lock(&self.beating.jobs).retain(|(schema, job_id)| *job_id != id || schema != unify_schema);
    }

    /// Returns whether a job runs.
    pub fn beats_for(&self, unify_schema: &str, id: i64) -> bool {
        lock(&self.beating.jobs).iter().any(|(schema, job_id)| *job_id == id && schema == unify_schema)
    }

    /// Ends the thread and joins it, unless it is the calling one. Its statement under way is interrupted by the caller.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        self.beating.stopped.store(true, Ordering::Release);
        let thread = lock(&self.thread).take();
        if let Some(thread) = &thread {
            thread.thread().unpark();
        }
        thread
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            join_other(thread);
        }
    }
}

impl Beating {
    fn run(&self) {
        let mut next = Instant::now() + BEAT;
        loop {
            std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
            if self.stopped.load(Ordering::Acquire) {
                return;
            }
            if Instant::now() >= next {
                self.beat();
                next = Instant::now() + BEAT;
            }
        }
    }

    /// Gives one sign of life in each database. One that cannot be given is not: the next may be, and the job itself says what is wrong.
    fn beat(&self) {
        let mut by_schema: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (unify_schema, id) in lock(&self.jobs).iter() {
            by_schema.entry(unify_schema.clone()).or_default().push(*id);
        }
        let may_go_on = || match self.stopped.load(Ordering::Acquire) {
            true => Err(Error::new(ErrorKind::Cancelled, "the database is closing")),
            false => Ok(()),
        };
        for (unify_schema, ids) in by_schema {
            let _ = retry_conflicts(&may_go_on, || self.database.connect()?.execute(&beat_sql(&unify_schema, &ids)));
        }
    }
}
