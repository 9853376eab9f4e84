//! One pass of a job over its pages: they are fetched, written, and published.

use super::levels::Levels;
use super::{JobRun, Plan};
use crate::columns::{data_in_names, RowPlan, TableSchema};
use crate::http::{ApiClient, ParamSet};
use crate::load::flow::export::Asker;
use crate::load::flow::fetch::{Conversion, Earlier, Fetch, JobWaits, Pace};
use crate::load::identity::{asked_hash, set_keys, Identity};
use crate::load::job::report::LoadAction;
use crate::load::pages::budget::PageSize;
use crate::load::pages::fetched::Fetched;
use crate::load::plan::resume::{SetWork, Staged, StagedChildren, StagedParent, Start, Unfinished};
use crate::load::plan::scope::{loaded_sets, tokens_of};
use crate::load::plan::sets::param_columns;
use crate::load::plan::spans::{spans_of, Spans};
use crate::load::publish::publication::Publication;
use crate::load::publish::table::{Origin, Placing, PublishedTable, Sets};
use crate::load::records::audit::AuditSubject;
use crate::load::records::checkpoints::Checkpoints;
use crate::load::records::marks::Marks;
use crate::load::records::store::Loaded;
use crate::load::staging::written::{LoadNote, WrittenTable};
use crate::load::write::writer::{Destination, SharedWithFetch, Writer};
use crate::lock::lock;
use crate::session::LogLevel;
use crate::spec::{Class, Deletes, TableDef};
use crate::{Error, ErrorKind, Result};
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Mutex, RwLock};

/// Where a pass begins.
struct Begun<'a> {
    start: &'a Start,
    /// How many sets there are with the halves of windows.
    n_sets: usize,
    etag: Option<String>,
}

impl JobRun {
    /// Fetches, writes and publishes; goes on with what an earlier load left, where it can.
    /// With `wider`, no column is narrower than there, and that is where an error of kind [`ErrorKind::CannotWiden`] leaves the columns with
    /// which to begin again: of the table, and then of its children.
    pub(super) fn transfer(&self, plan: &Plan<'_>, client: Arc<ApiClient>, wider: &mut Option<Vec<TableSchema>>) -> Result<()> {
        let Plan { table_def, ref sets, .. } = *plan;
        let keys = set_keys(sets, client.redactor());
        let asked = asked_hash(&plan.spec, &self.target.connection, table_def, sets);
        let identity = Identity::new(asked, sets, client.redactor(), &self.target.connection);
        let etag_name = identity.etag_name(sets).filter(|_| table_def.etag);
        let children = self.target.connection.adapter.children_of(&table_def.name);
        let row_plan = self.row_plan(plan, &children);
        let initial = initial_schemas(plan, &row_plan, wider.as_deref());
        let start = self.start(plan.is_update, &identity, initial)?;
        let started = start.started.unwrap_or(plan.now);
        self.job.activity().progress.begins_to_fetch(start.n_pages, start.n_done());
        let may_split = table_def.may_split(&self.target.connection.adapter);
        let (work, keys) = start.work(&self.target.connection, sets, keys, may_split)?;
        let known = if table_def.recurse.is_some() { start.sets.clone() } else { HashMap::new() };
        // Each window that was halved is two.
        self.job.counters().sets.store((sets.len() + (keys.len() - sets.len()) / 2) as u64, Ordering::Relaxed);
        let etag = self.etag_of(plan, etag_name.as_deref());
        let fetch = Arc::new(self.fetch(plan, row_plan, client, Begun { start: &start, n_sets: keys.len(), etag }));
        let mut writer = Writer {
            to: Destination { store: &self.store, subject: &self.subject, database: self.services.database.as_ref(), job: &self.job },
            shared: SharedWithFetch { budget: &fetch.pace.budget, schemas: &fetch.conversion.schemas },
            note: LoadNote { identity: &identity.to_text(), started },
            checkpoints: Checkpoints::new(keys, &start.sets).after_failure(start.failed_before),
            may_bring_nothing: plan.is_update
                && table_def.recurse.is_none()
                && !table_def.overwrites()
                && plan.loaded_of_each().all(|loaded| loaded.is_some()),
            n_pages: start.n_pages,
            tables: self.written_tables(table_def, &children, start),
            wider: wider.clone(),
        };
        let moved = match self.target.connection.adapter.class {
            Class::Rest => match &table_def.recurse {
                Some(recurse) => self.move_levels(plan, &fetch, &mut writer, Levels::new(recurse, known, work)),
                None => self.move_work(&fetch, &mut writer, work),
            },
            Class::Postgres => self.copy_table(plan, &fetch, work, &mut writer),
            Class::Files => self.insert_files(plan, &fetch, &work, &mut writer),
        };
        let moved = moved.and_then(|()| check_tables(plan, &mut writer));
        if moved.is_err() {
            *wider = writer.wider.take().or(wider.take());
        }
        moved?;
        self.check_left_out(plan, &writer.checkpoints)?;
        let brings_nothing = fetch.is_unchanged.load(Ordering::Relaxed) || writer.brings_nothing();
        if !brings_nothing {
            writer.make_kept()?;
        }
        let schema = writer.tables.first().map(|table| table.staging.schema());
        if let Some(warning) = schema.and_then(|schema| data_in_names(schema, &table_def.result_body_path)) {
            self.job.log(LogLevel::Warning, || warning);
        }
        let ending = match fetch.is_unchanged.load(Ordering::Relaxed) {
            true => Ending::of_nothing(plan)?,
            false => Ending { keeps_rows: brings_nothing, ..Ending::of(plan, &writer, etag_name) },
        };
        self.publish(plan, &children, ending, &writer)
    }

