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
    /// Returns the counter of a database, if somebody holds it.
    pub fn held(&self, catalog: &str, store: &Store) -> Option<Arc<RecordIds>> {
        lock(&self.held).get(&key_of(catalog, store)).and_then(Weak::upgrade)
    }

    /// Makes the counter of a database that nobody holds. Another process may have had the file: what it left is looked at, and records
    /// that it left open are closed. The caller sees to it that one thread at a time asks for a database.
    pub fn make(&self, session: &mut dyn Session, catalog: &str, store: &Store) -> Result<Arc<RecordIds>> {
        let ids = Arc::new(RecordIds::after(close_open_jobs(session, &store.unify_schema)?));
        let mut held = lock(&self.held);
        held.retain(|_, ids| ids.strong_count() > 0);
        held.insert(key_of(catalog, store), Arc::downgrade(&ids));
        Ok(ids)
    }
}

/// A name can be attached to another file later.
fn key_of(catalog: &str, store: &Store) -> String {
    format!("{catalog}\n{}", store.path)
}
