//! What the APIs of connections were found to have, as far as this database instance knows: it makes the tables of their specs.

use crate::load::{discovery_spec, Discovery};
use crate::lock::lock;
use crate::spec::{AdapterSpec, Connection};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

/// How often the wait for another session's discovery looks again.
const POLL: Duration = Duration::from_millis(20);

/// What is known, by the connection's name in lower case.
#[derive(Clone, Default)]
pub struct Discoveries {
    known: Arc<Mutex<HashMap<String, Known>>>,
    /// Of each connection the turn to discover.
    turns: Arc<Mutex<HashMap<String, Arc<Mutex<()>>>>>,
}

struct Known {
    discovery: Arc<Discovery>,
    /// The spec as it was, and with the tables: one for all who open the connection, so that loads share a client.
    resolved: Option<(Arc<AdapterSpec>, Arc<AdapterSpec>)>,
}

impl Discoveries {
    /// Returns what is known of a connection; `None` when nothing is, or another spec or other options discovered it.
    pub fn of(&self, connection: &Connection) -> Option<Arc<Discovery>> {
        if connection.adapter.discover.is_empty() {
            return None;
        }
        let known = lock(&self.known).get(&connection.name.to_lowercase()).map(|known| known.discovery.clone());
        known.filter(|known| known.spec == discovery_spec(connection))
    }

    /// Keeps what was discovered of a connection, in the place of what was known.
    pub fn learn(&self, connection: &Connection, discovery: Discovery) {
        lock(&self.known).insert(connection.name.to_lowercase(), Known { discovery: Arc::new(discovery), resolved: None });
    }

    /// Forgets what is known of a connection.
    pub fn forget(&self, name: &str) {
        lock(&self.known).remove(&name.to_lowercase());
    }

    /// Returns the connection with the tables that are known.
    pub fn resolved(&self, connection: Connection) -> Connection {
        let Some(discovery) = self.of(&connection) else { return connection };
        let key = connection.name.to_lowercase();
        let resolved = lock(&self.known).get(&key).and_then(|known| known.resolved.clone());
        if let Some((_, with_tables)) = resolved.filter(|(of, _)| Arc::ptr_eq(of, &connection.adapter)) {
            return Connection { adapter: with_tables, ..connection };
        }
        let with_tables = Arc::new(connection.adapter.with_discovered(&discovery.found));
        if let Some(known) = lock(&self.known).get_mut(&key).filter(|known| Arc::ptr_eq(&known.discovery, &discovery)) {
            known.resolved = Some((Arc::clone(&connection.adapter), Arc::clone(&with_tables)));
        }
        Connection { adapter: with_tables, ..connection }
    }

    /// Does `work` while no other session of the instance discovers the same connection. Fails when the user interrupts: a discovery takes as
    /// long as the API does.
    pub fn in_turn<T>(&self, name: &str, interrupted: &dyn Fn() -> bool, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let turn = lock(&self.turns).entry(name.to_lowercase()).or_default().clone();
        loop {
            let _guard = match turn.try_lock() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if interrupted() => return Err(Error::new(ErrorKind::Interrupted, "interrupted")),
                Err(TryLockError::WouldBlock) => {
                    std::thread::park_timeout(POLL);
                    continue;
                }
            };
            return work();
        }
    }
}
