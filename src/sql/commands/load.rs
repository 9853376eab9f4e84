//! `LOAD TABLE conn.table` and `unify_load`: loads a table unless it is loaded.

use crate::load::{LoadAction, LoadReport};
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::name::TablePath;
use crate::sql::parse::{self, Pair};
use crate::sql::relation::Relation;
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, TableFunction};
use crate::{Error, Result};

/// The columns of `unify_load`, `unify_refresh` and `unify_reload`: a row per table.
const COLUMNS: &[(&str, ScalarType)] = &[
    ("job_id", ScalarType::BigInt),
    ("action", ScalarType::Varchar),
    ("rows", ScalarType::BigInt),
    ("requests", ScalarType::BigInt),
    ("pages", ScalarType::BigInt),
    ("bytes", ScalarType::BigInt),
    ("seconds", ScalarType::Double),
    ("status", ScalarType::Varchar),
];

/// The parameter of the functions that take one table.
pub(super) const TABLE: ParameterDef = ParameterDef { name: "table", parameter_type: ParameterType::Varchar };

/// `LOAD TABLE conn.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadTable {
    pub table: TablePath,
}

impl LoadTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<LoadTable> {
        table_of(pair).map(|table| LoadTable { table })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        call_with_table("unify_load", &self.table)
    }
}

/// `unify_load('conn.table')`.
pub(crate) struct UnifyLoad;

static DEF: FunctionDef = FunctionDef {
    name: "unify_load",
    description: "Loads a table, or the tables of a view, and waits; a loaded table is left alone",
    example: "FROM unify_load('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyLoad {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        bind_load(LoadAction::Load, arguments, ctx)
    }
}

/// Binds a call that loads the table of its argument.
pub(super) fn bind_load(action: LoadAction, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let relation = Relation::find(&parse::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
    Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| {
        let reports = relation.load(action, None, ctx)?;
        let row = |report: LoadReport| {
            vec![
                integer(report.job_id),
                Value::Text(report.action.to_string()),
                integer(report.rows),
                integer(report.requests),
                integer(report.pages),
                integer(report.bytes),
                Value::Double(report.seconds),
                text(Some("success")),
            ]
        };
        Ok(reports.into_iter().map(row).collect())
    }))))
}

/// Returns the table a statement names.
pub(super) fn table_of(pair: Pair<'_>) -> Result<TablePath> {
    let name = pair.into_inner().find(|part| part.as_rule() == parse::Rule::table_name);
    name.map(parse::table_path).ok_or_else(|| Error::internal("the grammar gave a statement without its table"))
}

/// Returns `SELECT * FROM function('conn.table')`.
pub(super) fn call_with_table(function: &str, table: &TablePath) -> String {
    format!("SELECT * FROM {function}({})", quote_literal(&table.to_string()))
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("LOAD TABLE shop.orders", expect!["SELECT * FROM unify_load('shop.orders')"]);
        check_statement("load table lake.shop.\"my orders\";", expect![[r#"SELECT * FROM unify_load('lake.shop."my orders"')"#]]);
        check_statement("LOAD TABLE shop.\"it's\"", expect![[r#"SELECT * FROM unify_load('shop."it''s"')"#]]);
    }
}
