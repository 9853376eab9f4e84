//! Models of APIs, and walks through their pages as a load takes them.

use super::super::*;
use crate::source::*;
use crate::{Error, Result};
use proptest::prelude::*;
use proptest::strategy::Strategy;
use std::collections::{BTreeMap, BTreeSet};

/// What an API does with a page after its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AfterEnd {
    #[default]
    Empty,
    RepeatLast,
    Refuse,
}

/// A model of an API with `n_rows` rows, numbered from 0.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelApi {
    pub(super) n_rows: u64,
    /// Most rows it gives in a page.
    pub(super) clamp: u64,
    pub(super) tells_total: bool,
    pub(super) after_end: AfterEnd,
    /// Rows that are counted but not given.
    pub(super) hidden: BTreeSet<u64>,
}

impl ModelApi {
    pub(super) fn page(&self, first: u64, len: u64) -> Option<Vec<u64>> {
        let len = len.min(self.clamp);
        let is_given = |row: &u64| !self.hidden.contains(row);
        let rows = |from: u64| (from..(from + len).min(self.n_rows)).filter(is_given).collect::<Vec<u64>>();
        match self.after_end {
            _ if first < self.n_rows || first == 0 => Some(rows(first)),
            AfterEnd::Empty => Some(Vec::new()),
            AfterEnd::RepeatLast => Some(rows((self.n_rows.max(1) - 1) / len * len)),
            AfterEnd::Refuse => None,
        }
    }

    pub(super) fn answer(&self, paging: &Paging, key: &PageKey) -> Option<Vec<u64>> {
        match (paging, key) {
            (Paging::Counted(Counted { by: CountedBy::Page { first_page }, size, .. }), PageKey::Page(page)) => {
                let len = size.page_size.min(self.clamp);
                self.page((page - first_page) * len, len)
            }
            (Paging::Counted(Counted { by: CountedBy::Offset { first_page }, size, .. }), PageKey::Offset { offset, limit }) => {
                self.page(offset - first_page, limit.unwrap_or(size.page_size))
            }
            _ => panic!("{key:?} for {paging:?}"),
        }
    }

    pub(super) fn facts(&self, rows: &[u64]) -> PageFacts {
        PageFacts {
            n_rows: rows.len() as u64,
            total_rows: self.tells_total.then_some(self.n_rows),
            fingerprint: hash_of(rows),
            body: hash_of(rows),
            records: rows.to_vec(),
            ..PageFacts::default()
        }
    }
}

/// Returns a hash of rows.
fn hash_of(rows: &[u64]) -> u64 {
    rows.iter().fold(rows.len() as u64, |hash, row| hash.wrapping_mul(0x0100_0000_01b3).wrapping_add(row + 1))
}

pub(super) fn pages(page_size: u64, first_page: u64, total: bool) -> Paging {
    let total = if total { ", total_path: total" } else { "" };
    Paging::of(&format!(
        "{{strategy: pageAndCount, page_param: page, count_param: count, page_size: {page_size}, first_page: {first_page}{total}}}"
    ))
}

pub(super) fn offsets(page_size: u64, limited: bool) -> Paging {
    offsets_from(0, page_size, limited)
}

pub(super) fn offsets_from(first_page: u64, page_size: u64, limited: bool) -> Paging {
    let count = if limited { ", count_param: count" } else { "" };
    Paging::of(&format!("{{strategy: offsetAndCount, offset_param: start, page_size: {page_size}, first_page: {first_page}{count}}}"))
}

pub(super) fn token_paging() -> Paging {
    Paging::of("{strategy: pagerToken, token_param: after, page_size: 10, pager_token_path: next}")
}

/// The result of a walk: rows by ordinal, and how many requests it took.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) rows: BTreeMap<u64, Vec<u64>>,
    pub(super) n_requests: u64,
}

impl Walk {
    pub(super) fn rows(&self) -> Vec<u64> {
        self.rows.values().flatten().copied().collect()
    }
}

