//! `SHOW COLUMNS FROM conn.table` and `unify_columns`: the columns of a table, declared or as loaded.

use crate::catalog::{is_reserved, CatalogSnapshot};
use crate::columns::{Column, ColumnType};
use crate::load::TableTarget;
use crate::session::{quote_literal, TableName, Value};
use crate::spec::{ColumnSpec, Connection, ScalarType, TableDef};
use crate::sql::commands::audit;
use crate::sql::commands::load::TABLE;
use crate::sql::discovery::{opened, Need};
use crate::sql::grammar::{self, Rule};
use crate::sql::name::TablePath;
use crate::sql::native::{self, NativeColumn};
use crate::sql::relation::{attached, lookup};
use crate::sql::rows::{bound_rows, text};
use crate::sql::search_path::candidates;
use crate::sql::{Arguments, Bound, FunctionDef, Seen, StatementContext, StatementDef, Topic};
use crate::{Error, Result};
use std::sync::Arc;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("column", ScalarType::Varchar),
    ("type", ScalarType::Varchar),
    ("nullable", ScalarType::Boolean),
    ("key", ScalarType::Boolean),
    ("source_path", ScalarType::Varchar),
    ("description", ScalarType::Varchar),
];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_columns,
    syntax: "SHOW COLUMNS FROM conn.table",
    description: "Lists a table's columns: those its adapter declares before the first load, all of them after it",
    example: "SHOW COLUMNS FROM shop.orders",
    function: &FUNCTION,
    topic: Topic::Tables,
    arguments: |pair| grammar::table_of(pair).map(|table| vec![quote_literal(&table.to_string())]),
};

/// `unify_columns('conn.table')`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_columns",
    description: "Lists the columns of a table: those its adapter declares before the first load, all of them after it",
    example: "FROM unify_columns('shop.orders')",
    positional: &[TABLE],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let path = grammar::any_argument(arguments.text(0, TABLE.name)?)?;
    Ok(bound_rows(COLUMNS, move |ctx| rows(&path, ctx)))
}

fn rows(path: &TablePath, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    let schema = path.schema.as_deref().filter(|schema| !is_reserved(schema));
    let Some(entry) = schema.and_then(|schema| snapshot.connection(schema)) else { return other_rows(path, &snapshot, ctx) };
    let catalog = match &path.catalog {
        Some(catalog) => attached(catalog, ctx)?,
        None => ctx.catalog()?.to_string(),
    };
    rows_of(&opened(entry, Need::Ever, ctx)?, catalog, &path.table, ctx)
}

/// Returns the rows for a table in a connection's schema.
fn rows_of(connection: &Arc<Connection>, catalog: String, table: &str, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let known = lookup(&connection.adapter, &connection.name, table);
    let table = known.as_ref().map_or(table, |(_, name)| name);
    let name = TableName { catalog: Some(catalog.clone()), schema: connection.name.clone(), table: table.to_string() };
    let columns = native::columns(ctx.instance.database.connect()?.as_mut(), &name)?.unwrap_or_default();
    let Some(table_def) = connection.adapter.table(table) else {
        // A view, or a table of the user's own beside those of the adapter.
        return match (known, columns.is_empty()) {
            (Err(err), true) => Err(err),
            _ => Ok(native_rows(columns)),
        };
    };
    let target = TableTarget { connection: Arc::clone(connection), table: table.to_string(), catalog };
    if !columns.is_empty() && is_there(&target, ctx)? {
        let row = |column: &NativeColumn| {
            let declared = table_def.columns.iter().find(|declared| declared.name.eq_ignore_ascii_case(&column.name));
            native_row(column, is_key(table_def, &column.name), declared)
        };
        return Ok(columns.iter().map(row).collect());
    }
    if !connection.adapter.class.has_requests() {
        let there = ctx.instance.loader.reader().columns_there(&target, ctx.interrupted)?;
        return Ok(there.columns.iter().map(|column| there_row(table_def, column)).collect());
    }
    Ok(table_def.columns.iter().map(|column| declared_row(table_def, column)).collect())
}

fn is_there(target: &TableTarget, ctx: &StatementContext<'_>) -> Result<bool> {
    let mut session = ctx.instance.database.connect()?;
    ctx.instance.loader.is_there(session.as_mut(), target).map_err(|err| err.at(target.place()))
}

/// Returns the rows for a name that does not name a connection: of those that DESCRIBE would find under that name. Where the search path has a
/// connection's schema, its tables are among them, loaded or not.
fn other_rows(path: &TablePath, snapshot: &CatalogSnapshot, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let mut session = ctx.instance.database.connect()?;
    for candidate in candidates(path, session.as_mut(), ctx)? {
        let entry = snapshot.connection(&candidate.schema).filter(|_| path.schema.is_none() && !is_reserved(&candidate.schema));
        let connection = entry.and_then(|entry| opened(entry, Need::Known, ctx).ok());
        if let Some(connection) = connection.filter(|open| lookup(&open.adapter, &open.name, &path.table).is_ok()) {
            return rows_of(&connection, candidate.catalog.unwrap_or_default(), &path.table, ctx);
        }
        let seen = ctx.user.look_up(&candidate);
        let columns = match seen {
            Seen::Nothing | Seen::ByItAlone => None,
            Seen::ByAll | Seen::Unknown => native::columns(session.as_mut(), &candidate)?,
        };
        match columns {
            Some(columns) => return Ok(native_rows(columns)),
            None if seen == Seen::ByItAlone => {
                return Err(Error::config(format!(
                    "only this session sees '{path}', which is temporary or made or changed by its open transaction; DESCRIBE {path} lists its columns"
                )))
            }
            None => {}
        }
    }
    if let Some(columns) = audit_columns(path, ctx)? {
        return Ok(native_rows(columns));
    }
    match (&path.schema, snapshot.unreadable()) {
        (Some(_), Some(problem)) => Err(problem.clone().within(format!("there is no table '{path}'"))),
        _ => Err(Error::config(format!(
            "there is no table '{path}', and no connection of that name; FROM unify_tables() lists those of connections"
        ))),
    }
}

