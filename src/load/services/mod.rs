//! What the loads, reads and writes of one database instance work with, below those who decide which job runs.
//!
//! Each part has a lock of its own, taken last and held over memory and the start of threads only.

pub(super) mod clients;
pub(super) mod dropped;
pub(super) mod dry_runs;
mod ready;
pub(super) mod record_ids;
mod sessions;

use self::clients::{http_settings, Clients};
use self::record_ids::{IdCounters, RecordIds};
use crate::http::ApiClient;
use crate::load::pages::budget::Budget;
use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::store::Store;
use crate::load::services::dry_runs::DryRuns;
use crate::load::threads::cancellable_mutex::{CancellableGuard, CancellableMutex};
use crate::load::threads::pool::Workers;
use crate::lock::lock;
use crate::session::{Database, Session, Settings};
use crate::spec::Connection;
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The services of one database instance. Jobs hold them; they know of no job.
pub(super) struct Services {
    pub database: Arc<dyn Database>,
    pub clients: Clients,
    pub dry_runs: DryRuns,
    workers: Mutex<Option<Arc<Workers>>>,
    heartbeat: Mutex<Option<Arc<Heartbeat>>>,
    budget: Mutex<Option<KnownBudget>>,
    id_counters: IdCounters,
    publishing: Arc<CancellableMutex>,
    /// By attached database, in lower case.
    catalogs: Mutex<HashMap<String, Arc<CancellableMutex>>>,
    is_closed: AtomicBool,
}

/// The memory that loads share, and the limit it was made for, in bytes.
struct KnownBudget {
    limit: u64,
    budget: Arc<Budget>,
}

/// The turn to publish, and a session.
pub(super) struct PublishingTurn {
    pub session: Box<dyn Session>,
    _guard: CancellableGuard,
}

/// The turn to start jobs in one attached database, or to change what none may load meanwhile.
pub(super) struct CatalogTurn<'a> {
    pub services: &'a Services,
    catalog: String,
    _guard: CancellableGuard,
}

impl Services {
    /// Makes services without threads: they start when they are needed.
    pub fn new(database: Arc<dyn Database>) -> Services {
        Services {
            clients: Clients::new(database.clone()),
            database,
            dry_runs: DryRuns::default(),
            workers: Mutex::default(),
            heartbeat: Mutex::default(),
            budget: Mutex::default(),
            id_counters: IdCounters::default(),
            publishing: Arc::default(),
            catalogs: Mutex::default(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Returns whether the database is closing.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Fails once the database is closing.
    pub fn check_open(&self) -> Result<()> {
        match self.is_closed() {
            true => Err(Error::new(ErrorKind::DatabaseGone, "the database is closing")),
            false => Ok(()),
        }
    }

    /// Says that the database is closing: from here on, no thread starts and no turn is given.
    pub fn begin_to_close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Gives up the threads, for the one who closes to stop.
    pub fn take_threads(&self) -> (Option<Arc<Workers>>, Option<Arc<Heartbeat>>) {
        (lock(&self.workers).take(), lock(&self.heartbeat).take())
    }

    /// Returns the threads for requests and conversion. Fails once the database is closing.
    pub fn workers(&self) -> Result<Arc<Workers>> {
        let mut workers = lock(&self.workers);
        self.check_open()?;
        if let Some(workers) = &*workers {
            return Ok(workers.clone());
        }
        let database = self.database.clone();
        let started = Arc::new(Workers::start(move || database.enter_thread())?);
        *workers = Some(started.clone());
        Ok(started)
    }

    /// Returns the thread that gives signs of life to other processes. Fails once the database is closing.
    pub fn heartbeat(&self) -> Result<Arc<Heartbeat>> {
        let mut heartbeat = lock(&self.heartbeat);
        self.check_open()?;
        if let Some(heartbeat) = &*heartbeat {
            return Ok(heartbeat.clone());
        }
        let started = Arc::new(Heartbeat::start(self.database.clone())?);
        *heartbeat = Some(started.clone());
        Ok(started)
    }

    /// Returns the memory all loads share; a changed limit holds for loads that start from now on.
    pub fn budget(&self, settings: &Settings) -> Arc<Budget> {
        let limit = settings.memory_limit;
        let mut known = lock(&self.budget);
        if let Some(known) = known.as_ref().filter(|known| known.limit == limit) {
            return known.budget.clone();
        }
        let budget = Arc::new(Budget::new(limit, settings.page_limit()));
        *known = Some(KnownBudget { limit, budget: budget.clone() });
        budget
    }

    /// Returns the client of a connection: the one its other loads use, unless connection or settings changed since.
    pub fn client(&self, connection: &Arc<Connection>, settings: &Settings) -> Result<Arc<ApiClient>> {
        self.clients.shared(connection, http_settings(settings))
    }

    /// Does `work` in a transaction, on a session of its own, as [`Store::transact`] does, until the database is closing.
    pub fn transact<T>(&self, store: &Store, work: impl FnMut(&mut dyn Session) -> Result<T>) -> Result<T> {
        store.transact(self.database.as_ref(), &|| self.check_open(), work)
    }

    /// Waits for the turn to publish: two tables that share a view would be in each other's way.
    pub fn publishing_turn(&self, may_go_on: &dyn Fn() -> Result<()>) -> Result<PublishingTurn> {
        let session = self.database.connect()?;
        Ok(PublishingTurn { session, _guard: self.publishing.lock(may_go_on)? })
    }

    /// Waits for the turn to start jobs in an attached database, or to change what none may load meanwhile. Fails once the database is
    /// closing.
    pub fn catalog_turn(&self, catalog: &str) -> Result<CatalogTurn<'_>> {
        let catalog = catalog.to_lowercase();
        let mutex = lock(&self.catalogs).entry(catalog.clone()).or_default().clone();
        Ok(CatalogTurn { services: self, catalog, _guard: mutex.lock(&|| self.check_open())? })
    }
}

impl CatalogTurn<'_> {
    /// Returns the counter of record ids of the database. While nobody holds it, records that an ended process left open are closed. The
    /// session is in no transaction: one that began before the last holder recorded its end would not see that.
    pub fn record_ids(&self, session: &mut dyn Session, store: &Store) -> Result<Arc<RecordIds>> {
        self.held_ids(store).map_or_else(|| self.record_ids_within(session, store), Ok)
    }

    /// Returns the counter of record ids of the database, if somebody holds it.
    pub fn held_ids(&self, store: &Store) -> Option<Arc<RecordIds>> {
        self.services.id_counters.held(&self.catalog, store)
    }

    /// Does as [`CatalogTurn::record_ids`], in a transaction that began after [`CatalogTurn::held_ids`] found nobody.
    pub fn record_ids_within(&self, session: &mut dyn Session, store: &Store) -> Result<Arc<RecordIds>> {
        self.services.id_counters.make(session, &self.catalog, store)
    }
}
