//! Rows that vanish at the source while pages are read: those after them move back, from a page that is still to be read onto one that was
//! read, and would be on neither.
//!
//! The totals that answers tell show it: of two neighbouring pages the later one tells less. Then the earlier one is read again, and those
//! before it as far as rows can have moved by then. They are read one after the other, beginning at the later page, so that a row that moves
//! on meanwhile is met on the way. A page that is as it was ends that: nothing before its end has moved.

use super::moves::{Step, Suspect};
use super::state::{NumberedPager, PageState, Totals, Unit};
use crate::source::{PageFacts, PagePosition, PageVerdict, Shrink, Vanishing};
use crate::Result;

/// Pages that are read again in any case. Beyond that, no more than there are pages: where rows vanish faster than that, it is given up.
const MOST_AGAIN: u64 = 8;

impl NumberedPager {
    /// Returns how many rows there are, as an answer tells; `None` where it does not, or counts something else.
    fn told_rows(&self, facts: &PageFacts) -> Option<u64> {
        let is_watched = self.moves.vanishing != Vanishing::Ignored && self.totals == Totals::Trusted;
        facts.total_rows.filter(|rows| is_watched && *rows >= facts.n_rows)
    }

    /// Returns whether a total and the rows before its page are together what they were at first: totals may count what is left.
    fn fits_rest(&mut self, told: u64, start: u64) -> bool {
        let with_rows_before = told.saturating_add(start.saturating_mul(self.rows_per_start()));
        let Some(first) = self.moves.first else {
            self.moves.first = Some(with_rows_before);
            return false;
        };
        start > 0 && first == with_rows_before
    }

    fn rows_per_start(&self) -> u64 {
        match self.unit {
            Unit::Page { .. } => self.real_size.unwrap_or(self.page_size),
            Unit::Offset { .. } => 1,
        }
    }

    /// Compares what is told with page `idx` and with its neighbours.
    pub(super) fn compare_totals(&mut self, idx: usize, facts: &PageFacts) {
        let Some(told) = self.told_rows(facts) else { return };
        self.given[idx].told = Some(told);
        let start = self.given[idx].start;
        let is_first = self.moves.first.is_none();
        let fits_rest = self.fits_rest(told, start);
        self.moves.misfits |= !fits_rest && !is_first && start > 0;
        let counted_rest = self.moves.counts_rest;
        self.moves.counts_rest &= fits_rest;
        if !fits_rest {
            self.moves.hears(told);
        }
        if self.moves.counts_rest || self.moves.lacking.is_some() || self.by_start.get(&start) != Some(&idx) {
            return;
        }
        let pages: Vec<usize> = match counted_rest {
            // The totals do tell how many rows there are: all pages are compared.
            true => self.by_start.values().copied().collect(),
            false => {
                let before = self.by_start.range(..start).next_back();
                let after = self.by_start.range(start..).take(2);
                before.into_iter().chain(after).map(|(_, &page)| page).collect()
            }
        };
        pages.windows(2).for_each(|pair| self.compare_pair(pair[0], pair[1]));
        self.give_up_where_endless(idx);
    }

    /// Looks whether the later of two neighbouring pages told less than the earlier one.
    fn compare_pair(&mut self, earlier: usize, later: usize) {
        if let (Some(before), Some(after)) = (self.given[earlier].told, self.given[later].told) {
            let shrink = Shrink { start: self.given[later].start, before, after };
            if after < before {
                self.moves.suspects.push(Suspect::new(shrink, earlier.max(later)));
            }
        }
    }

    /// Compares what is told with the last page that has rows with what was told last: pages after the end may tell nothing.
    pub(super) fn compare_with_end(&mut self) {
        let Some(latest) = self.moves.told.map(|told| told.latest) else { return };
        let pages: Vec<usize> = self.by_start.values().copied().collect();
        for (earlier, later) in pages.iter().copied().zip(pages.iter().copied().skip(1)) {
            let is_untold = self.given[later].told.is_none() && self.given[later].n_rows == 0;
            if let Some(before) = self.given[earlier].told.filter(|before| is_untold && *before > latest) {
                let shrink = Shrink { start: self.given[later].start, before, after: latest };
                self.moves.suspects.push(Suspect::new(shrink, earlier.max(later)));
            }
        }
    }

