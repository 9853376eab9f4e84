//! The fingerprint of a table: its columns and their types, by which Unify knows a table it made from one that somebody made or changed since.
//!
//! One table is asked for its columns, never DuckDB's list of all columns: that binds every view there is, each under a lock of its own, and
//! a statement that binds such a view may hold that lock while it waits for this very load.

use crate::columns::TableSchema;
use crate::load::records::exists::find;
use crate::load::records::store::Store;
use crate::session::{quote_literal, Found, Session, TableName, Value};
use crate::Result;

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

    /// Returns whether the table still has the columns Unify made it with.
    pub fn has_its_fingerprint(&self, session: &mut dyn Session, table: &str) -> Result<bool> {
        let shape = self.fingerprint(session, table)?.map_or("NULL".to_string(), |shape| quote_literal(&shape));
        let rows = session.query(&format!(
            "SELECT 1 FROM {}.load_state WHERE {} AND shape IS NOT DISTINCT FROM {shape}",
            self.unify_schema,
            self.is_about(table),
        ))?;
        Ok(!rows.is_empty())
    }

    /// Returns whether a table of this schema has exactly these columns.
    pub fn has_columns(&self, session: &mut dyn Session, table: &str, schema: &TableSchema) -> Result<bool> {
        let expected: Vec<String> =
            schema.columns.iter().map(|column| format!("{} {}", column.name, self.kind.sql_type(column.column_type))).collect();
        Ok(self.fingerprint(session, table)?.as_ref() == Some(&expected.join(", ")))
    }
}
