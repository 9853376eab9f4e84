//! `SHOW TABLES IN conn` and `unify_tables`: the tables and views of connections, and how far each is loaded.

use crate::load::TableTarget;
use crate::session::{quote_literal, Session, TableName, Value};
use crate::spec::{Connection, ScalarType, TableDef, ViewDef};
use crate::sql::discovery::{is_open, opened, Need};
use crate::sql::grammar::{self, Rule};
use crate::sql::native::{self, LastLoads, NativeRelations};
use crate::sql::rows::{bound_rows_without, integer, text, BRIEF};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::Result;
use std::sync::Arc;

/// The most useful columns come first. DuckDB's command line leaves out columns in the middle where there is no room for all of them.
const COLUMNS: &[(&str, ScalarType)] = &[
    ("connection", ScalarType::Varchar),
    ("table", ScalarType::Varchar),
    ("status", ScalarType::Varchar),
    ("rows", ScalarType::BigInt),
    ("last_loaded", ScalarType::Timestamp),
    ("staleness", ScalarType::Double),
    ("columns", ScalarType::BigInt),
    ("loaded", ScalarType::Boolean),
    ("strategy", ScalarType::Varchar),
    ("kind", ScalarType::Varchar),
    ("description", ScalarType::Varchar),
    ("parent", ScalarType::Varchar),
];
/// Those that the brief form leaves out, which fits a terminal of 120 columns.
const DETAILS: &[&str] = &["staleness", "columns", "loaded", "strategy", "parent"];

const CONNECTION: ParameterDef = ParameterDef { name: "connection", parameter_type: ParameterType::Varchar };

pub(super) static SHOW_ALL: StatementDef = StatementDef {
    rule: Rule::show_all_tables,
    syntax: "SHOW ALL ADAPTER TABLES",
    description: "Lists the tables and views of all connections, and how far each is loaded",
    example: "SHOW ALL ADAPTER TABLES",
    function: &FUNCTION,
    topic: Topic::Tables,
    arguments: |_| Ok(vec![BRIEF.set()]),
};

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_tables,
    syntax: "SHOW TABLES IN conn",
    description: "Lists a connection's tables and views, and how far each is loaded",
    example: "SHOW TABLES IN shop",
    function: &FUNCTION,
    topic: Topic::Tables,
    arguments: |pair| Ok(vec![quote_literal(&grammar::first_name(pair)?), BRIEF.set()]),
};

/// `unify_tables([conn])`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_tables",
    description: "Lists the tables and views of one connection or of all: whether each is loaded, its rows, and when it was loaded last",
    example: "FROM unify_tables('shop')",
    positional: &[CONNECTION],
    has_optional: true,
    named: &[BRIEF],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let connection = arguments.optional_text(0, CONNECTION.name)?.map(str::to_string);
    if let Some(connection) = &connection {
        ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(connection)?;
    }
    let is_brief = arguments.named_flag(BRIEF.name)?;
    let is_left_out = |name: &str| is_brief && DETAILS.contains(&name);
    Ok(bound_rows_without(COLUMNS, is_left_out, move |ctx| rows(connection.as_deref(), ctx)))
}

fn rows(connection: Option<&str>, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    let entries = match connection {
        Some(name) => std::slice::from_ref(snapshot.expect_connection(name)?),
        None => snapshot.connections(),
    };
    if let Some(problem) = snapshot.unreadable().filter(|_| snapshot.connections().is_empty()) {
        return Err(problem.clone());
    }
    // Whoever asks for one connection wants its tables; of all connections, what is known.
    let need = if connection.is_some() { Need::Ever } else { Need::Known };
    let mut opens = Vec::new();
    for entry in entries {
        let connection = match entry.open() {
            Ok(_) => Ok(opened(entry, need, ctx)?),
            Err(err) => Err(err),
        };
        opens.push((entry.name.as_str(), connection));
    }
    let mut session = ctx.instance.database.connect()?;
    let natives = NativeRelations::read(session.as_mut(), ctx.catalog()?)?;
    let last_loads = LastLoads::read(session.as_mut(), ctx.catalog()?, &natives)?;
    let mut listing = Listing { ctx, session: session.as_mut(), natives, last_loads, now: native::now(), rows: Vec::new() };
    for (name, connection) in opens {
        listing.add(name, connection)?;
    }
    Ok(listing.rows)
}

/// The rows so far, and what they are made from.
struct Listing<'a> {
    ctx: &'a StatementContext<'a>,
    session: &'a mut dyn Session,
    natives: NativeRelations,
    last_loads: LastLoads,
    /// Microseconds since 1970.
    now: i64,
    rows: Vec<Vec<Value>>,
}

