//! Pages of which each names the next: tokens, links in the body, and resources of a single page.

use super::{not_in_flight, same_page_twice, too_many_pages, PageFacts, PageKey, PagePlace, PageVerdict, ResumePoint};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// One page after the other.
#[derive(Debug)]
pub(super) struct SequentialPager {
    max_pages: u64,
    state: State,
    place: PagePlace,
    /// Rows of the pages answered.
    n_rows: u64,
    /// The key of each page given out, and its ordinal.
    seen: HashMap<PageKey, u64>,
    /// The key and fingerprint of the page before, if it had rows. Some APIs make a new token for the page they have just given.
    last: Option<(PageKey, u64)>,
    /// Where to continue after each page, by ordinal. A writer may be many pages behind.
    points: BTreeMap<u64, ResumePoint>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Ready,
    InFlight,
    Done,
}

impl SequentialPager {
    pub(super) fn new(first: PageKey, max_pages: u64) -> SequentialPager {
        let seen = HashMap::from([(first.clone(), 0)]);
        SequentialPager {
            max_pages,
            state: State::Ready,
            place: PagePlace { ordinal: 0, key: first },
            n_rows: 0,
            seen,
            last: None,
            points: BTreeMap::new(),
        }
    }

    pub(super) fn resume(&mut self, point: &ResumePoint) {
        self.place = PagePlace { ordinal: point.ordinal, key: point.key.clone() };
        self.seen = HashMap::from([(point.key.clone(), point.ordinal)]);
        self.n_rows = point.n_rows;
    }

    pub(super) fn next_place(&mut self) -> Option<PagePlace> {
        if self.state != State::Ready {
            return None;
        }
        self.state = State::InFlight;
        Some(self.place.clone())
    }

    pub(super) fn answered(&mut self, place: &PagePlace, facts: &PageFacts) -> Result<PageVerdict> {
        if self.state != State::InFlight || *place != self.place {
            return Err(not_in_flight(place));
        }
        self.n_rows += facts.n_rows;
        let Some(next) = next_key(&place.key, facts)? else {
            self.state = State::Done;
            return Ok(PageVerdict::Keep);
        };
        if let Some((earlier, _)) = self.last.as_ref().filter(|(_, fingerprint)| facts.n_rows > 0 && *fingerprint == facts.fingerprint) {
            return Err(same_page_twice(earlier, &place.key));
        }
        self.last = Some((place.key.clone(), facts.fingerprint)).filter(|_| facts.n_rows > 0);
        let ordinal = place.ordinal + 1;
        if self.seen.insert(next.clone(), ordinal).is_some() {
            return Err(same_page_twice(&place.key, &next));
        }
        if ordinal >= self.max_pages {
            return Err(too_many_pages(self.max_pages));
        }
        let point = ResumePoint { ordinal, key: next.clone(), n_rows: self.n_rows, page_size: None, holes: Vec::new(), stored: None };
        self.points.insert(place.ordinal, point);
        self.place = PagePlace { ordinal, key: next };
        self.state = State::Ready;
        Ok(PageVerdict::Keep)
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) fn total_pages(&self) -> Option<u64> {
        self.is_done().then(|| self.place.ordinal + 1)
    }

    pub(super) fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        self.points = self.points.split_off(&ordinal);
        self.points.get(&ordinal).cloned()
    }
}

fn next_key(key: &PageKey, facts: &PageFacts) -> Result<Option<PageKey>> {
    if facts.has_more == Some(false) {
        return Ok(None);
    }
    if !matches!(key, PageKey::Token(_)) {
        return Ok(facts.next_link.clone().map(PageKey::Link));
    }
    if facts.token.is_none() && facts.has_more == Some(true) {
        return Err(Error::api("the API says that more pages follow but gives no token; check 'pager_token_path' of the table's 'paging'"));
    }
    Ok(facts.token.clone().map(|token| PageKey::Token(Some(token))))
}
