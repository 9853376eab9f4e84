//! Windows of which the API hides rows: they are asked for in halves, also when the load ends before its time.

use super::bench::{checkpoints, Bench};
use super::resumption::{killed_everywhere, rows, Killed};
use crate::load::LoadAction;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const ALL: [&str; 5] = ["1|a", "2|b", "3|c", "4|d", "7|e"];

/// The window from 0 to 4 has one row more than the API gives of it, and that from 4 to 8 fewer.
fn bench() -> Bench {
    let bench = Bench::new();
    let [one, two, three, four, seven] = [
        r#"{"id": 1, "name": "a"}"#,
        r#"{"id": 2, "name": "b"}"#,
        r#"{"id": 3, "name": "c"}"#,
        r#"{"id": 4, "name": "d"}"#,
        r#"{"id": 7, "name": "e"}"#,
    ];
    bench.api.has("/spans/0-4", &[&format!("{one},{two}"), three]);
    bench.api.has("/spans/0-2", &[one, two]);
    bench.api.has("/spans/2-4", &[&format!("{three},{four}")]);
    bench.api.has("/spans/4-8", &[seven]);
    bench
}

/// Loads of a table one of whose windows is halved.
static LOADS: LazyLock<Vec<Killed>> = LazyLock::new(|| killed_everywhere(&bench(), |bench| drop(bench.load("spans"))));

#[test]
fn rows_of_a_window_that_is_halved_come_again_and_are_there_once() {
    let bench = bench();
    assert_eq!(bench.load("spans").unwrap().rows, 5);
    assert_eq!(bench.rows("spans"), ALL);
    let asked = ["/spans/0-4#0", "/spans/0-4#1", "/spans/0-2#0", "/spans/0-2#1", "/spans/2-4#0", "/spans/4-8#0"];
    assert_eq!(bench.api.asked(), asked);
    assert!(bench.log().contains("the window from 0 to 4 is asked for in halves"), "{}", bench.log());
    assert_eq!(bench.run("spans", LoadAction::Reload).unwrap().rows, 5);
    assert_eq!(bench.rows("spans"), ALL);
}

#[test]
fn a_load_killed_at_any_statement_ends_with_the_same_rows() {
    assert!(LOADS.last().unwrap().last > 40 && LOADS.len() > 7);
    for killed in LOADS.iter() {
        let at = killed.last;
        assert_eq!(rows(&killed.after, "spans", &["id", "name"]), ALL, "killed at statement {at}");
        assert!(killed.after.table("shop", "spans__loading").is_none(), "killed at statement {at}");
        assert!(killed.after.table("shop", "spans").unwrap().columns.iter().all(|column| column.name != "unify_set"));
    }
}

#[test]
fn no_commit_has_rows_of_a_window_beside_those_of_its_halves() {
    let mut seen = BTreeSet::new();
    for killed in LOADS.iter().filter(|killed| killed.before.table("shop", "spans__loading").is_some()) {
        let stored = rows(&killed.before, "spans__loading", &["id"]);
        let distinct: BTreeSet<&String> = stored.iter().collect();
        assert_eq!(distinct.len(), stored.len(), "killed at statement {}: {stored:?}", killed.last);
        seen.insert(checkpoints(&killed.before, "spans").contains_key("{\"window.end\":\"4\",\"window.start\":\"0\"} /1"));
    }
    assert_eq!(seen, BTreeSet::from([false, true]));
}

#[test]
fn a_window_that_was_halved_is_not_asked_for_again() {
    for killed in LOADS.iter() {
        let is_halved = checkpoints(&killed.before, "spans").keys().any(|key| key.ends_with("/1"));
        assert!(!is_halved || !killed.asked.iter().any(|page| page.starts_with("/spans/0-4")), "killed at statement {}", killed.last);
    }
}

#[test]
fn a_window_that_cannot_be_halved_fails_and_says_which_it_is() {
    let bench = bench();
    bench.api.has("/spans/2-4", &[r#"{"id": 3}, {"id": 4}, {"id": 5}"#]);
    bench.api.has("/spans/3-4", &[r#"{"id": 3}, {"id": 4}, {"id": 5}"#]);
    let err = bench.load("spans").unwrap_err();
    assert!(err.message().contains("of the window from 3 to 4; nothing smaller can be asked for"), "{err}");
    bench.api.has("/spans/3-4", &[r#"{"id": 4, "name": "d"}"#]);
    bench.api.has("/spans/2-3", &[r#"{"id": 3, "name": "c"}"#]);
    bench.load("spans").unwrap();
}
