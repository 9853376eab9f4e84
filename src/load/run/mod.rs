//! What a job does on its threads: plan, fetch, write, publish, and the records of how it ended. It says which parents it needs.

mod again;
mod api_jobs;
mod checkpoint;
mod file_rows;
mod left_out;
mod levels;
mod postgres_rows;
mod transfer;

use crate::columns::timestamp_text;
use crate::http::{ApiClient, ParamSet};
use crate::load::clock::now_micros;
use crate::load::flow::export::Watch;
use crate::load::flow::fetch::Reading;
use crate::load::identity::spec_hash;
use crate::load::job::handle::Job;
use crate::load::job::report::{LoadAction, LoadReport};
use crate::load::pages::budget::Budget;
use crate::load::plan::asked::Asking;
use crate::load::plan::parents::is_stale;
use crate::load::plan::scope::{is_full_due, Scope};
use crate::load::plan::sets::{Planned, PlannedSets};
use crate::load::publish::kept::Kept;
use crate::load::records::audit::{AuditSubject, JobRecord};
use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::live_jobs;
use crate::load::records::store::{Loaded, Store};
use crate::load::services::record_ids::RecordIds;
use crate::load::services::Services;
use crate::load::target::TableTarget;
use crate::load::threads::pool::Workers;
use crate::lock::lock;
use crate::session::{CatalogKind, LogLevel, ProgressMode, Session, Settings};
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a job loads.
struct Plan<'a> {
    /// As its requests have it.
    table_def: &'a TableDef,
    /// Hash of the spec, as a load of all rows has it.
    spec: String,
    /// What is known of the table as it is, where a load of the same spec made it.
    loaded: Option<Loaded>,
    /// What is known of its children so, in the order of the spec.
    loaded_children: Vec<Option<Loaded>>,
    /// Whether only updates are asked for.
    is_update: bool,
    /// The moment that the sets are of, in microseconds since 1970.
    now: i64,
    sets: Arc<[ParamSet]>,
    reading: Reading,
    /// Whether the load started over because rows vanished.
    has_vanished: bool,
}

/// Where a job's rows and records go.
pub(super) struct Recording {
    pub store: Store,
    pub ids: Arc<RecordIds>,
    /// Gives signs of life in a database that other processes write to.
    pub heartbeat: Option<Arc<Heartbeat>>,
}

/// One job and everything it works with.
pub(super) struct JobRun {
    pub job: Arc<Job>,
    pub target: TableTarget,
    pub workers: Arc<Workers>,
    services: Arc<Services>,
    store: Store,
    /// Those of the table's children, in the order of the spec.
    child_stores: Vec<Store>,
    subject: AuditSubject,
    ids: Arc<RecordIds>,
    /// When the job was started, in microseconds since 1970.
    began: i64,
    settings: Settings,
    budget: Arc<Budget>,
    heartbeat: Option<Arc<Heartbeat>>,
    stage: Mutex<Stage>,
    /// The jobs of the API that it waits for.
    watch: Mutex<Option<Watch>>,
    /// Whether it started over because the API did not know a job any more.
    has_new_api_job: AtomicBool,
    /// Whether what it published is not to be left in DuckDB's log.
    is_to_checkpoint: AtomicBool,
}

/// How far a job is before it fetches.
#[derive(Default)]
struct Stage {
    /// Whether it was checked that it can load.
    is_prepared: bool,
    /// Parents that are loaded.
    n_parents: usize,
    /// The next parent, which was started.
    parent: Option<Arc<Job>>,
}

/// What a job came to on its thread.
pub(super) enum Step {
    /// It is over, but for the note of it.
    Ended(Result<LoadReport>),
    /// It goes on when this is done.
    Parent(Box<ParentLoad>),
    /// The API takes no request before that moment, in microseconds since 1970.
    NotBefore { until: i64, err: Error },
}

/// The load of a parent, for the sake of a job.
pub(super) struct ParentLoad {
    pub target: TableTarget,
    pub action: LoadAction,
    pub settings: Settings,
}

/// What the work on a job came to.
enum Worked {
    Done(LoadReport),
    Needs(Box<ParentLoad>),
}

impl JobRun {
    /// Makes the run of a job that has no thread yet. Fails once the database is closing.
    pub fn new(services: Arc<Services>, job: Arc<Job>, target: TableTarget, settings: &Settings, recording: Recording) -> Result<JobRun> {
        let Recording { store, ids, heartbeat } = recording;
        Ok(JobRun {
            job,
            subject: target.subject(&store),
            child_stores: target.children().iter().map(|child| store.sibling(&child.table)).collect(),
            target,
            workers: services.workers()?,
            budget: services.budget(settings),
            services,
            store,
            ids,
            began: now_micros(),
            settings: settings.clone(),
            heartbeat,
            stage: Mutex::default(),
            watch: Mutex::default(),
            has_new_api_job: AtomicBool::new(false),
            is_to_checkpoint: AtomicBool::new(false),
        })
    }

