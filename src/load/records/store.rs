//! Where a table's rows and state live in the user's database, and what there is Unify's own.
//!
//! Schema `unify` holds the audit trail and `load_state`. A row of `load_state` with an empty `table_name` says that Unify made the
//! schema; one with a table says that Unify made the table, or is loading it. Nothing without such a row is ever changed.

use crate::columns::TableSchema;
use crate::load::identity::SpecMatch;
use crate::load::records::exists;
use crate::load::records::marks::Marks;
use crate::load::records::retry::{retry_conflicts, tell_conflict};
use crate::load::records::{self, LOAD_STATE};
use crate::session::{lowered, quote_ident, quote_literal, Attached, CatalogKind, Database, Session, TableName};
use crate::{Error, Result};
use std::sync::Arc;

/// What [`Store::state_sql`] says of a table.
const ROW_COLUMNS: &[&str] =
    &["table_schema", "table_name", "parameter_set", "status", "place", "cursor", "updated", "shape", "columns", "started", "sets"];
/// The columns of `load_state` that say how far a parameter set is ...
const SET_COLUMNS: &[&str] = &["table_schema", "table_name", "parameter_set", "status", "place", "updated"];
/// ... and those of them that differ between the sets of a load.
const SET_TEXTS: &[&str] = &["parameter_set", "status", "place"];

/// A row of `load_state` about a table as a whole (or, with an empty name, the schema).
#[derive(Debug, Clone, Copy, Default)]
pub struct StateRow<'a> {
    pub table: &'a str,
    pub status: &'a str,
    /// What the load was of: see [`crate::load::identity::Identity`].
    pub place: Option<&'a str>,
    pub cursor: Option<&'a str>,
    pub columns: Option<&'a str>,
    /// When the load began, in microseconds since 1970.
    pub started: Option<i64>,
    pub sets: Option<&'a str>,
}

/// How a load that has not ended fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StagedStatus {
    Loading,
    /// The API failed where it was to go on, and nothing was stored since.
    FailedThere,
}

impl StagedStatus {
    /// Returns the text that stands in `load_state`.
    pub fn as_text(self) -> &'static str {
        match self {
            StagedStatus::Loading => "loading",
            StagedStatus::FailedThere => "failed there",
        }
    }
}

/// What is known of a loaded table.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub columns: TableSchema,
    /// When the load began whose rows it has, in microseconds since 1970.
    pub started: Option<i64>,
    /// See [`crate::load::plan::scope::loaded_sets`].
    pub sets: Option<String>,
    /// Whether it may have been loaded by another spec, since version 0 noted it.
    pub is_unproven: bool,
    /// Whether rows may be missing, since others vanished at the source while pages were read.
    pub is_lacking: bool,
    pub marks: Marks,
}

/// Follows the hash of the spec of a table that may lack rows: an older Unify takes it for another spec, and loads the table in full, too.
const LACKING: &str = ";rows may be missing";

/// Returns the text that says what a table was loaded by, and whether it may lack rows.
pub fn loaded_place(spec: &str, is_lacking: bool) -> String {
    format!("{spec}{}", if is_lacking { LACKING } else { "" })
}

/// The names one table's load works with.
#[derive(Debug, Clone)]
pub struct Store {
    pub target: TableName,
    /// Where rows go until the load is complete.
    pub staging: TableName,
    /// The schema `unify`, quoted with its database.
    pub unify_schema: String,
    /// What the database can do.
    pub kind: CatalogKind,
    /// Whether the database cannot be written.
    pub is_read_only: bool,
    /// See [`Attached::path`].
    pub path: Arc<str>,
}

impl Store {
    /// Returns the names for a table of a connection, in the attached database `catalog`, as it is now. Fails when there is none.
    pub fn open(session: &mut dyn Session, catalog: &str, schema: &str, table: &str) -> Result<Store> {
        let Attached { kind, is_read_only, path } = Attached::of(session, catalog)?;
        if let Some(sql) = kind.fresh_look_sql() {
            session.execute(sql)?;
        }
        Ok(Store { is_read_only, path: path.into(), ..Store::new(catalog, schema, table, kind) })
    }

