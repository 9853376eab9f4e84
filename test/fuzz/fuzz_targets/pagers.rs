//! Whatever answers say, pages end, each is asked for once, and a place that is stored is one to go on from.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use unify::document::parse;
use unify::source::{Headers, Next, PageRows, Paging, ResumePoint, Seen};
use unify::yaml::Mistakes;

const MOST_PAGES: u64 = 40;
const STRATEGIES: [&str; 10] = [
    "{strategy: pageAndCount, page_param: p, page_size: 3, total_path: total, has_more_path: more}",
    "{strategy: pageAndCount, page_param: p, page_size: 3, total_pages_path: total}",
    "{strategy: offsetAndCount, offset_param: o, page_size: 3, end_path: last}",
    "{strategy: pagerToken, token_param: t, pager_token_path: next, end_token: end}",
    "{strategy: pagerToken, token_param: t, pager_token_path: next, page_param: p, stop_on_empty: true}",
    "{strategy: pagerToken, tokens: {a: next, b: {header: X-Next}}}",
    "{strategy: pagerToken, carry: next}",
    "{strategy: nextLink, pager_link_path: next}",
    "{strategy: linkHeader}",
    "{strategy: relay, page_info_path: next, cursor_variable: c}",
];

fuzz_target!(|input: (u8, Vec<(u8, &str, &str)>)| {
    let (strategy, answers) = input;
    let text = STRATEGIES[usize::from(strategy) % STRATEGIES.len()];
    let node = unify::yaml::parse("p.yaml", text).unwrap();
    let paging = Paging::parse(&node, "'paging'", &Mistakes::new("p.yaml")).unwrap();
    let url = "https://api.test/items?x=1".parse().unwrap();
    let mut source = paging.source(MOST_PAGES);
    let mut asked = HashSet::new();
    let mut answers = answers.into_iter();
    loop {
        let place = match source.next() {
            Next::Ask(place) => place,
            Next::Done => break,
            Next::Await | Next::WaitUntil(_) => panic!("nothing is in flight"),
        };
        assert!(asked.insert(place.ordinal), "page {} is asked for twice", place.ordinal);
        assert!(place.ordinal <= MOST_PAGES + 8);
        let (n_rows, header, body) = answers.next().unwrap_or((0, "", "{}"));
        let headers = Headers::new(vec![("X-Next".to_string(), header.to_string()), ("Link".to_string(), header.to_string())]);
        let mut bytes = body.as_bytes().to_vec();
        let Ok(document) = parse(&mut bytes) else { return };
        let seen = Seen { headers: &headers, url: &url, root: document.root(), last_row: None };
        let hash = u64::from(n_rows) << 32 | place.ordinal;
        let rows = PageRows { n_rows: u64::from(n_rows % 5), fingerprint: hash, body: hash, records: Vec::new() };
        let Ok(facts) = paging.facts_of(&seen, rows) else { return };
        if source.answered(&place, &facts).is_err() {
            return;
        }
        if let Some(point) = source.resume_point(place.ordinal) {
            let stored = ResumePoint::from_text(&point.to_text()).unwrap();
            assert_eq!(stored, point);
            assert!(paging.source_at(MOST_PAGES, &stored).is_ok());
        }
    }
    assert!(source.is_done());
});
