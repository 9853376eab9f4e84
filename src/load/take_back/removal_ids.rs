//! The ids of records about tables that are emptied or dropped.

use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::live_jobs::LiveJobs;
use crate::load::records::store::Store;
use crate::load::services::CatalogTurn;
use crate::session::Session;
use crate::Result;
use std::sync::Arc;

/// Where the ids come from.
pub(in crate::load) enum RemovalIds {
    /// So many from here on are taken, in a database that no other process writes to.
    From(i64),
    /// Each transaction takes its own, and with it looks whether another process loads the table.
    Shared(Arc<Heartbeat>),
}

impl RemovalIds {
    /// Prepares `count` ids.
    pub fn of(session: &mut dyn Session, turn: &CatalogTurn<'_>, store: &Store, count: usize) -> Result<RemovalIds> {
        match store.kind.is_shared() {
            true => turn.services.heartbeat().map(RemovalIds::Shared),
            false => turn.record_ids(session, store).map(|ids| RemovalIds::From(ids.take(count))),
        }
    }

    /// Returns the id of the record about a table, the one of that number. Fails when another process loads the table.
    pub fn take(&self, session: &mut dyn Session, store: &Store, number: i64) -> Result<i64> {
        match self {
            RemovalIds::From(first) => Ok(first + number),
            RemovalIds::Shared(heartbeat) => LiveJobs { unify_schema: &store.unify_schema, heartbeat }.pass(session, store),
        }
    }
}
