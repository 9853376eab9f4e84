//! What a job's own thread does: parents, plan, fetch, write, publish, and the records of how it ended.

use super::audit::{AuditSubject, JobRecord};
use super::budget::{Budget, PageSize};
use super::fetch::{Fetch, SetWork};
use super::identity::{set_keys, spec_hash, Identity};
use super::job::Job;
use super::live_jobs;
use super::loader::{Inner, TableTarget};
use super::places::Places;
use super::plan::{param_columns, parameter_sets, Planned};
use super::pool::Workers;
use super::publish::Publication;
use super::pulse::Pulse;
use super::report::{LoadAction, LoadReport};
use super::resume::{Start, Unfinished};
use super::scope::{loaded_sets, Scope};
use super::store::{Loaded, Store};
use super::updates::Moments;
use super::writer::Writer;
use crate::columns::{RowPlan, TableSchema};
use crate::http::{ApiClient, ParamSet};
use crate::session::{CatalogKind, Database, LogLevel, Session, Settings};
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{mpsc, Arc, RwLock, Weak};
use std::time::Duration;

/// What a job loads.
struct Plan<'a> {
    table_def: &'a TableDef,
    /// Hash of the spec.
    spec: String,
    /// What is known of the table as it is, where a load of the same spec made it.
    loaded: Option<Loaded>,
    /// Whether only updates are asked for.
    is_update: bool,
    sets: Arc<[ParamSet]>,
}

/// One job and everything it works with.
pub(super) struct JobRun {
    pub job: Arc<Job>,
    /// Weak: a job never keeps the loader of a closed database.
    pub inner: Weak<Inner>,
    pub database: Arc<dyn Database>,
    pub target: TableTarget,
    pub store: Store,
    pub subject: AuditSubject,
    /// The last record id given out.
    pub ids: Arc<AtomicI64>,
    /// When the job was started, in microseconds since 1970.
    pub began: i64,
    pub settings: Settings,
    pub workers: Arc<Workers>,
    pub budget: Arc<Budget>,
    /// Gives signs of life in a database that other processes write to.
    pub pulse: Option<Arc<Pulse>>,
}

