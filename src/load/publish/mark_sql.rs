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
        let same = merge.same_key();
        self.statements(merge, repeats, &same, &same)
    }

    /// Returns the statements that put the staged rows in the place of the rows of the same parents, whose key is that of `parents`, for the
    /// caller's transaction. A row of those that is not among them is gone.
    pub fn children_sql(&self, merge: &Merge<'_>, parents: &Merge<'_>) -> String {
        self.statements(merge, Repeats::None, &merge.same_key(), &parents.same_key())
    }

    /// `replaced` says which of the table's rows `t` a live row `d` replaces, `gone` which of the others a staged row `d` says are gone.
    fn statements(&self, merge: &Merge<'_>, repeats: Repeats, replaced: &str, gone: &str) -> String {
        let (target, staging, mark) = (merge.target, merge.staging, quote_ident(self.column));
        let (columns, live) = (merge.column_list(), merge.live_rows_sql(repeats));
        format!(
            "DELETE FROM {target} AS t WHERE EXISTS (SELECT 1 FROM ({live}) AS d WHERE {replaced});\n\
             UPDATE {target} AS t SET {mark} = {} WHERE t.{mark} IS NULL AND EXISTS (SELECT 1 FROM {staging} AS d WHERE {gone});\n\
             INSERT INTO {target} ({columns}) {live};\n\
             INSERT INTO {target} ({columns}) {};",
            moment_sql(self.since),
            merge.keyless_rows_sql(),
        )
    }
}
