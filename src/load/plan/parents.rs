//! Whether a parent, whose rows a table's params query, is fresh enough for a load of the table.

use crate::load::target::TableTarget;
use crate::session::Session;
use crate::Result;
use std::time::Duration;

/// Returns whether a parent is loaded, and at the moment `now` older than its child lets it become.
pub fn is_stale(session: &mut dyn Session, parent: &TableTarget, max_staleness: Option<Duration>, now: i64) -> Result<bool> {
    let Some(max_staleness) = max_staleness else { return Ok(false) };
    let store = parent.store(session)?;
    if !store.is_loaded(session)? {
        return Ok(false);
    }
    let started = store.started(session)?;
    let most = i64::try_from(max_staleness.as_micros()).unwrap_or(i64::MAX);
    Ok(started.is_none_or(|started| now.saturating_sub(started) > most))
}
