//! Loads of which the API refused every part.

use super::{JobRun, Plan};
use crate::load::records::checkpoints::Checkpoints;
use crate::Result;

impl JobRun {
    /// Fails when every parameter set is left out. Only sets that rows of another table gave may all be missing, and only where the table has
    /// no rows that would go with them.
    pub(super) fn check_left_out(&self, plan: &Plan<'_>, checkpoints: &Checkpoints) -> Result<()> {
        let sets = &plan.sets;
        if sets.is_empty() || !(0..sets.len()).all(|set| checkpoints.is_skipped(set)) {
            return Ok(());
        }
        let has_rows = self.has_rows(plan)?;
        if !has_rows && sets.iter().all(|set| set.from_parent) {
            return Ok(());
        }
        // The next load asks again.
        self.forget_rows()?;
        let err = self.job.activity().all_left_out(sets.len());
        Err(if has_rows { err.in_words(|words| format!("{words}; its rows stay")) } else { err })
    }

    /// Returns whether the table, or one that is filled with it, has rows.
    fn has_rows(&self, plan: &Plan<'_>) -> Result<bool> {
        let mut session = self.services.database.connect()?;
        let stores = std::iter::once(&self.store).chain(&self.child_stores);
        for (store, loaded) in stores.zip(plan.loaded_of_each()) {
            if loaded.is_some() && session.count(&format!("SELECT count(*) FROM {}", store.target))? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