    /// Returns the names for a table of a connection, in a database `catalog` that can be written.
    pub fn new(catalog: &str, schema: &str, table: &str, kind: CatalogKind) -> Store {
        let name = |table: String| TableName { catalog: Some(catalog.to_string()), schema: schema.to_string(), table };
        Store {
            target: name(table.to_string()),
            staging: name(format!("{table}__loading")),
            unify_schema: format!("{}.unify", quote_ident(catalog)),
            kind,
            is_read_only: false,
            path: "".into(),
        }
    }

    /// Returns the names for another table of the connection, in the same database.
    pub fn sibling(&self, table: &str) -> Store {
        let names = Store::new(self.catalog(), &self.target.schema, table, self.kind);
        Store { is_read_only: self.is_read_only, path: self.path.clone(), ..names }
    }

    /// Returns the statements that drop the staging table, with all that is known of the load.
    pub fn drop_staging_sql(&self) -> String {
        format!("DROP TABLE IF EXISTS {}; {}", self.staging, self.forget_sql(&self.staging.table))
    }

    /// Does `work` in a transaction of a session, in a database that no other process writes to.
    pub fn transact_alone<T>(&self, session: &mut dyn Session, work: impl FnOnce(&mut dyn Session) -> Result<T>) -> Result<T> {
        tell_conflict(|| {
            session.execute("BEGIN")?;
            let outcome = work(session).and_then(|done| session.execute("COMMIT").map(|()| done));
            if outcome.is_err() {
                // The transaction may be over already.
                let _ = session.execute("ROLLBACK");
            }
            outcome
        })
    }

    /// Does `work` in a transaction, on a session of its own. In a database that others write to at the same time it is done again as
    /// long as they are in its way and `may_go_on` does not fail; in another, the error says what is in the way.
    pub fn transact<T>(
        &self,
        database: &dyn Database,
        may_go_on: &dyn Fn() -> Result<()>,
        mut work: impl FnMut(&mut dyn Session) -> Result<T>,
    ) -> Result<T> {
        let attempt = || {
            let mut session = database.connect()?;
            session.execute("BEGIN")?;
            let outcome = work(session.as_mut()).and_then(|done| session.execute("COMMIT").map(|()| done));
            if let (Err(_), Some(sql)) = (&outcome, self.kind.fresh_look_sql()) {
                // The transaction may be over already; what was remembered of it must not outlive it.
                let _ = session.execute("ROLLBACK");
                let _ = session.execute(sql);
            }
            outcome
        };
        match self.kind.is_shared() {
            true => retry_conflicts(may_go_on, attempt),
            false => tell_conflict(attempt),
        }
    }

    /// Returns whether the table is there, complete, and Unify's.
    pub fn is_loaded(&self, session: &mut dyn Session) -> Result<bool> {
        Ok(self.exists(session, &self.target)? && self.is_ours(session, &self.target.table, Some("complete"))?)
    }

    /// Returns whether the table is there, Unify's, and emptied by `CLEAR TABLE`.
    pub fn is_cleared(&self, session: &mut dyn Session) -> Result<bool> {
        Ok(self.exists(session, &self.target)? && self.is_ours(session, &self.target.table, Some("cleared"))?)
    }

    /// Creates the schema `unify` and its tables where they are missing, and brings those of an older release to what this one writes. Fails
    /// when the database is read-only, and when a newer release wrote them.
    pub fn create_unify_schema(&self, session: &mut dyn Session) -> Result<()> {
        if self.is_read_only {
            let catalog = self.catalog();
            return Err(Error::config(format!("database '{catalog}' is read-only; open it for writing to load tables into it")));
        }
        records::prepare(session, self.catalog(), self.kind)
    }

    /// Fails when a newer release wrote what Unify knows about the database: then nothing of it may be changed.
    pub fn check_version(&self, session: &mut dyn Session) -> Result<()> {
        records::check_version(session, self.catalog(), self.kind).map(|_| ())
    }

    /// Returns the database that the table is in.
    pub fn catalog(&self) -> &str {
        self.target.catalog.as_deref().unwrap_or_default()
    }

