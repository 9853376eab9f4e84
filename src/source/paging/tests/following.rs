//! Pages that tokens and links lead to: examples.

use super::super::*;
use super::model::*;
use crate::source::*;
use crate::Result;

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
