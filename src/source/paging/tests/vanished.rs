//! Rows that vanish at the source while a walk runs: every row that is there from beginning to end is brought, or the pager says that some
//! may be missing.

use super::super::*;
use super::model::*;
use crate::source::*;
use crate::{Error, Result};
use proptest::prelude::*;
use proptest::strategy::Strategy;
use std::collections::{BTreeMap, BTreeSet};

/// An API whose rows vanish while it is asked.
#[derive(Debug, Clone)]
struct LiveApi {
    rows: Vec<u64>,
    clamp: u64,
    after_end: AfterEnd,
    /// Rows that vanish before the answer with this number: how many, from which position on, as a part of 100.
    vanishing: BTreeMap<u64, (u64, u64)>,
    /// Whether totals count the rows from the page on.
    counts_rest: bool,
    n_answers: u64,
}

impl LiveApi {
    /// Answers as the rows are now.
    fn answer(&mut self, paging: &Paging, key: &PageKey) -> Option<(PageFacts, Vec<u64>)> {
        if let Some((n_rows, part)) = self.vanishing.get(&self.n_answers) {
            let from = self.rows.len() * *part as usize / 100;
            self.rows.drain(from..(from + *n_rows as usize).min(self.rows.len()));
        }
        self.n_answers += 1;
        let api = ModelApi {
            n_rows: self.rows.len() as u64,
            clamp: self.clamp,
            tells_total: true,
            after_end: self.after_end,
            ..ModelApi::default()
        };
        let rows: Vec<u64> = api.answer(paging, key)?.into_iter().map(|position| self.rows[position as usize]).collect();
        let start = match (paging, key) {
            (Paging::Counted(pages), PageKey::Page(page)) => (page - 1) * pages.size.page_size.min(self.clamp),
            (_, PageKey::Offset { offset, .. }) => *offset,
            _ => 0,
        };
        let facts = api.facts(&rows);
        let rest = api.n_rows.saturating_sub(start);
        Some((PageFacts { total_rows: if self.counts_rest { Some(rest) } else { facts.total_rows }, ..facts }, rows))
    }
}

/// How a walk goes.
#[derive(Debug, Clone, Copy)]
struct Way {
    window: usize,
    shuffle: u64,
    vanishing: Vanishing,
}

#[derive(Debug, Default)]
struct Brought {
    rows: Vec<u64>,
    n_requests: u64,
    vanished: Option<Vanished>,
    shortfall: Option<String>,
}

/// Walks as a load does: pages are handed on in order with the position after them, and a walk that is stopped goes on there with the next,
/// unless the page there is not as it was: then it starts over.
fn walk(api: &mut LiveApi, paging: &Paging, way: Way, stops: &[usize]) -> Result<Brought> {
    let mut brought = Brought::default();
    let mut point: Option<ResumePoint> = None;
    let mut stops = stops.iter().copied().chain([usize::MAX]);
    'again: loop {
        let stop = stops.next().unwrap_or(usize::MAX);
        let mut pager = match &point {
            Some(point) => paging.source_at(10_000, &ResumePoint::from_text(&point.to_text())?)?,
            None => paging.source(10_000),
        };
        pager.set_vanishing(way.vanishing);
        let first_new = point.as_ref().map_or(0, |point| point.ordinal);
        let (mut in_flight, mut early) = (Vec::<PagePosition>::new(), BTreeMap::new());
        let (mut dice, mut next, mut n_handed_on) = (way.shuffle, None, 0);
        loop {
            while let Some(position) = (in_flight.len() < way.window).then(|| pager.next_position()).flatten() {
                next.get_or_insert(position.ordinal);
                in_flight.push(position);
            }
            if in_flight.is_empty() {
                assert!(pager.is_done(), "the pager is stuck: {pager:?}");
                return Ok(Brought { vanished: pager.vanished(), shortfall: pager.shortfall(), ..brought });
            }
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let position = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
            brought.n_requests += 1;
            let kept = match api.answer(paging, &position.key) {
                Some((facts, _))
                    if position.ordinal < first_new && point.as_ref().is_some_and(|point| point.stored != Some(facts.print())) =>
                {
                    (point, brought.rows) = (None, Vec::new());
                    continue 'again;
                }
                Some((facts, rows)) => match pager.answered(&position, &facts)? {
                    verdict if verdict.keeps_rows() && position.ordinal >= first_new => rows,
                    _ => Vec::new(),
                },
                None if position.ordinal < first_new => {
                    (point, brought.rows) = (None, Vec::new());
                    continue 'again;
                }
                None => {
                    pager.failed(&position, PageFailure::Refused(Error::api("no such page")))?;
                    Vec::new()
                }
            };
            early.insert(position.ordinal, kept);
            while let Some(rows) = next.and_then(|next| early.remove(&next)) {
                let ordinal = next.unwrap_or_default();
                if !rows.is_empty() && !pager.is_beyond(ordinal) {
                    point = pager.resume_point(ordinal);
                    brought.rows.extend(rows);
                    n_handed_on += 1;
                }
                next = Some(ordinal + 1);
                if n_handed_on > stop && point.is_some() {
                    continue 'again;
                }
            }
        }
    }
}

