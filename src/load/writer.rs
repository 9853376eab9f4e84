//! The one writer of a table: rows into staging, columns added and widened as the pages bring them.

use super::budget::LoadBudget;
use super::fetch::FetchedRows;
use super::job::Job;
use super::store::Store;
use crate::columns::{ColumnType, SchemaChange, TableSchema};
use crate::session::{quote_ident, Database, LogLevel, Session};
use crate::Result;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Rows are committed when this many bytes are there ...
const COMMIT_BYTES: usize = 12 << 20;
/// ... or when fetching waits for the memory they take, or when no more came for this long.
const IDLE: Duration = Duration::from_millis(200);
/// How long the writer waits for a page before it looks around.
const POLL: Duration = Duration::from_millis(10);

/// Writes one table's rows into its staging table.
pub struct Writer<'a> {
    pub store: &'a Store,
    pub database: &'a dyn Database,
    pub job: &'a Job,
    pub budget: &'a LoadBudget,
    /// What fetching converts pages with: kept up to date here.
    pub shared_schema: &'a RwLock<Arc<TableSchema>>,
    pub schema: TableSchema,
    /// Whether the staging table exists.
    pub created: bool,
}

impl Writer<'_> {
    /// Writes all rows that come, until the senders are gone.
    pub fn write_all(&mut self, rows: &Receiver<FetchedRows>) -> Result<()> {
        let mut gathered: Vec<FetchedRows> = Vec::new();
        let mut n_bytes = 0;
        let mut last_page = Instant::now();
        loop {
            let (flush, ended) = match rows.recv_timeout(POLL) {
                Ok(page) => {
                    n_bytes += page.batch.approximate_bytes();
                    gathered.push(page);
                    last_page = Instant::now();
                    (n_bytes >= COMMIT_BYTES, false)
                }
                Err(RecvTimeoutError::Timeout) => (self.budget.is_used_up() || last_page.elapsed() >= IDLE, false),
                Err(RecvTimeoutError::Disconnected) => (true, true),
            };
            self.job.check_cancelled()?;
            if flush && !gathered.is_empty() {
                self.write(std::mem::take(&mut gathered))?;
                n_bytes = 0;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Commits the pages' rows, with the changes of the schema they bring.
    fn write(&mut self, pages: Vec<FetchedRows>) -> Result<()> {
        let schema = pages.iter().fold(self.schema.clone(), |schema, page| schema.merged(&page.batch.schema));
        *self.shared_schema.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(schema.clone());
        // Dropped at the end: only then is their memory free.
        let mut rooms = Vec::new();
        let mut batches = Vec::with_capacity(pages.len());
        for page in pages {
            rooms.push(page.room);
            batches.push(page.batch.conform(&schema)?);
        }
        let n_rows: usize = batches.iter().map(|batch| batch.n_rows).sum();
        if schema.columns.is_empty() {
            return Ok(());
        }
        let mut session = self.database.connect()?;
        session.execute("BEGIN")?;
        self.prepare_staging(session.as_mut(), &schema)?;
        session.append(&self.store.staging, &batches)?;
        session.execute("COMMIT")?;
        self.schema = schema;
        self.created = true;
        self.job.counters.rows.fetch_add(n_rows as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Creates the staging table, or gives it the columns and types of `schema`.
    fn prepare_staging(&self, session: &mut dyn Session, schema: &TableSchema) -> Result<()> {
        if !self.created {
            let state = self.store.state_sql(&self.store.staging.table, "loading");
            return session.execute(&format!("{state} {}", create_sql(self.store, schema)));
        }
        for change in self.schema.changes_to(schema) {
            let (sql, message) = change_sql(self.store, schema, &change);
            session.execute(&sql)?;
            self.job.log(LogLevel::Info, || message);
        }
        Ok(())
    }

    /// Makes the staging table ready to be the table: there even without rows, without columns that hold nothing of their own.
    ///
    /// Changes nothing here, so that it can be done again in another transaction. Returns the columns that are left.
    pub fn complete(&self, session: &mut dyn Session, fallback: &[(String, ColumnType)]) -> Result<TableSchema> {
        let mut schema = if self.schema.columns.is_empty() { TableSchema::of(fallback) } else { self.schema.clone() };
        if !self.created {
            self.prepare_staging(session, &schema)?;
        }
        for idx in schema.redundant().into_iter().rev() {
            let column = schema.columns.remove(idx);
            session.execute(&format!("ALTER TABLE {} DROP COLUMN {}", self.store.staging, quote_ident(&column.name)))?;
        }
        Ok(schema)
    }
}

fn create_sql(store: &Store, schema: &TableSchema) -> String {
    let columns: Vec<String> =
        schema.columns.iter().map(|column| format!("{} {}", quote_ident(&column.name), column.column_type.sql_name())).collect();
    format!("CREATE TABLE {} ({})", store.staging, columns.join(", "))
}

/// Returns the statement for one change, and what the log says about it.
fn change_sql(store: &Store, schema: &TableSchema, change: &SchemaChange) -> (String, String) {
    match change {
        SchemaChange::Added { idx } => {
            let column = &schema.columns[*idx];
            let sql_type = column.column_type.sql_name();
            let sql = format!("ALTER TABLE {} ADD COLUMN {} {sql_type}", store.staging, quote_ident(&column.name));
            (sql, format!("new column '{}' {sql_type}", column.name))
        }
        SchemaChange::Widened { idx, from, to } => {
            let name = quote_ident(&schema.columns[*idx].name);
            let using = if *to == ColumnType::Json && *from != ColumnType::Undecided {
                format!("to_json({name})")
            } else {
                format!("CAST({name} AS {})", to.sql_name())
            };
            let sql = format!("ALTER TABLE {} ALTER COLUMN {name} SET DATA TYPE {} USING {using}", store.staging, to.sql_name());
            let message = match from {
                ColumnType::Undecided => format!("column '{}' is {}", schema.columns[*idx].name, to.sql_name()),
                from => format!("column '{}' widened from {} to {}", schema.columns[*idx].name, from.sql_name(), to.sql_name()),
            };
            (sql, message)
        }
    }
}
