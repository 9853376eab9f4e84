//! Pages named by number or offset: asked for ahead of the answers, and cut at the end once it is seen.
//!
//! Without a total the end is a short or empty page that no page with rows of its own follows. Pages already asked for are
//! waited for: their rows show when a short page was not the end.

mod ending;
mod resuming;

use super::{not_in_flight, too_many_pages, PageFacts, PageFailure, PageKey, PagePlace, PagePrint, PageVerdict};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// Most pages asked for beyond those answered while the end is unknown.
const MAX_WINDOW: u64 = 64;

/// Page numbers or offsets. A page's start is its number (counted from 0) or its offset.
#[derive(Debug)]
pub(super) struct NumberedPager {
    unit: Unit,
    /// Rows asked for in one page.
    page_size: u64,
    /// Rows a page of this API really has, known from the first answer on.
    real_size: Option<u64>,
    max_pages: u64,
    /// Pages given out, by ordinal counted from `first_ordinal`.
    given: Vec<GivenPage>,
    /// Index in `given` by start.
    by_start: BTreeMap<u64, usize>,
    /// The kept page of each fingerprint: index in `given`.
    fingerprints: HashMap<u64, usize>,
    n_in_flight: usize,
    /// Offsets and counts that short pages left out, not given out yet.
    holes: BTreeMap<u64, u64>,
    /// Pages that start before this one are answered and known not to be the end.
    settled_before: u64,
    n_settled: u64,
    /// Start of the next regular page.
    next_start: u64,
    first_ordinal: u64,
    /// Start of the stored page that a resumed load asks for again, until it is given out.
    again: Option<u64>,
    n_rows_before: u64,
    n_rows: u64,
    /// Pages at the front whose rows [`NumberedPager::resume_point`] counted, and the rows up to the last regular one of them.
    counted: Counted,
    total_rows: Option<u64>,
    total_pages: Option<u64>,
    /// The first page was short by its number of rows, and the second one shows whether the API's pages are that small.
    probing: bool,
    done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Pages are counted from this number.
    Page { first: u64 },
    /// `limited`: a request can say how many rows it wants.
    Offset { limited: bool },
}

/// What is known of the pages at the front, which grow in number with every point.
#[derive(Debug, Default)]
struct Counted {
    n_pages: usize,
    n_rows: u64,
    /// The last of them that is no hole.
    last_idx: Option<usize>,
}

#[derive(Debug)]
struct GivenPage {
    start: u64,
    /// Starts this page covers: rows for offsets, one for page numbers.
    width: u64,
    is_hole: bool,
    /// Stored by an earlier load: asked for again to learn what it says about the pages after it.
    is_stored: bool,
    key: PageKey,
    n_rows: u64,
    print: PagePrint,
    state: PageState,
}

#[derive(Debug)]
enum PageState {
    InFlight,
    /// Rows of its own. `last`: it looks like the last page.
    Rows {
        last: bool,
    },
    /// No rows. `more`: the API says that others follow.
    Empty {
        more: bool,
    },
    /// Repeats the page with this index.
    Repeat(usize),
    Failed(PageFailure),
}

impl NumberedPager {
    pub(super) fn by_page(first: u64, page_size: u64, max_pages: u64) -> NumberedPager {
        NumberedPager::new(Unit::Page { first }, page_size, max_pages)
    }

    pub(super) fn by_offset(page_size: u64, limited: bool, max_pages: u64) -> NumberedPager {
        NumberedPager::new(Unit::Offset { limited }, page_size, max_pages)
    }

    fn new(unit: Unit, page_size: u64, max_pages: u64) -> NumberedPager {
        NumberedPager {
            unit,
            page_size: page_size.max(1),
            real_size: None,
            max_pages,
            given: Vec::new(),
            by_start: BTreeMap::new(),
            fingerprints: HashMap::new(),
            n_in_flight: 0,
            holes: BTreeMap::new(),
            settled_before: 0,
            n_settled: 0,
            next_start: 0,
            first_ordinal: 0,
            again: None,
            n_rows_before: 0,
            n_rows: 0,
            counted: Counted::default(),
            total_rows: None,
            total_pages: None,
            probing: false,
            done: false,
        }
    }

