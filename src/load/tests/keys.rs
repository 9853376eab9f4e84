//! A key tells rows apart: of rows with one key the last stays, wherever they came, and what changed is told by it.

use super::bench::Bench;
use crate::load::LoadAction;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Returns how many rows the last load of a table added, changed and removed.
fn counted(bench: &Bench, table: &str) -> [u64; 3] {
    let changes = bench.loader.reader().changes(&bench.target(table)).unwrap().changes;
    [changes.added, changes.changed, changes.removed]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn of_records_with_one_key_the_last_stays_however_pages_cut_them(
        ids in prop::collection::vec(0..4u8, 1..8),
        page_size in 1usize..8,
        is_refresh: bool,
    ) {
        let bench = Bench::new();
        if is_refresh {
            bench.api.has("/events", &[r#"{"id": 0, "at": 9}"#]);
            bench.load("events").unwrap();
        }
        // Pages that are equal are one that came again.
        let records: Vec<(u8, usize)> = ids.into_iter().zip(0..).collect();
        let texts: Vec<String> = records.iter().map(|(id, at)| format!("{{\"id\": {id}, \"at\": {at}}}")).collect();
        let pages: Vec<String> = texts.chunks(page_size).map(|records| records.join(", ")).collect();
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        bench.api.has(if is_refresh { "/events?since" } else { "/events" }, &pages);
        bench.run("events", if is_refresh { LoadAction::Refresh } else { LoadAction::Load }).unwrap();
        let mut expected: BTreeMap<u8, usize> = if is_refresh { BTreeMap::from([(0, 9)]) } else { BTreeMap::new() };
        expected.extend(records);
        let expected: Vec<String> = expected.iter().map(|(id, at)| format!("{id}|{at}")).collect();
        prop_assert_eq!(bench.database.rows("SELECT id, at FROM shop.events ORDER BY id"), expected);
    }
}

#[test]
fn of_elements_of_a_list_with_one_key_the_last_stays() {
    let bench = Bench::new();
    let things = |n: u8| {
        let list = format!("[{{\"no\": 1, \"n\": {n}}}, {{\"no\": 2, \"n\": {n}}}, {{\"no\": 1, \"n\": {}}}]", n + 1);
        format!(
            "{{\"id\": 1, \"things\": {list}}}, {{\"id\": 2, \"things\": [{{\"no\": 1, \"n\": {n}}}]}}, {{\"id\": 1, \"things\": {list}}}"
        )
    };
    let stored = || bench.database.rows("SELECT box, no, n FROM shop.things ORDER BY box, no");
    bench.api.has("/boxes", &[&things(5)]);
    bench.load("boxes").unwrap();
    assert_eq!((stored(), counted(&bench, "things")), (vec!["1|1|6".into(), "1|2|5".into(), "2|1|5".into()], [3, 0, 0]));
    assert!(bench.log().contains("table 'things': 1 rows came again with the same key (box, no) and other values"), "{}", bench.log());
    bench.api.has("/boxes?since", &[&things(7), r#"{"id": 2, "gone": true}"#]);
    bench.run("boxes", LoadAction::Refresh).unwrap();
    assert_eq!((stored(), counted(&bench, "things")), (vec!["1|1|8".into(), "1|2|7".into()], [0, 2, 1]));
}

#[test]
fn rows_without_a_value_in_their_key_change_as_rows_without_a_key_do() {
    let bench = Bench::new();
    let load = |records: &str| {
        bench.api.has("/items", &[records]);
        bench.run("items", LoadAction::Reload).unwrap();
        counted(&bench, "items")
    };
    load(r#"{"id": null, "name": "a"}, {"id": null, "name": "b"}, {"id": 1, "name": "c"}"#);
    assert_eq!(load(r#"{"id": 1, "name": "c"}, {"id": null, "name": "b"}, {"id": null, "name": "a"}"#), [0, 0, 0]);
    assert_eq!(load(r#"{"id": 1, "name": "d"}, {"id": null, "name": "e"}, {"id": null, "name": "a"}"#), [1, 1, 1]);
    assert_eq!(load(r#"{"id": 1, "name": "d"}, {"id": null, "name": "a"}, {"id": null, "name": "a"}"#), [1, 0, 1]);
}