fn live_api() -> impl Strategy<Value = LiveApi> {
    let after_end = prop_oneof![Just(AfterEnd::Empty), Just(AfterEnd::Refuse)];
    let vanishing = prop::collection::btree_map(1..40_u64, (1..30_u64, 0..100_u64), 0..6);
    (30..300_u64, prop_oneof![Just(1000_u64), Just(25)], after_end, vanishing).prop_map(|(n_rows, clamp, after_end, vanishing)| LiveApi {
        rows: (0..n_rows).collect(),
        clamp,
        after_end,
        vanishing,
        counts_rest: false,
        n_answers: 0,
    })
}

fn paging_of(way: u8, page_size: u64) -> Paging {
    match way {
        0 => pages(page_size, 1, true),
        way => offsets(page_size, way == 1),
    }
}

fn api_of(n_rows: u64, vanishing: &[(u64, (u64, u64))]) -> LiveApi {
    LiveApi {
        rows: (0..n_rows).collect(),
        clamp: 1000,
        after_end: AfterEnd::Empty,
        vanishing: vanishing.iter().copied().collect(),
        counts_rest: false,
        n_answers: 0,
    }
}

/// Returns what a walk brought. `None`: it is an error that there is a reason for, and never the end of the rows. An API may refuse a page
/// that was there when its total was told, and just as many rows may vanish as make a page what the next one was.
fn brought_or_said(outcome: Result<Brought>, after_end: AfterEnd) -> Option<Brought> {
    let Err(err) = &outcome else { return outcome.ok() };
    let is_known = err.message().contains("the same page twice") || (after_end == AfterEnd::Refuse && err.message() == "no such page");
    assert!(is_known, "{err}");
    None
}

