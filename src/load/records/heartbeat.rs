//! The thread that stands for a database where other processes look for signs of life, and gives them.

use crate::load::clock::now_micros;
use crate::load::records::owner::{Owner, BEAT};
use crate::load::records::retry::retry_conflicts;
use crate::load::threads::pool::join_other;
use crate::lock::lock;
use crate::session::Database;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

/// A running thread. It ends with `stop`.
pub struct Heartbeat {
    owner: Owner,
    beats: Arc<Beats>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
struct Beats {
    database: Arc<dyn Database>,
    /// The running jobs in shared databases: the schema `unify` of each, and its id.
    jobs: Mutex<Vec<(String, i64)>>,
    stopped: AtomicBool,
}

impl Heartbeat {
    /// Starts the thread.
    pub fn start(database: Arc<dyn Database>) -> Result<Heartbeat> {
        let beats = Arc::new(Beats { database, jobs: Mutex::default(), stopped: AtomicBool::new(false) });
        let (sender, receiver) = mpsc::channel();
        let own = beats.clone();
        let failed = |err: &dyn std::fmt::Display| Error::internal(format!("could not start a thread: {err}"));
        let thread = std::thread::Builder::new().name("unify-heartbeat".to_string()).spawn(move || {
            own.database.enter_thread();
            // The other side waits for it.
            let _ = sender.send(Owner::of_this_thread());
            own.run();
        });
        let thread = thread.map_err(|err| failed(&err))?;
        let owner = receiver.recv().map_err(|err| failed(&err))?;
        Ok(Heartbeat { owner, beats, thread: Mutex::new(Some(thread)) })
    }

    /// Returns the name other processes know this one's jobs by.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Gives signs of life for a job from here on, until `leave`.
    pub fn enter(&self, unify_schema: &str, id: i64) {
        lock(&self.beats.jobs).push((unify_schema.to_string(), id));
    }

    /// Gives no more signs of life for a job.
    pub fn leave(&self, unify_schema: &str, id: i64) {
        lock(&self.beats.jobs).retain(|(schema, job_id)| *job_id != id || schema != unify_schema);
    }

    /// Returns whether a job runs.
    pub fn beats_for(&self, unify_schema: &str, id: i64) -> bool {
        lock(&self.beats.jobs).iter().any(|(schema, job_id)| *job_id == id && schema == unify_schema)
    }

    /// Ends the thread and joins it, unless it is the calling one. Its statement under way is interrupted by the caller.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        self.beats.stopped.store(true, Ordering::Release);
        let thread = lock(&self.thread).take();
        if let Some(thread) = &thread {
            thread.thread().unpark();
        }
        thread
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            join_other(thread);
        }
    }
}

impl Beats {
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
            let _ = retry_conflicts(&may_go_on, || self.database.connect()?.execute(&heartbeat_sql(&unify_schema, &ids)));
        }
    }
}
/// Returns the statement that gives a sign of life for jobs.
fn heartbeat_sql(unify_schema: &str, ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!(
        "UPDATE {unify_schema}.live_jobs SET updated = make_timestamp({}) WHERE owner <> '' AND job_id IN ({})",
        now_micros(),
        ids.join(", ")
    )
}
