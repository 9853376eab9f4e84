//! What a name that DuckDB does not find stands for.

use crate::catalog::{is_reserved, CatalogSnapshot, ConnectionEntry};
use crate::session::{quote_literal, CatalogKind, Settings, TableName};
use crate::sql::commands::{audit, scan};
use crate::sql::relation::{lookup, target_catalog};
use crate::sql::Instance;
use crate::{Error, Result};

/// A schema of DuckDB's in which the audit tables have their documented names.
const AUDIT_SCHEMA: &str = "information_schema";
/// Last parts of names that are files: `FROM data.csv` reaches us as schema `data` and table `csv`.
const FILE_ENDINGS: &[&str] =
    &["arrow", "avro", "csv", "db", "duckdb", "feather", "gz", "json", "jsonl", "ndjson", "parquet", "tsv", "txt", "xlsx", "zst"];

/// What the statement that asks knows of its session.
pub struct Asking<'a> {
    pub settings: &'a dyn Fn() -> Result<Settings>,
    /// Schemas, each with its database where one was named.
    pub search_path: &'a dyn Fn() -> Vec<(Option<String>, String)>,
}

/// Returns the SQL that a name stands for which DuckDB does not find, `None` when it does not stand for anything of ours. `catalog` is empty unless
/// the name was qualified with a database. Fails when the name is a connection's that cannot be used, or one of its tables that
/// does not exist.
///
/// Unqualified names cost a look at the search path, others a look at the files' times and a hash look-up.
pub fn replacement_sql(instance: &Instance, asking: &Asking<'_>, catalog: &str, schema: &str, table: &str) -> Result<Option<String>> {
    let settings_of = asking.settings;
    if schema.is_empty() && catalog.is_empty() {
        return in_search_path(instance, asking, table);
    }
    if schema.is_empty() && !catalog.is_empty() {
        // An attached database of a connection's name: the function says what to do.
        let snapshot = instance.catalog.snapshot(&settings_of()?);
        return Ok(snapshot.connection(catalog).map(|entry| scan::call(None, &entry.name, table)));
    }
    let catalog = Some(catalog).filter(|catalog| !catalog.is_empty());
    if schema.eq_ignore_ascii_case(AUDIT_SCHEMA) {
        return Ok(audit::table_of(schema, table).map(|audit| audit.call(catalog)));
    }
    if is_reserved(schema) {
        return Ok(None);
    }
    let settings = match settings_of() {
        // Files are read also when a setting of ours is out of its range.
        Err(_) if is_file_like(table) => return Ok(None),
        settings => settings?,
    };
    let snapshot = instance.catalog.snapshot(&settings);
    let Some(entry) = snapshot.connection(schema) else { return not_a_connection(instance, &snapshot, schema, table) };
    let table = match lookup(entry.spec()?, &entry.name, table) {
        Ok((_, table)) => table,
        // The function knows which tables the API has, or asks.
        Err(_) if !entry.spec()?.discover.is_empty() => table.to_string(),
        Err(err) => return Err(err),
    };
    replaced(instance, &settings, entry, catalog, &table)
}

/// Returns what a table of a connection is replaced by.
fn replaced(
    instance: &Instance,
    settings: &Settings,
    entry: &ConnectionEntry,
    catalog: Option<&str>,
    table: &str,
) -> Result<Option<String>> {
    if catalog.is_some() {
        return Ok(Some(scan::call(catalog, &entry.name, table)));
    }
    let Some(target) = target_catalog(instance, settings)? else { return Ok(Some(scan::call(None, &entry.name, table))) };
    if !CatalogKind::of(instance.database.connect()?.as_mut(), &target)?.hides_newer_tables() {
        return Ok(Some(scan::call(Some(&target), &entry.name, table)));
    }
    // Where it is loaded and visible to the statement, DuckDB reads it as any table; otherwise it asks again, for this name.
    Ok(Some(format!("SELECT * FROM {}", TableName { catalog: Some(target), schema: entry.name.clone(), table: table.to_string() })))
}

/// Returns the SQL that an unqualified name stands for: a table of the first connection whose schema the user put into the search path.
/// Any other name may be somebody else's, a data frame's for one, and is never an error of ours.
fn in_search_path(instance: &Instance, asking: &Asking<'_>, table: &str) -> Result<Option<String>> {
    let path = (asking.search_path)();
    if path.iter().all(|(_, schema)| is_reserved(schema)) {
        return Ok(None);
    }
    let Ok(settings) = (asking.settings)() else { return Ok(None) };
    let snapshot = instance.catalog.snapshot(&settings);
    for (catalog, schema) in &path {
        let Some(entry) = snapshot.connection(schema).filter(|_| !is_reserved(schema)) else { continue };
        let known = entry.spec().and_then(|spec| match spec.discover.is_empty() {
            true => lookup(spec, &entry.name, table),
            false => entry.open().and_then(|connection| lookup(&connection.adapter, &entry.name, table)),
        });
        if let Ok((_, table)) = known {
            return replaced(instance, &settings, entry, catalog.as_deref(), &table);
        }
    }
    Ok(None)
}