impl JobRun {
    /// Runs the job to its end, whatever that is, or until it is parked.
    pub fn run(self: Arc<Self>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.load()));
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("a load panicked")));
        let outcome = outcome.map_err(|err| self.or_detached(err).within(self.target.place()));
        if let Err(ErrorKind::NotBefore(until)) = outcome.as_ref().map_err(Error::kind) {
            if self.park(until) {
                return;
            }
        }
        self.end(outcome);
    }

    /// Ends the job: notes an error, and tells whoever waits.
    pub fn end(&self, outcome: Result<LoadReport>) {
        if let Err(err) = &outcome {
            // Whoever waits hears the error, even when it cannot be noted.
            let _ = catch_unwind(AssertUnwindSafe(|| self.record_failure(err)));
        }
        if let Some(pulse) = &self.pulse {
            pulse.leave(&self.store.unify_schema, self.job.id());
        }
        self.job.end(outcome);
    }

    /// Returns the error, or what is behind it when the database the load writes to was detached.
    fn or_detached(&self, err: Error) -> Error {
        let catalog = &self.target.catalog;
        let Ok(mut session) = self.database.connect() else { return err };
        match CatalogKind::of(session.as_mut(), catalog) {
            Err(gone) if gone.kind() == ErrorKind::Config && err.kind() == ErrorKind::Database => Error::config(format!(
                "database '{catalog}' was detached during the load; attach it again and load again, and the load goes on where it was"
            )),
            _ => err,
        }
    }

    /// Returns the statement that notes the job's start.
    pub fn start_sql(&self) -> String {
        let action = self.job.action().audit_names().0;
        self.subject.record_sql(JobRecord { id: self.job.id(), parent_id: None, action, n_rows: None, error: None })
    }

    fn load(&self) -> Result<LoadReport> {
        self.job.wakes()?;
        let table_def = self.target.table_def()?;
        let client = self.client()?;
        self.load_parents(table_def)?;
        let spec = spec_hash(&self.target.connection, table_def);
        let (loaded, scope, sets) = self.plan(table_def, &spec)?;
        let is_update = matches!(scope, Scope::Updates(_));
        let kind = if is_update { " of updates" } else { "" };
        self.job.log(LogLevel::Info, || format!("{}{kind}, parameter sets: {}", self.job.action().name(), sets.len()));
        self.job.counters.sets.store(sets.len() as u64, Ordering::Relaxed);
        let plan = Plan { table_def, spec, loaded, is_update, sets: sets.into() };
        match self.transfer(&plan, client.clone()) {
            Err(err) if err.kind() == ErrorKind::CannotResume => {
                self.start_over(err.message())?;
                self.transfer(&plan, client)?;
            }
            outcome => outcome?,
        }
        Ok(self.job.report())
    }

    /// Returns what is known of the loaded table, what the job asks for, and with which parameter sets.
    fn plan(&self, table_def: &TableDef, spec: &str) -> Result<(Option<Loaded>, Scope, Vec<ParamSet>)> {
        let mut session = self.database.connect()?;
        let is_loaded = self.store.is_loaded(session.as_mut())?;
        let loaded = if is_loaded { self.store.loaded(session.as_mut(), spec)? } else { None };
        let scope = match &loaded {
            Some(loaded) if self.job.action() == LoadAction::Refresh => {
                Scope::of_refresh(session.as_mut(), &self.store, table_def, loaded.clone(), self.began)?
            }
            _ => Scope::Everything(Moments { now: self.began, last_start: None }),
        };
        let planned = Planned { connection: &self.target.connection, table_def, catalog: &self.target.catalog };
        let sets = parameter_sets(planned, &scope, session.as_mut())?;
        Ok((loaded, scope, sets))
    }

    fn client(&self) -> Result<Arc<ApiClient>> {
        self.loader()?.client(&self.target.connection, &self.settings)
    }

    /// Returns the loader, as long as its database is open.
    fn loader(&self) -> Result<Arc<Inner>> {
        let inner = self.inner.upgrade().filter(|inner| !inner.is_closed());
        inner.ok_or_else(|| Error::new(ErrorKind::DatabaseGone, "the database was closed"))
    }

    /// Loads the tables the params query where they are missing, and refreshes those that are older than the table may become.
    fn load_parents(&self, table_def: &TableDef) -> Result<()> {
        let settings = Settings { progress: crate::session::ProgressMode::Off, ..self.settings.clone() };
        for parent in table_def.parents() {
            let target = TableTarget { table: parent.to_string(), ..self.target.clone() };
            let is_stale = is_stale(self.database.connect()?.as_mut(), &target, (table_def.max_staleness, self.began))?;
            let action = if is_stale { LoadAction::Refresh } else { LoadAction::Load };
            let inner = self.loader()?;
            let job = inner.start(&target, action, &settings)?;
            // The parent's job, too, is stopped when the database closes; until then its own messages are the better ones.
            drop(inner);
            self.job.wait_for_parent(&job)?;
        }
        self.job.check_cancelled()
    }

    /// Fetches, writes and publishes; goes on with what an earlier load left, where it can.
    fn transfer(&self, plan: &Plan<'_>, client: Arc<ApiClient>) -> Result<()> {
        let Plan { table_def, ref sets, .. } = *plan;
        let keys = set_keys(sets, client.redactor());
        let identity = Identity::new(plan.spec.clone(), &keys, &self.target.connection);
        let row_plan = RowPlan::new(table_def);
        let initial = row_plan.initial_schema(&param_columns(table_def, sets));
        let known = plan.loaded.as_ref().map(|loaded| &loaded.columns);
        let start = self.start(&identity, known.map_or(initial.clone(), |known| known.merged(&initial)))?;
        let started = start.started.unwrap_or(self.began);
        let counters = &self.job.counters;
        counters.expected_pages.store(0, Ordering::Relaxed);
        counters.stored_pages.store(start.n_pages.saturating_sub(counters.pages.load(Ordering::Relaxed)), Ordering::Relaxed);
        counters.sets_done.store(start.n_done(), Ordering::Relaxed);
        let work = start.work(&keys);
        let window = self.target.connection.adapter.throttle.concurrency.min(self.settings.loader_threads).max(1);
        let fetch = Arc::new(Fetch {
            job: self.job.clone(),
            connection: self.target.connection.clone(),
            table_def: Arc::new(table_def.clone()),
            sets: sets.clone(),
            row_plan,
            client,
            workers: self.workers.clone(),
            budget: self.budget.for_load(&self.target.connection.name),
            page_size: PageSize::default(),
            schema: RwLock::new(Arc::new(start.schema.clone())),
            window,
            max_pages: self.settings.max_pages,
        });
        let mut writer = Writer {
            store: &self.store,
            subject: &self.subject,
            database: self.database.as_ref(),
            job: &self.job,
            budget: &fetch.budget,
            shared_schema: &fetch.schema,
            identity: &identity.to_text(),
            places: Places::new(keys, &start.sets),
            started,
            noted: start.noted,
            created: start.created,
            n_pages: start.n_pages,
            schema: start.schema,
        };
        self.move_rows(&fetch, work, &mut writer)?;
        self.publish(plan, &writer)
    }

    /// Fetches on the network threads what `work` says is left, and writes on this one what comes.
    fn move_rows(&self, fetch: &Arc<Fetch>, work: Vec<SetWork>, writer: &mut Writer<'_>) -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        let (fetched, fetch_outcome) = mpsc::channel();
        let fetching = fetch.clone();
        let task = self.workers.spawn(async move {
            // Nobody listens any more when the write failed.
            let _ = fetched.send(fetching.run(work, sender).await);
        });
        let written = writer.write_all(&receiver);
        drop(receiver);
        if written.is_err() {
            task.abort();
        }
        written?;
        // Without an outcome the task was dropped with its runtime: the database or the process ends.
        fetch_outcome.recv().unwrap_or_else(|_| self.stopped())
    }

    /// Returns what the load begins with: what an unfinished one left, or nothing.
    fn start(&self, identity: &Identity, initial: TableSchema) -> Result<Start> {
        let mut session = self.database.connect()?;
        match Unfinished::find(session.as_mut(), &self.store, identity)? {
            Unfinished::Staged(staged) => {
                let n_rows = staged.n_rows;
                let start = Start::after(*staged);
                self.job.log(LogLevel::Info, || {
                    format!("going on with an unfinished load, rows: {n_rows}, parameter sets done: {}", start.n_done())
                });
                self.job.counters.rows.store(n_rows, Ordering::Relaxed);
                return Ok(start);
            }
            Unfinished::Useless(reason) => self.start_over(&reason)?,
            Unfinished::Nothing => {}
        }
        Ok(Start::new(initial))
    }

    fn stopped(&self) -> Result<()> {
        self.job.check_cancelled()?;
        Err(Error::new(ErrorKind::Cancelled, "the load was stopped because the database or the process ends"))
    }

    /// Drops what an unfinished load left.
    fn start_over(&self, reason: &str) -> Result<()> {
        self.job.log(LogLevel::Warning, || format!("an unfinished load cannot be continued: {reason}; starting over"));
        self.job.counters.rows.store(0, Ordering::Relaxed);
        let sql = format!("DROP TABLE IF EXISTS {}; {}", self.store.staging, self.store.forget_sql(&self.store.staging.table));
        self.store.transact(self.database.as_ref(), &|| self.job.check_cancelled(), |session| session.execute(&sql))
    }

    fn publish(&self, plan: &Plan<'_>, writer: &Writer<'_>) -> Result<()> {
        self.job.check_cancelled()?;
        let n_rows = self.job.counters.rows.load(Ordering::Relaxed);
        let loaded = plan.sets.iter().enumerate().filter(|(number, _)| !writer.places.is_skipped(*number));
        let sets = loaded_sets(plan.table_def, loaded.map(|(_, set)| set));
        let publication = Publication {
            store: &self.store,
            connection: &self.target.connection,
            table_def: plan.table_def,
            subject: &self.subject,
            job: &self.job,
            record_ids: (self.next_id(), self.next_id()),
            end_action: self.job.action().audit_names().1,
            n_rows,
            spec: &plan.spec,
            known: plan.loaded.as_ref().map(|loaded| &loaded.columns),
            is_update: plan.is_update,
            started: writer.started,
            sets: sets.as_deref(),
        };
        let loader = self.loader()?;
        // The session is dropped after the lock is free: dropping the last one closes the database, and with it the loader.
        let _session = self.database.connect()?;
        let _one_at_a_time = loader.publishing.take(&|| self.job.check_cancelled())?;
        let n_rows = publication.publish(self.database.as_ref(), writer)?;
        self.job.counters.rows.store(n_rows, Ordering::Relaxed);
        Ok(())
    }

    fn next_id(&self) -> i64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes how the job failed. When the database is gone, the next start notes it.
    fn record_failure(&self, err: &Error) {
        self.job.log(LogLevel::Error, || err.message().to_string());
        let end = JobRecord {
            id: self.next_id(),
            parent_id: Some(self.job.id()),
            action: self.job.action().audit_names().1,
            n_rows: None,
            error: Some(err.message()),
        };
        let (store, lines) = (&self.store, self.job.take_log());
        let mut sql = self.subject.record_sql(end);
        if store.kind.is_shared() {
            sql.push_str(&live_jobs::leave_sql(&store.unify_schema, self.job.id()));
        }
        let may_go_on = || match self.loader() {
            Ok(_) => Ok(()),
            Err(err) => Err(err),
        };
        // The error itself goes to whoever waits; a trail that cannot be written must not hide it.
        let _ = store.transact(self.database.as_ref(), &may_go_on, |session| {
            if store.kind.is_shared() {
                // Who took the job for dead has noted its end.
                live_jobs::check(session, &store.unify_schema, self.job.id())?;
            }
            session.execute(&sql)?;
            self.subject.write_log(session, self.job.id(), &lines)
        });
    }
}

/// Returns whether a parent is loaded, and at that moment older than its child may become.
pub fn is_stale(session: &mut dyn Session, parent: &TableTarget, (max_staleness, now): (Option<Duration>, i64)) -> Result<bool> {
    let Some(max_staleness) = max_staleness else { return Ok(false) };
    let store = parent.store(session)?;
    if !store.is_loaded(session)? {
        return Ok(false);
    }
    let started = store.started(session)?;
    let most = i64::try_from(max_staleness.as_micros()).unwrap_or(i64::MAX);
    Ok(started.is_none_or(|started| now.saturating_sub(started) > most))
}
