//! What is told of requests for tokens, until there is a log for it.

use crate::lock::lock;
use std::sync::Mutex;

/// Lines about requests for tokens, redacted, until somebody who keeps a log takes them.
#[derive(Default)]
pub struct Notes {
    lines: Mutex<Vec<String>>,
}

impl Notes {
    /// Most lines that are kept.
    const MOST: usize = 100;

    /// Adds a line.
    pub fn add(&self, line: String) {
        let mut lines = lock(&self.lines);
        if lines.len() < Notes::MOST {
            lines.push(line);
        }
    }

    /// Takes the lines.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.lines))
    }
}
