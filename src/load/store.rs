//! Where a table's rows and state live in the user's database, and what there is Unify's own.
//!
//! Schema `unify` holds the audit trail and `load_state`. A row of `load_state` with an empty `table_name` says that Unify made the
//! schema; one with a table says that Unify made the table, or is loading it. Nothing without such a row is ever changed.

use super::audit::{JOBS_COLUMNS, LOG_COLUMNS};
use super::changes::CHANGES_COLUMNS;
use super::exists::exists_sql;
use super::live_jobs::{self, LIVE_COLUMNS};
use super::retry::{retry_conflicts, tell_conflict};
use crate::columns::TableSchema;
use crate::session::{quote_ident, quote_literal, CatalogKind, Database, Session, TableName, Value};
use crate::{Error, Result};

/// Columns of `load_state`, in order, with their types.
const STATE_COLUMNS: &[(&str, &str)] = &[
    ("table_schema", "VARCHAR"),
    ("table_name", "VARCHAR"),
    ("parameter_set", "VARCHAR"),
    ("status", "VARCHAR"),
    ("place", "VARCHAR"),
    ("cursor", "VARCHAR"),
    ("updated", "TIMESTAMP"),
    // The table's columns and their types when Unify made it ([`super::shape`]).
    ("shape", "VARCHAR"),
    // The table's columns with their sources, as a refresh and a resumed load need them.
    ("columns", "VARCHAR"),
    // When the load began whose rows the table has: a refresh asks for what changed since.
    ("started", "TIMESTAMP"),
    // The names of the parameter sets the table was loaded for, where a refresh asks for what is new in those.
    ("sets", "VARCHAR"),
];

/// A row of `load_state` about a table as a whole (or, with an empty name, the schema).
#[derive(Debug, Clone, Copy, Default)]
pub struct StateRow<'a> {
    pub table: &'a str,
    pub status: &'a str,
    /// What the load was of: see [`super::identity::Identity`].
    pub place: Option<&'a str>,
    pub cursor: Option<&'a str>,
    pub columns: Option<&'a str>,
    /// When the load began, in microseconds since 1970.
    pub started: Option<i64>,
    pub sets: Option<&'a str>,
}

/// What is known of a loaded table.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub columns: TableSchema,
    /// When the load began whose rows it has, in microseconds since 1970.
    pub started: Option<i64>,
    /// See [`super::scope::loaded_sets`].
    pub sets: Option<String>,
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
}

impl Store {
    /// Returns the names for a table of a connection, in the attached database `catalog`, as it is now. Fails when there is none.
    pub fn open(session: &mut dyn Session, catalog: &str, schema: &str, table: &str) -> Result<Store> {
        let kind = CatalogKind::of(session, catalog)?;
        if let Some(sql) = kind.fresh_look_sql() {
            session.execute(sql)?;
        }
        Ok(Store::new(catalog, schema, table, kind))
    }

