//! Swaps a complete staging table for the table, or merges it in, with views, comments, state and the job's end, in one transaction.

use super::audit::{AuditSubject, JobRecord};
use super::changes::{changes_between, vanished_columns, ColumnChange};
use super::comments::Comments;
use super::job::Job;
use super::live_jobs;
use super::merge::{cursor_text, Notes, Updating};
use super::repeated::remove_repeated;
use super::report::LogLine;
use super::store::{StateRow, Store};
use super::views::create_views;
use super::writer::Writer;
use crate::columns::{ColumnType, TableSchema};
use crate::session::{quote_ident, Database, LogLevel, Session};
use crate::spec::{Connection, TableDef};
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
    /// The columns of the table as it is, where a load of the same spec made it.
    pub known: Option<&'a TableSchema>,
    /// Whether the rows are to be merged into the table.
    pub is_update: bool,
    /// When the load began, in microseconds since 1970.
    pub started: i64,
    /// The names of the parameter sets, where the next refresh needs them.
    pub sets: Option<&'a str>,
}

/// What became of the table's columns.
struct Published {
    schema: TableSchema,
    changes: Vec<ColumnChange>,
    is_new: bool,
    n_rows: u64,
}

/// What one try to publish came to.
enum Tried<'a> {
    /// The table has so many rows of this load.
    Done(u64),
    /// This view could not be made, for this reason.
    WithoutView(&'a str, Error),
}

impl Publication<'_> {
    /// Makes the staging table the table, or merges it in. Readers see the table as it was or as it is then.
    ///
    /// A view that cannot be made is left out: it names a column that this account's rows do not have, which is no reason to
    /// withhold the table. Since its failure ends the transaction, everything is done again without it. Returns how many rows were
    /// published.
    pub fn publish(&self, database: &dyn Database, writer: &Writer<'_>) -> Result<u64> {
        let updating = match (self.is_update, self.known) {
            (true, Some(known)) => Some(Updating::new(database.connect()?.as_mut(), self.store, self.table_def, known)?),
            _ => None,
        };
        let mut left_out: Vec<&str> = Vec::new();
        loop {
            let mut failed: Option<&str> = None;
            let mut written: Vec<LogLine> = Vec::new();
            let outcome = self.store.transact(database, &|| self.job.check_cancelled(), |session| {
                self.job.put_back_log(std::mem::take(&mut written));
                let n_rows = match self.try_publish(session, writer, updating.as_ref(), &left_out)? {
                    Tried::Done(n_rows) => n_rows,
                    Tried::WithoutView(view, err) => {
                        failed = Some(view);
                        return Err(err);
                    }
                };
                written = self.job.take_log();
                let published = LogLine::new(LogLevel::Info, format!("published, rows: {n_rows}"));
                written.extend(self.job.keeps(LogLevel::Info).then_some(published));
                self.subject.write_log(session, self.job.id(), &written).map(|()| n_rows)
            });
            let err = match outcome {
                Ok(n_rows) => return Ok(n_rows),
                Err(err) => err,
            };
            self.job.put_back_log(written);
            let Some(view) = failed else { return Err(err) };
            self.job.log(LogLevel::Warning, || format!("view '{view}' was not made: {err}"));
            left_out.push(view);
        }
    }

    /// Publishes, but for the views in `left_out`.
    fn try_publish(
        &self,
        session: &mut dyn Session,
        writer: &Writer<'_>,
        updating: Option<&Updating<'_>>,
        left_out: &[&str],
    ) -> Result<Tried<'_>> {
        if self.store.kind.is_shared() {
            live_jobs::check(session, &self.store.unify_schema, self.job.id())?;
        }
        let mut notes = Notes::new();
        let staged = writer.complete(session, &fallback_columns(self.table_def), self.known)?;
        let published = match updating {
            Some(updating) => {
                let schema = updating.merge(session, &staged, &mut notes)?;
                let changes = changes_between(updating.known, &schema);
                Published { schema, changes, is_new: false, n_rows: self.n_rows }
            }
            None => self.swap(session, staged, &mut notes)?,
        };
        if let Some((view, err)) = create_views(self.store, session, self.connection, left_out)? {
            return Ok(Tried::WithoutView(view, err));
        }
        for (level, note) in notes {
            self.job.log(level, || note);
        }
        self.record(session, &published, writer.schema.columns.is_empty())?;
        Ok(Tried::Done(published.n_rows))
    }

    /// Puts the staging table in the place of the table.
    fn swap(&self, session: &mut dyn Session, schema: TableSchema, notes: &mut Notes) -> Result<Published> {
        let Store { target, staging, .. } = self.store;
        let existed = self.store.exists(session, target)?;
        let n_repeated = remove_repeated(session, self.store, self.table_def, &schema, notes)?;
        let (mut changes, mut comments) = (Vec::new(), Comments::default());
        if existed {
            for (name, sql) in self.store.indexes(session)? {
                notes.push((LogLevel::Warning, format!("index '{name}' went with the old table; create it again: {sql}")));
            }
            if let Some(known) = self.known {
                changes = changes_between(known, &schema);
                changes.extend(vanished_columns(session, known, (target, staging))?);
            }
            comments = Comments::of(session, self.store)?;
            session.execute(&format!("DROP TABLE {target}"))?;
        }
        session.execute(&format!("ALTER TABLE {staging} RENAME TO {}", quote_ident(&target.table)))?;
        session.execute(&comments.sql(self.store, self.table_def, &schema))?;
        Ok(Published { schema, changes, is_new: !existed, n_rows: self.n_rows.saturating_sub(n_repeated) })
    }

    /// Notes what the table is now, and how the job ended.
    fn record(&self, session: &mut dyn Session, published: &Published, is_fallback: bool) -> Result<()> {
        let cursor = cursor_text(session, self.store, self.table_def, &published.schema)?;
        // Columns that stand for unknown ones are forgotten when there are some.
        let columns = if is_fallback { TableSchema::default().to_text() } else { published.schema.to_text() };
        let row = StateRow {
            table: &self.store.target.table,
            status: "complete",
            place: Some(self.spec),
            cursor: cursor.as_deref(),
            columns: Some(&columns),
            started: Some(self.started),
            sets: self.sets,
        };
        let mut sql = self.store.forget_sql(&self.store.staging.table);
        let shape = self.store.shape(session, row.table)?;
        sql.push_str(&self.store.state_sql(&row, shape.as_deref()));
        let record = |id, action| JobRecord { id, parent_id: Some(self.job.id()), action, n_rows: None, error: None };
        if published.is_new {
            sql.push_str(&self.subject.record_sql(record(self.record_ids.0, "create")));
        }
        sql.push_str(&self.subject.changes_sql(self.job.id(), &published.changes));
        sql.push_str(&self.subject.record_sql(JobRecord { n_rows: Some(published.n_rows), ..record(self.record_ids.1, self.end_action) }));
        if self.store.kind.is_shared() {
            sql.push_str(&live_jobs::leave_sql(&self.store.unify_schema, self.job.id()));
        }
        session.execute(&sql)
    }
}

/// The columns of a table about which nothing is known: no rows came, and none is declared. Its key, or one column.
pub fn fallback_columns(table_def: &TableDef) -> Vec<(String, ColumnType)> {
    if table_def.key_columns.is_empty() {
        return vec![("value".to_string(), ColumnType::Undecided)];
    }
    table_def.key_columns.iter().map(|name| (name.clone(), ColumnType::Undecided)).collect()
}
