//! Looks for tables that somebody dropped with DuckDB's own statement.

use super::Scheduler;
use crate::load::services::dropped::see_drop;
use crate::load::target::TableTarget;
use crate::Result;

impl Scheduler {
    /// Does what [`see_drop`] does for a table that seems to be gone.
    pub fn look_for(&self, gone: &TableTarget) -> Result<()> {
        self.while_none_runs(
            &gone.catalog,
            |_: &_, _: &_| None,
            |session, turn| {
                let store = gone.store(session)?;
                see_drop(session, turn, &store, &gone.subject(&store))
            },
        )
    }
}
