//! `LOAD TABLE conn.table` and `unify_load`: loads a table unless it is loaded.

use crate::load::LoadAction;
use crate::session::quote_literal;
use crate::sql::discovery::Need;
use crate::sql::grammar::{self, Pair, Rule};
use crate::sql::relation::Relation;
use crate::sql::rows::bound_rows;
use crate::sql::statement::flags_of;
use crate::sql::waiting::{JobsCall, Task, Waits, COLUMNS};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::Result;

/// The parameter of the functions that take one table.
pub(super) const TABLE: ParameterDef = ParameterDef { name: "table", parameter_type: ParameterType::Varchar };
/// Whether a load is only started.
pub(super) const BACKGROUND: ParameterDef = ParameterDef { name: "background", parameter_type: ParameterType::Boolean };
pub(super) const IN_BACKGROUND: &[(Rule, ParameterDef)] = &[(Rule::background, BACKGROUND)];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::load,
    syntax: "LOAD TABLE conn.table [IN BACKGROUND]",
    description: "Loads a table, or the tables of a view, unless it is loaded; in the background it only starts the load",
    example: "LOAD TABLE shop.orders",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: load_arguments,
};

/// `unify_load('conn.table', background := false)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_load",
    description: "Loads a table, or the tables of a view, and waits unless it is done in the background; a loaded table is left alone",
    example: "FROM unify_load('shop.orders')",
    positional: &[TABLE],
    named: &[BACKGROUND],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    bind_load(LoadAction::Load, arguments, ctx)
}

/// Binds a call that loads the table of its argument.
pub(super) fn bind_load(action: LoadAction, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let relation = Relation::find_with(&grammar::table_argument(arguments.text(0, TABLE.name)?)?, Need::Fresh, ctx)?;
    let background = arguments.named_flag(BACKGROUND.name)?;
    let tasks = relation.targets().into_iter().map(|target| Task::Load(target, action)).collect();
    let waits = Waits { tasks, side_by_side: false };
    Ok(bind_waits(background, move |_| Ok(waits.clone())))
}

/// Binds a call that starts what `waits` returns at each execution, and waits for it unless that is done in the background.
pub(super) fn bind_waits<F>(background: bool, waits: F) -> Bound
where
    F: Fn(&StatementContext<'_>) -> Result<Waits> + Send + Sync + 'static,
{
    match background {
        true => bound_rows(COLUMNS, move |ctx| waits(ctx)?.start_all(ctx)),
        false => Bound::Waiting(Box::new(JobsCall::new(waits))),
    }
}

/// Returns the arguments of a statement that names a table and may say IN BACKGROUND.
pub(super) fn load_arguments(pair: Pair<'_>) -> Result<Vec<String>> {
    let flags = flags_of(&pair, IN_BACKGROUND);
    Ok([vec![quote_literal(&grammar::table_of(pair)?.to_string())], flags].concat())
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("LOAD TABLE shop.orders", expect!["SELECT * FROM unify_load('shop.orders')"]);
        check_statement("load table lake.shop.\"my orders\";", expect![[r#"SELECT * FROM unify_load('lake.shop."my orders"')"#]]);
        check_statement("LOAD TABLE shop.orders IN BACKGROUND", expect!["SELECT * FROM unify_load('shop.orders', background := true)"]);
        check_statement("LOAD TABLE shop.\"it's\"", expect![[r#"SELECT * FROM unify_load('shop."it''s"')"#]]);
    }
}