    /// Returns the next page to read again.
    pub(super) fn next_again(&mut self) -> Option<PagePosition> {
        // The page that tells where a resumed load goes on comes first.
        if self.again.is_some() || self.real_size.is_none() {
            return None;
        }
        let width = self.width();
        let end = self.moves.told.map_or(u64::MAX, |told| self.end_of(told.fewest));
        let (idx, again) = (self.given.len(), self.moves.suspects.iter_mut());
        let suspect = again.into_iter().find(|suspect| matches!(suspect.step, Step::Back | Step::Forth))?;
        let start = match suspect.step {
            Step::Forth => suspect.shrink.start,
            _ => {
                suspect.reached = suspect.reached.min(end.max(width)).saturating_sub(width);
                suspect.reached
            }
        };
        suspect.step = Step::InFlight(idx);
        self.moves.n_again += 1;
        let position = self.add(start, width, true);
        if let Some(page) = self.given.last_mut() {
            page.is_again = true;
        }
        Some(position)
    }

    /// Takes a page that was read again. Its rows are kept unless it is as it was.
    pub(super) fn answered_again(&mut self, idx: usize, facts: &PageFacts) -> Result<PageVerdict> {
        self.given[idx].state = PageState::Overlap;
        let is_told_only = self.moves.vanishing == Vanishing::Told;
        let is_as_it_was = self.is_as_it_was(idx);
        // A page that is refused, or empty without a total, starts after all rows that are left.
        let most_left = self.given[idx].start.saturating_mul(self.rows_per_start()).min(self.moves.fewest());
        let told = self.told_rows(facts).or(Some(most_left).filter(|_| facts.n_rows == 0));
        let asked = self.moves.suspects.iter().position(|suspect| suspect.step == Step::InFlight(idx));
        if let Some(shrink) = asked.map(|asked| self.moves.suspects[asked].shrink) {
            if is_as_it_was {
                self.moves.counts_rest |= self.fits_rest(shrink.after, shrink.start) && !self.moves.misfits;
            } else {
                self.moves.n_moved += 1;
                // Where a page has moved, totals that seem to count what is left do not.
                [Some(shrink.after), told].into_iter().flatten().for_each(|told| self.moves.hears(told));
            }
        }
        let (rows_per_start, told) = (self.rows_per_start(), told.unwrap_or(self.moves.fewest()));
        if let Some(Suspect { shrink, reached, step, .. }) = asked.and_then(|asked| self.moves.suspects.get_mut(asked)) {
            let n_again = shrink.start.saturating_sub(*reached).saturating_mul(rows_per_start);
            let is_all = *reached == 0 || n_again >= shrink.before.saturating_sub(told);
            *step = match is_as_it_was || is_told_only {
                true => Step::Over(idx),
                false if told > shrink.after => Step::Forth,
                false if is_all => Step::Over(idx),
                false => Step::Back,
            };
            shrink.after = shrink.after.max(told);
        }
        if is_told_only && !is_as_it_was {
            self.moves.give_up(idx);
        }
        self.give_up_where_endless(idx);
        self.settle()?;
        let brings_rows = !is_as_it_was && !is_told_only && facts.n_rows > 0;
        Ok(if brings_rows { PageVerdict::Keep } else { PageVerdict::Beyond })
    }

    /// Returns whether page `idx` has the rows that it had when it was read first.
    fn is_as_it_was(&self, idx: usize) -> bool {
        let page = &self.given[idx];
        let first = self.by_start.get(&page.start).map(|&first| &self.given[first]);
        first.is_some_and(|first| {
            first.width == page.width
                && !matches!(first.state, PageState::InFlight | PageState::Failed(_))
                && first.print.is_same(page.print)
        })
    }

    /// Gives up where pages that are read again show again and again that more is to be read.
    fn give_up_where_endless(&mut self, idx: usize) {
        let n_pages_before = self.n_rows_before.div_ceil(self.real_size.unwrap_or(self.page_size).max(1));
        if self.moves.n_again >= MOST_AGAIN.max(n_pages_before + self.n_regular) && self.moves.is_pending() {
            self.moves.give_up(idx);
        }
    }

    /// Returns whether a page starts after all rows that are left, as the totals tell.
    pub(super) fn lies_after_what_is_left(&self, start: u64) -> bool {
        self.moves.told.is_some_and(|told| told.latest < told.most && start >= self.end_of(told.latest))
    }

    /// Returns the first start after this many rows.
    fn end_of(&self, n_rows: u64) -> u64 {
        match self.unit {
            Unit::Page { .. } => n_rows.div_ceil(self.real_size.unwrap_or(self.page_size).max(1)),
            Unit::Offset { .. } => n_rows,
        }
    }
}
