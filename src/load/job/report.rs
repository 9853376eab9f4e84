//! What a job does and how it stands, in the words of reports and of the audit trail.

use crate::load::clock::now_micros;
use crate::session::LogLevel;

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
    /// Id of the job's `_start` record in `loading_jobs`; `None` when there was nothing to do.
    pub job_id: Option<i64>,
    /// `load`, `refresh`, `reload`, or `none` when the table was loaded already.
    pub action: &'static str,
    pub rows: u64,
    pub requests: u64,
    pub pages: u64,
    pub bytes: u64,
    pub seconds: f64,
}

impl LoadReport {
    /// Returns the report on a table that is loaded already.
    pub fn nothing_to_do() -> LoadReport {
        LoadReport { job_id: None, action: "none", rows: 0, requests: 0, pages: 0, bytes: 0, seconds: 0.0 }
    }
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
