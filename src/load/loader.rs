//! Starts jobs, one per table at a time, and knows which tables are loaded.

mod start;
mod state;

pub(super) use self::state::Ids;
use self::state::State;
use super::audit::AuditSubject;
use super::daemon::{Daemon, RunningJob};
use super::dry_runs::DryRuns;
use super::job::{Job, Stop};
use super::pool::{join_other, Workers};
use super::registry::KnownJob;
use super::report::LoadAction;
use super::store::Store;
use super::turns::Turns;
use crate::http::{ApiClient, HttpSettings};
use crate::lock::lock;
use crate::session::{quote_literal, CatalogKind, Database, Session, Settings};
use crate::spec::{Connection, TableDef};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// A table of a connection, in one attached database.
#[derive(Clone)]
pub struct TableTarget {
    pub connection: Arc<Connection>,
    /// Name of the table in the adapter's spec.
    pub table: String,
    /// The attached database its rows go to.
    pub catalog: String,
}

impl TableTarget {
    /// Returns the table's definition. Fails when the adapter has no such table.
    pub fn table_def(&self) -> Result<&TableDef> {
        let missing = || Error::config(format!("connection '{}' has no table '{}'", self.connection.name, self.table));
        self.connection.adapter.table(&self.table).ok_or_else(missing)
    }

    /// Returns where errors about this table happened.
    pub fn place(&self) -> String {
        format!("connection '{}', table '{}'", self.connection.name, self.table)
    }

    /// Returns the names its load works with. Fails when the database is not attached.
    pub(super) fn store(&self, session: &mut dyn Session) -> Result<Store> {
        Store::open(session, &self.catalog, &self.connection.name, &self.table)
    }

    pub(super) fn subject(&self, store: &Store) -> AuditSubject {
        AuditSubject {
            unify_schema: store.unify_schema.clone(),
            schema: self.connection.name.clone(),
            table: self.table.clone(),
            adapter: self.connection.adapter.name.clone(),
        }
    }

    fn key(&self) -> JobKey {
        (self.catalog.to_lowercase(), self.connection.name.to_lowercase(), self.table.to_lowercase())
    }
}

/// How long closing waits before it looks again whether a job has stopped.
const STOP_POLL: Duration = Duration::from_millis(10);

/// Database, connection and table, in lower case.
pub(super) type JobKey = (String, String, String);

/// The loads of one database instance.
pub struct Loader {
    inner: Arc<Inner>,
}

/// What jobs share. They hold it weakly, so that it goes with the database.
pub(super) struct Inner {
    pub(super) database: Arc<dyn Database>,
    state: Mutex<State>,
    closed: AtomicBool,
    /// Taken while a table is published: two that share a view would be in each other's way.
    pub(super) publishing: Turns,
    pub(super) daemon: Arc<Daemon>,
    pub(super) dry_runs: DryRuns,
    this: Weak<Inner>,
}

impl Loader {
    /// Makes a loader without threads: they start with the first load.
    pub fn new(database: Arc<dyn Database>) -> Loader {
        let inner = Arc::new_cyclic(|this| Inner {
            database,
            state: Mutex::default(),
            closed: AtomicBool::new(false),
            publishing: Turns::default(),
            daemon: Arc::default(),
            dry_runs: DryRuns::default(),
            this: this.clone(),
        });
        Loader { inner }
    }

    /// Starts a job for the table, or joins the one that runs. A table that is loaded is left alone by [`LoadAction::Load`]: its job
    /// has ended already. Parents load first, inside the job.
    pub fn start(&self, target: &TableTarget, action: LoadAction, settings: &Settings) -> Result<Arc<Job>> {
        self.inner.start(target, action, settings).map_err(|err| err.within(target.place()))
    }

    /// Returns whether the table is there and made by Unify: complete, or emptied by `CLEAR TABLE`.
    pub fn is_there(&self, session: &mut dyn Session, target: &TableTarget) -> Result<bool> {
        let store = target.store(session)?;
        Ok(store.is_loaded(session)? || store.is_cleared(session)?)
    }

    /// Returns whether the table is there, complete, and made by Unify.
    pub fn is_loaded(&self, session: &mut dyn Session, target: &TableTarget) -> Result<bool> {
        target.store(session)?.is_loaded(session)
    }

    /// Returns the jobs that run, and those that ended and are still remembered, in the order they started.
    pub fn jobs(&self) -> Vec<KnownJob> {
        lock(&self.inner.state).known.all()
    }

    /// Closes the records of loads whose process ended before they did, in a database that is there for this process alone. Where that
    /// cannot be written, the next load does it.
    pub fn close_killed(&self, catalog: &str) -> Result<()> {
        let mut session = self.inner.database.connect()?;
        let writable = format!(
            "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({}) AND type = 'duckdb' AND NOT readonly",
            quote_literal(catalog)
        );
        if session.query(&writable)?.is_empty() {
            return Ok(());
        }
        let store = Store::new(catalog, "", "", CatalogKind::DuckDb);
        let mut state = lock(&self.inner.state);
        let _ = state.ids(session.as_mut(), catalog, &store);
        Ok(())
    }

