//! How jobs start: in a database of this process alone, in one that other processes write to, and again after they were parked.

use super::state::State;
use super::{Inner, TableTarget};
use crate::load::audit::{forget_old, now_micros};
use crate::load::job::Job;
use crate::load::live_jobs::Entry;
use crate::load::pulse::Pulse;
use crate::load::registry::KnownJob;
use crate::load::report::LoadAction;
use crate::load::run::JobRun;
use crate::load::shared::Follower;
use crate::load::store::Store;
use crate::lock::lock;
use crate::session::Settings;
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, MutexGuard};

/// What a job is to do.
#[derive(Clone, Copy)]
struct Work<'a> {
    target: &'a TableTarget,
    action: LoadAction,
    settings: &'a Settings,
}

impl Inner {
    /// Starts a job for the table, or joins the one that runs.
    pub(in crate::load) fn start(&self, target: &TableTarget, action: LoadAction, settings: &Settings) -> Result<Arc<Job>> {
        target.table_def()?;
        // The session is dropped after the lock is free: dropping the last one closes the database, and with it this loader.
        let mut session = self.database.connect()?;
        let mut state = lock(&self.state);
        if self.is_closed() {
            return Err(Error::new(ErrorKind::DatabaseGone, "the database is closing"));
        }
        state.forget_ended();
        if let Some(job) = state.running.get(&target.key()) {
            return Ok(job.clone());
        }
        let store = target.store(session.as_mut())?;
        let label = format!("{}.{}", target.connection.name, target.table);
        if action == LoadAction::Load && store.is_loaded(session.as_mut())? {
            return Ok(Arc::new(Job::nothing_to_do(label, settings)));
        }
        if store.kind.is_shared() {
            let pulse = state.pulse(&self.database)?;
            // Others are not kept waiting while other processes are in the way.
            drop(state);
            return self.start_shared(Work { target, action, settings }, store, pulse);
        }
        store.transact(self.database.as_ref(), &|| Ok(()), |session| store.create_unify_schema(session))?;
        let ids = state.ids(session.as_mut(), &target.catalog, &store)?;
        if let Some(age) = settings.log_retention {
            forget_old(session.as_mut(), &store.unify_schema, age)?;
        }
        store.transact(self.database.as_ref(), &|| Ok(()), |session| {
            store.note_drop(session, &target.subject(&store), |_| Ok(ids.fetch_add(1, Ordering::Relaxed) + 1))?;
            store.claim(session)
        })?;
        let job = Arc::new(Job::new(ids.fetch_add(1, Ordering::Relaxed) + 1, action, label, settings));
        let run = self.job_run(&mut state, &job, Work { target, action, settings }, (store, ids, None))?;
        session.execute(&run.start_sql())?;
        begin(state, run)
    }

    /// Starts a job in a database that other processes write to, or one that waits for theirs.
    fn start_shared(&self, work: Work<'_>, store: Store, pulse: Arc<Pulse>) -> Result<Arc<Job>> {
        let Work { target, action, settings } = work;
        if let Some(age) = settings.log_retention {
            store.transact(self.database.as_ref(), &|| self.check_open(), |session| match store.exists_unify(session)? {
                true => forget_old(session, &store.unify_schema, age),
                false => Ok(()),
            })?;
        }
        let entry = self.enter(&pulse, target, &store, action)?;
        let label = format!("{}.{}", target.connection.name, target.table);
        let unify_schema = store.unify_schema.clone();
        // The session is dropped after the lock is free, as in `start`.
        let _session = self.database.connect()?;
        let mut state = lock(&self.state);
        self.check_open()?;
        match entry {
            Entry::Loaded => Ok(Arc::new(Job::nothing_to_do(label, settings))),
            Entry::Entered(id) => {
                let job = Arc::new(Job::new(id, action, label, settings));
                let run = self.job_run(&mut state, &job, work, (store, Arc::new(AtomicI64::new(id)), Some(pulse.clone())));
                if run.is_err() {
                    pulse.leave(&unify_schema, id);
                }
                begin(state, run?)
            }
            Entry::Taken(id) => {
                if let Some(job) = state.running.get(&target.key()) {
                    return Ok(job.clone());
                }
                let job = Arc::new(Job::new(id, action, label, settings));
                let (inner, target, settings) = (self.this.clone(), target.clone(), settings.clone());
                let follower = Follower { inner, job: job.clone(), pulse, target, settings };
                let thread = std::thread::Builder::new().name("unify-load".to_string()).spawn(move || follower.run());
                state.threads.push(thread.map_err(|err| Error::internal(format!("could not start a thread: {err}")))?);
                Ok(job)
            }
        }
    }

    fn job_run(
        &self,
        state: &mut State,
        job: &Arc<Job>,
        work: Work<'_>,
        (store, ids, pulse): (Store, Arc<AtomicI64>, Option<Arc<Pulse>>),
    ) -> Result<JobRun> {
        Ok(JobRun {
            job: job.clone(),
            inner: self.this.clone(),
            database: self.database.clone(),
            target: work.target.clone(),
            subject: work.target.subject(&store),
            store,
            ids,
            began: now_micros(),
            settings: work.settings.clone(),
            workers: state.workers()?,
            budget: state.budget(work.settings.memory_limit),
            pulse,
        })
    }

    /// Starts a thread for a job that gave its own back. On a closed database it does nothing.
    pub(in crate::load) fn respawn(&self, run: &Arc<JobRun>) {
        let mut state = lock(&self.state);
        if self.is_closed() {
            return;
        }
        let spawned = state.spawn(run.target.key(), run);
        drop(state);
        if let Err(err) = spawned {
            run.end(Err(err.within(run.target.place())));
        }
    }
}

/// Starts a run of a job that is noted. One that gets no thread ends with that error.
fn begin(mut state: MutexGuard<'_, State>, run: JobRun) -> Result<Arc<Job>> {
    let (job, key, run) = (run.job.clone(), run.target.key(), Arc::new(run));
    state.known.add(KnownJob { job: job.clone(), target: run.target.clone() });
    let spawned = state.spawn(key, &run);
    // To note the end takes a session, which is dropped after the lock is free.
    drop(state);
    match spawned {
        Ok(()) => Ok(job),
        Err(err) => {
            run.end(Err(err.clone().within(run.target.place())));
            Err(err)
        }
    }
}
