//! Statements that may take long: they are interrupted when the job is asked to stop, and when the user closed the database.

use super::transaction::leave_when_alone;
use crate::load::job::handle::Job;
use crate::lock::lock;
use crate::session::{Database, Interrupter, Session};
use crate::Result;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often it is asked whether the statement may go on.
const POLL: Duration = Duration::from_millis(50);

/// Does `work` with a session, and has another thread interrupt what it runs there when it may not go on. Fails with the reason for that, then.
pub fn watched<T>(
    session: &mut dyn Session,
    job: &Job,
    database: &dyn Database,
    work: impl FnOnce(&mut dyn Session) -> Result<T>,
) -> Result<T> {
    job.check_cancelled()?;
    let Some(interrupter) = session.interrupter() else { return work(session) };
    let watch = Watch::default();
    let outcome = thread::scope(|scope| {
        let keep_watch = || {
            database.enter_thread();
            watch.keep(job, interrupter.as_ref());
        };
        // Without the thread the statement goes on to its end.
        let _ = thread::Builder::new().name("unify_watch".to_string()).spawn_scoped(scope, keep_watch);
        let _until_here = EndOfWatch(&watch);
        work(session)
    });
    if outcome.is_err() {
        job.check_cancelled()?;
        if session.is_alone()? {
            // What failed left a transaction in which nothing else runs.
            let _ = session.execute("ROLLBACK");
            leave_when_alone(session)?;
        }
    }
    outcome
}

/// Whether the work is done.
#[derive(Default)]
struct Watch {
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl Watch {
    fn keep(&self, job: &Job, interrupter: &dyn Interrupter) {
        let mut is_over = lock(&self.is_over);
        while !*is_over {
            is_over = self.ended.wait_timeout(is_over, POLL).unwrap_or_else(PoisonError::into_inner).0;
            // An interrupt between two statements is lost, so there is one each time.
            if !*is_over && (job.is_cancelled() || interrupter.is_alone()) {
                interrupter.interrupt();
            }
        }
    }
}

/// Ends a watch when it is dropped: after a panic, too.
struct EndOfWatch<'a>(&'a Watch);

impl Drop for EndOfWatch<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_over) = true;
        self.0.ended.notify_all();
    }
}
