//! `SYSTEM STATUS` and `unify_status`: the daemon, the machine, the loads that run, and when each table is refreshed next.

use crate::load::{DaemonStatus, LoadedTable, MachineLoad, NextRefresh, Why};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::commands::daemon::connections;
use crate::sql::grammar::Rule;
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("component", ScalarType::Varchar),
    ("name", ScalarType::Varchar),
    ("status", ScalarType::Varchar),
    ("since", ScalarType::Timestamp),
    ("next_refresh", ScalarType::Timestamp),
    ("value", ScalarType::Double),
    ("max_value", ScalarType::Double),
    ("reason", ScalarType::Varchar),
];

const NOTHING_IS_SENT: &str = "nothing is sent because setting 'enable_external_access' is false";

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::system_status,
    syntax: "SYSTEM STATUS",
    description: "Shows the daemon, the machine's load, the loads that run and the next refreshes",
    example: "SYSTEM STATUS",
    function: &FUNCTION,
    topic: Topic::Daemon,
    arguments: |_| Ok(Vec::new()),
};

/// `unify_status()`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_status",
    description: "Says whether the daemon runs, how busy the machine is, which loads run, and when each table is refreshed next and why",
    example: "FROM unify_status()",
    ..FunctionDef::calling(bind)
};

fn bind(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, rows))
}

fn rows(ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let status = ctx.instance.loader.daemon_status(connections(ctx.instance).as_ref())?;
    let mut rows = vec![daemon_row(&status), machine_row(&status)];
    for known in ctx.instance.loader.jobs().iter().filter(|known| !known.job.is_ended()) {
        let job = &known.job;
        rows.push(vec![
            text(Some("job")),
            Value::Text(label(&known.target.catalog, job.label(), ctx)),
            text(Some(job.state().name())),
            Value::Timestamp(job.started_at()),
            Value::Null,
            job.percent().map_or(Value::Null, Value::Double),
            job.percent().map_or(Value::Null, |_| Value::Double(100.0)),
            Value::Text(match job.waiting_for() {
                Some(what) => format!("job {}, {}, waits for {what}", job.id(), job.action().name()),
                None => format!("job {}, {}", job.id(), job.action().name()),
            }),
        ]);
    }
    let now = crate::sql::native::now();
    rows.extend(status.tables.iter().map(|(table, next)| table_row(table, *next, status.machine, now, ctx)));
    Ok(rows)
}

fn daemon_row(status: &DaemonStatus) -> Vec<Value> {
    let is_held_back = status.tables.iter().any(|(_, next)| next.why == Why::MachineBusy) || !status.may_send;
    let state = match status.is_running {
        false => "stopped",
        true if is_held_back => "holding back",
        true => "running",
    };
    let reason = match (&status.problem, state) {
        _ if !status.may_send => NOTHING_IS_SENT.to_string(),
        (Some(problem), _) => format!("its last look failed: {}", problem.message()),
        (None, "holding back") => format!("{}; {} refreshes started", status.machine.to_text(), status.n_refreshes),
        (None, _) => format!("{} refreshes started", status.n_refreshes),
    };
    let next = status.tables.iter().map(|(_, next)| next.due).min().filter(|_| status.is_running);
    vec![
        text(Some("daemon")),
        text(Some("unify")),
        text(Some(state)),
        status.started_at.map_or(Value::Null, Value::Timestamp),
        next.map_or(Value::Null, Value::Timestamp),
        Value::Null,
        Value::Null,
        Value::Text(reason),
    ]
}

fn machine_row(status: &DaemonStatus) -> Vec<Value> {
    vec![
        text(Some("machine")),
        text(Some("load average per core")),
        text(Some(if status.machine.is_quiet() { "quiet" } else { "busy" })),
        Value::Null,
        Value::Null,
        Value::Double((status.machine.per_core * 100.0).round() / 100.0),
        Value::Double(status.machine.limit),
        Value::Text(status.machine.to_text()),
    ]
}

/// Returns the row of a table: its value is its age in seconds.
fn table_row(table: &LoadedTable, next: NextRefresh, machine: MachineLoad, now: i64, ctx: &StatementContext<'_>) -> Vec<Value> {
    let (state, reason) = match next.why {
        Why::Due => ("due", "it is past its max_staleness".to_string()),
        Why::Fresh => ("fresh", "it is not past its max_staleness".to_string()),
        Why::BackingOff(n_failures) => ("backing off", format!("its last loads failed: {n_failures}")),
        Why::Loading(job) => ("loading", format!("job {job} loads it")),
        Why::ConnectionBusy(job) => ("due", format!("job {job} of its connection goes first")),
        Why::Queued => ("due", "another table of its connection goes first".to_string()),
        Why::MachineBusy => ("due", machine.to_text()),
        Why::Forbidden => ("due", NOTHING_IS_SENT.to_string()),
    };
    vec![
        text(Some("table")),
        Value::Text(label(&table.catalog, &format!("{}.{}", table.connection, table.table), ctx)),
        text(Some(state)),
        Value::Timestamp(table.loaded_at),
        Value::Timestamp(next.due),
        Value::Double((now.saturating_sub(table.loaded_at) as f64 / 1e6).max(0.0)),
        Value::Double(table.max_staleness.as_secs_f64()),
        Value::Text(reason),
    ]
}

/// Returns a table's name, with its database where that is not the current one.
fn label(catalog: &str, table: &str, ctx: &StatementContext<'_>) -> String {
    match ctx.is_catalog(catalog) {
        true => table.to_string(),
        false => format!("{catalog}.{table}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("SYSTEM STATUS", expect!["SELECT * FROM unify_status()"]);
    }
}
