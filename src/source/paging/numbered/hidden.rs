//! Pages by offset that are short because the API hides rows.
//!
//! Where offsets count hidden rows, too, a short page is complete, and what is asked for right after its rows are rows of it once more. Where
//! the API gave fewer rows than were asked for, they are the missing ones. The records tell which: both begin where the short page ends.

use super::state::{GivenPage, NumberedPager, PageState, Unit};
use crate::source::PageFacts;

impl NumberedPager {
    /// Returns whether the records of page `idx` are in part those of the short page before it.
    pub(super) fn overlaps(&self, idx: usize, facts: &PageFacts) -> bool {
        let page = &self.given[idx];
        let limited = match self.unit {
            Unit::Page { .. } => return false,
            Unit::Offset { limited, .. } => limited,
        };
        if page.is_hole {
            return ends_with(&page.tail_before, &facts.records);
        }
        if limited && !(self.is_alone && idx > 0) {
            return false;
        }
        self.short_before(idx).is_some_and(|(short, n_missing)| {
            if self.is_alone {
                return has_part(&short.tail, &facts.records);
            }
            let n_most = usize::try_from(n_missing).unwrap_or(usize::MAX).min(facts.records.len());
            (1..=n_most).any(|n_records| ends_with(&short.tail, &facts.records[..n_records]))
        })
    }

    /// Takes back that page `idx` was asked for: its records are there, or come with the page after the short one.
    pub(super) fn note_overlap(&mut self, idx: usize) {
        let page = &mut self.given[idx];
        page.state = PageState::Overlap;
        let (start, is_hole) = (page.start, page.is_hole);
        self.by_start.remove(&start);
        self.holes.clear();
        self.hides = true;
        if let (false, Some(before)) = (is_hole, self.before(idx)) {
            self.given[before].width = self.page_size;
            self.real_size = Some(self.page_size);
            self.next_start = self.given[before].start.saturating_add(self.page_size);
        }
    }

    /// Returns where the page after page `idx` starts when a request cannot say how many rows it wants.
    pub(super) fn start_after(&self, idx: usize) -> u64 {
        let page = &self.given[idx];
        match page.state {
            PageState::Overlap => self.next_start,
            _ if self.hides => page.start.saturating_add(page.width.max(page.n_rows)),
            _ => page.start.saturating_add(page.n_rows),
        }
    }

    /// Returns the page before page `idx` when it has fewer rows than pages have, and how many it lacks.
    fn short_before(&self, idx: usize) -> Option<(&GivenPage, u64)> {
        let short = &self.given[self.before(idx)?];
        let full = if self.is_alone { self.page_size } else { self.real_size.unwrap_or(0).max(self.most_rows) };
        let is_short = short.n_rows > 0 && short.n_rows < full;
        is_short.then(|| (short, self.page_size.saturating_sub(short.n_rows)))
    }

    /// Returns the page whose rows page `idx` may have again.
    fn before(&self, idx: usize) -> Option<usize> {
        if self.is_alone {
            return Some(0).filter(|_| idx > 0);
        }
        self.by_start.range(..self.given[idx].start).next_back().map(|(_, &before)| before)
    }
}

/// Returns whether a page that ends with the records `tail` ends with `records`, as far as both are known.
fn ends_with(tail: &[u64], records: &[u64]) -> bool {
    let n_compared = records.len().min(tail.len());
    n_compared > 0 && tail[tail.len() - n_compared..] == records[records.len() - n_compared..]
}

/// Returns whether `records` begin with ones in the midst of a page's, and go on as they do as far as both reach.
fn has_part(page: &[u64], records: &[u64]) -> bool {
    (0..page.len()).any(|start| {
        let n_compared = records.len().min(page.len() - start);
        n_compared > 0 && page[start..start + n_compared] == records[..n_compared]
    })
}
