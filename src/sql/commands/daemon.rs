//! `START DAEMON`, `STOP DAEMON` and `CALL unify_daemon()`: whether tables are kept fresh.

use crate::columns::{timestamp_text, TableSchema};
use crate::load::{print_line, Awaited, ConnectionOf, Connections, DaemonRun, Loader, Say, TableTarget};
use crate::session::{ProgressMode, Settings, Value};
use crate::spec::ScalarType;
use crate::sql::discovery::{for_daemon, renewed_for_daemon};
use crate::sql::grammar::Rule;
use crate::sql::native::now;
use crate::sql::rows::{batch_of, bound_rows, integer, schema_of, text};
use crate::sql::{Arguments, Bound, FunctionDef, Instance, StatementContext, StatementDef, Step, Topic, WaitingCall, Work};
use crate::{Error, Result};
use std::sync::Arc;

const COLUMNS: &[(&str, ScalarType)] = &[("status", ScalarType::Varchar), ("refreshes", ScalarType::BigInt)];

pub(super) static START: StatementDef = StatementDef {
    rule: Rule::start_daemon,
    syntax: "START DAEMON",
    description: "Keeps loaded tables fresh in the background",
    example: "START DAEMON",
    function: &START_FUNCTION,
    topic: Topic::Daemon,
    arguments: |_| Ok(Vec::new()),
};

pub(super) static STOP: StatementDef = StatementDef {
    rule: Rule::stop_daemon,
    syntax: "STOP DAEMON",
    description: "Stops the daemon; loads that run go on",
    example: "STOP DAEMON",
    function: &STOP_FUNCTION,
    topic: Topic::Daemon,
    arguments: |_| Ok(Vec::new()),
};

/// `unify_start_daemon()`.
pub(super) static START_FUNCTION: FunctionDef = FunctionDef {
    name: "unify_start_daemon",
    description: "Keeps loaded tables fresh in the background, until it is stopped or the database closed",
    example: "FROM unify_start_daemon()",
    ..FunctionDef::calling(bind_start)
};

fn bind_start(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, |ctx| {
        let run = ctx.instance.loader.start_daemon(known_to_daemon(ctx.instance), None)?;
        Ok(vec![row(if run.is_some() { "started" } else { "runs already" }, 0)])
    }))
}

/// `unify_stop_daemon()`.
pub(super) static STOP_FUNCTION: FunctionDef = FunctionDef {
    name: "unify_stop_daemon",
    description: "Stops the daemon; loads that run go on",
    example: "FROM unify_stop_daemon()",
    ..FunctionDef::calling(bind_stop)
};

fn bind_stop(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, |ctx| {
        let n_refreshes = ctx.instance.loader.stop_daemon();
        Ok(vec![row(if n_refreshes.is_some() { "stopped" } else { "does not run" }, n_refreshes.unwrap_or(0))])
    }))
}

/// `unify_daemon()`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_daemon",
    description:
        "Keeps loaded tables fresh in the foreground and says on stderr what it does, until it is interrupted or stopped by another session",
    example: "CALL unify_daemon()",
    ..FunctionDef::calling(bind)
};

fn bind(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(Bound::Waiting(Box::new(ForegroundCall { schema: schema_of(COLUMNS) })))
}

struct ForegroundCall {
    schema: TableSchema,
}

impl WaitingCall for ForegroundCall {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn start(&self, ctx: &StatementContext<'_>) -> Result<Box<dyn Work>> {
        let run = ctx.instance.loader.start_daemon(known_to_daemon(ctx.instance), listener(ctx.settings.progress))?;
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

/// Returns what writes the daemon's lines to stderr, each with its time; nothing where no progress is to be shown.
fn listener(progress: ProgressMode) -> Option<Box<Say>> {
    let say = |line: &str| print_line(&format!("{} UTC unify_daemon: {line}", timestamp_text(now() / 1_000_000 * 1_000_000)));
    (progress != ProgressMode::Off).then(|| Box::new(say) as Box<Say>)
}

fn row(status: &str, n_refreshes: u64) -> Vec<Value> {
    vec![text(Some(status)), integer(n_refreshes)]
}

/// Returns what the daemon knows the connections of an instance by, without keeping the database.
fn known_to_daemon(instance: &Instance) -> Connections {
    let catalog = instance.catalog.clone();
    let renew = move |loader: &Loader, settings: &Settings, target: &TableTarget, is_over: &dyn Fn() -> bool| {
        renewed_for_daemon(&catalog, loader, settings, target, is_over)
    };
    Connections { connection_of: connections(instance), renew: Box::new(renew) }
}

/// Returns what finds the connections of an instance, without keeping the database.
pub(super) fn connections(instance: &Instance) -> Box<ConnectionOf> {
    let catalog = instance.catalog.clone();
    Box::new(move |settings, name, stored| for_daemon(&catalog, settings, name, stored))
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
