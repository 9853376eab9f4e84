//! Pages that have a number or an offset: examples.

use super::super::*;
use super::model::*;
use crate::source::*;
use crate::Error;

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
fn a_small_first_page_is_not_the_end_where_its_answer_shows_more() {
    for (paging, second) in [(pages(100, 1, false), PageKey::Page(2)), (offsets(100, true), PageKey::Offset { offset: 100, limit: None })] {
        let mut pager = paging.source(10);
        let first = pager.next_position().unwrap();
        pager.answered(&first, &PageFacts { shows_more: true, ..facts(37, 1) }).unwrap();
        assert_eq!(pager.next_position().unwrap().key, second);
    }
}

#[test]
fn a_total_that_only_the_first_page_tells_holds_for_a_load_that_goes_on() {
    for paging in [pages(10, 1, true), offsets(10, true), offsets(10, false)] {
        // The third page has no rows, as the API hides all of them.
        let api = ModelApi { n_rows: 60, clamp: 1000, hidden: (20..30).collect(), ..ModelApi::default() };
        let answer = |key: &PageKey| {
            let rows = api.answer(&paging, key)?;
            let is_first = matches!(key, PageKey::Page(1) | PageKey::Offset { offset: 0, .. });
            Some((PageFacts { total_rows: is_first.then_some(60), ..api.facts(&rows) }, rows))
        };
        let part = cut_off_by(&answer, paging.source(100), &Cut { n_pages: 1, first: 0, window: 1, shuffle: 0 });
        let point = ResumePoint::from_text(&part.point.unwrap().to_text()).unwrap();
        let mut pager = paging.source_at(100, &point).unwrap();
        let again = pager.next_position().unwrap();
        let (facts, _) = answer(&again.key).unwrap();
        pager.answered(&again, &facts).unwrap();
        assert_eq!(pager.total_pages(), Some(6), "{paging:?}");
    }
}

#[test]
fn pages_that_end_without_a_word_are_told_from_those_whose_end_is_told() {
    let ends_unsaid = |paging: &str, facts: PageFacts| Paging::of(paging).ends_unsaid(&facts, &["rows".to_string()]);
    let token = "{strategy: pagerToken, token_param: after, pager_token_path: next}";
    let keyset = "{strategy: pagerToken, token_param: after, last_row: id}";
    let link = "{strategy: nextLink, pager_link_path: next}";
    let counted = "{strategy: pageAndCount, page_param: page, page_size: 10, total_path: total}";
    let told = |n_rows| PageFacts { has_more: Some(false), ..facts(n_rows, 1) };
    for paging in [token, link, "{strategy: linkHeader}", counted] {
        assert!(ends_unsaid(paging, facts(3, 1)) && !ends_unsaid(paging, told(3)), "{paging}");
    }
    for paging in [token, link] {
        assert!(!ends_unsaid(paging, PageFacts { next: Some(PageKey::Token(Some("a".into()))), ..facts(3, 1) }), "{paging}");
    }
    // A record that is not there is the end, whatever stands beside the records.
    let in_records = "{strategy: pagerToken, token_param: after, pager_token_path: '$.rows[-1:].id'}";
    assert!(!ends_unsaid(keyset, facts(0, 1)) && !ends_unsaid(in_records, facts(0, 1)) && ends_unsaid(token, facts(0, 1)));
    assert!(ends_unsaid(in_records, facts(3, 1)));
    let at_position = "{strategy: pagerToken, token_param: after, pager_token_path: 'rows[9].id'}";
    assert!(!ends_unsaid(at_position, facts(9, 1)) && ends_unsaid(at_position, facts(10, 1)));
    assert!(!ends_unsaid(counted, facts(10, 1)) && !ends_unsaid(counted, PageFacts { total_rows: Some(3), ..facts(3, 1) }));
    assert!(!ends_unsaid("{strategy: none}", facts(3, 1)));
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
fn a_page_that_breaks_after_pages_of_one_length_is_an_error() {
    // The API gives eight rows where ten are asked for: the second page does not look like the last one.
    for (n_rows, is_end) in [(8, false), (4, true)] {
        let mut pager = pages(10, 1, false).source(100);
        let first = pager.next_position().unwrap();
        pager.answered(&first, &facts(8, 1)).unwrap();
        let second = pager.next_position().unwrap();
        pager.answered(&second, &facts(n_rows, 2)).unwrap();
        let third = pager.next_position().unwrap();
        let outcome = pager.failed(&third, PageFailure::Broken(Error::api("the connection was lost")));
        assert_eq!((outcome.is_ok(), pager.is_done()), (is_end, is_end), "{n_rows}");
        let told = pager.shortfall().unwrap_or_default();
        assert_eq!(told.contains("the connection was lost"), is_end, "{told}");
    }
}

#[test]
fn a_load_that_goes_on_knows_how_long_pages_are() {
    let paging = pages(10, 1, false);
    let answer = |key: &PageKey| match key {
        PageKey::Page(1) => Some((facts(8, 1), vec![1])),
        _ => Some((facts(4, 2), vec![2])),
    };
    let part = cut_off_by(&answer, paging.source(100), &Cut { n_pages: 1, first: 0, window: 1, shuffle: 0 });
    let mut pager = paging.source_at(100, &ResumePoint::from_text(&part.point.unwrap().to_text()).unwrap()).unwrap();
    let again = pager.next_position().unwrap();
    pager.answered(&again, &facts(4, 2)).unwrap();
    let third = pager.next_position().unwrap();
    pager.failed(&third, PageFailure::Broken(Error::api("returned 500"))).unwrap();
    assert!(pager.is_done() && pager.shortfall().is_some());
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
