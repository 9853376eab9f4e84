//! `EXPLAIN REFRESH TABLE conn.table` and `unify_explain`: what a refresh would do; sends nothing.

use crate::load::PlannedStep;
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::commands::load::TABLE;
use crate::sql::discovery::Need;
use crate::sql::grammar::{self, Rule};
use crate::sql::name::shown;
use crate::sql::relation::Relation;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] = &[
    ("step", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("action", ScalarType::Varchar),
    ("request", ScalarType::Varchar),
    ("requests", ScalarType::BigInt),
    ("seconds", ScalarType::Double),
    ("reason", ScalarType::Varchar),
];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::explain,
    syntax: "EXPLAIN REFRESH TABLE conn.table",
    description: "Says what a refresh would do: parents, requests, an estimate and the budget; sends nothing",
    example: "EXPLAIN REFRESH TABLE shop.orders",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: |pair| grammar::table_of(pair).map(|table| vec![quote_literal(&table.to_string())]),
};

/// `unify_explain('conn.table')`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_explain",
    description: "Says what refreshing a table would do: parents, requests, an estimate from the last load, and the request budget; \
                  sends nothing",
    example: "FROM unify_explain('shop.orders')",
    positional: &[TABLE],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let relation = Relation::find_with(&grammar::table_argument(arguments.text(0, TABLE.name)?)?, Need::Known, ctx)?;
    for target in relation.targets() {
        let spec = &target.connection.adapter;
        if spec.table(&target.table).is_some_and(|table_def| spec.is_undiscovered(table_def)) {
            let connection = shown(&target.connection.name);
            let message = format!("its fields are not known yet, and nothing is sent here; DISCOVER CONNECTION {connection} asks for them");
            return Err(Error::config(message).at(target.place()));
        }
    }
    Ok(bound_rows(COLUMNS, move |ctx| {
        let steps = ctx.instance.loader.explain(&relation.targets(), &ctx.settings)?;
        Ok(steps.iter().enumerate().map(|(idx, step)| row_of(idx, step)).collect())
    }))
}

fn row_of(idx: usize, step: &PlannedStep) -> Vec<Value> {
    vec![
        integer(idx as i64 + 1),
        text(Some(&step.table)),
        text(Some(step.action)),
        text(step.request.as_deref()),
        step.requests.map_or(Value::Null, integer),
        step.seconds.map_or(Value::Null, Value::Double),
        text(Some(&step.reason)),
    ]
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_error, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("EXPLAIN REFRESH TABLE shop.orders", expect!["SELECT * FROM unify_explain('shop.orders')"]);
        check_statement("explain refresh table lake.shop.orders;", expect!["SELECT * FROM unify_explain('lake.shop.orders')"]);
    }

    #[test]
    fn an_unknown_table_is_an_error() {
        check_error("unify_explain", &["shop.order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
    }
}
