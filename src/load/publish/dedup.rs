//! Takes back rows that came twice: an API sent a record again, or while pages are read, a row that is added or changed at the source moves
//! others to the next page.
//!
//! Only a key tells such a row from another one that is like it. Of rows with one key the newest stays, on whichever pages they came. Those of
//! several parameter sets that have other values all stay: the key may lack what tells the sets apart.

use crate::columns::{ColumnSource, TableSchema};
use crate::load::job::log::Notes;
use crate::load::publish::merge_sql::Merge;
use crate::load::records::store::Store;
use crate::session::{LogLevel, Session};
use crate::spec::TableDef;
use crate::Result;

/// The rows of a complete load, which wait in the staging table.
pub struct Staged<'a> {
    pub store: &'a Store,
    pub table_def: &'a TableDef,
    pub schema: &'a TableSchema,
    pub n_sets: usize,
}

impl Staged<'_> {
    /// Removes the rows that a later one with their key says are gone, and those that say so, inside the session's transaction. Returns how many
    /// went. A record that was read before it was deleted at the source is a row, and comes again as one that says so.
    pub fn remove_deleted(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        let names = self.key_of_set(&self.copied());
        // Where the key is not a column of this account's rows, nothing tells which are gone.
        let merge = self.merge(&names).or_else(|_| self.merge(&[]))?;
        let n_deleted = merge.deleted_sql().map_or(Ok(0), |sql| session.count(&sql))?;
        if n_deleted == 0 {
            return Ok(0);
        }
        let n_removed = self.removed_by(session, &merge.remove_deleted_sql(merge.ranking(self.store.kind.has_row_ids())))?;
        let message = format!("{n_deleted} rows came that say that a row is gone at the source");
        notes.push((LogLevel::Info, message));
        Ok(n_removed)
    }

    /// Leaves one of each of the rows that came more than once, inside the session's transaction. Returns how many went.
    pub fn remove_repeated(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        if self.table_def.recurse.is_some() {
            return self.remove_reached_again(session, notes);
        }
        let key = self.table_def.key_columns.join(", ");
        // A key that is not a column of this account's rows tells nothing.
        let Ok(merge) = self.merge(&self.table_def.key_columns) else { return Ok(0) };
        let Some(repeats) = merge.repeats_sql() else { return Ok(0) };
        if session.count(&repeats)? == 0 {
            return Ok(0);
        }
        let copied = self.copied();
        // Rows of one parameter set that have one key are one row.
        let (n_removed, n_changed) = match self.n_sets > 1 && copied.is_empty() {
            true => (self.removed_by(session, &merge.distinct_sql())?, 0),
            false => self.remove_older(session, &copied)?,
        };
        if n_removed > n_changed {
            let n_equal = n_removed - n_changed;
            let message = format!("{n_equal} rows came again with the same key ({key}) and the same values: each is there once");
            notes.push((LogLevel::Info, message));
        }
        if n_changed > 0 {
            notes.push(self.changed_note(&key, n_changed, merge.cursor()));
        }
        let n_left = session.count(&repeats)?;
        if n_left > 0 {
            let message = format!("{n_left} rows have the key ({key}) of another row and other values: all are kept; is the key complete?");
            notes.push((LogLevel::Warning, message));
        }
        Ok(n_removed)
    }

    /// Leaves one of each of the rows that were reached on several ways, where the table goes on below its own rows: the first, which is on the
    /// highest level. Returns how many went.
    fn remove_reached_again(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        let key = self.table_def.key_columns.join(", ");
        let Ok(merge) = self.merge(&self.table_def.key_columns) else { return Ok(0) };
        let Some(repeats) = merge.repeats_sql() else { return Ok(0) };
        if session.count(&repeats)? == 0 {
            return Ok(0);
        }
        // On each way a row has other values of the params that led to it.
        let mut own = self.schema.clone();
        own.columns.retain(|column| {
            let is_key = self.table_def.key_columns.iter().any(|key| key.eq_ignore_ascii_case(&column.name));
            is_key || !matches!(column.source, ColumnSource::Param(_))
        });
        let own = Merge::new(&self.store.target, &self.store.staging, &own, &self.table_def.key_columns, None)?;
        let n_changed = session.count(&own.changed_sql())?;
        let n_removed = self.removed_by(session, &merge.first_sql(merge.ranking(self.store.kind.has_row_ids())))?;
        notes.push(match n_changed {
            0 => (LogLevel::Info, format!("{n_removed} rows were reached on several ways, with the same key ({key}): each is there once")),
            _ => {
                let message = format!(
                    "{n_removed} rows have the key ({key}) of a row that was reached before, and {n_changed} of them other values: the first of \
                     each is kept; if they are other rows, the key is not complete"
                );
                (LogLevel::Warning, message)
            }
        });
        Ok(n_removed)
    }

    /// Leaves the newest of rows that have one key and are of one parameter set, which the copied params tell. Returns how many went, and how
    /// many of those had other values. All in one step, since the order in which they came tells which is the newest.
    fn remove_older(&self, session: &mut dyn Session, copied: &[&str]) -> Result<(u64, u64)> {
        let merge = self.merge(&self.key_of_set(copied))?;
        let n_changed = session.count(&merge.changed_sql())?;
        let n_removed = self.removed_by(session, &merge.newest_sql(merge.ranking(self.store.kind.has_row_ids())))?;
        Ok((n_removed, n_changed.min(n_removed)))
    }

    /// Says what tells which of the rows that changed is the newest.
    fn changed_note(&self, key: &str, n_changed: u64, cursor: Option<&str>) -> (LogLevel, String) {
        match cursor {
            Some(cursor) => {
                (LogLevel::Info, format!("{n_changed} rows came again with the same key ({key}) and a greater '{cursor}': they changed"))
            }
            None => {
                let message = format!(
                    "{n_changed} rows came again with the same key ({key}) and other values: those that came last are kept; if they are \
                     other rows, the key is not complete"
                );
                (LogLevel::Warning, message)
            }
        }
    }

    /// Returns the columns of the copied params.
    fn copied(&self) -> Vec<&str> {
        self.table_def.copy_params_to_output.iter().filter_map(|param| self.schema.param_column(param)).collect()
    }

    /// Returns the columns that tell a row of one parameter set from its others and from those of other sets.
    fn key_of_set(&self, copied: &[&str]) -> Vec<String> {
        self.table_def.key_columns.iter().cloned().chain(copied.iter().map(|column| column.to_string())).collect()
    }

    fn merge(&self, keys: &[String]) -> Result<Merge<'_>> {
        let cursor = self.table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        Merge::new(&self.store.target, &self.store.staging, self.schema, keys, cursor.map(|cursor| cursor.column.as_str()))
    }

    /// Returns how many of the staged rows the statements remove.
    fn removed_by(&self, session: &mut dyn Session, sql: &str) -> Result<u64> {
        let staged = format!("SELECT count(*) FROM {}", self.store.staging);
        let n_before = session.count(&staged)?;
        session.execute(sql)?;
        Ok(n_before.saturating_sub(session.count(&staged)?))
    }
}
