//! What is known of numbered pages while they are read.

use super::moves::Moves;
use crate::source::page::PageFailure;
use crate::source::{Amount, Hole, PageKey, PagePrint};
use std::collections::{BTreeMap, HashMap};

/// Page numbers or offsets. A page's start is its number (counted from 0) or its offset.
#[derive(Debug)]
pub struct NumberedPager {
    pub(super) unit: Unit,
    /// Rows asked for in one page.
    pub(super) page_size: u64,
    /// Rows a page of this API really has, known from the first answer on.
    pub(super) real_size: Option<u64>,
    pub(super) max_pages: u64,
    /// Pages given out, by ordinal counted from `first_ordinal`.
    pub(super) given: Vec<GivenPage>,
    /// Index in `given` by start.
    pub(super) by_start: BTreeMap<u64, usize>,
    /// The kept page of each fingerprint: index in `given`.
    pub(super) fingerprints: HashMap<u64, usize>,
    pub(super) n_in_flight: usize,
    /// Pages given out that are not holes.
    pub(super) n_regular: u64,
    /// What short pages left out, by offset, not given out yet.
    pub(super) holes: BTreeMap<u64, Hole>,
    /// What the stored page that a resumed load asks for again left out: not missing, where that page is the end.
    pub(super) held_back: Option<Hole>,
    /// Whether a page was short because the API hides rows, and offsets count those, too.
    pub(super) hides: bool,
    /// Pages that start before this one are answered and known not to be the end.
    pub(super) settled_before: u64,
    /// Those of them that are not holes.
    pub(super) n_settled: u64,
    /// Start of the next regular page.
    pub(super) next_start: u64,
    pub(super) first_ordinal: u64,
    /// Start of the stored page that a resumed load asks for again, until it is given out.
    pub(super) again: Option<u64>,
    pub(super) n_rows_before: u64,
    pub(super) n_rows: u64,
    /// Start of the page that ends the resource, once it is known.
    pub(super) end: Option<u64>,
    /// Rows that came of pages after the end.
    pub(super) n_rows_beyond: u64,
    /// Pages at the front whose rows `resume_point` counted, and the rows up to the last regular one of them.
    pub(super) counted: Counted,
    pub(super) totals: Totals,
    pub(super) total_rows: Option<u64>,
    pub(super) total_pages: Option<u64>,
    /// Why the page at the end could not be read, where it lies after one that looks like the last.
    pub(super) unread_end: Option<String>,
    /// What an earlier load, which this one continues, was told.
    pub(super) told_before: Amount,
    /// The first page was short by its number of rows, and the second one shows whether the API's pages are that small.
    pub(super) probing: bool,
    /// The first page was short and others follow: what the next one with rows has shows whether pages are that small, or rows hidden.
    pub(super) is_alone: bool,
    /// The most rows of a page so far.
    pub(super) most_rows: u64,
    /// What rows that vanish at the source move.
    pub(super) moves: Moves,
    /// Whether all pages are answered, but for those that are read again.
    pub(super) done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Pages are counted from this number.
    Page { first: u64 },
    /// Offsets are counted from `first`. `limited`: a request can say how many rows it wants.
    Offset { first: u64, limited: bool },
}

/// What the totals that the API tells are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Totals {
    Trusted,
    /// The first page is full and all there is, or the total counts the page: the next page tells.
    Doubted,
    /// They count the page.
    Ignored,
}

/// What is known of the pages at the front, which grow in number with every point.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) n_pages: usize,
    pub(super) n_rows: u64,
    /// Those of the pages that repeat others.
    pub(super) n_repeats: u64,
    /// The last of them that is not a hole.
    pub(super) last_idx: Option<usize>,
}

#[derive(Debug)]
pub(super) struct GivenPage {
    pub(super) start: u64,
    /// Starts this page covers: rows for offsets, one for page numbers.
    pub(super) width: u64,
    pub(super) is_hole: bool,
    /// Stored by an earlier load: asked for again to learn what it says about the pages after it.
    pub(super) is_stored: bool,
    /// Asked for again because rows moved: it brings rows and is not counted.
    pub(super) is_again: bool,
    pub(super) key: PageKey,
    pub(super) n_rows: u64,
    /// Whether its answer shows that there is more.
    pub(super) shows_more: bool,
    pub(super) print: PagePrint,
    /// Hashes of the last records of the page.
    pub(super) tail: Vec<u64>,
    /// Of a hole: hashes of the last records of the short page that left it.
    pub(super) tail_before: Vec<u64>,
    /// Rows there are, as told with the page.
    pub(super) told: Option<u64>,
    pub(super) state: PageState,
}