/// Walks through all pages with `window` requests in flight, answered in an order that `shuffle` decides.
pub(super) fn walk(api: &ModelApi, paging: &Paging, mut pager: Box<dyn Source>, window: usize, shuffle: u64) -> Result<Walk> {
    let mut walk = Walk { rows: BTreeMap::new(), n_requests: 0 };
    let mut in_flight: Vec<PagePosition> = Vec::new();
    let mut dice = shuffle;
    loop {
        while in_flight.len() < window {
            let Some(position) = pager.next_position() else {
                break;
            };
            walk.n_requests += 1;
            in_flight.push(position);
        }
        if pager.is_done() {
            return Ok(walk);
        }
        assert!(!in_flight.is_empty(), "the pager is stuck: {pager:?}");
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let position = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
        match api.answer(paging, &position.key) {
            None => pager.failed(&position, PageFailure::Refused(Error::api("no such page")))?,
            Some(rows) => {
                if pager.answered(&position, &api.facts(&rows))?.keeps_rows() {
                    walk.rows.insert(position.ordinal, rows);
                }
            }
        }
        if pager.is_done() {
            walk.rows.retain(|ordinal, _| !pager.is_beyond(*ordinal));
        }
    }
}

/// Where a walk is cut off: after `n_pages` pages were handed on. Pages before `first` are stored already.
pub(in crate::source::paging) struct Cut {
    pub(in crate::source::paging) n_pages: usize,
    pub(in crate::source::paging) first: u64,
    pub(in crate::source::paging) window: usize,
    pub(in crate::source::paging) shuffle: u64,
}

/// What a walk that was cut off had handed on.
#[derive(Default)]
pub(in crate::source::paging) struct Part {
    pub(in crate::source::paging) rows: Vec<u64>,
    pub(in crate::source::paging) point: Option<ResumePoint>,
    pub(in crate::source::paging) n_requests: u64,
    /// Requests whose answers were not handed on when the walk was cut off.
    pub(in crate::source::paging) n_lost: u64,
    pub(in crate::source::paging) is_done: bool,
}

pub(super) fn cut_off(api: &ModelApi, paging: &Paging, pager: Box<dyn Source>, cut: Cut) -> Part {
    let answer = |key: &PageKey| api.answer(paging, key).map(|rows| (api.facts(&rows), rows));
    cut_off_by(&answer, pager, &cut)
}

/// What an API answers for a page: `None` is a refusal.
pub(in crate::source::paging) type Answers<'a> = &'a dyn Fn(&PageKey) -> Option<(PageFacts, Vec<u64>)>;

/// Walks as a load does: pages arrive in any order and are handed on in theirs, each with the point after it.
pub(in crate::source::paging) fn cut_off_by(answer: Answers<'_>, mut pager: Box<dyn Source>, cut: &Cut) -> Part {
    let mut part = Part::default();
    let (mut in_flight, mut early) = (Vec::<PagePosition>::new(), BTreeMap::new());
    let (mut dice, mut next, mut n_handed_on) = (cut.shuffle, None, 0);
    loop {
        while let Some(position) = (in_flight.len() < cut.window).then(|| pager.next_position()).flatten() {
            part.n_requests += 1;
            next.get_or_insert(position.ordinal);
            in_flight.push(position);
        }
        if in_flight.is_empty() {
            assert!(pager.is_done(), "the pager is stuck: {pager:?}");
            part.is_done = true;
            return part;
        }
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let position = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
        let kept = match answer(&position.key) {
            None => {
                pager.failed(&position, PageFailure::Refused(Error::api("no such page"))).unwrap();
                Vec::new()
            }
            Some((facts, rows)) => match pager.answered(&position, &facts).unwrap() {
                verdict if verdict.keeps_rows() && position.ordinal >= cut.first => rows,
                _ => Vec::new(),
            },
        };
        early.insert(position.ordinal, kept);
        while let Some(rows) = next.and_then(|next| early.remove(&next)) {
            if !rows.is_empty() && !pager.is_beyond(next.unwrap()) {
                part.point = pager.resume_point(next.unwrap());
                part.rows.extend(rows);
                n_handed_on += 1;
            }
            next = next.map(|next| next + 1);
            if n_handed_on > cut.n_pages {
                part.n_lost = (in_flight.len() + early.len()) as u64;
                part.is_done = part.point.is_none();
                assert!(!part.is_done || pager.is_done(), "no position to go on from: {pager:?}");
                return part;
            }
        }
    }
}

