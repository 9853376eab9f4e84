//! `PEEK [AT] conn.table [LIMIT n]` and `unify_peek`: the first rows of one request; writes nothing.

use crate::columns::{Batch, TableSchema};
use crate::session::{quote_literal, Value};
use crate::sql::commands::load::TABLE;
use crate::sql::grammar::{self, Pair, Rule};
use crate::sql::relation::Relation;
use crate::sql::{Arguments, Bound, BoundCall, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::{Error, Result};

/// Rows shown when the statement does not say.
const DEFAULT_ROWS: usize = 20;
/// Most rows that can be asked for: one request has fewer.
const MAX_ROWS: usize = 1_000_000;

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::peek,
    syntax: "PEEK [AT] conn.table [LIMIT n]",
    description: "Shows the first rows of one request, 20 unless told; writes nothing",
    example: "PEEK shop.orders LIMIT 5",
    function: &FUNCTION,
    topic: Topic::Requests,
    arguments: arguments_of,
};

fn arguments_of(pair: Pair<'_>) -> Result<Vec<String>> {
    let limit = if grammar::has(&pair, Rule::number) { vec![grammar::number_of(pair.clone())?] } else { Vec::new() };
    Ok([vec![quote_literal(&grammar::table_of(pair)?.to_string())], limit].concat())
}

/// `unify_peek('conn.table', n)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_peek",
    description: "Shows the first rows (20 unless told) of one request to a table's API; writes nothing",
    example: "FROM unify_peek('shop.orders', 5)",
    positional: &[TABLE, ParameterDef { name: "n", parameter_type: ParameterType::BigInt }],
    has_optional: true,
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let n_rows = match arguments.positional.get(1) {
        None | Some(Value::Null) => DEFAULT_ROWS,
        Some(value) => limit_of(value)?,
    };
    let relation = Relation::find(&grammar::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
    let target = relation.one_table("is a view; peek at a table it reads")?;
    let reader = ctx.instance.loader.reader();
    if !target.connection.adapter.class.has_requests() {
        return reader.look(&target, n_rows, ctx.interrupted).map(Bound::Scan);
    }
    let batch = reader.peek(&target, n_rows, &ctx.settings, ctx.interrupted).map_err(|err| err.at(target.place()))?;
    Ok(Bound::Rows(Box::new(PeekedRows { batch })))
}

fn limit_of(value: &Value) -> Result<usize> {
    let limit = value.as_integer().and_then(|number| usize::try_from(number).ok()).filter(|n_rows| *n_rows <= MAX_ROWS);
    limit.ok_or_else(|| Error::config(format!("argument 'n' is out of range; expected a whole number from 0 to {MAX_ROWS}")))
}

/// The rows of the request made while binding, which decided the columns.
struct PeekedRows {
    batch: Batch,
}

impl BoundCall for PeekedRows {
    fn schema(&self) -> &TableSchema {
        &self.batch.schema
    }

    fn run(&self, _ctx: &StatementContext<'_>) -> Result<Vec<Batch>> {
        Ok(vec![self.batch.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::{check_error, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("PEEK shop.orders", expect!["SELECT * FROM unify_peek('shop.orders')"]);
        check_statement("PEEK AT shop.orders LIMIT 5;", expect!["SELECT * FROM unify_peek('shop.orders', 5)"]);
        check_statement("peek at.orders limit 5", expect!["SELECT * FROM unify_peek('at.orders', 5)"]);
        check_statement("PEEK AT at.at", expect!["SELECT * FROM unify_peek('at.at')"]);
    }

    #[test]
    fn the_limit_has_a_range() {
        assert!(limit_of(&Value::Integer(0)).is_ok());
        for value in [Value::Integer(-1), Value::Integer(1 << 70), Value::Text("x".into())] {
            assert!(limit_of(&value).unwrap_err().to_string().contains("from 0 to 1000000"));
        }
    }

    #[test]
    fn a_view_is_not_peeked_at() {
        check_error("unify_peek", &["shop.big_orders"], expect!["'big_orders' is a view; peek at a table it reads: orders, customers"]);
    }
}
