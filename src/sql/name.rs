//! A table's name as a user gives it.

use crate::session::quote_ident;
use crate::{Error, Result};
use std::fmt;

/// A name of one to three parts. Its `Display` quotes the parts that need it, and parses back to the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePath {
    /// The attached database, if given.
    pub catalog: Option<String>,
    /// The connection, or any schema.
    pub schema: Option<String>,
    pub table: String,
}

impl TablePath {
    /// Makes a name of its parts, the table last.
    pub(super) fn of(mut parts: Vec<String>) -> TablePath {
        let table = parts.pop().unwrap_or_default();
        let schema = parts.pop();
        TablePath { catalog: parts.pop(), schema, table }
    }

    /// Returns the connection's name, which a name in a function's argument has.
    pub fn connection(&self) -> Result<&str> {
        self.schema
            .as_deref()
            .ok_or_else(|| Error::config(format!("'{}' does not name a connection; expected 'connection.table'", self.table)))
    }
}

impl fmt::Display for TablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.catalog, &self.schema].into_iter().flatten() {
            write!(f, "{}.", shown(part))?;
        }
        f.write_str(&shown(&self.table))
    }
}

/// Returns a name as the grammar reads it back: bare where it can be.
pub(super) fn shown(name: &str) -> String {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_bare = name.starts_with(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit());
    if is_bare {
        name.to_string()
    } else {
        quote_ident(name)
    }
}
