//! `unify_fetch`: the rows of a table straight from its API, as they come; nothing stored.

use crate::columns::TableSchema;
use crate::load::{StreamRun, Streamed, TableStream, TableTarget};
use crate::sql::name::TablePath;
use crate::sql::relation::Relation;
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, Step, WaitingCall, Work};
use crate::{Error, ErrorKind, Result};

const CONNECTION: ParameterDef = ParameterDef { name: "connection", parameter_type: ParameterType::Varchar };
const TABLE: ParameterDef = ParameterDef { name: "table", parameter_type: ParameterType::Varchar };
/// What a request asks, by name.
pub(super) const PARAMS: ParameterDef = ParameterDef { name: "params", parameter_type: ParameterType::Map };

/// `unify_fetch('conn', 'table', params := MAP {...})`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_fetch",
    description: "Returns a table's rows straight from its API, as they come, with params laid over the table's own; stores nothing",
    example: "FROM unify_fetch('shop', 'orders', params := MAP {'status': 'open'}) LIMIT 10",
    positional: &[CONNECTION, TABLE],
    named: &[PARAMS],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let path = TablePath {
        catalog: None,
        schema: Some(arguments.text(0, CONNECTION.name)?.to_string()),
        table: arguments.text(1, TABLE.name)?.to_string(),
    };
    let relation = Relation::find(&path, ctx)?;
    let target = &relation.one_table("is a view; fetch a table it reads")?;
    let params = arguments.named_map(PARAMS.name)?;
    let class = target.connection.adapter.class;
    if !class.has_requests() {
        let has_none = || Error::config(format!("a table of {} has no params", class.key())).at(target.place());
        return if params.is_empty() { ctx.instance.loader.reader().whole(target).map(Bound::Scan) } else { Err(has_none()) };
    }
    for parent in ctx.instance.loader.reader().parents_of_stream(target, params)? {
        load_parent(&parent, target, ctx)?;
    }
    let stream = ctx.instance.loader.reader().stream(target, params, &ctx.settings, ctx.interrupted);
    Ok(Bound::Waiting(Box::new(FetchCall { stream: stream.map_err(|err| err.at(target.place()))? })))
}

/// Loads a table that the params query, unless it is there.
fn load_parent(parent: &str, target: &TableTarget, ctx: &StatementContext<'_>) -> Result<()> {
    let path = TablePath { catalog: Some(target.catalog.clone()), schema: Some(target.connection.name.clone()), table: parent.to_string() };
    let relation = Relation::find(&path, ctx)?;
    let is_there = |target: &TableTarget| {
        let mut session = ctx.instance.database.connect()?;
        ctx.instance.loader.is_there(session.as_mut(), target).map_err(|err| err.at(target.place()))
    };
    for target in relation.targets() {
        if !is_there(&target)? {
            return relation.load(ctx.settings.load_timeout, ctx);
        }
    }
    Ok(())
}

/// A bound call.
struct FetchCall {
    stream: TableStream,
}

impl WaitingCall for FetchCall {
    fn schema(&self) -> &TableSchema {
        self.stream.schema()
    }

    fn start(&self, _ctx: &StatementContext<'_>) -> Result<Box<dyn Work>> {
        Ok(Box::new(FetchWork { run: self.stream.start()? }))
    }

    fn progress(&self) -> Option<f64> {
        self.stream.percent()
    }
}

struct FetchWork {
    run: StreamRun,
}

impl Work for FetchWork {
    fn step(&mut self, ctx: &StatementContext<'_>) -> Result<Step> {
        if (ctx.interrupted)() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        Ok(match self.run.next_rows()? {
            Streamed::Rows(batch) => Step::More(batch),
            Streamed::Waits(awaited) => Step::Waits(awaited),
            Streamed::End => Step::Rows(Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_error;
    use expect_test::expect;

    #[test]
    fn what_cannot_be_fetched_is_an_error_before_any_request() {
        check_error("unify_fetch", &["shop", "order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
        check_error("unify_fetch", &["shop", "big_orders"], expect!["'big_orders' is a view; fetch a table it reads: orders, customers"]);
    }
}
