//! Publishes updates: gives the table the columns its new rows need, and merges them in.

use super::changes::alter_sql;
use super::merge_sql::{column_named, Merge, Repeats};
use super::store::Store;
use crate::columns::{SchemaChange, TableSchema};
use crate::session::{quote_ident, LogLevel, Session, Value};
use crate::spec::TableDef;
use crate::Result;

/// What a step of publishing found, for the log.
pub type Notes = Vec<(LogLevel, String)>;

/// The merge of one table's staging table into it.
pub struct Updating<'a> {
    pub store: &'a Store,
    pub table_def: &'a TableDef,
    /// The columns of the table as it is.
    pub known: &'a TableSchema,
    /// Whether the staging table's rows have ids in the order of writing.
    pub has_row_ids: bool,
}

impl<'a> Updating<'a> {
    /// Prepares a merge. Asks outside any transaction what the database can do: a query that fails would end one.
    pub fn new(session: &mut dyn Session, store: &'a Store, table_def: &'a TableDef, known: &'a TableSchema) -> Updating<'a> {
        let has_row_ids = session.query(&format!("SELECT rowid FROM {} LIMIT 0", store.staging)).is_ok();
        Updating { store, table_def, known, has_row_ids }
    }

    /// Merges inside the session's transaction, and drops the staging table, whose columns are `staged`. Returns the table's columns.
    pub fn merge(&self, session: &mut dyn Session, staged: &TableSchema, notes: &mut Notes) -> Result<TableSchema> {
        let schema = self.known.merged(staged);
        self.alter(session, &schema, notes)?;
        let cursor = self.table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        let tables = (&self.store.target, &self.store.staging);
        let merge = Merge::new(tables, staged, &self.table_def.key_columns, cursor.map(|cursor| cursor.column.as_str()))?;
        let repeats = self.repeats(session, &merge, notes)?;
        session.execute(&merge.sql(repeats))?;
        session.execute(&format!("DROP TABLE {}", self.store.staging))?;
        Ok(schema)
    }

    /// Brings the table's columns up to `schema`.
    fn alter(&self, session: &mut dyn Session, schema: &TableSchema, notes: &mut Notes) -> Result<()> {
        let changes = self.known.changes_to(schema);
        if changes.iter().any(|change| matches!(change, SchemaChange::Widened { .. })) {
            self.drop_indexes(session, notes)?;
        }
        for change in &changes {
            let (sql, message) = alter_sql(&self.store.target, schema, change);
            session.execute(&sql)?;
            notes.push((LogLevel::Info, message));
        }
        Ok(())
    }

    /// Drops the user's indexes, which do not let a column change its type, and says so.
    fn drop_indexes(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<()> {
        for (name, sql) in self.store.indexes(session)? {
            session.execute(&format!("DROP INDEX {}.{}", self.store.schema_sql(), quote_ident(&name)))?;
            let message = format!("index '{name}' was dropped because a column changed its type; create it again: {sql}");
            notes.push((LogLevel::Warning, message));
        }
        Ok(())
    }

    /// Says what rows without a key, or with one that repeats, become.
    fn repeats(&self, session: &mut dyn Session, merge: &Merge<'_>, notes: &mut Notes) -> Result<Repeats> {
        let (Some(null_keys), Some(repeats)) = (merge.null_keys_sql(), merge.repeats_sql()) else {
            let message = "the table has no key: new rows are added, and none is replaced; name its 'key_columns' in the spec";
            notes.push((LogLevel::Warning, message.to_string()));
            return Ok(Repeats::None);
        };
        let key = self.table_def.key_columns.join(", ");
        let n_null_keys = number(session, &null_keys)?;
        if n_null_keys > 0 {
            let message = format!("{n_null_keys} new rows have no value for their key ({key}): they are added, and replace none");
            notes.push((LogLevel::Warning, message));
        }
        let n_repeats = number(session, &repeats)?;
        if n_repeats == 0 {
            return Ok(Repeats::None);
        }
        notes.push((LogLevel::Info, format!("{n_repeats} new rows came again later with the same key ({key}): the last of each stays")));
        Ok(merge.ranking(self.has_row_ids))
    }
}

/// Returns the greatest value of the cursor's column as text; `None` where there is none.
pub fn cursor_text(session: &mut dyn Session, store: &Store, table_def: &TableDef, schema: &TableSchema) -> Result<Option<String>> {
    let Some(cursor) = table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref()) else { return Ok(None) };
    let Some(column) = column_named(schema, &cursor.column) else { return Ok(None) };
    let rows = session.query(&format!("SELECT CAST(max({}) AS VARCHAR) FROM {}", quote_ident(column), store.target))?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_text).map(str::to_string))
}

fn number(session: &mut dyn Session, sql: &str) -> Result<i128> {
    let rows = session.query(sql)?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_integer).unwrap_or(0))
}
