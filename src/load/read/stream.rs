//! The rows of a table straight from its API: nothing stored, no job that anybody sees.

use crate::columns::{Batch, BoundColumns, RowPlan, TableSchema};
use crate::http::ApiClient;
use crate::load::clock::now_micros;
use crate::load::flow::export::Asker;
use crate::load::flow::fetch::{Conversion, Earlier, Fetch, JobWaits, Pace, Reading};
use crate::load::identity::spec_hash;
use crate::load::job::activity::Activity;
use crate::load::job::awaited::Awaited;
use crate::load::pages::budget::{Budget, PageMemory, PageSize};
use crate::load::pages::fetched::Fetched;
use crate::load::pages::read_ahead::ReadAhead;
use crate::load::plan::overrides::ParamOverrides;
use crate::load::plan::resume::SetWork;
use crate::load::plan::scope::Scope;
use crate::load::plan::sets::{param_columns, parameter_sets, Planned, PlannedSets};
use crate::load::plan::updates::Moments;
use crate::load::publish::fallback::fallback_columns;
use crate::load::read::reader::Reader;
use crate::load::read::task_receiver::{Received, TaskReceiver};
use crate::load::records::audit::AuditSubject;
use crate::load::target::TableTarget;
use crate::load::threads::pool::Workers;
use crate::lock::lock;
use crate::session::{Database, Settings};
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often the wait for the first rows asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(20);
/// How long the rows that decided the columns are still those of now.
const FRESH: Duration = Duration::from_secs(10);

/// A table's rows, bound: the columns are fixed, and each execution asks the API anew.
pub struct TableStream {
    source: Source,
    columns: Arc<BoundColumns>,
    /// The pages that decided the columns, for an execution that follows at once.
    begun: Mutex<Option<(Instant, Pages)>>,
    /// What the last execution does, for its progress.
    activity: Mutex<Arc<Activity>>,
}

/// One execution.
pub struct StreamRun {
    pages: Pages,
    columns: Arc<BoundColumns>,
    target: TableTarget,
    database: Arc<dyn Database>,
    /// Of the rows handed on last: free again when more are asked for.
    memory: Option<PageMemory>,
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
    given: ParamOverrides,
    row_plan: RowPlan,
    client: Arc<ApiClient>,
    workers: Arc<Workers>,
    budget: Arc<Budget>,
    database: Arc<dyn Database>,
    settings: Settings,
}

/// Pages on their way from the API.
struct Pages {
    task: Arc<TaskReceiver<Fetched>>,
    /// How the fetching ended; comes after the last page.
    outcome: mpsc::Receiver<Result<()>>,
    is_over: bool,
    fetch: Arc<Fetch>,
    read_ahead: Arc<ReadAhead>,
    activity: Arc<Activity>,
    /// Sets with windows whose rows were handed on.
    begun: HashSet<usize>,
    /// How many sets are left out.
    n_left_out: usize,
    /// Rows that were looked at and not handed on.
    first: Option<(Batch, PageMemory)>,
}

/// What a look at the pages finds.
enum NextPage {
    Rows(Batch, PageMemory),
    Nothing,
    End,
}

