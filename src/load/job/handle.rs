//! The handle of a job: which it is, who asked it to stop, and how it ended.

use crate::load::clock::now_micros;
use crate::load::job::activity::Activity;
use crate::load::job::progress::Counters;
use crate::load::job::report::{JobState, LoadAction, LoadReport, LogLine};
use crate::lock::lock;
use crate::session::{LogLevel, ProgressMode, Settings};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The error of a load that was cancelled because its database or process ends.
pub(in crate::load) const CANCELLED_AT_END: &str = "the load was cancelled because the database or the process ends";

/// Who asked a job to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::load) enum Stop {
    Nobody,
    /// The database or the process ends.
    Closing,
    /// `CANCEL JOB`.
    User,
}

/// A running or ended load.
pub struct Job {
    id: i64,
    action: LoadAction,
    /// `connection.table`, for messages.
    label: String,
    /// Microseconds since 1970.
    started_at: i64,
    progress_mode: ProgressMode,
    activity: Arc<Activity>,
    /// A [`Stop`].
    stop: AtomicU8,
    outcome: Mutex<Option<Result<LoadReport>>>,
    ended: Condvar,
    /// When it ended: as a moment, and in microseconds since 1970.
    end: OnceLock<(Instant, i64)>,
}

impl Job {
    pub(in crate::load) fn new(id: i64, action: LoadAction, label: String, settings: &Settings) -> Job {
        Job {
            id,
            action,
            label,
            started_at: now_micros(),
            progress_mode: settings.progress,
            activity: Arc::new(Activity::new(settings.log_level)),
            stop: AtomicU8::new(Stop::Nobody as u8),
            outcome: Mutex::new(None),
            ended: Condvar::new(),
            end: OnceLock::new(),
        }
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

    /// Returns how those who wait for the job show how far it is.
    pub(in crate::load) fn progress_mode(&self) -> ProgressMode {
        self.progress_mode
    }

    /// Returns the job's progress and log.
    pub(in crate::load) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Returns what was counted.
    pub(in crate::load) fn counters(&self) -> &Counters {
        self.activity.counters()
    }

    /// Returns how long the job has taken so far, or took.
    pub fn elapsed(&self) -> Duration {
        self.end.get().map_or_else(Instant::now, |(ended, _)| *ended).saturating_duration_since(self.activity.progress.started())
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
        self.counters().retries.load(Ordering::Relaxed)
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
        self.activity.progress.waiting_for().filter(|_| self.end.get().is_none())
    }

    /// Notes that the job waits for another one.
    pub(in crate::load) fn waits_for(&self, other: &Job) {
        self.activity.progress.waits(format!("job {}, {}", other.id, other.label), None);
    }

    /// Notes that the job has no thread until that moment, in microseconds since 1970.
    pub(in crate::load) fn waits_until(&self, until: i64) {
        self.activity.progress.waits("the API".to_string(), Some(until));
    }

    /// Notes that the job has no thread until a job of the API is done.
    pub(in crate::load) fn waits_for_api(&self) {
        self.activity.progress.waits("a job of the API".to_string(), None);
    }

    /// Notes that the job waits for nothing.
    pub(in crate::load) fn resumes(&self) {
        self.activity.progress.resumes();
    }

    /// Returns how far the job is, in percent: by its parameter sets where it has several, else by its pages where the API said how many
    /// there are.
    pub fn percent(&self) -> Option<f64> {
        match *lock(&self.outcome) {
            Some(Ok(_)) => Some(100.0),
            _ => self.activity.progress.percent(),
        }
    }

    /// Returns how long the rest will take, in seconds, if it goes on as since the job began to fetch.
    pub fn seconds_left(&self) -> Option<f64> {
        self.activity.progress.seconds_left().filter(|_| !self.is_ended())
    }

    /// Returns how many rows were written so far.
    pub fn rows_written(&self) -> u64 {
        self.counters().rows.load(Ordering::Relaxed)
    }

    /// Returns how many of the rows written stay when the job ends now; after its end those that are in the table, or kept for the next load.
    pub fn rows_stored(&self) -> u64 {
        self.counters().stored.load(Ordering::Relaxed)
    }

    /// Returns what the job did, so far or in all.
    pub fn report(&self) -> LoadReport {
        let counters = self.counters();
        LoadReport {
            job_id: Some(self.id),
            action: self.action.name(),
            rows: counters.rows.load(Ordering::Relaxed),
            requests: counters.requests.load(Ordering::Relaxed),
            pages: counters.pages.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            seconds: self.elapsed().as_secs_f64(),
        }
    }

    /// Waits until the job ends, at most that long. Returns whether it has.
    pub fn wait_at_most(&self, wait: Duration) -> bool {
        let running = |outcome: &mut Option<Result<LoadReport>>| outcome.is_none();
        let waited = self.ended.wait_timeout_while(lock(&self.outcome), wait, running);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    /// Asks the job to stop as soon as it can. The first to ask is the one that its end names.
    pub(in crate::load) fn cancel(&self, stop: Stop) {
        if self.is_ended() {
            return;
        }
        let _ = self.stop.compare_exchange(Stop::Nobody as u8, stop as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Returns whether the job was asked to stop.
    pub(in crate::load) fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Acquire) != Stop::Nobody as u8
    }

    /// Returns whether it was `CANCEL JOB`, or what does as it does, that asked the job to stop.
    pub(in crate::load) fn is_cancelled_by_user(&self) -> bool {
        self.stop.load(Ordering::Acquire) == Stop::User as u8
    }

    /// Fails when the job was asked to stop.
    pub(in crate::load) fn check_cancelled(&self) -> Result<()> {
        let message = match self.stop.load(Ordering::Acquire) {
            stop if stop == Stop::Nobody as u8 => return Ok(()),
            stop if stop == Stop::User as u8 => format!("job {} was cancelled by CANCEL JOB", self.id),
            _ => CANCELLED_AT_END.to_string(),
        };
        Err(Error::new(ErrorKind::Cancelled, message))
    }

    /// Ends a job without a thread because the database or the process ends.
    pub(in crate::load) fn close(&self) {
        self.cancel(Stop::Closing);
        if let Err(err) = self.check_cancelled() {
            self.end(Err(err));
        }
    }

    /// Returns how the job ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Result<LoadReport>> {
        lock(&self.outcome).clone()
    }

    /// Returns whether the job has ended.
    pub fn is_ended(&self) -> bool {
        lock(&self.outcome).is_some()
    }

    pub(in crate::load) fn end(&self, outcome: Result<LoadReport>) {
        let _ = self.end.set((Instant::now(), now_micros()));
        *lock(&self.outcome) = Some(outcome);
        self.ended.notify_all();
    }

    /// Notes a line for the loading log, written when the job ends, if the level is one that is kept.
    pub(in crate::load) fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        self.activity.log(level, message);
    }

    /// Returns whether lines of that level are kept.
    pub(in crate::load) fn keeps(&self, level: LogLevel) -> bool {
        self.activity.log.keeps(level)
    }

    /// Puts back lines that could not be written, before those noted since.
    pub(in crate::load) fn put_back_log(&self, lines: Vec<LogLine>) {
        self.activity.log.put_back(lines);
    }

    /// Takes the lines noted since the last call.
    pub(in crate::load) fn take_log(&self) -> Vec<LogLine> {
        self.activity.log.take()
    }
}

#[cfg(test)]
mod tests;
