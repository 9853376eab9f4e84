//! The one rule of next pages against an API of which a spec may believe what it wants: every way brings each row once, wherever it is broken
//! off.

use super::tests::model::{cut_off_by, Cut};
use super::*;
use crate::source::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use url::Url;

/// An API whose answers name the next page in every way there is.
#[derive(Debug)]
struct Everything {
    n_rows: u64,
    page_size: u64,
    /// Pages without rows of their own, by the row they start at: the next one starts there, too.
    empty: BTreeSet<u64>,
    /// Tokens of another run lead nowhere.
    run: u64,
}

/// A position in it: the row, and whether the page without rows was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    row: u64,
    is_past_empty: bool,
}

/// What is true of an answer.
struct Answer {
    rows: Vec<u64>,
    next: Option<Start>,
}

impl Everything {
    fn answer_at(&self, start: Start) -> Answer {
        if self.empty.contains(&start.row) && !start.is_past_empty && start.row < self.n_rows {
            return Answer { rows: Vec::new(), next: Some(Start { is_past_empty: true, ..start }) };
        }
        let end = (start.row + self.page_size).min(self.n_rows);
        let next = (end < self.n_rows).then_some(Start { row: end, is_past_empty: false });
        Answer { rows: (start.row..end).collect(), next }
    }

    fn token(&self, start: Start) -> String {
        format!("{}-{}-{}", self.run, start.row, start.is_past_empty)
    }

    fn start_of(&self, token: &str) -> Start {
        let parts: Vec<&str> = token.split('-').collect();
        Start { row: parts[1].parse().unwrap(), is_past_empty: parts[2] == "true" }
    }

    /// Answers a query. `always`: a next page is named where there is none, too.
    fn answer(&self, query: &[(String, String)], always: bool) -> (Vec<(String, String)>, String, Vec<u64>) {
        let value = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let row = |row: u64| Start { row, is_past_empty: false };
        let start = match (value("after"), value("a"), value("page"), value("offset"), value("after_id")) {
            (Some(token), ..) | (_, Some(token), ..) => self.start_of(token),
            (_, _, Some(page), ..) => row(page.parse::<u64>().unwrap() * self.page_size),
            (.., Some(offset), _) => row(offset.parse().unwrap()),
            (.., Some(id)) => row(id.parse::<u64>().unwrap() + 1),
            _ => row(0),
        };
        let Answer { rows, next } = self.answer_at(start);
        let past_end = Start { row: self.n_rows, is_past_empty: true };
        let named = next.or(always.then_some(past_end)).map(|start| self.token(start));
        let link = named.as_ref().map(|token| format!("/v1/items?after={token}"));
        let body = serde_json(&rows, named.as_deref(), next.is_some());
        let mut headers = vec![("x-next".to_string(), named.clone().unwrap_or_else(|| "null".to_string()))];
        headers.extend(link.map(|link| ("Link".to_string(), format!("<{link}>; rel=\"next\"; results=\"{}\"", next.is_some()))));
        (headers, body, rows)
    }
}

/// Returns a body that names the next page, and says whether there is one.
fn serde_json(rows: &[u64], next: Option<&str>, has_more: bool) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("{{\"id\": {row}}}")).collect();
    let quoted = |text: &str| format!("\"{text}\"");
    let next_text = next.map_or("null".to_string(), quoted);
    let link = next.map_or("null".to_string(), |next| quoted(&format!("https://inside.test/v1/items?after={next}")));
    let carried = next.map_or("null".to_string(), |next| format!("{{\"a\": {}, \"b\": 7}}", quoted(next)));
    format!(
        "{{\"rows\": [{}], \"next\": {next_text}, \"link\": {link}, \"continue\": {carried}, \"more\": {has_more}, \"last\": {}}}",
        rows.join(","),
        !has_more
    )
}

