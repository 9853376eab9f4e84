//! Which numbered pages may be asked for now.

use super::state::{GivenPage, Last, NumberedPager, PageState, Totals, Unit};
use crate::source::{PageKey, PagePosition, PagePrint};

/// Most pages asked for beyond those answered while the end is unknown.
const MAX_WINDOW: u64 = 64;

impl NumberedPager {
    /// Returns a page to ask for now, in flight from then on.
    pub(super) fn give_next(&mut self) -> Option<PagePosition> {
        if let Some(position) = self.next_again() {
            return Some(position);
        }
        if self.done || self.n_asked() > self.max_pages {
            return None;
        }
        let again = self.again.take();
        if again.is_none() {
            // A page size that is to be learnt is learnt from a page, not from a part of one.
            if let Some((start, hole)) = self.real_size.and_then(|_| self.holes.pop_first()) {
                let position = self.give(start, hole.n_rows, true);
                if let Some(page) = self.given.last_mut() {
                    page.tail_before = hole.tail;
                }
                return Some(position);
            }
            if !self.may_ask_next() {
                return None;
            }
        }
        let (start, width) = (self.next_start, self.width());
        self.next_start = start.saturating_add(width);
        let position = self.give(start, width, false);
        if let (Some(_), Some(page)) = (again, self.given.last_mut()) {
            page.is_stored = true;
        }
        Some(position)
    }

    fn give(&mut self, start: u64, width: u64, is_hole: bool) -> PagePosition {
        self.by_start.insert(start, self.given.len());
        self.n_regular += u64::from(!is_hole);
        self.add(start, width, is_hole)
    }

    /// Adds a page that is in flight from now on.
    pub(super) fn add(&mut self, start: u64, width: u64, is_hole: bool) -> PagePosition {
        let key = match self.unit {
            Unit::Page { first } => PageKey::Page(first.saturating_add(start)),
            Unit::Offset { first, limited } => {
                let limit = Some(width).filter(|width| limited && *width < self.page_size);
                PageKey::Offset { offset: first.saturating_add(start), limit }
            }
        };
        let ordinal = self.next_ordinal();
        self.given.push(GivenPage {
            start,
            width,
            is_hole,
            is_stored: false,
            is_again: false,
            key: key.clone(),
            n_rows: 0,
            shows_more: false,
            print: PagePrint::default(),
            tail: Vec::new(),
            tail_before: Vec::new(),
            told: None,
            state: PageState::InFlight,
        });
        self.n_in_flight += 1;
        PagePosition { ordinal, key }
    }

    /// Returns whether the regular page after the last one may be asked for now.
    fn may_ask_next(&self) -> bool {
        let Some((_, &last_idx)) = self.by_start.last_key_value() else {
            return true;
        };
        if self.end.is_some() {
            return false;
        }
        let is_unsure = self.is_alone || self.real_size.is_none() || self.totals == Totals::Doubted;
        let one_at_a_time = is_unsure || self.is_unlimited();
        if one_at_a_time && self.n_in_flight > 0 {
            return false;
        }
        if let Some(needed) = self.needed_end() {
            return self.next_start < needed || (self.n_in_flight == 0 && self.given[last_idx].n_rows > 0);
        }
        let mut n_answered = self.n_settled;
        let mut is_prefix = true;
        for (_, &idx) in self.by_start.range(self.settled_before..) {
            match &self.given[idx].state {
                PageState::InFlight => is_prefix = false,
                PageState::Rows { last: Last::No } | PageState::Empty { more: true } => n_answered += u64::from(is_prefix),
                PageState::Rows { last: Last::Short } => return idx == last_idx && self.needs_look(idx),
                _ => return false,
            }
        }
        self.n_regular < n_answered + (n_answered + 1).min(MAX_WINDOW)
    }
}
