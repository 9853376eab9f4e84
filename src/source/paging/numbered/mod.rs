//! Pages named by number or offset: asked for ahead of the answers, and cut at the end once it is seen.
//!
//! Without a total the end is an empty page, or a short one that no page with rows of its own follows: the page after it is asked for, since
//! some APIs hide rows and so make pages short. Only a first page that is less than half full is the end by itself. What came of pages after
//! the end, because they were asked for ahead, is left out: how far ahead a load asks never changes what it loads.

mod answers;
mod asking;
mod ending;
mod hidden;
mod moves;
mod resuming;
mod state;
mod vanished;

pub use state::NumberedPager;

use crate::source::{Next, PageFacts, PageFailure, PagePosition, PageVerdict, ResumePoint, Source, Vanished, Vanishing};
use crate::Result;

impl Source for NumberedPager {
    fn next(&mut self) -> Next {
        Next::of(self.give_next(), self.is_over())
    }

    fn answered(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict> {
        self.take_answer(position, facts)
    }

    fn failed(&mut self, position: &PagePosition, failure: PageFailure) -> Result<()> {
        self.take_failure(position, failure)
    }

    fn is_done(&self) -> bool {
        self.is_over()
    }

    fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        self.go_on(point)
    }

    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        self.point_after(ordinal)
    }

    fn total_pages(&self) -> Option<u64> {
        self.counted_pages()
    }

    fn set_vanishing(&mut self, vanishing: Vanishing) {
        self.moves.set_vanishing(vanishing);
    }

    fn vanished(&self) -> Option<Vanished> {
        self.moves.vanished()
    }

    fn is_beyond(&self, ordinal: u64) -> bool {
        self.lies_beyond(ordinal)
    }

    fn is_again(&self, ordinal: u64) -> bool {
        self.page_of(ordinal).is_some_and(|page| page.is_again)
    }

    fn shortfall(&self) -> Option<String> {
        self.told_shortfall()
    }
}
