//! Tables of databases that several processes write to keep their place and get new rows, where a new table would lack what they have.
//!
//! A table that has nothing of its own is replaced by the staging table, which costs nothing. Another one is emptied and filled: in PostgreSQL
//! by PostgreSQL itself, so that what DuckDB does not know stays, too: grants, policies, triggers, and the views that read the table.

use crate::columns::TableSchema;
use crate::load::publish::constraint::refused;
use crate::load::records::store::Store;
use crate::session::{quote_ident, quote_literal, CatalogKind, Session, TableName, Value};
use crate::{DatabaseErrorType, Error, Result};

/// Returns whether the store's table has what a new one would not.
pub fn has_its_own(session: &mut dyn Session, store: &Store) -> Result<bool> {
    match store.kind {
        CatalogKind::DuckDb | CatalogKind::Other => Ok(false),
        CatalogKind::Postgres => Ok(!session.query(&in_postgres(store, &things_of_its_own_sql(&store.target)))?.is_empty()),
        CatalogKind::DuckLake => {
            let described = session.query(&format!(
                "SELECT 1 FROM (DESCRIBE {}) WHERE \"null\" = 'NO' OR coalesce(\"default\", 'NULL') <> 'NULL' LIMIT 1",
                store.target
            ))?;
            // A lake made by an older DuckLake has no sorted tables, and no list of them.
            Ok(!described.is_empty()
                || is_listed(session, store, "ducklake_partition_info")?
                || is_listed(session, store, "ducklake_sort_info")?)
        }
    }
}

/// Returns PostgreSQL's tables with a foreign key to the store's table. To delete the rows that they point to fails, or deletes theirs.
pub fn foreign_keys_there(session: &mut dyn Session, store: &Store) -> Result<Vec<String>> {
    let query = format!(
        "SELECT DISTINCT conrelid::regclass::text FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = to_regclass({}) ORDER BY 1",
        quote_literal(&name_there(&store.target))
    );
    let rows = session.query(&in_postgres(store, &query))?;
    Ok(rows.iter().filter_map(|row| Some(row.first()?.as_text()?.to_string())).collect())
}

/// Returns whether a list of DuckLake's catalog has the table.
fn is_listed(session: &mut dyn Session, store: &Store, list: &str) -> Result<bool> {
    let target = &store.target;
    let lake = quote_ident(&format!("__ducklake_metadata_{}", target.catalog.as_deref().unwrap_or_default()));
    let found = session.query(&format!(
        "SELECT 1 FROM {lake}.{list} AS l JOIN {lake}.ducklake_table AS t ON t.table_id = l.table_id \
         JOIN {lake}.ducklake_schema AS s ON s.schema_id = t.schema_id \
         WHERE l.end_snapshot IS NULL AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL \
         AND lower(s.schema_name) = lower({}) AND lower(t.table_name) = lower({})",
        quote_literal(&target.schema),
        quote_literal(&target.table),
    ));
    match found {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(err) if err.database_type() == Some(DatabaseErrorType::Catalog) => Ok(false),
        Err(err) => Err(err),
    }
}

