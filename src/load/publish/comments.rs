//! The comments of a table: what the spec says, and what the user wrote, which stays.

use crate::columns::TableSchema;
use crate::load::records::store::Store;
use crate::session::{quote_ident, quote_literal, Session};
use crate::spec::TableDef;
use crate::Result;
use std::collections::BTreeMap;

/// The comments a table and its columns have.
#[derive(Debug, Clone, Default)]
pub struct Comments {
    table: Option<String>,
    /// By the column's name in lower case.
    columns: BTreeMap<String, String>,
}

impl Comments {
    /// Reads the comments of the table as it is, in the session's transaction.
    pub fn of(session: &mut dyn Session, store: &Store) -> Result<Comments> {
        let is_it = store.is_table_sql(&store.target.table);
        let comment = session.value(&format!("SELECT comment FROM duckdb_tables() WHERE {is_it}"))?;
        let table = comment.as_text().map(str::to_string);
        let pairs = session.column_comments(&store.target)?.into_iter().map(|(name, comment)| (name.to_lowercase(), comment));
        Ok(Comments { table, columns: pairs.collect() })
    }

    /// Returns the statements that comment on a table with these columns: as before, or else as the spec describes them.
    pub fn sql(&self, store: &Store, table_def: &TableDef, schema: &TableSchema) -> String {
        let mut sql = String::from("SELECT 1;");
        if !store.kind.has_comments() {
            return sql;
        }
        if let Some(comment) = self.table.as_ref().or(table_def.description.as_ref()) {
            sql.push_str(&format!("COMMENT ON TABLE {} IS {};", store.target, quote_literal(comment)));
        }
        for column in &schema.columns {
            let described = table_def.columns.iter().find(|column_spec| column_spec.name.eq_ignore_ascii_case(&column.name));
            let description = described.and_then(|column_spec| column_spec.description.as_ref());
            if let Some(comment) = self.columns.get(&column.name.to_lowercase()).or(description) {
                let name = quote_ident(&column.name);
                sql.push_str(&format!("COMMENT ON COLUMN {}.{name} IS {};", store.target, quote_literal(comment)));
            }
        }
        sql
    }
}
