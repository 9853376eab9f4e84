//! `REFRESH TABLE conn.table`, `REFRESH SCHEMA conn` and `unify_refresh`: brings one table, or all of a connection, up to date.

use crate::load::{LoadAction, TableTarget};
use crate::sql::commands::load::{bind_load, bind_waits, load_call, load_of, BACKGROUND, TABLE};
use crate::sql::name::{shown, TablePath};
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::waiting::{Task, Waits};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::Result;
use std::sync::Arc;

/// `REFRESH TABLE conn.table [IN BACKGROUND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefreshTable {
    pub table: TablePath,
    pub background: bool,
}

impl RefreshTable {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<RefreshTable> {
        load_of(pair).map(|(table, background)| RefreshTable { table, background })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        load_call("unify_refresh", &self.table.to_string(), self.background)
    }
}

/// `REFRESH SCHEMA conn [IN BACKGROUND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefreshSchema {
    pub connection: String,
    pub background: bool,
}

impl RefreshSchema {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<RefreshSchema> {
        let background = pair.clone().into_inner().any(|part| part.as_rule() == parse::Rule::background);
        Ok(RefreshSchema { connection: parse::first_name(pair)?, background })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        load_call("unify_refresh", &shown(&self.connection), self.background)
    }
}

pub(super) static REFRESH_TABLE: StatementDef = StatementDef {
    rule: Rule::refresh,
    syntax: "REFRESH TABLE conn.table [IN BACKGROUND]",
    description: "Brings a table up to date by its refresh strategy, loading it if need be",
    example: "REFRESH TABLE shop.orders",
    function: "unify_refresh",
    topic: Topic::Loads,
    call: |pair| RefreshTable::parse(pair).map(|statement| statement.call()),
};

pub(super) static REFRESH_SCHEMA: StatementDef = StatementDef {
    rule: Rule::refresh_schema,
    syntax: "REFRESH SCHEMA conn [IN BACKGROUND]",
    description: "Brings all loaded tables of a connection up to date, side by side",
    example: "REFRESH SCHEMA shop",
    function: "unify_refresh",
    topic: Topic::Loads,
    call: |pair| RefreshSchema::parse(pair).map(|statement| statement.call()),
};

/// `unify_refresh('conn.table', background := false)`, or `unify_refresh('conn')` for all loaded tables of a connection.
pub(crate) struct UnifyRefresh;

static DEF: FunctionDef = FunctionDef {
    name: "unify_refresh",
    description: "Brings a table up to date by its refresh strategy, loading it if need be; given a connection, all its loaded tables",
    example: "FROM unify_refresh('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[BACKGROUND],
};

impl TableFunction for UnifyRefresh {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let path = parse::any_argument(arguments.text(0, TABLE.name)?)?;
        if path.schema.is_some() {
            return bind_load(LoadAction::Refresh, arguments, ctx);
        }
        let connection = path.table;
        ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&connection)?.open()?;
        let background = arguments.named_flag(BACKGROUND.name)?;
        Ok(bind_waits(background, move |ctx: &StatementContext<'_>| {
            let tasks = loaded_tables(&connection, ctx)?.into_iter().map(|target| Task::Load(target, LoadAction::Refresh)).collect();
            Ok(Waits { tasks, side_by_side: true })
        }))
    }
}

/// Returns the tables of a connection that are loaded now.
fn loaded_tables(connection: &str, ctx: &StatementContext<'_>) -> Result<Vec<TableTarget>> {
    let connection = ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(connection)?.open()?;
    let mut session = ctx.instance.database.connect()?;
    let mut loaded = Vec::new();
    for table_def in &connection.adapter.tables {
        let target =
            TableTarget { connection: Arc::clone(&connection), table: table_def.name.clone(), catalog: ctx.catalog()?.to_string() };
        if ctx.instance.loader.is_loaded(session.as_mut(), &target)? {
            loaded.push(target);
        }
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_error, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statements_are_calls() {
        check_statement("REFRESH TABLE shop.orders", expect!["SELECT * FROM unify_refresh('shop.orders')"]);
        check_statement(
            "refresh table shop.orders in background;",
            expect!["SELECT * FROM unify_refresh('shop.orders', background := true)"],
        );
        check_statement("REFRESH SCHEMA shop", expect!["SELECT * FROM unify_refresh('shop')"]);
        check_statement(
            "REFRESH SCHEMA \"my shop\" IN BACKGROUND",
            expect![[r#"SELECT * FROM unify_refresh('"my shop"', background := true)"#]],
        );
    }

    #[test]
    fn a_schema_is_that_of_a_connection() {
        check_error("unify_refresh", &["shp"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
    }
}
