//! Where numbered pages go on after a part of them was stored.

use super::state::{GivenPage, NumberedPager, PageState, Totals, Unit};
use crate::source::{Amount, Hole, PageKey, ResumePoint};
use crate::Result;

impl NumberedPager {
    /// Continues where an earlier pager was.
    pub(super) fn go_on(&mut self, point: &ResumePoint) -> Result<()> {
        let start = match (self.unit, &point.key) {
            (Unit::Page { first }, PageKey::Page(page)) => page.checked_sub(first),
            (Unit::Offset { first, .. }, PageKey::Offset { offset, limit: None }) => offset.checked_sub(first),
            _ => None,
        };
        let Some(start) = start else {
            return Err(point.not_of_strategy());
        };
        self.again = Some(start);
        self.next_start = start;
        self.settled_before = start;
        self.first_ordinal = point.ordinal.saturating_sub(1);
        self.n_rows_before = point.n_rows;
        // What the first page teaches, it teaches again.
        self.real_size = point.page_size.filter(|_| start > 0 || point.hides);
        self.hides = point.hides;
        let (held_back, holes): (Vec<&Hole>, Vec<&Hole>) = point.holes.iter().partition(|hole| hole.start > start);
        self.held_back = held_back.first().copied().cloned();
        self.holes = holes.into_iter().map(|hole| (hole.start, hole.clone())).collect();
        self.told_before = point.told;
        self.most_rows = point.most_rows;
        self.moves.resume(point);
        Ok(())
    }

    /// Returns where to continue when all pages up to `ordinal` (included) are stored and no other is.
    pub(super) fn point_after(&mut self, ordinal: u64) -> Option<ResumePoint> {
        let n_stored = usize::try_from((ordinal + 1).checked_sub(self.first_ordinal)?).ok()?;
        let is_answered = !matches!(self.given.get(n_stored.checked_sub(1)?)?.state, PageState::InFlight);
        if !is_answered || (self.is_over() && n_stored == self.given.len()) {
            return None;
        }
        for idx in self.counted.n_pages..n_stored {
            self.counted.n_pages += 1;
            self.counted.n_rows += self.given[idx].n_rows;
            self.counted.n_repeats += u64::from(matches!(self.given[idx].state, PageState::Repeat(_)));
            self.counted.last_idx = if self.given[idx].is_hole { self.counted.last_idx } else { Some(idx) };
        }
        let last = &self.given[self.counted.last_idx?];
        Some(ResumePoint {
            ordinal: ordinal + 1,
            key: match self.unit {
                Unit::Page { first } => PageKey::Page(first + last.start),
                Unit::Offset { first, .. } => PageKey::Offset { offset: first.saturating_add(last.start), limit: None },
            },
            n_rows: (self.n_rows_before + self.counted.n_rows).saturating_sub(last.n_rows),
            page_size: self.real_size,
            hides: self.hides,
            holes: self.holes_after(n_stored, last),
            stored: Some(last.print),
            shrinks: self.moves.shrinks_after(n_stored),
            lacking: self.moves.lacking(),
            n_repeated: self.moves.n_repeated_before + self.counted.n_repeats,
            told: match self.totals {
                Totals::Trusted => Amount { rows: self.total_rows, pages: self.total_pages },
                Totals::Doubted | Totals::Ignored => Amount::default(),
            },
            most_rows: self.most_rows,
            job: None,
        })
    }

    /// Returns the parts before the end of `last` that are missing when the first `n_stored` pages are stored.
    fn holes_after(&self, n_stored: usize, last: &GivenPage) -> Vec<Hole> {
        if !self.is_limited() || self.hides {
            return Vec::new();
        }
        let mut holes = self.holes.clone();
        // Holes are given out in the order of their positions, so those that are not stored are among the last.
        let hole = |start: u64, n_rows: u64, tail: &[u64]| (start, Hole { start, n_rows, tail: tail.to_vec() });
        let given = self.given[n_stored..].iter().filter(|page| page.is_hole && !page.is_again);
        holes.extend(given.map(|page| hole(page.start, page.width, &page.tail_before)));
        let is_short = |page: &&GivenPage| !page.is_stored && page.n_rows > 0 && page.n_rows < page.width;
        let unsettled = self.by_start.range(self.settled_before..).map(|(_, &idx)| idx).filter(|&idx| idx < n_stored);
        let short = unsettled.map(|idx| &self.given[idx]).filter(is_short);
        holes.extend(short.map(|page| hole(page.start + page.n_rows, page.width - page.n_rows, &page.tail)));
        let end = last.start + last.width;
        holes.into_values().filter(|hole| hole.start < end).collect()
    }
}
