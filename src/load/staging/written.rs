//! One of the tables that a writer writes: its staging table, and how that becomes ready to be the table.

use crate::columns::{ColumnType, TableSchema};
use crate::load::records::staging_table::StagingTable;
use crate::load::records::store::{StagedStatus, StateRow, Store};
use crate::load::staging::change_sql::{change_sql, complete_sql};
use crate::load::staging::changes::create_sql;
use crate::session::{quote_ident, Session};
use crate::Result;

/// A table that a writer writes: that of the load, or a child of it.
pub struct WrittenTable<'a> {
    pub store: &'a Store,
    pub staging: StagingTable,
    /// The columns of the key, which are there even when no row is.
    pub key_columns: &'a [String],
    /// Whether rows that are gone at the source are kept, with the moment since which they are gone.
    pub keeps_deleted: bool,
    /// Rows in the staging table.
    pub n_rows: u64,
}

/// What the note of a load in `load_state` says.
#[derive(Clone, Copy)]
pub struct LoadNote<'a> {
    /// What the load is of.
    pub identity: &'a str,
    /// When it began, in microseconds since 1970.
    pub started: i64,
}

impl WrittenTable<'_> {
    /// Returns the columns that the rows so far need, with those of more rows.
    pub fn schema_with<'b>(&self, more: impl IntoIterator<Item = &'b TableSchema>) -> TableSchema {
        let mut schema = self.staging.schema().clone();
        for new in more.into_iter().filter(|new| *new != self.staging.schema()) {
            schema = schema.merged(new);
        }
        schema
    }

    /// Returns the name of a column whose values, of the staging table or of new rows, cannot become those of `schema` as they came.
    pub fn stuck<'s>(&self, schema: &'s TableSchema, more: &[&TableSchema]) -> Option<&'s str> {
        self.staging.made().into_iter().chain(more.iter().copied()).find_map(|narrow| narrow.stuck(schema))
    }

    /// Notes the load, and creates the staging table or gives it the columns and types of `schema`. Changes nothing here, so that it can be
    /// done again in another transaction. Returns what the log says.
    pub fn prepare(&self, session: &mut dyn Session, schema: &TableSchema, note: LoadNote<'_>) -> Result<Vec<String>> {
        let columns = schema.to_text();
        if !self.staging.is_noted() {
            let table = &self.store.staging.table;
            let row = StateRow {
                table,
                status: StagedStatus::Loading.as_text(),
                place: Some(note.identity),
                columns: Some(&columns),
                started: Some(note.started),
                ..StateRow::default()
            };
            session.execute(&self.store.state_sql(&row, None))?;
        } else if schema != self.staging.schema() {
            session.execute(&self.store.staged_columns_sql(&columns))?;
        }
        let Some(made) = self.staging.made() else {
            let created =
                if schema.columns.is_empty() { Ok(()) } else { session.execute(&create_sql(self.store.kind, &self.store.staging, schema)) };
            return created.map(|()| Vec::new());
        };
        let (sql, messages) = change_sql(self.store, made, schema);
        if !sql.is_empty() {
            session.execute(&sql)?;
        }
        Ok(messages)
    }

    /// Removes the rows of parameter sets with these marks, which are quoted. Returns how many they were.
    pub fn remove_sets(&self, session: &mut dyn Session, marks: &[String]) -> Result<u64> {
        let Some(column) = self.staging.made().and_then(TableSchema::set_column) else { return Ok(0) };
        let rows = format!("FROM {} WHERE {} IN ({})", self.store.staging, quote_ident(&column.name), marks.join(", "));
        let n_rows = session.count(&format!("SELECT count(*) {rows}"))?;
        if n_rows > 0 {
            session.execute(&format!("DELETE {rows}"))?;
        }
        Ok(n_rows)
    }

    /// Makes the staging table ready to be the table: there even without rows, without columns that hold nothing of their own and are
    /// not among the `known` ones of the table as it is. What only a staging table has goes where it `is_to_be` the table.
    ///
    /// Changes nothing here, so that it can be done again in another transaction. Returns the columns that are left.
    pub fn complete(
        &self,
        session: &mut dyn Session,
        fallback: &[(String, ColumnType)],
        known: Option<&TableSchema>,
        is_to_be: bool,
    ) -> Result<TableSchema> {
        let written = self.staging.schema();
        let mut schema = if written.is_blank() { written.merged(&TableSchema::of(fallback)) } else { written.clone() };
        if self.keeps_deleted {
            schema = schema.with_deleted_at();
        }
        if self.n_rows == 0 {
            let is_known = |name: &str| known.is_some_and(|known| known.has_column(name));
            schema.add_named(self.key_columns.iter().filter(|name| !is_known(name.as_str())));
        }
        let staged = schema.clone();
        for idx in schema.redundant().into_iter().rev() {
            let source = &schema.columns[idx].source;
            if known.is_some_and(|known| known.columns.iter().any(|column| column.source == *source)) {
                continue;
            }
            schema.columns.remove(idx);
        }
        schema = if is_to_be { schema.without_marks() } else { schema.without_set_column() };
        let sql = complete_sql(self.store, self.staging.made(), &staged, &schema);
        if !sql.is_empty() {
            session.execute(&sql)?;
        }
        Ok(schema)
    }
}