    /// Stops all jobs and joins all threads but the calling one. Loads cannot start afterwards.
    pub fn close(&self) {
        self.inner.close();
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    /// Runs `work` while no load of the table can start. Fails when one runs.
    pub(super) fn while_idle<T>(&self, target: &TableTarget, work: impl FnOnce(&mut dyn Session, &mut Ids<'_>) -> Result<T>) -> Result<T> {
        let key = target.key();
        self.while_none_runs(&target.catalog, |running, _| (*running == key).then(|| "it".to_string()), work)
    }

    /// Runs `work`, on records in `catalog`, while no load can start. Fails when one runs that is `in_the_way`, which says what it loads.
    pub(super) fn while_none_runs<T>(
        &self,
        catalog: &str,
        in_the_way: impl Fn(&JobKey, &Job) -> Option<String>,
        work: impl FnOnce(&mut dyn Session, &mut Ids<'_>) -> Result<T>,
    ) -> Result<T> {
        // The session is dropped after the lock is free, as in `start`.
        let mut session = self.database.connect()?;
        let mut state = lock(&self.state);
        state.forget_ended();
        if let Some((id, what)) = state.running.iter().find_map(|(key, job)| in_the_way(key, job).map(|what| (job.id(), what))) {
            return Err(Error::config(format!("job {id} is loading {what}; WAIT FOR JOB {id}, or CANCEL JOB {id}, and try again")));
        }
        work(session.as_mut(), &mut Ids { state: &mut state, catalog, database: &self.database })
    }

    fn close(&self) {
        let (mut threads, workers, pulse) = {
            let mut state = lock(&self.state);
            self.closed.store(true, Ordering::Release);
            for job in state.running.values() {
                job.cancel(Stop::Closing);
            }
            (std::mem::take(&mut state.threads), state.workers.take(), state.pulse.take())
        };
        threads.extend(pulse.and_then(|pulse| pulse.stop()));
        // The network threads go first: jobs that wait for pages see the end of them.
        if let Some(workers) = &workers {
            workers.stop();
        }
        for thread in threads {
            // A statement under way ends at once; one that starts meanwhile is the next round's.
            while !thread.is_finished() && thread.thread().id() != std::thread::current().id() {
                self.database.interrupt_all();
                std::thread::park_timeout(STOP_POLL);
            }
            join_other(thread);
        }
    }

    /// Returns the threads. Fails once the database is closing.
    pub(super) fn workers(&self) -> Result<Arc<Workers>> {
        let mut state = lock(&self.state);
        if self.is_closed() {
            return Err(Error::new(ErrorKind::DatabaseGone, "the database is closing"));
        }
        state.workers()
    }

    /// Makes the audit tables of a table's database where they are missing. Returns the counter of its record ids, for a statement that
    /// writes rows back, until [`Inner::end_numbering`].
    pub(super) fn begin_numbering(&self, target: &TableTarget, store: &Store) -> Result<Arc<AtomicI64>> {
        // The session is dropped after the lock is free, as in `start`.
        let mut session = self.database.connect()?;
        let mut state = lock(&self.state);
        state.forget_ended();
        store.transact(self.database.as_ref(), &|| Ok(()), |session| store.create_unify_schema(session))?;
        let ids = state.ids(session.as_mut(), &target.catalog, store)?;
        *state.writing.entry(target.catalog.to_lowercase()).or_default() += 1;
        Ok(ids)
    }

    /// Says that a statement of [`Inner::begin_numbering`] gives out no more ids.
    pub(super) fn end_numbering(&self, target: &TableTarget) {
        let mut state = lock(&self.state);
        let catalog = target.catalog.to_lowercase();
        let n_left = state.writing.get(&catalog).map_or(0, |count| count.saturating_sub(1));
        match n_left {
            0 => state.writing.remove(&catalog),
            n_left => state.writing.insert(catalog, n_left),
        };
    }

    /// Returns the client of a connection: the one its other loads use, unless connection or settings changed since.
    pub(super) fn client(&self, connection: &Arc<Connection>, settings: &Settings) -> Result<Arc<ApiClient>> {
        let http = http_settings(settings);
        let mut state = lock(&self.state);
        let key = connection.name.to_lowercase();
        let last = state.clients.get(&key);
        if let Some((known, client)) = last {
            let same = client.connection();
            if *known == http && same.options == connection.options && Arc::ptr_eq(&same.adapter, &connection.adapter) {
                return Ok(client.clone());
            }
        }
        let client = ApiClient::new(connection.clone(), http)?;
        let client = Arc::new(match last {
            Some((_, last)) => client.after(last),
            None => client,
        });
        state.clients.insert(key, (http, client.clone()));
        Ok(client)
    }

    /// Returns the jobs that run, in no order that means anything but always the same.
    pub(super) fn running(&self) -> Vec<RunningJob> {
        let state = lock(&self.state);
        let jobs = state.running.iter().filter(|(_, job)| !job.is_ended());
        let mut running: Vec<RunningJob> = jobs
            .map(|((catalog, connection, table), job)| RunningJob {
                id: job.id(),
                catalog: catalog.clone(),
                connection: connection.clone(),
                table: table.clone(),
            })
            .collect();
        running.sort();
        running
    }

    /// Starts a thread that is joined when the database closes, which it has to look for itself.
    pub(super) fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let mut state = lock(&self.state);
        if self.is_closed() {
            return Err(Error::new(ErrorKind::DatabaseGone, "the database is closing"));
        }
        let thread = std::thread::Builder::new().name(name.to_string()).spawn(work);
        state.threads.push(thread.map_err(|err| Error::internal(format!("could not start a thread: {err}")))?);
        Ok(())
    }

    pub(super) fn weak(&self) -> Weak<Inner> {
        self.this.clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Fails once the database is closing.
    pub(super) fn check_open(&self) -> Result<()> {
        match self.is_closed() {
            true => Err(Error::new(ErrorKind::DatabaseGone, "the database is closing")),
            false => Ok(()),
        }
    }
}

/// Returns what the user's settings say about HTTP.
pub(super) fn http_settings(settings: &Settings) -> HttpSettings {
    HttpSettings {
        max_in_flight: settings.loader_threads,
        timeout: settings.http_timeout,
        allow_http: settings.allow_http,
        ..HttpSettings::default()
    }
}
