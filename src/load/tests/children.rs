//! A table and its children are loaded, gone on with and published as one.

use super::bench::Bench;
use crate::load::LoadAction;
use crate::Error;
use std::collections::BTreeSet;

const OLD: [&str; 2] =
    [r#"{"id": 1, "things": [{"no": 1, "what": "a"}, {"no": 2, "what": "b"}]}"#, r#"{"id": 2, "things": [{"no": 1, "what": "c"}]}"#];
const NEW: [&str; 3] = [
    r#"{"id": 1, "things": [{"no": 2, "what": "d"}]}"#,
    r#"{"id": 3, "things": [{"no": 1, "what": "e"}, {"no": 2, "what": "f"}]}"#,
    r#"{"id": 4}"#,
];
/// What changed since the old rows: one box has other things, one is gone, one is new.
const CHANGED: [&str; 2] = [r#"{"id": 1, "things": [{"no": 2, "what": "d"}]}, {"id": 2, "gone": true, "things": [{"no": 7}]}"#, NEW[1]];

const OLD_ROWS: [&str; 5] = ["1", "2", "1|1|a", "1|2|b", "2|1|c"];
const NEW_ROWS: [&str; 6] = ["1", "3", "4", "1|2|d", "3|1|e", "3|2|f"];
const MERGED_ROWS: [&str; 5] = ["1", "3", "1|2|d", "3|1|e", "3|2|f"];

/// Returns the rows of the table, and then those of its child.
fn rows(bench: &Bench) -> Vec<String> {
    let mut rows = bench.database.rows("SELECT id FROM shop.boxes ORDER BY id");
    rows.extend(bench.database.rows("SELECT box, no, what FROM shop.things ORDER BY box, no"));
    rows
}

/// Lets each statement of a job fail in turn: all tables are as they were or as they are to be, and a process that comes later ends the job
/// with each row there once.
fn check(action: LoadAction, path: &str, pages: &[&str], expected: &[&str]) {
    let base = Bench::new();
    base.api.has("/boxes", &OLD);
    base.load("things").unwrap();
    assert_eq!(rows(&base), OLD_ROWS);
    base.api.has(path, pages);
    let mut states = BTreeSet::new();
    for at in 0.. {
        let bench = base.reopened();
        let mut number = 0;
        bench.database.fails(move |_| {
            number += 1;
            (number == at + 1).then(|| Error::database("IO Error: no space left"))
        });
        let outcome = bench.run("boxes", action);
        bench.database.works_again();
        match &outcome {
            Ok(_) => assert_eq!(rows(&bench), expected, "statement {at}"),
            Err(_) => assert_eq!(rows(&bench), OLD_ROWS, "statement {at}"),
        }
        if bench.database.n_statements() <= at {
            break;
        }
        if states.insert(bench.database.commits().len()) {
            let later = bench.reopened();
            later.run("things", action).unwrap();
            assert_eq!(rows(&later), expected, "after statement {at}");
        }
    }
    assert!(states.len() > 3, "{states:?}");
}

#[test]
fn a_reload_replaces_all_tables_or_none() {
    check(LoadAction::Reload, "/boxes", &NEW, &NEW_ROWS);
}

#[test]
fn a_refresh_merges_into_all_tables_or_none() {
    check(LoadAction::Refresh, "/boxes?since", &CHANGED, &MERGED_ROWS);
}

#[test]
fn a_child_is_loaded_with_its_parent_under_one_job() {
    let bench = Bench::new();
    bench.api.has("/boxes", &OLD);
    bench.load("things").unwrap();
    assert_eq!(bench.api.asked(), ["/boxes#0", "/boxes#1"]);
    bench.load("boxes").unwrap();
    assert_eq!(bench.api.asked(), Vec::<String>::new());
    bench.database.run("DROP TABLE shop.things");
    bench.load("things").unwrap();
    assert_eq!((rows(&bench), bench.api.asked().len()), (OLD_ROWS.map(String::from).to_vec(), 2));
    let records = bench.records();
    assert!(records.iter().any(|record| record.contains("|boxes|load_end|2|")), "{records:#?}");
    assert!(!records.iter().any(|record| record.contains("|things|load")), "{records:#?}");
}
