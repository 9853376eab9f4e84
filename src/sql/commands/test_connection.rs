//! `TEST CONNECTION` and `unify_test_connection`: whether a connection can be used, check by check; writes nothing.

use crate::catalog::ConnectionEntry;
use crate::load::TableTarget;
use crate::session::{quote_literal, Value};
use crate::spec::{AdapterSpec, Connection, ScalarType, TableDef};
use crate::sql::commands::create_connection::NAME;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::rows::{text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Instant;

const COLUMNS: &[(&str, ScalarType)] =
    &[("check", ScalarType::Varchar), ("ok", ScalarType::Boolean), ("message", ScalarType::Varchar), ("latency", ScalarType::Double)];

/// `TEST CONNECTION name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestConnection {
    pub name: String,
}

impl TestConnection {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<TestConnection> {
        parse::first_name(pair).map(|name| TestConnection { name })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_test_connection({})", quote_literal(&self.name))
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::test_connection,
    syntax: "TEST CONNECTION name",
    description: "Checks a connection: its adapter, options and environment variables, and one authenticated request; writes nothing",
    example: "TEST CONNECTION shop",
    function: "unify_test_connection",
    topic: Topic::Connections,
    call: |pair| TestConnection::parse(pair).map(|statement| statement.call()),
};

/// `unify_test_connection(name)`.
pub(crate) struct UnifyTestConnection;

static DEF: FunctionDef = FunctionDef {
    name: "unify_test_connection",
    description: "Checks a connection: its adapter, options and environment variables, and one authenticated request; writes nothing",
    example: "FROM unify_test_connection('shop')",
    positional: &[NAME],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyTestConnection {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let name = arguments.text(0, NAME.name)?.to_string();
        ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&name)?;
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| {
            let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
            checks(snapshot.expect_connection(&name)?, ctx)
        }))))
    }
}

/// The checks so far. Each builds upon those before it: after one that failed the others are not tried.
#[derive(Default)]
struct Report {
    rows: Vec<Vec<Value>>,
    has_failed: bool,
}

impl Report {
    /// Makes a check: `outcome` gives what is well, or why not.
    fn check(&mut self, name: &str, outcome: impl FnOnce() -> Result<Checked>) -> Result<()> {
        let row = |ok: Value, message: &str, latency: Value| vec![text(Some(name)), ok, text(Some(message)), latency];
        if self.has_failed {
            self.rows.push(row(Value::Null, "not tried, since a check before it failed", Value::Null));
            return Ok(());
        }
        let began = Instant::now();
        let outcome = outcome();
        let latency = Value::Double(began.elapsed().as_secs_f64() * 1000.0);
        self.has_failed = outcome.is_err();
        self.rows.push(match outcome {
            Ok(Checked::Well(message)) => row(Value::Boolean(true), &message, latency),
            Ok(Checked::Untested(message)) => row(Value::Null, &message, Value::Null),
            Err(err) if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::Cancelled | ErrorKind::DatabaseGone) => return Err(err),
            Err(err) => row(Value::Boolean(false), err.message(), latency),
        });
        Ok(())
    }
}

/// What a check found that did not fail.
enum Checked {
    Well(String),
    /// Nothing that could be checked.
    Untested(String),
}

fn checks(entry: &ConnectionEntry, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let mut report = Report::default();
    report.check("adapter", || Ok(Checked::Well(format!("'{}'", entry.spec()?.name))))?;
    report.check("options", || {
        entry.check()?;
        let options = entry.redacted_options();
        Ok(Checked::Well(if options.is_empty() { "none are given, none are needed".to_string() } else { options }))
    })?;
    report.check("environment", || {
        let missing = entry.missing_variables();
        match missing.is_empty() {
            true => Ok(Checked::Well("every variable the options name is set".to_string())),
            false => Err(Error::config(format!("not set: {}", missing.join(", ")))),
        }
    })?;
    report.check("request", || request(&entry.open()?, ctx))?;
    Ok(report.rows)
}

/// Asks for the first page of the first table that needs nothing to be known before.
fn request(connection: &Arc<Connection>, ctx: &StatementContext<'_>) -> Result<Checked> {
    let Some(table_def) = table_to_ask(&connection.adapter) else {
        return Ok(Checked::Untested("every table needs values of another one; PEEK at one when that is loaded".to_string()));
    };
    let target = TableTarget { connection: Arc::clone(connection), table: table_def.name.clone(), catalog: ctx.catalog()?.to_string() };
    let batch = ctx.instance.loader.probe(&target, &ctx.settings, ctx.interrupted)?;
    Ok(Checked::Well(format!("table '{}' answered, rows of its first page: {}", table_def.name, batch.n_rows)))
}

/// Returns the first table without params, else the first whose params are all constant.
fn table_to_ask(spec: &AdapterSpec) -> Option<&TableDef> {
    let is_free = |table_def: &&TableDef| table_def.parents().is_empty();
    let without_params = spec.tables.iter().filter(is_free).find(|table_def| table_def.params.is_empty());
    without_params.or_else(|| spec.tables.iter().find(is_free))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::{check_error, check_statement, TestInstance};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("TEST CONNECTION shop", expect!["SELECT * FROM unify_test_connection('shop')"]);
        check_statement("test connection \"it's\";", expect!["SELECT * FROM unify_test_connection('it''s')"]);
    }

    #[test]
    fn an_unknown_connection_is_an_error() {
        check_error("unify_test_connection", &["shp"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
    }

    fn shown(name: &str) -> Vec<String> {
        let instance = TestInstance::new();
        let snapshot = instance.instance().catalog.snapshot(&instance.settings());
        let rows = checks(snapshot.connection(name).unwrap(), &instance.context()).unwrap();
        let cell = |value: &Value| value.as_text().map_or_else(|| format!("{value:?}"), str::to_string);
        rows.iter().map(|row| instance.without_paths(&row[..3].iter().map(cell).collect::<Vec<_>>().join(" | "))).collect()
    }

    #[test]
    fn what_fails_is_a_row_and_ends_the_trying() {
        let untried = "Null | not tried, since a check before it failed";
        assert_eq!(
            shown("broken"),
            [
                "adapter | Boolean(false) | connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'?"
                    .to_string(),
                format!("options | {untried}"),
                format!("environment | {untried}"),
                format!("request | {untried}"),
            ]
        );
        assert_eq!(
            shown("away"),
            [
                "adapter | Boolean(true) | 'shop'".to_string(),
                "options | Boolean(true) | username=***, password=$SHOP_PASSWORD".to_string(),
                "environment | Boolean(false) | not set: SHOP_PASSWORD".to_string(),
                format!("request | {untried}"),
            ]
        );
    }

    #[test]
    fn a_table_that_needs_nothing_is_asked_for() {
        let spec = |tables: &str| {
            let text = format!("name: a\nbase_url: https://a\nauth: {{type: NONE}}\ntables:\n{tables}");
            let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
            table_to_ask(&spec).map(|table_def| table_def.name.clone())
        };
        let child = "  - {name: child, params: {id: 'sql@(SELECT id FROM listed)'}}\n";
        let listed = "  - {name: listed, params: {kind: [a, b]}}\n";
        assert_eq!(spec(&format!("{child}{listed}  - {{name: top}}\n")).as_deref(), Some("top"));
        assert_eq!(spec(&format!("{child}{listed}")).as_deref(), Some("listed"));
    }
}
