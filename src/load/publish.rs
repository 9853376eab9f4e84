//! Swaps a complete staging table for the table, with its views, comments and the job's end, in one transaction.

use super::audit::{AuditSubject, JobRecord};
use super::job::Job;
use super::store::{StateRow, Store};
use super::views::create_views;
use super::writer::Writer;
use crate::columns::{ColumnType, TableSchema};
use crate::session::{quote_ident, quote_literal, LogLevel, Session};
use crate::spec::{Connection, ScalarType, TableDef};
use crate::{Error, Result};

/// What is published, and under which job.
pub struct Publication<'a> {
    pub store: &'a Store,
    pub connection: &'a Connection,
    pub table_def: &'a TableDef,
    pub subject: &'a AuditSubject,
    pub job: &'a Job,
    /// Ids for the records: that of `create`, and that of the end.
    pub record_ids: (i64, i64),
    pub end_action: &'static str,
    pub n_rows: u64,
    /// Hash of the spec the table was loaded by.
    pub spec: &'a str,
}

impl Publication<'_> {
    /// Makes the staging table the table. Readers see the old one or the new one.
    ///
    /// A view that cannot be made is left out: it names a column that this account's rows do not have, which is no reason to
    /// withhold the table. Since its failure ends the transaction, everything is done again without it.
    pub fn publish(&self, session: &mut dyn Session, writer: &Writer<'_>) -> Result<()> {
        let mut left_out: Vec<&str> = Vec::new();
        loop {
            let Some((view, err)) = self.try_publish(session, writer, &left_out)? else { return Ok(()) };
            session.execute("ROLLBACK")?;
            self.job.log(LogLevel::Warning, || format!("view '{view}' was not made: {err}"));
            left_out.push(view);
        }
    }

    /// Publishes, but for the views in `left_out`. Returns the view that could not be made, with the reason.
    fn try_publish(&self, session: &mut dyn Session, writer: &Writer<'_>, left_out: &[&str]) -> Result<Option<(&str, Error)>> {
        session.execute("BEGIN")?;
        let schema = writer.complete(session, &fallback_columns(self.table_def))?;
        let existed = self.store.exists(session, &self.store.target)?;
        if existed {
            self.warn_of_indexes(session)?;
            session.execute(&format!("DROP TABLE {}", self.store.target))?;
        }
        session.execute(&format!("ALTER TABLE {} RENAME TO {}", self.store.staging, quote_ident(&self.store.target.table)))?;
        session.execute(&self.comments_sql(&schema))?;
        if let Some(failed) = create_views(self.store, session, self.connection, left_out)? {
            return Ok(Some(failed));
        }
        let mut sql = self.store.forget_sql(&self.store.staging.table);
        let columns = schema.to_text();
        let table = &self.store.target.table;
        let row = StateRow { table, status: "complete", place: Some(self.spec), columns: Some(&columns), ..StateRow::default() };
        sql.push_str(&self.store.state_sql(&row));
        let record = |id, action| JobRecord { id, parent_id: Some(self.job.id()), action, n_rows: None, error: None };
        if !existed {
            sql.push_str(&self.subject.record_sql(record(self.record_ids.0, "create")));
        }
        sql.push_str(&self.subject.record_sql(JobRecord { n_rows: Some(self.n_rows), ..record(self.record_ids.1, self.end_action) }));
        session.execute(&sql)?;
        let lines = self.job.take_log();
        let committed = self.subject.write_log(session, self.job.id(), &lines).and_then(|()| session.execute("COMMIT"));
        if committed.is_err() {
            self.job.put_back_log(lines);
        }
        committed.map(|()| None)
    }

    /// Says which indexes go with the old table: they are the user's.
    fn warn_of_indexes(&self, session: &mut dyn Session) -> Result<()> {
        let target = &self.store.target;
        let rows = session.query(&format!(
            "SELECT index_name, coalesce(sql, '') FROM duckdb_indexes()
             WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({}) AND lower(table_name) = lower({})",
            quote_literal(target.catalog.as_deref().unwrap_or_default()),
            quote_literal(&target.schema),
            quote_literal(&target.table),
        ))?;
        for row in rows {
            let text = |idx: usize| row.get(idx).and_then(|value| value.as_text()).unwrap_or_default().to_string();
            self.job.log(LogLevel::Warning, || format!("index '{}' went with the old table; create it again: {}", text(0), text(1)));
        }
        Ok(())
    }

    fn comments_sql(&self, schema: &TableSchema) -> String {
        let mut sql = String::from("SELECT 1;");
        if let Some(description) = &self.table_def.description {
            sql.push_str(&format!("COMMENT ON TABLE {} IS {};", self.store.target, quote_literal(description)));
        }
        for column_spec in &self.table_def.columns {
            let Some(description) = &column_spec.description else { continue };
            if let Some(column) = schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&column_spec.name)) {
                let name = quote_ident(&column.name);
                sql.push_str(&format!("COMMENT ON COLUMN {}.{name} IS {};", self.store.target, quote_literal(description)));
            }
        }
        sql
    }
}

/// The columns of a table about which nothing is known: no rows came, and none is declared. Its key, or one column.
fn fallback_columns(table_def: &TableDef) -> Vec<(String, ColumnType)> {
    let varchar = ColumnType::Scalar(ScalarType::Varchar);
    if table_def.key_columns.is_empty() {
        return vec![("value".to_string(), varchar)];
    }
    table_def.key_columns.iter().map(|name| (name.clone(), varchar)).collect()
}
