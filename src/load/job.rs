//! One run of a load: its id, its progress, and how others wait for it.

use super::audit::now_micros;
use super::progress::{self, ProgressLine};
use super::report::{Counters, JobState, LoadAction, LoadReport, LogLine};
use crate::lock::lock;
use crate::session::{LogLevel, ProgressMode, Settings};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How often a wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);
/// Shorter waits for the API are not worth showing.
const SHOWN_WAIT: Duration = Duration::from_secs(1);

/// What a job waits for.
#[derive(Debug, Clone)]
struct Pause {
    what: String,
    /// When it ends by itself, in microseconds since 1970.
    until: Option<i64>,
}

/// Who asked a job to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stop {
    Nobody,
    /// The database or the process ends.
    Closing,
    /// `CANCEL JOB`.
    User,
}

/// What a statement can wait for.
pub trait Awaited: Send + Sync {
    /// Waits for the end, at most that long. Returns whether it has come.
    fn wait_at_most(&self, wait: Duration) -> bool;

    /// Returns the error of a statement that the user interrupted meanwhile.
    fn interrupted(&self) -> Error;
}

/// A running or ended load.
pub struct Job {
    id: i64,
    action: LoadAction,
    /// `connection.table`, for messages.
    label: String,
    started: Instant,
    /// Microseconds since 1970.
    started_at: i64,
    progress: ProgressMode,
    log_level: LogLevel,
    pub(super) counters: Counters,
    /// A [`Stop`].
    stop: AtomicU8,
    pause: Mutex<Option<Pause>>,
    /// Microseconds since 1970; 0: not parked.
    parked_until: AtomicI64,
    /// The parked job that this one waits for.
    parked_parent: Mutex<Option<Arc<Job>>>,
    log: Mutex<Vec<LogLine>>,
    outcome: Mutex<Option<Result<LoadReport>>>,
    ended: Condvar,
    /// When it ended: as a moment, and in microseconds since 1970.
    end: OnceLock<(Instant, i64)>,
}

