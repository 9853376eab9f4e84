//! `unify_loading_jobs` and `unify_loading_log`: the audit tables, empty before the first load.

use crate::load::{self, RecordTable};
use crate::session::{quote_literal, TableName};
use crate::spec::ScalarType;
use crate::sql::commands::scan::CATALOG;
use crate::sql::relation::attached;
use crate::sql::rows::bound_rows;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext};
use crate::Result;

/// An audit table, and the function that reads it.
#[derive(Clone, Copy)]
pub(crate) struct AuditTable {
    table: &'static RecordTable,
    function: &'static FunctionDef,
}

/// The schema the audit tables are stored in.
const SCHEMA: &str = "unify";

const LOADING_JOBS: AuditTable = AuditTable { table: &load::LOADING_JOBS, function: &LOADING_JOBS_FUNCTION };
const LOADING_LOG: AuditTable = AuditTable { table: &load::LOADING_LOG, function: &LOADING_LOG_FUNCTION };

/// `unify_loading_jobs()`, `information_schema.loading_jobs`.
pub(super) static LOADING_JOBS_FUNCTION: FunctionDef = FunctionDef {
    name: "unify_loading_jobs",
    description: "What was loaded when: a record for the start and the end of each load; also information_schema.loading_jobs",
    example: "FROM unify_loading_jobs()",
    named: &[CATALOG],
    ..FunctionDef::calling(|arguments, ctx| bind(LOADING_JOBS, arguments, ctx))
};

/// `unify_loading_log()`, `information_schema.loading_log`.
pub(super) static LOADING_LOG_FUNCTION: FunctionDef = FunctionDef {
    name: "unify_loading_log",
    description: "What happened during each load, message by message; also information_schema.loading_log",
    example: "FROM unify_loading_log()",
    named: &[CATALOG],
    ..FunctionDef::calling(|arguments, ctx| bind(LOADING_LOG, arguments, ctx))
};

/// Returns the audit table that a name means which DuckDB does not find; `None` when it means none.
pub(crate) fn table_of(schema: &str, table: &str) -> Option<AuditTable> {
    let is_it = |audit: &AuditTable| schema.eq_ignore_ascii_case("information_schema") && audit.table.name.eq_ignore_ascii_case(table);
    [LOADING_JOBS, LOADING_LOG].into_iter().find(is_it)
}

impl AuditTable {
    /// Returns its columns while it does not exist.
    pub(crate) fn columns(&self) -> Vec<(&'static str, ScalarType)> {
        self.table.columns.iter().map(|column| (column.name, column.scalar)).collect()
    }

    /// Returns the call that reads the table, in the database a name was qualified with.
    pub(crate) fn call(&self, catalog: Option<&str>) -> String {
        let catalog = catalog.map_or_else(String::new, |catalog| format!("catalog := {}", quote_literal(catalog)));
        format!("SELECT * FROM {}({catalog})", self.function.name)
    }
}

fn bind(audit: AuditTable, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let catalog = match arguments.named_text(CATALOG.name)? {
        Some(catalog) => attached(catalog, ctx)?,
        None => ctx.catalog()?.to_string(),
    };
    let name = audit.table.name;
    let sql = format!(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = {} AND schema_name = {} AND table_name = {}",
        quote_literal(&catalog),
        quote_literal(SCHEMA),
        quote_literal(name)
    );
    if ctx.instance.database.connect()?.query(&sql)?.is_empty() {
        return Ok(bound_rows(&audit.columns(), |_| Ok(Vec::new())));
    }
    if name == load::LOADING_JOBS.name {
        return ctx.instance.loader.jobs_source(&catalog).map(Bound::Scan);
    }
    Ok(Bound::Scan(TableName { catalog: Some(catalog), schema: SCHEMA.to_string(), table: name.to_string() }.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Value;
    use crate::sql::commands::tests::{check_rows, TestInstance};
    use expect_test::expect;

    #[test]
    fn an_audit_table_that_is_not_there_yet_is_empty() {
        check_rows(
            "unify_loading_jobs",
            &[],
            expect!["id | parent_id | timestamp | table_schema | table_name | adapter_name | action | numrows | status | error_message"],
        );
        check_rows(
            "unify_loading_log",
            &[],
            expect!["loading_job_id | timestamp | table_schema | table_name | adapter_name | message | level"],
        );
    }

    #[test]
    fn an_audit_table_that_is_there_is_scanned() {
        let instance = TestInstance::new().answer("table_name = 'loading_jobs'", vec![vec![Value::Integer(1)]]);
        let bound = instance.bind("unify_loading_jobs", &[]);
        assert!(matches!(bound, Ok(Bound::Scan(name)) if name == "\"memory\".\"unify\".\"loading_jobs\""));
    }

    #[test]
    fn the_call_names_the_database() {
        assert_eq!(LOADING_JOBS.call(None), "SELECT * FROM unify_loading_jobs()");
        assert_eq!(LOADING_LOG.call(Some("lake")), "SELECT * FROM unify_loading_log(catalog := 'lake')");
    }
}
