//! The rows of a table straight from its API: nothing stored, no job that anybody sees.

use super::audit::{now_micros, AuditSubject};
use super::budget::{LoadBudget, PageRoom, PageSize};
use super::fetch::{Fetch, Fetched, SetWork};
use super::given::GivenParams;
use super::identity::spec_hash;
use super::inbox::{Inbox, Received};
use super::job::{Awaited, Job};
use super::loader::{Loader, TableTarget};
use super::pace::Pace;
use super::plan::{param_columns, parameter_sets, Planned};
use super::pool::Workers;
use super::publish::fallback_columns;
use super::report::LoadAction;
use super::scope::Scope;
use super::updates::Moments;
use crate::columns::{Batch, BoundColumns, RowPlan, TableSchema};
use crate::http::{ApiClient, ParamSet};
use crate::lock::lock;
use crate::session::{Database, Settings};
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::sync::{mpsc, Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often the wait for the first rows asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(20);
/// How long the rows that decided the columns are still those of now.
const FRESH: Duration = Duration::from_secs(10);
/// A stream takes this part of the memory that loads may take.
const MEMORY_PART: u64 = 4;

/// A table's rows, bound: the columns are fixed, and each execution asks the API anew.
pub struct TableStream {
    source: Source,
    columns: Arc<BoundColumns>,
    /// The pages that decided the columns, for an execution that follows at once.
    begun: Mutex<Option<(Instant, Pages)>>,
    /// What the last execution does, for its progress.
    job: Mutex<Arc<Job>>,
}

/// One execution.
pub struct StreamRun {
    pages: Pages,
    columns: Arc<BoundColumns>,
    target: TableTarget,
    database: Arc<dyn Database>,
    /// Of the rows handed on last: free again when more are asked for.
    room: Option<PageRoom>,
}

/// What a look at a stream finds.
pub enum Streamed {
    Rows(Batch),
    Waits(Arc<dyn Awaited>),
    End,
}

/// Where the rows come from.
struct Source {
    target: TableTarget,
    given: GivenParams,
    row_plan: RowPlan,
    client: Arc<ApiClient>,
    workers: Arc<Workers>,
    database: Arc<dyn Database>,
    settings: Settings,
}

/// Pages on their way from the API.
struct Pages {
    inbox: Arc<Inbox<Fetched>>,
    /// How the fetching ended; comes after the last page.
    outcome: mpsc::Receiver<Result<()>>,
    is_over: bool,
    fetch: Arc<Fetch>,
    pace: Arc<Pace>,
    job: Arc<Job>,
    /// Rows that were looked at and not handed on.
    first: Option<(Batch, PageRoom)>,
}

/// What a look at the pages finds.
enum NextPage {
    Rows(Batch, PageRoom),
    Nothing,
    End,
}

impl Loader {
    /// Binds a stream of the table's rows with params laid over its own, which may not query tables that are not loaded. What is known of
    /// the columns is completed by the first page that has rows, which is asked for.
    pub fn stream(
        &self,
        target: &TableTarget,
        params: &[(String, Option<String>)],
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TableStream> {
        let stream = self.bind_stream(target, params, settings, interrupted);
        stream.map_err(|err| err.within(target.place()))
    }

    fn bind_stream(
        &self,
        target: &TableTarget,
        params: &[(String, Option<String>)],
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TableStream> {
        let table_def = target.table_def()?;
        let stored = self.stored_columns(target, table_def)?;
        let given = GivenParams::new(table_def, params, stored.as_ref())?;
        let inner = self.inner();
        let source = Source {
            target: target.clone(),
            row_plan: RowPlan::new(&given.table_def),
            given,
            client: inner.client(&target.connection, settings)?,
            workers: inner.workers()?,
            database: inner.database.clone(),
            settings: settings.clone(),
        };
        let sets = source.sets()?;
        let initial = source.row_plan.initial_schema(&param_columns(table_def, &sets));
        let known = stored.map_or(initial.clone(), |stored| stored.merged(&initial));
        let mut pages = source.pages(sets, &known)?;
        let known = match pages.wait_for_rows(interrupted)? {
            Some(schema) => known.merged(schema),
            None => known,
        };
        let is_unknown = known.columns.is_empty();
        let known = if is_unknown { TableSchema::of(&fallback_columns(table_def)) } else { known };
        let has_rest = !table_def.only_columns || !table_def.result_meta_paths.is_empty();
        Ok(TableStream {
            source,
            columns: Arc::new(BoundColumns::new(known, has_rest)),
            job: Mutex::new(pages.job.clone()),
            begun: Mutex::new(Some((Instant::now(), pages))),
        })
    }

    /// Returns the tables that a call with these params queries: those it needs loaded.
    pub fn parents_of_stream(&self, target: &TableTarget, params: &[(String, Option<String>)]) -> Result<Vec<String>> {
        let given = target.table_def().and_then(|table_def| GivenParams::new(table_def, params, None));
        let given = given.map_err(|err| err.within(target.place()))?;
        Ok(given.table_def.parents().into_iter().map(str::to_string).collect())
    }

    /// Returns the columns of the table as it is stored, if a load of the same spec made it.
    fn stored_columns(&self, target: &TableTarget, table_def: &TableDef) -> Result<Option<TableSchema>> {
        let mut session = self.inner().database.connect()?;
        let store = target.store(session.as_mut())?;
        if !store.is_loaded(session.as_mut())? {
            return Ok(None);
        }
        let loaded = store.loaded(session.as_mut(), &spec_hash(&target.connection, table_def))?;
        Ok(loaded.map(|loaded| loaded.columns))
    }
}

impl TableStream {
    /// Returns the columns.
    pub fn schema(&self) -> &TableSchema {
        self.columns.schema()
    }

    /// Begins an execution: with the pages that decided the columns if they are of now, and with new ones otherwise.
    pub fn start(&self) -> Result<StreamRun> {
        let begun = lock(&self.begun).take().filter(|(since, _)| since.elapsed() < FRESH);
        let pages = match begun {
            Some((_, pages)) => pages,
            None => {
                self.source.sets().and_then(|sets| self.source.pages(sets, self.columns.page_schema())).map_err(|err| self.within(err))?
            }
        };
        pages.begin(&self.source, self.columns.page_schema());
        *lock(&self.job) = pages.job.clone();
        Ok(StreamRun {
            pages,
            columns: self.columns.clone(),
            target: self.source.target.clone(),
            database: self.source.database.clone(),
            room: None,
        })
    }

    /// Returns how far the last execution is, in percent; `None` when unknown.
    pub fn percent(&self) -> Option<f64> {
        lock(&self.job).percent()
    }

    fn within(&self, err: Error) -> Error {
        err.within(self.source.target.place())
    }
}

impl StreamRun {
    /// Returns the next rows if they are there. Fails with the error of a load, and when rows do not fit the columns.
    pub fn next_rows(&mut self) -> Result<Streamed> {
        self.room = None;
        let page = self.pages.next();
        self.tell_log();
        match page.map_err(|err| err.within(self.target.place()))? {
            NextPage::Rows(batch, room) => {
                self.room = Some(room);
                self.columns.fit(batch).map(Streamed::Rows).map_err(|err| self.misfit(&err))
            }
            NextPage::Nothing => Ok(Streamed::Waits(self.pages.inbox.clone())),
            NextPage::End => Ok(Streamed::End),
        }
    }

    fn misfit(&self, err: &Error) -> Error {
        let table = format!("{}.{}", self.target.connection.name, self.target.table);
        let remedy = "which keeps every value and is what the columns are known from next time";
        Error::new(err.kind(), format!("{err}; LOAD TABLE {table}, {remedy}")).within(self.target.place())
    }

    /// Hands what the requests told to DuckDB's own log, if the user wants it there: there is no job to note it under.
    fn tell_log(&self) {
        let lines = self.pages.job.take_log();
        if lines.is_empty() {
            return;
        }
        let subject = AuditSubject {
            unify_schema: String::new(),
            schema: self.target.connection.name.clone(),
            table: self.target.table.clone(),
            adapter: self.target.connection.adapter.name.clone(),
        };
        // A log that cannot be written is no reason to withhold rows.
        let _ = self.database.connect().and_then(|mut session| subject.tell_duckdb(session.as_mut(), "unify_fetch", &lines));
    }
}

impl Source {
    /// Returns the parameter sets as they are now.
    fn sets(&self) -> Result<Vec<ParamSet>> {
        let planned = Planned { connection: &self.target.connection, table_def: &self.given.table_def, catalog: &self.target.catalog };
        let scope = Scope::Everything(Moments { now: now_micros(), last_start: None });
        let sets = parameter_sets(planned, &scope, self.database.connect()?.as_mut())?;
        self.given.narrow(sets)
    }

    fn window(&self) -> usize {
        self.target.connection.adapter.throttle.concurrency.min(self.settings.loader_threads).max(1)
    }

    /// Asks for pages, one at a time until somebody reads them.
    fn pages(&self, sets: Vec<ParamSet>, schema: &TableSchema) -> Result<Pages> {
        let job = Arc::new(Job::new(0, LoadAction::Load, String::new(), &self.settings));
        job.counters.sets.store(sets.len() as u64, std::sync::atomic::Ordering::Relaxed);
        let pace = Pace::new();
        let work = (0..sets.len()).map(|number| SetWork { number, point: None }).collect();
        let fetch = Arc::new(Fetch {
            job: job.clone(),
            connection: self.target.connection.clone(),
            table_def: Arc::new(self.given.table_def.clone()),
            sets: sets.into(),
            row_plan: self.row_plan.clone(),
            client: self.client.clone(),
            workers: self.workers.clone(),
            budget: LoadBudget::for_stream(self.settings.memory_limit / MEMORY_PART, pace.clone()),
            page_size: PageSize::default(),
            schema: RwLock::new(Arc::new(schema.clone())),
            window: self.window(),
            max_pages: self.settings.max_pages,
        });
        let (sender, receiver) = mpsc::channel();
        let (ended, outcome) = mpsc::channel();
        let fetching = fetch.clone();
        let task = self.workers.spawn(async move {
            // Nobody listens any more when the statement ended before the pages did.
            let _ = ended.send(fetching.run(work, sender).await);
        });
        Ok(Pages { inbox: Arc::new(Inbox::new(receiver, task.abort_handle())), outcome, is_over: false, fetch, pace, job, first: None })
    }
}

impl Pages {
    /// Waits for the first rows and returns their columns; none when there are no rows.
    fn wait_for_rows(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Option<&TableSchema>> {
        loop {
            match self.next()? {
                NextPage::Rows(batch, room) => return Ok(Some(&self.first.insert((batch, room)).0.schema)),
                NextPage::End => return Ok(None),
                NextPage::Nothing => {}
            }
            if interrupted() {
                return Err(self.inbox.interrupted());
            }
            self.inbox.wait_at_most(POLL);
        }
    }

    /// Lets the pages come faster from now on, and converts them to the columns that are known by now.
    fn begin(&self, source: &Source, schema: &TableSchema) {
        *self.fetch.schema.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(schema.clone());
        self.pace.quicken(source.window());
    }

    /// Takes the next page that has rows, without waiting.
    fn next(&mut self) -> Result<NextPage> {
        if let Some((batch, room)) = self.first.take() {
            return Ok(NextPage::Rows(batch, room));
        }
        while !self.is_over {
            match self.inbox.take() {
                Received::Item(Fetched::Rows(rows)) if rows.batch.n_rows > 0 => return Ok(NextPage::Rows(rows.batch, rows.room)),
                Received::Item(_) => {}
                Received::Nothing => return Ok(NextPage::Nothing),
                Received::Over => {
                    let stopped = |_| Err(Error::new(ErrorKind::Cancelled, "the rows stopped because the database or the process ends"));
                    self.outcome.recv().unwrap_or_else(stopped)?;
                    self.is_over = true;
                }
            }
        }
        Ok(NextPage::End)
    }
}
