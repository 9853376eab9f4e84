//! The pager against models of APIs: every row once, in order, with few requests.

pub(super) mod model;
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
        let point = ResumePoint { ordinal: 7, key, n_rows, page_size, hides: n_rows % 2 == 0, holes, stored: page_size.map(|rows| PagePrint { rows, body: n_rows }), shrinks, lacking: page_size, n_repeated: n_rows % 3, job: None };
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
            job: None,
        };
        assert_eq!(paging.source_at(100, &point).unwrap_err().kind(), ErrorKind::CannotResume);
    }
}

fn facts(n_rows: u64, fingerprint: u64) -> PageFacts {
    PageFacts { n_rows, fingerprint, ..PageFacts::default() }
}

fn take(pager: &mut Box<dyn Source>, n_places: usize) -> Vec<PagePosition> {
    (0..n_places).map_while(|_| pager.next_position()).collect()
}

#[test]
fn a_last_page_exactly_full_is_followed_by_an_empty_one() {
    let api = ModelApi { n_rows: 30, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty, ..ModelApi::default() };
    assert_eq!(check_all(&api, &pages(15, 1, false), 1, 0).n_requests, 3);
    let api = ModelApi { tells_total: true, ..api };
    assert_eq!(check_all(&api, &pages(15, 0, true), 1, 0).n_requests, 2);
}

#[test]
fn a_small_result_costs_one_request() {
    let api = ModelApi { n_rows: 37, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty, ..ModelApi::default() };
    assert_eq!(check_all(&api, &pages(100, 1, false), 8, 0).n_requests, 1);
}

#[test]
fn a_clamped_page_size_does_not_end_the_load() {
    for tells_total in [false, true] {
        let api = ModelApi { n_rows: 120, clamp: 50, tells_total, after_end: AfterEnd::Empty, ..ModelApi::default() };
        check_all(&api, &pages(100, 1, true), 8, 3);
        check_all(&api, &offsets(100, true), 8, 3);
        check_all(&api, &offsets(100, false), 8, 3);
    }
}

#[test]
fn an_api_without_paging_and_a_round_number_of_rows_is_one_page() {
    let mut pager = pages(100, 1, false).source(10);
    let first = pager.next_position().unwrap();
    assert_eq!(pager.answered(&first, &facts(50, 1)).unwrap(), PageVerdict::Keep);
    let second = pager.next_position().unwrap();
    assert_eq!(pager.answered(&second, &facts(50, 1)).unwrap(), PageVerdict::Beyond);
    assert!(pager.is_done());
}

