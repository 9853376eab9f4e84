//! What requests tell, of a job or of a statement that reads: it is counted, shown and logged.

use crate::http::{Method, RequestObserver};
use crate::load::job::log::LogBuffer;
use crate::load::job::progress::{Counters, Progress};
use crate::session::LogLevel;
use crate::Error;
use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::sync::OnceLock;
use std::time::Duration;

/// The progress and the log of one piece of work.
#[derive(Debug)]
pub struct Activity {
    pub progress: Progress,
    pub log: LogBuffer,
    /// Why the first parameter set was left out.
    left_out: OnceLock<String>,
}

impl Activity {
    /// Starts now, without lines; keeps those of `level` and above.
    pub fn new(level: LogLevel) -> Activity {
        Activity { progress: Progress::new(), log: LogBuffer::new(level), left_out: OnceLock::new() }
    }

    /// Returns what was counted.
    pub fn counters(&self) -> &Counters {
        &self.progress.counters
    }

    /// Notes a line for the log, if its level is one that is kept.
    pub fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        self.log.add(level, message);
    }

    /// Notes that a parameter set is left out, and why.
    pub fn leaves_out(&self, reason: String) {
        self.log(LogLevel::Warning, || reason.clone());
        // Only the first one is told again.
        let _ = self.left_out.set(reason);
    }

    /// Returns the error of a load or read of which all of so many parameter sets were left out.
    pub fn all_left_out(&self, n_sets: usize) -> Error {
        let reason = self.left_out.get().map_or("the API refuses what is asked for", String::as_str);
        match n_sets {
            1 => Error::api(reason),
            _ => Error::api(format!("{reason}; so it is with each of {n_sets} parameter sets")),
        }
    }
}

impl RequestObserver for Activity {
    fn started(&self, method: Method, url: &dyn Display) {
        self.counters().requests.fetch_add(1, Ordering::Relaxed);
        self.log(LogLevel::Debug, || format!("{method} {url}"));
    }

    fn answered(&self, status: u16, n_bytes: u64) {
        self.counters().bytes.fetch_add(n_bytes, Ordering::Relaxed);
        self.log(LogLevel::Debug, || format!("status {status}, {n_bytes} bytes"));
    }

    fn retried(&self, reason: &str, wait: Duration) {
        self.counters().retries.fetch_add(1, Ordering::Relaxed);
        self.progress.pauses(&format!("another try after: {reason}"), wait);
        self.log(LogLevel::Warning, || format!("{reason}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn noted(&self, line: &str) {
        self.log(LogLevel::Debug, || line.to_string());
    }

    fn warned(&self, warning: &str) {
        self.log(LogLevel::Warning, || warning.to_string());
    }

    fn waiting(&self, wait: Duration) {
        self.progress.pauses("the connection's request budget", wait);
        self.log(LogLevel::Debug, || format!("waiting {:.1} s for the connection's budget", wait.as_secs_f64()));
    }
}
