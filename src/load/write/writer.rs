//! The one writer of a table and its children: rows into staging, columns added and widened as the pages bring them.

use crate::columns::{Batch, TableSchema};
use crate::load::job::handle::Job;
use crate::load::pages::budget::LoadBudget;
use crate::load::pages::fetched::Fetched;
use crate::load::records::audit::AuditSubject;
use crate::load::records::checkpoints::{Checkpoint, Checkpoints};
use crate::load::records::live_jobs;
use crate::load::records::staging_table::StagingTable;
use crate::load::records::store::Store;
use crate::load::staging::written::{LoadNote, WrittenTable};
use crate::load::write::transaction::{leave_when_alone, Transaction};
use crate::session::{CatalogKind, Database, LogLevel, Session};
use crate::{Error, ErrorKind, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Pages are gathered until their rows take this much and make a small transaction, opened and committed at once ...
const SMALL_BYTES: usize = 8 << 20;
/// ... or, appended, this part of a large one ...
const PART_BYTES: usize = 4 << 20;
/// ... or until fetching waits for the memory they take, or no more came for this long ...
pub(super) const IDLE: Duration = Duration::from_millis(200);
/// ... or the first of them came this long ago.
const MOST_WAIT: Duration = Duration::from_secs(1);
/// Rows come faster than one thread writes them when pages that take [`PART_BYTES`] came within this.
const FAST: Duration = Duration::from_millis(400);
/// Pages and ends of sets that are gathered, however small they are.
const MOST_GATHERED: usize = 2_000;
/// In a database that several processes write to, each commit is a file and a chance to be in another's way: pages are gathered for so
/// long, and no transaction is left open.
const SHARED_IDLE: Duration = Duration::from_secs(2);
/// How long the writer waits for a page before it looks around.
const POLL: Duration = Duration::from_millis(50);
/// How long it lets pages gather before it looks for more.
pub(super) const GATHERING: Duration = Duration::from_millis(1);

/// Writes the rows of one load into its staging tables.
pub struct Writer<'a> {
    pub to: Destination<'a>,
    pub shared: SharedWithFetch<'a>,
    pub note: LoadNote<'a>,
    /// The load's table, then its children.
    pub tables: Vec<WrittenTable<'a>>,
    pub checkpoints: Checkpoints,
    /// Whether a load without rows leaves all tables as they are, and needs none to be staged.
    pub may_bring_nothing: bool,
    /// Pages appended.
    pub n_pages: u64,
    /// The columns of each table with which to begin again, after an error of kind [`ErrorKind::CannotWiden`].
    pub wider: Option<Vec<TableSchema>>,
}

/// Where the rows go, and whose they are.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// That of the load's table.
    pub store: &'a Store,
    pub subject: &'a AuditSubject,
    pub database: &'a dyn Database,
    pub job: &'a Job,
}

/// What the writer has in common with what fetches.
#[derive(Clone, Copy)]
pub struct SharedWithFetch<'a> {
    pub budget: &'a LoadBudget,
    /// What pages are converted with: kept up to date by the writer.
    pub schemas: &'a RwLock<Arc<Vec<TableSchema>>>,
}

/// Returns what has come after some time.
fn after(wait: Duration, rows: &Receiver<Fetched>) -> std::result::Result<Fetched, RecvTimeoutError> {
    std::thread::sleep(wait);
    rows.try_recv().map_err(|err| match err {
        TryRecvError::Empty => RecvTimeoutError::Timeout,
        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
    })
}

