//! `unify_loading_jobs` and `unify_loading_log`: the audit tables, empty before the first load.

use crate::session::{quote_literal, TableName, Value};
use crate::spec::ScalarType;
use crate::sql::commands::scan::CATALOG;
use crate::sql::relation::attached;
use crate::sql::rows::RowsCall;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, TableFunction};
use crate::Result;

/// An audit table: the function that reads it, and its columns while it does not exist.
pub(crate) struct AuditTable {
    pub table: &'static str,
    def: &'static FunctionDef,
    pub columns: &'static [(&'static str, ScalarType)],
}

/// The schema the audit tables are stored in.
const SCHEMA: &str = "unify";

/// `unify_loading_jobs()`, `information_schema.loading_jobs`.
pub(crate) const LOADING_JOBS: AuditTable = AuditTable {
    table: "loading_jobs",
    def: &FunctionDef {
        name: "unify_loading_jobs",
        description: "What was loaded when: a record for the start and the end of each load; also information_schema.loading_jobs",
        example: "FROM unify_loading_jobs()",
        positional: &[],
        has_optional: false,
        named: &[CATALOG],
    },
    columns: &[
        ("id", ScalarType::BigInt),
        ("parent_id", ScalarType::BigInt),
        ("timestamp", ScalarType::Timestamp),
        ("table_schema", ScalarType::Varchar),
        ("table_name", ScalarType::Varchar),
        ("adapter_name", ScalarType::Varchar),
        ("action", ScalarType::Varchar),
        ("numrows", ScalarType::BigInt),
        ("status", ScalarType::Varchar),
        ("error_message", ScalarType::Varchar),
    ],
};

/// `unify_loading_log()`, `information_schema.loading_log`.
pub(crate) const LOADING_LOG: AuditTable = AuditTable {
    table: "loading_log",
    def: &FunctionDef {
        name: "unify_loading_log",
        description: "What happened during each load, message by message; also information_schema.loading_log",
        example: "FROM unify_loading_log()",
        positional: &[],
        has_optional: false,
        named: &[CATALOG],
    },
    columns: &[
        ("loading_job_id", ScalarType::BigInt),
        ("timestamp", ScalarType::Timestamp),
        ("table_schema", ScalarType::Varchar),
        ("table_name", ScalarType::Varchar),
        ("adapter_name", ScalarType::Varchar),
        ("message", ScalarType::Varchar),
        ("level", ScalarType::Varchar),
    ],
};

/// Returns the audit table that a name means which DuckDB does not find; `None` when it means none.
pub(crate) fn table_of(schema: &str, table: &str) -> Option<AuditTable> {
    let is_it = |audit: &AuditTable| schema.eq_ignore_ascii_case("information_schema") && audit.table.eq_ignore_ascii_case(table);
    [LOADING_JOBS, LOADING_LOG].into_iter().find(is_it)
}

impl AuditTable {
    /// Returns the call that reads the table, in the database a name was qualified with.
    pub(crate) fn call(&self, catalog: Option<&str>) -> String {
        let catalog = catalog.map_or_else(String::new, |catalog| format!("catalog := {}", quote_literal(catalog)));
        format!("SELECT * FROM {}({catalog})", self.def.name)
    }
}

impl TableFunction for AuditTable {
    fn def(&self) -> &'static FunctionDef {
        self.def
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let catalog = match arguments.named_text(CATALOG.name)? {
            Some(catalog) => attached(catalog, ctx)?,
            None => ctx.catalog()?.to_string(),
        };
        let sql = format!(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = {} AND schema_name = {} AND table_name = {}",
            quote_literal(&catalog),
            quote_literal(SCHEMA),
            quote_literal(self.table)
        );
        if ctx.instance.database.connect()?.query(&sql)?.is_empty() {
            let none = |_: &StatementContext<'_>| -> Result<Vec<Vec<Value>>> { Ok(Vec::new()) };
            return Ok(Bound::Rows(Box::new(RowsCall::new(self.columns, none))));
        }
        ctx.instance.loader.close_killed(&catalog)?;
        Ok(Bound::Scan(TableName { catalog: Some(catalog), schema: SCHEMA.to_string(), table: self.table.to_string() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(matches!(bound, Ok(Bound::Scan(name)) if name.to_string() == "\"memory\".\"unify\".\"loading_jobs\""));
    }

    #[test]
    fn the_call_names_the_database() {
        assert_eq!(LOADING_JOBS.call(None), "SELECT * FROM unify_loading_jobs()");
        assert_eq!(LOADING_LOG.call(Some("lake")), "SELECT * FROM unify_loading_log(catalog := 'lake')");
    }
}