/// Replaces the rows of the store's table by those of `made`, a table of the columns of `schema`, which goes, in the session's transaction.
pub fn refill(session: &mut dyn Session, store: &Store, made: &TableName, schema: &TableSchema) -> Result<()> {
    let target = &store.target;
    let known = columns_of(session, target)?;
    let made_columns = columns_of(session, made)?;
    if let Some((name, _)) = known.iter().find(|(name, _)| type_among(&made_columns, name).is_none()) {
        let said = format!("they have no column '{name}'");
        return Err(refused("what a new table would not have", &said, &format!("DROP TABLE {target}")));
    }
    for (name, column_type) in made_columns.iter().filter(|(name, _)| type_among(&known, name).is_none()) {
        session.execute(&format!("ALTER TABLE {target} ADD COLUMN {} {column_type}", quote_ident(name)))?;
    }
    let widened: Vec<&(String, String)> = made_columns
        .iter()
        .filter(|(name, column_type)| type_among(&known, name).is_some_and(|known| known != column_type.as_str()))
        .collect();
    let columns: Vec<String> = schema.columns.iter().map(|column| quote_ident(&column.name)).collect();
    let columns = columns.join(", ");
    if store.kind == CatalogKind::Postgres {
        refill_in_postgres(session, store, made, &columns, &widened)?;
    } else {
        if let Some((name, column_type)) = widened.first() {
            let said = format!("column '{name}' is {column_type} now, and DuckLake cannot change its type");
            return Err(refused(
                "what a new table would not have (NOT NULL, defaults, partitions or sorting)",
                &said,
                &format!("DROP TABLE {target}"),
            ));
        }
        session.execute(&format!("DELETE FROM {target}"))?;
        let filled = session.execute(&format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {made}"));
        filled.map_err(|err| broken(store, err))?;
    }
    session.execute(&format!("DROP TABLE {made}"))
}

fn refill_in_postgres(
    session: &mut dyn Session,
    store: &Store,
    made: &TableName,
    columns: &str,
    widened: &[&(String, String)],
) -> Result<()> {
    let (target, made_there) = (name_there(&store.target), name_there(made));
    let mut statements = vec![format!("DELETE FROM {target}")];
    if !widened.is_empty() {
        let types = session.query(&in_postgres(store, &types_sql(made)))?;
        for (name, _) in widened {
            let found = types.iter().find(|row| row.first().and_then(Value::as_text) == Some(name));
            let Some(column_type) = found.and_then(|row| row.get(1)?.as_text()) else { continue };
            // There are no rows whose values could be converted.
            statements.push(format!("ALTER TABLE {target} ALTER {} TYPE {column_type} USING NULL", quote_ident(name)));
        }
    }
    statements.push(format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {made_there}"));
    let catalog = quote_literal(store.target.catalog.as_deref().unwrap_or_default());
    for statement in statements {
        let done = session.execute(&format!("CALL postgres_execute({catalog}, {})", quote_literal(&statement)));
        done.map_err(|err| broken(store, err))?;
    }
    // What its extension remembers of the columns is as they were.
    match widened.is_empty() {
        true => Ok(()),
        false => session.execute("CALL pg_clear_cache()"),
    }
}

/// Returns the error of a database about rows that do not fit, with what to do; any other error as it is.
pub fn broken(store: &Store, err: Error) -> Error {
    match store.kind.is_refusal(&err) && !CatalogKind::is_conflict(&err) {
        true => {
            let first = err.message().lines().next().unwrap_or_default();
            let said = err.message().split_once("ERROR:").map_or(first, |(_, said)| said.lines().next().unwrap_or_default()).trim();
            let what = match store.kind {
                CatalogKind::Postgres => "what PostgreSQL has for the table",
                _ => "a constraint",
            };
            refused(what, said, &format!("DROP TABLE {}", store.target))
        }
        false => err,
    }
}

fn columns_of(session: &mut dyn Session, table: &TableName) -> Result<Vec<(String, String)>> {
    let rows = session.query(&format!("SELECT column_name, column_type FROM (DESCRIBE {table})"))?;
    let text = |row: &[Value], idx: usize| Some(row.get(idx)?.as_text()?.to_string());
    Ok(rows.iter().filter_map(|row| Some((text(row, 0)?, text(row, 1)?))).collect())
}

fn type_among<'c>(columns: &'c [(String, String)], name: &str) -> Option<&'c str> {
    columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, column_type)| column_type.as_str())
}

/// Returns a table's name as its own database knows it.
fn name_there(table: &TableName) -> String {
    TableName { catalog: None, ..table.clone() }.to_string()
}

/// Returns the query that lets PostgreSQL run a query.
fn in_postgres(store: &Store, query: &str) -> String {
    let catalog = store.target.catalog.as_deref().unwrap_or_default();
    format!("FROM postgres_query({}, {})", quote_literal(catalog), quote_literal(query))
}

fn types_sql(table: &TableName) -> String {
    format!(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute \
         WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped",
        quote_literal(&name_there(table))
    )
}

/// Returns PostgreSQL's query that has a row when a table has what a new one would not.
fn things_of_its_own_sql(table: &TableName) -> String {
    format!(
        "SELECT 1 FROM pg_catalog.pg_class AS c WHERE c.oid = {}::regclass AND (\
         c.relacl IS NOT NULL OR c.reloptions IS NOT NULL OR c.relhasindex OR c.relhastriggers OR c.relhasrules OR c.relrowsecurity \
         OR c.relispartition OR obj_description(c.oid, 'pg_class') IS NOT NULL \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         AND (a.attnotnull OR a.atthasdef OR a.attacl IS NOT NULL OR col_description(c.oid, a.attnum) IS NOT NULL)) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid OR k.confrelid = c.oid) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_publication_rel AS p WHERE p.prrelid = c.oid) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.refobjid = c.oid AND d.classid = 'pg_catalog.pg_rewrite'::regclass))",
        quote_literal(&name_there(table))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn postgres_names_are_quoted_twice() {
        let table = TableName { catalog: Some("la'ke".into()), schema: "it's".into(), table: "a\"b".into() };
        assert!(things_of_its_own_sql(&table).contains(r#"c.oid = '"it''s"."a""b"'::regclass"#));
        let store = Store::new("la'ke", "s", "t", CatalogKind::Postgres);
        assert_eq!(in_postgres(&store, "SELECT 'x'"), "FROM postgres_query('la''ke', 'SELECT ''x''')");
    }

    #[test]
    fn rows_that_do_not_fit_are_told_with_what_to_do() {
        let store = Store::new("lake", "s", "t", CatalogKind::Postgres);
        let said = "Invalid Error: Failed to execute query \"INSERT\": ERROR:  duplicate key value violates unique constraint \"t_pkey\"\nDETAIL: x";
        let err = broken(&store, Error::database(said));
        assert_eq!(err.kind(), ErrorKind::Refused);
        assert!(err.message().contains("the table: duplicate key value violates unique constraint \"t_pkey\"; the table stays"), "{err}");
        let conflict = broken(&store, Error::database("ERROR:  could not serialize access"));
        assert_eq!(conflict.kind(), ErrorKind::Database);
    }
}
