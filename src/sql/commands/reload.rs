//! `RELOAD TABLE conn.table` and `unify_reload`: loads a table anew and swaps it in when complete.

use crate::load::LoadAction;
use crate::sql::commands::load::{bind_load, load_call, load_of, BACKGROUND, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::{Pair, Rule};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::Result;

/// `RELOAD TABLE conn.table [IN BACKGROUND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReloadTable {
    pub table: TablePath,
    pub background: bool,
}

impl ReloadTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<ReloadTable> {
        load_of(pair).map(|(table, background)| ReloadTable { table, background })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        load_call("unify_reload", &self.table.to_string(), self.background)
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::reload,
    syntax: "RELOAD TABLE conn.table [IN BACKGROUND]",
    description: "Loads a table anew and swaps it in when it is complete",
    example: "RELOAD TABLE shop.orders",
    function: "unify_reload",
    topic: Topic::Loads,
    call: |pair| ReloadTable::parse(pair).map(|statement| statement.call()),
};

/// `unify_reload('conn.table', background := false)`.
pub(crate) struct UnifyReload;

static DEF: FunctionDef = FunctionDef {
    name: "unify_reload",
    description: "Loads a table anew and swaps it in when it is complete",
    example: "FROM unify_reload('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[BACKGROUND],
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
        check_statement("RELOAD TABLE shop.orders IN BACKGROUND", expect!["SELECT * FROM unify_reload('shop.orders', background := true)"]);
    }
}