    /// Returns what fetches the pages of a load.
    fn fetch(&self, plan: &Plan<'_>, row_plan: RowPlan, client: Arc<ApiClient>, begun: Begun<'_>) -> Fetch {
        let Begun { start, n_sets, etag } = begun;
        Fetch {
            asker: Asker {
                activity: self.job.activity().clone(),
                connection: self.target.connection.clone(),
                table_def: Arc::new(plan.table_def.clone()),
                sets: plan.sets.clone(),
                client,
            },
            n_sets,
            conversion: Conversion {
                row_plan,
                workers: self.workers.clone(),
                schemas: RwLock::new(Arc::new(start.schemas())),
                numbered_pages: AtomicU64::new(start.numbered_pages),
                record_shape: Arc::default(),
            },
            pace: Pace {
                in_flight: self.target.connection.adapter.concurrency_of(plan.table_def).min(self.settings.loader_threads).max(1),
                reading: plan.reading,
                max_pages: self.settings.max_pages,
                budget: self.budget.for_load(&self.target.connection.name),
                page_size: PageSize::default(),
            },
            earlier: Earlier { is_update: plan.is_update, etag, has_failed: start.failed_before, has_vanished: plan.has_vanished },
            waits: JobWaits { suspends: true, watch: Mutex::default() },
            record: self.settings.record.clone(),
            is_unchanged: AtomicBool::new(false),
        }
    }

    /// Returns the ETag of the rows that the table has, where the job asks for others: a refresh of a table that this spec loaded whole.
    fn etag_of(&self, plan: &Plan<'_>, name: Option<&str>) -> Option<String> {
        let is_refresh = self.job.action() == LoadAction::Refresh && !plan.is_update;
        let is_whole = plan.loaded_children.iter().all(Option::is_some);
        let loaded = plan.loaded.as_ref().filter(|loaded| is_whole && is_refresh && !loaded.is_lacking && !loaded.is_unproven)?;
        loaded.marks.tokens.get(name?).cloned()
    }

