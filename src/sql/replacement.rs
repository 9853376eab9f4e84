//! What a name that DuckDB does not find stands for.

use crate::catalog::CatalogSnapshot;
use crate::session::{CatalogKind, Settings, TableName};
use crate::sql::commands::{audit, scan};
use crate::sql::relation::{lookup, target_catalog};
use crate::sql::Instance;
use crate::{Error, Result};

/// Schemas that are DuckDB's own or Unify's state: never connections.
const OWN_SCHEMAS: &[&str] = &["main", "temp", "unify", "pg_catalog", "system"];
/// A schema of DuckDB's in which the audit tables have their documented names.
const AUDIT_SCHEMA: &str = "information_schema";
/// Last parts of names that are files: `FROM data.csv` reaches us as schema `data` and table `csv`.
const FILE_ENDINGS: &[&str] =
    &["arrow", "avro", "csv", "db", "duckdb", "feather", "gz", "json", "jsonl", "ndjson", "parquet", "tsv", "txt", "xlsx", "zst"];

/// Returns whether a schema is DuckDB's own or holds Unify's state, so that it is no connection, whatever the connections file says.
pub(super) fn is_own_schema(schema: &str) -> bool {
    OWN_SCHEMAS.iter().chain([&AUDIT_SCHEMA]).any(|own| own.eq_ignore_ascii_case(schema))
}

/// Returns the SQL that a name stands for which DuckDB does not find, `None` when it is none of ours. `catalog` is empty unless
/// the name was qualified with a database. Fails when the name is a connection's that cannot be used, or one of its tables that
/// does not exist.
///
/// Unqualified names cost nothing, others a look at the files' times and a hash look-up.
pub fn replacement_sql(
    instance: &Instance,
    settings_of: &dyn Fn() -> Result<Settings>,
    catalog: &str,
    schema: &str,
    table: &str,
) -> Result<Option<String>> {
    if schema.is_empty() && !catalog.is_empty() {
        // An attached database of a connection's name: the function says what to do.
        let snapshot = instance.catalog.snapshot(&settings_of()?);
        return Ok(snapshot.connection(catalog).map(|entry| scan::call(None, &entry.name, table)));
    }
    if schema.is_empty() || OWN_SCHEMAS.iter().any(|own| own.eq_ignore_ascii_case(schema)) {
        return Ok(None);
    }
    let catalog = Some(catalog).filter(|catalog| !catalog.is_empty());
    if schema.eq_ignore_ascii_case(AUDIT_SCHEMA) {
        return Ok(audit::table_of(schema, table).map(|audit| audit.call(catalog)));
    }
    let settings = match settings_of() {
        // A setting of ours that is out of its range is no reason to read no files.
        Err(_) if is_file_like(table) => return Ok(None),
        settings => settings?,
    };
    let snapshot = instance.catalog.snapshot(&settings);
    let Some(entry) = snapshot.connection(schema) else { return not_a_connection(&snapshot, schema, table) };
    let (_, table) = lookup(entry.spec()?, &entry.name, table)?;
    if catalog.is_some() {
        return Ok(Some(scan::call(catalog, &entry.name, &table)));
    }
    let Some(target) = target_catalog(instance, &settings)? else { return Ok(Some(scan::call(None, &entry.name, &table))) };
    if !CatalogKind::of(instance.database.connect()?.as_mut(), &target)?.hides_newer_tables() {
        return Ok(Some(scan::call(Some(&target), &entry.name, &table)));
    }
    // Where it is loaded and visible to the statement, DuckDB reads it as any table; otherwise it asks again, for this name.
    Ok(Some(format!("SELECT * FROM {}", TableName { catalog: Some(target), schema: entry.name.clone(), table })))
}

/// Returns `None`, unless connections could not be read: then the name may well be one, and the reason is what the user needs.
fn not_a_connection(snapshot: &CatalogSnapshot, schema: &str, table: &str) -> Result<Option<String>> {
    let Some(problem) = snapshot.unreadable() else { return Ok(None) };
    if is_file_like(table) {
        return Ok(None);
    }
    Err(Error::config(format!("there is no schema '{schema}' with a table '{table}', and it is no connection: {problem}")))
}

fn is_file_like(table: &str) -> bool {
    FILE_ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::TestInstance;
    use expect_test::{expect, Expect};

    fn check(name: [&str; 3], expected: Expect) {
        let instance = TestInstance::new();
        let settings_of = || Ok(instance.settings());
        let shown = match replacement_sql(instance.instance(), &settings_of, name[0], name[1], name[2]) {
            Ok(sql) => sql.unwrap_or_else(|| "none".to_string()),
            Err(err) => format!("error: {err}"),
        };
        expected.assert_eq(&instance.without_paths(&shown));
    }

    #[test]
    fn names_of_others_are_left_alone() {
        for name in [
            ["", "", "orders"],
            ["", "main", "orders"],
            ["", "nosuch", "orders"],
            ["", "information_schema", "nosuch"],
            ["db", "unify", "x"],
        ] {
            check(name, expect!["none"]);
        }
    }

    #[test]
    fn an_unqualified_name_does_not_even_read_the_settings() {
        let instance = TestInstance::new();
        let settings_of = || Err(Error::config("settings were read"));
        assert_eq!(replacement_sql(instance.instance(), &settings_of, "", "", "orders").unwrap(), None);
        assert_eq!(replacement_sql(instance.instance(), &settings_of, "", "main", "orders").unwrap(), None);
    }

    #[test]
    fn a_table_or_view_of_a_connection_is_scanned() {
        check(["", "shop", "orders"], expect!["SELECT * FROM unify_scan('shop', 'orders')"]);
        check(["", "SHOP", "Orders"], expect!["SELECT * FROM unify_scan('shop', 'orders')"]);
        check(["", "shop", "big_orders"], expect!["SELECT * FROM unify_scan('shop', 'big_orders')"]);
        check(["it's", "shop", "orders"], expect!["SELECT * FROM unify_scan('shop', 'orders', catalog := 'it''s')"]);
    }

    #[test]
    fn a_name_that_is_nearly_ours_is_an_error() {
        check(["", "shop", "order"], expect!["error: connection 'shop' has no table 'order'; did you mean 'orders'?"]);
        check(["", "shop", "zzz"], expect!["error: connection 'shop' has no table 'zzz'; expected one of: orders, customers, big_orders"]);
        check(
            ["", "broken", "orders"],
            expect!["error: connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'?"],
        );
    }

    #[test]
    fn the_audit_tables_are_found_in_the_information_schema() {
        check(["", "information_schema", "loading_jobs"], expect!["SELECT * FROM unify_loading_jobs()"]);
        check(["", "INFORMATION_SCHEMA", "Loading_Log"], expect!["SELECT * FROM unify_loading_log()"]);
        check(["db", "information_schema", "loading_log"], expect!["SELECT * FROM unify_loading_log(catalog := 'db')"]);
    }

    #[test]
    fn without_external_access_the_reason_is_told() {
        let instance = TestInstance::new();
        let settings_of = || {
            let mut settings = instance.settings();
            settings.external_access = false;
            Ok(settings)
        };
        let replaced = |schema, table| replacement_sql(instance.instance(), &settings_of, "", schema, table);
        assert_eq!(
            replaced("shop", "orders").unwrap_err().to_string(),
            "there is no schema 'shop' with a table 'orders', and it is no connection: connections cannot be used because setting \
             'enable_external_access' is false"
        );
        assert_eq!(replaced("data", "csv").unwrap(), None);
    }
}
