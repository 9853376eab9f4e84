//! What is known of a page once it was asked for.

use super::key::{PageKey, PagePosition};
use super::point::PagePrint;
use crate::{Error, Result};
use url::Url;

/// What an answer says about its position among the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFacts {
    pub n_rows: u64,
    /// The next page, where the answer names it.
    pub next: Option<PageKey>,
    /// Whether the API says that more pages follow.
    pub has_more: Option<bool>,
    pub total_rows: Option<u64>,
    pub total_pages: Option<u64>,
    /// Whether something that the spec does not name shows that there is more. Only known of a page with which the pages may end.
    pub shows_more: bool,
    /// Absolute URL of the last page.
    pub last_link: Option<String>,
    /// What the API gives to ask for later changes with: a token, or the ETag of an answer.
    pub sync_token: Option<String>,
    /// Hash of the page's records: equal for equal pages.
    pub fingerprint: u64,
    /// Hash of the body's bytes.
    pub body: u64,
    /// Hash of each record, where the paging strategy has to tell records of a page from those of the page before.
    pub records: Vec<u64>,
}

/// What the rows of a page add to its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRows {
    /// Records of the page, before any is left out.
    pub n_rows: u64,
    /// Hash of the records: equal for equal pages.
    pub fingerprint: u64,
    /// Hash of the body's bytes.
    pub body: u64,
    /// Hash of each record, where [`super::Paging::needs_records`] says so.
    pub records: Vec<u64>,
}

impl PageFacts {
    /// Returns the facts that the rows of a page are.
    pub fn of_rows(rows: PageRows) -> PageFacts {
        let PageRows { n_rows, fingerprint, body, records } = rows;
        PageFacts { n_rows, fingerprint, body, records, ..PageFacts::default() }
    }

    /// Changes each link to another page.
    pub fn change_links(&mut self, change: impl Fn(&Url) -> Url) {
        let next = match &mut self.next {
            Some(PageKey::Link(link)) => Some(link),
            _ => None,
        };
        for link in next.into_iter().chain(&mut self.last_link) {
            if let Ok(url) = Url::parse(link) {
                *link = change(&url).to_string();
            }
        }
    }

    /// Returns what the page is known again by.
    pub fn print(&self) -> PagePrint {
        PagePrint { rows: self.fingerprint, body: self.body }
    }
}

/// Whether the rows of an answer belong to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageVerdict {
    Keep,
    /// The rows are kept in the place of those of a later page that came first and repeats them.
    KeepInstead,
    /// The page lies after the end, or repeats another: its rows are left out.
    Beyond,
}

impl PageVerdict {
    /// Returns whether the rows are kept.
    pub fn keeps_rows(self) -> bool {
        self != PageVerdict::Beyond
    }
}

/// What is done about rows that vanish at the source while pages are read, which moves others onto pages that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vanishing {
    #[default]
    Ignored,
    /// It is found out whether rows moved, and none is read again: nothing tells a row that comes again from another one that is like it.
    Told,
    /// Pages whose rows moved are read again: a key takes back the rows that come twice.
    ReadAgain,
}

/// What came of rows that vanished at the source, as far as the totals tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vanished {
    pub n_rows: u64,
    /// Pages that were read again and had other rows than before.
    pub n_moved: u64,
    /// Whether rows that were there all the time may be missing.
    pub is_lacking: bool,
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

/// Returns the error of a resource with more pages than may be.
pub fn too_many_pages(max_pages: u64) -> Error {
    Error::api(format!("the API has more than {max_pages} pages; raise the setting 'unify_max_pages' or narrow the table's params"))
}

/// Returns the error of two pages that are equal.
pub fn same_page_twice(first: &PageKey, second: &PageKey) -> Error {
    Error::api(format!(
        "the API returned the same page twice (for {} and for {}); check the table's 'paging'",
        first.description(),
        second.description()
    ))
}

/// The first page that was read, which comes again where an API answers a token or a link that has expired as if none had been sent. A single
/// record may be equal to another one.
#[derive(Debug, Default)]
pub struct FirstPage(Option<(PageKey, u64)>);

impl FirstPage {
    /// Remembers the first page, and fails when a later one is equal to it.
    pub fn check(&mut self, key: &PageKey, facts: &PageFacts) -> Result<()> {
        match &self.0 {
            Some((first, fingerprint)) if facts.n_rows > 1 && *fingerprint == facts.fingerprint => Err(same_page_twice(first, key)),
            Some(_) => Ok(()),
            None => {
                self.0 = Some((key.clone(), facts.fingerprint));
                Ok(())
            }
        }
    }
}

/// Returns the error of an answer that nobody waits for.
pub fn not_in_flight(position: &PagePosition) -> Error {
    Error::internal(format!("an answer for {}, which was not asked for", position.key.description()))
}

/// The records at the end of a page that are remembered.
const MOST_TAIL: usize = 32;

/// Returns the hashes that are kept of a page's records: all of them where a part of the page may come again, else the last.
pub fn tail_of(records: &[u64], keeps_all: bool) -> Vec<u64> {
    let n_left_out = if keeps_all { 0 } else { records.len().saturating_sub(MOST_TAIL) };
    records[n_left_out..].to_vec()
}