    /// Returns the names for a table of a connection, in the attached database `catalog`.
    pub fn new(catalog: &str, schema: &str, table: &str, kind: CatalogKind) -> Store {
        let name = |table: String| TableName { catalog: Some(catalog.to_string()), schema: schema.to_string(), table };
        Store {
            target: name(table.to_string()),
            staging: name(format!("{table}__loading")),
            unify_schema: format!("{}.unify", quote_ident(catalog)),
            kind,
        }
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

    /// Creates the schema `unify` and its tables where they are missing. Fails when the database is read-only.
    pub fn create_unify_schema(&self, session: &mut dyn Session) -> Result<()> {
        if self.is_read_only(session)? {
            let catalog = self.target.catalog.as_deref().unwrap_or_default();
            return Err(Error::config(format!("database '{catalog}' is read-only; open it for writing to load tables into it")));
        }
        if self.kind.is_shared() && self.exists_unify(session)? {
            return Ok(());
        }
        let live = match self.kind.is_shared() {
            true => live_jobs::create_sql(&self.unify_schema, &columns_sql(LIVE_COLUMNS)),
            false => String::new(),
        };
        session.execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.loading_jobs ({jobs});
             CREATE TABLE IF NOT EXISTS {schema}.loading_log ({log});
             CREATE TABLE IF NOT EXISTS {schema}.schema_changes ({changes});
             CREATE TABLE IF NOT EXISTS {schema}.load_state ({state});
             {live}",
            schema = self.unify_schema,
            jobs = columns_sql(JOBS_COLUMNS),
            log = columns_sql(LOG_COLUMNS),
            changes = columns_sql(CHANGES_COLUMNS),
            state = columns_sql(STATE_COLUMNS),
        ))
    }

    /// Returns whether the database cannot be written. Fails when it is not attached.
    pub fn is_read_only(&self, session: &mut dyn Session) -> Result<bool> {
        let catalog = self.target.catalog.as_deref().unwrap_or_default();
        let sql = format!("SELECT readonly FROM duckdb_databases() WHERE lower(database_name) = lower({})", quote_literal(catalog));
        match session.value(&sql)? {
            Value::Boolean(is_read_only) => Ok(is_read_only),
            _ => Err(Error::config(format!("there is no database '{catalog}'; attach it first"))),
        }
    }

    /// Returns whether the tables of a schema `unify` that several processes share are there.
    pub fn exists_unify(&self, session: &mut dyn Session) -> Result<bool> {
        let table = TableName { catalog: self.target.catalog.clone(), schema: "unify".to_string(), table: "live_jobs".to_string() };
        self.exists(session, &table)
    }

    /// Makes, in the session's transaction, the connection's schema, or checks that it is Unify's, and that target and staging are Unify's where they exist.
    pub fn claim(&self, session: &mut dyn Session) -> Result<()> {
        self.claim_schema(session)?;
        let schema = &self.target.schema;
        for table in [&self.target, &self.staging] {
            if self.exists(session, table)? && !self.is_ours(session, &table.table, None)? {
                return Err(Error::config(format!(
                    "'{schema}.{}' exists and was not made by Unify, which leaves it alone; rename or drop it",
                    table.table
                )));
            }
        }
        let target = &self.target.table;
        if self.exists(session, &self.target)? && !self.has_its_shape(session, target)? {
            return Err(Error::config(format!(
                "'{schema}.{target}' has other columns than when Unify loaded it, so somebody made it anew or changed it, and Unify leaves \
                 it alone; rename it, or drop it to load it again"
            )));
        }
        Ok(())
    }

    /// Makes, in the session's transaction, the connection's schema, or checks that it is Unify's. Returns whether it was made.
    pub fn claim_schema(&self, session: &mut dyn Session) -> Result<bool> {
        if !self.has_schema(session)? {
            let state = self.state_sql(&StateRow { status: "schema", ..StateRow::default() }, None);
            session.execute(&format!("CREATE SCHEMA {}; {state}", self.schema_sql()))?;
            return Ok(true);
        }
        match self.is_ours(session, "", None)? {
            true => Ok(false),
            false => Err(Error::config(format!(
                "schema '{}' exists and was not made by Unify, which leaves it alone; rename the connection or the schema",
                self.target.schema
            ))),
        }
    }

    /// Returns whether the connection's schema exists.
    pub fn has_schema(&self, session: &mut dyn Session) -> Result<bool> {
        let found = session.query(&format!(
            "SELECT 1 FROM duckdb_schemas() WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({})",
            quote_literal(self.target.catalog.as_deref().unwrap_or_default()),
            quote_literal(&self.target.schema),
        ))?;
        Ok(!found.is_empty())
    }

    /// Returns the statements that replace all there is about a table of this schema by one row. `shape` is what [`Store::shape`] says.
    pub fn state_sql(&self, row: &StateRow<'_>, shape: Option<&str>) -> String {
        let text = |text: Option<&str>| text.map_or("NULL".to_string(), quote_literal);
        format!(
            "{} INSERT INTO {}.load_state VALUES ({}, {}, '', {}, {}, {}, make_timestamp({}), {}, {}, {}, {});",
            self.forget_sql(row.table),
            self.unify_schema,
            quote_literal(&self.target.schema),
            quote_literal(row.table),
            quote_literal(row.status),
            text(row.place),
            text(row.cursor),
            super::audit::now_micros(),
            text(shape),
            text(row.columns),
            row.started.map_or("NULL".to_string(), |micros| format!("make_timestamp({micros})")),
            text(row.sets),
        )
    }

    /// Returns the statement that notes the staging table's columns.
    pub fn staged_columns_sql(&self, columns: &str) -> String {
        format!(
            "UPDATE {}.load_state SET columns = {}, updated = make_timestamp({}) WHERE {} AND parameter_set = '';",
            self.unify_schema,
            quote_literal(columns),
            super::audit::now_micros(),
            self.is_about(&self.staging.table),
        )
    }

    /// Returns the row of a parameter set of the load under way, for [`Store::insert_sql`].
    pub fn set_row(&self, name: &str, status: &str, place_sql: &str) -> String {
        format!(
            "({}, {}, {}, {}, {place_sql}, NULL, make_timestamp({}), NULL, NULL, NULL, NULL)",
            quote_literal(&self.target.schema),
            quote_literal(&self.staging.table),
            quote_literal(name),
            quote_literal(status),
            super::audit::now_micros(),
        )
    }

    /// Returns the statement that adds rows to `load_state`.
    pub fn insert_sql(&self, rows: &[String]) -> String {
        format!("INSERT INTO {}.load_state VALUES {};", self.unify_schema, rows.join(", "))
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
            "lower(database_name) = lower({}) AND lower(schema_name) = lower({}) AND lower({column}) = lower({})",
            quote_literal(self.target.catalog.as_deref().unwrap_or_default()),
            quote_literal(&self.target.schema),
            quote_literal(name),
        )
    }

    /// Returns the table's indexes, which are the user's: their names and statements.
    pub fn indexes(&self, session: &mut dyn Session) -> Result<Vec<(String, String)>> {
        let is_it = self.is_table_sql(&self.target.table);
        let rows = session.query(&format!("SELECT index_name, coalesce(sql, '') FROM duckdb_indexes() WHERE {is_it}"))?;
        let text = |row: &[Value], idx: usize| row.get(idx).and_then(Value::as_text).unwrap_or_default().to_string();
        Ok(rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
    }

    /// Returns the condition for the rows of `load_state` about a table of this schema.
    pub fn is_about(&self, table: &str) -> String {
        format!(
            "lower(table_schema) = lower({}) AND lower(table_name) = lower({})",
            quote_literal(&self.target.schema),
            quote_literal(table)
        )
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
        Ok(!session.query(&exists_sql(self.kind, table))?.is_empty())
    }

    /// Returns what a load of the same spec stored about the table; `None` without such a load.
    pub fn loaded(&self, session: &mut dyn Session, spec: &str) -> Result<Option<Loaded>> {
        let rows = session.query(&format!(
            "SELECT columns, started, sets FROM {}.load_state WHERE {} AND status = 'complete' AND place = {}",
            self.unify_schema,
            self.is_about(&self.target.table),
            quote_literal(spec)
        ))?;
        let Some([columns, started, sets]) = rows.first().map(Vec::as_slice) else { return Ok(None) };
        let Some(columns) = columns.as_text().and_then(|text| TableSchema::from_text(text).ok()) else { return Ok(None) };
        Ok(Some(Loaded { columns, started: started.as_timestamp(), sets: sets.as_text().map(str::to_string) }))
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

fn columns_sql(columns: &[(&str, &str)]) -> String {
    columns.iter().map(|(name, sql_type)| format!("{} {sql_type}", quote_ident(name))).collect::<Vec<_>>().join(", ")
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