impl Reader {
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
        stream.map_err(|err| err.at(target.place()))
    }

    fn bind_stream(
        &self,
        target: &TableTarget,
        params: &[(String, Option<String>)],
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TableStream> {
        let table_def = target.table_def()?;
        target.refuse_child("fetch")?;
        if table_def.is_chunked() {
            let name = target.label();
            return Err(Error::config(format!(
                "several requests ask for the fields of each row ('chunk' of 'discover'), which a load puts together; LOAD TABLE {name}"
            )));
        }
        // One given value is asked for what is below it, and only a load goes on from there.
        let is_given = |name: &String| params.iter().any(|(given, _)| given == name);
        if let Some(name) = table_def.recurse.iter().flat_map(|recurse| &recurse.names).find(|name| !is_given(name)) {
            let table = target.label();
            return Err(Error::config(format!(
                "its rows lead to others below them ('recurse'), which only a load asks for; LOAD TABLE {table}, or give param '{name}' for the \
                 rows below one"
            )));
        }
        let stored = self.stored_columns(target, table_def)?;
        let given = ParamOverrides::new(table_def, params, stored.as_ref())?;
        let services = &self.services;
        let source = Source {
            target: target.clone(),
            row_plan: RowPlan::new(&given.table_def)
                .at_most(settings.page_limit())
                .without_lists(&target.connection.adapter.children_of(&target.table)),
            given,
            client: services.client(&target.connection, settings)?,
            workers: services.workers()?,
            budget: services.budget(settings),
            database: services.database.clone(),
            settings: settings.clone(),
        };
        let sets = source.sets()?;
        let initial = source.row_plan.initial_schema(&param_columns(table_def, &sets.sets));
        let known = stored.map_or(initial.clone(), |stored| stored.without_rows().merged(&initial));
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
            activity: Mutex::new(pages.activity.clone()),
            begun: Mutex::new(Some((Instant::now(), pages))),
        })
    }

    /// Returns the tables that a call with these params queries: those it needs loaded.
    pub fn parents_of_stream(&self, target: &TableTarget, params: &[(String, Option<String>)]) -> Result<Vec<String>> {
        let given = target.table_def().and_then(|table_def| ParamOverrides::new(table_def, params, None));
        let given = given.map_err(|err| err.at(target.place()))?;
        Ok(given.table_def.parents().into_iter().map(str::to_string).collect())
    }

    /// Returns the columns of the table as it is stored, if a load of the same spec made it.
    fn stored_columns(&self, target: &TableTarget, table_def: &TableDef) -> Result<Option<TableSchema>> {
        let mut session = self.services.database.connect()?;
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
                self.source.sets().and_then(|sets| self.source.pages(sets, self.columns.page_schema())).map_err(|err| self.placed(err))?
            }
        };
        pages.begin(&self.source, self.columns.page_schema());
        *lock(&self.activity) = pages.activity.clone();
        Ok(StreamRun {
            pages,
            columns: self.columns.clone(),
            target: self.source.target.clone(),
            database: self.source.database.clone(),
            memory: None,
        })
    }

    /// Returns how far the last execution is, in percent; `None` when unknown.
    pub fn percent(&self) -> Option<f64> {
        lock(&self.activity).progress.percent()
    }

    fn placed(&self, err: Error) -> Error {
        err.at(self.source.target.place())
    }
}

impl StreamRun {
    /// Returns the next rows if they are there. Fails with the error of a load, and when rows do not fit the columns.
    pub fn next_rows(&mut self) -> Result<Streamed> {
        self.memory = None;
        let page = self.pages.next();
        self.tell_log();
        match page.map_err(|err| err.at(self.target.place()))? {
            NextPage::Rows(batch, memory) => {
                self.memory = Some(memory);
                self.columns.fit(batch).map(Streamed::Rows).map_err(|err| self.misfit(err))
            }
            NextPage::Nothing => Ok(Streamed::Waits(self.pages.task.clone())),
            NextPage::End => Ok(Streamed::End),
        }
    }

    fn misfit(&self, err: Error) -> Error {
        let table = format!("{}.{}", self.target.connection.name, self.target.table);
        let remedy = "which keeps every value and is what the columns are known from next time";
        err.in_words(|words| format!("{words}; LOAD TABLE {table}, {remedy}")).at(self.target.place())
    }

    /// Hands what the requests told to DuckDB's own log, if the user wants it there: there is no job to note it under.
    fn tell_log(&self) {
        let lines = self.pages.activity.log.take();
        if lines.is_empty() {
            return;
        }
        let subject = AuditSubject {
            unify_schema: String::new(),
            schema: self.target.connection.name.clone(),
            table: self.target.table.clone(),
            adapter: self.target.connection.adapter.name.clone(),
        };
        // Rows are given also when the log cannot be written.
        let _ = self.database.connect().and_then(|mut session| subject.tell_duckdb(session.as_mut(), "unify_fetch", &lines));
    }
}

impl Source {
    /// Returns the parameter sets as they are now.
    fn sets(&self) -> Result<PlannedSets> {
        let planned = Planned { connection: &self.target.connection, table_def: &self.given.table_def, catalog: &self.target.catalog };
        let scope = Scope::Everything(Moments { now: now_micros(), last_start: None });
        let mut planned = parameter_sets(planned, &scope, self.database.connect()?.as_mut())?;
        planned.sets = self.given.narrow(planned.sets)?;
        Ok(planned)
    }

    fn in_flight(&self) -> usize {
        self.target.connection.adapter.concurrency_of(&self.given.table_def).min(self.settings.loader_threads).max(1)
    }

