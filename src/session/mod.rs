//! What Unify may do on DuckDB, as traits the `ffi` layer implements: sessions that live as long as one piece of work.

mod quote;
mod settings;
mod target;

pub use quote::{quote_ident, quote_literal, TableName};
pub use settings::{LogLevel, ProgressMode, SettingDef, SettingType, Settings, SETTINGS};
pub use target::CatalogKind;

use crate::columns::Batch;
use crate::{Error, Result};
use std::any::Any;

/// The database Unify was loaded into. It does not keep the database open.
pub trait Database: Send + Sync {
    /// Opens a session. Fails with [`crate::ErrorKind::DatabaseGone`] once the user closed the database.
    fn connect(&self) -> Result<Box<dyn Session>>;

    /// Returns whether the rows of a transaction that finds a table empty become the table's as they are, however few they are.
    fn moves_first_rows(&self) -> bool;

    /// Interrupts the statements that run on sessions opened here.
    fn interrupt_all(&self);
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

    /// Appends the rows of the batches to a table that has exactly the batches' columns, in order, inside the current transaction.
    fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()>;

    /// Returns the comments of a table's columns, each with the column's name, as the session's transaction sees them; there must be one. A
    /// view and what does not exist have none. DuckDB's own list of columns binds every view there is, under a lock that a statement may hold
    /// which waits for a load.
    fn column_comments(&mut self, table: &TableName) -> Result<Vec<(String, String)>>;

    /// Returns whether Unify's own sessions are all that keeps the database open: the user closed it.
    fn is_alone(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Gives the implementor to code that knows its type.
    fn as_any(&mut self) -> &mut dyn Any;
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
