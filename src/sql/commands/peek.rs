//! `PEEK [AT] conn.table [LIMIT n]` and `unify_peek`: the first rows of one request; writes nothing.

use crate::columns::{Batch, TableSchema};
use crate::session::{quote_literal, Value};
use crate::sql::commands::load::{table_of, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::relation::{with_place, Kind, Relation};
use crate::sql::{
    Arguments, Bound, BoundCall, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic,
};
use crate::{Error, Result};

/// Rows shown when the statement does not say.
const DEFAULT_ROWS: usize = 20;
/// Most rows that can be asked for: one request has fewer.
const MAX_ROWS: usize = 1_000_000;

/// `PEEK [AT] conn.table [LIMIT n]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peek {
    pub table: TablePath,
    /// The limit as it is written.
    pub limit: Option<String>,
}

impl Peek {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<Peek> {
        let limit = pair.clone().into_inner().find(|part| part.as_rule() == parse::Rule::number).map(|part| part.as_str().to_string());
        table_of(pair).map(|table| Peek { table, limit })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        let table = quote_literal(&self.table.to_string());
        match &self.limit {
            Some(limit) => format!("SELECT * FROM unify_peek({table}, {limit})"),
            None => format!("SELECT * FROM unify_peek({table})"),
        }
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::peek,
    syntax: "PEEK [AT] conn.table [LIMIT n]",
    description: "Shows the first rows of one request, 20 unless told; writes nothing",
    example: "PEEK shop.orders LIMIT 5",
    function: "unify_peek",
    topic: Topic::Requests,
    call: |pair| Peek::parse(pair).map(|statement| statement.call()),
};

/// `unify_peek('conn.table', n)`.
pub(crate) struct UnifyPeek;

static DEF: FunctionDef = FunctionDef {
    name: "unify_peek",
    description: "Shows the first rows (20 unless told) of one request to a table's API; writes nothing",
    example: "FROM unify_peek('shop.orders', 5)",
    positional: &[TABLE, ParameterDef { name: "n", parameter_type: ParameterType::BigInt }],
    has_optional: true,
    named: &[],
};

impl TableFunction for UnifyPeek {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let n_rows = match arguments.positional.get(1) {
            None | Some(Value::Null) => DEFAULT_ROWS,
            Some(value) => limit_of(value)?,
        };
        let relation = Relation::find(&parse::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
        let targets = relation.targets();
        if relation.kind == Kind::View {
            let tables: Vec<&str> = targets.iter().map(|target| target.table.as_str()).collect();
            return Err(Error::config(format!("'{}' is a view; peek at a table it reads: {}", relation.name, tables.join(", "))));
        }
        let target = targets.first().ok_or_else(|| Error::internal("a table has no load target"))?;
        let batch = ctx.instance.loader.peek(target, n_rows, &ctx.settings, ctx.interrupted).map_err(|err| with_place(err, target))?;
        Ok(Bound::Rows(Box::new(PeekedRows { batch })))
    }
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
