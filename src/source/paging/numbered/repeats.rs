//! Pages that are what the page before them was.
//!
//! Rows that come before the others, just as many as a page has, move each page to the next number. An API that does not look at the number
//! gives the same page for ever. The page after the repeat tells which it is. Only a key tells rows that come twice, so without one it is an error.

use super::state::{NumberedPager, PageState};
use crate::source::page::same_page_twice;
use crate::source::Vanishing;
use crate::Result;

impl NumberedPager {
    /// Notes that page `idx` repeats another one.
    pub(super) fn note_repeat(&mut self, idx: usize, original: usize) {
        let is_overtaken = self.by_start.range(self.given[idx].start + 1..).next().is_some();
        self.given[idx].is_overtaken |= is_overtaken;
        self.given[idx].state = PageState::Repeat(original);
    }

    /// Returns whether a page that repeats the one before it may be passed.
    pub(super) fn may_step_over(&self) -> bool {
        self.moves.vanishing == Vanishing::ReadAgain
    }

    /// Passes page `idx`, where the page after it shows that rows moved. Returns whether that page has come. Fails where the API turns in circles.
    pub(super) fn steps_over(&mut self, idx: usize, original: usize) -> Result<bool> {
        let start = self.given[idx].start;
        let is_neighbour = self.by_start.range(..start).next_back().is_some_and(|(_, &before)| before == original);
        let is_last = self.needed_end().is_some_and(|needed| self.next_start >= needed);
        match self.by_start.range(start + 1..).next().map(|(_, &next)| &self.given[next].state) {
            Some(PageState::InFlight) if self.may_step_over() && is_neighbour => Ok(false),
            None if self.may_step_over() && is_neighbour && !is_last => Ok(false),
            Some(next) if self.may_step_over() && is_neighbour && !matches!(next, PageState::Repeat(_)) => {
                self.pass_repeat(idx);
                Ok(true)
            }
            _ => Err(same_page_twice(&self.given[original].key, &self.given[idx].key)),
        }
    }

    /// Passes a page that repeats another one since rows moved.
    pub(super) fn pass_repeat(&mut self, idx: usize) {
        self.moves.n_repeated += 1;
        self.moves.is_overtaken |= self.given[idx].is_overtaken;
        self.pass(idx);
    }
}