    /// Returns how pages become rows, of the table and of its children.
    fn row_plan(&self, plan: &Plan<'_>, children: &[&TableDef]) -> RowPlan {
        let mut row_plan = RowPlan::new(plan.table_def).at_most(self.settings.page_limit());
        row_plan.has_nanoseconds = self.store.kind.has_nanoseconds();
        if plan.is_update {
            row_plan = row_plan.marking_deleted().replacing_children();
        } else if plan.table_def.removes_deleted() {
            row_plan = row_plan.marking_deleted();
        }
        if plan.table_def.may_split(&self.target.connection.adapter) || plan.table_def.recurse.is_some() {
            row_plan = row_plan.marking_sets();
        }
        row_plan.with_children(children)
    }

    /// Returns the tables that the load writes, as they are at its start.
    fn written_tables<'w>(&'w self, table_def: &'w TableDef, children: &[&'w TableDef], start: Start) -> Vec<WrittenTable<'w>> {
        let Start { staging, n_rows, children: staged, .. } = start;
        let mut tables = vec![WrittenTable {
            store: &self.store,
            staging,
            key_columns: &table_def.key_columns,
            keeps_deleted: table_def.deletes == Deletes::Mark,
            n_rows,
        }];
        let of_children = self.child_stores.iter().zip(children).zip(staged);
        tables.extend(of_children.map(|((store, child), (staging, n_rows))| WrittenTable {
            store,
            staging,
            key_columns: &child.key_columns,
            keeps_deleted: child.deletes == Deletes::Mark,
            n_rows,
        }));
        tables
    }

    /// Fetches sets on the network threads, and writes on this one what comes.
    pub(super) fn move_work(&self, fetch: &Arc<Fetch>, writer: &mut Writer<'_>, work: Vec<SetWork>) -> Result<()> {
        let fetching = fetch.clone();
        self.move_rows(fetch, writer, move |rows| fetching.run(work, rows))
    }

    /// Fetches on the network threads what is left, and writes on this one what comes.
    pub(super) fn move_rows<F>(&self, fetch: &Fetch, writer: &mut Writer<'_>, run: impl FnOnce(mpsc::Sender<Fetched>) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, mut receiver) = mpsc::channel();
        let (fetched, fetch_outcome) = mpsc::channel();
        let running = run(sender);
        let task = self.workers.spawn(async move {
            // Nobody listens any more when the write failed.
            let _ = fetched.send(running.await);
        });
        let written = writer.write_all(&mut receiver);
        drop(receiver);
        if written.is_err() {
            task.abort();
        }
        written?;
        // Without an outcome the task was dropped with its runtime: the database or the process ends.
        let outcome = fetch_outcome.recv().unwrap_or_else(|_| self.stopped());
        *lock(&self.watch) = fetch.take_watch();
        if outcome.is_err() {
            // What the load failed of is what the user is to hear.
            let _ = writer.note_passed_over();
        }
        outcome
    }

    /// Returns what the load begins with: what an unfinished one left, or nothing.
    fn start(&self, is_update: bool, identity: &Identity, initial: Vec<TableSchema>) -> Result<Start> {
        let mut session = self.services.database.connect()?;
        match Unfinished::find(session.as_mut(), &self.store, identity)? {
            Unfinished::Staged(staged) => {
                let parent = StagedParent { store: &self.store, schema: &staged.schema };
                match StagedChildren::find(session.as_mut(), parent, &self.child_stores, identity, is_update)? {
                    Some(children) => return Ok(self.continued(*staged, children)),
                    None => self.start_over("an unfinished load cannot be continued: the tables filled with it are not as it left them")?,
                }
            }
            Unfinished::Useless(reason) => self.start_over(&format!("an unfinished load cannot be continued: {reason}"))?,
            Unfinished::Nothing => {}
        }
        let mut initial = initial.into_iter();
        Ok(Start::new(initial.next().unwrap_or_default(), initial.collect()))
    }

    /// Returns the start after what an unfinished load left.
    fn continued(&self, staged: Staged, children: StagedChildren) -> Start {
        let n_rows = staged.n_rows;
        if staged.is_unproven {
            self.tell_unproven("unfinished load");
        }
        let start = Start::after(staged, children);
        self.job
            .log(LogLevel::Info, || format!("going on with an unfinished load, rows: {n_rows}, parameter sets done: {}", start.n_done()));
        self.job.counters().begins_with(n_rows);
        start
    }

    fn stopped(&self) -> Result<()> {
        self.job.check_cancelled()?;
        Err(Error::new(ErrorKind::Cancelled, "the load was stopped because the database or the process ends"))
    }

    fn publish(&self, plan: &Plan<'_>, children: &[&TableDef], ending: Ending, writer: &Writer<'_>) -> Result<()> {
        self.job.check_cancelled()?;
        let loaded = plan.sets.iter().enumerate().filter(|(number, _)| !writer.checkpoints.is_skipped(*number));
        let sets = loaded_sets(plan.table_def, loaded.map(|(_, set)| set));
        let subjects: Vec<AuditSubject> =
            self.child_stores.iter().map(|store| AuditSubject { table: store.target.table.clone(), ..self.subject.clone() }).collect();
        let subjects = std::iter::once(&self.subject).chain(&subjects);
        let spans = plan.spans(&writer.checkpoints);
        let has_requests = self.target.connection.adapter.class.has_requests();
        let table_defs = std::iter::once(plan.table_def).chain(children.iter().copied());
        let tables = writer.tables.iter().zip(table_defs).zip(plan.loaded_of_each()).zip(subjects);
        let tables = tables.map(|(((written, table_def), loaded), subject)| PublishedTable {
            store: written.store,
            subject,
            table_def,
            written,
            n_rows: written.n_rows,
            placing: match loaded.map(|loaded| &loaded.columns) {
                Some(known) if ending.keeps_rows => Placing::Keep(known),
                Some(known) if plan.is_update => Placing::Merge(known),
                // Columns of pages are laid over those that are known. Others may be quite other ones, and their rows other rows.
                known => Placing::Swap(known.filter(|known| has_requests || written.staging.schema().takes(known))),
            },
            origin: Origin { spec: &plan.spec, started: writer.note.started, is_lacking: writer.checkpoints.is_lacking() },
            sets: Sets { count: n_without_windows(&plan.sets), may_repeat: has_requests, names: sets.as_deref() },
            create_id: self.ids.next(),
            expect: &self.settings.expect,
            keeps_changes: self.settings.keep_changes,
            marks: if table_def.child.is_some() { Marks::default() } else { ending.marks.clone() },
            spans: spans.as_ref().filter(|_| table_def.child.is_none()),
        });
        let tables: Vec<PublishedTable<'_>> = tables.collect();
        let publication = Publication {
            connection: &self.target.connection,
            job: &self.job,
            store: &self.store,
            subject: &self.subject,
            end_id: self.ids.next(),
            end_action: self.job.action().audit_names().1,
            tables,
        };
        self.services.check_open()?;
        let _one_at_a_time = self.services.publishing_turn(&|| self.job.check_cancelled())?;
        let published = publication.publish(self.services.database.as_ref())?;
        self.job.counters().publishes(published.n_rows);
        self.is_to_checkpoint.fetch_or(published.may_lose_entries, Ordering::AcqRel);
        Ok(())
    }
}

