//! The pager against models of APIs: every row once, in order, with few requests.

mod following;
pub(super) mod model;
mod numbered;
mod vanished;

use super::*;
use crate::source::*;
use crate::{Error, ErrorKind};
use model::*;
use proptest::prelude::*;
use proptest::strategy::Strategy;

proptest! {
    #[test]
    fn pages_bring_each_row_once(api in model(), page_size in 1..60_u64, first_page in 0..2_u64, window in 1..17_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        let is_last_full = api.n_rows % page_size.min(api.clamp) == 0;
        // A full last page that comes again and again is the error of an API that ignores the page's number.
        let after_end = if is_last_full && !api.tells_total { AfterEnd::Empty } else { api.after_end };
        let api = ModelApi { after_end, ..api };
        let walk = check_all(&api, &pages(page_size, first_page, true), window, shuffle);
        let needed = api.n_rows.div_ceil(page_size.min(api.clamp)).max(1);
        if api.tells_total {
            // A total that equals the rows of a full first page may count the page: the next one tells.
            let is_doubted = api.n_rows == page_size && api.n_rows <= api.clamp;
            prop_assert_eq!(walk.n_requests, needed + u64::from(is_doubted));
        } else {
            prop_assert!(walk.n_requests <= 2 * needed + 1, "{} requests for {} pages", walk.n_requests, needed);
            prop_assert!(walk.n_requests <= needed + 1 + window as u64, "{} requests for {} pages", walk.n_requests, needed);
        }
    }

    #[test]
    fn offsets_bring_each_row_once(api in model(), first_page in 0..3_u64, page_size in 1..60_u64, limited: bool, window in 1..17_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        // An API that repeats its last page for offsets after the end gives rows that overlap; only by pages they are equal.
        let api = ModelApi { after_end: AfterEnd::Empty, ..api };
        let walk = check_all(&api, &offsets_from(first_page, page_size, limited), window, shuffle);
        let needed = api.n_rows.div_ceil(page_size.min(api.clamp)).max(1);
        prop_assert!(walk.n_requests <= 2 * needed + 1, "{} requests for {} pages", walk.n_requests, needed);
    }

    #[test]
    fn how_far_ahead_pages_are_asked_for_changes_no_row(n_rows in 1..300_u64, hidden in prop::collection::btree_set(0..300_u64, 0..80), page_size in 2..40_u64, way in 0..3_u8, tells_total: bool, shuffle: u64, stops in prop::collection::vec(0..5_usize, 0..4)) {
        // Where a request cannot say how many rows it wants, only a page that is not short tells how many there are in one.
        let hidden = hidden.into_iter().filter(|&row| way < 2 || row >= page_size).collect();
        let api = ModelApi { n_rows, clamp: 1000, tells_total, hidden, ..ModelApi::default() };
        let paging = match way { 0 => pages(page_size, 1, true), way => offsets(page_size, way == 1) };
        let one_by_one = walk(&api, &paging, paging.source(10_000), 1, shuffle).unwrap().rows();
        let mut distinct = one_by_one.clone();
        distinct.sort_unstable();
        let given: Vec<u64> = (0..n_rows).filter(|row| !api.hidden.contains(row)).collect();
        // Each row at most once. Where the API tells the total, all of them, else all up to a page that is empty.
        prop_assert!(distinct.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", distinct);
        prop_assert_eq!(&distinct, &given[..distinct.len()].to_vec());
        if tells_total && way < 2 {
            prop_assert_eq!(distinct.len(), given.len());
        }
        for window in [2, 5, 16] {
            let mut rows = walk(&api, &paging, paging.source(10_000), window, shuffle).unwrap().rows();
            rows.sort_unstable();
            prop_assert_eq!(&rows, &distinct);
            // Nor does breaking off and going on.
            let (mut stored, mut point): (Vec<u64>, Option<ResumePoint>) = (Vec::new(), None);
            for n_pages in stops.iter().copied().chain([usize::MAX]) {
                let pager = match &point {
                    Some(point) => paging.source_at(10_000, &ResumePoint::from_text(&point.to_text()).unwrap()).unwrap(),
                    None => { stored.clear(); paging.source(10_000) }
                };
                let part = cut_off(&api, &paging, pager, Cut { n_pages, first: point.as_ref().map_or(0, |point| point.ordinal), window, shuffle });
                stored.extend(part.rows);
                if part.is_done { break; }
                point = part.point.or(point);
            }
            stored.sort_unstable();
            prop_assert_eq!(&stored, &distinct);
        }
    }

    #[test]
    fn pagers_that_are_cut_off_and_resumed_bring_each_row_once(api in model(), first_page in 0..3_u64, page_size in 1..60_u64, by_page: bool, limited: bool, stops in prop::collection::vec(0..9_usize, 1..5), window in 1..17_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        let is_last_full = api.n_rows % page_size.min(api.clamp) == 0;
        let after_end = if !by_page || is_last_full && !api.tells_total { AfterEnd::Empty } else { api.after_end };
        let api = ModelApi { after_end, ..api };
        let paging = if by_page { pages(page_size, 1, true) } else { offsets_from(first_page, page_size, limited) };
        let mut stored: Vec<u64> = Vec::new();
        let mut point: Option<ResumePoint> = None;
        let mut n_requests = 0;
        for n_pages in stops.iter().copied().chain([usize::MAX]) {
            let pager = match &point {
                Some(point) => paging.source_at(10_000, &ResumePoint::from_text(&point.to_text()).unwrap()).unwrap(),
                None => { stored.clear(); paging.source(10_000) }
            };
            let part = cut_off(&api, &paging, pager, Cut { n_pages, first: point.as_ref().map_or(0, |point| point.ordinal), window, shuffle });
            stored.extend(part.rows);
            n_requests += part.n_requests - part.n_lost;
            if part.is_done { break; }
            point = part.point.or(point);
        }
        stored.sort_unstable();
        prop_assert_eq!(stored, (0..api.n_rows).collect::<Vec<_>>());
        let needed = api.n_rows.div_ceil(page_size.min(api.clamp)).max(1);
        let most = 2 * needed + 1 + stops.len() as u64;
        prop_assert!(n_requests <= most, "{} requests for {} pages in {} parts", n_requests, needed, stops.len() + 1);
    }

    #[test]
    fn tokens_and_links_that_are_cut_off_and_resumed_bring_each_row_once(n_rows in 0..300_u64, page_size in 1..40_u64, paging in sequential(), tells_last: bool, stops in prop::collection::vec(0..9_usize, 1..5), window in 1..9_usize, shuffle: u64) {
        let (mut stored, mut point): (Vec<u64>, Option<ResumePoint>) = (Vec::new(), None);
        let mut n_requests = 0;
        for (run, n_pages) in stops.iter().copied().chain([usize::MAX]).enumerate() {
            // Each run finds other tokens: what an earlier one was given leads nowhere but to the page it had read.
            let api = ChainApi { n_rows, page_size, run: run as u64, tells_last };
            let pager = match &point {
                Some(point) => paging.source_at(10_000, &ResumePoint::from_text(&point.to_text()).unwrap()).unwrap(),
                None => { stored.clear(); paging.source(10_000) }
            };
            let answer = |key: &PageKey| Some(api.answer(key));
            let part = cut_off_by(&answer, pager, &Cut { n_pages, first: point.as_ref().map_or(0, |point| point.ordinal), window, shuffle });
            stored.extend(part.rows);
            n_requests += part.n_requests - part.n_lost;
            if part.is_done { break; }
            point = part.point.or(point);
        }
        prop_assert_eq!(stored, (0..n_rows).collect::<Vec<_>>());
        let needed = n_rows.div_ceil(page_size).max(1);
        let most = needed + stops.len() as u64;
        prop_assert!(n_requests <= most, "{} requests for {} pages in {} parts", n_requests, needed, stops.len() + 1);
    }

    #[test]
    fn no_answer_makes_the_pager_hang_or_panic(answers in prop::collection::vec((0..4_u64, prop::option::of(0..40_u64), prop::option::of(any::<bool>()), 0..6_u64, any::<bool>()), 1..60), by_page: bool, limited: bool, window in 1..9_usize) {
        let paging = if by_page { pages(3, 1, true) } else { offsets(3, limited) };
        let mut pager = paging.source(40);
        let mut in_flight = Vec::new();
        let mut answers = answers.into_iter().cycle();
        for _ in 0..200 {
            while in_flight.len() < window {
                match pager.next_position() {
                    Some(position) => in_flight.push(position),
                    None => break,
                }
            }
            if pager.is_done() {
                return Ok(());
            }
            prop_assert!(!in_flight.is_empty(), "the pager is stuck: {:?}", pager);
            let (n_rows, total_rows, has_more, fingerprint, fails) = answers.next().unwrap();
            let position = in_flight.swap_remove(fingerprint as usize % in_flight.len());
            let facts = PageFacts { n_rows, total_rows, has_more, fingerprint: fingerprint + position.ordinal * 5, ..PageFacts::default() };
            let outcome = if fails && position.ordinal > 2 {
                pager.failed(&position, PageFailure::Broken(Error::api("lost")))
            } else {
                pager.answered(&position, &facts).map(|_| ())
            };
            if outcome.is_err() {
                return Ok(());
            }
        }
        prop_assert!(false, "the pager does not end: {:?}", pager);
    }

    #[test]
    fn keys_survive_their_text(key in prop_oneof![
        Just(PageKey::Only),
        any::<u64>().prop_map(PageKey::Page),
        (any::<u64>(), any::<Option<u64>>()).prop_map(|(offset, limit)| PageKey::Offset { offset, limit }),
        any::<Option<String>>().prop_map(|token| PageKey::Token(token.map(Token::from))),
        any::<i64>().prop_map(|number| PageKey::Token(Some(Token::of_json(number.to_string())))),
        prop::collection::btree_map(any::<String>(), any::<String>(), 0..4).prop_map(|params| {
            PageKey::Params(params.into_iter().map(|(name, text)| (name, Token::from(text))).collect())
        }),
        any::<String>().prop_map(PageKey::Link),
    ], n_rows: u64, page_size: Option<u64>, holes in prop::collection::vec(any::<(u64, u64, Vec<u64>)>(), 0..4)) {
        let shrinks = holes.iter().map(|(start, before, tail)| Shrink { start: *start, before: *before, after: tail.len() as u64 }).collect();
        let holes = holes.into_iter().map(|(start, n_rows, tail)| Hole { start, n_rows, tail }).collect();
        let point = ResumePoint { ordinal: 7, key, n_rows, page_size, hides: n_rows % 2 == 0, holes, stored: page_size.map(|rows| PagePrint { rows, body: n_rows }), shrinks, lacking: page_size, n_repeated: n_rows % 3, told: Amount { rows: page_size, pages: Some(n_rows) }, most_rows: n_rows % 3, job: None };
        prop_assert_eq!(ResumePoint::from_text(&point.to_text()).unwrap(), point);
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".*") {
        let _ = ResumePoint::from_text(&text);
        let _ = PageKey::from_text(&text);
    }
}

#[test]
fn a_place_without_what_the_page_was_cannot_be_continued() {
    for (paging, key) in
        [(Paging::of("{strategy: linkHeader}"), PageKey::Link("https://a.test/2".into())), (pages(10, 1, false), PageKey::Page(2))]
    {
        let point = ResumePoint {
            ordinal: 2,
            key,
            n_rows: 10,
            page_size: None,
            hides: false,
            holes: Vec::new(),
            stored: None,
            shrinks: Vec::new(),
            lacking: None,
            n_repeated: 0,
            told: Amount::default(),
            most_rows: 0,
            job: None,
        };
        assert_eq!(paging.source_at(100, &point).unwrap_err().kind(), ErrorKind::CannotResume);
    }
}