/// A spec, and whether the API names a next page where there is none.
const WAYS: &[(&str, bool)] = &[
    ("{strategy: pagerToken, token_param: after, pager_token_path: next}", false),
    ("{strategy: pagerToken, token_param: after, pager_token_path: next, only_token: true}", false),
    ("{strategy: pagerToken, token_param: after, pager_token_path: next, has_more_path: more}", true),
    ("{strategy: pagerToken, token_param: after, pager_token_path: next, end_path: last}", true),
    ("{strategy: pagerToken, token_param: after, pager_token_header: X-Next, end_token: 'null'}", false),
    ("{strategy: pagerToken, token_param: after, pager_token_header: X-Next, end_token: [none, 'null']}", false),
    ("{strategy: pagerToken, token_param: after_id, last_row: id}", false),
    ("{strategy: pagerToken, token_param: after_id, last_row: id, has_more_path: more}", false),
    ("{strategy: pagerToken, tokens: {a: next, b: continue.b}, has_more_path: more}", false),
    ("{strategy: pagerToken, tokens: {a: {header: X-Next}}, end_token: 'null'}", false),
    ("{strategy: pagerToken, carry: continue}", false),
    ("{strategy: pagerToken, carry: continue, end_path: last}", true),
    ("{strategy: nextLink, pager_link_path: link}", false),
    ("{strategy: nextLink, pager_link_path: link, rebase: true}", false),
    ("{strategy: nextLink, pager_link_path: link, has_more_path: more}", true),
    ("{strategy: linkHeader}", false),
    ("{strategy: linkHeader, link_attribute: {results: 'false'}}", true),
    ("{strategy: linkHeader, end_path: last}", true),
    ("{strategy: pageAndCount, page_param: page, page_size: SIZE, first_page: 0}", false),
    ("{strategy: pageAndCount, page_param: page, page_size: SIZE, first_page: 0, has_more_path: more}", false),
    ("{strategy: offsetAndCount, offset_param: offset, page_size: SIZE, end_path: last}", false),
    // What no param takes goes to holes.
    ("{strategy: pageAndCount, page_size: SIZE, first_page: 0, has_more_path: more}", false),
    ("{strategy: offsetAndCount, page_size: SIZE}", false),
    ("{strategy: pagerToken, pager_token_path: next}", false),
];

/// Returns what a request for a page says, by the names that the API has.
fn query_of(paging: &Paging, key: &PageKey) -> Vec<(String, String)> {
    if let PageKey::Link(link) = key {
        return Url::parse(link).unwrap().query_pairs().into_owned().collect();
    }
    let values = paging.values_of(key);
    let mut query = values.query(|_| true);
    for (name, part) in [("after", PagePart::Token), ("page", PagePart::Number), ("offset", PagePart::Offset)] {
        let is_in_hole = !values.params.iter().any(|(_, own)| *own == part);
        query.extend(values.text_of(part).filter(|_| is_in_hole).map(|text| (name.to_string(), text)));
    }
    query
}

fn facts_of(paging: &Paging, answer: (Vec<(String, String)>, String, Vec<u64>)) -> (PageFacts, Vec<u64>) {
    let (headers, body, rows) = answer;
    let (headers, url, mut body) = (Headers::new(headers), Url::parse("https://api.test/v1/items").unwrap(), body.into_bytes());
    let document = crate::document::parse(&mut body).unwrap();
    let path = crate::document::JsonPath::parse("rows[-1:]").unwrap();
    let fingerprint = rows.iter().fold(rows.len() as u64, |hash, row| hash.wrapping_mul(31).wrapping_add(row + 1));
    let page_rows = PageRows { n_rows: rows.len() as u64, fingerprint, body: fingerprint, records: rows.clone() };
    let facts = path.find(document.root(), |last_row| {
        paging.facts_of(&Seen { headers: &headers, url: &url, root: document.root(), last_row: Some(last_row) }, page_rows.clone())
    });
    let seen = Seen { headers: &headers, url: &url, root: document.root(), last_row: None };
    (facts.unwrap_or_else(|| paging.facts_of(&seen, page_rows.clone())).unwrap(), rows)
}

proptest! {
    /// The law: each row once, undisturbed and broken off at any page.
    #[test]
    fn every_way_brings_each_row_once(n_rows in 0..120_u64, page_size in 2..20_u64, way in 0..WAYS.len(), gaps in prop::collection::btree_set(0..6_u64, 0..4), stops in prop::collection::vec(0..7_usize, 0..4), window in 1..5_usize, shuffle: u64) {
        let (spec, always) = WAYS[way];
        let paging = Paging::of(&spec.replace("SIZE", &page_size.to_string()));
        // What is counted, or follows the last row, has no page without rows but the last.
        let has_gaps = !spec.contains("Count") && !spec.contains("last_row");
        let empty: BTreeSet<u64> = gaps.into_iter().filter(|_| has_gaps).map(|page| page * page_size).collect();
        let (mut stored, mut point): (Vec<u64>, Option<ResumePoint>) = (Vec::new(), None);
        for (run, n_pages) in stops.iter().copied().chain([usize::MAX]).enumerate() {
            let api = Everything { n_rows, page_size, empty: empty.clone(), run: run as u64 };
            let source = match &point {
                Some(point) => paging.source_at(1000, &ResumePoint::from_text(&point.to_text()).unwrap()).unwrap(),
                None => { stored.clear(); paging.source(1000) }
            };
            let answer = |key: &PageKey| Some(facts_of(&paging, api.answer(&query_of(&paging, key), always)));
            let part = cut_off_by(&answer, source, &Cut { n_pages, first: point.as_ref().map_or(0, |point| point.ordinal), window, shuffle });
            stored.extend(part.rows);
            if part.is_done { break; }
            point = part.point.or(point);
        }
        stored.sort_unstable();
        prop_assert_eq!(stored, (0..n_rows).collect::<Vec<_>>(), "{}", spec);
    }
}

