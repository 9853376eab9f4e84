//! Which page of a resource to ask for next, and which answers belong to it: a state machine without sockets or clocks.

mod key;
mod linked;
mod numbered;
mod sequential;
#[cfg(test)]
mod tests;

pub use key::{PageKey, PagePlace, PagePrint, ResumePoint};

use crate::spec::Paging;
use crate::{Error, Result};
use linked::LinkedPager;
use numbered::NumberedPager;
use sequential::SequentialPager;

/// What an answer says about its place among the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFacts {
    pub n_rows: u64,
    /// Token of the next page.
    pub token: Option<String>,
    /// Whether the API says that more pages follow.
    pub has_more: Option<bool>,
    pub total_rows: Option<u64>,
    pub total_pages: Option<u64>,
    /// Absolute URL of the next page.
    pub next_link: Option<String>,
    /// Absolute URL of the last page.
    pub last_link: Option<String>,
    /// Hash of the page's records: equal for equal pages.
    pub fingerprint: u64,
    /// Hash of the body's bytes.
    pub body: u64,
}

impl PageFacts {
    /// Returns what the page is known again by.
    pub fn print(&self) -> PagePrint {
        PagePrint { rows: self.fingerprint, body: self.body }
    }
}

/// Whether the rows of an answer belong to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageVerdict {
    Keep,
    /// The page lies after the end, or repeats another: its rows are left out.
    Beyond,
}

/// Why a page could not be fetched.
#[derive(Debug, Clone)]
pub enum PageFailure {
    /// The API answered that it does not take the request (400, 404, 410, 416, 422), as some do for pages after the end.
    Refused(Error),
    /// Anything else.
    Broken(Error),
}

impl PageFailure {
    /// Returns the error.
    pub fn into_error(self) -> Error {
        match self {
            PageFailure::Refused(err) | PageFailure::Broken(err) => err,
        }
    }
}

/// Walks through the pages of one resource: says which may be asked for now, and takes the answers in any order.
///
/// Ordinals count from 0 (or from where a load resumes) without gaps, in the order in which the places were given out.
#[derive(Debug)]
pub struct Pager {
    strategy: Strategy,
}

#[derive(Debug)]
enum Strategy {
    Numbered(Box<NumberedPager>),
    Sequential(SequentialPager),
    Linked(Box<LinkedPager>),
}

impl Pager {
    /// Starts at the first page. More than `max_pages` pages are an error.
    pub fn new(paging: &Paging, max_pages: u64) -> Pager {
        let strategy = match paging {
            Paging::None | Paging::NextLink { .. } => Strategy::Sequential(SequentialPager::new(PageKey::Only, max_pages)),
            Paging::PagerToken { .. } => Strategy::Sequential(SequentialPager::new(PageKey::Token(None), max_pages)),
            Paging::LinkHeader { .. } => Strategy::Linked(Box::new(LinkedPager::new(PageKey::Only, max_pages))),
            Paging::PageAndCount { page_size, first_page, .. } => {
                Strategy::Numbered(Box::new(NumberedPager::by_page(*first_page, *page_size, max_pages)))
            }
            Paging::OffsetAndCount { page_size, count_param, .. } => {
                Strategy::Numbered(Box::new(NumberedPager::by_offset(*page_size, count_param.is_some(), max_pages)))
            }
        };
        Pager { strategy }
    }

    /// Continues where an earlier pager was. A numbered page that is stored is asked for once more, for what it says about those
    /// after it: its rows, of an ordinal before the point's, are to be left out. Fails when the point is not one of this strategy, as after a change of the spec.
    pub fn resume(paging: &Paging, max_pages: u64, point: &ResumePoint) -> Result<Pager> {
        let mut pager = Pager::new(paging, max_pages);
        match (&mut pager.strategy, &point.key) {
            (Strategy::Numbered(numbered), PageKey::Page(_) | PageKey::Offset { .. }) => numbered.resume(point)?,
            (Strategy::Sequential(sequential), PageKey::Token(_)) if matches!(paging, Paging::PagerToken { .. }) => {
                sequential.resume(point)
            }
            (Strategy::Sequential(sequential), PageKey::Only | PageKey::Link(_)) if !matches!(paging, Paging::PagerToken { .. }) => {
                sequential.resume(point);
            }
            (Strategy::Linked(linked), PageKey::Only | PageKey::Link(_)) => linked.resume(point),
            (_, key) => return Err(Error::config(format!("'{}' is no place of this paging strategy; reload the table", key.to_text()))),
        }
        Ok(pager)
    }

