//! How much a page may become: its cells, told before they are built, and its rows while they are.

use super::builder::ColumnBuilder;
use crate::document::too_much;
use crate::{Error, Result};

/// What a cell takes: most are numbers or short texts, and each says whether it is null.
const CELL: u64 = 9;
/// The most rows between two looks at what there is.
const MOST_ROWS: usize = 1024;
/// What a field takes that becomes no column.
const FIELD: u64 = 256;

/// Fails when the rows of a page would have more cells than memory may hold. Cells without a value count: a column has one for each row.
pub(super) fn check_cells(n_rows: usize, n_columns: usize, most: u64) -> Result<()> {
    let n_bytes = (n_rows as u64).saturating_mul(n_columns as u64).saturating_mul(CELL);
    if n_bytes <= most {
        return Ok(());
    }
    let said = too_much(&format!("{n_rows} rows of {n_columns} columns"), n_bytes, most);
    Err(Error::data(format!("{said}, or choose columns with 'select' in the table's spec")))
}

/// Fails when a page has more fields than memory may hold, whether they become columns or not.
pub(super) fn check_fields(n_fields: usize, most: u64) -> Result<()> {
    let n_bytes = (n_fields as u64).saturating_mul(FIELD);
    match n_bytes <= most {
        true => Ok(()),
        false => Err(Error::data(too_much(&format!("{n_fields} fields of different names"), n_bytes, most))),
    }
}

/// Looks at the rows built so far, the more often the faster they grow: what stands above the records is copied to each row.
#[derive(Debug)]
pub(super) struct RowBound {
    most: u64,
    n_bytes: u64,
    seen_at: usize,
    next: usize,
}

impl RowBound {
    pub(super) fn new(most: u64) -> RowBound {
        RowBound { most, n_bytes: 0, seen_at: 0, next: 1 }
    }

    /// Looks at the first `n_rows` rows and at the next one, since those that follow may be longer.
    pub(super) fn expect_other_rows(&mut self, n_rows: usize, builders: &[ColumnBuilder]) -> Result<()> {
        self.look(n_rows, builders)?;
        self.next = n_rows + 1;
        Ok(())
    }

    /// Fails when the first `n_rows` rows take more than they may.
    #[inline]
    pub(super) fn check(&mut self, n_rows: usize, builders: &[ColumnBuilder]) -> Result<()> {
        if n_rows < self.next {
            return Ok(());
        }
        self.look(n_rows, builders)
    }

    fn look(&mut self, n_rows: usize, builders: &[ColumnBuilder]) -> Result<()> {
        let n_bytes = builders.iter().map(|builder| builder.approximate_bytes() as u64).sum();
        if n_bytes > self.most {
            let said = too_much(&format!("{n_rows} of its rows"), n_bytes, self.most);
            return Err(Error::data(format!("{said}, or choose columns with 'select' in the table's spec")));
        }
        let n_new = n_rows.saturating_sub(self.seen_at).max(1) as u64;
        let per_row = (n_bytes.saturating_sub(self.n_bytes) / n_new).max(1);
        let n_left = usize::try_from((self.most - n_bytes) / per_row / 2).unwrap_or(MOST_ROWS);
        (self.n_bytes, self.seen_at) = (n_bytes, n_rows);
        self.next = n_rows + n_left.clamp(1, MOST_ROWS);
        Ok(())
    }
}