proptest! {
    /// The law.
    #[test]
    fn rows_that_stay_are_brought_however_others_vanish(api in live_api(), way in 0..3_u8, page_size in 3..40_u64, window in 1..9_usize, shuffle: u64, stops in prop::collection::vec(0..6_usize, 0..3)) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        let (paging, mut live) = (paging_of(way, page_size), api.clone());
        let brought = walk(&mut live, &paging, Way { window, shuffle, vanishing: Vanishing::ReadAgain }, &stops);
        let Some(brought) = brought_or_said(brought, api.after_end) else { return Ok(()) };
        let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
        let missing: Vec<u64> = live.rows.iter().copied().filter(|row| !rows.contains(row)).collect();
        let is_told = brought.vanished.is_some_and(|vanished| vanished.is_lacking);
        let said = (&brought.vanished, &brought.shortfall, brought.n_requests);
        prop_assert!(missing.is_empty() || is_told, "{:?} are missing, {:?}", missing, said);
        // It is not given up early: rows have to vanish again and again, or many of them where a walk that goes on has asked for few pages.
        prop_assert!(!is_told || api.vanishing.len() > 1 || !stops.is_empty(), "{:?}", said);
        // A page that is refused tells no total, so that nobody knows that rows vanished since the walk goes on: the API did tell more.
        let may_fall_short = api.after_end == AfterEnd::Refuse && !stops.is_empty();
        prop_assert!(brought.shortfall.is_none() || may_fall_short, "{:?}", said);
    }

    /// Without a key it is told that rows moved, and no row comes twice.
    #[test]
    fn where_rows_cannot_be_known_again_it_is_told_that_some_moved(api in live_api(), way in 0..3_u8, page_size in 3..40_u64, window in 1..9_usize, shuffle: u64) {
        let api = LiveApi { clamp: 1000, after_end: AfterEnd::Empty, ..api };
        let (paging, mut live) = (paging_of(way, page_size), api);
        let brought = walk(&mut live, &paging, Way { window, shuffle, vanishing: Vanishing::Told }, &[]);
        let Some(brought) = brought_or_said(brought, AfterEnd::Empty) else { return Ok(()) };
        let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
        let is_missing = live.rows.iter().any(|row| !rows.contains(row));
        prop_assert!(!is_missing || brought.vanished.is_some_and(|vanished| vanished.is_lacking), "{:?}", brought);
    }

    /// Nothing is asked for twice where nothing vanishes.
    #[test]
    fn where_nothing_vanishes_nothing_is_read_again(api in live_api(), way in 0..3_u8, page_size in 3..40_u64, window in 1..9_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        let (paging, api) = (paging_of(way, page_size), LiveApi { vanishing: BTreeMap::new(), ..api });
        let [watched, ignored] = [Vanishing::ReadAgain, Vanishing::Ignored]
            .map(|vanishing| walk(&mut api.clone(), &paging, Way { window, shuffle, vanishing }, &[]).unwrap());
        prop_assert_eq!((watched.n_requests, watched.rows, watched.vanished), (ignored.n_requests, ignored.rows, None));
    }

    /// Totals that count the rows from the page on fall with every page, and nothing has moved.
    #[test]
    fn totals_that_count_what_is_left_are_no_sign(api in live_api(), page_size in 3..40_u64, by_page: bool, window in 1..9_usize, shuffle: u64) {
        let api = LiveApi { vanishing: BTreeMap::new(), counts_rest: true, clamp: 1000, after_end: AfterEnd::Empty, ..api };
        let paging = paging_of(u8::from(!by_page), page_size);
        let [watched, ignored] = [Vanishing::ReadAgain, Vanishing::Ignored]
            .map(|vanishing| walk(&mut api.clone(), &paging, Way { window, shuffle, vanishing }, &[]).unwrap());
        prop_assert_eq!((&watched.vanished, &watched.rows), (&None, &ignored.rows));
        // The first page that is read again shows it.
        prop_assert!(window > 1 || watched.n_requests <= ignored.n_requests + 1, "{} and {}", watched.n_requests, ignored.n_requests);
    }
}

#[test]
fn a_row_that_vanishes_costs_one_request() {
    let one_by_one = Way { window: 1, shuffle: 0, vanishing: Vanishing::ReadAgain };
    for way in 0..3 {
        // Before the position that is read: the next page lacks one of the rows.
        let mut api = api_of(95, &[(3, (1, 0))]);
        let brought = walk(&mut api, &paging_of(way, 10), one_by_one, &[]).unwrap();
        assert_eq!(brought.vanished, Some(Vanished { n_rows: 1, n_moved: 1, is_lacking: false }), "{brought:?}");
        assert!(brought.rows.contains(&30) && brought.n_requests <= 12, "{brought:?}");
        // After it: nothing has moved so far.
        let mut api = api_of(95, &[(3, (1, 90))]);
        let brought = walk(&mut api, &paging_of(way, 10), one_by_one, &[]).unwrap();
        assert_eq!((brought.vanished, brought.rows.len()), (None, 94), "{brought:?}");
    }
}

