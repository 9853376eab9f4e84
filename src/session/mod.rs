//! What Unify may do on DuckDB, as traits the `ffi` layer implements: sessions that live as long as one piece of work.

mod quote;
mod row_groups;
mod settings;
mod target;

pub use quote::{lowered, quote_ident, quote_literal, TableName};
pub use row_groups::{batch_of, HeldBatch, Next, RowGroups, RowSource, Share, ROW_GROUP};
pub use settings::{LogLevel, ProgressMode, SettingDef, SettingType, Settings, SETTINGS};
pub use target::{Attached, CatalogKind};

use crate::columns::Batch;
use crate::{Error, Result};
use std::sync::Arc;

/// Rows in the text of one statement: many more take DuckDB much longer.
const ROWS_A_STATEMENT: usize = 500;

/// The database Unify was loaded into. It does not keep the database open.
pub trait Database: Send + Sync {
    /// Opens a session. Fails with [`crate::ErrorKind::DatabaseGone`] once the user closed the database.
    fn connect(&self) -> Result<Box<dyn Session>>;

    /// Returns whether the rows of a transaction that finds a table empty become the table's as they are, however few they are.
    fn moves_first_rows(&self) -> bool;

    /// Interrupts the statements that run on sessions opened here.
    fn interrupt_all(&self);

    /// Returns whether DuckDB's `enable_external_access` is true now. Fails as [`Database::connect`] does.
    fn has_external_access(&self) -> Result<bool>;

    /// Returns the same without a session, for threads that must not wait; `None` where only a session can tell.
    fn sees_external_access(&self) -> Option<bool> {
        None
    }

    /// Prepares a thread of Unify's own, which calls this before anything else: a peer that hangs up does not end the process.
    fn enter_thread(&self) {}
}

/// What has a name in a schema of tables and views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Table,
    View,
}

/// One connection to DuckDB, held only for the length of a piece of work.
pub trait Session {
    /// Runs one or more statements and ignores their rows. Fails with the message DuckDB gave.
    fn execute(&mut self, sql: &str) -> Result<()>;

    /// Runs one statement and returns all its rows.
    fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>>;

    /// Runs one statement and returns the first value of its first row; `Null` when it has no row.
    fn value(&mut self, sql: &str) -> Result<Value> {
        Ok(self.query(sql)?.into_iter().flatten().next().unwrap_or(Value::Null))
    }

    /// Runs one statement whose one value is a number of something.
    fn count(&mut self, sql: &str) -> Result<u64> {
        let number = self.value(sql)?.as_integer().unwrap_or(0);
        u64::try_from(number).map_err(|_| Error::internal(format!("a count is {number}")))
    }

    /// Returns the database that names without one mean to a session where nobody set another.
    fn default_catalog(&mut self) -> Result<String> {
        let name = self.value("SELECT system.main.current_database()")?;
        name.as_text().map(str::to_string).ok_or_else(|| Error::internal("the database has no name"))
    }

    /// Returns the names of the tables and views that a query reads, without their schemas, as DuckDB finds them without running it.
    fn table_names(&mut self, sql: &str) -> Result<Vec<String>>;

    /// Appends the rows of the batches to a table that has exactly the batches' columns, in order, inside the current transaction.
    fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()>;

    /// Returns whether [`Session::append_as_they_come`] uses several threads.
    fn appends_on_threads(&mut self) -> bool {
        false
    }

    /// Appends rows as [`Session::append`] does: those of the batches, and then those that the source brings, in their order.
    fn append_as_they_come(&mut self, table: &TableName, first: Vec<HeldBatch>, source: &dyn RowSource) -> Result<()> {
        let mut rows = first;
        while !rows.is_empty() {
            for held in rows {
                self.append(table, std::slice::from_ref(batch_of(&held)))?;
            }
            rows = source.more()?;
        }
        Ok(())
    }

    /// Runs `insert`, an INSERT that ends with what it selects, on rows of texts in columns with these names, in the order given. The rows are
    /// not part of a statement's text, where the database can do without.
    fn insert_texts(&mut self, insert: &str, columns: &[&str], rows: &[Vec<Option<&str>>]) -> Result<()> {
        let columns: Vec<String> = columns.iter().map(|name| quote_ident(name)).collect();
        let literal = |text: &Option<&str>| text.map_or("NULL".to_string(), quote_literal);
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            let rows: Vec<String> =
                rows.iter().map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", "))).collect();
            self.execute(&format!("{insert} FROM (VALUES {}) AS rows ({})", rows.join(", "), columns.join(", ")))?;
        }
        Ok(())
    }

    /// Returns what has that name, as the session's transaction sees it, where that can be told without a query of the lists of tables and views:
    /// DuckDB writes all of them out for one, those of its own among them.
    fn find(&mut self, _table: &TableName) -> Option<Found> {
        None
    }

    /// Returns the comments of a table's columns, each with the column's name, as the session's transaction sees them; there must be one. A
    /// view and what does not exist have none. DuckDB's own list of columns binds every view there is, under a lock that a statement may hold
    /// which waits for a load.
    fn column_comments(&mut self, table: &TableName) -> Result<Vec<(String, String)>>;

    /// Returns whether Unify's own sessions are all that keeps the database open: the user closed it.
    fn is_alone(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Returns what another thread may do with the session while a statement of it runs; `None` where no statement takes long.
    fn interrupter(&self) -> Option<Arc<dyn Interrupter>> {
        None
    }
}

/// What another thread may do with a session while a statement of it runs.
pub trait Interrupter: Send + Sync {
    /// Interrupts the statement that runs now, if one does.
    fn interrupt(&self);

    /// Returns what [`Session::is_alone`] does.
    fn is_alone(&self) -> bool;
}

/// A value of a query's result or of a function's argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Integer(i128),
    Double(f64),
    Text(String),
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp(i64),
    /// A map of texts to texts or nulls, in the order it was given.
    Map(Vec<(String, Option<String>)>),
    /// A list of texts, without nulls.
    Texts(Vec<String>),
}

impl Value {
    /// Returns the text of a `Text` value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the microseconds of a `Timestamp` value.
    pub fn as_timestamp(&self) -> Option<i64> {
        match self {
            Value::Timestamp(micros) => Some(*micros),
            _ => None,
        }
    }

    /// Returns the number of an `Integer` value.
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}
