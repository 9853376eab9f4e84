//! The pager against models of APIs: every row once, in order, with few requests.

use super::*;
use crate::json::JsonPath;
use crate::spec::Total;
use proptest::prelude::*;
use proptest::strategy::Strategy;
use std::collections::BTreeMap;

/// What an API does with a page after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterEnd {
    Empty,
    RepeatLast,
    Refuse,
}

/// A model of an API with `n_rows` rows, numbered from 0.
#[derive(Debug, Clone)]
struct ModelApi {
    n_rows: u64,
    /// Most rows it gives in a page.
    clamp: u64,
    tells_total: bool,
    after_end: AfterEnd,
}

impl ModelApi {
    fn page(&self, first: u64, len: u64) -> Option<Vec<u64>> {
        let len = len.min(self.clamp);
        let rows = |from: u64| (from..(from + len).min(self.n_rows)).collect::<Vec<u64>>();
        match self.after_end {
            _ if first < self.n_rows || first == 0 => Some(rows(first)),
            AfterEnd::Empty => Some(Vec::new()),
            AfterEnd::RepeatLast => Some(rows((self.n_rows.max(1) - 1) / len * len)),
            AfterEnd::Refuse => None,
        }
    }

    fn answer(&self, paging: &Paging, key: &PageKey) -> Option<Vec<u64>> {
        match (paging, key) {
            (Paging::PageAndCount { page_size, first_page, .. }, PageKey::Page(page)) => {
                let len = (*page_size).min(self.clamp);
                self.page((page - first_page) * len, len)
            }
            (Paging::OffsetAndCount { page_size, .. }, PageKey::Offset { offset, limit }) => {
                self.page(*offset, limit.unwrap_or(*page_size))
            }
            _ => panic!("{key:?} for {paging:?}"),
        }
    }

    fn facts(&self, rows: &[u64]) -> PageFacts {
        PageFacts {
            n_rows: rows.len() as u64,
            total_rows: self.tells_total.then_some(self.n_rows),
            fingerprint: rows.first().map_or(u64::MAX, |first| first * 1000 + rows.len() as u64),
            ..PageFacts::default()
        }
    }
}

fn pages(page_size: u64, first_page: u64, total: bool) -> Paging {
    let total = total.then(|| Total::RowsPath(JsonPath::parse("total").unwrap()));
    Paging::PageAndCount { page_param: "page".into(), count_param: Some("count".into()), page_size, first_page, total }
}

fn offsets(page_size: u64, limited: bool) -> Paging {
    Paging::OffsetAndCount { offset_param: "start".into(), count_param: limited.then(|| "count".into()), page_size, total: None }
}

/// The result of a walk: rows by ordinal, and how many requests it took.
#[derive(Debug)]
struct Walk {
    rows: BTreeMap<u64, Vec<u64>>,
    n_requests: u64,
}

impl Walk {
    fn rows(&self) -> Vec<u64> {
        self.rows.values().flatten().copied().collect()
    }
}

/// Walks through all pages with `window` requests in flight, answered in an order that `shuffle` decides.
fn walk(api: &ModelApi, paging: &Paging, mut pager: Pager, window: usize, shuffle: u64) -> Result<Walk> {
    let mut walk = Walk { rows: BTreeMap::new(), n_requests: 0 };
    let mut in_flight: Vec<PagePlace> = Vec::new();
    let mut dice = shuffle;
    loop {
        while in_flight.len() < window {
            let Some(place) = pager.next_place() else {
                break;
            };
            walk.n_requests += 1;
            in_flight.push(place);
        }
        if pager.is_done() {
            return Ok(walk);
        }
        assert!(!in_flight.is_empty(), "the pager is stuck: {pager:?}");
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
        match api.answer(paging, &place.key) {
            None => pager.failed(&place, PageFailure::Refused(Error::api("no such page")))?,
            Some(rows) => {
                if pager.answered(&place, &api.facts(&rows))? == PageVerdict::Keep {
                    walk.rows.insert(place.ordinal, rows);
                }
            }
        }
    }
}

