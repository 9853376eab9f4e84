//! `TEST CONNECTION` and `unify_test_connection`: whether a connection can be used, check by check; writes nothing.

use crate::catalog::ConnectionEntry;
use crate::load::{Probe, TableTarget};
use crate::session::{quote_literal, Value};
use crate::spec::{AdapterSpec, AuthSpec, Connection, ScalarType, TableDef};
use crate::sql::commands::authorize::access_of;
use crate::sql::commands::create_connection::{rows_of_connection, NAME};
use crate::sql::discovery::renewed;
use crate::sql::grammar::{self, Rule};
use crate::sql::rows::text;
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Instant;

const COLUMNS: &[(&str, ScalarType)] =
    &[("check", ScalarType::Varchar), ("ok", ScalarType::Boolean), ("message", ScalarType::Varchar), ("latency", ScalarType::Double)];

/// Tables that are tried, at most.
const MOST_TABLES: usize = 5;

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::test_connection,
    syntax: "TEST CONNECTION name",
    description: "Checks a connection: its adapter, options and environment variables, and one authenticated request; writes nothing",
    example: "TEST CONNECTION shop",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: |pair| Ok(vec![quote_literal(&grammar::first_name(pair)?)]),
};

/// `unify_test_connection(name)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_test_connection",
    description: "Checks a connection: its adapter, options and environment variables, and one authenticated request; writes nothing",
    example: "FROM unify_test_connection('shop')",
    positional: &[NAME],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    rows_of_connection(COLUMNS, arguments, ctx, checks)
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
        self.has_failed |= !self.passes(name, outcome)?;
        Ok(())
    }

    /// Makes a check as [`Report::check`] does, and returns whether it did not fail.
    fn passes(&mut self, name: &str, outcome: impl FnOnce() -> Result<Checked>) -> Result<bool> {
        let row = |ok: Value, message: &str, latency: Value| vec![text(Some(name)), ok, text(Some(message)), latency];
        if self.has_failed {
            self.rows.push(row(Value::Null, "not tried, since a check before it failed", Value::Null));
            return Ok(false);
        }
        let began = Instant::now();
        let outcome = outcome();
        let latency = Value::Double(began.elapsed().as_secs_f64() * 1000.0);
        let passes = outcome.is_ok();
        self.rows.push(match outcome {
            Ok(Checked::Well(message)) => row(Value::Boolean(true), &message, latency),
            Ok(Checked::Untested(message)) => row(Value::Null, &message, Value::Null),
            Err(err) if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::Cancelled | ErrorKind::DatabaseGone) => return Err(err),
            Err(err) => row(Value::Boolean(false), err.message(), latency),
        });
        Ok(passes)
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
    report.check("adapter", || {
        let name = &entry.spec()?.name;
        Ok(Checked::Well(entry.replacement().map_or_else(|| format!("'{name}'"), |said| format!("'{name}'; {said}"))))
    })?;
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
    if entry.spec().is_ok_and(|spec| !spec.class.has_requests()) {
        report.check("tables", || {
            let (_, connection) = renewed(entry, ctx)?;
            Ok(Checked::Well(format!("{} tables found", connection.adapter.tables.len())))
        })?;
        report.check("rows", || try_to_read(&entry.open()?, ctx))?;
        return Ok(report.rows);
    }
    check_requests(&mut report, entry, ctx)?;
    if !entry.open().is_ok_and(|connection| *connection.auth() == AuthSpec::None) {
        report.check("credentials", || Trial::new(&entry.open()?, ctx)?.credentials())?;
    }
    if let Some(connection) = entry.open().ok().filter(|connection| connection.auth().has_tokens()) {
        report.check("access", || Ok(access_to(&connection)))?;
    }
    Ok(report.rows)
}