impl Job {
    pub(super) fn new(id: i64, action: LoadAction, label: String, settings: &Settings) -> Job {
        Job {
            id,
            action,
            label,
            started: Instant::now(),
            started_at: now_micros(),
            progress: settings.progress,
            log_level: settings.log_level,
            counters: Counters::default(),
            stop: AtomicU8::new(Stop::Nobody as u8),
            pause: Mutex::new(None),
            parked_until: AtomicI64::new(0),
            parked_parent: Mutex::new(None),
            log: Mutex::new(Vec::new()),
            outcome: Mutex::new(None),
            ended: Condvar::new(),
            end: OnceLock::new(),
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

    /// Returns the table's name as `connection.table`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns how long the job has taken so far, or took.
    pub fn elapsed(&self) -> Duration {
        self.end.get().map_or_else(Instant::now, |(ended, _)| *ended).saturating_duration_since(self.started)
    }

    /// Returns when the job started, in microseconds since 1970.
    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    /// Returns when the job ended, in microseconds since 1970.
    pub fn ended_at(&self) -> Option<i64> {
        self.end.get().map(|(_, ended_at)| *ended_at)
    }

    /// Returns how often a request was sent again.
    pub fn retries(&self) -> u64 {
        self.counters.retries.load(Ordering::Relaxed)
    }

    /// Returns how far the job is, in percent: by its parameter sets where it has several, else by its pages where the API said how many
    /// there are.
    pub fn percent(&self) -> Option<f64> {
        if matches!(*lock(&self.outcome), Some(Ok(_))) {
            return Some(100.0);
        }
        let counters = &self.counters;
        let (all, done) = match counters.sets.load(Ordering::Relaxed) {
            n_sets if n_sets > 1 => (n_sets, counters.sets_done.load(Ordering::Relaxed)),
            _ => {
                let n_pages = counters.pages.load(Ordering::Relaxed) + counters.stored_pages.load(Ordering::Relaxed);
                (counters.expected_pages.load(Ordering::Relaxed), n_pages)
            }
        };
        (all > 0).then(|| (done as f64 * 100.0 / all as f64).min(100.0))
    }

    /// Returns how long the rest will take, in seconds, if it goes on like this.
    pub fn seconds_left(&self) -> Option<f64> {
        let percent = self.percent().filter(|percent| *percent > 0.0 && !self.is_ended())?;
        Some(self.elapsed().as_secs_f64() * (100.0 - percent) / percent)
    }

    /// Returns how the job stands.
    pub fn state(&self) -> JobState {
        match lock(&self.outcome).as_ref() {
            Some(Ok(_)) => JobState::Success,
            Some(Err(_)) if self.is_cancelled() => JobState::Cancelled,
            Some(Err(_)) => JobState::Error,
            None if self.waiting_for().is_some() => JobState::Waiting,
            None => JobState::Running,
        }
    }

    /// Returns what the job waits for, and until when where that is known.
    pub fn waiting_for(&self) -> Option<String> {
        let pause = lock(&self.pause).clone()?;
        match pause.until {
            None => Some(pause.what),
            Some(until) if until > now_micros() && self.end.get().is_none() => {
                Some(format!("{} until {}", pause.what, crate::columns::timestamp_text(until)))
            }
            Some(_) => None,
        }
    }

    /// Notes that the job waits that long for something.
    pub(super) fn pauses(&self, what: &str, wait: Duration) {
        if wait < SHOWN_WAIT {
            return;
        }
        let until = now_micros().saturating_add(wait.as_micros() as i64);
        let mut pause = lock(&self.pause);
        // Those that wait for the same moment give different reasons: the first is that of the request that was refused.
        let known = pause.as_ref().and_then(|pause| pause.until).unwrap_or(0);
        if until.saturating_sub(known) >= SHOWN_WAIT.as_micros() as i64 {
            *pause = Some(Pause { what: what.to_string(), until: Some(until) });
        }
    }

    /// Waits for another job, until it ends or this one is asked to stop. Fails with [`ErrorKind::NotBefore`] when that one is parked.
    pub(super) fn wait_for_parent(&self, parent: &Arc<Job>) -> Result<LoadReport> {
        *lock(&self.pause) = (!parent.is_ended()).then(|| Pause { what: format!("job {}, {}", parent.id, parent.label), until: None });
        let outcome = loop {
            if let Some(outcome) = parent.outcome() {
                break outcome;
            }
            if let Some(until) = parent.parked_until() {
                let message = format!("job {}, which loads {}, is parked", parent.id, parent.label);
                *lock(&self.parked_parent) = Some(parent.clone());
                break Err(Error::new(ErrorKind::NotBefore(until), message));
            }
            self.check_cancelled()?;
            parent.wait_at_most(POLL);
        };
        *lock(&self.pause) = None;
        self.check_cancelled()?;
        outcome
    }

    /// Notes that the job has no thread until that moment, in microseconds since 1970.
    pub(super) fn parks(&self, until: i64) {
        *lock(&self.pause) = Some(Pause { what: "the API".to_string(), until: Some(until) });
        self.parked_until.store(until, Ordering::Release);
    }

    /// Returns whether a job parked until that moment, in microseconds since 1970, has to go on: it has come, the job was asked to stop,
    /// or the one it waits for has ended.
    pub(super) fn is_due(&self, until: i64) -> bool {
        let has_ended = |parent: &Arc<Job>| parent.is_ended();
        now_micros() >= until || self.is_cancelled() || lock(&self.parked_parent).as_ref().is_some_and(has_ended)
    }

    /// Notes that the job has a thread again. Fails when the parked job that it waited for failed meanwhile.
    pub(super) fn wakes(&self) -> Result<()> {
        self.parked_until.store(0, Ordering::Release);
        *lock(&self.pause) = None;
        let outcome = lock(&self.parked_parent).take().and_then(|parent| parent.outcome());
        outcome.map_or(Ok(()), |outcome| outcome.map(|_| ()))
    }

    /// Returns until when the job is parked.
    pub(super) fn parked_until(&self) -> Option<i64> {
        Some(self.parked_until.load(Ordering::Acquire)).filter(|until| *until > 0)
    }

    /// Returns what the job did, so far or in all.
    pub fn report(&self) -> LoadReport {
        LoadReport {
            job_id: self.id,
            action: self.action.name(),
            rows: self.counters.rows.load(Ordering::Relaxed),
            requests: self.counters.requests.load(Ordering::Relaxed),
            pages: self.counters.pages.load(Ordering::Relaxed),
            bytes: self.counters.bytes.load(Ordering::Relaxed),
            seconds: self.elapsed().as_secs_f64(),
        }
    }

    /// Waits until the job ends. Asks `interrupted` at least every 100 ms; when it says so the job goes on and the error's kind
    /// is [`ErrorKind::Interrupted`]. After a timeout the job goes on, too.
    pub fn wait(&self, interrupted: &dyn Fn() -> bool, timeout: Option<Duration>) -> Result<LoadReport> {
        let started = Instant::now();
        let mut line = ProgressLine::new(self.progress, &self.label);
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

    /// Waits until the job ends, at most that long. Returns whether it has.
    pub fn wait_at_most(&self, wait: Duration) -> bool {
        let running = |outcome: &mut Option<Result<LoadReport>>| outcome.is_none();
        let waited = self.ended.wait_timeout_while(lock(&self.outcome), wait, running);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    /// Returns the error of a statement that the user interrupted: the job goes on. DuckDB's command line shows no errors of such
    /// statements, so a terminal that shows progress shows this, too.
    pub fn interrupted(&self) -> Error {
        let err = Error::new(ErrorKind::Interrupted, self.still_running("the statement was interrupted"));
        progress::tell(self.progress, err.message());
        err
    }

    /// Returns the message for a statement that stopped waiting: the job goes on.
    fn still_running(&self, why: &str) -> String {
        let (id, label) = (self.id, &self.label);
        format!(
            "{why}; job {id} goes on loading {label}: SHOW JOB {id} shows how far it is, WAIT FOR JOB {id} waits for its end, CANCEL JOB \
             {id} ends it"
        )
    }

    /// Asks the job to stop as soon as it can. The first to ask is the one that its end names.
    pub(super) fn cancel(&self, stop: Stop) {
        if self.is_ended() {
            return;
        }
        let _ = self.stop.compare_exchange(Stop::Nobody as u8, stop as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Returns whether the job was asked to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Acquire) != Stop::Nobody as u8
    }

    /// Returns whether it was `CANCEL JOB`, or what does as it does, that asked the job to stop.
    pub(super) fn is_cancelled_by_user(&self) -> bool {
        self.stop.load(Ordering::Acquire) == Stop::User as u8
    }

    /// Fails when the job was asked to stop.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        let message = match self.stop.load(Ordering::Acquire) {
            stop if stop == Stop::Nobody as u8 => return Ok(()),
            stop if stop == Stop::User as u8 => format!("job {} was cancelled by CANCEL JOB", self.id),
            _ => "the load was cancelled because the database or the process ends".to_string(),
        };
        Err(Error::new(ErrorKind::Cancelled, message))
    }

    /// Returns how the job ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Result<LoadReport>> {
        lock(&self.outcome).clone()
    }

    /// Returns whether the job has ended.
    pub fn is_ended(&self) -> bool {
        lock(&self.outcome).is_some()
    }

    pub(super) fn end(&self, outcome: Result<LoadReport>) {
        let _ = self.end.set((Instant::now(), now_micros()));
        *lock(&self.outcome) = Some(outcome);
        self.ended.notify_all();
    }

    /// Notes a line for the loading log, written when the job ends, if the level is one that is kept.
    pub(super) fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        if self.keeps(level) {
            lock(&self.log).push(LogLine::new(level, message()));
        }
    }

    /// Returns whether lines of that level are kept.
    pub(super) fn keeps(&self, level: LogLevel) -> bool {
        level >= self.log_level
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

impl Awaited for Job {
    fn wait_at_most(&self, wait: Duration) -> bool {
        Job::wait_at_most(self, wait)
    }

    fn interrupted(&self) -> Error {
        Job::interrupted(self)
    }
}

#[cfg(test)]
mod tests;
