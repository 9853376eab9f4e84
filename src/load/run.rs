//! What a job's own thread does: parents, plan, fetch, write, publish, and the records of how it ended.

use super::audit::{AuditSubject, JobRecord};
use super::budget::{Budget, PageSize};
use super::fetch::Fetch;
use super::job::{Job, LoadAction, LoadReport};
use super::loader::{Inner, TableTarget};
use super::plan::{param_columns, parameter_sets};
use super::pool::Workers;
use super::publish::Publication;
use super::store::Store;
use super::writer::Writer;
use crate::columns::RowPlan;
use crate::http::{ApiClient, ParamSet};
use crate::session::{Database, LogLevel, Settings};
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{mpsc, Arc, RwLock, Weak};

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
    pub settings: Settings,
    pub workers: Arc<Workers>,
    pub budget: Arc<Budget>,
}

impl JobRun {
    /// Runs the job to its end, whatever that is.
    pub fn run(&self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.load()));
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("a load panicked")));
        let outcome = outcome.map_err(|err| err.within(self.target.place()));
        if let Err(err) = &outcome {
            // Whoever waits hears the error, even when it cannot be noted.
            let _ = catch_unwind(AssertUnwindSafe(|| self.record_failure(err)));
        }
        self.job.end(outcome);
    }

    /// Returns the statement that notes the job's start.
    pub fn start_sql(&self) -> String {
        let action = self.job.action().audit_names().0;
        self.subject.record_sql(JobRecord { id: self.job.id(), parent_id: None, action, n_rows: None, error: None })
    }

    fn load(&self) -> Result<LoadReport> {
        let table_def = self.target.table_def()?;
        let client = self.client()?;
        self.load_parents(table_def)?;
        let sets = {
            let mut session = self.database.connect()?;
            parameter_sets(&self.target.connection, table_def, session.as_mut(), &self.target.catalog)?
        };
        self.job.log(LogLevel::Info, || format!("{}, parameter sets: {}", self.job.action().name(), sets.len()));
        self.transfer(table_def, client, sets)?;
        Ok(self.job.report())
    }

    fn client(&self) -> Result<Arc<ApiClient>> {
        self.loader()?.client(&self.target.connection, &self.settings)
    }

    /// Returns the loader, as long as its database is open.
    fn loader(&self) -> Result<Arc<Inner>> {
        let inner = self.inner.upgrade().filter(|inner| !inner.is_closed());
        inner.ok_or_else(|| Error::new(ErrorKind::DatabaseGone, "the database was closed"))
    }

    /// Loads the tables the params query, where they are missing.
    fn load_parents(&self, table_def: &TableDef) -> Result<()> {
        for parent in table_def.parents() {
            let inner = self.loader()?;
            let target = TableTarget { table: parent.to_string(), ..self.target.clone() };
            let job = inner.start(
                &target,
                LoadAction::Load,
                &Settings { progress: crate::session::ProgressMode::Off, ..self.settings.clone() },
            )?;
            // The parent's job, too, is stopped when the database closes; until then its own messages are the better ones.
            drop(inner);
            job.wait(&|| self.job.is_cancelled(), None)?;
        }
        self.job.check_cancelled()
    }

    /// Fetches, writes and publishes.
    fn transfer(&self, table_def: &TableDef, client: Arc<ApiClient>, sets: Vec<ParamSet>) -> Result<()> {
        let row_plan = RowPlan::new(table_def);
        let schema = row_plan.initial_schema(&param_columns(table_def, &sets));
        self.drop_staging()?;
        let window = self.target.connection.adapter.throttle.concurrency.min(self.settings.loader_threads).max(1);
        let fetch = Arc::new(Fetch {
            job: self.job.clone(),
            connection: self.target.connection.clone(),
            table_def: Arc::new(table_def.clone()),
            row_plan,
            client,
            workers: self.workers.clone(),
            budget: self.budget.for_load(),
            page_size: PageSize::default(),
            schema: RwLock::new(Arc::new(schema.clone())),
            window,
            max_pages: self.settings.max_pages,
        });
        let mut writer = Writer {
            store: &self.store,
            database: self.database.as_ref(),
            job: &self.job,
            budget: &fetch.budget,
            shared_schema: &fetch.schema,
            schema,
            created: false,
            n_pages: 0,
        };
        let (sender, receiver) = mpsc::channel();
        let (fetched, fetch_outcome) = mpsc::channel();
        let fetching = fetch.clone();
        let task = self.workers.spawn(async move {
            // Nobody listens any more when the write failed.
            let _ = fetched.send(fetching.run(sets, sender).await);
        });
        let written = writer.write_all(&receiver);
        drop(receiver);
        if written.is_err() {
            task.abort();
        }
        written?;
        // Without an outcome the task was dropped with its runtime: the database or the process ends.
        fetch_outcome.recv().unwrap_or_else(|_| self.stopped())?;
        self.publish(table_def, &writer)
    }

    fn stopped(&self) -> Result<()> {
        self.job.check_cancelled()?;
        Err(Error::new(ErrorKind::Cancelled, "the load was stopped because the database or the process ends"))
    }

    /// Drops what an earlier load left unfinished.
    fn drop_staging(&self) -> Result<()> {
        let forget = self.store.forget_sql(&self.store.staging.table);
        self.database.connect()?.execute(&format!("BEGIN; DROP TABLE IF EXISTS {}; {forget} COMMIT;", self.store.staging))
    }

    fn publish(&self, table_def: &TableDef, writer: &Writer<'_>) -> Result<()> {
        self.job.check_cancelled()?;
        let n_rows = self.job.counters.rows.load(Ordering::Relaxed);
        let publication = Publication {
            store: &self.store,
            connection: &self.target.connection,
            table_def,
            subject: &self.subject,
            job: &self.job,
            record_ids: (self.next_id(), self.next_id()),
            end_action: self.job.action().audit_names().1,
            n_rows,
        };
        let loader = self.loader()?;
        // The session is dropped after the lock is free: dropping the last one closes the database, and with it the loader.
        let mut session = self.database.connect()?;
        let _one_at_a_time = loader.publishing();
        self.job.log(LogLevel::Info, || format!("published, rows: {n_rows}"));
        publication.publish(session.as_mut(), writer)
    }

    fn log_sql(&self) -> String {
        format!("SELECT 1; {}", self.subject.log_sql(self.job.id(), &self.job.take_log()))
    }

    fn next_id(&self) -> i64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes how the job failed. When the database is gone, the next start notes it.
    pub fn record_failure(&self, err: &Error) {
        self.job.log(LogLevel::Error, || err.message().to_string());
        let end = JobRecord {
            id: self.next_id(),
            parent_id: Some(self.job.id()),
            action: self.job.action().audit_names().1,
            n_rows: None,
            error: Some(err.message()),
        };
        let Ok(mut session) = self.database.connect() else { return };
        // The error itself goes to whoever waits; a trail that cannot be written must not hide it.
        let _ = session.execute(&format!("BEGIN; {} {} COMMIT;", self.subject.record_sql(end), self.log_sql()));
    }
}
