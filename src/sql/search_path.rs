//! Which tables a name may mean in the user's session, as DuckDB looks for it: the order of its search path.

use crate::session::{quote_literal, Session, TableName};
use crate::sql::name::TablePath;
use crate::sql::StatementContext;
use crate::{Error, Result};

/// An attached database and a schema in it.
#[derive(Clone)]
struct SchemaPath {
    catalog: String,
    schema: String,
}

impl SchemaPath {
    fn new(catalog: &str, schema: &str) -> SchemaPath {
        SchemaPath { catalog: catalog.to_string(), schema: schema.to_string() }
    }
}

/// Schemas that DuckDB has once, for all databases.
const SYSTEM_SCHEMAS: &[&str] = &["information_schema", "pg_catalog"];
/// The schema of a name without one.
const DEFAULT_SCHEMA: &str = "main";

/// Where a session looks for names.
struct SearchPath {
    /// The database of names that are not found elsewhere.
    default_catalog: String,
    schemas: Vec<SchemaPath>,
}

/// Returns the full names that `path` may mean in the user's session, in the order DuckDB tries them. As in DuckDB, `a.t` is database and
/// table where a database has that name, else schema and table. Fails when it could be both.
pub(super) fn candidates(path: &TablePath, session: &mut dyn Session, ctx: &StatementContext<'_>) -> Result<Vec<TableName>> {
    let search_path = SearchPath::of(session, ctx)?;
    let name = |SchemaPath { catalog, schema }| TableName { catalog: Some(catalog), schema, table: path.table.clone() };
    let schemas = match (&path.catalog, &path.schema) {
        (Some(catalog), Some(schema)) => vec![SchemaPath::new(catalog, schema)],
        (_, Some(schema)) if is_attached(session, schema)? => {
            for schema_path in search_path.with_schema(schema) {
                if has_schema(session, &schema_path)? {
                    return Err(Error::config(format!(
                        "'{path}' may be in schema '{schema}' or in database '{schema}'; name it in full, as 'database.schema.table'"
                    )));
                }
            }
            search_path.in_catalog(schema)
        }
        (_, Some(schema)) => search_path.with_schema(schema),
        (_, None) => search_path.schemas,
    };
    Ok(schemas.into_iter().map(name).collect())
}

impl SearchPath {
    fn of(session: &mut dyn Session, ctx: &StatementContext<'_>) -> Result<SearchPath> {
        let set = ctx.user.search_path();
        let default_catalog = match set.first().and_then(|(catalog, _)| catalog.clone()) {
            Some(catalog) => catalog,
            None => session.default_catalog()?,
        };
        let mut schemas = vec![SchemaPath::new("temp", DEFAULT_SCHEMA)];
        schemas.extend(
            set.into_iter().map(|(catalog, schema)| SchemaPath { catalog: catalog.unwrap_or_else(|| default_catalog.clone()), schema }),
        );
        schemas.push(SchemaPath::new(&default_catalog, DEFAULT_SCHEMA));
        schemas.push(SchemaPath::new("system", DEFAULT_SCHEMA));
        schemas.push(SchemaPath::new("system", "pg_catalog"));
        Ok(SearchPath { default_catalog, schemas })
    }

    /// Returns where a schema of that name is looked for.
    fn with_schema(&self, schema: &str) -> Vec<SchemaPath> {
        if SYSTEM_SCHEMAS.iter().any(|system| system.eq_ignore_ascii_case(schema)) {
            return vec![SchemaPath::new("system", schema)];
        }
        let mut schemas: Vec<SchemaPath> =
            self.schemas.iter().filter(|schema_path| schema_path.schema.eq_ignore_ascii_case(schema)).cloned().collect();
        if schemas.is_empty() {
            schemas.push(SchemaPath::new(&self.default_catalog, schema));
        }
        schemas
    }

    /// Returns which schemas of a database are looked through.
    fn in_catalog(&self, catalog: &str) -> Vec<SchemaPath> {
        let mut schemas: Vec<SchemaPath> =
            self.schemas.iter().filter(|schema_path| schema_path.catalog.eq_ignore_ascii_case(catalog)).cloned().collect();
        if schemas.is_empty() {
            schemas.push(SchemaPath::new(catalog, DEFAULT_SCHEMA));
        }
        schemas
    }
}

fn has_schema(session: &mut dyn Session, path: &SchemaPath) -> Result<bool> {
    let (catalog, schema) = (quote_literal(&path.catalog), quote_literal(&path.schema));
    let sql =
        format!("SELECT 1 FROM duckdb_schemas() WHERE lower(database_name) = lower({catalog}) AND lower(schema_name) = lower({schema})");
    Ok(!session.query(&sql)?.is_empty())
}

fn is_attached(session: &mut dyn Session, name: &str) -> Result<bool> {
    let sql = format!("SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({})", quote_literal(name));
    Ok(!session.query(&sql)?.is_empty())
}