    /// Returns the statements that replace all there is about a table of this schema by one row. `fingerprint` is what [`Store::fingerprint`] says.
    pub fn state_sql(&self, row: &StateRow<'_>, fingerprint: Option<&str>) -> String {
        format!("{} {}", self.forget_sql(row.table), self.insert_sql(row, fingerprint))
    }

    /// Returns the statements that replace all there is about the store's table and its staging table by one row about the table.
    pub fn published_sql(&self, row: &StateRow<'_>, fingerprint: Option<&str>) -> String {
        format!(
            "DELETE FROM {}.load_state WHERE lower(table_schema) = {} AND lower(coalesce(table_name, '')) IN ({}, {}); {}",
            self.unify_schema,
            lowered(&self.target.schema),
            lowered(&self.target.table),
            lowered(&self.staging.table),
            self.insert_sql(row, fingerprint)
        )
    }

    fn insert_sql(&self, row: &StateRow<'_>, fingerprint: Option<&str>) -> String {
        let text = |text: Option<&str>| text.map_or("NULL".to_string(), quote_literal);
        let values = format!(
            "({}, {}, '', {}, {}, {}, make_timestamp({}), {}, {}, {}, {})",
            quote_literal(&self.target.schema),
            quote_literal(row.table),
            quote_literal(row.status),
            text(row.place),
            text(row.cursor),
            crate::load::clock::now_micros(),
            text(fingerprint),
            text(row.columns),
            row.started.map_or("NULL".to_string(), |micros| format!("make_timestamp({micros})")),
            text(row.sets),
        );
        LOAD_STATE.insert_sql(&self.unify_schema, ROW_COLUMNS, &format!("VALUES {values}"))
    }

    /// Returns the statement that notes the staging table's columns.
    pub fn staged_columns_sql(&self, columns: &str) -> String {
        format!(
            "UPDATE {}.load_state SET columns = {}, updated = make_timestamp({}) WHERE {} AND coalesce(parameter_set, '') = '';",
            self.unify_schema,
            quote_literal(columns),
            crate::load::clock::now_micros(),
            self.is_about(&self.staging.table),
        )
    }

    /// Returns the statement that notes how the load under way fares.
    pub fn staged_status_sql(&self, status: StagedStatus) -> String {
        format!(
            "UPDATE {}.load_state SET status = {} WHERE {} AND parameter_set = '';",
            self.unify_schema,
            quote_literal(status.as_text()),
            self.is_about(&self.staging.table),
        )
    }

    /// Adds rows to `load_state` that say how far parameter sets of the load under way are: the name, the status and the place of each.
    pub fn add_sets(&self, session: &mut dyn Session, rows: &[Vec<Option<&str>>]) -> Result<()> {
        let values = format!(
            "SELECT {}, {}, {}, make_timestamp({})",
            quote_literal(&self.target.schema),
            quote_literal(&self.staging.table),
            SET_TEXTS.join(", "),
            crate::load::clock::now_micros(),
        );
        session.insert_texts(&LOAD_STATE.open_insert_sql(&self.unify_schema, SET_COLUMNS, &values), SET_TEXTS, rows)
    }

