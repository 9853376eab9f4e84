//! Pages of which each names the next: tokens, links in the body, and resources of a single page.

use crate::source::page::{not_in_flight, same_page_twice, too_many_pages, FirstPage};
use crate::source::{Next, PageFacts, PageKey, PagePosition, PageVerdict, ResumePoint, Source};
use crate::Result;
use std::collections::{BTreeMap, HashMap};

/// One page after the other.
#[derive(Debug)]
pub struct Chain {
    max_pages: u64,
    state: State,
    position: PagePosition,
    /// Rows of the pages answered.
    n_rows: u64,
    /// The key of each page given out, but for its number, and its ordinal.
    seen: HashMap<PageKey, u64>,
    /// The key and fingerprint of the page before, if it had rows. Some APIs make a new token for the page they have just given.
    last: Option<(PageKey, u64)>,
    first: FirstPage,
    /// Where to continue after each page, by ordinal. A writer may be many pages behind.
    points: BTreeMap<u64, ResumePoint>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Ready,
    InFlight,
    Done,
}

impl Chain {
    /// Starts at the page `first`.
    pub fn new(first: PageKey, max_pages: u64) -> Chain {
        let seen = HashMap::from([(first.unnumbered().clone(), 0)]);
        Chain {
            max_pages,
            state: State::Ready,
            position: PagePosition { ordinal: 0, key: first },
            n_rows: 0,
            seen,
            last: None,
            first: FirstPage::default(),
            points: BTreeMap::new(),
        }
    }
}

impl Source for Chain {
    fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        let is_numbered = |key: &PageKey| matches!(key, PageKey::Numbered { .. });
        let key = point.key.unnumbered();
        let is_own = match self.position.key.unnumbered() {
            PageKey::Token(_) => matches!(key, PageKey::Token(_)),
            PageKey::Params(_) => matches!(key, PageKey::Params(_)),
            _ => matches!(key, PageKey::Only | PageKey::Link(_)),
        };
        if !is_own || is_numbered(&self.position.key) != is_numbered(&point.key) {
            return Err(point.not_of_strategy());
        }
        self.position = PagePosition { ordinal: point.ordinal.saturating_sub(1), key: point.key.clone() };
        self.seen = HashMap::from([(key.clone(), self.position.ordinal)]);
        self.n_rows = point.n_rows;
        Ok(())
    }

    fn next(&mut self) -> Next {
        let position = (self.state == State::Ready).then(|| self.position.clone());
        if position.is_some() {
            self.state = State::InFlight;
        }
        Next::of(position, self.is_done())
    }

    fn answered(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict> {
        if self.state != State::InFlight || *position != self.position {
            return Err(not_in_flight(position));
        }
        let n_rows_before = self.n_rows;
        self.n_rows += facts.n_rows;
        // Some feeds always give a token: one without rows that leads to itself has nothing new.
        let is_idle = |next: &PageKey| facts.n_rows == 0 && facts.has_more != Some(true) && next == position.key.unnumbered();
        let next = facts.next.clone().filter(|next| facts.has_more != Some(false) && !is_idle(next));
        let Some(next) = next else {
            self.state = State::Done;
            return Ok(PageVerdict::Keep);
        };
        if let Some((earlier, _)) = self.last.as_ref().filter(|(_, fingerprint)| facts.n_rows > 0 && *fingerprint == facts.fingerprint) {
            return Err(same_page_twice(earlier, &position.key));
        }
        self.last = Some((position.key.clone(), facts.fingerprint)).filter(|_| facts.n_rows > 0);
        self.first.check(&position.key, facts)?;
        let ordinal = position.ordinal + 1;
        if self.seen.insert(next.clone(), ordinal).is_some() {
            return Err(same_page_twice(&position.key, &next));
        }
        if ordinal >= self.max_pages {
            return Err(too_many_pages(self.max_pages));
        }
        let point = ResumePoint::after(ordinal, position.key.clone(), n_rows_before, Some(facts.print()));
        self.points.insert(position.ordinal, point);
        self.position = PagePosition { ordinal, key: next.after(&position.key) };
        self.state = State::Ready;
        Ok(PageVerdict::Keep)
    }

    fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn total_pages(&self) -> Option<u64> {
        self.is_done().then(|| self.position.ordinal + 1)
    }

    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        self.points = self.points.split_off(&ordinal);
        self.points.get(&ordinal).cloned()
    }
}
