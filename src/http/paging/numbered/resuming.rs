//! Where numbered pages go on after a part of them was stored.

use super::super::{PageKey, ResumePoint};
use super::{GivenPage, NumberedPager, PageState, Unit};
use crate::{Error, Result};

impl NumberedPager {
    pub(in super::super) fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        let start = match (self.unit, &point.key) {
            (Unit::Page { first }, PageKey::Page(page)) => page.checked_sub(first),
            (Unit::Offset { .. }, PageKey::Offset { offset, limit: None }) => Some(*offset),
            _ => None,
        };
        let Some(start) = start else {
            return Err(Error::config(format!("'{}' is no place of this paging strategy; reload the table", point.key.to_text())));
        };
        self.again = Some(start);
        self.next_start = start;
        self.settled_before = start;
        self.first_ordinal = point.ordinal.saturating_sub(1);
        self.n_rows_before = point.n_rows;
        // What the first page teaches, it teaches again.
        self.real_size = point.page_size.filter(|_| start > 0);
        self.holes = point.holes.iter().copied().collect();
        Ok(())
    }

    pub(in super::super) fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        let n_stored = usize::try_from((ordinal + 1).checked_sub(self.first_ordinal)?).ok()?;
        let is_answered = !matches!(self.given.get(n_stored.checked_sub(1)?)?.state, PageState::InFlight);
        if !is_answered || (self.done && n_stored == self.given.len()) {
            return None;
        }
        for idx in self.counted.n_pages..n_stored {
            self.counted.n_pages += 1;
            self.counted.n_rows += self.given[idx].n_rows;
            self.counted.last_idx = if self.given[idx].is_hole { self.counted.last_idx } else { Some(idx) };
        }
        let last = &self.given[self.counted.last_idx?];
        Some(ResumePoint {
            ordinal: ordinal + 1,
            key: match self.unit {
                Unit::Page { first } => PageKey::Page(first + last.start),
                Unit::Offset { .. } => PageKey::Offset { offset: last.start, limit: None },
            },
            n_rows: (self.n_rows_before + self.counted.n_rows).saturating_sub(last.n_rows),
            page_size: self.real_size,
            holes: self.holes_after(n_stored, last),
            stored: Some(last.print),
        })
    }

    /// Returns the parts before the end of `last` that are missing when the first `n_stored` pages are stored.
    fn holes_after(&self, n_stored: usize, last: &GivenPage) -> Vec<(u64, u64)> {
        if self.unit != (Unit::Offset { limited: true }) {
            return Vec::new();
        }
        let mut holes = self.holes.clone();
        // Holes are given out in the order of their places, so those that are not stored are among the last.
        holes.extend(self.given[n_stored..].iter().filter(|page| page.is_hole).map(|page| (page.start, page.width)));
        let is_short = |page: &&GivenPage| !page.is_stored && page.n_rows > 0 && page.n_rows < page.width;
        let unsettled = self.by_start.range(self.settled_before..).map(|(_, &idx)| idx).filter(|&idx| idx < n_stored);
        let short = unsettled.map(|idx| &self.given[idx]).filter(is_short);
        holes.extend(short.map(|page| (page.start + page.n_rows, page.width - page.n_rows)));
        let end = last.start + last.width;
        holes.into_iter().filter(|(start, _)| *start < end).collect()
    }
}
