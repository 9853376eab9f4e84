//! Tables that somebody dropped with DuckDB's own statement: their `drop` records are written when Unify sees it, and they are forgotten.

use crate::load::records::audit::{AuditSubject, JobRecord};
use crate::load::records::live_jobs::take_id;
use crate::load::records::store::Store;
use crate::load::services::CatalogTurn;
use crate::session::{quote_ident, quote_literal, Session, Value};
use crate::Result;

/// The condition for the rows of `load_state` about tables that are there unless somebody dropped them. Views have no shape.
const IS_TABLE: &str = "status IN ('complete', 'cleared') AND shape IS NOT NULL AND coalesce(parameter_set, '') = '' AND table_name <> ''";

/// Notes, while no load can start, that a table was dropped, if it was and the database can be written.
pub(in crate::load) fn see_drop(session: &mut dyn Session, turn: &CatalogTurn<'_>, store: &Store, subject: &AuditSubject) -> Result<()> {
    if !store.was_dropped(session)? || store.is_read_only {
        return Ok(());
    }
    store.check_version(session)?;
    let id = if store.kind.is_shared() { None } else { Some(turn.record_ids(session, store)?.next()) };
    turn.services.transact(store, |session| {
        store.note_drop(session, subject, |session| id.map_or_else(|| take_id(session, &store.unify_schema), Ok))
    })
}

impl Store {
    /// Notes, in the session's transaction, that the table was dropped, if it was. `next_id` gives the record its id.
    pub(in crate::load) fn note_drop(
        &self,
        session: &mut dyn Session,
        subject: &AuditSubject,
        next_id: impl FnOnce(&mut dyn Session) -> Result<i64>,
    ) -> Result<()> {
        if !self.was_dropped(session)? {
            return Ok(());
        }
        let record = JobRecord { id: next_id(session)?, parent_id: None, action: "drop", n_rows: None, error: None };
        session.execute(&format!("{} {}", subject.record_sql(record), self.forget_sql(&self.target.table)))
    }

    /// Returns whether the table was loaded, or emptied by `CLEAR TABLE`, and is gone.
    fn was_dropped(&self, session: &mut dyn Session) -> Result<bool> {
        if self.exists(session, &self.target)? || !self.has_state(session)? {
            return Ok(false);
        }
        let is_it = self.is_about(&self.target.table);
        let known = session.query(&format!("SELECT 1 FROM {}.load_state WHERE {is_it} AND {IS_TABLE}", self.unify_schema))?;
        Ok(!known.is_empty())
    }

    /// Returns the tables of this schema that were loaded, or emptied by `CLEAR TABLE`, and that may be gone.
    pub(in crate::load) fn known_tables(&self, session: &mut dyn Session) -> Result<Vec<String>> {
        if !self.has_state(session)? {
            return Ok(Vec::new());
        }
        let schema = quote_literal(&self.target.schema);
        let rows = session.query(&format!(
            "SELECT table_name FROM {}.load_state WHERE lower(table_schema) = lower({schema}) AND {IS_TABLE} ORDER BY table_name",
            self.unify_schema
        ))?;
        Ok(rows.iter().filter_map(|row| row.first().and_then(Value::as_text)).map(str::to_string).collect())
    }
}

/// Returns the query for the tables of a database that seem to be gone: schema and name.
pub(in crate::load) fn gone_sql(catalog: &str) -> String {
    format!(
        "SELECT table_schema, table_name FROM {}.unify.load_state WHERE {IS_TABLE}
         AND NOT EXISTS (SELECT 1 FROM duckdb_tables() AS tables WHERE tables.database_name = {}
                         AND lower(tables.schema_name) = lower(table_schema) AND lower(tables.table_name) = lower(load_state.table_name))
         ORDER BY ALL",
        quote_ident(catalog),
        quote_literal(catalog),
    )
}