/// Whether a pass leaves the rows as they are, and what the next refresh goes on from.
struct Ending {
    keeps_rows: bool,
    marks: Marks,
}

impl Ending {
    /// Returns how a pass ends to which the API said that nothing changed.
    fn of_nothing(plan: &Plan<'_>) -> Result<Ending> {
        let loaded = plan.loaded.as_ref().ok_or_else(|| Error::internal("nothing changed since a load that is not known"))?;
        Ok(Ending { keeps_rows: true, marks: loaded.marks.clone() })
    }

    /// Returns how a pass ends that brought rows.
    fn of(plan: &Plan<'_>, writer: &Writer<'_>, etag_name: Option<String>) -> Ending {
        let mut tokens = tokens_of(plan.table_def, &plan.sets, writer.checkpoints.tokens());
        tokens.extend(etag_name.zip(writer.checkpoints.tokens().get(&0).cloned()));
        let marks = match plan.loaded.as_ref().filter(|_| plan.is_update) {
            Some(loaded) => loaded.marks.clone().updated_by(tokens),
            None => {
                let has_use = plan.table_def.refresh.updates().is_some_and(|updates| updates.full_every.is_some());
                Marks { full: has_use.then_some(writer.note.started), tokens }
            }
        };
        Ending { keeps_rows: false, marks }
    }
}

