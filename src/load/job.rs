//! One run of a load: its id, its progress, and how others wait for it.

use super::progress::ProgressLine;
use crate::session::{LogLevel, ProgressMode, Settings};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

/// What a job does with its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadAction {
    /// Loads the table unless it is loaded.
    Load,
    /// Brings the table up to date by its refresh strategy.
    Refresh,
    /// Loads the table anew and swaps it in when complete.
    Reload,
}

impl LoadAction {
    /// Returns the word reports show.
    pub fn name(self) -> &'static str {
        match self {
            LoadAction::Load => "load",
            LoadAction::Refresh => "refresh",
            LoadAction::Reload => "reload",
        }
    }

    /// Returns the pair of actions in `loading_jobs`.
    pub fn audit_names(self) -> (&'static str, &'static str) {
        match self {
            LoadAction::Load => ("load_start", "load_end"),
            LoadAction::Refresh | LoadAction::Reload => ("refresh_start", "refresh_end"),
        }
    }
}

/// What a job did.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadReport {
    /// Id of the job's `_start` record in `loading_jobs`; 0 when there was nothing to do.
    pub job_id: i64,
    /// `load`, `refresh`, `reload`, or `none` when the table was loaded already.
    pub action: &'static str,
    pub rows: u64,
    pub requests: u64,
    pub pages: u64,
    pub bytes: u64,
    pub seconds: f64,
}

/// Counts that grow while a job runs.
#[derive(Debug, Default)]
pub struct Counters {
    pub rows: AtomicU64,
    pub requests: AtomicU64,
    pub pages: AtomicU64,
    pub retries: AtomicU64,
    /// Bytes of bodies, after decompression.
    pub bytes: AtomicU64,
    /// Pages expected in all, where the API says so; 0 when unknown.
    pub expected_pages: AtomicU64,
}

/// A line for the loading log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub timestamp: i64,
}

/// A running or ended load.
pub struct Job {
    id: i64,
    action: LoadAction,
    /// `connection.table`, for messages.
    label: String,
    started: Instant,
    progress: ProgressMode,
    log_level: LogLevel,
    pub(super) counters: Counters,
    cancelled: AtomicBool,
    log: Mutex<Vec<LogLine>>,
    outcome: Mutex<Option<Result<LoadReport>>>,
    ended: Condvar,
}

impl Job {
    pub(super) fn new(id: i64, action: LoadAction, label: String, settings: &Settings) -> Job {
        Job {
            id,
            action,
            label,
            started: Instant::now(),
            progress: settings.progress,
            log_level: settings.log_level,
            counters: Counters::default(),
            cancelled: AtomicBool::new(false),
            log: Mutex::new(Vec::new()),
            outcome: Mutex::new(None),
            ended: Condvar::new(),
        }
    }

    /// Makes a job that is over before it began: the table is loaded.
    pub(super) fn nothing_to_do(label: String, settings: &Settings) -> Job {
        let job = Job::new(0, LoadAction::Load, label, settings);
        let report = LoadReport { job_id: 0, action: "none", rows: 0, requests: 0, pages: 0, bytes: 0, seconds: 0.0 };
        job.end(Ok(report));
        job
    }

    /// Returns the id of the job's `_start` record in `loading_jobs`.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Returns what the job does.
    pub fn action(&self) -> LoadAction {
        self.action
    }

    /// Returns how long ago the job started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns how far the job is, in percent, where the API said how much there is.
    pub fn percent(&self) -> Option<f64> {
        let expected = self.counters.expected_pages.load(Ordering::Relaxed);
        let pages = self.counters.pages.load(Ordering::Relaxed);
        (expected > 0).then(|| (pages as f64 * 100.0 / expected as f64).min(100.0))
    }

