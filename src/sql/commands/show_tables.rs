//! `SHOW TABLES IN conn` and `unify_tables`: the tables and views of connections, and how far each is loaded.

use crate::catalog::ConnectionEntry;
use crate::load::TableTarget;
use crate::session::{quote_literal, Session, TableName, Value};
use crate::spec::{Connection, ScalarType, TableDef, ViewDef};
use crate::sql::native::{self, LastLoads, NativeRelations};
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::relation::with_place;
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};
use std::sync::Arc;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("connection", ScalarType::Varchar),
    ("table", ScalarType::Varchar),
    ("kind", ScalarType::Varchar),
    ("loaded", ScalarType::Boolean),
    ("rows", ScalarType::BigInt),
    ("columns", ScalarType::BigInt),
    ("last_loaded", ScalarType::Timestamp),
    ("staleness", ScalarType::Double),
    ("strategy", ScalarType::Varchar),
    ("status", ScalarType::Varchar),
    ("description", ScalarType::Varchar),
];

const CONNECTION: ParameterDef = ParameterDef { name: "connection", parameter_type: ParameterType::Varchar };

/// `SHOW TABLES IN conn`, or `SHOW ALL ADAPTER TABLES` for those of all connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShowTables {
    pub connection: Option<String>,
}

impl ShowTables {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<ShowTables> {
        parse::first_name(pair).map(|connection| ShowTables { connection: Some(connection) })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_tables({})", self.connection.as_deref().map(quote_literal).unwrap_or_default())
    }
}

pub(super) static SHOW_ALL: StatementDef = StatementDef {
    rule: Rule::show_all_tables,
    syntax: "SHOW ALL ADAPTER TABLES",
    description: "Lists the tables and views of all connections, and how far each is loaded",
    example: "SHOW ALL ADAPTER TABLES",
    function: "unify_tables",
    topic: Topic::Tables,
    call: |_| Ok(ShowTables { connection: None }.call()),
};

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_tables,
    syntax: "SHOW TABLES IN conn",
    description: "Lists a connection's tables and views, and how far each is loaded",
    example: "SHOW TABLES IN shop",
    function: "unify_tables",
    topic: Topic::Tables,
    call: |pair| ShowTables::parse(pair).map(|statement| statement.call()),
};

/// `unify_tables([conn])`.
pub(crate) struct UnifyTables;

static DEF: FunctionDef = FunctionDef {
    name: "unify_tables",
    description: "Lists the tables and views of one connection or of all: whether each is loaded, its rows, and when it was loaded last",
    example: "FROM unify_tables('shop')",
    positional: &[CONNECTION],
    has_optional: true,
    named: &[],
};

impl TableFunction for UnifyTables {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
        let connection = match arguments.positional.first() {
            None | Some(Value::Null) => None,
            Some(_) => Some(arguments.text(0, CONNECTION.name)?.to_string()),
        };
        if let Some(connection) = &connection {
            ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(connection)?;
        }
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| rows(connection.as_deref(), ctx)))))
    }
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
    let mut session = ctx.instance.database.connect()?;
    let natives = NativeRelations::read(session.as_mut(), ctx.catalog()?)?;
    let last_loads = LastLoads::read(session.as_mut(), ctx.catalog()?, &natives)?;
    let mut listing = Listing { ctx, session: session.as_mut(), natives, last_loads, now: native::now(), rows: Vec::new() };
    for entry in entries {
        listing.add(entry)?;
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
    fn add(&mut self, entry: &ConnectionEntry) -> Result<()> {
        let connection = match entry.open() {
            Ok(connection) => connection,
            Err(err) => {
                self.rows.push(broken_row(entry, &err));
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
        Ok(())
    }

    fn table_row(&mut self, connection: &Arc<Connection>, table_def: &TableDef) -> Result<Vec<Value>> {
        let catalog = self.ctx.catalog()?.to_string();
        let target = TableTarget { connection: Arc::clone(connection), table: table_def.name.clone(), catalog: catalog.clone() };
        let n_columns = self.natives.columns_of(&connection.name, &table_def.name);
        let loaded = match n_columns {
            Some(_) => self.ctx.instance.loader.is_loaded(self.session, &target).map_err(|err| with_place(err, &target))?,
            None => false,
        };
        let cleared = match (loaded, n_columns) {
            (false, Some(_)) => self.ctx.instance.loader.is_there(self.session, &target).map_err(|err| with_place(err, &target))?,
            _ => false,
        };
        let status = match (loaded, n_columns) {
            (true, _) => "loaded",
            _ if cleared => "cleared",
            (false, None) => "not loaded",
            (false, Some(_)) => "error: a table of that name, not made by Unify, is in the way",
        };
        let last_loaded = self.last_loads.of(&connection.name, &table_def.name).filter(|_| loaded);
        let n_rows = match loaded {
            true => {
                let name = TableName { catalog: Some(catalog), schema: connection.name.clone(), table: table_def.name.clone() };
                native::count_rows(self.session, &name)?
            }
            false => Value::Null,
        };
        Ok(vec![
            text(Some(&connection.name)),
            text(Some(&table_def.name)),
            text(Some("table")),
            Value::Boolean(loaded),
            n_rows,
            n_columns.filter(|_| loaded).map_or(Value::Null, integer),
            last_loaded.map_or(Value::Null, Value::Timestamp),
            last_loaded.map_or(Value::Null, |last| Value::Double(seconds_between(last, self.now))),
            text(Some(table_def.refresh.name())),
            text(Some(status)),
            text(table_def.description.as_deref()),
        ])
    }

    fn view_row(&self, connection: &Connection, view_def: &ViewDef) -> Vec<Value> {
        let n_columns = self.natives.columns_of(&connection.name, &view_def.name);
        vec![
            text(Some(&connection.name)),
            text(Some(&view_def.name)),
            text(Some("view")),
            Value::Boolean(n_columns.is_some()),
            Value::Null,
            n_columns.map_or(Value::Null, integer),
            Value::Null,
            Value::Null,
            Value::Null,
            text(Some(if n_columns.is_some() { "loaded" } else { "not loaded" })),
            text(view_def.help.as_deref()),
        ]
    }
}

fn broken_row(entry: &ConnectionEntry, err: &Error) -> Vec<Value> {
    let mut row = vec![text(Some(&entry.name)), Value::Null, Value::Null, Value::Boolean(false)];
    row.extend(std::iter::repeat_n(Value::Null, 5));
    row.extend([Value::Text(format!("error: {err}")), Value::Null]);
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
        check_statement("SHOW TABLES IN shop", expect!["SELECT * FROM unify_tables('shop')"]);
        check_statement("show tables in \"my shop\";", expect!["SELECT * FROM unify_tables('my shop')"]);
    }

    #[test]
    fn tables_views_and_broken_connections_are_listed() {
        check_rows(
            "unify_tables",
            &[],
            expect![[r#"
            connection | table | kind | loaded | rows | columns | last_loaded | staleness | strategy | status | description
            shop | orders | table | false | NULL | NULL | NULL | NULL | reload | not loaded | What was ordered
            shop | customers | table | false | NULL | NULL | NULL | NULL | reload | not loaded | NULL
            shop | big_orders | view | false | NULL | NULL | NULL | NULL | NULL | not loaded | Orders of more than 100
            broken | NULL | NULL | false | NULL | NULL | NULL | NULL | NULL | error: connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'? | NULL
            away | NULL | NULL | false | NULL | NULL | NULL | NULL | NULL | error: connection 'away' (~/connections.yaml:7): option 'password': environment variable 'SHOP_PASSWORD' is not set | NULL"#]],
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