    pub(super) fn next_place(&mut self) -> Option<PagePlace> {
        if self.done || self.next_ordinal() > self.max_pages {
            return None;
        }
        let again = self.again.take();
        if again.is_none() {
            if let Some((start, width)) = self.holes.pop_first() {
                return Some(self.give(start, width, true));
            }
            if !self.may_ask_next() {
                return None;
            }
        }
        let start = self.next_start;
        let width = match self.unit {
            Unit::Page { .. } => 1,
            Unit::Offset { .. } => self.real_size.unwrap_or(self.page_size),
        };
        self.next_start = start.saturating_add(width);
        let place = self.give(start, width, false);
        if let (Some(_), Some(page)) = (again, self.given.last_mut()) {
            page.is_stored = true;
        }
        Some(place)
    }

    fn give(&mut self, start: u64, width: u64, is_hole: bool) -> PagePlace {
        let key = match self.unit {
            Unit::Page { first } => PageKey::Page(first.saturating_add(start)),
            Unit::Offset { limited } => {
                PageKey::Offset { offset: start, limit: Some(width).filter(|width| limited && *width < self.page_size) }
            }
        };
        let ordinal = self.next_ordinal();
        self.by_start.insert(start, self.given.len());
        self.given.push(GivenPage {
            start,
            width,
            is_hole,
            is_stored: false,
            key: key.clone(),
            n_rows: 0,
            print: PagePrint::default(),
            state: PageState::InFlight,
        });
        self.n_in_flight += 1;
        PagePlace { ordinal, key }
    }

    fn next_ordinal(&self) -> u64 {
        self.first_ordinal + self.given.len() as u64
    }

