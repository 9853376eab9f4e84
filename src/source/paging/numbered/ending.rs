//! Where numbered pages end: what the answers so far say about it, and what is still missing.

use super::state::{Last, NumberedPager, PageState, Totals, Unit};
use crate::source::page::{same_page_twice, too_many_pages, PageFailure};
use crate::source::Hole;
use crate::Result;

impl NumberedPager {
    /// Looks at the answered pages in order of their starts, as far as they reach.
    pub(super) fn settle(&mut self) -> Result<()> {
        let was_done = self.done;
        match self.needed_end().filter(|_| self.end.is_none()) {
            Some(needed) => self.settle_with_total(needed)?,
            None => self.settle_without_total()?,
        }
        if self.done && !was_done {
            self.compare_with_end();
        }
        let is_stuck = !self.done && self.n_in_flight == 0 && self.n_asked() > self.max_pages;
        if is_stuck {
            return Err(too_many_pages(self.max_pages));
        }
        Ok(())
    }

    fn settle_with_total(&mut self, needed: u64) -> Result<()> {
        while let Some((&start, &idx)) = self.by_start.range(self.settled_before..).next() {
            match &self.given[idx].state {
                PageState::InFlight => return Ok(()),
                PageState::Failed(PageFailure::Refused(_)) | PageState::Repeat(_) if self.lies_after_what_is_left(start) => break,
                // Rows that move may make a page what another one was.
                PageState::Repeat(_) if start < needed && self.moves.n_vanished() > 0 => {
                    self.moves.n_repeated += 1;
                    self.pass(idx);
                }
                PageState::Repeat(original) if start < needed => {
                    return Err(same_page_twice(&self.given[*original].key, &self.given[idx].key));
                }
                PageState::Failed(failure) if start < needed => return Err(failure.clone().into_error()),
                PageState::Rows { .. } | PageState::Empty { .. } => self.pass(idx),
                PageState::Overlap | PageState::Repeat(_) | PageState::Failed(_) => break,
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
            (Unit::Offset { limited: false, .. }, _, _) => needed.saturating_sub(self.next_start),
            _ => 0,
        };
        let last = self.by_start.last_key_value().map(|(_, &idx)| &self.given[idx].state);
        match last {
            _ if missing == 0 => Ok(true),
            Some(PageState::Failed(PageFailure::Refused(_))) if self.moves.n_vanished() >= missing => Ok(true),
            Some(PageState::Failed(PageFailure::Refused(_))) if missing < self.real_size.unwrap_or(self.page_size) => Ok(true),
            Some(PageState::Failed(failure)) => Err(failure.clone().into_error()),
            Some(PageState::Rows { .. }) => Ok(false),
            _ => Ok(true),
        }
    }

    /// Returns what the API told and did not give, for a warning: a total can be an estimate, or count what others may see.
    pub(super) fn told_shortfall(&self) -> Option<String> {
        let n_rows = self.n_rows_before + self.n_rows;
        let last_page = self.given.iter().filter(|page| page.n_rows > 0).map(|page| page.start + page.width).max().unwrap_or(0);
        let n_repeated = self.moves.n_repeated.saturating_mul(self.real_size.unwrap_or(self.page_size));
        let total_rows = self.total_rows.map(|rows| rows.saturating_sub(self.moves.n_vanished() + n_repeated));
        match (self.unit, total_rows, self.total_pages) {
            _ if !self.done => None,
            _ if self.totals == Totals::Ignored => Some(format!(
                "the total that the API tells counts the page, not all there is: {n_rows} rows came, and it is ignored; correct 'total_path' or leave it out"
            )),
            _ if self.unread_end.is_some() => {
                let err = self.unread_end.as_deref().unwrap_or_default();
                Some(format!("the page after the last one could not be read ({err}), and is taken for the end"))
            }
            _ if self.n_rows_beyond > 0 => {
                let n_beyond = self.n_rows_beyond;
                Some(format!("{n_beyond} rows on pages after one that looked like the last are left out"))
            }
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
        self.is_unlimited() && matches!(last, Some(PageState::Empty { .. }))
    }

    /// Looks for the end among the pages answered, in order. A short page is passed when the one after it has rows.
    fn settle_without_total(&mut self) -> Result<()> {
        let unsettled: Vec<usize> = self.by_start.range(self.settled_before..).map(|(_, &idx)| idx).collect();
        let mut short = None;
        for idx in unsettled {
            if self.end.is_some() {
                break;
            }
            if self.given[idx].is_hole {
                continue;
            }
            let start = self.given[idx].start;
            let may_end_before = short.is_some() || (self.totals == Totals::Doubted && idx > 0);
            let may_be_beyond = may_end_before || (self.probing && start > 0);
            match &self.given[idx].state {
                PageState::InFlight => return Ok(()),
                PageState::Empty { more: false } => self.end = Some(start),
                PageState::Failed(PageFailure::Refused(_)) | PageState::Repeat(_) if may_be_beyond => self.end = Some(start),
                PageState::Failed(PageFailure::Broken(err)) if may_end_before && self.looks_last(short) => {
                    self.unread_end = Some(err.message().to_string());
                    self.end = Some(start);
                }
                PageState::Failed(failure) => return Err(failure.clone().into_error()),
                PageState::Repeat(original) => return Err(same_page_twice(&self.given[*original].key, &self.given[idx].key)),
                PageState::Overlap => {}
                PageState::Empty { more: true } | PageState::Rows { .. } => {
                    let last = if let PageState::Rows { last } = self.given[idx].state { last } else { Last::No };
                    if let Some(short) = short.take() {
                        self.pass(short);
                    }
                    match last {
                        Last::No => self.pass(idx),
                        Last::Short if self.needs_look(idx) => short = Some(idx),
                        Last::Short | Last::Told => self.end = Some(start),
                    }
                }
            }
        }
        let Some(end) = self.end else { return Ok(()) };
        self.leave_out_after(end);
        self.done = self.n_in_flight == 0 && self.holes.is_empty();
        Ok(())
    }

    /// Returns whether a short page may be one in the middle, so that the page after it is asked for.
    pub(super) fn needs_look(&self, idx: usize) -> bool {
        let page = &self.given[idx];
        page.start > 0 || page.shows_more || page.n_rows.saturating_mul(2) >= self.real_size.unwrap_or(self.page_size)
    }

    /// Returns whether the pages end with one that is shorter than others: one that is as long as the longest is what this API gives of a page.
    fn looks_last(&self, short: Option<usize>) -> bool {
        short.is_none_or(|idx| self.given[idx].n_rows < self.most_rows)
    }

    /// Leaves out what came of the pages after the end.
    fn leave_out_after(&mut self, end: u64) {
        for &idx in self.by_start.range(end.saturating_add(1)..).map(|(_, idx)| idx) {
            let n_rows = std::mem::take(&mut self.given[idx].n_rows);
            self.n_rows -= n_rows;
            self.n_rows_beyond += n_rows;
        }
    }

    /// Returns whether the page of this ordinal lies after the end, or repeats one that was handed on before it: what came of it is left out. To
    /// be asked when all before it are answered.
    pub(super) fn lies_beyond(&self, ordinal: u64) -> bool {
        let Some(mut idx) = self.idx_of(ordinal) else { return false };
        while let PageState::Repeat(original) = self.given[idx].state {
            if original < idx {
                return true;
            }
            // A page that came before the one it repeats keeps the rows of both.
            idx = original;
        }
        self.end.is_some_and(|end| self.given[idx].start > end)
    }

    /// Notes that page `idx` is not the end.
    fn pass(&mut self, idx: usize) {
        let page = &self.given[idx];
        self.settled_before = match self.unit {
            Unit::Offset { limited: false, .. } => self.start_after(idx).max(page.start + 1),
            _ => page.start + page.width,
        };
        self.n_settled += u64::from(!page.is_hole);
        if let Some(hole) = self.held_back.take_if(|_| self.given[idx].is_stored) {
            self.holes.insert(hole.start, hole);
        }
        self.leave_hole(idx);
    }

    /// Plans to ask for the rows that a short page left out.
    pub(super) fn leave_hole(&mut self, idx: usize) {
        let page = &self.given[idx];
        let end = (page.start + page.width).min(self.total_rows.unwrap_or(u64::MAX));
        let start = page.start + page.n_rows;
        if self.is_limited() && !self.hides && !page.is_stored && page.n_rows > 0 && start < end {
            let hole = Hole { start, n_rows: end - start, tail: page.tail.clone() };
            self.holes.insert(start, hole);
        }
    }

    /// Returns whether all pages are answered, those that are read again included.
    pub(super) fn is_over(&self) -> bool {
        self.done && !self.moves.is_pending()
    }

    /// Returns how many pages there are in all, once that is known.
    pub(super) fn counted_pages(&self) -> Option<u64> {
        let needed = self.needed_end().filter(|_| !self.done);
        match self.unit {
            _ if self.done => Some(self.next_ordinal()),
            Unit::Page { .. } => needed,
            Unit::Offset { .. } => Some(needed?.div_ceil(self.real_size?.max(1))),
        }
    }
}
