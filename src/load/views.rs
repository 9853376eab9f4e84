//! The adapter's views: made when the tables they read are there.

use super::loader::Loader;
use super::store::{StateRow, Store};
use crate::session::{quote_literal, Session, TableName};
use crate::spec::{Connection, ViewDef};
use crate::{Error, Result};

impl Loader {
    /// Makes a view whose tables are loaded. Fails with DuckDB's reason when it cannot be made.
    pub fn create_view(&self, connection: &Connection, view_def: &ViewDef, catalog: &str) -> Result<()> {
        let inner = self.inner();
        // The session is dropped after the lock is free.
        let mut session = inner.database.connect()?;
        let store = Store::open(session.as_mut(), catalog, &connection.name, &view_def.name)?;
        if !store.kind.has_views() {
            return Err(Error::config(format!(
                "database '{catalog}' cannot hold views of DuckDB's; query the tables '{}'",
                view_def.from.join("', '")
            )));
        }
        let _one_at_a_time = inner.publishing.take(&|| inner.check_open())?;
        store.transact(inner.database.as_ref(), &|| inner.check_open(), |session| create_view(&store, session, view_def))
    }
}

/// Creates those of the connection's views that read `store`'s table and whose other tables are there, but for the ones in
/// `left_out`. A view of that name that is not Unify's stays. Returns the first that cannot be made, with the reason.
pub(super) fn create_views<'a>(
    store: &Store,
    session: &mut dyn Session,
    connection: &'a Connection,
    left_out: &[&str],
) -> Result<Option<(&'a str, Error)>> {
    let target = &store.target;
    if !store.kind.has_views() {
        return Ok(None);
    }
    for view_def in &connection.adapter.views {
        let reads_it =
            view_def.from.iter().any(|source| source.eq_ignore_ascii_case(&target.table) || connection.adapter.view(source).is_some());
        let mut is_ready = reads_it && !left_out.contains(&view_def.name.as_str());
        for source in &view_def.from {
            let source = TableName { table: source.clone(), ..target.clone() };
            is_ready = is_ready && store.exists(session, &source)?;
        }
        let view = TableName { table: view_def.name.clone(), ..target.clone() };
        let is_foreign = is_ready && store.exists(session, &view)? && !store.is_ours(session, &view.table, None)?;
        if !is_ready || is_foreign {
            continue;
        }
        match create_view(store, session, view_def) {
            Ok(()) => {}
            // What the view names is not there, or DuckDB reads its query otherwise. Any other failure, such as a conflict or a full disk, is the load's.
            Err(err) if ["Binder Error", "Catalog Error", "Parser Error"].iter().any(|kind| err.message().starts_with(kind)) => {
                return Ok(Some((&view_def.name, err)));
            }
            Err(err) => return Err(err),
        }
    }
    Ok(None)
}

/// Creates or replaces one view, and notes that it is Unify's.
fn create_view(store: &Store, session: &mut dyn Session, view_def: &ViewDef) -> Result<()> {
    let target = &store.target;
    let view = TableName { table: view_def.name.clone(), ..target.clone() };
    let query = view_def.query.qualified(target.catalog.as_deref(), &target.schema);
    let is_it = store.is_view_sql(&view.table);
    let comment = session.value(&format!("SELECT comment FROM duckdb_views() WHERE {is_it}"))?;
    session.execute(&format!("CREATE OR REPLACE VIEW {view} AS {query}"))?;
    // The user's own words stay.
    if let Some(comment) = comment.as_text() {
        session.execute(&format!("COMMENT ON VIEW {view} IS {}", quote_literal(comment)))?;
    }
    session.execute(&store.state_sql(&StateRow { table: &view.table, status: "complete", ..StateRow::default() }, None))
}
