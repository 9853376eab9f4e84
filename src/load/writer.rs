//! The one writer of a table: rows into staging, columns added and widened as the pages bring them.

use super::audit::AuditSubject;
use super::budget::LoadBudget;
use super::changes::create_sql;
use super::fetch::Fetched;
use super::job::Job;
use super::live_jobs;
use super::places::{Places, SetPlace};
use super::staging::{change_sql, drop_columns_sql};
use super::store::{StateRow, Store};
use super::transaction::{is_filled, leave_when_alone, Transaction, ROW_GROUP};
use crate::columns::{Batch, ColumnType, TableSchema};
use crate::session::{CatalogKind, Database, LogLevel, Session};
use crate::Result;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Pages are gathered until their rows take this much and make a small transaction, opened and committed at once ...
const SMALL_BYTES: usize = 8 << 20;
/// ... or, appended, this part of a large one ...
const PART_BYTES: usize = 4 << 20;
/// ... or until fetching waits for the memory they take, or no more came for this long ...
const IDLE: Duration = Duration::from_millis(200);
/// ... or the first of them came this long ago.
const MOST_WAIT: Duration = Duration::from_secs(1);
/// Pages and ends of sets that are gathered, however small they are.
const MOST_GATHERED: usize = 2_000;
/// In a database that several processes write to, each commit is a file and a chance to be in another's way: pages are gathered for so
/// long, and no transaction is left open.
const SHARED_IDLE: Duration = Duration::from_secs(2);
/// How long the writer waits for a page before it looks around.
const POLL: Duration = Duration::from_millis(10);
/// Writes one table's rows into its staging table.
pub struct Writer<'a> {
    pub store: &'a Store,
    pub subject: &'a AuditSubject,
    pub database: &'a dyn Database,
    pub job: &'a Job,
    pub budget: &'a LoadBudget,
    /// What fetching converts pages with: kept up to date here.
    pub shared_schema: &'a RwLock<Arc<TableSchema>>,
    pub schema: TableSchema,
    /// What the load is of, for `load_state`.
    pub identity: &'a str,
    pub places: Places,
    /// When the load began, in microseconds since 1970.
    pub started: i64,
    /// Whether `load_state` knows of the load.
    pub noted: bool,
    /// Whether the staging table exists.
    pub created: bool,
    /// Pages appended.
    pub n_pages: u64,
}

