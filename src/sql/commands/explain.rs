//! `EXPLAIN REFRESH TABLE conn.table` and `unify_explain`: what a refresh would do; sends nothing.

use crate::load::PlannedStep;
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::commands::load::{table_of, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::relation::Relation;
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("step", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("action", ScalarType::Varchar),
    ("request", ScalarType::Varchar),
    ("requests", ScalarType::BigInt),
    ("seconds", ScalarType::Double),
    ("reason", ScalarType::Varchar),
];

/// `EXPLAIN REFRESH TABLE conn.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExplainRefresh {
    pub table: TablePath,
}

impl ExplainRefresh {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<ExplainRefresh> {
        table_of(pair).map(|table| ExplainRefresh { table })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_explain({})", quote_literal(&self.table.to_string()))
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::explain,
    syntax: "EXPLAIN REFRESH TABLE conn.table",
    description: "Says what a refresh would do: parents, requests, an estimate and the budget; sends nothing",
    example: "EXPLAIN REFRESH TABLE shop.orders",
    function: "unify_explain",
    topic: Topic::Loads,
    call: |pair| ExplainRefresh::parse(pair).map(|statement| statement.call()),
};

/// `unify_explain('conn.table')`.
pub(crate) struct UnifyExplain;

static DEF: FunctionDef = FunctionDef {
    name: "unify_explain",
    description: "Says what refreshing a table would do: parents, requests, an estimate from the last load, and the request budget; \
                  sends nothing",
    example: "FROM unify_explain('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyExplain {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let relation = Relation::find(&parse::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
        let rows = move |ctx: &StatementContext<'_>| {
            let steps = ctx.instance.loader.explain(&relation.targets(), &ctx.settings)?;
            Ok(steps.iter().enumerate().map(|(idx, step)| row_of(idx, step)).collect())
        };
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, rows))))
    }
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
    fn a_table_that_is_none_is_an_error() {
        check_error("unify_explain", &["shop.order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
    }
}
