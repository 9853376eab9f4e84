//! Which tables a name may mean in the user's session, as DuckDB looks for it: the order of its search path.

use crate::session::{quote_literal, Session, TableName};
use crate::sql::name::TablePath;
use crate::sql::StatementContext;
use crate::{Error, Result};

/// An attached database and a schema in it.
type Place = (String, String);

/// Schemas that DuckDB has once, for all databases.
const SYSTEM_SCHEMAS: &[&str] = &["information_schema", "pg_catalog"];
/// The schema of a name without one.
const DEFAULT_SCHEMA: &str = "main";

/// Where a session looks for names.
struct SearchPath {
    /// The database of names that are not found elsewhere.
    default_catalog: String,
    places: Vec<Place>,
}

/// Returns the full names that `path` may mean in the user's session, in the order DuckDB tries them. As in DuckDB, `a.t` is database and
/// table where a database has that name, else schema and table. Fails when it could be both.
pub(super) fn candidates(path: &TablePath, session: &mut dyn Session, ctx: &StatementContext<'_>) -> Result<Vec<TableName>> {
    let search_path = SearchPath::of(session, ctx)?;
    let name = |(catalog, schema): Place| TableName { catalog: Some(catalog), schema, table: path.table.clone() };
    let places = match (&path.catalog, &path.schema) {
        (Some(catalog), Some(schema)) => vec![(catalog.clone(), schema.clone())],
        (_, Some(schema)) if is_attached(session, schema)? => {
            for place in search_path.with_schema(schema) {
                if has_schema(session, &place)? {
                    return Err(Error::config(format!(
                        "'{path}' may be in schema '{schema}' or in database '{schema}'; name it in full, as 'database.schema.table'"
                    )));
                }
            }
            search_path.in_catalog(schema)
        }
        (_, Some(schema)) => search_path.with_schema(schema),
        (_, None) => search_path.places,
    };
    Ok(places.into_iter().map(name).collect())
}

impl SearchPath {
    fn of(session: &mut dyn Session, ctx: &StatementContext<'_>) -> Result<SearchPath> {
        let set = ctx.user.search_path();
        let default_catalog = match set.first().and_then(|(catalog, _)| catalog.clone()) {
            Some(catalog) => catalog,
            None => {
                let rows = session.query("SELECT current_database()")?;
                let name = rows.first().and_then(|row| row.first()).and_then(|value| value.as_text().map(str::to_string));
                name.ok_or_else(|| Error::internal("the database has no name"))?
            }
        };
        let place = |catalog: &str, schema: &str| (catalog.to_string(), schema.to_string());
        let mut places = vec![place("temp", DEFAULT_SCHEMA)];
        places.extend(set.into_iter().map(|(catalog, schema)| (catalog.unwrap_or_else(|| default_catalog.clone()), schema)));
        places.push(place(&default_catalog, DEFAULT_SCHEMA));
        places.push(place("system", DEFAULT_SCHEMA));
        places.push(place("system", "pg_catalog"));
        Ok(SearchPath { default_catalog, places })
    }

    /// Returns where a schema of that name is looked for.
    fn with_schema(&self, schema: &str) -> Vec<Place> {
        if SYSTEM_SCHEMAS.iter().any(|system| system.eq_ignore_ascii_case(schema)) {
            return vec![("system".to_string(), schema.to_string())];
        }
        let mut places: Vec<Place> = self.places.iter().filter(|place| place.1.eq_ignore_ascii_case(schema)).cloned().collect();
        if places.is_empty() {
            places.push((self.default_catalog.clone(), schema.to_string()));
        }
        places
    }

    /// Returns which schemas of a database are looked through.
    fn in_catalog(&self, catalog: &str) -> Vec<Place> {
        let mut places: Vec<Place> = self.places.iter().filter(|place| place.0.eq_ignore_ascii_case(catalog)).cloned().collect();
        if places.is_empty() {
            places.push((catalog.to_string(), DEFAULT_SCHEMA.to_string()));
        }
        places
    }
}

fn has_schema(session: &mut dyn Session, (catalog, schema): &Place) -> Result<bool> {
    let (catalog, schema) = (quote_literal(catalog), quote_literal(schema));
    let sql =
        format!("SELECT 1 FROM duckdb_schemas() WHERE lower(database_name) = lower({catalog}) AND lower(schema_name) = lower({schema})");
    Ok(!session.query(&sql)?.is_empty())
}

fn is_attached(session: &mut dyn Session, name: &str) -> Result<bool> {
    let sql = format!("SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({})", quote_literal(name));
    Ok(!session.query(&sql)?.is_empty())
}
