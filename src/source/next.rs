//! What a source of answers is: it says what to ask next, and is told what came of it.

use super::key::PagePosition;
use super::page::{PageFacts, PageFailure, PageVerdict, Vanished, Vanishing};
use super::point::ResumePoint;
use crate::Result;

/// What a source wants now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This is to be asked for. It is in flight from then on.
    Ask(PagePosition),
    /// Nothing, before one of the answers that are in flight.
    Await,
    /// Nothing, before this moment, in microseconds since 1970-01-01 00:00:00 UTC.
    WaitUntil(i64),
    /// Nothing any more: all was asked for and answered.
    Done,
}

impl Next {
    /// Returns what a source wants that has this to ask for, and is done or waits for answers.
    pub fn of(position: Option<PagePosition>, is_done: bool) -> Next {
        match position {
            Some(position) => Next::Ask(position),
            None if is_done => Next::Done,
            None => Next::Await,
        }
    }
}

/// Walks through the answers of one resource: says what may be asked for now, and takes the answers in any order.
///
/// Ordinals count from 0 (or from where a load resumes) without gaps, in the order in which the positions were given out.
pub trait Source: std::fmt::Debug + Send {
    /// Returns what to do now.
    fn next(&mut self) -> Next;

    /// Takes the facts of an answer. Fails when the API turns in circles, contradicts itself or has more than the page limit,
    /// and with the error of a page that failed earlier when this answer shows that it was needed.
    fn answered(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict>;

    /// Takes the failure of a page. Returns its error at once when the page is needed; a page asked for on speculation may lie
    /// after the end, where some APIs answer with an error: then the error waits until that is known.
    fn failed(&mut self, _place: &PagePosition, failure: PageFailure) -> Result<()> {
        Err(failure.into_error())
    }

    /// Returns whether everything was given out and answered.
    fn is_done(&self) -> bool;

    /// Continues where an earlier source was. The last page that is stored is asked for once more, for what it says about those after it:
    /// its rows, of an ordinal before the point's, are to be left out. Fails when the point is not one of this strategy, as after a change
    /// of the spec, and when it does not tell what that page was.
    fn resume(&mut self, point: &ResumePoint) -> Result<()>;

    /// Returns where to continue when all pages up to `ordinal` (included) are stored and no other is. `None`: that page was
    /// not answered, or nothing follows it. To be asked in the order of the pages.
    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint>;

    /// Returns how many pages there are in all, once that is known.
    fn total_pages(&self) -> Option<u64>;

    /// Says what is done about rows that vanish. Only pages by number or offset whose answers tell a total show that.
    fn set_vanishing(&mut self, _vanishing: Vanishing) {}

    /// Returns what came of rows that vanished so far; `None` when no row is known to have moved.
    fn vanished(&self) -> Option<Vanished> {
        None
    }

    /// Returns whether the page of this ordinal lies after the end, and what came of it is left out. To be asked, in the order of the pages,
    /// when it and all before it are answered: pages that are asked for ahead never change which rows a resource has.
    fn is_beyond(&self, _ordinal: u64) -> bool {
        false
    }

    /// Returns whether the page of this ordinal was asked for because rows moved: its position is among the pages before it.
    fn is_again(&self, _ordinal: u64) -> bool {
        false
    }

    /// Returns what the API told and did not give, once every page was answered.
    fn shortfall(&self) -> Option<String> {
        None
    }

    /// Returns the position to ask for now, if there is one.
    fn next_position(&mut self) -> Option<PagePosition> {
        match self.next() {
            Next::Ask(position) => Some(position),
            Next::Await | Next::WaitUntil(_) | Next::Done => None,
        }
    }
}