impl Writer<'_> {
    /// Writes all rows that come, until the senders are gone.
    pub fn write_all(&mut self, rows: &Receiver<Fetched>) -> Result<()> {
        let mut open: Option<Transaction> = None;
        let mut gathered: Vec<Fetched> = Vec::new();
        let mut n_bytes = 0;
        let (mut first_page, mut last_page) = (Instant::now(), Instant::now());
        let is_shared = self.store.kind.is_shared();
        loop {
            let fetched = rows.recv_timeout(POLL);
            let ended = matches!(fetched, Err(RecvTimeoutError::Disconnected));
            let mut is_full = self.budget.is_used_up();
            if let Ok(fetched) = fetched {
                if let Fetched::Rows(page) = &fetched {
                    n_bytes += page.batch.approximate_bytes();
                }
                last_page = Instant::now();
                if gathered.is_empty() {
                    first_page = last_page;
                }
                gathered.push(fetched);
                let n_open = open.as_ref().map_or(0, |transaction| transaction.n_rows);
                is_full =
                    n_bytes >= SMALL_BYTES || gathered.len() >= MOST_GATHERED || (n_bytes >= PART_BYTES && self.becomes_large(n_open));
            }
            if let Err(cancelled) = self.job.check_cancelled() {
                gathered.extend(rows.try_iter());
                return Err(self.keep_what_came(open, gathered).err().unwrap_or(cancelled));
            }
            let is_idle = if is_shared { first_page.elapsed() >= SHARED_IDLE } else { last_page.elapsed() >= IDLE };
            let is_due = is_full || is_idle || ended || (!is_shared && first_page.elapsed() >= MOST_WAIT);
            if is_due && !gathered.is_empty() {
                n_bytes = 0;
                self.append(&mut open, std::mem::take(&mut gathered))?;
            }
            let is_overdue = open.as_mut().map_or(Ok(false), Transaction::is_overdue)?;
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
        if !self.job.is_cancelled_by_user() || self.store.kind.is_shared() {
            return Ok(());
        }
        self.append(&mut open, gathered)?;
        self.commit(&mut open)
    }

    /// Appends what was gathered, with the changes of the schema it brings.
    fn append(&mut self, open: &mut Option<Transaction>, gathered: Vec<Fetched>) -> Result<()> {
        let mut schema = self.schema.clone();
        // Dropped at the end: only then is their memory free.
        let mut rooms = Vec::new();
        let mut batches = Vec::with_capacity(gathered.len());
        for fetched in gathered {
            match fetched {
                Fetched::Done { set } => self.places.reached(set, SetPlace::Done),
                Fetched::Skipped { set } => self.places.reached(set, SetPlace::Skipped),
                Fetched::Rows(page) => {
                    if page.batch.schema != self.schema {
                        schema = schema.merged(&page.batch.schema);
                    }
                    self.places.reached(page.set, page.place);
                    rooms.push(page.room);
                    batches.push(page.batch);
                }
            }
        }
        if batches.is_empty() {
            // Sets without rows are places, too.
            return if open.is_none() { self.commit(open) } else { Ok(()) };
        }
        if schema != self.schema {
            *self.shared_schema.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(schema.clone());
        }
        self.n_pages += batches.len() as u64;
        if self.store.kind.is_shared() {
            return self.write_shared(&schema, batches);
        }
        let transaction = match open {
            Some(transaction) => transaction,
            None => open.insert(Transaction::begin(self.database)?),
        };
        transaction.alters |= !self.created || schema != self.schema;
        let messages = self.prepare_staging(transaction.session.as_mut(), &schema)?;
        self.log(messages);
        self.schema.clone_from(&schema);
        if !schema.columns.is_empty() {
            self.created = true;
            let batches = batches.into_iter().map(|batch| batch.conform(&schema)).collect::<Result<Vec<Batch>>>()?;
            transaction.append(&self.store.staging, &batches)?;
            let n_appended: usize = batches.iter().map(|batch| batch.n_rows).sum();
            self.job.counters.rows.fetch_add(n_appended as u64, Ordering::Relaxed);
        }
        let n_rows = transaction.n_rows;
        if is_filled(n_rows) || !self.becomes_large(n_rows) {
            self.commit(open)?;
        }
        Ok(())
    }

    /// Commits the rows appended so far together with the places they reach and what there is to log.
    fn commit(&mut self, open: &mut Option<Transaction>) -> Result<()> {
        if self.store.kind.is_shared() {
            let schema = self.schema.clone();
            return if self.places.has_changed() { self.write_shared(&schema, Vec::new()) } else { Ok(()) };
        }
        let mut transaction = match open.take() {
            Some(transaction) => transaction,
            None if self.places.has_changed() => Transaction::begin(self.database)?,
            None => return Ok(()),
        };
        transaction.alters |= !self.noted;
        let session = transaction.session.as_mut();
        if !self.noted {
            let schema = self.schema.clone();
            let messages = self.prepare_staging(session, &schema)?;
            self.log(messages);
            self.created = !schema.columns.is_empty();
        }
        if self.places.has_changed() {
            session.execute(&self.places.commit_sql(self.store))?;
        }
        // DuckDB writes to its file what it has in memory at the end of some commits. While nobody reads, it makes a full checkpoint,
        // which takes twice the memory and half again the time of one beside readers. So there is one, who came after the table did:
        // an older one keeps DuckDB from writing at all.
        let is_native = self.store.kind == CatalogKind::DuckDb;
        let reader = if transaction.alters || !is_native { None } else { Some(self.reader()?) };
        let session = transaction.session.as_mut();
        let lines = self.job.take_log();
        let committed = self.subject.write_log(session, self.job.id(), &lines).and_then(|()| session.execute("COMMIT"));
        drop(reader);
        if let Err(err) = committed {
            self.job.put_back_log(lines);
            return Err(err);
        }
        self.places.committed();
        leave_when_alone(transaction.session.as_mut())
    }

    /// Returns a session that reads the database, in a transaction that begins now.
    fn reader(&self) -> Result<Box<dyn Session>> {
        let mut session = self.database.connect()?;
        session.execute(&format!("BEGIN; SELECT 1 FROM {}.load_state LIMIT 0", self.store.unify_schema))?;
        Ok(session)
    }

    /// Returns whether the open transaction, of `n_rows` so far, is worth keeping open: whether it will get the rows of a large one, because
    /// as many are still to come or, where the API does not say, as many came; or whether its rows are the first and are not copied.
    fn becomes_large(&self, n_rows: usize) -> bool {
        let n_pages_all = self.job.counters.expected_pages.load(Ordering::Relaxed);
        let n_rows_all = self.job.counters.rows.load(Ordering::Relaxed);
        if n_rows as u64 == n_rows_all && self.database.moves_first_rows() {
            return true;
        }
        if n_pages_all <= self.n_pages {
            return n_pages_all == 0 && n_rows_all >= ROW_GROUP as u64;
        }
        let n_rows_left = (n_pages_all - self.n_pages).saturating_mul(n_rows_all) / self.n_pages.max(1);
        n_rows as u64 + n_rows_left >= ROW_GROUP as u64
    }

    /// Appends rows of `schema` in a transaction of their own, with the places they reach and what there is to log, as often as it takes.
    fn write_shared(&mut self, schema: &TableSchema, batches: Vec<Batch>) -> Result<()> {
        let batches = match schema.columns.is_empty() {
            true => Vec::new(),
            false => batches.into_iter().map(|batch| batch.conform(schema)).collect::<Result<Vec<Batch>>>()?,
        };
        let (store, job, subject) = (self.store, self.job, self.subject);
        let before = (self.schema.clone(), self.noted, self.created);
        let lines = job.take_log();
        let outcome = store.transact(self.database, &|| job.check_cancelled(), |session| {
            (self.schema, self.noted, self.created) = before.clone();
            live_jobs::check(session, &store.unify_schema, job.id())?;
            let messages = self.prepare_staging(session, schema)?;
            if !batches.is_empty() {
                session.append(&store.staging, &batches)?;
            }
            if self.places.has_changed() {
                session.execute(&self.places.commit_sql(store))?;
            }
            subject.write_log(session, job.id(), &lines)?;
            Ok(messages)
        });
        match outcome {
            Ok(messages) => {
                self.schema.clone_from(schema);
                self.created = !schema.columns.is_empty();
                self.places.committed();
                let n_appended: usize = batches.iter().map(|batch| batch.n_rows).sum();
                job.counters.rows.fetch_add(n_appended as u64, Ordering::Relaxed);
                self.log(messages);
                Ok(())
            }
            Err(err) => {
                job.put_back_log(lines);
                Err(err)
            }
        }
    }

    fn log(&self, messages: Vec<String>) {
        for message in messages {
            self.job.log(LogLevel::Info, || message);
        }
    }

    /// Notes the load, and creates the staging table or gives it the columns and types of `schema`.
    fn prepare_staging(&mut self, session: &mut dyn Session, schema: &TableSchema) -> Result<Vec<String>> {
        let columns = schema.to_text();
        if !self.noted {
            let table = &self.store.staging.table;
            let row = StateRow {
                table,
                status: "loading",
                place: Some(self.identity),
                columns: Some(&columns),
                started: Some(self.started),
                ..StateRow::default()
            };
            session.execute(&self.store.state_sql(&row, None))?;
            self.noted = true;
        } else if *schema != self.schema {
            session.execute(&self.store.staged_columns_sql(&columns))?;
        }
        if !self.created {
            let created =
                if schema.columns.is_empty() { Ok(()) } else { session.execute(&create_sql(self.store.kind, &self.store.staging, schema)) };
            return created.map(|()| Vec::new());
        }
        let (sql, messages) = change_sql(self.store, &self.schema, schema);
        if !sql.is_empty() {
            session.execute(&sql)?;
        }
        Ok(messages)
    }

    /// Makes the staging table ready to be the table: there even without rows, without columns that hold nothing of their own and are
    /// not among the `known` ones of the table as it is.
    ///
    /// Changes nothing here, so that it can be done again in another transaction. Returns the columns that are left.
    pub fn complete(
        &self,
        session: &mut dyn Session,
        fallback: &[(String, ColumnType)],
        known: Option<&TableSchema>,
    ) -> Result<TableSchema> {
        let mut schema = if self.schema.columns.is_empty() { TableSchema::of(fallback) } else { self.schema.clone() };
        if !self.created {
            session.execute(&create_sql(self.store.kind, &self.store.staging, &schema))?;
        }
        let staged = schema.clone();
        for idx in schema.redundant().into_iter().rev() {
            let source = &schema.columns[idx].source;
            if known.is_some_and(|known| known.columns.iter().any(|column| column.source == *source)) {
                continue;
            }
            schema.columns.remove(idx);
        }
        let sql = drop_columns_sql(self.store, &staged, &schema);
        if !sql.is_empty() {
            session.execute(&sql)?;
        }
        Ok(schema)
    }
}
