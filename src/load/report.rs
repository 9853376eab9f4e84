//! What a job does and how it stands, in the words of reports and of the audit trail.

use super::audit::now_micros;
use crate::session::LogLevel;
use std::sync::atomic::AtomicU64;

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

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Running,
    /// For another job, or until the API takes requests again.
    Waiting,
    Success,
    Error,
    /// Ended by `CANCEL JOB`, or because the database or the process ended.
    Cancelled,
}

impl JobState {
    /// Returns the word reports show.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Running => "running",
            JobState::Waiting => "waiting",
            JobState::Success => "success",
            JobState::Error => "error",
            JobState::Cancelled => "cancelled",
        }
    }
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
    /// Pages that are stored already when a load goes on.
    pub stored_pages: AtomicU64,
    /// Parameter sets of the load; 0 before they are known.
    pub sets: AtomicU64,
    /// Parameter sets that are fetched.
    pub sets_done: AtomicU64,
}

/// A line for the loading log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub timestamp: i64,
}

impl LogLine {
    /// Makes a line of now.
    pub fn new(level: LogLevel, message: String) -> LogLine {
        LogLine { level, message, timestamp: now_micros() }
    }
}
