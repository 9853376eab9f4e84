//! Swaps complete staging tables for their tables, or merges them in, with views, comments, state and the job's end, in one transaction.

use crate::load::job::handle::Job;
use crate::load::job::log::Notes;
use crate::load::job::report::LogLine;
use crate::load::publish::constraint::explained_lacking;
use crate::load::publish::kept::Kept;
use crate::load::publish::merge::Updating;
use crate::load::publish::table::{Placing, PublishedTable};
use crate::load::publish::views::create_views;
use crate::load::records::audit::{AuditSubject, JobRecord};
use crate::load::records::live_jobs;
use crate::load::records::store::Store;
use crate::session::{Database, LogLevel, Session};
use crate::spec::Connection;
use crate::{DatabaseErrorType, Error, ErrorKind, Result};

/// What is published at once, and under which job.
pub struct Publication<'a> {
    pub connection: &'a Connection,
    pub job: &'a Job,
    /// The table of the job, whose records are about it.
    pub store: &'a Store,
    pub subject: &'a AuditSubject,
    /// Id and action of the record of the job's end.
    pub end_id: i64,
    pub end_action: &'static str,
    /// The tables: that of the job first, then its children.
    pub tables: Vec<PublishedTable<'a>>,
}

/// What was published.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Rows of the job's table.
    pub n_rows: u64,
    /// Whether indexes lose entries when DuckDB replays it.
    pub may_lose_entries: bool,
}

/// What one try to publish came to.
enum Tried<'a> {
    /// All tables are what they are to be. Whether indexes of one lose entries when DuckDB replays that.
    Done { may_lose_entries: bool },
    /// This view could not be made, for this reason.
    WithoutView(&'a str, Error),
}