/// Where a walk is cut off: after `n_pages` pages were handed on. Pages before `first` are stored already.
struct Cut {
    n_pages: usize,
    first: u64,
    window: usize,
    shuffle: u64,
}

/// What a walk that was cut off had handed on.
#[derive(Default)]
struct Part {
    rows: Vec<u64>,
    point: Option<ResumePoint>,
    n_requests: u64,
    /// Requests whose answers were not handed on when the walk was cut off.
    n_lost: u64,
    is_done: bool,
}

/// Walks as a load does: pages arrive in any order and are handed on in theirs, each with the point after it.
fn cut_off(api: &ModelApi, paging: &Paging, mut pager: Pager, cut: Cut) -> Part {
    let mut part = Part::default();
    let (mut in_flight, mut early) = (Vec::<PagePlace>::new(), BTreeMap::new());
    let (mut dice, mut next, mut n_handed_on) = (cut.shuffle, None, 0);
    loop {
        while let Some(place) = (in_flight.len() < cut.window).then(|| pager.next_place()).flatten() {
            part.n_requests += 1;
            next.get_or_insert(place.ordinal);
            in_flight.push(place);
        }
        if in_flight.is_empty() {
            part.is_done = true;
            return part;
        }
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
        let kept = match api.answer(paging, &place.key) {
            None => {
                pager.failed(&place, PageFailure::Refused(Error::api("no such page"))).unwrap();
                Vec::new()
            }
            Some(rows) => match pager.answered(&place, &api.facts(&rows)).unwrap() {
                PageVerdict::Keep if place.ordinal >= cut.first => rows,
                _ => Vec::new(),
            },
        };
        early.insert(place.ordinal, kept);
        while let Some(rows) = next.and_then(|next| early.remove(&next)) {
            if !rows.is_empty() {
                part.point = pager.resume_point(next.unwrap());
                part.rows.extend(rows);
                n_handed_on += 1;
            }
            next = next.map(|next| next + 1);
            if n_handed_on > cut.n_pages {
                part.n_lost = (in_flight.len() + early.len()) as u64;
                part.is_done = part.point.is_none();
                assert!(!part.is_done || pager.is_done(), "no place to go on from: {pager:?}");
                return part;
            }
        }
    }
}

fn check_all(api: &ModelApi, paging: &Paging, window: usize, shuffle: u64) -> Walk {
    let walk = walk(api, paging, Pager::new(paging, 10_000), window, shuffle).unwrap_or_else(|err| panic!("{err}: {api:?} {paging:?}"));
    assert_eq!(walk.rows(), (0..api.n_rows).collect::<Vec<_>>(), "{api:?} {paging:?}");
    walk
}

