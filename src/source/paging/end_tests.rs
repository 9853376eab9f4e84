//! Where pages end when the API says something else than it seems to.

use crate::source::*;
use crate::Error;

fn paged(by_page: bool) -> Paging {
    Paging::of(match by_page {
        true => "{strategy: pageAndCount, page_param: page, page_size: 25, total_path: total}",
        false => "{strategy: offsetAndCount, offset_param: start, count_param: count, page_size: 25, total_path: total}",
    })
}

/// An API of `n_rows` rows in pages of 25, and what it tells with each.
struct Telling {
    n_rows: u64,
    total_rows: fn(u64) -> Option<u64>,
    total_pages: fn(u64) -> Option<u64>,
    has_more: Option<bool>,
    /// Whether pages after the end are refused.
    refuses: bool,
}

const TELLS_NOTHING: Telling = Telling { n_rows: 0, total_rows: |_| None, total_pages: |_| None, has_more: None, refuses: false };

/// Returns how many rows came, with how many requests, and what the log says.
fn walk(by_page: bool, api: &Telling) -> (u64, u64, Option<String>) {
    let mut pager = paged(by_page).source(1000);
    let (mut n_rows, mut n_requests) = (0, 0);
    while let Some(position) = pager.next_position() {
        n_requests += 1;
        let start = match &position.key {
            PageKey::Page(page) => (page - 1) * 25,
            PageKey::Offset { offset, .. } => *offset,
            key => panic!("{key:?}"),
        };
        let len = api.n_rows.saturating_sub(start).min(25);
        if len == 0 && api.refuses && start > 0 {
            pager.failed(&position, PageFailure::Refused(Error::api("no such page"))).unwrap();
            continue;
        }
        let facts = PageFacts {
            n_rows: len,
            total_rows: (api.total_rows)(len),
            total_pages: (api.total_pages)(start / 25 + 1),
            has_more: api.has_more.filter(|_| start + len < api.n_rows),
            fingerprint: start,
            ..PageFacts::default()
        };
        if pager.answered(&position, &facts).unwrap().keeps_rows() {
            n_rows += len;
        }
    }
    assert!(pager.is_done(), "{pager:?}");
    (n_rows, n_requests, pager.shortfall())
}

#[test]
fn a_total_that_counts_the_page_does_not_end_the_load() {
    for by_page in [true, false] {
        let api = Telling { n_rows: 120, total_rows: Some, ..TELLS_NOTHING };
        let (n_rows, _, told) = walk(by_page, &api);
        assert_eq!(n_rows, 120, "by page: {by_page}");
        assert!(told.is_some_and(|told| told.contains("counts the page")), "by page: {by_page}");
    }
}

#[test]
fn a_number_of_pages_that_is_the_page_s_own_does_not_end_the_load() {
    let api = Telling { n_rows: 120, total_pages: Some, ..TELLS_NOTHING };
    let (n_rows, _, told) = walk(true, &api);
    assert_eq!(n_rows, 120);
    assert!(told.is_some_and(|told| told.contains("counts the page")));
}

#[test]
fn a_total_that_is_the_first_page_and_right_costs_one_more_request() {
    for (by_page, refuses) in [(true, true), (true, false), (false, true), (false, false)] {
        let api = Telling { n_rows: 25, total_rows: |_| Some(25), refuses, ..TELLS_NOTHING };
        assert_eq!(walk(by_page, &api), (25, 2, None), "by page: {by_page}, refuses: {refuses}");
        let api = Telling { n_rows: 24, total_rows: |_| Some(24), refuses, ..TELLS_NOTHING };
        assert_eq!(walk(by_page, &api), (24, 1, None), "by page: {by_page}, refuses: {refuses}");
        let api = Telling { n_rows: 50, total_rows: |_| Some(50), refuses, ..TELLS_NOTHING };
        assert_eq!(walk(by_page, &api), (50, 2, None), "by page: {by_page}, refuses: {refuses}");
    }
}

#[test]
fn a_total_that_the_api_contradicts_does_not_end_the_load() {
    let api = Telling { n_rows: 120, total_rows: Some, has_more: Some(true), ..TELLS_NOTHING };
    assert_eq!(walk(true, &api).0, 120);
}

#[test]
fn a_total_that_counts_the_page_does_not_end_a_load_that_goes_on() {
    for by_page in [true, false] {
        let mut pager = paged(by_page).source(1000);
        let facts = |start: u64| PageFacts { n_rows: 25, total_rows: Some(25), fingerprint: start, ..PageFacts::default() };
        for start in 0..2 {
            let position = pager.next_position().unwrap();
            pager.answered(&position, &facts(start)).unwrap();
        }
        let point = pager.resume_point(1).unwrap();
        let mut pager = paged(by_page).source_at(1000, &point).unwrap();
        let again = pager.next_position().unwrap();
        pager.answered(&again, &facts(1)).unwrap();
        assert!(pager.next_position().is_some() && !pager.is_done(), "by page: {by_page}");
    }
}

fn tokens() -> Box<dyn Source> {
    Paging::of("{strategy: pagerToken, token_param: since, page_size: 10, pager_token_path: next}").source(100)
}

#[test]
fn an_empty_page_with_the_token_that_was_sent_is_the_end() {
    let token = |n_rows, token: &str, fingerprint| PageFacts {
        n_rows,
        next: Some(PageKey::Token(Some(token.into()))),
        fingerprint,
        ..PageFacts::default()
    };
    let mut pager = tokens();
    for facts in [token(10, "a", 1), token(4, "b", 2), token(0, "b", 0)] {
        let position = pager.next_position().unwrap();
        assert_eq!(pager.answered(&position, &facts).unwrap(), PageVerdict::Keep);
    }
    assert!(pager.is_done() && pager.next_position().is_none());

    // With rows, or where the API says that more follow, the same token is not the end.
    for facts in [token(1, "a", 2), PageFacts { has_more: Some(true), ..token(0, "a", 0) }] {
        let mut pager = tokens();
        let position = pager.next_position().unwrap();
        pager.answered(&position, &token(10, "a", 1)).unwrap();
        let position = pager.next_position().unwrap();
        assert!(pager.answered(&position, &facts).unwrap_err().message().contains("the same page twice"));
    }
}