    /// Returns what the job did so far.
    pub fn report(&self) -> LoadReport {
        LoadReport {
            job_id: self.id,
            action: self.action.name(),
            rows: self.counters.rows.load(Ordering::Relaxed),
            requests: self.counters.requests.load(Ordering::Relaxed),
            pages: self.counters.pages.load(Ordering::Relaxed),
            bytes: self.counters.bytes.load(Ordering::Relaxed),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    /// Waits until the job ends. Asks `interrupted` at least every 100 ms; when it says so the job goes on and the error's kind
    /// is [`ErrorKind::Interrupted`]. A timeout does the same.
    pub fn wait(&self, interrupted: &dyn Fn() -> bool, timeout: Option<Duration>) -> Result<LoadReport> {
        let started = Instant::now();
        let mut line = ProgressLine::new(self.progress, &self.label);
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = outcome.as_ref() {
                return outcome.clone();
            }
            let (next, _) = self.ended.wait_timeout(outcome, POLL).unwrap_or_else(PoisonError::into_inner);
            outcome = next;
            if outcome.is_some() {
                continue;
            }
            line.show(self);
            let why = if interrupted() {
                "the statement was interrupted"
            } else if timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
                "the statement waited as long as 'unify_load_timeout' allows"
            } else {
                continue;
            };
            return Err(self.still_running(why));
        }
    }

    fn still_running(&self, why: &str) -> Error {
        let message = format!(
            "{why}; job {} goes on loading {}: look at it with FROM information_schema.loading_jobs WHERE id = {} OR parent_id = {}, \
             and run the statement again when it has ended",
            self.id, self.label, self.id, self.id
        );
        Error::new(ErrorKind::Interrupted, message)
    }

    /// Asks the job to stop as soon as it can.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Returns whether the job was asked to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Fails when the job was asked to stop.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "the load was cancelled because the database or the process ends"));
        }
        Ok(())
    }

    /// Returns whether the job has ended.
    pub fn is_ended(&self) -> bool {
        lock(&self.outcome).is_some()
    }

    pub(super) fn end(&self, outcome: Result<LoadReport>) {
        *lock(&self.outcome) = Some(outcome);
        self.ended.notify_all();
    }

    /// Notes a line for the loading log, written when the job ends, if the level is one that is kept.
    pub(super) fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        if level >= self.log_level {
            lock(&self.log).push(LogLine { level, message: message(), timestamp: super::audit::now_micros() });
        }
    }

    /// Puts back lines that could not be written, before those noted since.
    pub(super) fn put_back_log(&self, mut lines: Vec<LogLine>) {
        let mut log = lock(&self.log);
        lines.append(&mut log);
        *log = lines;
    }

    /// Takes the lines noted since the last call.
    pub(super) fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *lock(&self.log))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn job() -> Job {
        Job::new(7, LoadAction::Load, "github.repos".into(), &Settings::read(|_| None).unwrap())
    }

    #[test]
    fn an_interrupted_wait_says_that_the_job_goes_on() {
        let job = job();
        let err = job.wait(&|| true, None).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Interrupted);
        assert!(err.message().contains("job 7 goes on loading github.repos"), "{err}");
        assert!(!job.is_ended() && !job.is_cancelled());
    }

    #[test]
    fn a_wait_past_its_timeout_names_the_setting() {
        let err = job().wait(&|| false, Some(Duration::from_millis(1))).unwrap_err();
        assert!(err.message().contains("unify_load_timeout"), "{err}");
    }

    #[test]
    fn everybody_who_waits_gets_the_outcome() {
        let job = Arc::new(job());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let job = job.clone();
                std::thread::spawn(move || job.wait(&|| false, None))
            })
            .collect();
        job.counters.rows.store(5, Ordering::Relaxed);
        job.end(Ok(job.report()));
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap().unwrap().rows, 5);
        }
    }

    #[test]
    fn percent_is_known_only_with_a_total() {
        let job = job();
        job.counters.pages.store(3, Ordering::Relaxed);
        assert_eq!(job.percent(), None);
        job.counters.expected_pages.store(12, Ordering::Relaxed);
        assert_eq!(job.percent(), Some(25.0));
    }
}
