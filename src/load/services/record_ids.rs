//! The ids of records, in databases that no other process writes to at the same time.

use crate::load::records::audit::close_open_jobs;
use crate::load::records::store::Store;
use crate::lock::lock;
use crate::session::Session;
use crate::Result;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// Gives out the ids of one database. Whoever gives out ids holds it.
#[derive(Debug)]
pub(in crate::load) struct RecordIds {
    last: AtomicI64,
}

impl RecordIds {
    /// Makes a counter whose next id is that after `last`.
    pub fn after(last: i64) -> RecordIds {
        RecordIds { last: AtomicI64::new(last) }
    }

    /// Returns an id that no record has.
    pub fn next(&self) -> i64 {
        self.take(1)
    }

    /// Returns the first of `count` ids in a row that no record has.
    pub fn take(&self, count: usize) -> i64 {
        self.last.fetch_add(count as i64, Ordering::Relaxed) + 1
    }
}

/// The counters that somebody holds, by database.
#[derive(Default)]
pub(super) struct IdCounters {
    held: Mutex<HashMap<String, Weak<RecordIds>>>,
}

impl IdCounters {
    /// Returns the counter of a database. While nobody holds one, another process may have had the file: what it left is looked at, and
    /// records that it left open are closed. The caller sees to it that one thread at a time asks for a database.
    pub fn of(&self, session: &mut dyn Session, catalog: &str, store: &Store) -> Result<Arc<RecordIds>> {
        // A name can be attached to another file later.
        let key = format!("{catalog}\n{}", store.path);
        if let Some(held) = lock(&self.held).get(&key).and_then(Weak::upgrade) {
            return Ok(held);
        }
        let ids = Arc::new(RecordIds::after(close_open_jobs(session, &store.unify_schema)?));
        let mut held = lock(&self.held);
        held.retain(|_, ids| ids.strong_count() > 0);
        held.insert(key, Arc::downgrade(&ids));
        Ok(ids)
    }
}
