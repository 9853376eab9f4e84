//! One table of a publication: its complete staging table takes the table's place, or is merged into it.

use crate::columns::{ColumnType, TableSchema};
use crate::load::job::log::Notes;
use crate::load::plan::spans::Spans;
use crate::load::publish::chunks::Chunked;
use crate::load::publish::compared::{compared_columns, live_rows, rows_as, Compared};
use crate::load::publish::dedup::Staged;
use crate::load::publish::fallback::fallback_columns;
use crate::load::publish::gone::Vanished;
use crate::load::publish::guards::Guards;
use crate::load::publish::kept::{Kept, NewTable};
use crate::load::publish::merge::{cursor_text, Merged, Updating};
use crate::load::publish::misspelt::{empty_sources, unknown_names};
use crate::load::records::audit::{AuditSubject, JobRecord};
use crate::load::records::changed::{begin_changes, changes_sql, Changes};
use crate::load::records::marks::Marks;
use crate::load::records::store::{loaded_place, StateRow, Store};
use crate::load::staging::changes::{changes_between, cut_notes, vanished_columns, ColumnChange};
use crate::load::staging::written::WrittenTable;
use crate::session::{quote_ident, LogLevel, Session};
use crate::spec::{Expect, TableDef, DELETED_AT};
use crate::Result;

/// A table that is published.
pub struct PublishedTable<'a> {
    pub store: &'a Store,
    pub subject: &'a AuditSubject,
    pub table_def: &'a TableDef,
    /// What was written into its staging table.
    pub written: &'a WrittenTable<'a>,
    /// Rows in the staging table, or in the table after it took its place.
    pub n_rows: u64,
    pub placing: Placing<'a>,
    pub origin: Origin<'a>,
    pub sets: Sets<'a>,
    /// Id for the record that the table was made.
    pub create_id: i64,
    /// What the user expects of all tables.
    pub expect: &'a Expect,
    /// Whether the rows that changed are kept.
    pub keeps_changes: bool,
    /// What the next refresh goes on from.
    pub marks: Marks,
    /// The spans of which all rows came; `None` where rows are replaced by their keys only.
    pub spans: Option<&'a Spans>,
}

/// What becomes of the rows.
#[derive(Debug, Clone, Copy)]
pub enum Placing<'a> {
    /// The staging table takes the table's place, whose columns are these, where a load of the same spec made it.
    Swap(Option<&'a TableSchema>),
    /// They are merged into the table, whose columns are these.
    Merge(&'a TableSchema),
    /// There are none: the table, whose columns are these, stays as it is.
    Keep(&'a TableSchema),
}

impl<'a> Placing<'a> {
    /// Returns the columns of the table as it is, where they are known.
    fn known(self) -> Option<&'a TableSchema> {
        match self {
            Placing::Swap(known) => known,
            Placing::Merge(known) | Placing::Keep(known) => Some(known),
        }
    }
}

/// What the rows are from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Hash of the spec.
    pub spec: &'a str,
    /// When the load began, in microseconds since 1970.
    pub started: i64,
    /// Whether rows may be missing, so that the next refresh is to load the table in full.
    pub is_lacking: bool,
}

/// The parameter sets that the rows are of.
#[derive(Debug, Clone, Copy)]
pub struct Sets<'a> {
    pub count: usize,
    /// Whether a record may come twice; the rows of a database do not.
    pub may_repeat: bool,
    /// Their names, where the next refresh needs them.
    pub names: Option<&'a str>,
}

/// What became of the table's columns.
pub(super) struct Placed {
    schema: TableSchema,
    changes: Vec<ColumnChange>,
    rows: Changes,
    is_new: bool,
    /// The table's fingerprint, where it stays as it was.
    shape: Option<String>,
    /// Whether its indexes lose entries when DuckDB replays what was done.
    pub(super) may_lose_entries: bool,
}

impl<'a> PublishedTable<'a> {
    /// Returns whether no staging table takes the table's place.
    pub(super) fn is_merged(&self) -> bool {
        matches!(self.placing, Placing::Merge(_) | Placing::Keep(_))
    }

    /// Returns the column of the staging table that numbers its rows, or those of the parent, quoted; `None` where there is none.
    pub(super) fn row_number(&self) -> Option<String> {
        self.written.staging.made()?.row_number().map(quote_ident)
    }

