//! The SQL that merges new and changed rows from a staging table into the table they belong to.
//!
//! Only statements that attached catalogs know, too: DELETE, INSERT ... SELECT, EXCEPT ALL. Texts are equal when their bytes are, whatever
//! collation the session or the table's column has.

use crate::columns::{Column, ColumnType, TableSchema};
use crate::load::plan::named::{column_named, find_column};
use crate::session::{quote_ident, TableName};
use crate::spec::ScalarType;
use crate::yaml::nearest;
use crate::{Error, Result};

/// A merge of one table: both tables have the same columns by name, with the same types.
#[derive(Debug, Clone)]
pub struct Merge<'a> {
    pub target: &'a TableName,
    pub staging: &'a TableName,
    /// The columns, as the tables have them.
    columns: Vec<&'a Column>,
    /// Those that identify a row; empty: nothing does.
    keys: Vec<&'a Column>,
    /// Whether the key of a new row may be null in part.
    pub may_lack_keys: bool,
    /// The condition for a row `t` of the target that is replaced whatever its key is, where there are such rows.
    pub span: Option<String>,
    cursor: Option<&'a str>,
    /// The column of the staging table that marks rows as gone.
    deleted: Option<&'a str>,
    /// The column of the staging table that numbers its rows, for those of children.
    number: Option<&'a str>,
}

