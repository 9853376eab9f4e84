//! Whether the rows of a complete load are as the spec or the user expects, before they take the place of the table.

use crate::columns::{Column, TableSchema};
use crate::load::publish::merge_sql::binary_list;
use crate::load::records::store::Store;
use crate::session::{quote_ident, Session, TableName};
use crate::spec::{Expect, TableDef, Unique};
use crate::{Error, ErrorKind, Result};

/// Most findings of one kind that an error lists.
const MOST_TOLD: usize = 5;

/// What is expected of a table's rows.
pub struct Guards<'a> {
    pub store: &'a Store,
    pub table_def: &'a TableDef,
    /// What the user expects of all tables.
    pub setting: &'a Expect,
    /// The columns of the table as it is, where they are known.
    pub known: Option<&'a TableSchema>,
}

impl Guards<'_> {
    /// Fails, with all that was found, when the staged rows are not as expected. `schema` has the columns of the staging table.
    pub fn check(&self, session: &mut dyn Session, schema: &TableSchema) -> Result<()> {
        let expect = self.table_def.expect.or(self.setting);
        if expect == Expect::default() {
            return Ok(());
        }
        let n_rows = session.count(&format!("SELECT count(*) FROM {}", self.rows(&self.store.staging, schema)))?;
        let mut found = Vec::new();
        if let Some(least) = expect.min_rows.filter(|least| n_rows < *least) {
            found.push(format!("it has {n_rows} rows, and 'min_rows' is {least}"));
        }
        if let Some(most) = expect.max_drop {
            found.extend(self.drop_found(session, schema, n_rows, most)?);
        }
        found.extend(self.nulls_found(session, schema, &expect.not_null, n_rows)?);
        if let Some(columns) = self.unique_columns(&expect) {
            found.extend(self.repeats_found(session, schema, columns)?);
        }
        if found.is_empty() {
            return Ok(());
        }
        let place = if self.table_def.expect == Expect::default() { "setting 'unify_expect'" } else { "'expect' of the spec" };
        let message = format!("what came is not as {place} says: {}; the table stays as it was", found.join("; "));
        Err(Error::new(ErrorKind::Refused, message))
    }

    /// Returns the rows of a table that are there at the source, for FROM.
    fn rows(&self, table: &TableName, schema: &TableSchema) -> String {
        match schema.deleted_at() {
            Some(column) => format!("(SELECT * FROM {table} WHERE {} IS NULL)", quote_ident(&column.name)),
            None => table.to_string(),
        }
    }

    fn drop_found(&self, session: &mut dyn Session, schema: &TableSchema, n_rows: u64, most: f64) -> Result<Option<String>> {
        if !self.store.exists(session, &self.store.target)? {
            return Ok(None);
        }
        // A table that another spec made may lack the column.
        let is_marked =
            |schema: &&TableSchema| schema.deleted_at().is_some() && self.known.is_some_and(|known| known.deleted_at().is_some());
        let before = Some(schema).filter(is_marked).map_or(self.store.target.to_string(), |schema| self.rows(&self.store.target, schema));
        let n_before = session.count(&format!("SELECT count(*) FROM {before}"))?;
        let n_gone = n_before.saturating_sub(n_rows);
        let is_too_many = n_gone as f64 > n_before as f64 * most;
        Ok(is_too_many.then(|| {
            let percent = n_gone as f64 / n_before as f64 * 100.0;
            format!("it has {n_rows} rows, {percent:.1}% fewer than the {n_before} there are, and 'max_drop' is {}%", most * 100.0)
        }))
    }

    fn nulls_found(&self, session: &mut dyn Session, schema: &TableSchema, names: &[String], n_rows: u64) -> Result<Vec<String>> {
        let mut found = Vec::new();
        if n_rows == 0 {
            return Ok(found);
        }
        for name in names {
            let Some(column) = column_of(schema, name) else {
                found.push(format!("no row has a column '{name}', and 'not_null' names it"));
                continue;
            };
            let rows = self.rows(&self.store.staging, schema);
            let sql = format!("SELECT count(*) FROM {rows} WHERE {} IS NULL", quote_ident(&column.name));
            let n_null = session.count(&sql)?;
            if n_null > 0 {
                found.push(format!("{n_null} of {n_rows} rows have no '{}', and 'not_null' names it", column.name));
            }
            if found.len() == MOST_TOLD {
                break;
            }
        }
        Ok(found)
    }

    /// Returns the columns that no two rows may have in common, if any.
    fn unique_columns<'e>(&'e self, expect: &'e Expect) -> Option<&'e [String]> {
        let columns = match expect.unique.as_ref()? {
            Unique::Key => &self.table_def.key_columns,
            Unique::Columns(columns) => columns,
        };
        Some(columns.as_slice()).filter(|columns| !columns.is_empty())
    }

    fn repeats_found(&self, session: &mut dyn Session, schema: &TableSchema, names: &[String]) -> Result<Option<String>> {
        let columns: Vec<&Column> = names.iter().filter_map(|name| column_of(schema, name)).collect();
        if columns.len() < names.len() {
            return Ok(Some(format!("it lacks a column of '{}', and 'unique' names it", names.join("', '"))));
        }
        let is_there = columns.iter().map(|column| format!("{} IS NOT NULL", quote_ident(&column.name))).collect::<Vec<_>>().join(" AND ");
        let n_repeats = session.count(&format!(
            "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {} WHERE {is_there} GROUP BY {} HAVING count(*) > 1)",
            self.rows(&self.store.staging, schema),
            binary_list(&columns)
        ))?;
        let told = format!("{n_repeats} rows have the same '{}' as another one, and 'unique' names it", names.join("', '"));
        Ok((n_repeats > 0).then_some(told))
    }
}

fn column_of<'s>(schema: &'s TableSchema, name: &str) -> Option<&'s Column> {
    schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}
