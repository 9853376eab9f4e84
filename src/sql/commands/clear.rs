//! `CLEAR TABLE conn.table` and `unify_clear`: empties a table and forgets its loads.

use crate::session::quote_literal;
use crate::spec::ScalarType;
use crate::sql::commands::load::{table_of, TABLE};
use crate::sql::name::TablePath;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::relation::{Kind, Relation};
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] = &[("table", ScalarType::Varchar), ("action", ScalarType::Varchar), ("rows", ScalarType::BigInt)];

/// `CLEAR TABLE conn.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClearTable {
    pub table: TablePath,
}

impl ClearTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<ClearTable> {
        table_of(pair).map(|table| ClearTable { table })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_clear({})", quote_literal(&self.table.to_string()))
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::clear,
    syntax: "CLEAR TABLE conn.table",
    description: "Removes a table's rows and forgets its loads",
    example: "CLEAR TABLE shop.orders",
    function: "unify_clear",
    topic: Topic::Loads,
    call: |pair| ClearTable::parse(pair).map(|statement| statement.call()),
};

/// `unify_clear('conn.table')`.
pub(crate) struct UnifyClear;

static DEF: FunctionDef = FunctionDef {
    name: "unify_clear",
    description: "Removes a table's rows and forgets its loads; LOAD TABLE loads it from its beginning",
    example: "FROM unify_clear('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyClear {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let relation = Relation::find(&parse::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
        let mut targets = relation.targets();
        if relation.kind == Kind::View {
            let tables: Vec<&str> = targets.iter().map(|target| target.table.as_str()).collect();
            return Err(Error::config(format!("'{}' is a view; clear the tables it reads: {}", relation.name, tables.join(", "))));
        }
        let target = targets.pop().ok_or_else(|| Error::internal("a table has no load target"))?;
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| {
            let n_rows = ctx.instance.loader.clear(&target)?;
            let table = format!("{}.{}", target.connection.name, target.table);
            let action = if n_rows.is_some() { "truncate" } else { "none" };
            Ok(vec![vec![text(Some(&table)), text(Some(action)), integer(n_rows.unwrap_or(0))]])
        }))))
    }
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
