//! Which version the tables of schema `unify` have in a database, and how older ones are brought to the newest.
//!
//! Version 0 had no `unify.meta`. What version 1 stores says of what a load is in a form that can be compared by all later releases
//! ([`crate::load::identity::canonical`]); what version 0 stored stays and is read as [`crate::load::identity::version_0`] says.

use super::tables::{
    RecordColumn, RecordTable, CHANGED_ROWS, LIVE_JOBS, LOADING_JOBS, LOADING_LOG, LOAD_STATE, META, SCHEMA_CHANGES, TABLE_CHANGES,
};
use crate::load::clock::now_micros;
use crate::load::records::exists;
use crate::session::{quote_ident, quote_literal, CatalogKind, Found, Session, TableName, Value};
use crate::{Error, Result};

/// The version that this release writes.
const VERSION: i64 = 1;
/// The release that writes it.
const EXTENSION: &str = env!("CARGO_PKG_VERSION");

/// What brings the tables from the version before to this one, besides columns: those are known by their definitions.
struct Migration {
    version: i64,
    /// A statement in the SQL of every kind of database, with `{unify}` where the schema stands.
    sql: &'static str,
}

/// In order. None is changed once it was released.
const MIGRATIONS: &[Migration] = &[];

/// Makes the tables of schema `unify` where they are missing, in the session's transaction, and brings those of an older version to the
/// newest. Fails when they are of a newer one.
pub fn prepare(session: &mut dyn Session, catalog: &str, kind: CatalogKind) -> Result<()> {
    let unify = unify_schema(catalog);
    let version = check_version(session, catalog, kind)?;
    let is_there = exists(session, catalog, kind, &LIVE_JOBS)?;
    if kind.is_shared() && is_there && version == VERSION {
        return Ok(());
    }
    let tables = [&LOADING_JOBS, &LOADING_LOG, &SCHEMA_CHANGES, &LOAD_STATE, &META, &TABLE_CHANGES, &CHANGED_ROWS];
    let missing = tables.into_iter().filter(|table| !matches!(exists::find(session, kind, &name_of(catalog, table)), Some(Found::Table)));
    let mut sql: String =
        missing.map(|table| format!("CREATE TABLE IF NOT EXISTS {} ({});", table.sql_name(&unify), table.columns_sql())).collect();
    if kind.is_shared() && !is_there {
        sql.push_str(&live_jobs_sql(&unify));
    }
    if !sql.is_empty() {
        session.execute(&format!("CREATE SCHEMA IF NOT EXISTS {unify};{sql}"))?;
    }
    match version < VERSION {
        true => migrate(session, &unify, version),
        false => Ok(()),
    }
}

/// Returns the version of the tables, 0 where there are none. Fails when it is newer than this release: nothing there may be changed.
pub fn check_version(session: &mut dyn Session, catalog: &str, kind: CatalogKind) -> Result<i64> {
    if !exists(session, catalog, kind, &META)? {
        return Ok(0);
    }
    let rows = session.query(&version_sql(catalog, kind))?;
    let Some([Value::Integer(version), extension]) = rows.first().map(Vec::as_slice) else { return Ok(0) };
    let version = i64::try_from(*version).unwrap_or(i64::MAX);
    match version > VERSION {
        true => Err(too_new(catalog, version, extension.as_text())),
        false => Ok(version),
    }
}

fn too_new(catalog: &str, version: i64, extension: Option<&str>) -> Error {
    let by = extension.map_or(String::new(), |extension| format!(" by Unify {extension}"));
    Error::config(format!(
        "the records of Unify in database '{catalog}' were written{by} in version {version}, and this Unify {EXTENSION} knows them up to version \
         {VERSION}; upgrade the extension; until then its tables can be read, but not loaded or changed by Unify"
    ))
}

/// Adds the columns that the tables lack, does what else each version takes, and notes it.
fn migrate(session: &mut dyn Session, unify: &str, version: i64) -> Result<()> {
    for table in [&LOADING_JOBS, &LOADING_LOG, &SCHEMA_CHANGES, &LOAD_STATE] {
        let rows = session.query(&format!("SELECT column_name FROM (DESCRIBE {})", table.sql_name(unify)))?;
        let known: Vec<&str> = rows.iter().filter_map(|row| row.first()?.as_text()).collect();
        let sql = missing_sql(table, unify, &known);
        if !sql.is_empty() {
            session.execute(&sql)?;
        }
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > version) {
        session.execute(&migration.sql.replace("{unify}", unify))?;
    }
    let row = format!("VALUES ({VERSION}, {}, make_timestamp({}))", quote_literal(EXTENSION), now_micros());
    session.execute(&META.insert_sql(unify, &["version", "extension_version", "since"], &row))
}