#[test]
fn a_walk_that_goes_on_reads_again_what_moved_before() {
    for way in 0..3 {
        let mut api = api_of(60, &[(2, (3, 0))]);
        let one_by_one = Way { window: 1, shuffle: 0, vanishing: Vanishing::ReadAgain };
        // It stops with the page that shows the move, and nothing vanishes meanwhile.
        let brought = walk(&mut api, &paging_of(way, 10), one_by_one, &[2]).unwrap();
        let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
        assert!(api.rows.iter().all(|row| rows.contains(row)) && brought.n_requests <= 10, "{brought:?}");
        assert_eq!(brought.vanished, Some(Vanished { n_rows: 3, n_moved: 1, is_lacking: false }));
    }
}

/// Pages that were stored before count, too, where no more are read again than there are.
#[test]
fn a_walk_that_goes_on_is_not_given_up_early() {
    for way in 0..3 {
        let mut api = api_of(58, &[(10, (25, 0))]);
        let one_by_one = Way { window: 1, shuffle: 0, vanishing: Vanishing::ReadAgain };
        let brought = walk(&mut api, &paging_of(way, 3), one_by_one, &[2]).unwrap();
        let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
        assert!(api.rows.iter().all(|row| rows.contains(row)), "{brought:?}");
        assert_eq!(brought.vanished.map(|vanished| (vanished.n_rows, vanished.is_lacking)), Some((25, false)), "{brought:?}");
    }
}

/// As many rows vanish as a page has, so that one page is what another was.
#[test]
fn a_walk_that_goes_on_knows_of_pages_that_repeat_others() {
    let mut api = api_of(89, &[(2, (11, 0))]);
    let way = Way { window: 3, shuffle: 6_436_711_449_423_108_919, vanishing: Vanishing::ReadAgain };
    let brought = walk(&mut api, &paging_of(0, 11), way, &[2, 1]).unwrap();
    let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
    assert!(api.rows.iter().all(|row| rows.contains(row)), "{brought:?}");
    assert_eq!(brought.shortfall, None, "{brought:?}");
}

/// Rows of a page are on the one that is handed on first, also where the other one came first: the load may stop between the two.
#[test]
fn what_moves_from_a_page_to_an_earlier_one_is_stored_with_that() {
    let mut api = api_of(54, &[(4, (15, 0))]);
    let way = Way { window: 7, shuffle: 6_475_997_602_708_922_860, vanishing: Vanishing::ReadAgain };
    let brought = walk(&mut api, &paging_of(0, 3), way, &[1]).unwrap();
    let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
    assert!(api.rows.iter().all(|row| rows.contains(row)), "{brought:?}");
}

/// As many rows vanish as stand before a page, so that its total looks like one of the rows that are left from there on.
#[test]
fn totals_that_look_like_what_is_left_by_chance_are_a_sign() {
    let mut api = api_of(64, &[(1, (9, 15)), (4, (11, 17)), (7, (7, 0))]);
    let way = Way { window: 5, shuffle: 18_066_740_026_204_420_710, vanishing: Vanishing::ReadAgain };
    let brought = walk(&mut api, &paging_of(0, 9), way, &[]).unwrap();
    let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
    assert!(api.rows.iter().all(|row| rows.contains(row)), "{brought:?}");
}

#[test]
fn it_is_given_up_where_rows_vanish_without_end() {
    let vanishing: Vec<(u64, (u64, u64))> = (1..200).map(|n_answers| (n_answers, (4, 0))).collect();
    for way in 0..3 {
        let mut api = api_of(900, &vanishing);
        let brought = walk(&mut api, &paging_of(way, 5), Way { window: 1, shuffle: 0, vanishing: Vanishing::ReadAgain }, &[]).unwrap();
        assert!(brought.n_requests < 400, "{}", brought.n_requests);
        let rows: BTreeSet<u64> = brought.rows.iter().copied().collect();
        let is_missing = api.rows.iter().any(|row| !rows.contains(row));
        let is_told = brought.vanished.is_some_and(|vanished| vanished.is_lacking);
        assert!(is_missing && is_told, "{is_missing} {:?}", brought.vanished);
    }
}
