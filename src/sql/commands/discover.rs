//! `DISCOVER CONNECTION` and `unify_discover`: asks an API again which tables and fields it has.

use crate::session::{quote_literal, Value};
use crate::spec::{AdapterSpec, ColumnSpec, Connection, ScalarType, TableDef};
use crate::sql::commands::create_connection::{rows_of_connection, NAME};
use crate::sql::discovery::renewed;
use crate::sql::grammar::{self, Rule};
use crate::sql::rows::{integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] = &[
    ("connection", ScalarType::Varchar),
    ("table", ScalarType::Varchar),
    ("change", ScalarType::Varchar),
    ("columns", ScalarType::BigInt),
    ("message", ScalarType::Varchar),
];

/// Names of columns that a message lists.
const MOST_NAMES: usize = 20;

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::discover_connection,
    syntax: "DISCOVER CONNECTION name",
    description: "Asks a connection's API which tables and fields it has, where its adapter discovers them, and says what is new",
    example: "DISCOVER CONNECTION shop",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: |pair| Ok(vec![quote_literal(&grammar::first_name(pair)?)]),
};

/// `unify_discover(name)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_discover",
    description: "Asks a connection's API which tables and fields it has, where its adapter discovers them, and says what is new",
    example: "FROM unify_discover('shop')",
    positional: &[NAME],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    rows_of_connection(COLUMNS, arguments, ctx, |entry, ctx| {
        let connection = entry.open()?;
        if connection.adapter.discover.is_empty() {
            let (adapter, name) = (&connection.adapter.name, &connection.name);
            return Err(Error::config(format!(
                "adapter '{adapter}' of connection '{name}' discovers nothing: its tables are those of its spec, which SHOW TABLES IN {name} lists"
            )));
        }
        let (before, now) = renewed(entry, ctx)?;
        Ok(changes(before.as_deref(), &now))
    })
}

/// Returns a row for each table that was discovered, now or before.
fn changes(before: Option<&Connection>, now: &Connection) -> Vec<Vec<Value>> {
    let row = |table: &str, change: &str, n_columns: Option<usize>, message: Option<String>| {
        let n_columns = n_columns.map_or(Value::Null, |n_columns| integer(n_columns as i64));
        vec![text(Some(&now.name)), text(Some(table)), text(Some(change)), n_columns, text(message.as_deref())]
    };
    let mut rows = Vec::new();
    for table_def in discovered(&now.adapter) {
        let earlier = before.and_then(|before| before.adapter.table(&table_def.name));
        let (change, message) = match earlier.map(|earlier| difference(earlier, table_def)) {
            None => ("new", None),
            Some(None) => ("unchanged", None),
            Some(Some(message)) => ("changed", Some(message)),
        };
        rows.push(row(&table_def.name, change, Some(table_def.columns.len()), message));
    }
    for broken in &now.adapter.broken {
        rows.push(row(&broken.name, "error", None, Some(broken.message.clone())));
    }
    for table_def in before.iter().flat_map(|before| discovered(&before.adapter)) {
        let is_there = now.adapter.table(&table_def.name).is_some() || now.adapter.mistakes_of(&table_def.name).is_some();
        if !is_there {
            let message = "the API does not have it any more; what was loaded stays".to_string();
            rows.push(row(&table_def.name, "gone", None, Some(message)));
        }
    }
    rows
}

fn discovered(spec: &AdapterSpec) -> impl Iterator<Item = &TableDef> {
    spec.tables.iter().filter(|table_def| !table_def.discovered.is_empty())
}

/// Returns what differs between a table as it was and as it is.
fn difference(before: &TableDef, now: &TableDef) -> Option<String> {
    let same = |a: &ColumnSpec, b: &ColumnSpec| a.name == b.name;
    let lacks = |columns: &[ColumnSpec], column: &ColumnSpec| !columns.iter().any(|other| same(other, column));
    let names = |columns: Vec<&ColumnSpec>| {
        let more = columns.len().saturating_sub(MOST_NAMES);
        let names: Vec<&str> = columns.iter().take(MOST_NAMES).map(|column| column.name.as_str()).collect();
        if more > 0 {
            format!("{} and {more} more", names.join(", "))
        } else {
            names.join(", ")
        }
    };
    let added: Vec<&ColumnSpec> = now.columns.iter().filter(|column| lacks(&before.columns, column)).collect();
    let gone: Vec<&ColumnSpec> = before.columns.iter().filter(|column| lacks(&now.columns, column)).collect();
    let is_retyped = |column: &&ColumnSpec| before.columns.iter().any(|other| same(other, column) && other.data_type != column.data_type);
    let retyped: Vec<&ColumnSpec> = now.columns.iter().filter(is_retyped).collect();
    let parts = [("new columns", added), ("columns gone", gone), ("other types", retyped)];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, columns)| !columns.is_empty()).map(|(what, columns)| format!("{what}: {}", names(columns))).collect();
    match (parts.is_empty(), before.discovered == now.discovered) {
        (true, true) => None,
        (true, false) => Some("the API says other things about it".to_string()),
        (false, _) => Some(parts.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_error, check_statement, TestInstance};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("DISCOVER CONNECTION shop", expect!["SELECT * FROM unify_discover('shop')"]);
        check_statement("discover connection \"it's\";", expect!["SELECT * FROM unify_discover('it''s')"]);
    }

    #[test]
    fn a_connection_that_discovers_nothing_is_an_error() {
        check_error("unify_discover", &["shp"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
        let err = TestInstance::new().rows("unify_discover", &["shop"]).unwrap_err();
        expect!["adapter 'shop' of connection 'shop' discovers nothing: its tables are those of its spec, which SHOW TABLES IN shop lists"]
            .assert_eq(err.message());
    }
}
