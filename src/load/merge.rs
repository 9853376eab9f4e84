//! Publishes updates: gives the table the columns its new rows need, and merges them in.

use super::changes::{alter_sql, converted_sql, create_sql};
use super::comments::Comments;
use super::merge_sql::{column_named, Merge, Repeats};
use super::store::Store;
use crate::columns::{Column, SchemaChange, TableSchema};
use crate::session::{quote_ident, CatalogKind, LogLevel, Session, TableName};
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
    pub fn new(session: &mut dyn Session, store: &'a Store, table_def: &'a TableDef, known: &'a TableSchema) -> Result<Updating<'a>> {
        let has_row_ids = session.query(&format!("SELECT rowid FROM {} LIMIT 0", store.staging)).is_ok();
        Ok(Updating { store, table_def, known, has_row_ids })
    }

    /// Merges inside the session's transaction, and drops the staging table, whose columns are `staged`. Returns the table's columns.
    pub fn merge(&self, session: &mut dyn Session, staged: &TableSchema, notes: &mut Notes) -> Result<TableSchema> {
        let schema = self.known.merged(staged);
        let changes = self.known.changes_to(&schema);
        let indexes = self.store.indexes(session)?;
        let widens = changes.iter().any(|change| matches!(change, SchemaChange::Widened { .. }));
        let Store { target, staging, .. } = self.store;
        notes.extend(changes.iter().map(|change| (LogLevel::Info, alter_sql(self.store.kind, target, &schema, change).1)));
        if widens && (!indexes.is_empty() || !self.store.kind.changes_types()) {
            let anew = TableName { table: format!("{}__merging", target.table), ..target.clone() };
            let comments = Comments::of(session, self.store)?;
            session.execute(&copy_sql(self.store.kind, (target, &anew), self.known, &schema))?;
            self.merge_into(session, &anew, staged, notes)?;
            session.execute(&format!("DROP TABLE {target}; ALTER TABLE {anew} RENAME TO {};", quote_ident(&target.table)))?;
            session.execute(&comments.sql(self.store, self.table_def, &schema))?;
            let went = |(name, sql): &(String, String)| {
                (LogLevel::Warning, format!("index '{name}' went with the old table; create it again: {sql}"))
            };
            notes.extend(indexes.iter().map(went));
        } else {
            for change in &changes {
                session.execute(&alter_sql(self.store.kind, target, &schema, change).0)?;
            }
            self.merge_into(session, target, staged, notes)?;
        }
        session.execute(&format!("DROP TABLE {staging}"))?;
        Ok(schema)
    }

    fn merge_into(&self, session: &mut dyn Session, table: &TableName, staged: &TableSchema, notes: &mut Notes) -> Result<()> {
        let cursor = self.table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        let cursor = cursor.map(|cursor| cursor.column.as_str());
        let merge = Merge::new((table, &self.store.staging), staged, &self.table_def.key_columns, cursor)?;
        let repeats = self.repeats(session, &merge, notes)?;
        session.execute(&merge.sql(repeats))
    }

    /// Says what rows without a key, or with one that repeats, become.
    fn repeats(&self, session: &mut dyn Session, merge: &Merge<'_>, notes: &mut Notes) -> Result<Repeats> {
        let (Some(null_keys), Some(repeats)) = (merge.null_keys_sql(), merge.repeats_sql()) else {
            let message = "the table has no key: new rows are added, and none is replaced; name its 'key_columns' in the spec";
            notes.push((LogLevel::Warning, message.to_string()));
            return Ok(Repeats::None);
        };
        let key = self.table_def.key_columns.join(", ");
        let n_null_keys = session.count(&null_keys)?;
        if n_null_keys > 0 {
            let message = format!("{n_null_keys} new rows have no value for their key ({key}): they are added, and replace none");
            notes.push((LogLevel::Warning, message));
        }
        let n_repeats = session.count(&repeats)?;
        if n_repeats == 0 {
            return Ok(Repeats::None);
        }
        notes.push((LogLevel::Info, format!("{n_repeats} new rows came again later with the same key ({key}): the last of each stays")));
        Ok(merge.ranking(self.has_row_ids))
    }
}

/// Returns the statements that make a table of the columns of `schema`, with the rows of one of the columns `known`.
fn copy_sql(kind: CatalogKind, (from, to): (&TableName, &TableName), known: &TableSchema, schema: &TableSchema) -> String {
    let value = |column: &Column| match known.columns.iter().find(|old| old.source == column.source) {
        Some(old) => converted_sql(kind, &quote_ident(&old.name), old.column_type, column.column_type),
        None => "NULL".to_string(),
    };
    let values: Vec<String> = schema.columns.iter().map(value).collect();
    format!("{}; INSERT INTO {to} SELECT {} FROM {from};", create_sql(kind, to, schema), values.join(", "))
}

/// Returns the greatest value of the cursor's column as text; `None` where there is none.
pub fn cursor_text(session: &mut dyn Session, store: &Store, table_def: &TableDef, schema: &TableSchema) -> Result<Option<String>> {
    let Some(cursor) = table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref()) else { return Ok(None) };
    let Some(column) = column_named(schema, &cursor.column) else { return Ok(None) };
    let value = session.value(&format!("SELECT CAST(max({}) AS VARCHAR) FROM {}", quote_ident(column), store.target))?;
    Ok(value.as_text().map(str::to_string))
}