#[test]
fn an_empty_page_in_the_middle_does_not_end_a_known_total() {
    let mut pager = pages(10, 1, true).source(100);
    let with_total = |n_rows, fingerprint| PageFacts { total_rows: Some(40), ..facts(n_rows, fingerprint) };
    let first = pager.next_position().unwrap();
    pager.answered(&first, &with_total(10, 1)).unwrap();
    let positions = take(&mut pager, 16);
    assert_eq!(positions.len(), 3);
    assert_eq!(pager.total_pages(), Some(4));
    pager.answered(&positions[0], &with_total(0, 0)).unwrap();
    pager.answered(&positions[1], &with_total(7, 3)).unwrap();
    pager.answered(&positions[2], &with_total(10, 4)).unwrap();
    assert!(!pager.is_done(), "13 rows are missing, so there may be another page");
    let probe = pager.next_position().unwrap();
    pager.answered(&probe, &with_total(0, 0)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn a_total_that_is_not_reached_is_told() {
    let check = |paging: &Paging, total_rows: Option<u64>, total_pages: Option<u64>, sizes: &[u64], expected: Option<&str>| {
        let mut pager = paging.source(100);
        assert_eq!(pager.shortfall(), None);
        while let Some(position) = pager.next_position() {
            let n_rows = sizes.get(position.ordinal as usize).copied().unwrap_or(0);
            pager.answered(&position, &PageFacts { total_rows, total_pages, ..facts(n_rows, position.ordinal) }).unwrap();
        }
        assert!(pager.is_done());
        assert_eq!(pager.shortfall().as_deref(), expected, "{paging:?}");
    };
    for paging in [pages(10, 1, true), pages(10, 0, true), offsets(10, true)] {
        check(&paging, Some(1000), None, &[10, 10, 10], Some("the API told 1000 rows and gave 30"));
        check(&paging, Some(30), None, &[10, 10, 10], None);
        check(&paging, Some(23), None, &[10, 10, 3], None);
        // More rows than told may come, too.
        check(&paging, Some(29), None, &[10, 10, 10], None);
        check(&paging, None, None, &[10, 10, 7], None);
    }
    check(&offsets(10, false), Some(1000), None, &[10, 10, 10], Some("the API told 1000 rows and gave 30"));
    check(&pages(10, 1, true), None, Some(9), &[10, 10, 10], Some("the API told 9 pages and gave no rows after page 3 of them"));
    check(&pages(10, 1, true), None, Some(3), &[10, 0, 10], None);
}

#[test]
fn a_short_page_before_one_with_rows_is_not_the_end() {
    let mut pager = pages(10, 1, false).source(100);
    let first = pager.next_position().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let positions = take(&mut pager, 8);
    pager.answered(&positions[0], &facts(9, 2)).unwrap();
    assert!(!pager.is_done());
    assert_eq!(pager.answered(&positions[1], &facts(10, 3)).unwrap(), PageVerdict::Keep);
    assert!(pager.next_position().is_some());
}

#[test]
fn rows_a_short_page_left_out_are_asked_for_again() {
    let mut pager = offsets(10, true).source(100);
    let with_total = |n_rows, fingerprint| PageFacts { total_rows: Some(30), ..facts(n_rows, fingerprint) };
    let first = pager.next_position().unwrap();
    pager.answered(&first, &with_total(10, 1)).unwrap();
    let positions = take(&mut pager, 8);
    pager.answered(&positions[0], &with_total(6, 2)).unwrap();
    pager.answered(&positions[1], &with_total(10, 3)).unwrap();
    let hole = pager.next_position().unwrap();
    assert_eq!(hole.key, PageKey::Offset { offset: 16, limit: Some(4) });
    pager.answered(&hole, &with_total(4, 4)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn the_same_page_for_ever_is_an_error() {
    let mut pager = pages(10, 1, false).source(100);
    let first = pager.next_position().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let positions = take(&mut pager, 2);
    let err = pager.answered(&positions[0], &facts(10, 1)).unwrap_err();
    assert!(err.to_string().contains("returned the same page twice (for page 1 and for page 2)"), "{err}");
}

#[test]
fn a_failed_page_after_the_end_is_no_error() {
    let mut pager = pages(10, 1, false).source(100);
    let first = pager.next_position().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let positions = take(&mut pager, 2);
    pager.failed(&positions[1], PageFailure::Broken(Error::api("returned 500"))).unwrap();
    pager.answered(&positions[0], &facts(4, 2)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn a_failed_page_before_the_end_is_an_error() {
    let mut pager = pages(10, 1, false).source(100);
    let first = pager.next_position().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let positions = take(&mut pager, 2);
    pager.failed(&positions[1], PageFailure::Refused(Error::api("returned 404"))).unwrap();
    let err = pager.answered(&positions[0], &facts(10, 2)).unwrap_err();
    assert_eq!(err.to_string(), "returned 404");
}

#[test]
fn more_pages_than_the_limit_are_an_error() {
    let api = ModelApi { n_rows: 100, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty, ..ModelApi::default() };
    let paging = pages(10, 1, false);
    let err = walk(&api, &paging, paging.source(9), 4, 1).unwrap_err();
    assert!(err.to_string().contains("more than 9 pages"), "{err}");
    assert!(walk(&api, &paging, paging.source(10), 4, 1).is_ok());
    let api = ModelApi { tells_total: true, ..api };
    let err = walk(&api, &paging, paging.source(9), 4, 1).unwrap_err();
    assert!(err.to_string().contains("more than 9 pages"), "{err}");
}

#[test]
fn tokens_are_followed_until_there_is_none() {
    let paging = token_paging();
    let mut pager = paging.source(100);
    let first = pager.next_position().unwrap();
    assert_eq!(first.key, PageKey::Token(None));
    assert_eq!(pager.next_position(), None);
    pager.answered(&first, &PageFacts { next: token("b"), ..facts(3, 1) }).unwrap();
    let second = pager.next_position().unwrap();
    assert_eq!(second, PagePosition { ordinal: 1, key: PageKey::Token(Some("b".into())) });
    let point = pager.resume_point(0).unwrap();
    assert_eq!((point.ordinal, &point.key, point.stored), (1, &first.key, Some(facts(3, 1).print())));
    // The stored page is asked for again, and what it says now leads on.
    let mut resumed = paging.source_at(100, &point).unwrap();
    assert_eq!(resumed.next_position().unwrap(), first);
    resumed.answered(&first, &PageFacts { next: token("new"), ..facts(3, 1) }).unwrap();
    let position = resumed.next_position().unwrap();
    assert_eq!(position, PagePosition { ordinal: 1, key: PageKey::Token(Some("new".into())) });
    let err = resumed.answered(&position, &PageFacts { next: token("new"), ..facts(3, 2) }).unwrap_err();
    assert!(err.to_string().contains("same page twice"), "{err}");
    pager.answered(&second, &PageFacts { next: token("c"), has_more: Some(false), ..facts(3, 2) }).unwrap();
    assert!(pager.is_done());
    assert_eq!(pager.total_pages(), Some(2));
}

#[test]
fn the_same_rows_behind_new_tokens_or_links_are_an_error() {
    let tokens = token_paging();
    let check = |paging: &Paging, next: fn(&str) -> PageFacts, n_rows: u64, expected: &str| {
        let mut pager = paging.source(100);
        let outcome = ["b", "c", "d"].iter().try_for_each(|name| {
            let position = pager.next_position().unwrap();
            pager.answered(&position, &PageFacts { n_rows, fingerprint: 1, ..next(name) }).map(|_| ())
        });
        let message = outcome.err().map(|err| err.to_string()).unwrap_or_default();
        assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{message}");
    };
    let by_token: fn(&str) -> PageFacts = |name| PageFacts { next: token(name), ..PageFacts::default() };
    let link: fn(&str) -> PageFacts = |name| PageFacts { next: link_to(&format!("https://a.test/{name}")), ..PageFacts::default() };
    let links = Paging::of("{strategy: linkHeader}");
    check(&tokens, by_token, 10, "same page twice");
    check(&links, link, 10, "same page twice");
    // Pages without rows are alike and may go on.
    check(&tokens, by_token, 0, "");
    check(&links, link, 0, "");
}

#[test]
fn more_without_a_token_is_an_error() {
    let paging = Paging::of("{strategy: pagerToken, token_param: t, pager_token_path: t, has_more_path: more}");
    let err = read(&paging, &[], r#"{"more": true}"#).unwrap_err();
    assert!(err.to_string().contains("gives no token"), "{err}");
}

/// Returns what an answer with these headers and this body says.
fn read(paging: &Paging, headers: &[(&str, &str)], body: &str) -> Result<PageFacts> {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
    let (mut body, url) = (body.as_bytes().to_vec(), url::Url::parse("https://api.test/v1/items").unwrap());
    let document = crate::document::parse(&mut body).unwrap();
    paging.facts_of(
        &Seen { headers: &headers, url: &url, root: document.root(), last_row: None },
        PageRows { n_rows: 1, ..PageRows::default() },
    )
}

fn token(text: &str) -> Option<PageKey> {
    Some(PageKey::Token(Some(text.into())))
}

fn link_to(link: &str) -> Option<PageKey> {
    Some(PageKey::Link(link.to_string()))
}

#[test]
fn rows_are_cut_into_pages() {
    let check = |paging: &str, n_rows: u64, n_sets: u64, expected: Option<u64>| {
        assert_eq!(Paging::of(paging).n_pages(n_rows, n_sets), expected, "{n_rows} rows of {n_sets} sets");
    };
    let with_total = "{strategy: pageAndCount, page_param: page, page_size: 100, total_header: x-total}";
    let numbered = "{strategy: pageAndCount, page_param: page, page_size: 100}";
    check(with_total, 250, 1, Some(3));
    check(with_total, 200, 1, Some(2));
    check(with_total, 0, 1, Some(1));
    check(numbered, 250, 1, Some(3));
    check(numbered, 200, 1, Some(3));
    check(numbered, 250, 5, Some(5));
    check(numbered, 0, 0, Some(0));
    check("{strategy: none}", 250, 7, Some(7));
    check("{strategy: nextLink, pager_link_path: next}", 250, 1, None);
    check("{strategy: linkHeader, count_param: n, page_size: 50}", 101, 1, Some(3));
}

fn linked() -> Box<dyn Source> {
    Paging::of("{strategy: linkHeader, count_param: per_page, page_size: 10}").source(100)
}

#[test]
fn pages_up_to_the_last_link_are_fetched_side_by_side() {
    let mut pager = linked();
    let first = pager.next_position().unwrap();
    let link = |page: u64| format!("https://api.test/repos?per_page=10&page={page}&q=a+b");
    pager.answered(&first, &PageFacts { next: link_to(&link(2)), last_link: Some(link(4)), ..facts(10, 1) }).unwrap();
    assert_eq!(pager.total_pages(), Some(4));
    let positions = take(&mut pager, 10);
    let keys: Vec<PageKey> = positions.iter().map(|position| position.key.clone()).collect();
    assert_eq!(keys, [PageKey::Link(link(2)), PageKey::Link(link(3)), PageKey::Link(link(4))]);
    pager.answered(&positions[2], &PageFacts { next: link_to(&link(5)), last_link: Some(link(5)), ..facts(10, 4) }).unwrap();
    pager.answered(&positions[0], &PageFacts { next: link_to(&link(3)), ..facts(10, 2) }).unwrap();
    pager.answered(&positions[1], &PageFacts { next: link_to(&link(4)), ..facts(10, 3) }).unwrap();
    let fifth = pager.next_position().unwrap();
    assert_eq!(fifth, PagePosition { ordinal: 4, key: PageKey::Link(link(5)) });
    let point = pager.resume_point(1).unwrap();
    assert_eq!((point.ordinal, point.key, point.n_rows, point.stored), (2, PageKey::Link(link(2)), 10, Some(facts(10, 2).print())));
    pager.answered(&fifth, &facts(10, 5)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn links_that_count_rows_or_tokens_are_followed_one_by_one() {
    let check = |next: &str, last: &str| {
        let mut pager = linked();
        let first = pager.next_position().unwrap();
        pager.answered(&first, &PageFacts { next: link_to(next), last_link: Some(last.into()), ..facts(10, 1) }).unwrap();
        let positions = take(&mut pager, 10);
        assert_eq!(positions.len(), 1, "{next} {last}");
    };
    check("https://a.test/?offset=10", "https://a.test/?offset=90");
    check("https://a.test/?after=abc", "https://a.test/?after=xyz");
    check("https://a.test/?page=2&x=1", "https://a.test/?page=9&x=2");
    check("https://a.test/?page=2", "https://b.test/?page=9");
}

#[test]
fn a_link_that_comes_back_is_an_error() {
    let mut pager = linked();
    let first = pager.next_position().unwrap();
    pager.answered(&first, &PageFacts { next: link_to("https://a.test/2"), ..facts(1, 1) }).unwrap();
    let second = pager.next_position().unwrap();
    let err = pager.answered(&second, &PageFacts { next: link_to("https://a.test/2"), ..facts(1, 2) }).unwrap_err();
    assert!(err.to_string().contains("same page twice"), "{err}");
}

/// Some APIs answer a token or a link that has expired with the first page, as if none had been sent.
#[test]
fn an_api_that_begins_anew_in_the_midst_is_an_error() {
    let read = |paging: &Paging, n_rows: u64, next: fn(&str) -> PageFacts| {
        let mut pager = paging.source(100);
        ["b", "c", "d", "e"].iter().zip([1, 2, 3, 1]).try_for_each(|(name, fingerprint)| {
            let position = pager.next_position().unwrap();
            pager.answered(&position, &PageFacts { n_rows, fingerprint, ..next(name) }).map(|_| ())
        })
    };
    let by_token: fn(&str) -> PageFacts = |name| PageFacts { next: token(name), ..PageFacts::default() };
    let link: fn(&str) -> PageFacts = |name| PageFacts { next: link_to(&format!("https://a.test/{name}")), ..PageFacts::default() };
    for (paging, next) in [(token_paging(), by_token), (Paging::of("{strategy: linkHeader}"), link)] {
        let message = read(&paging, 10, next).unwrap_err().to_string();
        assert!(message.contains("the same page twice (for the first page and for "), "{message}");
        // A single row may be equal to another one.
        assert!(read(&paging, 1, next).is_ok());
    }
}
