//! Where numbered pages end: what the answers so far say about it, and what is still missing.

use super::super::{same_page_twice, too_many_pages, PageFailure};
use super::{NumberedPager, PageState, Unit};
use crate::Result;

impl NumberedPager {
    /// Looks at the answered pages in order of their starts, as far as they reach.
    pub(super) fn settle(&mut self) -> Result<()> {
        match self.needed_end() {
            Some(needed) => self.settle_with_total(needed)?,
            None => self.settle_without_total()?,
        }
        let is_stuck = !self.done && self.n_in_flight == 0 && self.next_ordinal() > self.max_pages;
        if is_stuck {
            return Err(too_many_pages(self.max_pages));
        }
        Ok(())
    }

    fn settle_with_total(&mut self, needed: u64) -> Result<()> {
        while let Some((&start, &idx)) = self.by_start.range(self.settled_before..).next() {
            match &self.given[idx].state {
                PageState::InFlight => return Ok(()),
                PageState::Repeat(original) if start < needed => {
                    return Err(same_page_twice(&self.given[*original].key, &self.given[idx].key));
                }
                PageState::Failed(failure) if start < needed => return Err(failure.clone().into_error()),
                PageState::Rows { .. } | PageState::Empty { .. } => self.pass(idx),
                PageState::Repeat(_) | PageState::Failed(_) => break,
            }
        }
        if self.n_in_flight > 0 || !self.holes.is_empty() || self.next_start < needed && !self.is_exhausted() {
            return Ok(());
        }
        self.done = self.has_all(needed)?;
        Ok(())
    }

    /// Returns whether the pages the total asks for were all of it.
    fn has_all(&self, needed: u64) -> Result<bool> {
        let missing = match (self.unit, self.total_rows, self.total_pages) {
            (Unit::Page { .. }, Some(rows), None) => rows.saturating_sub(self.n_rows_before + self.n_rows),
            (Unit::Offset { limited: false }, _, _) => needed.saturating_sub(self.next_start),
            _ => 0,
        };
        let last = self.by_start.last_key_value().map(|(_, &idx)| &self.given[idx].state);
        match last {
            _ if missing == 0 => Ok(true),
            Some(PageState::Failed(PageFailure::Refused(_))) if missing < self.real_size.unwrap_or(self.page_size) => Ok(true),
            Some(PageState::Failed(failure)) => Err(failure.clone().into_error()),
            Some(PageState::Rows { .. }) => Ok(false),
            _ => Ok(true),
        }
    }

    /// Returns what the API told and did not give, for a warning: a total can be an estimate, or count what others may see.
    pub(in super::super) fn shortfall(&self) -> Option<String> {
        let n_rows = self.n_rows_before + self.n_rows;
        let last_page = self.given.iter().filter(|page| page.n_rows > 0).map(|page| page.start + page.width).max().unwrap_or(0);
        match (self.unit, self.total_rows, self.total_pages) {
            _ if !self.done => None,
            (_, Some(total), _) if n_rows < total => Some(format!("the API told {total} rows and gave {n_rows}")),
            (Unit::Page { .. }, None, Some(total)) if last_page < total => {
                Some(format!("the API told {total} pages and gave no rows after page {last_page} of them"))
            }
            _ => None,
        }
    }

    /// Returns whether offsets cannot go on, because the last answer had no row to step over.
    fn is_exhausted(&self) -> bool {
        let last = self.by_start.last_key_value().map(|(_, &idx)| &self.given[idx].state);
        matches!(self.unit, Unit::Offset { limited: false }) && matches!(last, Some(PageState::Empty { .. }))
    }

    fn settle_without_total(&mut self) -> Result<()> {
        let mut n_passed = 0;
        let mut has_end_mark = false;
        let unsettled: Vec<usize> = self.by_start.range(self.settled_before..).map(|(_, &idx)| idx).collect();
        for (position, &idx) in unsettled.iter().enumerate() {
            let is_second = self.probing && self.given[idx].start > 0;
            match &self.given[idx].state {
                PageState::InFlight => break,
                PageState::Empty { more: false } => has_end_mark = true,
                PageState::Failed(PageFailure::Refused(_)) | PageState::Repeat(_) if has_end_mark || is_second => has_end_mark = true,
                PageState::Failed(_) if has_end_mark => {}
                PageState::Failed(failure) => return Err(failure.clone().into_error()),
                PageState::Repeat(original) => return Err(same_page_twice(&self.given[*original].key, &self.given[idx].key)),
                PageState::Rows { last } => {
                    has_end_mark = *last;
                    n_passed = position + usize::from(!*last);
                }
                PageState::Empty { more: true } => {
                    has_end_mark = false;
                    n_passed = position + 1;
                }
            }
        }
        for &idx in &unsettled[..n_passed] {
            match &self.given[idx].state {
                PageState::Failed(failure) => return Err(failure.clone().into_error()),
                PageState::Repeat(original) => return Err(same_page_twice(&self.given[*original].key, &self.given[idx].key)),
                _ => self.pass(idx),
            }
        }
        self.done = has_end_mark && self.n_in_flight == 0 && self.holes.is_empty();
        Ok(())
    }

    /// Notes that page `idx` is not the end.
    fn pass(&mut self, idx: usize) {
        let page = &self.given[idx];
        self.settled_before = match self.unit {
            Unit::Offset { limited: false } => page.start + page.n_rows.max(1),
            _ => page.start + page.width,
        };
        self.n_settled += 1;
        self.leave_hole(idx);
    }

    /// Plans to ask for the rows that a short page left out.
    pub(super) fn leave_hole(&mut self, idx: usize) {
        let page = &self.given[idx];
        let end = (page.start + page.width).min(self.total_rows.unwrap_or(u64::MAX));
        let start = page.start + page.n_rows;
        if self.unit == (Unit::Offset { limited: true }) && !page.is_stored && page.n_rows > 0 && start < end {
            self.holes.insert(start, end - start);
        }
    }
}
