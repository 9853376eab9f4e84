//! The requests of dry runs, kept until the session's next one.

use crate::lock::lock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Sessions whose last dry run is kept.
const MOST_SESSIONS: usize = 32;

/// A request that a dry run did not send. Its texts are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedWrite {
    pub method: &'static str,
    pub url: String,
    pub idempotency_key: Option<String>,
    pub body: Option<String>,
    /// Number of its first row in the query, from 1.
    pub first_row: u64,
    pub n_rows: u64,
}

impl PlannedWrite {
    /// Returns about how much memory it takes.
    pub(in crate::load) fn n_bytes(&self) -> usize {
        self.url.len() + self.body.as_ref().map_or(0, String::len) + 128
    }
}

/// The last dry run of each session.
#[derive(Default)]
pub(in crate::load) struct DryRuns {
    runs: Mutex<VecDeque<(u64, Arc<[PlannedWrite]>)>>,
}

impl DryRuns {
    /// Keeps a session's dry run in place of its last one.
    pub fn keep(&self, session: u64, planned: Vec<PlannedWrite>) {
        let mut runs = lock(&self.runs);
        runs.retain(|(other, _)| *other != session);
        runs.push_back((session, planned.into()));
        if runs.len() > MOST_SESSIONS {
            runs.pop_front();
        }
    }

    /// Returns the requests of a session's last dry run.
    pub fn last(&self, session: u64) -> Option<Arc<[PlannedWrite]>> {
        let runs = lock(&self.runs);
        runs.iter().find(|(other, _)| *other == session).map(|(_, planned)| planned.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(url: &str) -> Vec<PlannedWrite> {
        vec![PlannedWrite { method: "POST", url: url.into(), idempotency_key: None, body: None, first_row: 1, n_rows: 1 }]
    }

    #[test]
    fn each_session_has_its_last_one() {
        let runs = DryRuns::default();
        assert!(runs.last(1).is_none());
        runs.keep(1, planned("a"));
        runs.keep(2, planned("b"));
        runs.keep(1, planned("c"));
        assert_eq!((runs.last(1).unwrap()[0].url.as_str(), runs.last(2).unwrap()[0].url.as_str()), ("c", "b"));
    }

    #[test]
    fn sessions_of_long_ago_are_forgotten() {
        let runs = DryRuns::default();
        (0..40).for_each(|session| runs.keep(session, planned("a")));
        assert!(runs.last(7).is_none() && runs.last(8).is_some() && runs.last(39).is_some());
    }
}
