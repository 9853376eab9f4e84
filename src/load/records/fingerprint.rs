//! The fingerprint of a table: its columns and their types, by which Unify knows a table it made from one that somebody made or changed since.
//!
//! One table is asked for its columns, never DuckDB's list of all columns: that binds every view there is, each under a lock of its own, and
//! a statement that binds such a view may hold that lock while it waits for this very load.

use crate::columns::TableSchema;
use crate::load::records::exists::find;
use crate::load::records::store::Store;
use crate::session::{quote_literal, Found, Session, TableName, Value};
use crate::Result;

/// Whose a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Unify made it, and it has the columns that it was made with.
    Ours,
    /// Unify made it, and somebody changed its columns.
    Changed,
    /// Unify knows nothing of it.
    Others,
}

impl Store {
    /// Returns the columns and types a table of this schema has now; `None` when the table does not exist, or it is a view.
    pub fn fingerprint(&self, session: &mut dyn Session, table: &str) -> Result<Option<String>> {
        let name = TableName { table: table.to_string(), ..self.target.clone() };
        let is_table = match find(session, self.kind, &name) {
            Some(found) => found == Found::Table,
            None => !session.query(&format!("SELECT 1 FROM duckdb_tables() WHERE {}", self.is_table_sql(table)))?.is_empty(),
        };
        if !is_table {
            return Ok(None);
        }
        let rows = session.query(&format!("SELECT column_name, column_type FROM (DESCRIBE {name})"))?;
        let column = |row: &Vec<Value>| Some(format!("{} {}", row.first()?.as_text()?, row.get(1)?.as_text()?));
        Ok(Some(rows.iter().filter_map(column).collect::<Vec<_>>().join(", ")))
    }

    /// Returns whose a table or view of this schema is, which exists and has this fingerprint.
    pub fn whose(&self, session: &mut dyn Session, table: &str, fingerprint: Option<&str>) -> Result<Whose> {
        if !self.has_state(session)? {
            return Ok(Whose::Others);
        }
        let shape = fingerprint.map_or("NULL".to_string(), quote_literal);
        let is_as_made = session.value(&format!(
            "SELECT max(CASE WHEN shape IS NOT DISTINCT FROM {shape} THEN 1 ELSE 0 END) FROM {}.load_state WHERE {}",
            self.unify_schema,
            self.is_about(table),
        ))?;
        Ok(match is_as_made {
            Value::Integer(1) => Whose::Ours,
            Value::Integer(_) => Whose::Changed,
            _ => Whose::Others,
        })
    }

    /// Returns whether the table still has the columns Unify made it with.
    pub fn has_its_fingerprint(&self, session: &mut dyn Session, table: &str) -> Result<bool> {
        let fingerprint = self.fingerprint(session, table)?;
        Ok(self.whose(session, table, fingerprint.as_deref())? == Whose::Ours)
    }

    /// Returns whether a table of this schema has exactly these columns.
    pub fn has_columns(&self, session: &mut dyn Session, table: &str, schema: &TableSchema) -> Result<bool> {
        let expected: Vec<String> =
            schema.columns.iter().map(|column| format!("{} {}", column.name, self.kind.sql_type(column.column_type))).collect();
        Ok(self.fingerprint(session, table)?.as_ref() == Some(&expected.join(", ")))
    }
}