fn model() -> impl Strategy<Value = ModelApi> {
    let after_end = prop_oneof![Just(AfterEnd::Empty), Just(AfterEnd::RepeatLast), Just(AfterEnd::Refuse)];
    (0..400_u64, prop_oneof![Just(1000_u64), Just(10), Just(25), Just(50)], any::<bool>(), after_end).prop_map(
        |(n_rows, clamp, tells_total, after_end)| {
            // An API that refuses the page after a full last one cannot be told from a broken one unless it gives the total.
            let after_end = if after_end == AfterEnd::Refuse && !tells_total { AfterEnd::Empty } else { after_end };
            ModelApi { n_rows, clamp, tells_total, after_end }
        },
    )
}

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
            prop_assert_eq!(walk.n_requests, needed);
        } else {
            prop_assert!(walk.n_requests <= 2 * needed + 1, "{} requests for {} pages", walk.n_requests, needed);
            prop_assert!(walk.n_requests <= needed + 1 + window as u64, "{} requests for {} pages", walk.n_requests, needed);
        }
    }

    #[test]
    fn offsets_bring_each_row_once(api in model(), page_size in 1..60_u64, limited: bool, window in 1..17_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        // An API that repeats its last page for offsets after the end gives rows that overlap; only by pages they are equal.
        let api = ModelApi { after_end: AfterEnd::Empty, ..api };
        let walk = check_all(&api, &offsets(page_size, limited), window, shuffle);
        let needed = api.n_rows.div_ceil(page_size.min(api.clamp)).max(1);
        prop_assert!(walk.n_requests <= 2 * needed + 1, "{} requests for {} pages", walk.n_requests, needed);
    }

    #[test]
    fn pagers_that_are_cut_off_and_resumed_bring_each_row_once(api in model(), page_size in 1..60_u64, by_page: bool, limited: bool, stops in prop::collection::vec(0..9_usize, 1..5), window in 1..17_usize, shuffle: u64) {
        let page_size = if api.clamp < 1000 { page_size.max(api.clamp) } else { page_size };
        let is_last_full = api.n_rows % page_size.min(api.clamp) == 0;
        let after_end = if !by_page || is_last_full && !api.tells_total { AfterEnd::Empty } else { api.after_end };
        let api = ModelApi { after_end, ..api };
        let paging = if by_page { pages(page_size, 1, true) } else { offsets(page_size, limited) };
        let mut stored: Vec<u64> = Vec::new();
        let mut point: Option<ResumePoint> = None;
        let mut n_requests = 0;
        for n_pages in stops.iter().copied().chain([usize::MAX]) {
            let pager = match &point {
                Some(point) => Pager::resume(&paging, 10_000, &ResumePoint::from_text(&point.to_text()).unwrap()).unwrap(),
                None => { stored.clear(); Pager::new(&paging, 10_000) }
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
    fn no_answer_makes_the_pager_hang_or_panic(answers in prop::collection::vec((0..4_u64, prop::option::of(0..40_u64), prop::option::of(any::<bool>()), 0..6_u64, any::<bool>()), 1..60), by_page: bool, limited: bool, window in 1..9_usize) {
        let paging = if by_page { pages(3, 1, true) } else { offsets(3, limited) };
        let mut pager = Pager::new(&paging, 40);
        let mut in_flight = Vec::new();
        let mut answers = answers.into_iter().cycle();
        for _ in 0..200 {
            while in_flight.len() < window {
                match pager.next_place() {
                    Some(place) => in_flight.push(place),
                    None => break,
                }
            }
            if pager.is_done() {
                return Ok(());
            }
            prop_assert!(!in_flight.is_empty(), "the pager is stuck: {:?}", pager);
            let (n_rows, total_rows, has_more, fingerprint, fails) = answers.next().unwrap();
            let place = in_flight.swap_remove(fingerprint as usize % in_flight.len());
            let facts = PageFacts { n_rows, total_rows, has_more, fingerprint: fingerprint + place.ordinal * 5, ..PageFacts::default() };
            let outcome = if fails && place.ordinal > 2 {
                pager.failed(&place, PageFailure::Broken(Error::api("lost")))
            } else {
                pager.answered(&place, &facts).map(|_| ())
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
        any::<Option<String>>().prop_map(PageKey::Token),
        any::<String>().prop_map(PageKey::Link),
    ], n_rows: u64, page_size: Option<u64>, holes: Vec<(u64, u64)>) {
        let point = ResumePoint { ordinal: 7, key, n_rows, page_size, holes, stored: page_size.map(|rows| PagePrint { rows, body: n_rows }) };
        prop_assert_eq!(ResumePoint::from_text(&point.to_text()).unwrap(), point);
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".*") {
        let _ = ResumePoint::from_text(&text);
        let _ = PageKey::from_text(&text);
    }
}

fn facts(n_rows: u64, fingerprint: u64) -> PageFacts {
    PageFacts { n_rows, fingerprint, ..PageFacts::default() }
}

fn take(pager: &mut Pager, n_places: usize) -> Vec<PagePlace> {
    (0..n_places).map_while(|_| pager.next_place()).collect()
}

#[test]
fn a_last_page_exactly_full_is_followed_by_an_empty_one() {
    let api = ModelApi { n_rows: 30, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty };
    assert_eq!(check_all(&api, &pages(15, 1, false), 1, 0).n_requests, 3);
    let api = ModelApi { tells_total: true, ..api };
    assert_eq!(check_all(&api, &pages(15, 0, true), 1, 0).n_requests, 2);
}

#[test]
fn a_small_result_costs_one_request() {
    let api = ModelApi { n_rows: 37, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty };
    assert_eq!(check_all(&api, &pages(100, 1, false), 8, 0).n_requests, 1);
}

#[test]
fn a_clamped_page_size_does_not_end_the_load() {
    for tells_total in [false, true] {
        let api = ModelApi { n_rows: 120, clamp: 50, tells_total, after_end: AfterEnd::Empty };
        check_all(&api, &pages(100, 1, true), 8, 3);
        check_all(&api, &offsets(100, true), 8, 3);
        check_all(&api, &offsets(100, false), 8, 3);
    }
}

#[test]
fn an_api_without_paging_and_a_round_number_of_rows_is_one_page() {
    let mut pager = Pager::new(&pages(100, 1, false), 10);
    let first = pager.next_place().unwrap();
    assert_eq!(pager.answered(&first, &facts(50, 1)).unwrap(), PageVerdict::Keep);
    let second = pager.next_place().unwrap();
    assert_eq!(pager.answered(&second, &facts(50, 1)).unwrap(), PageVerdict::Beyond);
    assert!(pager.is_done());
}

#[test]
fn an_empty_page_in_the_middle_does_not_end_a_known_total() {
    let mut pager = Pager::new(&pages(10, 1, true), 100);
    let with_total = |n_rows, fingerprint| PageFacts { total_rows: Some(40), ..facts(n_rows, fingerprint) };
    let first = pager.next_place().unwrap();
    pager.answered(&first, &with_total(10, 1)).unwrap();
    let places = take(&mut pager, 16);
    assert_eq!(places.len(), 3);
    assert_eq!(pager.total_pages(), Some(4));
    pager.answered(&places[0], &with_total(0, 0)).unwrap();
    pager.answered(&places[1], &with_total(7, 3)).unwrap();
    pager.answered(&places[2], &with_total(10, 4)).unwrap();
    assert!(!pager.is_done(), "13 rows are missing, so there may be another page");
    let probe = pager.next_place().unwrap();
    pager.answered(&probe, &with_total(0, 0)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn a_total_that_is_not_reached_is_told() {
    let check = |paging: &Paging, total_rows: Option<u64>, total_pages: Option<u64>, sizes: &[u64], expected: Option<&str>| {
        let mut pager = Pager::new(paging, 100);
        assert_eq!(pager.shortfall(), None);
        while let Some(place) = pager.next_place() {
            let n_rows = sizes.get(place.ordinal as usize).copied().unwrap_or(0);
            pager.answered(&place, &PageFacts { total_rows, total_pages, ..facts(n_rows, place.ordinal) }).unwrap();
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
    let mut pager = Pager::new(&pages(10, 1, false), 100);
    let first = pager.next_place().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let places = take(&mut pager, 8);
    pager.answered(&places[0], &facts(9, 2)).unwrap();
    assert!(!pager.is_done());
    assert_eq!(pager.answered(&places[1], &facts(10, 3)).unwrap(), PageVerdict::Keep);
    assert!(pager.next_place().is_some());
}

#[test]
fn rows_a_short_page_left_out_are_asked_for_again() {
    let mut pager = Pager::new(&offsets(10, true), 100);
    let with_total = |n_rows, fingerprint| PageFacts { total_rows: Some(30), ..facts(n_rows, fingerprint) };
    let first = pager.next_place().unwrap();
    pager.answered(&first, &with_total(10, 1)).unwrap();
    let places = take(&mut pager, 8);
    pager.answered(&places[0], &with_total(6, 2)).unwrap();
    pager.answered(&places[1], &with_total(10, 3)).unwrap();
    let hole = pager.next_place().unwrap();
    assert_eq!(hole.key, PageKey::Offset { offset: 16, limit: Some(4) });
    pager.answered(&hole, &with_total(4, 4)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn the_same_page_for_ever_is_an_error() {
    let mut pager = Pager::new(&pages(10, 1, false), 100);
    let first = pager.next_place().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let places = take(&mut pager, 2);
    let err = pager.answered(&places[0], &facts(10, 1)).unwrap_err();
    assert!(err.to_string().contains("returned the same page twice (for page 1 and for page 2)"), "{err}");
}

#[test]
fn a_failed_page_after_the_end_is_no_error() {
    let mut pager = Pager::new(&pages(10, 1, false), 100);
    let first = pager.next_place().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let places = take(&mut pager, 2);
    pager.failed(&places[1], PageFailure::Broken(Error::api("returned 500"))).unwrap();
    pager.answered(&places[0], &facts(4, 2)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn a_failed_page_before_the_end_is_an_error() {
    let mut pager = Pager::new(&pages(10, 1, false), 100);
    let first = pager.next_place().unwrap();
    pager.answered(&first, &facts(10, 1)).unwrap();
    let places = take(&mut pager, 2);
    pager.failed(&places[1], PageFailure::Refused(Error::api("returned 404"))).unwrap();
    let err = pager.answered(&places[0], &facts(10, 2)).unwrap_err();
    assert_eq!(err.to_string(), "returned 404");
}

#[test]
fn more_pages_than_the_limit_are_an_error() {
    let api = ModelApi { n_rows: 100, clamp: 1000, tells_total: false, after_end: AfterEnd::Empty };
    let paging = pages(10, 1, false);
    let err = walk(&api, &paging, Pager::new(&paging, 9), 4, 1).unwrap_err();
    assert!(err.to_string().contains("more than 9 pages"), "{err}");
    assert!(walk(&api, &paging, Pager::new(&paging, 10), 4, 1).is_ok());
    let api = ModelApi { tells_total: true, ..api };
    let err = walk(&api, &paging, Pager::new(&paging, 9), 4, 1).unwrap_err();
    assert!(err.to_string().contains("more than 9 pages"), "{err}");
}

#[test]
fn tokens_are_followed_until_there_is_none() {
    let paging = Paging::PagerToken {
        token_param: "after".into(),
        count_param: None,
        page_size: 10,
        token_path: JsonPath::parse("next").unwrap(),
        has_more_path: None,
    };
    let mut pager = Pager::new(&paging, 100);
    let first = pager.next_place().unwrap();
    assert_eq!(first.key, PageKey::Token(None));
    assert_eq!(pager.next_place(), None);
    pager.answered(&first, &PageFacts { token: Some("b".into()), ..facts(3, 1) }).unwrap();
    let second = pager.next_place().unwrap();
    assert_eq!(second, PagePlace { ordinal: 1, key: PageKey::Token(Some("b".into())) });
    let point = pager.resume_point(0).unwrap();
    assert_eq!(point.key, second.key);
    let mut circling = Pager::resume(&paging, 100, &point).unwrap();
    let place = circling.next_place().unwrap();
    let err = circling.answered(&place, &PageFacts { token: Some("b".into()), ..facts(3, 1) }).unwrap_err();
    assert!(err.to_string().contains("same page twice"), "{err}");
    pager.answered(&second, &PageFacts { token: Some("c".into()), has_more: Some(false), ..facts(3, 2) }).unwrap();
    assert!(pager.is_done());
    assert_eq!(pager.total_pages(), Some(2));
}

#[test]
fn the_same_rows_behind_new_tokens_or_links_are_an_error() {
    let tokens = Paging::PagerToken {
        token_param: "after".into(),
        count_param: None,
        page_size: 10,
        token_path: JsonPath::parse("next").unwrap(),
        has_more_path: None,
    };
    let check = |paging: &Paging, next: fn(&str) -> PageFacts, n_rows: u64, expected: &str| {
        let mut pager = Pager::new(paging, 100);
        let outcome = ["b", "c", "d"].iter().try_for_each(|name| {
            let place = pager.next_place().unwrap();
            pager.answered(&place, &PageFacts { n_rows, fingerprint: 1, ..next(name) }).map(|_| ())
        });
        let message = outcome.err().map(|err| err.to_string()).unwrap_or_default();
        assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{message}");
    };
    let token: fn(&str) -> PageFacts = |name| PageFacts { token: Some(name.into()), ..PageFacts::default() };
    let link: fn(&str) -> PageFacts = |name| PageFacts { next_link: Some(format!("https://a.test/{name}")), ..PageFacts::default() };
    let links = Paging::LinkHeader { count_param: None, page_size: 10 };
    check(&tokens, token, 10, "same page twice");
    check(&links, link, 10, "same page twice");
    // Pages without rows are alike and may go on.
    check(&tokens, token, 0, "");
    check(&links, link, 0, "");
}

#[test]
fn more_without_a_token_is_an_error() {
    let mut pager = Pager::new(
        &Paging::PagerToken {
            token_param: "t".into(),
            count_param: None,
            page_size: 1,
            token_path: JsonPath::parse("t").unwrap(),
            has_more_path: None,
        },
        9,
    );
    let first = pager.next_place().unwrap();
    let err = pager.answered(&first, &PageFacts { has_more: Some(true), ..facts(1, 1) }).unwrap_err();
    assert!(err.to_string().contains("gives no token"), "{err}");
}

fn linked() -> Pager {
    Pager::new(&Paging::LinkHeader { count_param: Some("per_page".into()), page_size: 10 }, 100)
}

#[test]
fn pages_up_to_the_last_link_are_fetched_side_by_side() {
    let mut pager = linked();
    let first = pager.next_place().unwrap();
    let link = |page: u64| format!("https://api.test/repos?per_page=10&page={page}&q=a+b");
    pager.answered(&first, &PageFacts { next_link: Some(link(2)), last_link: Some(link(4)), ..facts(10, 1) }).unwrap();
    assert_eq!(pager.total_pages(), Some(4));
    let places = take(&mut pager, 10);
    let keys: Vec<PageKey> = places.iter().map(|place| place.key.clone()).collect();
    assert_eq!(keys, [PageKey::Link(link(2)), PageKey::Link(link(3)), PageKey::Link(link(4))]);
    pager.answered(&places[2], &PageFacts { next_link: Some(link(5)), last_link: Some(link(5)), ..facts(10, 4) }).unwrap();
    pager.answered(&places[0], &PageFacts { next_link: Some(link(3)), ..facts(10, 2) }).unwrap();
    pager.answered(&places[1], &PageFacts { next_link: Some(link(4)), ..facts(10, 3) }).unwrap();
    let fifth = pager.next_place().unwrap();
    assert_eq!(fifth, PagePlace { ordinal: 4, key: PageKey::Link(link(5)) });
    assert_eq!(pager.resume_point(1).unwrap().key, PageKey::Link(link(3)));
    pager.answered(&fifth, &facts(10, 5)).unwrap();
    assert!(pager.is_done());
}

#[test]
fn links_that_count_rows_or_tokens_are_followed_one_by_one() {
    let check = |next: &str, last: &str| {
        let mut pager = linked();
        let first = pager.next_place().unwrap();
        pager.answered(&first, &PageFacts { next_link: Some(next.into()), last_link: Some(last.into()), ..facts(10, 1) }).unwrap();
        let places = take(&mut pager, 10);
        assert_eq!(places.len(), 1, "{next} {last}");
    };
    check("https://a.test/?offset=10", "https://a.test/?offset=90");
    check("https://a.test/?after=abc", "https://a.test/?after=xyz");
    check("https://a.test/?page=2&x=1", "https://a.test/?page=9&x=2");
    check("https://a.test/?page=2", "https://b.test/?page=9");
}

#[test]
fn a_link_that_comes_back_is_an_error() {
    let mut pager = linked();
    let first = pager.next_place().unwrap();
    pager.answered(&first, &PageFacts { next_link: Some("https://a.test/2".into()), ..facts(1, 1) }).unwrap();
    let second = pager.next_place().unwrap();
    let err = pager.answered(&second, &PageFacts { next_link: Some("https://a.test/2".into()), ..facts(1, 2) }).unwrap_err();
    assert!(err.to_string().contains("same page twice"), "{err}");
}