impl<'a> Merge<'a> {
    /// Prepares the merge. Fails when a key column is not among the columns.
    pub fn new(
        target: &'a TableName,
        staging: &'a TableName,
        schema: &'a TableSchema,
        key_columns: &[String],
        cursor: Option<&str>,
    ) -> Result<Merge<'a>> {
        let mut keys = Vec::new();
        for key in key_columns {
            let Some(column) = find_column(schema, key) else {
                let names = schema.columns.iter().map(|column| column.name.as_str());
                let hint = nearest(key, names).map_or(String::new(), |name| format!(" (did you mean '{name}'?)"));
                return Err(Error::config(format!(
                    "the key column '{key}' is not among the table's columns{hint}; correct the key in the spec, or DROP the table to load it anew"
                )));
            };
            keys.push(column);
        }
        let deleted = schema.deleted().map(|column| column.name.as_str());
        let number = schema.row_number();
        let is_mark = |column: &&Column| [deleted, number].contains(&Some(column.name.as_str()));
        let columns = schema.columns.iter().filter(|column| !is_mark(column)).collect();
        Ok(Merge {
            target,
            staging,
            columns,
            keys,
            may_lack_keys: true,
            span: None,
            cursor: cursor.and_then(|cursor| column_named(schema, cursor)),
            deleted,
            number,
        })
    }

    /// Returns whether rows replace others: without a key they are only added.
    pub fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Returns the column by which the newest of several rows is known.
    pub fn cursor(&self) -> Option<&'a str> {
        self.cursor
    }

    /// Returns the query for the number of new rows whose key is null in part; `None` without a key.
    pub fn null_keys_sql(&self) -> Option<String> {
        self.has_key().then(|| format!("SELECT count(*) FROM {} WHERE {}", self.staging, self.key_is_null()))
    }

    /// Returns the query for the number of new rows that other new rows with the same key replace; `None` without a key.
    pub fn repeats_sql(&self) -> Option<String> {
        let keys = binary_list(&self.keys);
        self.has_key().then(|| {
            format!(
                "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {} WHERE NOT ({}) GROUP BY {keys} HAVING count(*) > 1)",
                self.staging,
                self.key_is_null()
            )
        })
    }

    /// Returns the query for the number of new rows that other new rows with the same key replace, those not counted that say that a row is gone;
    /// `None` without a key.
    pub fn live_repeats_sql(&self) -> Option<String> {
        self.has_key().then(|| format!("SELECT count(*) FROM {} AS t WHERE {}", self.staging, self.key_repeats()))
    }

    /// Returns the query for the number of the staging table's rows that have the key of another one and other values.
    pub fn changed_sql(&self) -> String {
        let (distinct, keys) = (named_binary_list(&self.columns), binary_list(&self.keys));
        let rows = format!("SELECT DISTINCT {distinct} FROM {} AS t WHERE {}", self.staging, self.key_repeats());
        format!("SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM ({rows}) GROUP BY {keys} HAVING count(*) > 1)")
    }

    /// Returns the statements that leave one of the staging table's rows that are equal in all columns, where other rows have their key.
    pub fn distinct_sql(&self) -> String {
        let (distinct, staging) = (named_binary_list(&self.columns), self.staging);
        self.replaced_sql(&match self.number.map(quote_ident) {
            None => format!("SELECT DISTINCT {distinct} FROM {staging} AS t WHERE {}", self.key_repeats()),
            Some(number) => {
                format!("SELECT {distinct}, max({number}) AS {number} FROM {staging} AS t WHERE {} GROUP BY ALL", self.key_repeats())
            }
        })
    }

    /// Returns the statements that leave one of the staging table's rows with one key: the newest, as [`Merge::sql`] takes it.
    pub fn newest_sql(&self, repeats: Repeats) -> String {
        let from = format!("{} AS t WHERE {}", self.staging, self.key_repeats());
        self.replaced_sql(&self.last_rows_sql(&self.staged_list(), repeats, &from))
    }

    /// Returns the statements that leave one of the staging table's rows with one key: the one that came first.
    pub fn first_sql(&self, repeats: Repeats) -> String {
        let from = format!("{} AS t WHERE {}", self.staging, self.key_repeats());
        let (columns, rank) = (self.staged_list(), quote_ident(&self.unused("rank")));
        self.replaced_sql(&format!("SELECT {columns} FROM ({}) WHERE {rank} = 1", self.ranked_by("", "ASC", repeats, &from)))
    }

    /// Returns the statements that remove the staging table's rows that say that a row is gone, and leave of the others with their key the newest,
    /// where it is newer than they are.
    pub fn remove_deleted_sql(&self, repeats: Repeats) -> String {
        let (columns, staging) = (self.staged_list(), self.staging);
        let Some(deleted) = self.deleted.map(quote_ident) else { return String::new() };
        let marks = format!("DELETE FROM {staging} WHERE {deleted};");
        if !self.has_key() {
            return marks;
        }
        let is_told = self.has_key_among("temp.main.unify_gone");
        let newest = self.last_rows_sql(&columns, repeats, &format!("{staging} AS t WHERE {is_told}"));
        format!(
            "CREATE TEMP TABLE unify_gone AS SELECT DISTINCT {} FROM {staging} WHERE {deleted};\n\
             CREATE TEMP TABLE unify_repeated AS {newest};\n\
             DELETE FROM {staging} AS t WHERE {is_told};\n\
             {marks}\n\
             INSERT INTO {staging} ({columns}) SELECT {columns} FROM temp.main.unify_repeated;\n\
             DROP TABLE temp.main.unify_repeated;\n\
             DROP TABLE temp.main.unify_gone;",
            named_binary_list(&self.keys),
        )
    }

    /// Returns the statements that put the rows of a query in the place of all of the staging table's with their keys.
    fn replaced_sql(&self, query: &str) -> String {
        let (columns, staging) = (self.staged_list(), self.staging);
        format!(
            "CREATE TEMP TABLE unify_repeated AS {query};\n\
             DELETE FROM {staging} AS t WHERE {}{};\n\
             INSERT INTO {staging} ({columns}) SELECT {columns} FROM temp.main.unify_repeated;\n\
             DROP TABLE temp.main.unify_repeated;",
            self.has_key_among("temp.main.unify_repeated"),
            self.and_is_there()
        )
    }

    /// Returns the condition for a row `t` of the staging table that another one has the key of.
    fn key_repeats(&self) -> String {
        let (keys, grouped, staging) = (named_binary_list(&self.keys), binary_list(&self.keys), self.staging);
        let there = self.deleted.map_or(String::new(), |column| format!(" WHERE {} IS NULL", quote_ident(column)));
        let repeated = format!("(SELECT {keys} FROM {staging}{there} GROUP BY {grouped} HAVING count(*) > 1)");
        format!("{}{}", self.has_key_among(&repeated), self.and_is_there())
    }

    /// Returns the statements that merge, for the caller's transaction. `repeats` says what to do about new rows with one key.
    pub fn sql(&self, repeats: Repeats) -> String {
        let (target, staging) = (self.target, self.staging);
        let in_span = self.span.as_ref().map_or(String::new(), |span| format!("DELETE FROM {target} AS t WHERE {span};\n"));
        if !self.has_key() {
            return format!("{in_span}INSERT INTO {target} ({}) {};", list_of(&self.columns), self.unknown_rows_sql("true"));
        }
        format!(
            "{in_span}DELETE FROM {target} AS t WHERE {};\n{}",
            self.has_key_among(&staging.to_string()),
            self.insert_sql(&self.live_rows_sql(repeats))
        )
    }

    /// Returns the statements that add the live rows, which `live` queries, and the new ones without a key.
    pub fn insert_sql(&self, live: &str) -> String {
        let (columns, target) = (list_of(&self.columns), self.target);
        let keyless = self.added_rows_sql().map_or(String::new(), |rows| format!("\nINSERT INTO {target} ({columns}) {rows};"));
        format!("INSERT INTO {target} ({columns}) {live};{keyless}")
    }

    /// Returns the query for the new rows that have a key and are not gone: the newest of those with one key.
    pub fn live_rows_sql(&self, repeats: Repeats) -> String {
        let (columns, staging) = (list_of(&self.columns), self.staging);
        match repeats {
            Repeats::None => format!("SELECT {columns} FROM {staging} WHERE NOT ({}){}", self.key_is_null(), self.and_is_there()),
            _ => self.last_rows_sql(&columns, repeats, &staging.to_string()),
        }
    }

    /// Returns the query for the new rows that are added whatever there is: those without a key that the target does not have. `None` where
    /// all have one.
    pub fn added_rows_sql(&self) -> Option<String> {
        match self.has_key() {
            true => self.may_lack_keys.then(|| self.unknown_rows_sql(&self.key_is_null())),
            false => Some(self.unknown_rows_sql("true")),
        }
    }

    /// Rows that `condition` picks, but for those the target has already: as many of each as there are more.
    fn unknown_rows_sql(&self, condition: &str) -> String {
        let columns = named_binary_list(&self.columns);
        let (target, staging, is_there) = (self.target, self.staging, self.and_is_there());
        // Equal rows have equal cursors: what lies before all new ones need not be looked at.
        let is_near = self.cursor.map_or(String::new(), |cursor| {
            let cursor = quote_ident(cursor);
            format!(" AND ({cursor} IS NULL OR {cursor} >= (SELECT min({cursor}) FROM {staging}))")
        });
        let stays = self.span.as_ref().map_or(String::new(), |span| format!(" AND NOT coalesce({span}, false)"));
        format!(
            "SELECT {columns} FROM {staging} WHERE ({condition}){is_there} \
             EXCEPT ALL SELECT {columns} FROM {target} AS t WHERE ({condition}){is_near}{stays}"
        )
    }

    /// Returns the columns of the staging table, but for the one that marks rows as gone.
    fn staged_list(&self) -> String {
        let number = self.number.map_or(String::new(), |number| format!(", {}", quote_ident(number)));
        format!("{}{number}", list_of(&self.columns))
    }

    /// Of the rows of `from` with one key: the one with the greatest cursor, of those the one that came last.
    fn last_rows_sql(&self, columns: &str, repeats: Repeats, from: &str) -> String {
        let rank = quote_ident(&self.unused("rank"));
        format!("SELECT {columns} FROM ({}) WHERE {rank} = 1{}", self.ranked_sql(repeats, from), self.and_is_there())
    }

    /// The rows of `from` that have a key, with their rank among those that have the same one: 1 is the newest.
    fn ranked_sql(&self, repeats: Repeats, from: &str) -> String {
        let Some(cursor) = self.cursor.map(quote_ident) else { return self.ranked_by("", "DESC", repeats, from) };
        let Some(deleted) = self.deleted.map(quote_ident) else {
            return self.ranked_by(&format!("{cursor} DESC NULLS LAST, "), "DESC", repeats, from);
        };
        // A record that says that a row is gone may lack the cursor: it is as new as the newest of those with its key that came before it.
        let (reached, place) = (quote_ident(&self.unused("reached")), quote_ident(&self.unused("place")));
        let newest = format!("max({cursor}) OVER (PARTITION BY {} ORDER BY {place})", binary_list(&self.keys));
        let rows = format!(
            "(SELECT *, CASE WHEN {cursor} IS NULL AND {deleted} THEN {newest} ELSE {cursor} END AS {reached} FROM {})",
            self.placed(repeats, from)
        );
        self.ranked_in(&format!("{reached} DESC NULLS LAST, {place} DESC"), &rows)
    }

    /// The rows of `from` that have a key, with their rank among those that have the same one: by `first`, then by how they came.
    fn ranked_by(&self, first: &str, direction: &str, repeats: Repeats, from: &str) -> String {
        let place = quote_ident(&self.unused("place"));
        self.ranked_in(&format!("{first}{place} {direction}"), &self.placed(repeats, from))
    }

    /// The rows of a query that have a key, with their rank in that order among those that have the same one.
    fn ranked_in(&self, order: &str, rows: &str) -> String {
        let rank = quote_ident(&self.unused("rank"));
        format!(
            "SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {order}) AS {rank} FROM {rows} WHERE NOT ({})",
            binary_list(&self.keys),
            self.key_is_null(),
        )
    }

    /// The rows of `from`, each with the place at which it came.
    fn placed(&self, repeats: Repeats, from: &str) -> String {
        let place = quote_ident(&self.unused("place"));
        let order = match repeats {
            Repeats::ByRowId => "rowid",
            // In the order of the scan, which is that of writing.
            Repeats::ByScan | Repeats::None => "row_number() OVER ()",
        };
        format!("(SELECT *, {order} AS {place} FROM {from})")
    }

    /// Returns the query for the numbers of the new rows that others with the same key replace; `None` where rows have no numbers or no key.
    pub fn older_rows_sql(&self, repeats: Repeats) -> Option<String> {
        let (number, rank) = (quote_ident(self.number?), quote_ident(&self.unused("rank")));
        let ranked = || self.ranked_sql(repeats, &self.staging.to_string());
        self.has_key().then(|| format!("SELECT {number} FROM ({}) WHERE {rank} > 1", ranked()))
    }

    /// Returns the query for the number of new rows that say that a row is gone; `None` where none does.
    pub fn deleted_sql(&self) -> Option<String> {
        self.deleted.map(|column| format!("SELECT count(*) FROM {} WHERE {}", self.staging, quote_ident(column)))
    }

    /// Returns the rest of a condition for new rows that are not gone.
    fn and_is_there(&self) -> String {
        self.deleted.map_or(String::new(), |column| format!(" AND {} IS NULL", quote_ident(column)))
    }

    fn key_is_null(&self) -> String {
        self.keys.iter().map(|key| format!("{} IS NULL", quote_ident(&key.name))).collect::<Vec<_>>().join(" OR ")
    }

    /// Returns the statement that removes the rows in the span whose key is null in part; nothing where there is no span.
    pub fn keyless_in_span_sql(&self) -> String {
        let sql = |span: &String| format!("DELETE FROM {} AS t WHERE {span} AND ({});\n", self.target, self.key_is_null());
        self.span.as_ref().map_or(String::new(), sql)
    }

    /// Returns the condition for a row `t` of the target that staged rows replace, or say is gone.
    pub fn is_replaced(&self) -> String {
        let by_key = self.has_key().then(|| self.has_key_among(&self.staging.to_string()));
        let conditions: Vec<&str> = self.span.iter().chain(&by_key).map(String::as_str).collect();
        if conditions.len() > 1 {
            format!("({})", conditions.join(" OR "))
        } else {
            conditions.concat()
        }
    }

    /// Returns the condition for a row `t` of the target that has the key of a row of `from`, which has the new rows' columns.
    ///
    /// DuckDB 1.5 compares for a correlated EXISTS with IS NOT DISTINCT FROM, and then reads the whole table. For IN it takes `=`, and skips
    /// what lies beyond the least and the greatest key.
    pub fn has_key_among(&self, from: &str) -> String {
        let of = |row: &str| self.keys.iter().map(|key| binary(row, key)).collect::<Vec<_>>().join(", ");
        format!("({}) IN (SELECT {} FROM {from} AS d)", of("t."), of("d."))
    }

    /// Returns how to rank rows with one key: by row id, unless a column has that name or the catalog has no row ids.
    pub fn ranking(&self, has_row_ids: bool) -> Repeats {
        let is_taken = self.columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid"));
        if has_row_ids && !is_taken {
            Repeats::ByRowId
        } else {
            Repeats::ByScan
        }
    }

    /// Returns a name that no column has.
    fn unused(&self, name: &str) -> String {
        let mut name = format!("unify_{name}");
        while self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            name.push('_');
        }
        name
    }
}

