//! Runs the query of a spec so that nothing but the connection's own tables has a say in its rows, and so in what is sent.

use crate::session::{quote_literal, Session, Value};
use crate::spec::{with_bare_joins, Connection, ParentQuery};
use crate::{Error, Result};

/// Returns the rows of a spec's query over the tables of a connection, in an order that is the same each time where it `is_grouped`. Fails when
/// DuckDB finds that it reads anything else.
pub(in crate::load) fn rows_of(
    query: &ParentQuery,
    is_grouped: bool,
    catalog: &str,
    connection: &Connection,
    session: &mut dyn Session,
) -> Result<Vec<Vec<Value>>> {
    check_views(query, catalog, &connection.name, session)?;
    let value = |name: &String| connection.option(name).map(|value| (name.clone(), value.expose().to_string()));
    let sql = query.qualified(Some(catalog), &connection.name, &query.options.iter().filter_map(value).collect())?;
    let tables: Vec<&str> = query.tables.iter().map(String::as_str).collect();
    // Names without a schema are DuckDB's own functions, operators and types, and nothing of the user's, as in all of Unify's sessions.
    check_tables(&tables, &sql, session)?;
    // The values of one request are a parameter set: a load that goes on has to put the same ones together.
    let ordered = (is_grouped && !query.is_ordered).then(|| format!("SELECT * FROM ({sql}) ORDER BY ALL"));
    session.query(ordered.as_deref().unwrap_or(&sql))
}

/// Fails when DuckDB, asked which tables the SQL made of a query reads, those of views included, names one that is not among `tables`.
pub(in crate::load) fn check_tables(tables: &[&str], sql: &str, session: &mut dyn Session) -> Result<()> {
    let bare = with_bare_joins(sql)?;
    let found = session.table_names(bare.as_deref().unwrap_or(sql))?;
    match found.iter().find(|name| !tables.iter().any(|table| table.eq_ignore_ascii_case(name))) {
        None => Ok(()),
        Some(name) if name.starts_with("unify_with_") => {
            Err(Error::config("the query reads a common table expression inside itself, which takes WITH RECURSIVE and a UNION"))
        }
        Some(name) => Err(Error::config(format!("the query reads '{name}', which is not a table of the spec"))),
    }
}

/// Fails when a view stands where a table of the connection should: what it reads, somebody else said.
fn check_views(query: &ParentQuery, catalog: &str, schema: &str, session: &mut dyn Session) -> Result<()> {
    let names: Vec<String> = query.tables.iter().map(|table| format!("lower({})", quote_literal(table))).collect();
    if names.is_empty() {
        return Ok(());
    }
    let view = session.value(&format!(
        "SELECT view_name FROM duckdb_views() WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({}) AND \
         lower(view_name) IN ({})",
        quote_literal(catalog),
        quote_literal(schema),
        names.join(", ")
    ))?;
    match view.as_text() {
        None => Ok(()),
        Some(view) => Err(Error::config(format!("'{schema}.{view}' is a view, and the query reads loaded tables only; drop or rename it"))),
    }
}
