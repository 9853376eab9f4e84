//! Columns by their names, as DuckDB compares them.

use crate::columns::{Column, ColumnType, TableSchema};

/// Returns the column of that name as the table has it; names compare without case.
pub fn column_named<'s>(schema: &'s TableSchema, name: &str) -> Option<&'s str> {
    find_column(schema, name).map(|column| column.name.as_str())
}

/// Returns the column of that name; names compare without case.
pub fn find_column<'s>(schema: &'s TableSchema, name: &str) -> Option<&'s Column> {
    schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

/// Returns the type of the column of that name.
pub fn type_named(schema: &TableSchema, name: &str) -> Option<ColumnType> {
    find_column(schema, name).map(|column| column.column_type)
}