/// Returns `None`, unless the name may well be meant for a connection: one a slip away, or any when the connections could not be read or
/// their file was not found. Then the reason is what the user needs.
fn not_a_connection(instance: &Instance, snapshot: &CatalogSnapshot, schema: &str, table: &str) -> Result<Option<String>> {
    if is_file_like(table) {
        return Ok(None);
    }
    if let Some(problem) = snapshot.unreadable() {
        return Err(Error::config(format!("there is no schema '{schema}' with a table '{table}', and it is not a connection: {problem}")));
    }
    if !snapshot.may_mean_a_connection(schema) || is_schema(instance, schema)? {
        return Ok(None);
    }
    snapshot.expect_connection(schema).map(|_| None)
}

/// Returns whether an attached database or a schema of one has that name: then DuckDB knows best what is missing.
fn is_schema(instance: &Instance, name: &str) -> Result<bool> {
    let name = quote_literal(name);
    let sql = format!(
        "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = lower({name})
         UNION ALL SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({name})"
    );
    Ok(!instance.database.connect()?.query(&sql)?.is_empty())
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
        let asking = Asking { settings: &settings_of, search_path: &Vec::new };
        let shown = match replacement_sql(instance.instance(), &asking, name[0], name[1], name[2]) {
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
        let asking = Asking { settings: &settings_of, search_path: &|| vec![(Some("memory".to_string()), "main".to_string())] };
        assert_eq!(replacement_sql(instance.instance(), &asking, "", "", "orders").unwrap(), None);
        assert_eq!(replacement_sql(instance.instance(), &asking, "", "main", "orders").unwrap(), None);
    }

    #[test]
    fn an_unqualified_name_is_looked_for_in_the_connections_of_the_search_path() {
        let instance = TestInstance::new();
        let settings_of = || Ok(instance.settings());
        let place = |catalog: Option<&str>, schema: &str| (catalog.map(str::to_string), schema.to_string());
        let check = |path: Vec<(Option<String>, String)>, table: &str, expected: Option<&str>| {
            let asking = Asking { settings: &settings_of, search_path: &|| path.clone() };
            let sql = replacement_sql(instance.instance(), &asking, "", "", table).unwrap();
            assert_eq!(sql.as_deref(), expected, "{path:?} {table}");
        };
        let scan = "SELECT * FROM unify_scan('shop', 'orders')";
        check(vec![place(None, "shop")], "Orders", Some(scan));
        check(vec![place(None, "other"), place(None, "broken"), place(None, "SHOP")], "orders", Some(scan));
        check(vec![place(Some("lake"), "shop")], "orders", Some("SELECT * FROM unify_scan('shop', 'orders', catalog := 'lake')"));
        check(vec![place(None, "shop")], "order", None);
        check(vec![place(None, "broken")], "orders", None);
        check(vec![place(Some("memory"), "main")], "orders", None);
    }

    #[test]
    fn a_schema_a_slip_away_from_a_connection_is_an_error_unless_duckdb_has_it() {
        check(["", "shp", "orders"], expect!["error: there is no connection 'shp'; did you mean 'shop'?"]);
        check(["", "shop2", "orders"], expect!["error: there is no connection 'shop2'; did you mean 'shop'?"]);
        check(["", "shp", "csv"], expect!["none"]);
        check(["", "shopping", "orders"], expect!["none"]);
        let instance = TestInstance::new().answer("FROM duckdb_schemas()", vec![vec![crate::session::Value::Null]]);
        let settings_of = || Ok(instance.settings());
        let asking = Asking { settings: &settings_of, search_path: &Vec::new };
        assert_eq!(replacement_sql(instance.instance(), &asking, "", "shp", "orders").unwrap(), None);
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
        let asking = Asking { settings: &settings_of, search_path: &Vec::new };
        let replaced = |schema, table| replacement_sql(instance.instance(), &asking, "", schema, table);
        assert_eq!(
            replaced("shop", "orders").unwrap_err().to_string(),
            "there is no schema 'shop' with a table 'orders', and it is not a connection: connections cannot be used because setting \
             'enable_external_access' is false"
        );
        assert_eq!(replaced("data", "csv").unwrap(), None);
    }
}
