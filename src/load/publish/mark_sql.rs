//! The SQL that merges updates into a table that keeps rows which are gone: those get the moment since which they are gone.

use crate::load::publish::gone::moment_sql;
use crate::load::publish::merge_sql::{Merge, Repeats};
use crate::session::quote_ident;

/// How rows that are gone are marked.
#[derive(Debug, Clone, Copy)]
pub struct Marking<'a> {
    /// The column that says since when a row is gone.
    pub column: &'a str,
    /// Since when rows count as gone, in microseconds since 1970.
    pub since: i64,
}

impl Marking<'_> {
    /// Returns the statements that merge by the key of `merge`, for the caller's transaction: rows take the place of those with their key, and
    /// those that `repeats` says are gone are marked.
    pub fn merge_sql(&self, merge: &Merge<'_>, repeats: Repeats) -> String {
        self.statements(merge, repeats, merge)
    }

    /// Returns the statements that put the staged rows in the place of the rows of the same parents, whose key is that of `parents`, for the
    /// caller's transaction. A row of those that is not among them is gone.
    pub fn children_sql(&self, merge: &Merge<'_>, parents: &Merge<'_>) -> String {
        self.statements(merge, Repeats::None, parents)
    }

    /// Live rows take the place of those with their key. Of the others, those with a staged row's key by `gone` are gone.
    fn statements(&self, merge: &Merge<'_>, repeats: Repeats, gone: &Merge<'_>) -> String {
        let (target, mark, live) = (merge.target, quote_ident(self.column), merge.live_rows_sql(repeats));
        format!(
            "{}DELETE FROM {target} AS t WHERE {};\n\
             UPDATE {target} AS t SET {mark} = {} WHERE t.{mark} IS NULL AND {};\n\
             {}",
            merge.keyless_in_span_sql(),
            merge.has_key_among(&format!("({live})")),
            moment_sql(self.since),
            gone.is_replaced(),
            merge.insert_sql(&live),
        )
    }
}