/// Returns the statements that add the columns that are not among the known ones.
fn missing_sql(table: &RecordTable, unify: &str, known: &[&str]) -> String {
    let is_missing = |column: &&RecordColumn| !known.iter().any(|name| name.eq_ignore_ascii_case(column.name));
    let missing = table.columns.iter().filter(is_missing);
    missing.map(|column| format!("ALTER TABLE {} ADD COLUMN {};", table.sql_name(unify), column.sql())).collect()
}

/// Returns the statements that make `live_jobs`, its last id that of `loading_jobs`.
fn live_jobs_sql(unify: &str) -> String {
    let last_id = format!("SELECT coalesce(max(id), 0), '', make_timestamp({}) FROM {}", now_micros(), LOADING_JOBS.sql_name(unify));
    format!(
        "CREATE TABLE {} ({}); {}",
        LIVE_JOBS.sql_name(unify),
        LIVE_JOBS.columns_sql(),
        LIVE_JOBS.insert_sql(unify, &["job_id", "owner", "updated"], &last_id)
    )
}

fn exists(session: &mut dyn Session, catalog: &str, kind: CatalogKind, table: &RecordTable) -> Result<bool> {
    exists::exists(session, kind, &name_of(catalog, table))
}

fn name_of(catalog: &str, table: &RecordTable) -> TableName {
    TableName { catalog: Some(catalog.to_string()), schema: "unify".to_string(), table: table.name.to_string() }
}

/// Returns the query for the highest version and who wrote it. PostgreSQL itself answers, as it does whether there is such a table: what its
/// extension remembers of tables may be older.
fn version_sql(catalog: &str, kind: CatalogKind) -> String {
    let from =
        |meta: &str| format!("SELECT version, extension_version FROM {meta} WHERE version IS NOT NULL ORDER BY version DESC LIMIT 1");
    match kind {
        CatalogKind::Postgres => format!("FROM postgres_query({}, {})", quote_literal(catalog), quote_literal(&from("unify.meta"))),
        CatalogKind::DuckDb | CatalogKind::DuckLake | CatalogKind::Other => from(&META.sql_name(&unify_schema(catalog))),
    }
}

fn unify_schema(catalog: &str) -> String {
    format!("{}.unify", quote_ident(catalog))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_an_older_version_lacks_are_added() {
        let known = ["job_id", "TABLE_SCHEMA", "table_name"];
        assert_eq!(
            missing_sql(&LIVE_JOBS, "\"db\".unify", &known),
            "ALTER TABLE \"db\".unify.\"live_jobs\" ADD COLUMN \"owner\" VARCHAR;ALTER TABLE \"db\".unify.\"live_jobs\" ADD COLUMN \"updated\" TIMESTAMP;"
        );
    }

    #[test]
    fn no_column_is_of_a_version_to_come_and_new_ones_are_last() {
        for table in [&LOADING_JOBS, &LOADING_LOG, &SCHEMA_CHANGES, &LOAD_STATE, &LIVE_JOBS, &META, &TABLE_CHANGES, &CHANGED_ROWS] {
            let since: Vec<i64> = table.columns.iter().map(|column| column.since).collect();
            assert!(since.is_sorted() && since.iter().all(|since| *since <= VERSION), "{}: {since:?}", table.name);
        }
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert!(versions.is_sorted() && versions.iter().all(|version| *version <= VERSION), "{versions:?}");
    }

    #[test]
    fn a_newer_version_is_told_with_what_to_do() {
        let message = too_new("lake", 7, Some("9.1.0")).message().to_string();
        assert!(
            message.starts_with("the records of Unify in database 'lake' were written by Unify 9.1.0 in version 7, and this Unify "),
            "{message}"
        );
        assert!(message.contains("upgrade the extension"), "{message}");
    }
}