/// Reads a row of the first tables, where no request tells that they can be read.
fn try_to_read(connection: &Arc<Connection>, ctx: &StatementContext<'_>) -> Result<Checked> {
    let tables: Vec<&str> = connection.adapter.tables.iter().map(|table_def| table_def.name.as_str()).collect();
    let tried = &tables[..tables.len().min(MOST_TABLES)];
    for table in tried {
        let target = TableTarget { connection: Arc::clone(connection), table: table.to_string(), catalog: ctx.catalog()?.to_string() };
        ctx.instance.loader.reader().try_to_read(&target, ctx.interrupted)?;
    }
    let rest = if tables.len() > tried.len() { format!("; not tried: {} more", tables.len() - tried.len()) } else { String::new() };
    Ok(Checked::Well(format!("can be read: '{}'{rest}", tried.join("', '"))))
}

/// Sends a request, one for each credential where there are several: each works or not by itself.
fn check_requests(report: &mut Report, entry: &ConnectionEntry, ctx: &StatementContext<'_>) -> Result<()> {
    let n_credentials = entry.open().map_or(1, |connection| connection.credentials().len());
    if n_credentials < 2 {
        return report.check("request", || Trial::new(&entry.open()?, ctx)?.request());
    }
    let mut n_passed = 0;
    for idx in 0..n_credentials {
        let request = || Trial { credential: Some(idx), ..Trial::new(&entry.open()?, ctx)? }.request();
        n_passed += usize::from(report.passes(&format!("credential {}", idx + 1), request)?);
    }
    report.has_failed |= n_passed == 0;
    Ok(())
}

/// Says until when access lasts: that of each credential, where there are several.
fn access_to(connection: &Connection) -> Checked {
    let credentials = connection.credentials();
    let told: Vec<String> = match credentials.as_slice() {
        [one] => access_of(one).into_iter().collect(),
        several => {
            let each = several.iter().enumerate();
            each.filter_map(|(idx, one)| Some(format!("credential {}: {}", idx + 1, access_of(one)?))).collect()
        }
    };
    match told.is_empty() {
        true => Checked::Untested("no token was needed".to_string()),
        false => Checked::Well(told.join("; ")),
    }
}

/// The requests that try a connection.
struct Trial<'a> {
    connection: Arc<Connection>,
    ctx: &'a StatementContext<'a>,
    /// Which of several credentials is tried; `None`: any.
    credential: Option<usize>,
}

impl<'a> Trial<'a> {
    fn new(connection: &Arc<Connection>, ctx: &'a StatementContext<'a>) -> Result<Trial<'a>> {
        Ok(Trial { connection: with_requests_of_discovery(connection), ctx, credential: None })
    }

    /// Sends the spec's test, or asks for the first page of the first table that needs nothing to be known before.
    fn request(&self) -> Result<Checked> {
        if let Some(test) = &self.connection.adapter.test {
            let reply = self.ctx.instance.loader.reader().ask_once(&self.connection, &test.path, &self.probe())?;
            let (path, status) = (&test.path, reply.status);
            return match reply.is_as(&test.expected) {
                true => Ok(Checked::Well(format!("'{path}', the test of the spec, was answered as it must be, with status {status}"))),
                false => {
                    Err(Error::api(format!("'{path}', the test of the spec, was answered otherwise than it must be, with status {status}")))
                }
            };
        }
        let tables = tables_to_ask(&self.connection.adapter);
        let Some(table_def) = tables.first() else {
            return Ok(Checked::Untested("every table needs values of another one; PEEK at one when that is loaded".to_string()));
        };
        let batch = self.ctx.instance.loader.reader().probe(&self.target(table_def)?, &self.probe())?;
        Ok(Checked::Well(format!("table '{}' answered, rows of its first page: {}", table_def.name, batch.n_rows)))
    }

    /// Finds a table that the API gives to nobody without credentials, and asks for it with them.
    fn credentials(&self) -> Result<Checked> {
        if self.connection.adapter.test.is_some() {
            return Ok(Checked::Well("the test of the spec shows that they are right".to_string()));
        }
        let (loader, probe) = (&self.ctx.instance.loader, self.probe());
        let tables = tables_to_ask(&self.connection.adapter);
        for (idx, table_def) in tables.iter().take(MOST_TABLES).enumerate() {
            let target = self.target(table_def)?;
            let status = loader.reader().status_without_credentials(&target, &probe);
            let status = match status {
                Err(err) if err.kind() == ErrorKind::Interrupted || err.kind() == ErrorKind::Cancelled => return Err(err),
                status => status.ok().flatten(),
            };
            let Some(status @ (401 | 403)) = status else { continue };
            if idx > 0 {
                loader.reader().probe(&target, &probe)?;
            }
            return Ok(Checked::Well(format!(
                "table '{}' is given with them, and refused without them, with status {status}",
                table_def.name
            )));
        }
        let names: Vec<String> = tables.iter().take(MOST_TABLES).map(|table_def| format!("'{}'", table_def.name)).collect();
        Ok(Checked::Untested(format!(
            "cannot tell whether they are right: no table asked for is refused without them ({}); a 'test' in the spec can tell",
            names.join(", ")
        )))
    }

    fn probe(&self) -> Probe<'a> {
        Probe { settings: &self.ctx.settings, interrupted: self.ctx.interrupted, credential: self.credential }
    }

    fn target(&self, table_def: &TableDef) -> Result<TableTarget> {
        let connection = Arc::clone(&self.connection);
        Ok(TableTarget { connection, table: table_def.name.clone(), catalog: self.ctx.catalog()?.to_string() })
    }
}

