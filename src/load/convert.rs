//! From an answer's body to what the load needs of it: typed rows, and what it says about the pages.

use crate::columns::{Batch, RowPlan, TableSchema};
use crate::http::{facts_of, PageBody, PageFacts, PageRows};
use crate::json;
use crate::spec::{ParamValue, TableDef};
use crate::Result;

/// A page, converted.
pub struct ConvertedPage {
    pub batch: Batch,
    pub facts: PageFacts,
}

/// Converts a page. `schema` holds the table's columns so far; those of the batch are the same or wider.
pub fn convert(table_def: &TableDef, row_plan: &RowPlan, mut page: PageBody, schema: &TableSchema, copied: &[ParamValue]) -> Result<ConvertedPage> {
    let mut body = std::mem::take(&mut page.body);
    let document = json::parse(&mut body)?;
    let batch = row_plan.rows_of(document.root(), schema, copied)?;
    let rows = PageRows { n_rows: batch.n_rows as u64, fingerprint: batch.fingerprint() };
    let facts = facts_of(&table_def.paging, &page, document.root(), rows);
    Ok(ConvertedPage { batch, facts })
}
