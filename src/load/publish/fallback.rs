//! The columns of a table about whose columns nothing is known.

use crate::columns::ColumnType;
use crate::spec::TableDef;

/// The columns of a table about which nothing is known: no rows came, and none is declared. Its key, or one column.
pub fn fallback_columns(table_def: &TableDef) -> Vec<(String, ColumnType)> {
    if table_def.key_columns.is_empty() {
        return vec![("value".to_string(), ColumnType::Undecided)];
    }
    table_def.key_columns.iter().map(|name| (name.clone(), ColumnType::Undecided)).collect()
}