/// Returns the connection with the requests for objects as tables, in the place of those that are discovered.
fn with_requests_of_discovery(connection: &Arc<Connection>) -> Arc<Connection> {
    let spec = &connection.adapter;
    if spec.discover.is_empty() {
        return Arc::clone(connection);
    }
    let written = spec.tables.iter().filter(|table_def| spec.is_written(&table_def.name)).cloned();
    let requests = spec.discover.iter().filter_map(|discover| discover.objects.as_ref()).map(|objects| objects.request.clone());
    let adapter = AdapterSpec { tables: written.chain(requests).collect(), ..AdapterSpec::clone(spec) };
    Arc::new(Connection { adapter: Arc::new(adapter), ..Connection::clone(connection) })
}

/// Returns the tables that need no other one, those without params first.
fn tables_to_ask(spec: &AdapterSpec) -> Vec<&TableDef> {
    // A job of the API costs more than a look.
    let is_free = |table_def: &&TableDef| table_def.parents().is_empty() && table_def.job.is_none();
    let (without, with): (Vec<_>, Vec<_>) = spec.tables.iter().filter(is_free).partition(|table_def| table_def.params.is_empty());
    without.into_iter().chain(with).collect()
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
                format!("credentials | {untried}"),
            ]
        );
        assert_eq!(
            shown("away"),
            [
                "adapter | Boolean(true) | 'shop'".to_string(),
                "options | Boolean(true) | username=***, password=$SHOP_PASSWORD".to_string(),
                "environment | Boolean(false) | not set: SHOP_PASSWORD".to_string(),
                format!("request | {untried}"),
                format!("credentials | {untried}"),
            ]
        );
    }

    #[test]
    fn a_table_that_needs_nothing_is_asked_for() {
        let spec = |tables: &str| {
            let text = format!("name: a\nbase_url: https://a\nauth: {{type: NONE}}\ntables:\n{tables}");
            let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
            tables_to_ask(&spec).first().map(|table_def| table_def.name.clone())
        };
        let child = "  - {name: child, params: {id: 'sql@(SELECT id FROM listed)'}}\n";
        let listed = "  - {name: listed, params: {kind: [a, b]}}\n";
        assert_eq!(spec(&format!("{child}{listed}  - {{name: top}}\n")).as_deref(), Some("top"));
        assert_eq!(spec(&format!("{child}{listed}")).as_deref(), Some("listed"));
    }
}
