//! The pages of one parameter set, put back into the order of the API.

use super::budget::PageRoom;
use super::convert::ConvertedPage;
use super::fetch::{Fetch, Fetched, FetchedRows};
use super::places::SetPlace;
use crate::columns::Batch;
use crate::http::{ApiClient, PageFacts, PageFailure, PageKey, PagePlace, PageVerdict, Pager, ResumePoint};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{mpsc, Arc};

/// The pages of one set, which arrive in any order and are handed on in that of the API.
pub struct InOrder {
    pub pager: Pager,
    /// The set's number.
    set: usize,
    client: Arc<ApiClient>,
    /// Pages that arrived before one that comes earlier; `None` has no rows.
    early: BTreeMap<u64, Option<(Batch, PageRoom)>>,
    /// Ordinal of the page that is handed on next; the first one given out.
    next: Option<u64>,
    /// Where an earlier load was with the set.
    point: Option<ResumePoint>,
    /// Pages the API said there are.
    pub expected: u64,
    rows: mpsc::Sender<Fetched>,
}

impl InOrder {
    /// Starts at the set's first page, or at `point`. Fails when the table's paging has no such place.
    pub fn new(fetch: &Fetch, set: usize, point: Option<ResumePoint>, rows: mpsc::Sender<Fetched>) -> Result<InOrder> {
        let paging = &fetch.table_def.paging;
        let pager = match &point {
            Some(point) => Pager::resume(paging, fetch.max_pages, point)?,
            None => Pager::new(paging, fetch.max_pages),
        };
        Ok(InOrder { pager, set, client: fetch.client.clone(), early: BTreeMap::new(), next: None, point, expected: 0, rows })
    }

    /// Returns a page to ask for now.
    pub fn next_place(&mut self) -> Option<PagePlace> {
        let place = self.pager.next_place()?;
        self.next.get_or_insert(place.ordinal);
        Some(place)
    }

    /// Returns how many pages wait for one that comes earlier.
    pub fn n_early(&self) -> usize {
        self.early.len()
    }

    /// Takes a page that arrived.
    pub fn page(&mut self, place: &PagePlace, page: ConvertedPage, room: PageRoom) -> Result<()> {
        let stored = self.point.as_ref().and_then(|point| point.stored);
        if self.is_stored(place) && !stored.is_some_and(|print| print.is_same(page.facts.print())) {
            return Err(cannot_resume("the last page that is stored has other rows at the API by now"));
        }
        let verdict = self.pager.answered(place, &page.facts)?;
        let is_new = verdict == PageVerdict::Keep && !self.is_stored(place);
        self.arrived(place, is_new.then_some((page.batch, room)))
    }

    /// Takes an answer that has no rows by status or rule. Where a token or a link led there, rows were announced.
    pub fn empty(&mut self, place: &PagePlace) -> Result<()> {
        if self.is_first_again(place) {
            return Err(cannot_resume("the API has no rows where the load stopped"));
        }
        if place.ordinal > 0 && matches!(place.key, PageKey::Token(_) | PageKey::Link(_)) {
            let message = format!(
                "page {} is missing: the page before it said that there is one, but the API answered without rows",
                place.ordinal + 1
            );
            return self.failed(place, PageFailure::Broken(Error::api(message)));
        }
        self.pager.answered(place, &PageFacts::default())?;
        self.arrived(place, None)
    }

    /// Takes the failure of a page.
    pub fn failed(&mut self, place: &PagePlace, failure: PageFailure) -> Result<()> {
        if let (true, PageFailure::Refused(err)) = (self.is_first_again(place), &failure) {
            return Err(cannot_resume(err.message()));
        }
        self.pager.failed(place, failure)?;
        self.arrived(place, None)
    }

    /// Returns whether the page's rows are stored already.
    fn is_stored(&self, place: &PagePlace) -> bool {
        self.point.as_ref().is_some_and(|point| place.ordinal < point.ordinal)
    }

    /// Returns whether the page is the first that a resumed load asks for: the API knew it before.
    fn is_first_again(&self, place: &PagePlace) -> bool {
        self.point.as_ref().is_some_and(|point| place.ordinal <= point.ordinal && place.key == point.key)
    }

    fn arrived(&mut self, place: &PagePlace, page: Option<(Batch, PageRoom)>) -> Result<()> {
        self.early.insert(place.ordinal, page);
        while let Some((ordinal, page)) = self.next.and_then(|next| self.early.remove_entry(&next)) {
            self.next = Some(ordinal + 1);
            if let Some((batch, room)) = page {
                let point = self.pager.resume_point(ordinal);
                let place = SetPlace::after(point.as_ref(), self.client.redactor());
                self.send(Fetched::Rows(Box::new(FetchedRows { batch, room, set: self.set, place })))?;
            }
        }
        Ok(())
    }

    /// Says that all rows of the set were handed on.
    pub fn done(&self) -> Result<()> {
        self.send(Fetched::Done { set: self.set })
    }

    /// Says that the set is left out.
    pub fn skipped(&self) -> Result<()> {
        self.send(Fetched::Skipped { set: self.set })
    }

    fn send(&self, fetched: Fetched) -> Result<()> {
        self.rows.send(fetched).map_err(|_| Error::new(ErrorKind::Cancelled, "the load was stopped"))
    }
}

fn cannot_resume(reason: &str) -> Error {
    Error::new(ErrorKind::CannotResume, reason)
}