    /// Returns a page that may be asked for now, in flight from then on. `None`: wait for answers, or done.
    pub fn next_place(&mut self) -> Option<PagePlace> {
        match &mut self.strategy {
            Strategy::Numbered(numbered) => numbered.next_place(),
            Strategy::Sequential(sequential) => sequential.next_place(),
            Strategy::Linked(linked) => linked.next_place(),
        }
    }

    /// Takes the facts of an answer. Fails when the API turns in circles, contradicts itself or has more than the page limit,
    /// and with the error of a page that failed earlier when this answer shows that it was needed.
    pub fn answered(&mut self, place: &PagePlace, facts: &PageFacts) -> Result<PageVerdict> {
        match &mut self.strategy {
            Strategy::Numbered(numbered) => numbered.answered(place, facts),
            Strategy::Sequential(sequential) => sequential.answered(place, facts),
            Strategy::Linked(linked) => linked.answered(place, facts),
        }
    }

    /// Takes the failure of a page. Returns its error at once when the page is needed; a page asked for on speculation may lie
    /// after the end, where some APIs answer with an error: then the error waits until that is known.
    pub fn failed(&mut self, place: &PagePlace, failure: PageFailure) -> Result<()> {
        match &mut self.strategy {
            Strategy::Numbered(numbered) => numbered.failed(place, failure),
            Strategy::Sequential(_) | Strategy::Linked(_) => Err(failure.into_error()),
        }
    }

    /// Returns whether every page was given out and answered.
    pub fn is_done(&self) -> bool {
        match &self.strategy {
            Strategy::Numbered(numbered) => numbered.is_done(),
            Strategy::Sequential(sequential) => sequential.is_done(),
            Strategy::Linked(linked) => linked.is_done(),
        }
    }

    /// Returns how many pages there are in all, once that is known.
    pub fn total_pages(&self) -> Option<u64> {
        match &self.strategy {
            Strategy::Numbered(numbered) => numbered.total_pages(),
            Strategy::Sequential(sequential) => sequential.total_pages(),
            Strategy::Linked(linked) => linked.total_pages(),
        }
    }

    /// Returns what the API told and did not give, once every page was answered.
    pub fn shortfall(&self) -> Option<String> {
        match &self.strategy {
            Strategy::Numbered(numbered) => numbered.shortfall(),
            Strategy::Sequential(_) | Strategy::Linked(_) => None,
        }
    }

    /// Returns where to continue when all pages up to `ordinal` (included) are stored and no other is. `None`: that page was
    /// not answered, or nothing follows it. To be asked in the order of the pages.
    pub fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        match &mut self.strategy {
            Strategy::Numbered(numbered) => numbered.resume_point(ordinal),
            Strategy::Sequential(sequential) => sequential.resume_point(ordinal),
            Strategy::Linked(linked) => linked.resume_point(ordinal),
        }
    }
}

fn too_many_pages(max_pages: u64) -> Error {
    Error::api(format!("the API has more than {max_pages} pages; raise the setting 'unify_max_pages' or narrow the table's params"))
}

fn same_page_twice(first: &PageKey, second: &PageKey) -> Error {
    Error::api(format!(
        "the API returned the same page twice (for {} and for {}); check the table's 'paging'",
        first.description(),
        second.description()
    ))
}

fn not_in_flight(place: &PagePlace) -> Error {
    Error::internal(format!("an answer for {}, which was not asked for", place.key.description()))
}
