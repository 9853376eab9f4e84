//! `REFRESH TABLE conn.table`, `REFRESH SCHEMA conn` and `unify_refresh`: brings one table, or all of a connection, up to date.

use crate::load::{LoadAction, TableTarget};
use crate::session::quote_literal;
use crate::sql::commands::load::{bind_load, bind_waits, load_arguments, BACKGROUND, IN_BACKGROUND, TABLE};
use crate::sql::discovery::{opened, Need};
use crate::sql::grammar::{self, Pair, Rule};
use crate::sql::name::shown;
use crate::sql::statement::flags_of;
use crate::sql::waiting::{Task, Waits};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;
use std::sync::Arc;

pub(super) static REFRESH_TABLE: StatementDef = StatementDef {
    rule: Rule::refresh,
    syntax: "REFRESH TABLE conn.table [IN BACKGROUND]",
    description: "Brings a table up to date by its refresh strategy, loading it if need be",
    example: "REFRESH TABLE shop.orders",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: load_arguments,
};

pub(super) static REFRESH_SCHEMA: StatementDef = StatementDef {
    rule: Rule::refresh_schema,
    syntax: "REFRESH SCHEMA conn [IN BACKGROUND]",
    description: "Brings all loaded tables of a connection up to date, side by side",
    example: "REFRESH SCHEMA shop",
    function: &FUNCTION,
    topic: Topic::Loads,
    arguments: schema_arguments,
};

fn schema_arguments(pair: Pair<'_>) -> Result<Vec<String>> {
    let flags = flags_of(&pair, IN_BACKGROUND);
    Ok([vec![quote_literal(&shown(&grammar::first_name(pair)?))], flags].concat())
}

/// `unify_refresh('conn.table', background := false)`, or `unify_refresh('conn')` for all loaded tables of a connection.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_refresh",
    description: "Brings a table up to date by its refresh strategy, loading it if need be; given a connection, all its loaded tables",
    example: "FROM unify_refresh('shop.orders')",
    positional: &[TABLE],
    named: &[BACKGROUND],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let path = grammar::any_argument(arguments.text(0, TABLE.name)?)?;
    if path.schema.is_some() {
        return bind_load(LoadAction::Refresh, arguments, ctx);
    }
    let connection = path.table;
    ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&connection)?.open()?;
    let background = arguments.named_flag(BACKGROUND.name)?;
    Ok(bind_waits(background, move |ctx| {
        let tasks = loaded_tables(&connection, ctx)?.into_iter().map(|target| Task::Load(target, LoadAction::Refresh)).collect();
        Ok(Waits { tasks, side_by_side: true })
    }))
}

/// Returns the tables of a connection that are loaded now.
fn loaded_tables(connection: &str, ctx: &StatementContext<'_>) -> Result<Vec<TableTarget>> {
    let connection = opened(ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(connection)?, Need::Known, ctx)?;
    let mut session = ctx.instance.database.connect()?;
    let mut loaded = Vec::new();
    for table_def in &connection.adapter.tables {
        let target =
            TableTarget { connection: Arc::clone(&connection), table: table_def.name.clone(), catalog: ctx.catalog()?.to_string() };
        let target = target.filler()?;
        let is_new = loaded.iter().all(|other: &TableTarget| other.table != target.table);
        if is_new && ctx.instance.loader.is_loaded(session.as_mut(), &target)? {
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