/// Returns how many sets of params there are: a row of one window may be in another one when it changes.
fn n_without_windows(sets: &[ParamSet]) -> usize {
    let open = sets.iter().map(|set| set.window.as_ref().map(|windowed| Arc::as_ptr(&windowed.open)));
    let of_windows: HashSet<_> = open.clone().flatten().collect();
    of_windows.len() + open.filter(Option::is_none).count()
}

impl Plan<'_> {
    /// Returns the spans of which all rows came, where rows are replaced by spans.
    fn spans(&self, checkpoints: &Checkpoints) -> Option<Spans> {
        match self.is_update && !checkpoints.is_lacking() {
            true => spans_of(self.table_def, &self.sets, &checkpoints.left_out(self.sets.len())),
            false => None,
        }
    }

    /// Returns what is known of the table, and then of its children.
    pub(super) fn loaded_of_each(&self) -> impl Iterator<Item = Option<&Loaded>> {
        std::iter::once(&self.loaded).chain(&self.loaded_children).map(Option::as_ref)
    }
}

/// Returns the columns to begin with, of the table and then of its children: what is known of them before the first page, those of the tables
/// as they are, and no narrower than in `wider`.
fn initial_schemas(plan: &Plan<'_>, row_plan: &RowPlan, wider: Option<&[TableSchema]>) -> Vec<TableSchema> {
    let params = param_columns(plan.table_def, &plan.sets);
    let initial = std::iter::once(row_plan.initial_schema(&params)).chain(row_plan.child_schemas(&params));
    let of_table = |(idx, (initial, loaded)): (usize, (TableSchema, Option<&Loaded>))| {
        let known = loaded.map(|loaded| loaded.columns.clone().without_rows().merged(&initial));
        let known = known.unwrap_or(initial);
        wider.and_then(|wider| wider.get(idx)).map_or(known.clone(), |wider| known.merged(wider))
    };
    initial.zip(plan.loaded_of_each()).enumerate().map(of_table).collect()
}

/// Fails when updates widen a column of a loaded table whose values cannot become those of the new type as they came.
fn check_tables(plan: &Plan<'_>, writer: &mut Writer<'_>) -> Result<()> {
    if !plan.is_update {
        return Ok(());
    }
    let with_staged = |(loaded, table): (Option<&Loaded>, &WrittenTable<'_>)| {
        loaded.map_or_else(TableSchema::default, |loaded| loaded.columns.merged(table.staging.schema()).without_marks())
    };
    let merged: Vec<TableSchema> = plan.loaded_of_each().zip(&writer.tables).map(with_staged).collect();
    let stuck = plan.loaded_of_each().zip(&merged).find_map(|(loaded, merged)| loaded?.columns.stuck(merged));
    let Some(column) = stuck else { return Ok(()) };
    let message = format!("column '{column}' takes other values now, and those of the table cannot be written as the API sent them");
    writer.wider = Some(merged.into_iter().map(TableSchema::without_rows).collect());
    Err(Error::new(ErrorKind::CannotWiden, message))
}
