//! Lines for a loading log, until they are written.

use crate::load::job::report::LogLine;
use crate::lock::lock;
use crate::session::LogLevel;
use std::sync::Mutex;

/// What a step of publishing found, for the log.
pub type Notes = Vec<(LogLevel, String)>;

/// Lines of one piece of work.
#[derive(Debug)]
pub struct LogBuffer {
    level: LogLevel,
    lines: Mutex<Vec<LogLine>>,
    /// What is told once, not for each parameter set.
    told: Mutex<Vec<&'static str>>,
}

impl LogBuffer {
    /// Starts without lines; keeps those of `level` and above.
    pub fn new(level: LogLevel) -> LogBuffer {
        LogBuffer { level, lines: Mutex::default(), told: Mutex::default() }
    }

    /// Notes a line, if its level is one that is kept.
    pub fn add(&self, level: LogLevel, message: impl FnOnce() -> String) {
        if self.keeps(level) {
            lock(&self.lines).push(LogLine::new(level, message()));
        }
    }

    /// Returns whether lines of that level are kept.
    pub fn keeps(&self, level: LogLevel) -> bool {
        level >= self.level
    }

    /// Takes the lines noted since the last call.
    pub fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut *lock(&self.lines))
    }

    /// Puts back lines that could not be written, before those noted since.
    pub fn put_back(&self, mut lines: Vec<LogLine>) {
        let mut log = lock(&self.lines);
        lines.append(&mut log);
        *log = lines;
    }

    /// Returns whether nobody asked this before.
    pub fn is_first_to_tell(&self, what: &'static str) -> bool {
        let mut told = lock(&self.told);
        let is_first = !told.contains(&what);
        told.extend(is_first.then_some(what));
        is_first
    }
}