fn read(spec: &str, headers: &[(&str, &str)], body: &str) -> Result<PageFacts> {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
    let (url, mut bytes) = (Url::parse("https://api.test/v1/items").unwrap(), body.as_bytes().to_vec());
    let document = crate::document::parse(&mut bytes).unwrap();
    let last_row = document.root().get("last_row");
    let n_rows = if document.root().get("is_empty").is_some() { 0 } else { 1 };
    let seen = Seen { headers: &headers, url: &url, root: document.root(), last_row };
    Paging::of(spec).facts_of(&seen, PageRows { n_rows, ..PageRows::default() })
}

fn check_next(spec: &str, headers: &[(&str, &str)], body: &str, expected: &str) {
    let next = read(spec, headers, body).unwrap().next.map_or("end".to_string(), |key| key.to_text());
    assert_eq!(next, expected, "{spec} {body}");
}

#[test]
fn what_tells_the_next_page_is_found() {
    let token = |keys: &str| format!("{{strategy: pagerToken, token_param: t, {keys}}}");
    let carry = "{strategy: pagerToken, carry: continue}";
    check_next(&token("pager_token_path: a.b"), &[], r#"{"a": {"b": "x"}}"#, "token:x");
    check_next(&token("pager_token_path: a.b"), &[], r#"{"a": {"b": 12}}"#, "json:12");
    check_next(&token("pager_token_header: x-next"), &[("X-Next", " abc ")], "{}", "token:abc");
    check_next(&token("pager_token_header: x-next"), &[], "{}", "end");
    check_next(&token("pager_token_header: x-next, end_token: 'null'"), &[("X-Next", "null")], "{}", "end");
    check_next(&token("last_row: sort.id"), &[], r#"{"last_row": {"sort": {"id": 5}}}"#, "json:5");
    check_next(&token("last_row: id"), &[], r#"{"is_empty": true}"#, "end");
    check_next("{strategy: pagerToken, last_row: sort}", &[], r#"{"last_row": {"sort": [5, "a"]}}"#, r#"json:[5,"a"]"#);
    let inclusive = token("last_row: id, inclusive: true");
    check_next(&inclusive, &[], r#"{"last_row": {"id": 5}}"#, "end");
    check_next(
        "{strategy: nextLink, pager_link_header: Next-Page}",
        &[("next-page", " /v1/items?c=2 ")],
        "{}",
        "link:https://api.test/v1/items?c=2",
    );
    check_next("{strategy: nextLink, pager_link_header: Next-Page}", &[], "{}", "end");
    check_next(carry, &[], r#"{"continue": {"a": "x|y", "b": 5, "c": null}}"#, r#"params:{"a":"x|y","b":5}"#);
    check_next(carry, &[], r#"{"continue": {}}"#, "end");
    check_next(carry, &[], "{}", "end");
    let tokens = "{strategy: pagerToken, tokens: {a: next.a, b: {header: X-B}, c: {last_row: id}}}";
    check_next(tokens, &[("x-b", "2")], r#"{"next": {"a": "1"}, "last_row": {"id": 3}}"#, r#"params:{"a":"1","b":"2","c":3}"#);
    check_next(tokens, &[], r#"{"next": {"a": "1"}, "is_empty": 1}"#, r#"params:{"a":"1"}"#);
}

#[test]
fn what_ends_the_pages_is_found() {
    let token = |keys: &str| format!("{{strategy: pagerToken, token_param: t, pager_token_path: n, {keys}}}");
    check_next(&token("end_path: last"), &[], r#"{"n": "x", "last": true}"#, "end");
    check_next(&token("end_path: last"), &[], r#"{"n": "x", "last": false}"#, "token:x");
    check_next(&token("stop_on_empty: true"), &[], r#"{"n": "x", "is_empty": 1}"#, "end");
    check_next(&token("stop_on_empty: false"), &[], r#"{"n": "x", "is_empty": 1}"#, "token:x");
    check_next(&token("end_token: [none, done]"), &[], r#"{"n": "done"}"#, "end");
    let link = ("Link", "</v1/items?c=2>; rel=next; results=\"false\"");
    check_next("{strategy: linkHeader, link_attribute: {results: 'false'}}", &[link], "{}", "end");
    check_next("{strategy: linkHeader, link_attribute: {results: 'true'}}", &[link], "{}", "link:https://api.test/v1/items?c=2");
    check_next("{strategy: linkHeader, stop_on_empty: true}", &[link], r#"{"is_empty": 1}"#, "end");
    check_next("{strategy: nextLink, pager_link_path: n, end_path: last}", &[], r#"{"n": "/x", "last": true}"#, "end");
    let flagged = "{strategy: pageAndCount, page_param: p, page_size: 1, end_path: last}";
    assert_eq!(read(flagged, &[], r#"{"last": true}"#).unwrap().has_more, Some(false));
}

#[test]
fn what_names_no_page_is_an_error() {
    let check = |spec: &str, body: &str, expected: &str| {
        let message = read(spec, &[], body).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    let last_row = "{strategy: pagerToken, token_param: t, last_row: id}";
    check(last_row, r#"{"last_row": {"no": 1}}"#, "the last record has no value at 'id'; check 'last_row'");
    check(last_row, r#"{"last_row": {"id": {}}}"#, "token at 'id' is an object; expected a text or a number; check 'last_row'");
    check(last_row, r#"{"last_row": {"id": [1]}}"#, "is a list");
    let carry = "{strategy: pagerToken, carry: continue}";
    check(carry, r#"{"continue": "x"}"#, "'continue' is a text; expected an object whose fields are params; check 'carry'");
    check(carry, r#"{"continue": {"a": [1]}}"#, "field 'a' of 'continue' is a list; expected a text or a number");
    let ends = "{strategy: nextLink, pager_link_path: n, end_path: last}";
    check(ends, r#"{"last": false}"#, "more pages follow but gives no link; check 'end_path' and 'pager_link_path'");
}

#[test]
fn later_pages_may_have_the_token_only() {
    let paging = Paging::of("{strategy: pagerToken, token_param: t, count_param: n, page_size: 5, pager_token_path: x, only_token: true}");
    let query = |key: &PageKey| (paging.values_of(key).is_alone, paging.values_of(key).query(|_| true));
    assert_eq!(query(&PageKey::Token(None)), (false, vec![("n".to_string(), "5".to_string())]));
    assert_eq!(query(&PageKey::Token(Some("a".into()))), (true, vec![("t".to_string(), "a".to_string())]));
}

#[test]
fn a_number_goes_with_the_token_wherever_a_load_goes_on() {
    let text = "{strategy: pagerToken, token_param: t, pager_token_path: x, page_param: p, first_page: 0, only_token: true}";
    let paging = Paging::of(text);
    let query = |key: &PageKey| paging.values_of(key).query(|_| true);
    let facts = |token: &str, fingerprint| {
        let next = Some(PageKey::Token(Some(token.into())));
        PageFacts { n_rows: 1, next, fingerprint, ..PageFacts::default() }
    };
    let mut source = paging.source(9);
    let first = source.next_position().unwrap();
    assert_eq!(query(&first.key), [("p".to_string(), "0".to_string())]);
    source.answered(&first, &facts("a", 1)).unwrap();
    let second = source.next_position().unwrap();
    let expected = [("t".to_string(), "a".to_string()), ("p".to_string(), "1".to_string())];
    assert_eq!(query(&second.key), expected);
    source.answered(&second, &facts("b", 2)).unwrap();
    let point = ResumePoint::from_text(&source.resume_point(1).unwrap().to_text()).unwrap();
    let again = paging.source_at(9, &point).unwrap().next_position().unwrap();
    assert_eq!((again.ordinal, query(&again.key).as_slice()), (1, &expected[..]));
    assert!(Paging::of("{strategy: pagerToken, token_param: t, pager_token_path: x}").source_at(9, &point).is_err());
    // A token that comes again leads in circles, whatever its number.
    let third = source.next_position().unwrap();
    assert!(source.answered(&third, &facts("a", 3)).is_err());
}

#[test]
fn what_goes_to_a_hole_may_be_a_list_or_an_object_and_is_no_param() {
    let check = |spec: &str, body: &str, expected: &str| {
        let mut paging = Paging::of(spec);
        paging.set_holes(&["page.key", "page.size"]);
        let document = body.to_string().into_bytes();
        let mut bytes = document.clone();
        let parsed = crate::document::parse(&mut bytes).unwrap();
        let (headers, url) = (Headers::new(Vec::new()), Url::parse("https://api.test/").unwrap());
        let seen = Seen { headers: &headers, url: &url, root: parsed.root(), last_row: None };
        let next = paging.facts_of(&seen, PageRows::default()).unwrap().next.unwrap();
        assert_eq!(next.to_text(), expected);
        assert_eq!(PageKey::from_text(&next.to_text()).unwrap(), next);
        let query = paging.values_of(&next).query(|hole| hole != "page.key");
        assert_eq!(query, [("b".to_string(), "7".to_string())]);
    };
    let expected = r#"params:{"key":{"k":[1]},"b":7}"#;
    check("{strategy: pagerToken, tokens: {key: n.key, b: n.b}}", r#"{"n": {"key": {"k": [1]}, "b": 7}}"#, expected);
    check("{strategy: pagerToken, carry: n}", r#"{"n": {"key": {"k": [1]}, "b": 7}}"#, expected);
}
