//! Takes back rows that came twice: while pages are asked for by number or offset, a row added at the source moves others to the next page.
//!
//! Only a key tells such a row from another one that is like it. Rows with one key and other values are all kept: which is right is not known.

use super::merge::Notes;
use super::merge_sql::Merge;
use super::store::Store;
use crate::columns::TableSchema;
use crate::session::{LogLevel, Session};
use crate::spec::{Paging, TableDef};
use crate::Result;

/// Leaves one of each of the staging table's rows that came more than once, inside the session's transaction. Returns how many went.
pub fn remove_repeated(
    session: &mut dyn Session,
    store: &Store,
    table_def: &TableDef,
    schema: &TableSchema,
    notes: &mut Notes,
) -> Result<u64> {
    if !matches!(table_def.paging, Paging::PageAndCount { .. } | Paging::OffsetAndCount { .. }) {
        return Ok(0);
    }
    // A key that is no column of this account's rows tells nothing.
    let Ok(merge) = Merge::new((&store.target, &store.staging), schema, &table_def.key_columns, None) else { return Ok(0) };
    let Some(repeats) = merge.repeats_sql() else { return Ok(0) };
    if session.count(&repeats)? == 0 {
        return Ok(0);
    }
    let staged = format!("SELECT count(*) FROM {}", store.staging);
    let n_before = session.count(&staged)?;
    session.execute(&merge.distinct_sql())?;
    let n_removed = n_before.saturating_sub(session.count(&staged)?);
    let key = table_def.key_columns.join(", ");
    if n_removed > 0 {
        let message =
            format!("{n_removed} rows came again with the same key ({key}) and the same values: rows moved while pages were asked for");
        notes.push((LogLevel::Info, message));
    }
    let n_left = session.count(&repeats)?;
    if n_left > 0 {
        let message = format!("{n_left} rows have the key ({key}) of another row and other values: all are kept; is the key complete?");
        notes.push((LogLevel::Warning, message));
    }
    Ok(n_removed)
}
