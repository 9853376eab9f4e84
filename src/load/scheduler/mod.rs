//! Which jobs run, and on which threads.
//!
//! Its lock covers what it knows of jobs and threads: no statement runs under it, no request, and no wait.

mod course;
pub(super) mod daemon_state;
mod dropped;
mod elsewhere;
pub(super) mod registry;
mod start;

use self::registry::Registry;
use crate::load::job::handle::{Job, Stop};
use crate::load::known::{KnownJob, RunningJob};
use crate::load::run::JobRun;
use crate::load::services::{CatalogTurn, Services};
use crate::load::target::{TableKey, TableTarget};
use crate::load::threads::pool::join_other;
use crate::lock::lock;
use crate::session::Session;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long closing waits before it looks again whether a thread has ended.
const STOP_POLL: Duration = Duration::from_millis(10);

/// The jobs of one database instance. Threads hold it weakly, so that it goes with the database.
pub(super) struct Scheduler {
    pub services: Arc<Services>,
    /// Taken before those of jobs and services, and after the turns.
    jobs: Mutex<Jobs>,
    this: Weak<Scheduler>,
}

#[derive(Default)]
struct Jobs {
    running: HashMap<TableKey, Arc<Job>>,
    known: Registry,
    threads: Vec<JoinHandle<()>>,
    /// Those that have no thread.
    idle: Vec<Idle>,
}

/// A job without a thread.
enum Idle {
    /// It goes on when this parent has ended.
    Child { run: Arc<JobRun>, parent: Arc<Job> },
    /// It goes on when its moment has come.
    Suspended { run: Arc<JobRun> },
    /// It ends as the next one does, after another process's job did not load the table.
    Follower { job: Arc<Job>, next: Arc<Job>, target: TableTarget },
}

impl Idle {
    fn job(&self) -> &Arc<Job> {
        match self {
            Idle::Child { run, .. } | Idle::Suspended { run } => &run.job,
            Idle::Follower { job, .. } => job,
        }
    }

    /// Returns the job whose end is waited for.
    fn awaited(&self) -> Option<&Arc<Job>> {
        match self {
            Idle::Child { parent, .. } => Some(parent),
            Idle::Follower { next, .. } => Some(next),
            Idle::Suspended { .. } => None,
        }
    }
}

impl Jobs {
    /// Drops what is kept for jobs that have ended.
    fn forget_ended(&mut self) {
        self.threads.retain(|thread| !thread.is_finished());
        self.running.retain(|_, job| !job.is_ended());
    }
}

impl Scheduler {
    /// Makes a scheduler without jobs.
    pub fn new(services: Arc<Services>) -> Arc<Scheduler> {
        Arc::new_cyclic(|this| Scheduler { services, jobs: Mutex::default(), this: this.clone() })
    }

    /// Returns the jobs that run, and those that ended and are still remembered, in the order they started.
    pub fn known(&self) -> Vec<KnownJob> {
        lock(&self.jobs).known.all()
    }

    /// Returns the jobs that run, in no order that means anything but always the same.
    pub fn running(&self) -> Vec<RunningJob> {
        let jobs = lock(&self.jobs);
        let running = jobs.running.iter().filter(|(_, job)| !job.is_ended());
        let mut running: Vec<RunningJob> = running.map(|(key, job)| RunningJob::new(job.id(), key.clone())).collect();
        running.sort();
        running
    }

    /// Returns how many threads have not ended.
    #[cfg(test)]
    pub fn n_threads(&self) -> usize {
        lock(&self.jobs).threads.iter().filter(|thread| !thread.is_finished()).count()
    }

    /// Returns the job that loads a table.
    fn job_of(&self, key: &TableKey) -> Option<Arc<Job>> {
        let mut jobs = lock(&self.jobs);
        jobs.forget_ended();
        jobs.running.get(key).cloned()
    }

    /// Runs `work` while no load of the table can start. Fails when one runs.
    pub fn while_idle<T>(&self, target: &TableTarget, work: impl FnOnce(&mut dyn Session, &CatalogTurn<'_>) -> Result<T>) -> Result<T> {
        let own = target.key();
        self.while_none_runs(&target.catalog, |key, _| (*key == own).then(|| "it".to_string()), work)
    }

    /// Runs `work`, on records in `catalog`, while no load can start there. Fails when one runs that is `in_the_way`, which says what it
    /// loads.
    pub fn while_none_runs<T>(
        &self,
        catalog: &str,
        in_the_way: impl Fn(&TableKey, &Job) -> Option<String>,
        work: impl FnOnce(&mut dyn Session, &CatalogTurn<'_>) -> Result<T>,
    ) -> Result<T> {
        let turn = self.services.catalog_turn(catalog)?;
        let mut session = self.services.database.connect()?;
        self.services.check_open()?;
        let found = {
            let mut jobs = lock(&self.jobs);
            jobs.forget_ended();
            jobs.running.iter().find_map(|(key, job)| in_the_way(key, job).map(|what| (job.id(), what)))
        };
        match found {
            Some((id, what)) => {
                Err(Error::config(format!("job {id} is loading {what}; WAIT FOR JOB {id}, or CANCEL JOB {id}, and try again")))
            }
            None => work(session.as_mut(), &turn),
        }
    }

    /// Starts a thread that is joined when the database closes, which it has to look for itself.
    pub fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        self.spawn_among(&mut lock(&self.jobs), name, work)
    }

    fn spawn_among(&self, jobs: &mut Jobs, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        self.services.check_open()?;
        let database = self.services.database.clone();
        let thread = std::thread::Builder::new().name(name.to_string()).spawn(move || {
            database.enter_thread();
            work();
        });
        jobs.threads.push(thread.map_err(|err| Error::internal(format!("could not start a thread: {err}")))?);
        Ok(())
    }

    /// Stops all jobs and joins all threads but the calling one. Loads cannot start afterwards.
    pub fn close(&self) {
        self.services.begin_to_close();
        let (mut threads, idle) = {
            let mut jobs = lock(&self.jobs);
            for job in jobs.running.values() {
                job.cancel(Stop::Closing);
            }
            (std::mem::take(&mut jobs.threads), std::mem::take(&mut jobs.idle))
        };
        for idle in idle {
            // Its record is closed by the next load in its database.
            idle.job().close();
        }
        let (workers, heartbeat) = self.services.take_threads();
        threads.extend(heartbeat.and_then(|heartbeat| heartbeat.stop()));
        // The network threads go first: jobs that wait for pages see the end of them.
        if let Some(workers) = &workers {
            workers.stop();
        }
        for thread in threads {
            // A statement under way ends at once; one that starts meanwhile is the next round's.
            while !thread.is_finished() && thread.thread().id() != std::thread::current().id() {
                self.services.database.interrupt_all();
                std::thread::park_timeout(STOP_POLL);
            }
            join_other(thread);
        }
    }
}