/// Returns the columns of an audit table, which DuckDB does not know under its documented name; `None` when the name is not that of one.
fn audit_columns(path: &TablePath, ctx: &StatementContext<'_>) -> Result<Option<Vec<NativeColumn>>> {
    let schema = path.schema.as_deref().unwrap_or_default();
    let Some(table) = audit::table_of(schema, &path.table) else { return Ok(None) };
    if let Some(catalog) = &path.catalog {
        attached(catalog, ctx)?;
    }
    let column = |(name, scalar_type): &(&str, ScalarType)| NativeColumn {
        name: name.to_string(),
        data_type: ColumnType::Scalar(*scalar_type).sql_name().to_string(),
        nullable: true,
        comment: None,
        key: false,
    };
    Ok(Some(table.columns().iter().map(column).collect()))
}

fn is_key(table_def: &TableDef, column: &str) -> bool {
    let of_table = table_def.key_columns.iter().any(|key| key.eq_ignore_ascii_case(column));
    of_table || table_def.columns.iter().any(|declared| declared.key && declared.name.eq_ignore_ascii_case(column))
}

fn native_rows(columns: Vec<NativeColumn>) -> Vec<Vec<Value>> {
    columns.into_iter().map(|column| native_row(&column, column.key, None)).collect()
}

fn native_row(column: &NativeColumn, key: bool, declared: Option<&ColumnSpec>) -> Vec<Value> {
    let description = declared.and_then(|declared| declared.description.as_deref()).or(column.comment.as_deref());
    vec![
        text(Some(&column.name)),
        text(Some(&column.data_type)),
        Value::Boolean(column.nullable),
        Value::Boolean(key),
        text(declared.and_then(source_path).as_deref()),
        text(description),
    ]
}

fn declared_row(table_def: &TableDef, column: &ColumnSpec) -> Vec<Value> {
    vec![
        text(Some(&column.name)),
        text(column.data_type.map(|declared| ColumnType::from(declared).sql_name()).as_deref()),
        Value::Boolean(true),
        Value::Boolean(is_key(table_def, &column.name)),
        text(source_path(column).as_deref()),
        text(column.description.as_deref()),
    ]
}

/// Returns the row for a column that files or a server have now.
fn there_row(table_def: &TableDef, column: &Column) -> Vec<Value> {
    let (name, key) = (text(Some(&column.name)), Value::Boolean(is_key(table_def, &column.name)));
    vec![name, text(Some(&column.column_type.sql_name())), Value::Boolean(true), key, Value::Null, Value::Null]
}

fn source_path(column: &ColumnSpec) -> Option<String> {
    column.source.as_ref().map(|keys| keys.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::{check_error, check_rows, check_statement, TestInstance};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("SHOW COLUMNS FROM shop.orders", expect!["SELECT * FROM unify_columns('shop.orders')"]);
        check_statement("show columns from t;", expect!["SELECT * FROM unify_columns('t')"]);
        check_statement("SHOW COLUMNS FROM lake.main.\"a b\"", expect![[r#"SELECT * FROM unify_columns('lake.main."a b"')"#]]);
    }

    #[test]
    fn before_the_first_load_the_declared_columns_are_shown() {
        check_rows(
            "unify_columns",
            &["shop.orders"],
            expect![[r#"
            column | type | nullable | key | source_path | description
            id | BIGINT | true | true | NULL | The order's number
            placed_on | DATE | true | false | meta.placed | NULL"#]],
        );
    }

    #[test]
    fn a_table_of_something_else_is_described() {
        let column = vec![text(Some("a")), text(Some("INTEGER")), Value::Boolean(false), text(Some("PRI"))];
        let instance = TestInstance::new()
            .answer("DESCRIBE \"memory\".\"main\".\"t\"", vec![column])
            .answer("SELECT type, readonly", vec![vec![text(Some("postgres")), Value::Boolean(false), text(Some("host=a"))]])
            .answer("lower('memory') AND lower(schema_name) = lower('main')", vec![vec![Value::Boolean(true)]]);
        instance.check_rows(
            "unify_columns",
            &["main.t"],
            expect![[r#"
            column | type | nullable | key | source_path | description
            a | INTEGER | false | true | NULL | NULL"#]],
        );
    }

    #[test]
    fn a_name_that_may_be_two_things_is_an_error() {
        let instance = TestInstance::new()
            .answer("FROM duckdb_databases() WHERE lower(database_name) = lower('two')", vec![vec![Value::Integer(1)]])
            .answer("FROM duckdb_schemas()", vec![vec![Value::Integer(1)]]);
        let err = instance.rows("unify_columns", &["two.t"]).err().unwrap();
        expect!["'two.t' may be in schema 'two' or in database 'two'; name it in full, as 'database.schema.table'"]
            .assert_eq(err.message());
    }

    #[test]
    fn what_is_nowhere_is_an_error() {
        check_error("unify_columns", &["shop.order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
        check_error(
            "unify_columns",
            &["main.t"],
            expect!["there is no table 'main.t', and no connection of that name; FROM unify_tables() lists those of connections"],
        );
    }
}
