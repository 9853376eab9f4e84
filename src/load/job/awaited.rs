//! How statements wait for a job, and what they say when they stop waiting.

use crate::load::job::handle::Job;
use crate::load::job::progress_line::{tell, ProgressLine};
use crate::load::job::report::LoadReport;
use crate::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

/// How often a wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

/// What a statement can wait for.
pub trait Awaited: Send + Sync {
    /// Waits for the end, at most that long. Returns whether it has come.
    fn wait_at_most(&self, wait: Duration) -> bool;

    /// Returns the error of a statement that the user interrupted meanwhile.
    fn interrupted(&self) -> Error;
}

impl Job {
    /// Waits until the job ends. Asks `interrupted` at least every 100 ms; when it says so the job goes on and the error's kind
    /// is [`ErrorKind::Interrupted`]. After a timeout the job goes on, too.
    pub fn wait(&self, interrupted: &dyn Fn() -> bool, timeout: Option<Duration>) -> Result<LoadReport> {
        let started = Instant::now();
        let mut line = ProgressLine::new(self.progress_mode(), self.label());
        loop {
            self.wait_at_most(POLL);
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            line.show(self);
            if interrupted() {
                return Err(self.interrupted());
            }
            if timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
                return Err(Error::config(self.still_running("the statement waited as long as 'unify_load_timeout' allows")));
            }
        }
    }

    /// Returns the error of a statement that the user interrupted: the job goes on. DuckDB's command line shows no errors of such
    /// statements, so a terminal that shows progress shows this, too.
    pub fn interrupted(&self) -> Error {
        let err = Error::new(ErrorKind::Interrupted, self.still_running("the statement was interrupted"));
        tell(self.progress_mode(), err.message());
        err
    }

    /// Returns the message for a statement that stopped waiting: the job goes on.
    fn still_running(&self, why: &str) -> String {
        let (id, label) = (self.id(), self.label());
        format!(
            "{why}; job {id} goes on loading {label}: SHOW JOB {id} shows how far it is, WAIT FOR JOB {id} waits for its end, CANCEL JOB \
             {id} ends it"
        )
    }
}

impl Awaited for Job {
    fn wait_at_most(&self, wait: Duration) -> bool {
        Job::wait_at_most(self, wait)
    }

    fn interrupted(&self) -> Error {
        Job::interrupted(self)
    }
}
