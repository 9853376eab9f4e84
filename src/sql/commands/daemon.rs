//! `START DAEMON`, `STOP DAEMON` and `CALL unify_daemon()`: whether tables are kept fresh.

use crate::columns::TableSchema;
use crate::load::{Awaited, ConnectionOf, DaemonRun};
use crate::session::{Settings, Value};
use crate::spec::ScalarType;
use crate::sql::parse::Rule;
use crate::sql::rows::{batch_of, integer, schema_of, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, Instance, StatementContext, StatementDef, Step, TableFunction, Topic, WaitingCall, Work};
use crate::{Error, Result};
use std::sync::Arc;

const COLUMNS: &[(&str, ScalarType)] = &[("status", ScalarType::Varchar), ("refreshes", ScalarType::BigInt)];

/// `START DAEMON`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StartDaemon;

impl StartDaemon {
    /// Returns the call the statement stands for.
    pub(crate) fn call(self) -> String {
        "SELECT * FROM unify_start_daemon()".to_string()
    }
}

/// `STOP DAEMON`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopDaemon;

impl StopDaemon {
    /// Returns the call the statement stands for.
    pub(crate) fn call(self) -> String {
        "SELECT * FROM unify_stop_daemon()".to_string()
    }
}

pub(super) static START: StatementDef = StatementDef {
    rule: Rule::start_daemon,
    syntax: "START DAEMON",
    description: "Keeps loaded tables fresh in the background",
    example: "START DAEMON",
    function: "unify_start_daemon",
    topic: Topic::Daemon,
    call: |_| Ok(StartDaemon.call()),
};

pub(super) static STOP: StatementDef = StatementDef {
    rule: Rule::stop_daemon,
    syntax: "STOP DAEMON",
    description: "Stops the daemon; loads that run go on",
    example: "STOP DAEMON",
    function: "unify_stop_daemon",
    topic: Topic::Daemon,
    call: |_| Ok(StopDaemon.call()),
};

/// `unify_start_daemon()`.
pub(crate) struct UnifyStartDaemon;

static START_DEF: FunctionDef = FunctionDef {
    name: "unify_start_daemon",
    description: "Keeps loaded tables fresh in the background, until it is stopped or the database closed",
    example: "FROM unify_start_daemon()",
    positional: &[],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyStartDaemon {
    fn def(&self) -> &'static FunctionDef {
        &START_DEF
    }

    fn bind(&self, _arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, |ctx: &StatementContext<'_>| {
            let run = ctx.instance.loader.start_daemon(connections(ctx.instance))?;
            Ok(vec![row(if run.is_some() { "started" } else { "runs already" }, 0)])
        }))))
    }
}

/// `unify_stop_daemon()`.
pub(crate) struct UnifyStopDaemon;

static STOP_DEF: FunctionDef = FunctionDef {
    name: "unify_stop_daemon",
    description: "Stops the daemon; loads that run go on",
    example: "FROM unify_stop_daemon()",
    positional: &[],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyStopDaemon {
    fn def(&self) -> &'static FunctionDef {
        &STOP_DEF
    }

    fn bind(&self, _arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, |ctx: &StatementContext<'_>| {
            let n_refreshes = ctx.instance.loader.stop_daemon();
            Ok(vec![row(if n_refreshes.is_some() { "stopped" } else { "does not run" }, n_refreshes.unwrap_or(0))])
        }))))
    }
}

/// `unify_daemon()`.
pub(crate) struct UnifyDaemon;

static DEF: FunctionDef = FunctionDef {
    name: "unify_daemon",
    description: "Keeps loaded tables fresh in the foreground, until it is interrupted or stopped by another session",
    example: "CALL unify_daemon()",
    positional: &[],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyDaemon {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, _arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        Ok(Bound::Waiting(Box::new(ForegroundCall { schema: schema_of(COLUMNS) })))
    }
}

struct ForegroundCall {
    schema: TableSchema,
}

impl WaitingCall for ForegroundCall {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn start(&self, ctx: &StatementContext<'_>) -> Result<Box<dyn Work>> {
        let run = ctx.instance.loader.start_daemon(connections(ctx.instance))?;
        let run = run.ok_or_else(|| Error::config("the daemon runs already in this database; STOP DAEMON first"))?;
        Ok(Box::new(Foreground { run }))
    }

    fn progress(&self) -> Option<f64> {
        None
    }
}

/// A run of the daemon that ends with its statement, however that ends.
struct Foreground {
    run: DaemonRun,
}

impl Work for Foreground {
    fn step(&mut self, ctx: &StatementContext<'_>) -> Result<Step> {
        if !self.run.is_over() {
            if (ctx.interrupted)() {
                return Err(self.run.interrupted());
            }
            return Ok(Step::Waits(Arc::new(self.run.clone())));
        }
        Ok(Step::Rows(vec![batch_of(&schema_of(COLUMNS), &[row("stopped", self.run.n_refreshes())])?]))
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.run.stop();
    }
}

fn row(status: &str, n_refreshes: u64) -> Vec<Value> {
    vec![text(Some(status)), integer(n_refreshes)]
}

/// Returns what finds the connections of an instance, without keeping the database.
pub(super) fn connections(instance: &Instance) -> Box<ConnectionOf> {
    let catalog = instance.catalog.clone();
    Box::new(move |settings: &Settings, name: &str| catalog.snapshot(settings).connection(name).and_then(|entry| entry.open().ok()))
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_rows, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statements_are_calls() {
        check_statement("START DAEMON", expect!["SELECT * FROM unify_start_daemon()"]);
        check_statement("stop daemon;", expect!["SELECT * FROM unify_stop_daemon()"]);
    }

    #[test]
    fn a_daemon_that_does_not_run_is_not_stopped() {
        check_rows(
            "unify_stop_daemon",
            &[],
            expect![[r#"
            status | refreshes
            does not run | 0"#]],
        );
    }
}