    /// Returns whether the regular page after the last one may be asked for now.
    fn may_ask_next(&self) -> bool {
        let Some((_, &last_idx)) = self.by_start.last_key_value() else {
            return true;
        };
        let one_at_a_time = self.probing || self.real_size.is_none() || matches!(self.unit, Unit::Offset { limited: false });
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
                PageState::Rows { last: false } | PageState::Empty { more: true } => n_answered += u64::from(is_prefix),
                _ => return false,
            }
        }
        (self.given.len() as u64) < n_answered + (n_answered + 1).min(MAX_WINDOW)
    }

    /// Returns the start at which the known total ends.
    fn needed_end(&self) -> Option<u64> {
        let size = self.real_size?.max(1);
        match self.unit {
            Unit::Page { .. } => self.total_pages.or_else(|| self.total_rows.map(|rows| rows.div_ceil(size))),
            Unit::Offset { .. } => self.total_rows.or_else(|| self.total_pages.map(|pages| pages.saturating_mul(size))),
        }
    }

    pub(super) fn answered(&mut self, place: &PagePlace, facts: &PageFacts) -> Result<PageVerdict> {
        let idx = self.in_flight_idx(place)?;
        self.n_in_flight -= 1;
        self.given[idx].print = facts.print();
        if self.real_size.is_none() {
            self.learn_size(idx, facts);
        }
        self.learn_totals(facts)?;
        let verdict = self.take_rows(idx, facts)?;
        if verdict == PageVerdict::Keep && place.ordinal >= self.max_pages {
            return Err(too_many_pages(self.max_pages));
        }
        if self.given[idx].n_rows > 0 && idx > 0 {
            self.probing = false;
        }
        let start = self.given[idx].start;
        match self.unit {
            Unit::Offset { limited: false } => self.next_start = start.saturating_add(facts.n_rows),
            Unit::Offset { limited: true } if start < self.settled_before => self.leave_hole(idx),
            _ => {}
        }
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
            let can_step_over = self.unit != (Unit::Offset { limited: false });
            self.given[idx].state = PageState::Empty { more: can_step_over && facts.has_more == Some(true) };
            return Ok(PageVerdict::Beyond);
        }
        let last = match facts.has_more {
            Some(more) => !more,
            None => facts.n_rows < expected,
        };
        match self.fingerprints.get(&facts.fingerprint).copied() {
            Some(other) if self.given[other].start < self.given[idx].start => {
                self.given[idx].state = PageState::Repeat(other);
                Ok(PageVerdict::Beyond)
            }
            Some(other) => {
                // The later page came first and was kept: its rows stay where they are, but it is the one that repeats.
                self.fingerprints.insert(facts.fingerprint, idx);
                self.given[idx].state = PageState::Rows { last };
                self.given[other].state = PageState::Repeat(idx);
                self.given[idx].n_rows = std::mem::take(&mut self.given[other].n_rows);
                Ok(PageVerdict::Beyond)
            }
            None if matches!(self.unit, Unit::Offset { limited: true }) && idx > 0 && facts.n_rows > expected => {
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

    pub(super) fn failed(&mut self, place: &PagePlace, failure: PageFailure) -> Result<()> {
        let idx = self.in_flight_idx(place)?;
        self.n_in_flight -= 1;
        if self.given[idx].start < self.settled_before {
            return Err(failure.into_error());
        }
        self.given[idx].state = PageState::Failed(failure);
        self.settle()
    }

    fn in_flight_idx(&self, place: &PagePlace) -> Result<usize> {
        let idx =
            place.ordinal.checked_sub(self.first_ordinal).and_then(|idx| usize::try_from(idx).ok()).ok_or_else(|| not_in_flight(place))?;
        let page = self.given.get(idx).ok_or_else(|| not_in_flight(place))?;
        let is_in_flight = page.key == place.key && matches!(page.state, PageState::InFlight);
        is_in_flight.then_some(idx).ok_or_else(|| not_in_flight(place))
    }

    /// Learns from the first answer how many rows a page has. Some APIs give fewer than asked for.
    fn learn_size(&mut self, idx: usize, facts: &PageFacts) {
        let is_full = facts.n_rows >= self.page_size;
        let says_how_it_ends = facts.total_rows.is_some() || facts.total_pages.is_some() || facts.has_more.is_some();
        let is_round = facts.n_rows.is_multiple_of(10) || facts.n_rows.is_multiple_of(25);
        self.probing = facts.n_rows > 0 && !is_full && !says_how_it_ends && is_round;
        let is_real = facts.n_rows > 0 && (is_full || says_how_it_ends || is_round);
        let real_size = if is_real { facts.n_rows } else { self.page_size };
        self.real_size = Some(real_size);
        if matches!(self.unit, Unit::Offset { .. }) {
            self.given[idx].width = real_size;
            self.next_start = self.given[idx].start.saturating_add(real_size);
        }
    }

    fn learn_totals(&mut self, facts: &PageFacts) -> Result<()> {
        // A total below the rows of the very page counts something else.
        let total_rows = facts.total_rows.filter(|rows| *rows >= facts.n_rows);
        let total_pages = facts.total_pages.filter(|pages| *pages > 0 || facts.n_rows == 0);
        self.total_rows = self.total_rows.max(total_rows);
        self.total_pages = self.total_pages.max(total_pages);
        match self.total_pages() {
            Some(n_pages) if n_pages > self.max_pages => Err(too_many_pages(self.max_pages)),
            _ => Ok(()),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn total_pages(&self) -> Option<u64> {
        let needed = self.needed_end().filter(|_| !self.done);
        match self.unit {
            _ if self.done => Some(self.next_ordinal()),
            Unit::Page { .. } => needed,
            Unit::Offset { .. } => Some(needed?.div_ceil(self.real_size?.max(1))),
        }
    }
}
