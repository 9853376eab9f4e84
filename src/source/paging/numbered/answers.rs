//! What the answers for numbered pages are taken for.

use super::state::{Last, NumberedPager, PageState, Totals, Unit};
use crate::source::page::{not_in_flight, tail_of, too_many_pages, PageFailure};
use crate::source::{PageFacts, PagePosition, PageVerdict};
use crate::{Error, Result};

impl NumberedPager {
    /// Takes the facts of an answer.
    pub(super) fn take_answer(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict> {
        let idx = self.in_flight_idx(position)?;
        self.n_in_flight -= 1;
        self.given[idx].print = facts.print();
        self.given[idx].shows_more = facts.shows_more;
        if self.given[idx].is_again {
            return self.answered_again(idx, facts);
        }
        if self.real_size.is_none() {
            self.learn_size(idx, facts);
        }
        self.learn_totals(idx, facts)?;
        let verdict = self.take_rows(idx, facts)?;
        if self.totals == Totals::Doubted && idx > 0 && verdict == PageVerdict::Keep {
            self.totals = Totals::Ignored;
        }
        self.is_alone &= idx == 0 || (facts.n_rows == 0 && self.next_start < self.page_size);
        if verdict == PageVerdict::Keep && position.ordinal >= self.max_pages.saturating_add(self.moves.n_again) {
            return Err(too_many_pages(self.max_pages));
        }
        if self.given[idx].n_rows > 0 && idx > 0 {
            self.probing = false;
        }
        let start = self.given[idx].start;
        match self.unit {
            Unit::Offset { limited: false, .. } => self.next_start = self.start_after(idx),
            Unit::Offset { limited: true, .. } if start < self.settled_before => self.leave_hole(idx),
            _ => {}
        }
        self.compare_totals(idx, facts);
        self.settle()?;
        Ok(verdict)
    }

    /// Stores what page `idx` brought, and finds the page it repeats, if any.
    fn take_rows(&mut self, idx: usize, facts: &PageFacts) -> Result<PageVerdict> {
        let expected = match self.unit {
            Unit::Page { .. } => self.real_size.unwrap_or(self.page_size),
            Unit::Offset { .. } => self.given[idx].width,
        };
        if facts.n_rows == 0 {
            let can_step_over = !self.is_unlimited();
            self.given[idx].state = PageState::Empty { more: can_step_over && facts.has_more == Some(true) };
            return Ok(PageVerdict::Beyond);
        }
        let last = match facts.has_more {
            Some(true) => Last::No,
            Some(false) => Last::Told,
            None if facts.n_rows < expected => Last::Short,
            None => Last::No,
        };
        self.most_rows = self.most_rows.max(facts.n_rows);
        if self.overlaps(idx, facts) {
            self.note_overlap(idx);
            return Ok(PageVerdict::Beyond);
        }
        self.given[idx].tail = tail_of(&facts.records, idx == 0 && self.is_alone);
        if self.is_alone && idx > 0 && matches!(self.unit, Unit::Page { .. }) {
            // The first page hid rows: later ones are larger.
            self.real_size = self.real_size.max(Some(facts.n_rows.min(self.page_size)));
        }
        match self.fingerprints.get(&facts.fingerprint).copied() {
            Some(other) if self.given[other].start < self.given[idx].start => {
                self.given[idx].state = PageState::Repeat(other);
                Ok(PageVerdict::Beyond)
            }
            Some(other) => {
                // The later page came first and was kept, but it is the one that repeats.
                self.fingerprints.insert(facts.fingerprint, idx);
                self.given[idx].state = PageState::Rows { last };
                self.given[other].state = PageState::Repeat(idx);
                self.given[idx].n_rows = std::mem::take(&mut self.given[other].n_rows);
                // Where a load stops between the two, it goes on with what is handed on first as stored.
                Ok(if idx < other { PageVerdict::KeepInstead } else { PageVerdict::Beyond })
            }
            None if self.is_limited() && idx > 0 && facts.n_rows > expected => {
                Err(Error::api(format!("asked for {expected} rows at {} and got {}", self.given[idx].key.description(), facts.n_rows)))
            }
            None => {
                self.fingerprints.insert(facts.fingerprint, idx);
                self.given[idx].state = PageState::Rows { last };
                self.given[idx].n_rows = facts.n_rows;
                self.n_rows += facts.n_rows;
                Ok(PageVerdict::Keep)
            }
        }
    }

    /// Takes the failure of a page.
    pub(super) fn take_failure(&mut self, position: &PagePosition, failure: PageFailure) -> Result<()> {
        let idx = self.in_flight_idx(position)?;
        self.n_in_flight -= 1;
        if let (true, PageFailure::Refused(_)) = (self.given[idx].is_again, &failure) {
            return self.answered_again(idx, &PageFacts::default()).map(|_| ());
        }
        if matches!(failure, PageFailure::Refused(_)) && self.given[idx].is_hole && self.lies_after_what_is_left(self.given[idx].start) {
            self.given[idx].state = PageState::Empty { more: false };
            return self.settle();
        }
        if self.given[idx].is_hole || self.given[idx].start < self.settled_before {
            return Err(failure.into_error());
        }
        self.given[idx].state = PageState::Failed(failure);
        self.settle()
    }

    fn in_flight_idx(&self, position: &PagePosition) -> Result<usize> {
        let idx = position
            .ordinal
            .checked_sub(self.first_ordinal)
            .and_then(|idx| usize::try_from(idx).ok())
            .ok_or_else(|| not_in_flight(position))?;
        let page = self.given.get(idx).ok_or_else(|| not_in_flight(position))?;
        let is_in_flight = page.key == position.key && matches!(page.state, PageState::InFlight);
        is_in_flight.then_some(idx).ok_or_else(|| not_in_flight(position))
    }

    /// Learns from the first answer how many rows a page has. Some APIs give fewer than asked for.
    fn learn_size(&mut self, idx: usize, facts: &PageFacts) {
        let is_full = facts.n_rows >= self.page_size;
        let says_how_it_ends = facts.total_rows.is_some() || facts.total_pages.is_some() || facts.has_more.is_some();
        let is_round = facts.n_rows.is_multiple_of(10) || facts.n_rows.is_multiple_of(25);
        self.probing = facts.n_rows > 0 && !is_full && !says_how_it_ends && is_round;
        let is_real = facts.n_rows > 0 && (is_full || says_how_it_ends || is_round);
        self.is_alone = is_real && !is_full;
        let real_size = if is_real { facts.n_rows } else { self.page_size };
        self.real_size = Some(real_size);
        if matches!(self.unit, Unit::Offset { .. }) {
            self.given[idx].width = real_size;
            self.next_start = self.given[idx].start.saturating_add(real_size);
        }
    }

    /// Returns what the totals are taken for when the first answer of a load tells these.
    fn judged_totals(&self, facts: &PageFacts) -> Totals {
        let start = self.given.first().map_or(0, |page| page.start);
        let counts_rows = facts.n_rows > 0 && facts.total_rows == Some(facts.n_rows);
        let counts_pages = matches!(self.unit, Unit::Page { .. }) && facts.n_rows > 0 && facts.total_pages == Some(start + 1);
        match facts.has_more {
            _ if !counts_rows && !counts_pages => Totals::Trusted,
            Some(true) => Totals::Ignored,
            // A load that goes on has rows of pages before this one.
            _ if counts_rows && start > 0 => Totals::Ignored,
            None if facts.n_rows >= self.page_size => Totals::Doubted,
            _ => Totals::Trusted,
        }
    }

    fn learn_totals(&mut self, idx: usize, facts: &PageFacts) -> Result<()> {
        if idx == 0 {
            self.totals = self.judged_totals(facts);
        }
        if self.totals != Totals::Trusted {
            return Ok(());
        }
        // A total below the rows of the very page counts something else.
        let total_rows = facts.total_rows.filter(|rows| *rows >= facts.n_rows);
        let total_pages = facts.total_pages.filter(|pages| *pages > 0 || facts.n_rows == 0);
        self.total_rows = self.total_rows.max(total_rows);
        self.total_pages = self.total_pages.max(total_pages);
        // What an earlier load was told holds where the page with which this one goes on tells nothing.
        if idx == 0 && self.total_rows.is_none() && self.total_pages.is_none() {
            (self.total_rows, self.total_pages) = (self.told_before.rows, self.told_before.pages);
        }
        match self.counted_pages() {
            Some(n_pages) if n_pages > self.max_pages => Err(too_many_pages(self.max_pages)),
            _ => Ok(()),
        }
    }
}
