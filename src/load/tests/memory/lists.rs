//! What DuckDB lists of itself, as the in-memory database lists it.

use super::state::{Rule, State, Table, UniqueKind, CATALOG, TEMP};
use super::values::LIST_SEPARATOR;
use super::Nature;
use crate::session::Value;
use crate::{Error, Result};

/// The rows of a list, under these names.
pub(super) type Listed = (Vec<&'static str>, Vec<Vec<Value>>);

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_string())
}

fn text_or_null(known: Option<&String>) -> Value {
    known.map_or(Value::Null, |known| text(known))
}

/// Returns what a table function lists. Fails on one that the in-memory database does not have.
pub(super) fn listed(function: &str, state: &State, nature: &Nature) -> Result<Listed> {
    let tables = || state.tables.iter().filter(|(key, _)| key.0 != TEMP).map(|(_, table)| table.as_ref());
    let named = |table: &Table| vec![text(CATALOG), text(&table.schema), text(&table.name)];
    Ok(match function {
        "duckdb_databases" => (
            vec!["database_name", "type", "readonly", "path"],
            vec![vec![text(CATALOG), text(nature.database_type), Value::Boolean(nature.is_read_only), text("a path")]],
        ),
        "duckdb_schemas" => {
            (vec!["database_name", "schema_name"], state.schemas.iter().map(|schema| vec![text(CATALOG), text(schema)]).collect())
        }
        "duckdb_tables" => (
            vec!["database_name", "schema_name", "table_name", "comment"],
            tables().map(|table| [named(table), vec![text_or_null(table.comment.as_ref())]].concat()).collect(),
        ),
        "duckdb_views" => (
            vec!["database_name", "schema_name", "view_name", "comment"],
            state
                .views
                .iter()
                .map(|((schema, _), view)| vec![text(CATALOG), text(schema), text(&view.name), text_or_null(view.comment.as_ref())])
                .collect(),
        ),
        "duckdb_constraints" => (
            vec![
                "database_name",
                "schema_name",
                "table_name",
                "constraint_index",
                "constraint_type",
                "constraint_text",
                "constraint_column_names",
            ],
            tables().flat_map(|table| rules_of(table).into_iter().map(|rule| [named(table), rule].concat())).collect(),
        ),
        "duckdb_indexes" => (
            vec!["database_name", "schema_name", "table_name", "index_oid", "index_name", "is_unique", "sql", "comment"],
            tables().flat_map(|table| indexes_of(table).into_iter().map(|index| [named(table), index].concat())).collect(),
        ),
        other => return Err(Error::internal(format!("the in-memory database has no table function {other}()"))),
    })
}

fn rules_of(table: &Table) -> Vec<Vec<Value>> {
    let row = |(idx, rule): (usize, &Rule)| {
        let (kind, sql, columns) = match rule {
            Rule::NotNull(column) => ("NOT NULL", "NOT NULL".to_string(), vec![column.clone()]),
            Rule::Unique(UniqueKind::PrimaryKey, columns) => {
                ("PRIMARY KEY", format!("PRIMARY KEY({})", columns.join(", ")), columns.clone())
            }
            Rule::Unique(UniqueKind::Unique, columns) => ("UNIQUE", format!("UNIQUE({})", columns.join(", ")), columns.clone()),
            Rule::Check(condition) => ("CHECK", format!("CHECK(({condition}))"), Vec::new()),
        };
        vec![Value::Integer(idx as i128), text(kind), text(&sql), text(&columns.join(&LIST_SEPARATOR.to_string()))]
    };
    table.rules.iter().enumerate().map(row).collect()
}

fn indexes_of(table: &Table) -> Vec<Vec<Value>> {
    let row = |(idx, index): (usize, &super::state::TableIndex)| {
        let unique = if index.is_unique { "UNIQUE " } else { "" };
        let sql = format!("CREATE {unique}INDEX {} ON {}.{}({});", index.name, table.schema, table.name, index.columns.join(", "));
        vec![Value::Integer(idx as i128), text(&index.name), Value::Boolean(index.is_unique), text(&sql), Value::Null]
    };
    table.indexes.iter().enumerate().map(row).collect()
}

/// Returns what DESCRIBE says of a table.
pub(super) fn described(table: &Table) -> Listed {
    let row = |column: &super::state::TableColumn| {
        let is_not_null = table.rules.iter().any(|rule| matches!(rule, Rule::NotNull(name) if *name == column.name));
        let null = text(if is_not_null { "NO" } else { "YES" });
        vec![text(&column.name), text(&column.sql_type), null, Value::Null, text_or_null(column.default.as_ref()), Value::Null]
    };
    (vec!["column_name", "column_type", "null", "key", "default", "extra"], table.columns.iter().map(row).collect())
}