    /// Goes on with the job, to its end or until it has to wait.
    pub fn go_on(&self) -> Step {
        let worked = catch_unwind(AssertUnwindSafe(|| self.work()));
        match worked.unwrap_or_else(|_| Err(Error::internal("a load panicked"))) {
            Ok(Worked::Done(report)) => Step::Ended(Ok(report)),
            Ok(Worked::Needs(parent)) => Step::Parent(parent),
            Err(err) => match (err.kind(), self.described(err)) {
                (ErrorKind::NotBefore(until), err) => Step::NotBefore { until, err },
                (_, err) => Step::Ended(Err(err)),
            },
        }
    }

    /// Notes that the job waits for the load of the parent that it asked for.
    pub fn waits_for(&self, parent: &Arc<Job>) {
        lock(&self.stage).parent = Some(parent.clone());
        if !parent.is_ended() {
            self.job.waits_for(parent);
        }
    }

    /// Notes that the parent that the job asked for is loaded, without a job.
    pub fn has_parent(&self) {
        lock(&self.stage).n_parents += 1;
    }

    /// Notes that the job waits until that moment, in microseconds since 1970, and then begins again with what it stored.
    pub fn suspend(&self, until: i64) {
        let n_jobs = lock(&self.watch).as_ref().map(Watch::n_jobs);
        if n_jobs.is_none() {
            self.job
                .log(LogLevel::Warning, || format!("the API takes no request before {} UTC: suspended until then", timestamp_text(until)));
        }
        self.write_log();
        *lock(&self.stage) = Stage::default();
        match n_jobs {
            Some(_) => self.job.waits_for_api(),
            None => self.job.waits_until(until),
        }
    }

