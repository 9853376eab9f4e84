//! An adapter's views: made when the tables they read are there.

use crate::load::plan::spec_query::check_tables;
use crate::load::records::store::{StateRow, Store};
use crate::session::{quote_ident, quote_literal, CatalogKind, Session, TableName, Value};
use crate::spec::{with_queries_of, Connection, OptionValues, ViewDef};
use crate::{DatabaseErrorType, Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Creates those of the connection's views that read `store`'s table and whose other tables are there, but for the ones in
/// `left_out`. A view of that name that is not Unify's stays, and so does one that was made of the same query, unless the table `has_new_columns`.
/// Returns the first that cannot be made, with the reason.
pub(in crate::load) fn create_views<'a>(
    store: &Store,
    session: &mut dyn Session,
    connection: &'a Connection,
    has_new_columns: bool,
    left_out: &[&str],
) -> Result<Option<(&'a str, Error)>> {
    let target = &store.target;
    if !store.kind.has_views() {
        return Ok(None);
    }
    for view_def in &connection.adapter.views {
        let reads_it =
            view_def.from.iter().any(|source| source.eq_ignore_ascii_case(&target.table) || connection.adapter.view(source).is_some());
        let mut is_ready = reads_it;
        for source in &view_def.from {
            let source = TableName { table: source.clone(), ..target.clone() };
            is_ready = is_ready && store.exists(session, &source)?;
        }
        if !is_ready {
            continue;
        }
        let view = TableName { table: view_def.name.clone(), ..target.clone() };
        if store.exists(session, &view)? {
            let Some(noted) = noted_query(store, session, &view.table)? else { continue };
            if left_out.contains(&view_def.name.as_str()) {
                // It is not as it is to be: the next publication tries again.
                let is_it = store.is_about(&view.table);
                session.execute(&format!("UPDATE {}.load_state SET place = NULL WHERE {is_it}", store.unify_schema))?;
            } else if !has_new_columns && noted == query_to_note(view_def, named_catalog(store, session)?) {
                continue;
            }
        }
        if left_out.contains(&view_def.name.as_str()) {
            continue;
        }
        match create_view(store, session, connection, view_def) {
            Ok(()) => {}
            // What the view names is not there, or DuckDB reads its query otherwise. Any other failure, such as a conflict or a full disk, is the load's.
            Err(err) if err.kind() == ErrorKind::Config || is_about_the_query(&err) => return Ok(Some((&view_def.name, err))),
            Err(err) => return Err(err),
        }
    }
    Ok(None)
}

/// Returns what is noted of the query that a view of Unify's was made of, empty where nothing is; `None` when the view is not Unify's.
fn noted_query(store: &Store, session: &mut dyn Session, view: &str) -> Result<Option<String>> {
    let rows = session.query(&format!("SELECT place FROM {}.load_state WHERE {}", store.unify_schema, store.is_about(view)))?;
    Ok(rows.first().map(|row| row.first().and_then(Value::as_text).unwrap_or_default().to_string()))
}

/// Returns what is noted of a view's query: the database that it names, if any, and its text.
fn query_to_note(view_def: &ViewDef, catalog: Option<&str>) -> String {
    format!("{}\n{}", catalog.unwrap_or_default(), view_def.query.sql)
}

/// Returns whether DuckDB refused a statement for what it says.
fn is_about_the_query(err: &Error) -> bool {
    use DatabaseErrorType::{Binder, Catalog, Parser};
    matches!(err.database_type(), Some(Binder | Catalog | Parser))
}

/// Returns the database that a view's query names. DuckDB finds a view's tables in the view's own database; a query that names it, as DuckDB
/// 1.5 keeps it, is wrong in a copy of another name. Only where an attached database has the schema's name it has to be there.
fn named_catalog<'s>(store: &'s Store, session: &mut dyn Session) -> Result<Option<&'s str>> {
    let schema = quote_literal(&store.target.schema);
    let is_hidden = format!("SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({schema})");
    let is_clear = store.kind == CatalogKind::DuckDb && session.query(&is_hidden)?.is_empty();
    Ok(store.target.catalog.as_deref().filter(|_| !is_clear))
}

/// Returns the queries of the connection's views that are Unify's, by their names: DuckDB cannot tell the tables of a view with joins by columns.
/// `catalog` is the database that they name, if any.
fn earlier_views(
    store: &Store,
    session: &mut dyn Session,
    connection: &Connection,
    catalog: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let schema = &store.target.schema;
    let known = session.query(&format!(
        "SELECT lower(table_name) FROM {}.load_state WHERE lower(table_schema) = lower({}) AND coalesce(parameter_set, '') = ''",
        store.unify_schema,
        quote_literal(schema)
    ))?;
    let known: BTreeSet<&str> = known.iter().filter_map(|row| row.first()?.as_text()).collect();
    let earlier = connection.adapter.views.iter().filter(|view_def| known.contains(view_def.name.to_lowercase().as_str()));
    earlier.map(|view_def| Ok((view_def.name.clone(), view_def.query.qualified(catalog, schema, &OptionValues::new())?))).collect()
}

/// Creates or replaces one view, and notes that it is Unify's.
pub(in crate::load) fn create_view(store: &Store, session: &mut dyn Session, connection: &Connection, view_def: &ViewDef) -> Result<()> {
    let target = &store.target;
    let view = TableName { table: view_def.name.clone(), ..target.clone() };
    let named = named_catalog(store, session)?;
    let query = view_def.query.qualified(named, &target.schema, &OptionValues::new())?;
    // A query that names no database is of the view's own. Names without a schema are DuckDB's own functions first, all the same.
    let catalog = target.catalog.as_deref().map(|catalog| format!(",{}.{}", quote_ident(catalog), quote_ident(&target.schema)));
    let path = quote_literal(&format!("system.main{}", catalog.unwrap_or_default()));
    session.execute(&format!("SET SESSION search_path = {path}"))?;
    // It may read earlier views, of which DuckDB tells the tables.
    let tables: Vec<&str> = connection.adapter.tables.iter().map(|table_def| table_def.name.as_str()).collect();
    let opened = with_queries_of(&query, &earlier_views(store, session, connection, named)?)?;
    check_tables(&tables, &opened, session)?;
    let is_it = store.is_view_sql(&view.table);
    let comment = session.value(&format!("SELECT comment FROM duckdb_views() WHERE {is_it}"))?;
    session.execute(&format!("CREATE OR REPLACE VIEW {view} AS {query}"))?;
    // The user's own words stay.
    if let Some(comment) = comment.as_text() {
        session.execute(&format!("COMMENT ON VIEW {view} IS {}", quote_literal(comment)))?;
    }
    let place = query_to_note(view_def, named);
    let row = StateRow { table: &view.table, status: "complete", place: Some(&place), ..StateRow::default() };
    session.execute(&store.state_sql(&row, None))
}