    /// Returns the statement that forgets parameter sets of the load under way.
    pub fn forget_sets_sql(&self, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| quote_literal(name)).collect();
        format!(
            "DELETE FROM {}.load_state WHERE {} AND parameter_set IN ({});",
            self.unify_schema,
            self.is_about(&self.staging.table),
            names.join(", ")
        )
    }

    /// Returns the condition for the rows of DuckDB's lists of tables, columns and indexes about a table of this schema.
    pub fn is_table_sql(&self, table: &str) -> String {
        self.is_named_sql("table_name", table)
    }

    /// Returns the condition for the rows of DuckDB's list of views about a view of this schema.
    pub fn is_view_sql(&self, view: &str) -> String {
        self.is_named_sql("view_name", view)
    }

    fn is_named_sql(&self, column: &str, name: &str) -> String {
        format!(
            "lower(database_name) = {} AND lower(schema_name) = {} AND lower({column}) = {}",
            lowered(self.catalog()),
            lowered(&self.target.schema),
            lowered(name),
        )
    }

    /// Returns the condition for the rows of `load_state` about a table of this schema.
    pub fn is_about(&self, table: &str) -> String {
        format!("lower(table_schema) = {} AND lower(coalesce(table_name, '')) = {}", lowered(&self.target.schema), lowered(table))
    }

    /// Returns the statement that forgets a table of this schema.
    pub fn forget_sql(&self, table: &str) -> String {
        format!("DELETE FROM {}.load_state WHERE {};", self.unify_schema, self.is_about(table))
    }

    /// Returns the connection's schema, quoted with its database.
    pub fn schema_sql(&self) -> String {
        format!("{}.{}", quote_ident(self.target.catalog.as_deref().unwrap_or_default()), quote_ident(&self.target.schema))
    }

    /// Returns whether a table or view of that name exists.
    pub fn exists(&self, session: &mut dyn Session, table: &TableName) -> Result<bool> {
        exists::exists(session, self.kind, table)
    }

    /// Returns what a load of the same spec stored about the table; `None` without such a load.
    pub fn loaded(&self, session: &mut dyn Session, spec: &str) -> Result<Option<Loaded>> {
        let rows = session.query(&format!(
            "SELECT place, columns, started, sets FROM {}.load_state WHERE {} AND status = 'complete'",
            self.unify_schema,
            self.is_about(&self.target.table),
        ))?;
        let Some([place, columns, started, sets]) = rows.first().map(Vec::as_slice) else { return Ok(None) };
        let place = place.as_text().unwrap_or_default();
        let is_lacking = place.ends_with(LACKING);
        let is_unproven = match SpecMatch::of(place.strip_suffix(LACKING).unwrap_or(place), spec) {
            SpecMatch::Same => false,
            SpecMatch::Unknown => true,
            SpecMatch::Other => return Ok(None),
        };
        let Some(columns) = columns.as_text().and_then(|text| TableSchema::from_text(text).ok()) else { return Ok(None) };
        let (started, sets) = (started.as_timestamp(), sets.as_text().map(str::to_string));
        let marks = Marks::of(session, &self.unify_schema, &self.is_about(&self.target.table))?;
        Ok(Some(Loaded { columns, started, sets, is_unproven, is_lacking, marks }))
    }

    /// Returns when the load began whose rows the table has, in microseconds since 1970; `None` when that is not known.
    pub fn started(&self, session: &mut dyn Session) -> Result<Option<i64>> {
        let is_it = self.is_about(&self.target.table);
        let sql = format!("SELECT started FROM {}.load_state WHERE {is_it} AND status = 'complete'", self.unify_schema);
        Ok(session.value(&sql)?.as_timestamp())
    }

    /// Returns whether there is a `load_state`.
    pub fn has_state(&self, session: &mut dyn Session) -> Result<bool> {
        let state = TableName { catalog: self.target.catalog.clone(), schema: "unify".to_string(), table: "load_state".to_string() };
        self.exists(session, &state)
    }

    /// Returns whether `load_state` knows the table (or, for an empty name, the schema), in that status if one is given.
    pub fn is_ours(&self, session: &mut dyn Session, table: &str, status: Option<&str>) -> Result<bool> {
        if !self.has_state(session)? {
            return Ok(false);
        }
        let status = status.map_or(String::new(), |status| format!(" AND status = {}", quote_literal(status)));
        let rows = session.query(&format!("SELECT 1 FROM {}.load_state WHERE {}{status}", self.unify_schema, self.is_about(table)))?;
        Ok(!rows.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_with_their_database() {
        let store = Store::new("my db", "git\"hub", "repos", CatalogKind::DuckDb);
        assert_eq!(store.target.to_string(), "\"my db\".\"git\"\"hub\".\"repos\"");
        assert_eq!(store.staging.table, "repos__loading");
        assert_eq!(store.schema_sql(), "\"my db\".\"git\"\"hub\"");
        assert!(store.forget_sql("it's").contains("'it''s'"));
    }
}
