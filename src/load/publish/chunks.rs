//! Puts the rows together that came for one record: one for each chunk of its fields.

use crate::columns::{Column, TableSchema};
use crate::load::job::log::Notes;
use crate::load::plan::named::find_column;
use crate::load::publish::merge_sql::{binary_list, Merge};
use crate::load::records::store::Store;
use crate::session::{quote_ident, CatalogKind, LogLevel, Session};
use crate::spec::TableDef;
use crate::Result;

/// The rows of all chunks, in the staging table.
pub struct Chunked<'a> {
    pub store: &'a Store,
    pub table_def: &'a TableDef,
    /// The columns of the staging table, with its marks.
    pub schema: &'a TableSchema,
}

impl Chunked<'_> {
    /// Makes one row of those of each record, inside the session's transaction: each column has the last value that came and is not null.
    /// Returns how many rows went. Fails when a column of the key is not among the columns.
    pub fn join(&self, session: &mut dyn Session, notes: &mut Notes) -> Result<u64> {
        let staging = &self.store.staging;
        let n_before = session.count(&format!("SELECT count(*) FROM {staging}"))?;
        if n_before == 0 {
            return Ok(0);
        }
        // Tells of a column of the key that is not there.
        let merge = Merge::new(&self.store.target, staging, self.schema, &self.table_def.key_columns, None)?;
        let n_null_keys = merge.null_keys_sql().map_or(Ok(0), |sql| session.count(&sql))?;
        if n_null_keys > 0 {
            let key = self.table_def.key_columns.join(", ");
            let message = format!(
                "{n_null_keys} rows have no value for their key ({key}): they have the fields of one request only, and are kept so"
            );
            notes.push((LogLevel::Warning, message));
        }
        session.execute(&self.sql())?;
        Ok(n_before.saturating_sub(session.count(&format!("SELECT count(*) FROM {staging}"))?))
    }

    fn sql(&self) -> String {
        let staging = &self.store.staging;
        let keys: Vec<&Column> = self.table_def.key_columns.iter().filter_map(|key| find_column(self.schema, key)).collect();
        let copied = self.table_def.copy_params_to_output.iter().filter_map(|param| self.schema.param_column(param));
        let copied: Vec<&Column> = copied.filter_map(|name| find_column(self.schema, name)).collect();
        let mut together = keys.clone();
        together.extend(copied.into_iter().filter(|column| !keys.contains(column)));
        let is_known = keys.iter().map(|key| format!("{} IS NOT NULL", quote_ident(&key.name))).collect::<Vec<_>>().join(" AND ");
        let has_row_ids = self.store.kind == CatalogKind::DuckDb && !self.schema.has_column("rowid");
        let value = |column: &Column| {
            let name = quote_ident(&column.name);
            match (together.contains(&column), has_row_ids) {
                (true, _) => format!("any_value({name}) AS {name}"),
                (false, true) => format!("arg_max({name}, rowid) AS {name}"),
                (false, false) => format!("any_value({name}) AS {name}"),
            }
        };
        let values: Vec<String> = self.schema.columns.iter().map(value).collect();
        let columns: Vec<String> = self.schema.columns.iter().map(|column| quote_ident(&column.name)).collect();
        let (values, columns, groups) = (values.join(", "), columns.join(", "), binary_list(&together));
        format!(
            "CREATE TEMP TABLE unify_joined AS SELECT {values} FROM {staging} WHERE {is_known} GROUP BY {groups};\n\
             DELETE FROM {staging} WHERE {is_known};\n\
             INSERT INTO {staging} ({columns}) SELECT {columns} FROM temp.main.unify_joined;\n\
             DROP TABLE temp.main.unify_joined;"
        )
    }
}
