//! Records of a full load that say that a row is gone: whatever comes in whatever order, and wherever the load is killed, of each key the last
//! record tells what is there.

use super::bench::Bench;
use super::resumption::killed_everywhere;
use crate::load::LoadAction;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a record says of the row with its id: the name that it has, or that it is gone.
type Told = (u8, Option<u8>);

/// Returns the record of a number: no two pages are the same.
fn record((number, &(id, name)): (usize, &Told)) -> String {
    match name {
        Some(name) => format!(
            r#"{{"id": {id}, "number": {number}, "name": "{name}", "things": [{{"no": 1, "what": {name}}}], "parts": [{{"no": 1, "value": {name}}}]}}"#
        ),
        // What it says beside its key makes no column, and changes the type of none.
        None => format!(
            r#"{{"id": {id}, "gone": true, "number": "none", "why": {number}, "name": {{"was": 1}}, "things": [{{"no": 9}}], "parts": [{{"no": 9}}]}}"#
        ),
    }
}

fn offer(bench: &Bench, path: &str, told: &[Told], page_size: usize) {
    let records: Vec<String> = told.iter().enumerate().map(record).collect();
    let pages: Vec<String> = records.chunks(page_size).map(|records| records.join(", ")).collect();
    bench.api.has(path, &pages.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Returns the rows that are there after all that was told.
fn there(told: &[Told]) -> BTreeMap<u8, u8> {
    let mut rows = BTreeMap::new();
    for (id, name) in told {
        match name {
            Some(name) => drop(rows.insert(*id, *name)),
            None => drop(rows.remove(id)),
        }
    }
    rows
}

/// Returns the rows as texts of these columns, of which each has the name as its value.
fn rows_of(told: &[Told], row: impl Fn(u8, u8) -> String) -> Vec<String> {
    there(told).into_iter().map(|(id, name)| row(id, name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_last_record_of_each_key_tells_what_is_there(told in prop::collection::vec((0..4_u8, prop::option::weighted(0.6, 0..3_u8)), 0..9), page_size in 1..4_usize) {
        let bench = Bench::new();
        for path in ["/feed", "/boxes", "/marked"] {
            offer(&bench, path, &told, page_size);
        }
        let report = bench.load("feed").unwrap();
        prop_assert_eq!(report.rows, there(&told).len() as u64);
        prop_assert_eq!(bench.database.rows("SELECT id, name FROM shop.feed ORDER BY id"), rows_of(&told, |id, name| format!("{id}|{name}")));
        bench.load("boxes").unwrap();
        if !there(&told).is_empty() {
            prop_assert_eq!(bench.database.rows("SELECT id FROM shop.boxes ORDER BY id"), rows_of(&told, |id, _| id.to_string()));
            let things = bench.database.rows("SELECT box, no, what FROM shop.things ORDER BY box");
            prop_assert_eq!(things, rows_of(&told, |id, name| format!("{id}|1|{name}")));
        }
        bench.load("marked").unwrap();
        let parts = bench.database.rows("SELECT marked, no, value FROM shop.marked_parts ORDER BY marked");
        prop_assert_eq!(parts, rows_of(&told, |id, name| format!("{id}|1|{name}")));
    }
}

const TOLD: [Told; 7] = [(1, Some(0)), (2, Some(0)), (3, None), (1, None), (4, Some(1)), (2, None), (2, Some(2))];

#[test]
fn a_record_that_says_that_a_row_is_gone_leaves_nothing_else() {
    let bench = Bench::new();
    offer(&bench, "/boxes", &TOLD, 2);
    let report = bench.load("boxes").unwrap();
    assert_eq!(
        (report.rows, bench.rows("boxes")),
        (2, vec![r#"2|6|2|[{"no":1,"value":2}]"#.to_string(), r#"4|4|1|[{"no":1,"value":1}]"#.to_string()])
    );
    assert!(bench.log().contains("3 rows came that say that a row is gone at the source"), "{}", bench.log());
}

#[test]
fn a_table_whose_children_never_came_is_loaded() {
    let bench = Bench::new();
    bench.api.has("/boxes", &[r#"{"id": 1}, {"id": 2}"#, r#"{"id": 1, "gone": true}, {"id": 2, "new": true}"#]);
    let report = bench.load("boxes").unwrap();
    assert_eq!((report.rows, bench.database.rows("SELECT id, new FROM shop.boxes")), (1, vec!["2|true".to_string()]));
    assert_eq!(bench.database.rows("SELECT count(*) FROM shop.things"), ["0"]);
}

#[test]
fn rows_that_are_gone_stay_where_the_table_keeps_them() {
    let bench = Bench::new();
    offer(&bench, "/marked", &[(1, Some(0)), (2, Some(0)), (5, Some(0))], 2);
    bench.load("marked").unwrap();
    bench.api.has("/marked", &[r#"{"id": 1, "value": 3, "parts": []}, {"id": 2, "value": 4, "parts": []}"#, r#"{"id": 1, "gone": true}"#]);
    bench.run("marked", LoadAction::Reload).unwrap();
    let rows = bench.database.rows("SELECT id, _deleted_at IS NOT NULL FROM shop.marked ORDER BY id");
    assert_eq!(rows, ["1|true", "2|false", "5|true"]);
}

#[test]
fn a_load_killed_at_any_statement_removes_what_is_gone() {
    let base = Bench::new();
    offer(&base, "/feed", &TOLD, 2);
    let all = killed_everywhere(&base, |bench| drop(bench.load("feed")));
    assert!(all.len() > 4, "{}", all.len());
    for killed in all {
        let mut rows: Vec<String> = killed.after.texts("shop", "feed", &["id", "name"]).iter().map(|row| row.join("|")).collect();
        rows.sort();
        assert_eq!(rows, ["2|2", "4|1"], "killed at statement {}", killed.last);
    }
}