/// A model of an API whose pages lead to each other by tokens and links that hold the number of a run, and of a page from 0.
pub(super) struct ChainApi {
    pub(super) n_rows: u64,
    pub(super) page_size: u64,
    pub(super) run: u64,
    pub(super) tells_last: bool,
}

impl ChainApi {
    pub(super) fn answer(&self, key: &PageKey) -> (PageFacts, Vec<u64>) {
        let page_in = |text: &str| text.rsplit_once('=').unwrap().1.parse().unwrap();
        let page: u64 = match key {
            PageKey::Token(Some(token)) => page_in(token.as_text()),
            PageKey::Params(params) if !params.is_empty() => page_in(params[0].1.as_text()),
            PageKey::Link(link) => page_in(link),
            _ => 0,
        };
        let position = |page: u64| format!("https://a.test/?run={}&page={page}", self.run);
        let last = self.n_rows.div_ceil(self.page_size).max(1) - 1;
        let named = |text: String| match key {
            PageKey::Token(_) => PageKey::Token(Some(text.into())),
            PageKey::Params(_) => PageKey::Params(vec![("p".to_string(), text.into())]),
            _ => PageKey::Link(text),
        };
        let next = (page < last).then(|| named(position(page + 1)));
        let rows: Vec<u64> = (page * self.page_size..((page + 1) * self.page_size).min(self.n_rows)).collect();
        let last_link = self.tells_last.then(|| position(last));
        let fingerprint = page + 1;
        (PageFacts { n_rows: rows.len() as u64, next, last_link, fingerprint, ..PageFacts::default() }, rows)
    }
}

pub(super) fn sequential() -> impl Strategy<Value = Paging> {
    let links = Paging::of("{strategy: nextLink, pager_link_path: next}");
    let carried = Paging::of("{strategy: pagerToken, carry: next}");
    prop_oneof![Just(token_paging()), Just(carried), Just(links), Just(Paging::of("{strategy: linkHeader}"))]
}

pub(super) fn check_all(api: &ModelApi, paging: &Paging, window: usize, shuffle: u64) -> Walk {
    let walk = walk(api, paging, paging.source(10_000), window, shuffle).unwrap_or_else(|err| panic!("{err}: {api:?} {paging:?}"));
    assert_eq!(walk.rows(), (0..api.n_rows).collect::<Vec<_>>(), "{api:?} {paging:?}");
    walk
}

pub(super) fn model() -> impl Strategy<Value = ModelApi> {
    let after_end = prop_oneof![Just(AfterEnd::Empty), Just(AfterEnd::RepeatLast), Just(AfterEnd::Refuse)];
    (0..400_u64, prop_oneof![Just(1000_u64), Just(10), Just(25), Just(50)], any::<bool>(), after_end).prop_map(
        |(n_rows, clamp, tells_total, after_end)| {
            // An API that refuses the page after a full last one cannot be told from a broken one unless it gives the total.
            let after_end = if after_end == AfterEnd::Refuse && !tells_total { AfterEnd::Empty } else { after_end };
            ModelApi { n_rows, clamp, tells_total, after_end, ..ModelApi::default() }
        },
    )
}

/// Returns what a page of so many rows says, which are equal to those of another page with the same fingerprint.
pub(super) fn facts(n_rows: u64, fingerprint: u64) -> PageFacts {
    PageFacts { n_rows, fingerprint, ..PageFacts::default() }
}

/// Returns the next positions, at most so many.
pub(super) fn take(pager: &mut Box<dyn Source>, n_places: usize) -> Vec<PagePosition> {
    (0..n_places).map_while(|_| pager.next_position()).collect()
}