/// What new rows with one key are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// There are none.
    None,
    ByRowId,
    ByScan,
}

fn list_of(columns: &[&Column]) -> String {
    columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ")
}

/// Returns the column, which `of` names the table of, as what DuckDB compares by its bytes.
pub fn binary(of: &str, column: &Column) -> String {
    let name = format!("{of}{}", quote_ident(&column.name));
    match column.column_type {
        ColumnType::Undecided | ColumnType::Scalar(ScalarType::Varchar) => format!("{name} COLLATE \"binary\""),
        ColumnType::Json => format!("CAST({name} AS VARCHAR) COLLATE \"binary\""),
        ColumnType::Scalar(_) | ColumnType::List(_) | ColumnType::Native(_) => name,
    }
}

/// Returns the columns as what DuckDB compares by its bytes.
pub fn binary_list(columns: &[&Column]) -> String {
    columns.iter().map(|column| binary("", column)).collect::<Vec<_>>().join(", ")
}

/// Returns the columns, to be selected under their names.
fn named_binary_list(columns: &[&Column]) -> String {
    let item = |column: &&Column| match (quote_ident(&column.name), binary("", column)) {
        (name, binary) if name == binary => name,
        (name, binary) => format!("{binary} AS {name}"),
    };
    columns.iter().map(item).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "merge_sql_tests.rs"]
mod tests;
