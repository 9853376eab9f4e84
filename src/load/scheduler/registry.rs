//! The jobs of a database instance: those that run, and the last ones that ended.

use crate::load::known::KnownJob;
use std::collections::VecDeque;

/// Ended jobs that are remembered.
const MOST_ENDED: usize = 1000;

/// Jobs in the order they started.
#[derive(Default)]
pub(in crate::load) struct Registry {
    jobs: VecDeque<KnownJob>,
}

impl Registry {
    /// Remembers a job, and forgets the oldest of those that ended where there are too many.
    pub fn add(&mut self, known: KnownJob) {
        self.jobs.push_back(known);
        let n_ended = self.jobs.iter().filter(|known| known.job.is_ended()).count();
        let mut n_surplus = n_ended.saturating_sub(MOST_ENDED);
        self.jobs.retain(|known| {
            let goes = n_surplus > 0 && known.job.is_ended();
            n_surplus -= usize::from(goes);
            !goes
        });
    }

    /// Returns all of them.
    pub fn all(&self) -> Vec<KnownJob> {
        self.jobs.iter().cloned().collect()
    }
}