impl Listing<'_> {
    fn add(&mut self, name: &str, connection: Result<Arc<Connection>>) -> Result<()> {
        let connection = match connection {
            Ok(connection) => connection,
            Err(err) => {
                self.rows.push(broken_row(name, None, &format!("error: {}", err.message())));
                return Ok(());
            }
        };
        for table_def in &connection.adapter.tables {
            let row = self.table_row(&connection, table_def)?;
            self.rows.push(row);
        }
        for view_def in &connection.adapter.views {
            let row = self.view_row(&connection, view_def);
            self.rows.push(row);
        }
        let broken = connection.adapter.broken.iter();
        let broken = broken.map(|table| broken_row(&connection.name, Some(&table.name), &format!("error: {}", table.message)));
        self.rows.extend(broken);
        if is_open(&connection, &self.ctx.instance.catalog) {
            let status = format!("not discovered: SHOW TABLES IN {} asks its API which tables there are", connection.name);
            self.rows.push(broken_row(&connection.name, None, &status));
        }
        Ok(())
    }

    fn table_row(&mut self, connection: &Arc<Connection>, table_def: &TableDef) -> Result<Vec<Value>> {
        let catalog = self.ctx.catalog()?.to_string();
        let target = TableTarget { connection: Arc::clone(connection), table: table_def.name.clone(), catalog: catalog.clone() };
        let n_columns = self.natives.columns_of(&connection.name, &table_def.name);
        let loaded = match n_columns {
            Some(_) => self.ctx.instance.loader.is_loaded(self.session, &target).map_err(|err| err.at(target.place()))?,
            None => false,
        };
        let cleared = match (loaded, n_columns) {
            (false, Some(_)) => self.ctx.instance.loader.is_there(self.session, &target).map_err(|err| err.at(target.place()))?,
            _ => false,
        };
        let mut status = match (loaded, n_columns) {
            (true, _) => "loaded".to_string(),
            _ if cleared => "cleared".to_string(),
            (false, None) => "not loaded".to_string(),
            (false, Some(_)) => "error: a table of that name, not made by Unify, is in the way".to_string(),
        };
        let last_loaded = self.last_loads.of(&connection.name, table_def.filler()).filter(|_| loaded);
        let n_rows = match loaded {
            true => {
                let name = TableName { catalog: Some(catalog), schema: connection.name.clone(), table: table_def.name.clone() };
                let n_rows = native::count_rows(self.session, &name)?;
                if n_rows == Value::Integer(0) {
                    status.extend(self.empty_parent(&name, table_def)?.map(|parent| format!("; its parent table '{parent}' is empty")));
                }
                n_rows
            }
            false => Value::Null,
        };
        let strategy = connection.adapter.table(table_def.filler()).map(|filler| filler.refresh.name());
        Ok(vec![
            text(Some(&connection.name)),
            text(Some(&table_def.name)),
            text(Some(&status)),
            n_rows,
            last_loaded.map_or(Value::Null, Value::Timestamp),
            last_loaded.map_or(Value::Null, |last| Value::Double(seconds_between(last, self.now))),
            n_columns.filter(|_| loaded).map_or(Value::Null, integer),
            Value::Boolean(loaded),
            text(strategy),
            text(Some("table")),
            text(table_def.description.as_deref()),
            text(table_def.child.as_ref().map(|child_def| child_def.parent.as_str())),
        ])
    }

    /// Returns the first of a table's parents that is loaded and has no rows: then there was nothing to ask for.
    fn empty_parent<'d>(&mut self, table: &TableName, table_def: &'d TableDef) -> Result<Option<&'d str>> {
        for parent in table_def.parents() {
            let name = TableName { table: parent.to_string(), ..table.clone() };
            let is_there = self.natives.columns_of(&name.schema, parent).is_some();
            if is_there && self.session.query(&format!("SELECT 1 FROM {name} LIMIT 1"))?.is_empty() {
                return Ok(Some(parent));
            }
        }
        Ok(None)
    }

    fn view_row(&self, connection: &Connection, view_def: &ViewDef) -> Vec<Value> {
        let n_columns = self.natives.columns_of(&connection.name, &view_def.name);
        vec![
            text(Some(&connection.name)),
            text(Some(&view_def.name)),
            text(Some(if n_columns.is_some() { "loaded" } else { "not loaded" })),
            Value::Null,
            Value::Null,
            Value::Null,
            n_columns.map_or(Value::Null, integer),
            Value::Boolean(n_columns.is_some()),
            Value::Null,
            text(Some("view")),
            text(view_def.help.as_deref()),
            Value::Null,
        ]
    }
}

/// Returns the row of a connection or table about which there is nothing but a status.
fn broken_row(connection: &str, table: Option<&str>, status: &str) -> Vec<Value> {
    let mut row = vec![text(Some(connection)), text(table), text(Some(status))];
    row.extend(std::iter::repeat_n(Value::Null, 4));
    row.extend([Value::Boolean(false), Value::Null, text(table.map(|_| "table")), Value::Null, Value::Null]);
    row
}

/// Returns the seconds from one time to another, both in microseconds; never less than 0.
fn seconds_between(earlier: i64, later: i64) -> f64 {
    later.saturating_sub(earlier).max(0) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::{check_error, check_rows, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("SHOW TABLES IN shop", expect!["SELECT * FROM unify_tables('shop', brief := true)"]);
        check_statement("show tables in \"my shop\";", expect!["SELECT * FROM unify_tables('my shop', brief := true)"]);
    }

    #[test]
    fn tables_views_and_broken_connections_are_listed() {
        check_rows(
            "unify_tables",
            &[],
            expect![[r#"
            connection | table | status | rows | last_loaded | staleness | columns | loaded | strategy | kind | description | parent
            shop | orders | not loaded | NULL | NULL | NULL | NULL | false | reload | table | What was ordered | NULL
            shop | customers | not loaded | NULL | NULL | NULL | NULL | false | reload | table | NULL | NULL
            shop | big_orders | not loaded | NULL | NULL | NULL | NULL | false | NULL | view | Orders of more than 100 | NULL
            broken | NULL | error: connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'? | NULL | NULL | NULL | NULL | false | NULL | NULL | NULL | NULL
            away | NULL | error: connection 'away' (~/connections.yaml:7): option 'password': environment variable 'SHOP_PASSWORD' is not set | NULL | NULL | NULL | NULL | false | NULL | NULL | NULL | NULL"#]],
        );
    }

    #[test]
    fn an_unknown_connection_is_an_error() {
        check_error("unify_tables", &["shp"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
    }

    #[test]
    fn staleness_is_never_negative() {
        assert_eq!(seconds_between(1_500_000, 4_000_000), 2.5);
        assert_eq!(seconds_between(4_000_000, 1_500_000), 0.0);
    }
}
