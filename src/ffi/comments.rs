//! The comments of a table's columns, which the C API does not tell.

use super::callbacks::Text;
use super::database::c_string;
use super::host::Bridge;
use super::settings::{value_of, ContextSettings};
use crate::session::{TableName, Value};
use crate::Result;
use libduckdb_sys::*;

/// Returns the comments of a table's columns, as the connection's transaction sees them, each with the column's name. There must be a
/// transaction. A view and what does not exist have none.
pub fn column_comments(connection: duckdb_connection, bridge: &Bridge, table: &TableName) -> Result<Vec<(String, String)>> {
    let catalog_name = c_string(table.catalog.as_deref().unwrap_or_default())?;
    let (schema, name) = (c_string(&table.schema)?, c_string(&table.table)?);
    let mut context: duckdb_client_context = std::ptr::null_mut();
    // SAFETY: the connection is valid; the context is written.
    unsafe { duckdb_connection_get_client_context(connection, &mut context) };
    // SAFETY: the context is valid, the name a C string; null when there is no such catalog.
    let mut catalog = unsafe { duckdb_client_context_get_catalog(context, catalog_name.as_ptr()) };
    let kind = duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_TABLE;
    // SAFETY: the names are C strings; null when the catalog is or when there is no such entry.
    let mut entry = unsafe { duckdb_catalog_get_entry(catalog, context, kind, schema.as_ptr(), name.as_ptr()) };
    ContextSettings::take_context(context);
    let mut comments = Vec::new();
    if !entry.is_null() {
        let mut column = Text::NONE;
        // SAFETY: the entry is valid; the name is written when there is a column of that number.
        let comment_of = |idx, column: &mut Text| unsafe { (bridge.column_comment)(entry.cast(), idx, column) };
        for idx in 0.. {
            let comment = comment_of(idx, &mut column);
            if comment.is_null() {
                break;
            }
            if let Ok(Value::Text(comment)) = value_of(comment.cast_mut().cast()) {
                // SAFETY: the text lives as long as the entry.
                comments.push((unsafe { column.as_str() }.to_string(), comment));
            }
        }
    }
    // SAFETY: made above, freed once; null is allowed.
    unsafe { duckdb_destroy_catalog_entry(&mut entry) };
    // SAFETY: as above.
    unsafe { duckdb_destroy_catalog(&mut catalog) };
    Ok(comments)
}