    /// Ends the job: notes an error, and tells whoever waits.
    pub fn end(&self, outcome: Result<LoadReport>) {
        if outcome.is_err() && self.job.is_cancelled_by_user() {
            let _ = catch_unwind(AssertUnwindSafe(|| self.cancel_api_jobs()));
        }
        if let Err(err) = &outcome {
            // Whoever waits hears the error, even when it cannot be noted.
            let _ = catch_unwind(AssertUnwindSafe(|| self.record_failure(err)));
        }
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.leave(&self.store.unify_schema, self.job.id());
        }
        self.job.end(outcome);
    }

    /// Returns an error of the job with where it happened.
    pub fn described(&self, err: Error) -> Error {
        self.or_detached(err).at(self.target.place())
    }

    /// Writes what was logged so far; an error is the next writer's.
    fn write_log(&self) {
        let Ok(mut session) = self.services.database.connect() else { return };
        let lines = self.job.take_log();
        if self.subject.write_log(session.as_mut(), self.job.id(), &lines).is_err() {
            self.job.put_back_log(lines);
        }
    }

    /// Returns the error, or what is behind it when the database the load writes to was detached.
    fn or_detached(&self, err: Error) -> Error {
        let catalog = &self.target.catalog;
        let Ok(mut session) = self.services.database.connect() else { return err };
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

    fn work(&self) -> Result<Worked> {
        self.job.resumes();
        let table_def = self.target.table_def()?;
        let mut session = self.services.database.connect()?;
        if let Some(parent) = self.next_parent(session.as_mut(), table_def)? {
            return Ok(Worked::Needs(Box::new(parent)));
        }
        self.job.check_cancelled()?;
        let client = self.client()?;
        let spec = spec_hash(&self.target.connection, table_def);
        let (scope, plan) = self.plan(session.as_mut(), table_def, spec)?;
        // None is open while the API is asked.
        drop(session);
        let sets = &plan.sets;
        let is_update = matches!(scope, Scope::Updates(_));
        let kind = if is_update { " of updates" } else { "" };
        self.job.log(LogLevel::Info, || format!("{}{kind}, parameter sets: {}", self.job.action().name(), sets.len()));
        self.job.counters().sets.store(sets.len() as u64, Ordering::Relaxed);
        let plan = Plan { table_def: scope.table_def(table_def), is_update, ..plan };
        self.transfer_all(plan, client)?;
        Ok(Worked::Done(LoadReport { rows: self.job.rows_stored(), ..self.job.report() }))
    }

    /// Checks that the job can load, where that was not done. Returns the next of the tables that the params query: it is loaded where it is
    /// missing, and refreshed where it is older than the table may become. Fails when the last one could not be loaded.
    fn next_parent(&self, session: &mut dyn Session, table_def: &TableDef) -> Result<Option<ParentLoad>> {
        let (is_prepared, parent) = {
            let mut stage = lock(&self.stage);
            (std::mem::replace(&mut stage.is_prepared, true), stage.parent.take())
        };
        if !is_prepared {
            self.prepare(session, table_def)?;
        }
        if let Some(parent) = parent {
            self.job.check_cancelled()?;
            parent.outcome().ok_or_else(|| Error::internal("a load went on before its parent had ended"))??;
            lock(&self.stage).n_parents += 1;
        }
        let n_parents = lock(&self.stage).n_parents;
        let Some(parent) = table_def.parents().get(n_parents).map(|parent| self.target.sibling(parent)) else { return Ok(None) };
        let is_stale = is_stale(session, &parent, table_def.max_staleness, self.began)?;
        let action = if is_stale { LoadAction::Refresh } else { LoadAction::Load };
        let settings = Settings { progress: ProgressMode::Off, ..self.settings.clone() };
        Ok(Some(ParentLoad { target: parent, action, settings }))
    }

    /// Fails when the job cannot load: before its parents do.
    fn prepare(&self, session: &mut dyn Session, table_def: &TableDef) -> Result<()> {
        for warning in self.target.connection.adapter.warnings_of(&table_def.name) {
            self.job.log(LogLevel::Warning, || warning.to_string());
        }
        self.client()?;
        let merges = self.job.action() == LoadAction::Refresh && table_def.refresh.updates().is_some();
        std::iter::once(&self.store).chain(&self.child_stores).try_for_each(|store| Kept::check(session, store, merges))
    }

    /// Returns what is known of the loaded table, what the job asks for, and with which parameter sets.
    fn plan<'t>(&self, session: &mut dyn Session, table_def: &'t TableDef, spec: String) -> Result<(Scope, Plan<'t>)> {
        let client = self.client()?;
        let mut loaded_by = |store: &Store| match store.exists(session, &store.target)? {
            true => store.loaded(session, &spec),
            false => Ok(None),
        };
        let loaded = loaded_by(&self.store)?;
        let loaded_children = self.child_stores.iter().map(loaded_by).collect::<Result<Vec<_>>>()?;
        let asking = Asking {
            planned: Planned { connection: &self.target.connection, table_def, catalog: &self.target.catalog },
            store: &self.store,
            redactor: client.redactor(),
            // Updates are merged into all tables, or into none.
            loaded: loaded.as_ref().filter(|_| loaded_children.iter().all(Option::is_some)),
            spec: &spec,
            is_refresh: self.job.action() == LoadAction::Refresh,
            now: self.began,
        };
        let (scope, PlannedSets { sets, notes }) = asking.asked(session)?;
        if matches!(scope, Scope::Updates(_)) && loaded.as_ref().is_some_and(|loaded| loaded.is_unproven) {
            self.tell_unproven("table");
        }
        if self.job.action() == LoadAction::Refresh && loaded.as_ref().is_some_and(|loaded| loaded.is_lacking) {
            let message = "rows vanished at the source while the table was loaded, and others may be missing: it is loaded in full";
            self.job.log(LogLevel::Info, || message.to_string());
        }
        let updates = table_def.refresh.updates().filter(|_| self.job.action() == LoadAction::Refresh);
        if updates.zip(loaded.as_ref()).is_some_and(|(updates, loaded)| is_full_due(updates, loaded, self.began)) {
            let message = "the last load of all rows is older than 'full_every' of the spec: the table is loaded in full";
            self.job.log(LogLevel::Info, || message.to_string());
        }
        for (level, note) in notes.into_iter().chain(scope.notes()) {
            self.job.log(level, || note);
        }
        let (sets, reading) = (sets.into(), Reading::Watched);
        let now = scope.moments().now;
        Ok((scope, Plan { table_def, spec, loaded, loaded_children, is_update: false, now, sets, reading, has_vanished: false }))
    }

    /// Notes that rows of version 0 are gone on with.
    fn tell_unproven(&self, what: &str) {
        self.job.log(LogLevel::Warning, || {
            format!(
                "an older Unify loaded the {what} and did not note by which spec: it counts as loaded by this one; if the spec was changed at \
                 the same time as Unify, RELOAD TABLE loads the table in full"
            )
        });
    }

    fn client(&self) -> Result<Arc<ApiClient>> {
        self.services.check_open()?;
        self.services.client(&self.target.connection, &self.settings)
    }

    /// Notes how the job failed. When the database is gone, the next start notes it.
    fn record_failure(&self, err: &Error) {
        self.job.log(LogLevel::Error, || err.message().to_string());
        let end = JobRecord {
            id: self.ids.next(),
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
        // The error itself goes to whoever waits; a trail that cannot be written must not hide it.
        let _ = self.services.transact(store, |session| {
            if store.kind.is_shared() {
                // Who took the job for dead has noted its end.
                live_jobs::check(session, &store.unify_schema, self.job.id())?;
            }
            session.execute(&sql)?;
            self.subject.write_log(session, self.job.id(), &lines)
        });
    }
}
