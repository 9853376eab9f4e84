//! A page is converted once, but for the rare one whose columns prove to be others than those it began with.

use super::flatten::{FlatPage, Flattened, Flattener};
use super::plan::RowPlan;
use super::types::TableSchema;
use crate::{Error, Result};
use std::borrow::Cow;

/// Converts what `fill` pushes, with the columns of `schema` and capacity for `n_rows`.
pub(super) fn flattened<'p, 'd>(
    plan: &'p RowPlan,
    schema: &TableSchema,
    n_rows: usize,
    fill: impl Fn(&mut Flattener<'p, 'd>) -> Result<()>,
) -> Result<FlatPage> {
    let mut schema = Cow::Borrowed(schema);
    let (mut waits, mut is_wider) = (false, false);
    loop {
        let mut flattener = Flattener::new(plan, &schema, n_rows, waits);
        let filled = match flattener.named.has_rivals {
            true => Ok(()),
            false => fill(&mut flattener),
        };
        // A value may misfit a column which is that of another field.
        let may_be_rivals = flattener.named.has_rivals || (filled.is_err() && !flattener.named.is_empty());
        if may_be_rivals && !waits {
            waits = true;
            continue;
        }
        filled?;
        match flattener.finish()? {
            Flattened::Page(page) => return Ok(page),
            Flattened::Again(_) if is_wider => return Err(Error::internal("a page does not fit the columns it was converted to")),
            // With the types that the page takes from its first value on, each value is written as it came.
            Flattened::Again(wider) => (schema, is_wider) = (Cow::Owned(wider), true),
        }
    }
}
