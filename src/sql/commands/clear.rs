//! `CLEAR TABLE conn.table` and `unify_clear`: empties a table and forgets its loads.

use crate::session::quote_literal;
use crate::spec::ScalarType;
use crate::sql::commands::load::TABLE;
use crate::sql::discovery::Need;
use crate::sql::grammar::{self, Rule};
use crate::sql::relation::Relation;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[("table", ScalarType::Varchar), ("action", ScalarType::Varchar), ("rows", ScalarType::BigInt)];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::clear,
    syntax: "CLEAR TABLE conn.table",
    description: "Removes a table's rows and forgets its loads",
    example: "CLEAR TABLE shop.orders",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: |pair| grammar::table_of(pair).map(|table| vec![quote_literal(&table.to_string())]),
};

/// `unify_clear('conn.table')`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_clear",
    description: "Removes a table's rows and forgets its loads; LOAD TABLE loads it from its beginning",
    example: "FROM unify_clear('shop.orders')",
    positional: &[TABLE],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let relation = Relation::find_with(&grammar::table_argument(arguments.text(0, TABLE.name)?)?, Need::Known, ctx)?;
    let target = relation.one_table("is a view; clear the tables it reads")?;
    Ok(bound_rows(COLUMNS, move |ctx| {
        let n_rows = ctx.instance.loader.clear(&target)?;
        let table = format!("{}.{}", target.connection.name, target.table);
        let action = if n_rows.is_some() { "truncate" } else { "none" };
        Ok(vec![vec![text(Some(&table)), text(Some(action)), integer(n_rows.unwrap_or(0))]])
    }))
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_error, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("CLEAR TABLE shop.orders", expect!["SELECT * FROM unify_clear('shop.orders')"]);
    }

    #[test]
    fn a_view_is_not_cleared() {
        check_error("unify_clear", &["shop.big_orders"], expect!["'big_orders' is a view; clear the tables it reads: orders, customers"]);
    }
}
