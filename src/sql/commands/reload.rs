//! `RELOAD TABLE conn.table` and `unify_reload`: loads a table anew and swaps it in when complete.

use crate::load::LoadAction;
use crate::sql::commands::load::{bind_load, load_arguments, BACKGROUND, TABLE};
use crate::sql::grammar::Rule;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::reload,
    syntax: "RELOAD TABLE conn.table [IN BACKGROUND]",
    description: "Loads a table anew and swaps it in when it is complete",
    example: "RELOAD TABLE shop.orders",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: load_arguments,
};

/// `unify_reload('conn.table', background := false)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_reload",
    description: "Loads a table anew and swaps it in when it is complete",
    example: "FROM unify_reload('shop.orders')",
    positional: &[TABLE],
    named: &[BACKGROUND],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    bind_load(LoadAction::Reload, arguments, ctx)
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
