//! How jobs start: in a database of this process alone, and in one that other processes write to.

use super::elsewhere::Follower;
use super::Scheduler;
use crate::load::job::handle::Job;
use crate::load::job::report::LoadAction;
use crate::load::job::started::Started;
use crate::load::known::KnownJob;
use crate::load::records::audit::forget_old;
use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::live_jobs::Entry;
use crate::load::records::store::Store;
use crate::load::run::{JobRun, Recording};
use crate::load::services::record_ids::RecordIds;
use crate::load::target::TableTarget;
use crate::lock::lock;
use crate::session::Settings;
use crate::Result;
use std::sync::Arc;

/// What a job is to do.
#[derive(Clone, Copy)]
struct Work<'a> {
    target: &'a TableTarget,
    action: LoadAction,
    settings: &'a Settings,
}

impl Scheduler {
    /// Starts a job for the table, or joins the one that runs.
    pub fn start(&self, target: &TableTarget, action: LoadAction, settings: &Settings) -> Result<Started> {
        let target = &target.filler()?;
        let turn = self.services.catalog_turn(&target.catalog)?;
        let mut session = self.services.database.connect()?;
        self.services.check_open()?;
        if let Some(job) = self.job_of(&target.key()) {
            return Ok(Started::Job(job));
        }
        let store = target.store(session.as_mut())?;
        if action == LoadAction::Load && target.is_all_loaded(session.as_mut(), &store)? {
            return Ok(Started::Loaded { label: target.label() });
        }
        let work = Work { target, action, settings };
        if store.kind.is_shared() {
            // Others are not kept waiting while other processes are in the way.
            drop(session);
            drop(turn);
            return self.start_shared(work, store);
        }
        // Before the transaction: it would not see the end that their holder records meanwhile.
        let held = turn.held_ids(&store);
        let run = store.transact_alone(session.as_mut(), |session| {
            store.create_unify_schema(session)?;
            let ids = held.map_or_else(|| turn.record_ids_within(session, &store), Ok)?;
            if let Some(age) = settings.log_retention {
                forget_old(session, &store.unify_schema, age)?;
            }
            store.note_drop(session, &target.subject(&store), |_| Ok(ids.next()))?;
            store.claim(session)?;
            for child in target.children() {
                let store = store.sibling(&child.table);
                store.note_drop(session, &child.subject(&store), |_| Ok(ids.next()))?;
                store.claim(session)?;
            }
            let job = Job::new(ids.next(), action, target.label(), settings);
            let run = self.run_of(job, work, Recording { store: store.clone(), ids, heartbeat: None })?;
            session.execute(&run.start_sql())?;
            Ok(run)
        })?;
        self.begin(run)
    }

    /// Starts a job in a database that other processes write to, or one that waits for theirs.
    fn start_shared(&self, work: Work<'_>, store: Store) -> Result<Started> {
        let Work { target, action, settings } = work;
        let heartbeat = self.services.heartbeat()?;
        self.services.transact(&store, |session| store.create_unify_schema(session))?;
        if let Some(age) = settings.log_retention {
            self.services.transact(&store, |session| forget_old(session, &store.unify_schema, age))?;
        }
        match self.enter(&heartbeat, target, &store, action)? {
            Entry::Loaded => Ok(Started::Loaded { label: target.label() }),
            Entry::Entered(id) => {
                let unify_schema = store.unify_schema.clone();
                let ids = Arc::new(RecordIds::after(id));
                let job = Job::new(id, action, target.label(), settings);
                let run = self.run_of(job, work, Recording { store, ids, heartbeat: Some(heartbeat.clone()) });
                if run.is_err() {
                    heartbeat.leave(&unify_schema, id);
                }
                self.begin(run?)
            }
            Entry::Taken(id) => self.follow_taken(id, work, heartbeat),
        }
    }

    /// Returns a job that ends with the one of this id, which is another process's, or was begun here meanwhile.
    fn follow_taken(&self, id: i64, work: Work<'_>, heartbeat: Arc<Heartbeat>) -> Result<Started> {
        let Work { target, action, settings } = work;
        if let Some(job) = self.job_of(&target.key()) {
            return Ok(Started::Job(job));
        }
        let job = Arc::new(Job::new(id, action, target.label(), settings));
        self.follow(Follower {
            job: job.clone(),
            services: self.services.clone(),
            heartbeat,
            target: target.clone(),
            settings: settings.clone(),
        })?;
        Ok(Started::Job(job))
    }

    fn run_of(&self, job: Job, work: Work<'_>, recording: Recording) -> Result<JobRun> {
        self.services.check_open()?;
        JobRun::new(self.services.clone(), Arc::new(job), work.target.clone(), work.settings, recording)
    }

    /// Starts a run of a job that is noted. One that gets no thread ends with that error.
    fn begin(&self, run: JobRun) -> Result<Started> {
        let (key, run) = (run.target.key(), Arc::new(run));
        let job = run.job.clone();
        let started = {
            let mut jobs = lock(&self.jobs);
            jobs.known.add(KnownJob { job: job.clone(), target: run.target.clone() });
            let started = self.start_thread(&mut jobs, run.clone());
            if started.is_ok() {
                jobs.running.insert(key, job.clone());
            }
            started
        };
        match started {
            Ok(()) => Ok(Started::Job(job)),
            Err(err) => {
                self.end(&run, Err(err.clone().at(run.target.place())));
                Err(err)
            }
        }
    }
}
