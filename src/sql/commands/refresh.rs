//! `REFRESH TABLE conn.table` and `unify_refresh`: brings a table up to date.

use crate::load::LoadAction;
use crate::sql::commands::load::{bind_load, call_with_table, table_of, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::Pair;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, TableFunction};
use crate::Result;

/// `REFRESH TABLE conn.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefreshTable {
    pub table: TablePath,
}

impl RefreshTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<RefreshTable> {
        table_of(pair).map(|table| RefreshTable { table })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        call_with_table("unify_refresh", &self.table)
    }
}

/// `unify_refresh('conn.table')`.
pub(crate) struct UnifyRefresh;

static DEF: FunctionDef = FunctionDef {
    name: "unify_refresh",
    description: "Brings a loaded table up to date by its refresh strategy, and loads it if it is not loaded",
    example: "FROM unify_refresh('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyRefresh {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        bind_load(LoadAction::Refresh, arguments, ctx)
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("REFRESH TABLE shop.orders", expect!["SELECT * FROM unify_refresh('shop.orders')"]);
    }
}