    /// Asks for pages, one at a time until somebody reads them.
    fn pages(&self, planned: PlannedSets, schema: &TableSchema) -> Result<Pages> {
        let PlannedSets { sets, notes } = planned;
        let activity = Arc::new(Activity::new(self.settings.log_level));
        for (level, note) in notes {
            activity.log(level, || note);
        }
        activity.counters().sets.store(sets.len() as u64, Ordering::Relaxed);
        let read_ahead = ReadAhead::new();
        let n_sets = sets.len();
        let work = (0..n_sets).map(|number| SetWork { number, half: None, key: None, point: None, is_noted: false }).collect();
        let fetch = Arc::new(Fetch {
            asker: Asker {
                activity: activity.clone(),
                connection: self.target.connection.clone(),
                table_def: Arc::new(self.given.table_def.clone()),
                sets: sets.into(),
                client: self.client.clone(),
            },
            n_sets,
            conversion: Conversion {
                row_plan: self.row_plan.clone(),
                workers: self.workers.clone(),
                schemas: RwLock::new(Arc::new(vec![schema.clone()])),
                numbered_pages: AtomicU64::default(),
                record_shape: Arc::default(),
            },
            pace: Pace {
                in_flight: self.in_flight(),
                reading: Reading::SideBySide,
                max_pages: self.settings.max_pages,
                budget: self.budget.for_stream(read_ahead.clone()),
                page_size: PageSize::default(),
            },
            earlier: Earlier::default(),
            waits: JobWaits { suspends: false, watch: Mutex::default() },
            record: self.settings.record.clone(),
            is_unchanged: AtomicBool::new(false),
        });
        let (sender, receiver) = mpsc::channel();
        let (ended, outcome) = mpsc::channel();
        let fetching = fetch.clone();
        let task = self.workers.spawn(async move {
            // Nobody listens any more when the statement ended before the pages did.
            let _ = ended.send(fetching.run(work, sender).await);
        });
        Ok(Pages {
            task: Arc::new(TaskReceiver::new(receiver, task.abort_handle())),
            outcome,
            is_over: false,
            fetch,
            read_ahead,
            activity,
            begun: HashSet::new(),
            n_left_out: 0,
            first: None,
        })
    }
}

impl Pages {
    /// Waits for the first rows and returns their columns; none when there are no rows.
    fn wait_for_rows(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Option<&TableSchema>> {
        loop {
            match self.next()? {
                NextPage::Rows(batch, memory) => return Ok(Some(&self.first.insert((batch, memory)).0.schema)),
                NextPage::End => return Ok(None),
                NextPage::Nothing => {}
            }
            if interrupted() {
                return Err(self.task.interrupted());
            }
            self.task.wait_at_most(POLL);
        }
    }

    /// Lets the pages come faster from now on, and converts them to the columns that are known by now.
    fn begin(&self, source: &Source, schema: &TableSchema) {
        *self.fetch.conversion.schemas.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(vec![schema.clone()]);
        self.read_ahead.widen(source.in_flight());
    }

    /// Takes the next page that has rows, without waiting.
    fn next(&mut self) -> Result<NextPage> {
        if let Some((batch, memory)) = self.first.take() {
            return Ok(NextPage::Rows(batch, memory));
        }
        while !self.is_over {
            match self.task.take() {
                Received::Item(Fetched::Rows(rows)) if rows.batches.own.n_rows > 0 => {
                    if self.fetch.asker.table_def.window.is_some() {
                        self.begun.insert(rows.set);
                    }
                    return Ok(NextPage::Rows(rows.batches.own, rows.memory));
                }
                Received::Item(Fetched::Split { set }) if self.begun.contains(&set) => {
                    return Err(Error::api(
                        "a window has more rows than the API gives, and some of them were handed on already; LOAD TABLE asks for it in halves",
                    ));
                }
                Received::Item(Fetched::Skipped { .. }) => self.n_left_out += 1,
                Received::Item(_) => {}
                Received::Nothing => return Ok(NextPage::Nothing),
                Received::Over => {
                    let stopped = |_| Err(Error::new(ErrorKind::Cancelled, "the rows stopped because the database or the process ends"));
                    self.outcome.recv().unwrap_or_else(stopped)?;
                    self.is_over = true;
                    self.check_left_out()?;
                }
            }
        }
        Ok(NextPage::End)
    }

    /// Fails when every parameter set is left out, unless the rows of another table gave them.
    fn check_left_out(&self) -> Result<()> {
        let sets = &self.fetch.asker.sets;
        let is_refused = !sets.is_empty() && self.n_left_out == sets.len() && !sets.iter().all(|set| set.from_parent);
        if is_refused {
            Err(self.activity.all_left_out(sets.len()))
        } else {
            Ok(())
        }
    }
}
