//! Rows that are gone at the source and are kept: those of the table that a complete load does not have.

use crate::columns::{Column, TableSchema};
use crate::load::plan::named::find_column;
use crate::load::publish::merge_sql::binary;
use crate::load::records::store::Store;
use crate::load::staging::converted_sql::converted;
use crate::session::{quote_ident, Session};
use crate::Result;

/// The rows of a table that a complete load does not have.
pub struct Vanished<'a> {
    pub store: &'a Store,
    /// The columns of the table as it is.
    pub known: &'a TableSchema,
    /// Those of the staging table, among which are all of the table.
    pub staged: &'a TableSchema,
    pub key_columns: &'a [String],
    /// Since when they count as gone, in microseconds since 1970.
    pub since: i64,
}

impl Vanished<'_> {
    /// Adds them to the staging table, marked, inside the session's transaction; done again, it adds none. Rows without a key cannot be told
    /// from others, and go. Returns how many are gone since the table was loaded.
    pub fn keep(&self, session: &mut dyn Session) -> Result<u64> {
        let Store { target, staging, kind, .. } = self.store;
        let keys = self.key_columns.iter().map(|name| find_column(self.staged, name)).collect::<Option<Vec<&Column>>>();
        let (Some(mark), Some(keys)) = (self.known.deleted_at(), keys.filter(|keys| !keys.is_empty())) else { return Ok(0) };
        let is_known = |column: &&Column| self.known.columns.iter().any(|known| known.source == column.source);
        let columns: Vec<&Column> = self.staged.columns.iter().filter(is_known).collect();
        let moment = moment_sql(self.since);
        let value = |column: &&Column| {
            let value = converted(*kind, self.known, column);
            let value = if column.source == mark.source { format!("coalesce({value}, {moment})") } else { value };
            format!("{value} AS {}", quote_ident(&column.name))
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let names: Vec<String> = columns.iter().map(|column| quote_ident(&column.name)).collect();
        let names = names.join(", ");
        let has_key: Vec<String> = keys.iter().map(|key| format!("t.{} IS NOT NULL", quote_ident(&key.name))).collect();
        let gone = format!(
            "FROM (SELECT {} FROM {target}) AS t WHERE {} AND NOT EXISTS (SELECT 1 FROM {staging} AS d WHERE {})",
            values.join(", "),
            has_key.join(" AND "),
            same_values(&keys),
        );
        let n_gone = session.count(&format!("SELECT count(*) {gone} AND t.{} = {moment}", quote_ident(&mark.name)))?;
        session.execute(&format!("INSERT INTO {staging} ({names}) SELECT {names} {gone}"))?;
        Ok(n_gone)
    }
}

/// Returns the condition that rows `d` and `t` have the same values in these columns.
fn same_values(columns: &[&Column]) -> String {
    let same = |column: &&Column| format!("{} = {}", binary("d.", column), binary("t.", column));
    columns.iter().map(same).collect::<Vec<_>>().join(" AND ")
}

/// Returns a moment, in microseconds since 1970, as SQL.
pub fn moment_sql(micros: i64) -> String {
    format!("make_timestamp({micros})")
}