#[derive(Debug)]
pub(super) enum PageState {
    InFlight,
    /// Rows of its own.
    Rows {
        last: Last,
    },
    /// No rows. `more`: the API says that others follow.
    Empty {
        more: bool,
    },
    /// Repeats the page with this index.
    Repeat(usize),
    /// Repeats rows of the page before it, which was short because the API hides rows.
    Overlap,
    Failed(PageFailure),
}

/// Whether a page with rows looks like the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    No,
    /// It has fewer rows than others.
    Short,
    /// The API says so.
    Told,
}

impl NumberedPager {
    /// Pages by number, the first of which is `first`.
    pub fn by_page(first: u64, page_size: u64, max_pages: u64) -> NumberedPager {
        NumberedPager::new(Unit::Page { first }, page_size, max_pages)
    }

    /// Pages by offset, the first of which is `first`. `limited`: a request can say how many rows it wants.
    pub fn by_offset(first: u64, limited: bool, page_size: u64, max_pages: u64) -> NumberedPager {
        NumberedPager::new(Unit::Offset { first, limited }, page_size, max_pages)
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
            n_regular: 0,
            holes: BTreeMap::new(),
            held_back: None,
            hides: false,
            settled_before: 0,
            n_settled: 0,
            next_start: 0,
            first_ordinal: 0,
            again: None,
            n_rows_before: 0,
            n_rows: 0,
            end: None,
            n_rows_beyond: 0,
            counted: Counted::default(),
            totals: Totals::Trusted,
            total_rows: None,
            total_pages: None,
            unread_end: None,
            told_before: Amount::default(),
            probing: false,
            is_alone: false,
            most_rows: 0,
            moves: Moves::default(),
            done: false,
        }
    }

    /// Returns how many starts a whole page covers.
    pub(super) fn width(&self) -> u64 {
        match self.unit {
            Unit::Page { .. } => 1,
            Unit::Offset { .. } => self.real_size.unwrap_or(self.page_size),
        }
    }

    /// Returns whether pages are offsets and a request can say how many rows it wants.
    pub(super) fn is_limited(&self) -> bool {
        matches!(self.unit, Unit::Offset { limited: true, .. })
    }

    /// Returns whether pages are offsets and no request can say how many rows it wants.
    pub(super) fn is_unlimited(&self) -> bool {
        matches!(self.unit, Unit::Offset { limited: false, .. })
    }

    pub(super) fn next_ordinal(&self) -> u64 {
        self.first_ordinal + self.given.len() as u64
    }

    /// Returns the next ordinal as if no page were read again.
    pub(super) fn n_asked(&self) -> u64 {
        self.next_ordinal().saturating_sub(self.moves.n_again)
    }

    /// Returns the start at which the known total ends.
    pub(super) fn needed_end(&self) -> Option<u64> {
        let size = self.real_size?.max(1);
        match self.unit {
            Unit::Page { .. } => self.total_pages.or_else(|| self.total_rows.map(|rows| rows.div_ceil(size))),
            Unit::Offset { .. } => self.total_rows.or_else(|| self.total_pages.map(|pages| pages.saturating_mul(size))),
        }
    }

    /// Returns the page of that ordinal.
    pub(super) fn page_of(&self, ordinal: u64) -> Option<&GivenPage> {
        self.idx_of(ordinal).map(|idx| &self.given[idx])
    }

    /// Returns where the page of this ordinal stands among those that were given out.
    pub(super) fn idx_of(&self, ordinal: u64) -> Option<usize> {
        let idx = ordinal.checked_sub(self.first_ordinal).and_then(|idx| usize::try_from(idx).ok());
        idx.filter(|idx| *idx < self.given.len())
    }
}