impl<'a> Writer<'a> {
    /// Writes all rows that come, until the senders are gone.
    pub fn write_all(&mut self, rows: &mut Receiver<Fetched>) -> Result<()> {
        let mut open: Option<Transaction> = None;
        let mut gathered: Vec<Fetched> = Vec::new();
        let mut n_bytes = 0;
        let (mut first_page, mut last_page) = (Instant::now(), Instant::now());
        let is_shared = self.to.store.kind.is_shared();
        loop {
            // What is gathered waits for more anyway. A page that finds nobody waiting for it wakes nobody.
            let first = if gathered.is_empty() { rows.recv_timeout(POLL) } else { after(GATHERING, rows) };
            let ended = matches!(first, Err(RecvTimeoutError::Disconnected));
            let mut is_full = self.shared.budget.is_used_up() || n_bytes >= SMALL_BYTES;
            let mut fetched = first.ok();
            while let Some(page) = fetched {
                n_bytes += page.approximate_bytes();
                last_page = Instant::now();
                if gathered.is_empty() {
                    first_page = last_page;
                }
                gathered.push(page);
                let n_open = open.as_ref().map_or(0, |transaction| transaction.n_rows);
                is_full =
                    n_bytes >= SMALL_BYTES || gathered.len() >= MOST_GATHERED || (n_bytes >= PART_BYTES && self.becomes_large(n_open));
                fetched = if is_full { None } else { rows.try_recv().ok() };
            }
            if let Err(cancelled) = self.to.job.check_cancelled() {
                gathered.extend(rows.try_iter());
                return Err(self.keep_what_came(open, gathered).err().unwrap_or(cancelled));
            }
            let is_idle = if is_shared { first_page.elapsed() >= SHARED_IDLE } else { last_page.elapsed() >= IDLE };
            if ended && open.is_none() && self.passes_over(&mut gathered) {
                return Ok(());
            }
            let is_due = is_full || is_idle || ended || (!is_shared && first_page.elapsed() >= MOST_WAIT);
            if is_due && !gathered.is_empty() {
                let is_fast = self.shared.budget.is_used_up() || (n_bytes >= PART_BYTES && first_page.elapsed() < FAST);
                n_bytes = 0;
                if is_fast && !ended && self.fills_row_groups(&mut open, &gathered)? {
                    gathered = self.append_as_they_come(&mut open, std::mem::take(&mut gathered), rows)?;
                    if open.as_ref().is_some_and(|transaction| transaction.n_rows == 0) {
                        // The statement took nothing of it.
                        self.take(&mut open, std::mem::take(&mut gathered))?;
                    }
                    n_bytes = gathered.iter().map(Fetched::approximate_bytes).sum();
                    (first_page, last_page) = (Instant::now(), Instant::now());
                    continue;
                }
                self.take(&mut open, std::mem::take(&mut gathered))?;
            }
            let ends_soon = self.ends_soon();
            let is_overdue = open.as_mut().map_or(Ok(false), |transaction| transaction.is_overdue(ends_soon))?;
            if is_overdue || is_idle || ended {
                self.commit(&mut open)?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Stores what came before a user cancelled the job, so that the next load goes on from there. When the database or the process ends,
    /// nobody waits for that.
    fn keep_what_came(&mut self, mut open: Option<Transaction>, gathered: Vec<Fetched>) -> Result<()> {
        if !self.to.job.is_cancelled_by_user() || self.to.store.kind.is_shared() {
            return Ok(());
        }
        self.take(&mut open, gathered)?;
        self.commit(&mut open)
    }

    /// Appends what was gathered, in the open transaction and, what that has no room for, in another one.
    pub(super) fn append(&mut self, open: &mut Option<Transaction>, mut gathered: Vec<Fetched>) -> Result<()> {
        loop {
            let later = gathered.split_off(self.n_with_room(open.as_ref().map_or(0, |transaction| transaction.n_rows), &gathered));
            self.append_all(open, gathered)?;
            if later.is_empty() {
                return Ok(());
            }
            self.commit(open)?;
            gathered = later;
        }
    }

    /// Appends what was gathered, with the changes of the schemas it brings.
    fn append_all(&mut self, open: &mut Option<Transaction>, gathered: Vec<Fetched>) -> Result<()> {
        // Dropped at the end: only then is their memory free.
        let mut held = Vec::new();
        let mut batches: Vec<Vec<Batch>> = self.tables.iter().map(|_| Vec::new()).collect();
        for fetched in gathered {
            match fetched {
                Fetched::Done { set, checkpoint } | Fetched::Reached { set, checkpoint } => self.checkpoints.reached(set, checkpoint),
                Fetched::Split { .. } => return Err(Error::internal("a window was halved among rows that are appended")),
                Fetched::Skipped { set } => self.checkpoints.reached(set, Checkpoint::Skipped),
                Fetched::Rows(page) => {
                    self.checkpoints.reached(page.set, page.checkpoint);
                    held.push(page.memory);
                    let of_page = std::iter::once(page.batches.own).chain(page.batches.children);
                    batches.iter_mut().zip(of_page).for_each(|(batches, batch)| batches.push(batch));
                }
            }
        }
        let n_pages = batches.first().map_or(0, Vec::len);
        if n_pages == 0 {
            // Sets without rows have checkpoints, too.
            return if open.is_none() { self.commit(open) } else { Ok(()) };
        }
        let news: Vec<Vec<&TableSchema>> = batches.iter().map(|batches| batches.iter().map(|batch| &batch.schema).collect()).collect();
        let schemas = self.schemas_with(&news)?;
        self.n_pages += n_pages as u64;
        if self.to.store.kind.is_shared() {
            return self.write_shared(&schemas, batches);
        }
        let transaction = match open {
            Some(transaction) => transaction,
            None => open.insert(Transaction::begin(self.to.database)?),
        };
        for (idx, (schema, batches)) in schemas.into_iter().zip(batches).enumerate() {
            let messages = self.prepare(idx, transaction, &schema)?;
            let table = &mut self.tables[idx];
            if !schema.columns.is_empty() {
                let n_appended: usize = batches.iter().map(|batch| batch.n_rows).sum();
                for batches in Batch::groups_for(batches, &schema) {
                    let batches = batches.into_iter().map(|batch| batch.conform(&schema)).collect::<Result<Vec<Batch>>>()?;
                    match idx {
                        0 => transaction.append(&table.store.staging, &batches)?,
                        // How long a transaction becomes is told by the rows of the table alone.
                        _ => transaction.session.append(&table.store.staging, &batches)?,
                    }
                }
                table.n_rows += n_appended as u64;
                if idx == 0 {
                    self.to.job.counters().writes(n_appended);
                }
            }
            self.log(idx, messages);
        }
        let n_rows = transaction.n_rows;
        // One that only notes sets without rows has no reason to wait.
        if n_rows == 0 || !self.becomes_large(n_rows) {
            self.commit(open)?;
        }
        Ok(())
    }

    /// Gives a staging table the columns of a schema.
    pub(super) fn prepare(&mut self, idx: usize, transaction: &mut Transaction, schema: &TableSchema) -> Result<Vec<String>> {
        let note = self.note();
        let table = &mut self.tables[idx];
        transaction.alters |= table.staging.made() != Some(schema);
        let messages = table.prepare(transaction.session.as_mut(), schema, note)?;
        table.staging = StagingTable::prepared(schema.clone());
        Ok(messages)
    }

    /// Makes the staging tables of tables that keep rows which are gone, where nothing came that made them.
    pub fn make_kept(&mut self) -> Result<()> {
        if !self.tables.iter().any(|table| table.keeps_deleted && table.staging.made().is_none()) {
            return Ok(());
        }
        let (store, job, note) = (self.to.store, self.to.job, self.note());
        store.transact(self.to.database, &|| job.check_cancelled(), |session| {
            if store.kind.is_shared() {
                live_jobs::check(session, &store.unify_schema, job.id())?;
            }
            self.tables.iter().try_for_each(|table| table.prepare(session, table.staging.schema(), note).map(drop))
        })?;
        for table in &mut self.tables {
            table.staging = StagingTable::prepared(table.staging.schema().clone());
        }
        Ok(())
    }

    pub(super) fn note(&self) -> LoadNote<'a> {
        LoadNote { identity: self.note.identity, started: self.note.started }
    }

    /// Returns the columns that the rows of each table need, with those of more rows, and has pages converted to them from now on. Fails when
    /// values, of a staging table or of new rows, cannot become those of a wider column as they came.
    pub(super) fn schemas_with(&mut self, more: &[Vec<&TableSchema>]) -> Result<Vec<TableSchema>> {
        let of_each = self.tables.iter().zip(more);
        let schemas: Vec<TableSchema> = of_each.map(|(table, more)| table.schema_with(more.iter().copied())).collect();
        let mut of_each = self.tables.iter().zip(&schemas).zip(more);
        if let Some(column) = of_each.find_map(|((table, schema), more)| table.stuck(schema, more)) {
            let message = format!("column '{column}' takes other values now, and what came before cannot be written as the API sent it");
            self.wider = Some(schemas.iter().map(|schema| schema.clone().without_rows()).collect());
            return Err(Error::new(ErrorKind::CannotWiden, message));
        }
        if self.tables.iter().zip(&schemas).any(|(table, schema)| schema != table.staging.schema()) {
            *self.shared.schemas.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(schemas.clone());
        }
        Ok(schemas)
    }

    /// Commits the rows appended so far together with the checkpoints they reach and what there is to log.
    pub(super) fn commit(&mut self, open: &mut Option<Transaction>) -> Result<()> {
        if self.to.store.kind.is_shared() {
            let schemas: Vec<TableSchema> = self.tables.iter().map(|table| table.staging.schema().clone()).collect();
            return if self.checkpoints.has_changed() { self.write_shared(&schemas, Vec::new()) } else { Ok(()) };
        }
        let mut transaction = match open.take() {
            Some(transaction) => transaction,
            None if self.checkpoints.has_changed() => Transaction::begin(self.to.database)?,
            None => return Ok(()),
        };
        let (session, note) = (transaction.session.as_mut(), self.note());
        for idx in 0..self.tables.len() {
            let table = &mut self.tables[idx];
            if let StagingTable::Absent(schema) = &table.staging {
                transaction.alters = true;
                let messages = table.prepare(session, schema, note)?;
                table.staging = StagingTable::prepared(schema.clone());
                self.log(idx, messages);
            }
        }
        if self.checkpoints.has_changed() {
            self.checkpoints.store(session, self.to.store)?;
        }
        // DuckDB writes to its file what it has in memory at the end of some commits. While nobody reads, it makes a full checkpoint,
        // which takes twice the memory and half again the time of one beside readers. So there is one, who came after the table did:
        // an older one keeps DuckDB from writing at all.
        let is_native = self.to.store.kind == CatalogKind::DuckDb;
        let reader = if transaction.alters || !is_native { None } else { Some(self.reader()?) };
        let session = transaction.session.as_mut();
        let lines = self.to.job.take_log();
        let committed = self.to.subject.write_log(session, self.to.job.id(), &lines).and_then(|()| session.execute("COMMIT"));
        drop(reader);
        if let Err(err) = committed {
            self.to.job.put_back_log(lines);
            return Err(err);
        }
        self.checkpoints.committed();
        self.to.job.counters().commits();
        leave_when_alone(transaction.session.as_mut())
    }

    /// Returns a session that reads the database, in a transaction that begins now.
    fn reader(&self) -> Result<Box<dyn Session>> {
        let mut session = self.to.database.connect()?;
        session.execute(&format!("BEGIN; SELECT 1 FROM {}.load_state LIMIT 0", self.to.store.unify_schema))?;
        Ok(session)
    }

    /// Appends rows of `schemas` in a transaction of their own, with the checkpoints they reach and what there is to log, as often as it takes.
    fn write_shared(&mut self, schemas: &[TableSchema], batches: Vec<Vec<Batch>>) -> Result<()> {
        let n_appended: Vec<usize> = batches.iter().map(|batches| batches.iter().map(|batch| batch.n_rows).sum()).collect();
        let groups = |(batches, schema): (Vec<Batch>, &TableSchema)| match schema.columns.is_empty() {
            true => Vec::new(),
            false => Batch::groups_for(batches, schema),
        };
        let groups: Vec<Vec<Vec<Batch>>> = batches.into_iter().zip(schemas).map(groups).collect();
        let (store, job, subject) = (self.to.store, self.to.job, self.to.subject);
        let lines = job.take_log();
        let outcome = store.transact(self.to.database, &|| job.check_cancelled(), |session| {
            live_jobs::check(session, &store.unify_schema, job.id())?;
            let mut messages = Vec::new();
            for (table, schema) in self.tables.iter().zip(schemas) {
                messages.push(table.prepare(session, schema, self.note())?);
            }
            for ((table, schema), groups) in self.tables.iter().zip(schemas).zip(&groups) {
                for group in groups {
                    let conformed = group.iter().map(|batch| batch.clone().conform(schema)).collect::<Result<Vec<Batch>>>()?;
                    session.append(&table.store.staging, &conformed)?;
                }
            }
            if self.checkpoints.has_changed() {
                self.checkpoints.store(session, store)?;
            }
            subject.write_log(session, job.id(), &lines)?;
            Ok(messages)
        });
        match outcome {
            Ok(messages) => {
                for (idx, (table, schema)) in self.tables.iter_mut().zip(schemas).enumerate() {
                    table.staging = StagingTable::prepared(schema.clone());
                    table.n_rows += n_appended.get(idx).map_or(0, |n_rows| *n_rows as u64);
                }
                self.checkpoints.committed();
                job.counters().writes(n_appended.first().copied().unwrap_or(0));
                job.counters().commits();
                messages.into_iter().enumerate().for_each(|(idx, messages)| self.log(idx, messages));
                Ok(())
            }
            Err(err) => {
                job.put_back_log(lines);
                Err(err)
            }
        }
    }

    /// Notes what became of the columns of a table.
    pub(super) fn log(&self, table: usize, messages: Vec<String>) {
        let of = self.tables.get(table).filter(|_| table > 0).map(|table| format!("table '{}': ", table.store.target.table));
        for message in messages {
            self.to.job.log(LogLevel::Info, || format!("{}{message}", of.as_deref().unwrap_or_default()));
        }
    }
}
