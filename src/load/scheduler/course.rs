//! The course of a job over its threads: it gives its thread back while it waits, for a parent or for the API, and later gets another.

use super::{Idle, Jobs, Scheduler};
use crate::load::flow::export::sleep_until;
use crate::load::job::handle::{Job, Stop};
use crate::load::job::report::LoadReport;
use crate::load::job::started::Started;
use crate::load::run::{JobRun, ParentLoad, Step};
use crate::lock::lock;
use crate::{Error, ErrorKind, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Weak};

impl Scheduler {
    /// Gives a job a thread.
    pub(super) fn start_thread(&self, jobs: &mut Jobs, run: Arc<JobRun>) -> Result<()> {
        let scheduler = self.this.clone();
        self.spawn_among(jobs, "unify-load", move || drive(&scheduler, &run))
    }

    /// Asks a job to stop as soon as it can: also one that has no thread.
    pub fn cancel(&self, job: &Arc<Job>, stop: Stop) {
        job.cancel(stop);
        self.resume(|idle| Arc::ptr_eq(idle.job(), job));
    }

    /// Ends a job, and lets those go on that wait for it.
    pub(super) fn end(&self, run: &JobRun, outcome: Result<LoadReport>) {
        run.end(outcome);
        self.has_ended(&run.job);
    }

    /// Lets those go on that wait for a job.
    pub(super) fn has_ended(&self, job: &Arc<Job>) {
        self.resume(|idle| idle.awaited().is_some_and(|awaited| Arc::ptr_eq(awaited, job)));
    }

    /// Starts a parent's job, or joins the one that runs.
    fn start_parent(&self, parent: &ParentLoad) -> Result<Started> {
        let started = catch_unwind(AssertUnwindSafe(|| self.start(&parent.target, parent.action, &parent.settings)));
        started.unwrap_or_else(|_| Err(Error::internal("the start of a load panicked")))
    }

    /// Leaves a job until its parent has ended. Returns false when it is to go on at once.
    fn waits_for(&self, run: &Arc<JobRun>, parent: &Arc<Job>) -> bool {
        run.waits_for(parent);
        self.leave(Idle::Child { run: run.clone(), parent: parent.clone() })
    }

    /// Leaves a job until that moment, in microseconds since 1970. What it has loaded is stored with its place, so a thread of later goes
    /// on from there. Returns false when it is to end.
    fn suspend(&self, run: &Arc<JobRun>, until: i64) -> bool {
        if self.services.is_closed() || run.job.is_cancelled() {
            return false;
        }
        run.suspend(until);
        if !self.leave(Idle::Suspended { run: run.clone() }) {
            return false;
        }
        let (scheduler, job, watch) = (self.this.clone(), run.job.clone(), run.take_watch());
        run.workers.spawn(async move {
            let is_over = || job.is_ended() || job.is_cancelled();
            match watch {
                Some(watch) => watch.until_due(is_over).await,
                None => sleep_until(until, &is_over).await,
            }
            // Where no thread starts, the job's end is written, which no thread of the network may do.
            tokio::task::spawn_blocking(move || {
                if let Some(scheduler) = scheduler.upgrade() {
                    scheduler.resume(|idle| Arc::ptr_eq(idle.job(), &job));
                }
            });
        });
        true
    }

    /// Notes a job that has no thread from here on. Returns false when there is nothing to wait for.
    pub(super) fn leave(&self, idle: Idle) -> bool {
        let mut jobs = lock(&self.jobs);
        let goes_on = self.services.is_closed() || idle.job().is_cancelled() || idle.awaited().is_some_and(|job| job.is_ended());
        if !goes_on {
            jobs.idle.push(idle);
        }
        !goes_on
    }

    /// Lets jobs without a thread go on.
    fn resume(&self, which: impl Fn(&Idle) -> bool) {
        let mut failed: Vec<(Arc<JobRun>, Error)> = Vec::new();
        let mut ended: Vec<Arc<Job>> = Vec::new();
        {
            let mut jobs = lock(&self.jobs);
            let (due, idle) = std::mem::take(&mut jobs.idle).into_iter().partition(which);
            jobs.idle = idle;
            let due: Vec<Idle> = due;
            for idle in due {
                match idle {
                    Idle::Child { run, .. } | Idle::Suspended { run } => {
                        if let Err(err) = self.start_thread(&mut jobs, run.clone()) {
                            failed.push((run, err));
                        }
                    }
                    Idle::Follower { job, next, target } => {
                        let early = || job.check_cancelled().and(Err(Error::internal("a load went on before its time")));
                        let outcome = next.outcome().unwrap_or_else(early);
                        job.end(outcome.map_err(|err| err.at(target.place())));
                        ended.push(job);
                    }
                }
            }
        }
        for (run, err) in failed {
            self.end(&run, Err(err.at(run.target.place())));
        }
        for job in ended {
            self.has_ended(&job);
        }
    }
}

/// Drives a job on the calling thread, until it ends or waits.
fn drive(scheduler: &Weak<Scheduler>, run: &Arc<JobRun>) {
    let gone = || Error::new(ErrorKind::DatabaseGone, "the database was closed");
    let mut step = run.go_on();
    let outcome = loop {
        step = match step {
            Step::Ended(outcome) => break outcome,
            Step::Parent(parent) => match scheduler.upgrade().ok_or_else(gone).and_then(|scheduler| scheduler.start_parent(&parent)) {
                Ok(Started::Job(job)) if scheduler.upgrade().is_some_and(|scheduler| scheduler.waits_for(run, &job)) => return,
                Ok(Started::Loaded { .. }) => {
                    run.has_parent();
                    run.go_on()
                }
                Ok(Started::Job(_)) => run.go_on(),
                Err(err) => break Err(run.described(err)),
            },
            Step::NotBefore { until, .. } if scheduler.upgrade().is_some_and(|scheduler| scheduler.suspend(run, until)) => return,
            // It was asked to stop. Its children, too, hear that, and not that the API asks for a wait.
            Step::NotBefore { err, .. } => break Err(run.job.check_cancelled().map_or_else(|stopped| run.described(stopped), |()| err)),
        };
    };
    match scheduler.upgrade() {
        Some(scheduler) => scheduler.end(run, outcome),
        None => run.end(outcome),
    }
    run.checkpoint();
}
