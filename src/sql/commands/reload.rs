//! `RELOAD TABLE conn.table` and `unify_reload`: loads a table anew and swaps it in when complete.

use crate::load::LoadAction;
use crate::sql::commands::load::{bind_load, call_with_table, table_of, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::Pair;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, TableFunction};
use crate::Result;

/// `RELOAD TABLE conn.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReloadTable {
    pub table: TablePath,
}

impl ReloadTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<ReloadTable> {
        table_of(pair).map(|table| ReloadTable { table })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        call_with_table("unify_reload", &self.table)
    }
}

/// `unify_reload('conn.table')`.
pub(crate) struct UnifyReload;

static DEF: FunctionDef = FunctionDef {
    name: "unify_reload",
    description: "Loads a table anew and swaps it in when it is complete",
    example: "FROM unify_reload('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyReload {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        bind_load(LoadAction::Reload, arguments, ctx)
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("RELOAD TABLE shop.orders", expect!["SELECT * FROM unify_reload('shop.orders')"]);
    }
}
