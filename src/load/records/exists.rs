//! Whether a table or view is there, in each kind of database.

use crate::session::{quote_literal, CatalogKind, Found, Session, TableName};
use crate::Result;

/// Returns whether there is a table or view of that name, as the session's transaction sees it.
pub fn exists(session: &mut dyn Session, kind: CatalogKind, table: &TableName) -> Result<bool> {
    match find(session, kind, table) {
        Some(found) => Ok(found != Found::Nothing),
        None => Ok(!session.query(&exists_sql(kind, table))?.is_empty()),
    }
}

/// Returns what has that name, where that can be told without a query.
pub fn find(session: &mut dyn Session, kind: CatalogKind, table: &TableName) -> Option<Found> {
    if kind.is_shared() {
        return None;
    }
    session.find(table)
}

fn exists_sql(kind: CatalogKind, table: &TableName) -> String {
    match kind {
        CatalogKind::Postgres => exists_in_postgres_sql(table),
        CatalogKind::DuckDb | CatalogKind::DuckLake | CatalogKind::Other => exists_in_duckdb_sql(table),
    }
}

fn exists_in_duckdb_sql(table: &TableName) -> String {
    format!(
        "SELECT 1 FROM (SELECT database_name, schema_name, table_name FROM duckdb_tables()
                        UNION ALL SELECT database_name, schema_name, view_name FROM duckdb_views())
         WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({}) AND lower(table_name) = lower({})",
        quote_literal(table.catalog.as_deref().unwrap_or_default()),
        quote_literal(&table.schema),
        quote_literal(&table.table),
    )
}

/// PostgreSQL itself answers: what its extension remembers of tables may be older than the transaction that asks, and then does not fit
/// the rows of `load_state` that the transaction reads.
fn exists_in_postgres_sql(table: &TableName) -> String {
    let query = format!(
        "SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND lower(n.nspname) = lower({}) AND lower(c.relname) = lower({})",
        quote_literal(&table.schema),
        quote_literal(&table.table),
    );
    let catalog = quote_literal(table.catalog.as_deref().unwrap_or_default());
    format!("SELECT 1 FROM postgres_query({catalog}, {})", quote_literal(&query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_asked_itself_with_names_quoted_twice() {
        let table = TableName { catalog: Some("la'ke".into()), schema: "it's".into(), table: "t".into() };
        let sql = exists_sql(CatalogKind::Postgres, &table);
        assert!(sql.starts_with("SELECT 1 FROM postgres_query('la''ke', 'SELECT 1 FROM pg_catalog.pg_class"), "{sql}");
        assert!(sql.contains("lower(n.nspname) = lower(''it''''s'')"), "{sql}");
    }
}
