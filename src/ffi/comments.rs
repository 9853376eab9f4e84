//! The comments of a table's columns, which the C API does not tell.

use super::context::RunningContext;
use super::entry::Catalog;
use super::host::Bridge;
use super::text::c_string;
use crate::session::TableName;
use crate::Result;

/// Returns the comments of a table's columns, as the transaction in that context sees them, each with the column's name. There must be a
/// transaction. A view and what does not exist have none.
pub fn column_comments(context: &RunningContext, bridge: &Bridge, table: &TableName) -> Result<Vec<(String, String)>> {
    let catalog_name = c_string(table.catalog.as_deref().unwrap_or_default())?;
    let (schema, name) = (c_string(&table.schema)?, c_string(&table.table)?);
    let catalog = Catalog::named(context, &catalog_name);
    let Some(entry) = catalog.as_ref().and_then(|catalog| catalog.table(&schema, &name)) else { return Ok(Vec::new()) };
    let columns = (0..).map_while(|idx| entry.column_comment(bridge, idx));
    Ok(columns.filter_map(|(name, comment)| comment.as_text().map(|comment| (name, comment.to_string()))).collect())
}