impl Publication<'_> {
    /// Makes the staging tables the tables, or merges them in. Readers see all tables as they were or as they are then.
    ///
    /// A view that cannot be made is left out: it names a column that this account's rows do not have, which must not
    /// withhold the table. Since its failure ends the transaction, everything is done again without it.
    pub fn publish(mut self, database: &dyn Database) -> Result<Published> {
        let updating: Vec<Option<Updating<'_>>> = self.tables.iter().map(PublishedTable::updating).collect();
        self.join_chunks(database)?;
        self.remove_repeated(database)?;
        self.keep_gone(database)?;
        let n_rows = self.n_rows();
        let mut left_out: Vec<&str> = Vec::new();
        loop {
            let mut failed: Option<&str> = None;
            let mut written: Vec<LogLine> = Vec::new();
            let mut may_lose_entries = false;
            let outcome = self.store.transact(database, &|| self.job.check_cancelled(), |session| {
                self.job.put_back_log(std::mem::take(&mut written));
                match self.try_publish(session, &updating, &left_out)? {
                    Tried::Done { may_lose_entries: may_lose } => may_lose_entries = may_lose,
                    Tried::WithoutView(view, err) => {
                        failed = Some(view);
                        return Err(err);
                    }
                }
                written = self.job.take_log();
                // Said in this transaction or not at all: it is not among what is put back when that fails.
                let published = LogLine::new(LogLevel::Info, format!("published, rows: {n_rows}"));
                let published = self.job.keeps(LogLevel::Info).then_some(published);
                let lines: Vec<LogLine> = written.iter().cloned().chain(published).collect();
                self.subject.write_log(session, self.job.id(), &lines)
            });
            let err = match outcome {
                Ok(()) => return Ok(Published { n_rows, may_lose_entries }),
                Err(err) => self.explained(database, err),
            };
            self.job.put_back_log(written);
            if err.kind() == ErrorKind::Refused {
                self.drop_staging(database);
            }
            let Some(view) = failed else { return Err(err) };
            self.job.log(LogLevel::Warning, || format!("view '{view}' was not made: {err}"));
            left_out.push(view);
        }
    }

    /// Returns how many rows of the job's table are published.
    fn n_rows(&self) -> u64 {
        self.tables.first().map_or(0, |table| table.n_rows)
    }

    /// Makes one row of those that came for one record, where several requests ask for its fields. That is a transaction of its own, as the one
    /// after it is.
    fn join_chunks(&mut self, database: &dyn Database) -> Result<()> {
        let Publication { store, job, tables, .. } = self;
        let Some(table) = tables.first_mut().filter(|table| table.table_def.is_chunked()) else { return Ok(()) };
        if matches!(table.placing, Placing::Keep(_)) || table.written.staging.made().is_none() {
            return Ok(());
        }
        let mut notes = Notes::new();
        let n_joined = store.transact(database, &|| job.check_cancelled(), |session| {
            check_live(session, store, job)?;
            notes.clear();
            table.join_chunks(session, &mut notes)
        })?;
        table.n_rows = table.n_rows.saturating_sub(n_joined);
        for (level, note) in notes {
            job.log(level, || note);
        }
        Ok(())
    }

    /// Removes the staged rows that are gone, and leaves one of each of those that came more than once. That is a transaction of its own: DuckDB
    /// cannot replay one that deletes rows of a table and renames it.
    fn remove_repeated(&mut self, database: &dyn Database) -> Result<()> {
        let Publication { store, job, tables, .. } = self;
        if !tables.iter().any(|table| table.may_repeat() || table.has_deleted()) {
            return Ok(());
        }
        let mut notes = Notes::new();
        let n_rows = store.transact(database, &|| job.check_cancelled(), |session| {
            check_live(session, store, job)?;
            notes.clear();
            remove_repeated_of(session, tables, &mut notes)
        })?;
        tables.iter_mut().zip(n_rows).for_each(|(table, n_rows)| table.n_rows = n_rows);
        for (level, note) in notes {
            job.log(level, || note);
        }
        Ok(())
    }

    /// Adds the rows that are gone to those of the tables that keep them. That is a transaction of its own, as the one before is.
    fn keep_gone(&mut self, database: &dyn Database) -> Result<()> {
        let Publication { store, job, tables, .. } = self;
        if !tables.iter().any(|table| table.written.keeps_deleted && !table.is_merged()) {
            return Ok(());
        }
        let mut notes = Notes::new();
        let n_rows = store.transact(database, &|| job.check_cancelled(), |session| {
            check_live(session, store, job)?;
            notes.clear();
            tables.iter().map(|table| table.keep_gone(session, &mut notes)).collect::<Result<Vec<()>>>()?;
            tables.iter().map(|table| table.n_live(session)).collect::<Result<Vec<u64>>>()
        })?;
        // Rows that an earlier try kept are among those that were staged.
        tables.iter_mut().zip(n_rows).for_each(|(table, n_rows)| table.n_rows = n_rows);
        for (level, note) in notes {
            job.log(level, || note);
        }
        Ok(())
    }

    /// Drops the staged rows that the tables refuse: they would be refused again. Whether that can be done or not, the refusal is what the
    /// user is to hear.
    fn drop_staging(&self, database: &dyn Database) {
        let sql: String = self.tables.iter().map(|table| table.store.drop_staging_sql()).collect();
        if self.store.transact(database, &|| self.job.check_cancelled(), |session| session.execute(&sql)).is_ok() {
            self.job.counters().publishes(0);
        }
    }

    /// Returns an error of the transaction's end with what a table has that the rows do not fit; any other as it is.
    fn explained(&self, database: &dyn Database, mut err: Error) -> Error {
        if let Some(lacking) = explained_lacking(self.store, &err) {
            return lacking;
        }
        if err.database_type() != Some(DatabaseErrorType::Transaction) {
            return err;
        }
        for table in &self.tables {
            let kept = database.connect().and_then(|mut session| {
                session.execute("BEGIN")?;
                Kept::of(session.as_mut(), table.store)
            });
            if let Ok(kept) = kept {
                err = kept.explained(table.store, err);
            }
        }
        err
    }

    /// Publishes, but for the views in `left_out`.
    fn try_publish(&self, session: &mut dyn Session, updating: &[Option<Updating<'_>>], left_out: &[&str]) -> Result<Tried<'_>> {
        check_live(session, self.store, self.job)?;
        let mut notes = Notes::new();
        if let (Some(Some(updating)), Some((table, children))) = (updating.first(), self.tables.split_first()) {
            remove_children_of_older(session, updating, table, children)?;
        }
        let mut placed = Vec::with_capacity(self.tables.len());
        for (table, updating) in self.tables.iter().zip(updating) {
            placed.push(table.place(session, updating.as_ref(), &mut notes)?);
        }
        for (table, placed) in self.tables.iter().zip(&placed) {
            let has_new_columns = table.has_new_columns(placed);
            if let Some((view, err)) = create_views(table.store, session, self.connection, has_new_columns, left_out)? {
                return Ok(Tried::WithoutView(view, err));
            }
        }
        for (level, note) in notes {
            self.job.log(level, || note);
        }
        let mut sql = String::new();
        for (table, placed) in self.tables.iter().zip(&placed) {
            sql.push_str(&table.record_sql(session, placed, self.job.id())?);
        }
        sql.push_str(&self.subject.record_sql(JobRecord {
            id: self.end_id,
            parent_id: Some(self.job.id()),
            action: self.end_action,
            n_rows: Some(self.n_rows()),
            error: None,
        }));
        if self.store.kind.is_shared() {
            sql.push_str(&live_jobs::leave_sql(&self.store.unify_schema, self.job.id()));
        }
        session.execute(&sql)?;
        Ok(Tried::Done { may_lose_entries: placed.iter().any(|placed| placed.may_lose_entries) })
    }
}

/// Removes the staged rows that a later record says are gone, and leaves one of each of those that came more than once: first of the table itself,
/// whose children go with them. Returns how many rows each table has then.
fn remove_repeated_of(session: &mut dyn Session, tables: &[PublishedTable<'_>], notes: &mut Notes) -> Result<Vec<u64>> {
    let mut n_rows: Vec<u64> = tables.iter().map(|table| table.n_rows).collect();
    let mut lost_parents = false;
    for (idx, table) in tables.iter().enumerate() {
        let n_deleted = if table.has_deleted() { table.remove_deleted(session, notes)? } else { 0 };
        let n_repeated = if table.may_repeat() { table.remove_repeated(session, notes)? } else { 0 };
        let n_removed = n_deleted + n_repeated;
        if idx == 0 && n_removed > 0 {
            remove_orphans(session, table, &tables[1..])?;
            lost_parents = true;
        }
        // A child of which no row came may have no staging table.
        if n_removed > 0 || (lost_parents && table.row_number().is_some()) {
            n_rows[idx] = table.n_staged(session)?;
        }
    }
    Ok(n_rows)
}

/// Removes the staged rows of children whose parents' rows went.
fn remove_orphans(session: &mut dyn Session, table: &PublishedTable<'_>, children: &[PublishedTable<'_>]) -> Result<()> {
    let Some(number) = table.row_number() else { return Ok(()) };
    for (child, own) in numbered(children) {
        let (rows, parents) = (&child.store.staging, &table.store.staging);
        session.execute(&format!("DELETE FROM {rows} AS c WHERE NOT EXISTS (SELECT 1 FROM {parents} AS p WHERE p.{number} = c.{own})"))?;
    }
    Ok(())
}

/// Removes the staged rows of children whose parents' rows came again later in the same updates: the children of the newest are merged.
fn remove_children_of_older(
    session: &mut dyn Session,
    updating: &Updating<'_>,
    table: &PublishedTable<'_>,
    children: &[PublishedTable<'_>],
) -> Result<()> {
    let older = match children.is_empty() || table.n_rows == 0 {
        true => None,
        false => updating.older_rows_sql(table.written.staging.schema())?,
    };
    let Some(older) = older else { return Ok(()) };
    for (child, own) in numbered(children) {
        session.execute(&format!("DELETE FROM {} WHERE {own} IN ({older})", child.store.staging))?;
    }
    Ok(())
}

/// Returns the children that have a staging table, with its column of the parents' numbers, quoted.
fn numbered<'t>(children: &'t [PublishedTable<'t>]) -> impl Iterator<Item = (&'t PublishedTable<'t>, String)> {
    children.iter().filter_map(|child| Some((child, child.row_number()?)))
}

/// Fails when another process took the job for dead.
fn check_live(session: &mut dyn Session, store: &Store, job: &Job) -> Result<()> {
    match store.kind.is_shared() {
        true => live_jobs::check(session, &store.unify_schema, job.id()),
        false => Ok(()),
    }
}
