//! From an answer's body to what the load needs of it: typed rows, and what it says about the pages.

use crate::columns::{Batch, FlatPage, RowPlan, TableSchema};
use crate::http::{facts_of, PageBody, PageFacts, PageRows};
use crate::json::Parser;
use crate::spec::{ParamValue, TableDef};
use crate::Result;
use std::cell::RefCell;
use std::hash::BuildHasher;

thread_local! {
    /// The buffers of the conversion thread, kept from page to page.
    static PARSER: RefCell<Parser> = RefCell::new(Parser::default());
}

/// A page, converted.
pub struct ConvertedPage {
    pub batch: Batch,
    pub facts: PageFacts,
}

/// Converts a page. `schema` holds the table's columns so far; those of the batch are the same or wider.
pub fn convert(
    table_def: &TableDef,
    row_plan: &RowPlan,
    mut page: PageBody,
    schema: &TableSchema,
    copied: &[ParamValue],
) -> Result<ConvertedPage> {
    let body = std::mem::take(&mut page.body);
    let of_body = foldhash::fast::FixedState::default().hash_one(&body);
    let converted = PARSER.with_borrow_mut(|parser| {
        parser.read(&body, |root| {
            let FlatPage { batch, fingerprint } = row_plan.rows_of(root, schema, copied)?;
            let rows = PageRows { n_rows: batch.n_rows as u64, fingerprint, body: of_body };
            let facts = facts_of(&table_def.paging, &page, root, rows)?;
            Ok(ConvertedPage { batch, facts })
        })
    });
    converted.unwrap_or_else(|fault| Err(page.not_json(&fault, &body)))
}
