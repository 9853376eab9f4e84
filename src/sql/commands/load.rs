//! `LOAD TABLE conn.table` and `unify_load`: loads a table unless it is loaded.

use crate::load::LoadAction;
use crate::session::quote_literal;
use crate::sql::name::TablePath;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::relation::Relation;
use crate::sql::rows::RowsCall;
use crate::sql::waiting::{JobsCall, Task, Waits, COLUMNS};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};

/// The parameter of the functions that take one table.
pub(super) const TABLE: ParameterDef = ParameterDef { name: "table", parameter_type: ParameterType::Varchar };
/// Whether a load is only started.
pub(super) const BACKGROUND: ParameterDef = ParameterDef { name: "background", parameter_type: ParameterType::Boolean };

/// `LOAD TABLE conn.table [IN BACKGROUND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadTable {
    pub table: TablePath,
    pub background: bool,
}

impl LoadTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<LoadTable> {
        load_of(pair).map(|(table, background)| LoadTable { table, background })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        load_call("unify_load", &self.table.to_string(), self.background)
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::load,
    syntax: "LOAD TABLE conn.table [IN BACKGROUND]",
    description: "Loads a table, or the tables of a view, unless it is loaded; in the background it only starts the load",
    example: "LOAD TABLE shop.orders",
    function: "unify_load",
    topic: Topic::Loads,
    call: |pair| LoadTable::parse(pair).map(|statement| statement.call()),
};

/// `unify_load('conn.table', background := false)`.
pub(crate) struct UnifyLoad;

static DEF: FunctionDef = FunctionDef {
    name: "unify_load",
    description: "Loads a table, or the tables of a view, and waits unless it is done in the background; a loaded table is left alone",
    example: "FROM unify_load('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[BACKGROUND],
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
    let background = arguments.named_flag(BACKGROUND.name)?;
    let tasks = relation.targets().into_iter().map(|target| Task::Load(target, action)).collect();
    let waits = Waits { tasks, side_by_side: false };
    Ok(bind_waits(background, move |_: &StatementContext<'_>| Ok(waits.clone())))
}

/// Binds a call that starts what `waits` returns at each execution, and waits for it unless that is done in the background.
pub(super) fn bind_waits<F>(background: bool, waits: F) -> Bound
where
    F: Fn(&StatementContext<'_>) -> Result<Waits> + Send + Sync + 'static,
{
    match background {
        true => Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| waits(ctx)?.start_all(ctx)))),
        false => Bound::Waiting(Box::new(JobsCall::new(waits))),
    }
}

/// Returns the table a statement names, and whether it says IN BACKGROUND.
pub(super) fn load_of(pair: Pair<'_>) -> Result<(TablePath, bool)> {
    let background = pair.clone().into_inner().any(|part| part.as_rule() == Rule::background);
    table_of(pair).map(|table| (table, background))
}

/// Returns `SELECT * FROM function('name')`, in the background if so.
///
/// The function is looked up in the user's database first, so the waiting statement is a reader that began before the load: DuckDB then
/// writes the rows to its file once, when all are there, and not again and again while they come.
pub(super) fn load_call(function: &str, name: &str, background: bool) -> String {
    let background = if background { ", background := true" } else { "" };
    format!("SELECT * FROM {function}({}{background})", quote_literal(name))
}

/// Returns the table a statement names.
pub(super) fn table_of(pair: Pair<'_>) -> Result<TablePath> {
    let name = pair.into_inner().find(|part| part.as_rule() == parse::Rule::table_name);
    name.map(parse::table_path).ok_or_else(|| Error::internal("the grammar gave a statement without its table"))
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
