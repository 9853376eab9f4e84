//! Tells when rows moved while pages of a set were asked for side by side: one may have gone from a page that was read late to one that was
//! read early, and be on neither. Rows that vanish, which move others back, are the pager's to tell.
//!
//! A row that comes before the others moves each of them on. Of two neighbouring pages, the later one then begins with a record of the
//! earlier one if it was read after the move and the other before it; read the other way round, they lack a record together. The first page is
//! read first, so that wherever a record is lacking, a pair of pages before it has one twice.

use crate::source::PagePosition;
use crate::spec::TableDef;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// Returns whether pages of the table can be asked for side by side, and a key takes back a record that comes twice.
pub fn may_shift(table_def: &TableDef) -> bool {
    table_def.paging.is_side_by_side() && !table_def.key_columns.is_empty()
}

/// Compares each page with its neighbours.
#[derive(Debug, Default)]
pub struct Shifts {
    /// Hashes of the records of pages that have a neighbour to come, by their number.
    records: BTreeMap<u64, Vec<u64>>,
    /// The numbers of pages that have neighbours, by ordinal: pages that are read again have none.
    numbers: BTreeMap<u64, u64>,
    /// The number of the page that is asked for next.
    n_asked: u64,
}

impl Shifts {
    /// Notes that a page is asked for that comes after those before.
    pub fn asked(&mut self, position: &PagePosition) {
        self.numbers.insert(position.ordinal, self.n_asked);
        self.n_asked += 1;
    }

    /// Compares a page with those beside it. Fails with [`ErrorKind::RowsMoved`] when one begins with a record of the other, unless all
    /// pages after them are still to be asked for: these will be read after the move.
    pub fn answered(&mut self, position: &PagePosition, records: Vec<u64>) -> Result<()> {
        // A part of a page is asked for after the pages around it.
        if position.key.is_part() {
            return Ok(());
        }
        let has_shifted = |before: Option<&Vec<u64>>, after: Option<&Vec<u64>>| match (before, after.and_then(|records| records.first())) {
            (Some(before), Some(first)) => before.contains(first),
            _ => false,
        };
        let Some(&number) = self.numbers.get(&position.ordinal) else { return Ok(()) };
        let before = number.checked_sub(1).and_then(|before| self.records.get(&before));
        let after = self.records.get(&(number + 1));
        let moved_before = has_shifted(before, Some(&records)) && self.n_asked > number + 1;
        let moved_after = has_shifted(Some(&records), after) && self.n_asked > number + 2;
        if moved_before || moved_after {
            return Err(Error::new(
                ErrorKind::RowsMoved,
                "rows moved at the source while pages were read side by side; now one page is read after the other",
            ));
        }
        self.records.insert(number, records);
        Ok(())
    }

    /// Forgets pages whose neighbours have come: all before the one that is handed on next, but the last.
    pub fn handed_on(&mut self, next: u64) {
        self.numbers = self.numbers.split_off(&next);
        let next = self.numbers.first_key_value().map_or(self.n_asked, |(_, number)| *number);
        self.records = self.records.split_off(&next.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::PageKey;
    use proptest::prelude::*;

    fn position(ordinal: u64) -> PagePosition {
        PagePosition { ordinal, key: PageKey::Page(ordinal + 1) }
    }

    /// Asks for all pages at once after the first one and returns whether a move was seen. Page `p` is read before or after a row came.
    fn sees_move(is_after: &[bool]) -> bool {
        const SIZE: u64 = 3;
        let mut shifts = Shifts::default();
        (0..is_after.len() as u64).for_each(|ordinal| shifts.asked(&position(ordinal)));
        let read = |(page, is_after): (usize, &bool)| {
            let first = page as u64 * SIZE + u64::from(!is_after);
            shifts.answered(&position(page as u64), (first..first + SIZE).collect())
        };
        is_after.iter().enumerate().map(read).any(|outcome| outcome.is_err())
    }

    #[test]
    fn pages_without_a_common_record_are_fine() {
        assert!(!sees_move(&[false, false, false]));
    }

    #[test]
    fn what_is_asked_for_after_the_move_is_fine() {
        let mut shifts = Shifts::default();
        for (ordinal, records) in [(0, vec![1, 2]), (1, vec![2, 3]), (2, vec![4, 5])] {
            shifts.asked(&position(ordinal));
            shifts.answered(&position(ordinal), records).unwrap();
        }
    }

    #[test]
    fn parts_of_pages_are_not_compared() {
        let mut shifts = Shifts::default();
        (0..3).for_each(|ordinal| shifts.asked(&position(ordinal)));
        shifts.answered(&position(0), vec![1, 2]).unwrap();
        shifts.answered(&PagePosition { ordinal: 1, key: PageKey::Offset { offset: 2, limit: Some(1) } }, vec![2]).unwrap();
    }

    proptest! {
        /// The law: where a row is lacking, the move is seen, in whatever order pages are read after the first one.
        #[test]
        fn no_row_is_lacking_unseen(later in prop::collection::vec(any::<bool>(), 1..12)) {
            let is_after: Vec<bool> = std::iter::once(false).chain(later).collect();
            let lacks = is_after.windows(2).any(|pair| pair[0] && !pair[1]);
            prop_assert!(!lacks || sees_move(&is_after));
        }
    }
}
