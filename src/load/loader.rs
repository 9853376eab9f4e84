//! The loads of one database instance, as statements see them: starts jobs, one per table at a time, and knows which tables are loaded.

use crate::load::job::report::LoadAction;
use crate::load::job::started::Started;
use crate::load::known::KnownJob;
use crate::load::publish::views::create_view;
use crate::load::read::explain::PlannedStep;
use crate::load::read::reader::Reader;
use crate::load::records::audit::{ends_sql, open_jobs_sql};
use crate::load::records::store::Store;
use crate::load::records::LOADING_JOBS;
use crate::load::scheduler::daemon_state::Daemon;
use crate::load::scheduler::Scheduler;
use crate::load::services::Services;
use crate::load::target::TableTarget;
use crate::session::{quote_ident, quote_literal, Database, Session, Settings};
use crate::spec::{Connection, ViewDef};
use crate::{Error, Result};
use std::sync::Arc;

/// The loads of one database instance.
pub struct Loader {
    reader: Reader,
    scheduler: Arc<Scheduler>,
    daemon: Arc<Daemon>,
}

impl Loader {
    /// Makes a loader without threads: they start with the first load.
    pub fn new(database: Arc<dyn Database>) -> Loader {
        let services = Arc::new(Services::new(database));
        Loader { reader: Reader::new(services.clone()), scheduler: Scheduler::new(services), daemon: Arc::default() }
    }

    /// Returns the loader of these jobs.
    pub(in crate::load) fn of(scheduler: &Arc<Scheduler>, daemon: &Arc<Daemon>) -> Loader {
        Loader { reader: Reader::new(scheduler.services.clone()), scheduler: scheduler.clone(), daemon: daemon.clone() }
    }

    /// Starts a job for the table, or joins the one that runs. A table that is loaded is left alone by [`LoadAction::Load`].
    /// Parents load first, in jobs of their own.
    pub fn start(&self, target: &TableTarget, action: LoadAction, settings: &Settings) -> Result<Started> {
        self.scheduler.start(target, action, settings).map_err(|err| err.at(target.place()))
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

    /// Returns what reads from APIs and stores nothing.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Returns what refreshing these tables of one connection would do, one after the other.
    pub fn explain(&self, targets: &[TableTarget], settings: &Settings) -> Result<Vec<PlannedStep>> {
        self.reader.explain(targets, settings, self.scheduler.known(), self.scheduler.running())
    }

    /// Returns the jobs that run, and those that ended and are still remembered, in the order they started.
    pub fn jobs(&self) -> Vec<KnownJob> {
        self.scheduler.known()
    }

    /// Returns what stands behind FROM in a query for the records of a database's jobs. Where it is there for this process alone and can be
    /// written, they say of loads whose process was killed that they ended, as the next load will note: reading writes nothing.
    pub fn jobs_source(&self, catalog: &str) -> Result<String> {
        let mut session = self.services().database.connect()?;
        let unify = format!("{}.\"unify\"", quote_ident(catalog));
        let table = LOADING_JOBS.sql_name(&unify);
        let writable = format!(
            "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({}) AND type = 'duckdb' AND NOT readonly",
            quote_literal(catalog)
        );
        if session.query(&writable)?.is_empty() {
            return Ok(table);
        }
        // In this order: a job that starts meanwhile has a higher id, or is among those that run. Between its record and its being among them
        // it has the turn.
        let last_id = session.count(&format!("SELECT coalesce(max(id), 0) FROM {table}"))?;
        let running = self.services().catalog_turn(catalog).map(|_turn| self.scheduler.running())?;
        let running = running.into_iter().filter(|job| job.catalog.eq_ignore_ascii_case(catalog));
        let running: Vec<String> = running.map(|job| job.id.to_string()).chain(["-1".to_string()]).collect();
        let which = format!("AND id <= {last_id} AND id NOT IN ({})", running.join(", "));
        // The records are read in the user's transaction, which may have begun before a job ended: those left open are named.
        let open = session.query(&format!("SELECT id FROM {}", open_jobs_sql(&unify, &which)))?;
        let open: Vec<String> = open.iter().filter_map(|row| row.first()?.as_integer()).map(|id| id.to_string()).collect();
        if open.is_empty() {
            return Ok(table);
        }
        let which = format!("AND id IN ({})", open.join(", "));
        Ok(format!("(SELECT * FROM {table} UNION ALL BY NAME {})", ends_sql(&unify, &last_id.to_string(), &which)))
    }

    /// Makes a view whose tables are loaded. Fails with DuckDB's reason when it cannot be made.
    pub fn create_view(&self, connection: &Connection, view_def: &ViewDef, catalog: &str) -> Result<()> {
        let services = self.services();
        let mut turn = services.publishing_turn(&|| services.check_open())?;
        let store = Store::open(turn.session.as_mut(), catalog, &connection.name, &view_def.name)?;
        if !store.kind.has_views() {
            return Err(Error::config(format!(
                "database '{catalog}' cannot hold views of DuckDB's; query the tables '{}'",
                view_def.from.join("', '")
            )));
        }
        store.check_version(turn.session.as_mut())?;
        services.transact(&store, |session| create_view(&store, session, connection, view_def))
    }

    /// Stops all jobs, joins all threads but the calling one, and ends the sessions with APIs. Loads cannot start afterwards.
    pub fn close(&self) {
        self.scheduler.close();
        self.services().clients.sessions.end_all();
    }

    /// Ends a connection's session with its API, because the connection is not needed any more.
    pub fn log_out(&self, connection: &str) {
        self.services().clients.sessions.end_one(connection);
    }

    pub(super) fn services(&self) -> &Arc<Services> {
        &self.scheduler.services
    }

    pub(super) fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    pub(super) fn daemon(&self) -> &Arc<Daemon> {
        &self.daemon
    }
}