    /// Prepares the merge of a table whose rows are merged.
    pub(super) fn updating(&self) -> Option<Updating<'a>> {
        match self.placing {
            Placing::Merge(known) => Some(Updating {
                store: self.store,
                table_def: self.table_def,
                known,
                since: self.origin.started,
                keeps_changes: self.keeps_changes,
                spans: self.spans,
            }),
            Placing::Swap(_) | Placing::Keep(_) => None,
        }
    }

    /// Returns whether staged rows take the table's place of which some may have come more than once.
    pub(super) fn may_repeat(&self) -> bool {
        let has_key = !self.table_def.key_columns.is_empty();
        has_key && self.sets.may_repeat && !self.is_merged() && self.written.staging.made().is_some()
    }

    /// Returns whether staged rows take the table's place among which some say that a row is gone.
    pub(super) fn has_deleted(&self) -> bool {
        !self.is_merged() && self.written.staging.made().is_some_and(|schema| schema.deleted().is_some())
    }

    /// Removes the staged rows that a later one says are gone, and those that say so, inside the session's transaction. Returns how many went.
    pub(super) fn remove_deleted(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        let schema = self.written.staging.schema().clone().without_set_column();
        Staged { store: self.store, table_def: self.table_def, schema: &schema, n_sets: self.sets.count }.remove_deleted(session, notes)
    }

    /// Leaves one of each of the staged rows that came more than once, inside the session's transaction. Returns how many went.
    pub(super) fn remove_repeated(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        let schema = self.written.staging.schema().clone().without_set_column();
        let mut own_notes = Notes::new();
        let staged = Staged { store: self.store, table_def: self.table_def, schema: &schema, n_sets: self.sets.count };
        let n_removed = staged.remove_repeated(session, &mut own_notes)?;
        notes.extend(own_notes.into_iter().map(|(level, note)| (level, format!("{}{note}", self.table_def.place_of_child()))));
        Ok(n_removed)
    }

    /// Returns how many rows are staged.
    pub(super) fn n_staged(&self, session: &mut dyn Session) -> Result<u64> {
        session.count(&format!("SELECT count(*) FROM {}", self.store.staging))
    }

    /// Makes one row of those that came for one record, inside the session's transaction. Returns how many went.
    pub(super) fn join_chunks(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        Chunked { store: self.store, table_def: self.table_def, schema: self.written.staging.schema() }.join(session, notes)
    }

    /// Returns the columns of the table as it is, where its rows that are gone are kept although others take its place.
    fn known_of_gone(&self) -> Option<&'a TableSchema> {
        match self.placing {
            Placing::Swap(known) => known.filter(|known| self.written.keeps_deleted && known.deleted_at().is_some()),
            Placing::Merge(_) | Placing::Keep(_) => None,
        }
    }

    /// Returns how many of the staged rows are there at the source.
    pub(super) fn n_live(&self, session: &mut dyn Session) -> Result<u64> {
        let mark = self.written.staging.made().and_then(TableSchema::deleted_at).filter(|_| self.known_of_gone().is_some());
        mark.map_or(Ok(self.n_rows), |mark| {
            session.count(&format!("SELECT count(*) FROM {} WHERE {} IS NULL", self.store.staging, quote_ident(&mark.name)))
        })
    }

    /// Adds the table's rows that are gone to those that take its place, inside the session's transaction.
    pub(super) fn keep_gone(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<()> {
        let (Some(known), Some(staged)) = (self.known_of_gone(), self.written.staging.made()) else { return Ok(()) };
        if !self.store.exists(session, &self.store.target)? {
            return Ok(());
        }
        let key_columns = &self.table_def.key_columns;
        let n_gone = Vanished { store: self.store, known, staged, key_columns, since: self.origin.started }.keep(session)?;
        if n_gone > 0 {
            let of = self.table_def.place_of_child();
            notes.push((LogLevel::Info, format!("{of}{n_gone} rows are gone at the source, and are kept with '{DELETED_AT}'")));
        }
        Ok(())
    }

    /// Puts the rows where readers find them.
    pub(super) fn place(&self, session: &mut dyn Session, updating: Option<&Updating<'_>>, notes: &mut Notes) -> Result<Placed> {
        // Somebody may have made a table of that name while rows were fetched.
        let shape = self.store.check_target(session)?;
        begin_changes(self.store, session)?;
        if let Placing::Keep(known) = self.placing {
            if self.store.exists(session, &self.store.staging)? {
                session.execute(&format!("DROP TABLE {}", self.store.staging))?;
            }
            return Ok(Placed {
                schema: known.clone(),
                changes: Vec::new(),
                rows: Changes::default(),
                is_new: false,
                shape,
                may_lose_entries: false,
            });
        }
        let mut staged = self.written.complete(session, &fallback_columns(self.table_def), self.placing.known(), updating.is_none())?;
        if let Some(known) = self.known_of_gone() {
            staged = staged.with_rows_of(known);
        }
        notes.extend(cut_notes(&staged));
        if updating.is_none() && self.n_rows > 0 {
            let misspelt = unknown_names(self.table_def, &staged).into_iter();
            let empty = empty_sources(session, &self.store.staging, self.table_def, &staged)?;
            notes.extend(misspelt.chain(empty).map(|warning| (LogLevel::Warning, warning)));
        }
        match updating {
            Some(updating) => {
                let Merged { schema, rows, may_lose_entries } = updating.merge(session, &staged, notes)?;
                let changes = changes_between(updating.known, &schema);
                Ok(Placed { schema, changes, rows, is_new: false, shape: None, may_lose_entries })
            }
            None => {
                let (table_def, setting, known) = (self.table_def, self.expect, self.placing.known());
                Guards { store: self.store, table_def, setting, known }.check(session, &staged)?;
                self.swap(session, staged)
            }
        }
    }

    /// Puts the staging table in the place of the table.
    fn swap(&self, session: &mut dyn Session, schema: TableSchema) -> Result<Placed> {
        let Store { target, staging, .. } = self.store;
        let existed = self.store.exists(session, target)?;
        let mut changes = Vec::new();
        let rows = self.changed_by_swap(session, &schema, existed)?;
        let kept = if existed { Kept::of(session, self.store)? } else { Kept::default() };
        if let (true, Some(known)) = (existed, self.placing.known()) {
            changes = changes_between(known, &schema);
            changes.extend(vanished_columns(session, known, target, staging)?);
        }
        kept.put_in_place(session, self.store, NewTable { name: staging, schema: &schema }, self.table_def)?;
        Ok(Placed { schema, changes, rows, is_new: !existed, shape: None, may_lose_entries: false })
    }

    /// Returns how many rows change where the staging table, of the columns `schema`, takes the place of the table, and notes the rows where they
    /// are kept. Rows that another spec made are all others.
    fn changed_by_swap(&self, session: &mut dyn Session, schema: &TableSchema, existed: bool) -> Result<Changes> {
        let (Some(known), true) = (self.placing.known(), existed) else {
            let removed = if existed { session.count(&format!("SELECT count(*) FROM {}", self.store.target))? } else { 0 };
            return Ok(Changes { added: self.n_rows, changed: 0, removed });
        };
        let compared = compared_columns(schema);
        Compared {
            store: self.store,
            schema: &compared,
            key_columns: &self.table_def.key_columns,
            before: rows_as(self.store, known, &compared),
            after: live_rows(&self.store.staging, schema, &compared),
            keeps_rows: self.keeps_changes,
        }
        .note(session)
    }

    /// Returns whether the table has other columns now than it had, or may have.
    pub(super) fn has_new_columns(&self, placed: &Placed) -> bool {
        let columns = |schema: &TableSchema| -> Vec<(String, ColumnType)> {
            schema.columns.iter().map(|column| (column.name.clone(), column.column_type)).collect()
        };
        placed.is_new || self.placing.known().is_none_or(|known| columns(known) != columns(&placed.schema))
    }

    /// Returns the statements that note what the table is now.
    pub(super) fn record_sql(&self, session: &mut dyn Session, placed: &Placed, job_id: i64) -> Result<String> {
        let cursor = cursor_text(session, self.store, self.table_def, &placed.schema)?;
        // Columns that stand for unknown ones are forgotten when there are some.
        let is_fallback = self.written.staging.schema().is_blank();
        let columns = if is_fallback { TableSchema::default().to_text() } else { placed.schema.to_text() };
        let place = loaded_place(self.origin.spec, self.origin.is_lacking);
        let row = StateRow {
            table: &self.store.target.table,
            status: "complete",
            place: Some(&place),
            cursor: cursor.as_deref(),
            columns: Some(&columns),
            started: Some(self.origin.started),
            sets: self.sets.names,
        };
        let fingerprint = match &placed.shape {
            Some(shape) => Some(shape.clone()),
            None => self.store.fingerprint(session, row.table)?,
        };
        let mut sql = self.store.published_sql(&row, fingerprint.as_deref());
        let keeps_rows = self.keeps_changes && !placed.is_new && !self.table_def.key_columns.is_empty();
        sql.push_str(&changes_sql(self.store, placed.rows, keeps_rows, job_id));
        sql.push_str(&self.marks.sql(&self.store.unify_schema, &self.store.target));
        if placed.is_new {
            let record = JobRecord { id: self.create_id, parent_id: Some(job_id), action: "create", n_rows: None, error: None };
            sql.push_str(&self.subject.record_sql(record));
        }
        sql.push_str(&self.subject.changes_sql(job_id, &placed.changes));
        Ok(sql)
    }
}
