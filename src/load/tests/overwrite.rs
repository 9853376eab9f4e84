//! Refreshes that ask again for windows and replace all rows in them: what does not come again goes, and nothing else does.

use super::bench::Bench;
use super::resumption::{killed_everywhere, rows};
use crate::load::LoadAction;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a source has: the value of each kind at each place.
type Source = BTreeMap<(u8, Option<u8>), u8>;

fn records(source: &Source, from: u8, to: u8) -> String {
    let within = source.iter().filter(|((at, _), _)| (from..to).contains(at));
    let text = |kind: &Option<u8>| kind.map_or("null".to_string(), |kind| kind.to_string());
    within.map(|((at, kind), n)| format!("{{\"at\": {at}, \"kind\": {}, \"n\": {n}}}", text(kind))).collect::<Vec<_>>().join(", ")
}

/// Lets both windows of a path have what the source has.
fn has(bench: &Bench, path: &str, source: &Source) {
    for (from, to) in [(0, 4), (4, 8)] {
        bench.api.has(&format!("{path}/{from}-{to}"), &[&records(source, from, to)]);
    }
}

fn source(rows: &[(u8, u8, u8)]) -> Source {
    rows.iter().map(|(at, kind, n)| ((*at, Some(*kind)), *n)).collect()
}

fn counted(bench: &Bench, table: &str) -> [u64; 3] {
    let changes = bench.loader.reader().changes(&bench.target(table)).unwrap().changes;
    [changes.added, changes.changed, changes.removed]
}

const BEFORE: &[(u8, u8, u8)] = &[(1, 1, 1), (5, 1, 1), (5, 2, 1), (7, 1, 1)];
/// Of the window from 4 to 8 a row is gone, one changed, and one is new; what is gone before it is not asked for.
const AFTER: &[(u8, u8, u8)] = &[(5, 1, 2), (6, 1, 1), (7, 1, 1)];
const MERGED: [&str; 4] = ["1|1|1", "5|1|2", "6|1|1", "7|1|1"];
const OLD: [&str; 4] = ["1|1|1", "5|1|1", "5|2|1", "7|1|1"];

/// A table that is loaded, and its source as it is later.
fn loaded() -> Bench {
    let bench = Bench::new();
    for shop in ["a", "b"] {
        has(&bench, &format!("/reports/{shop}"), &source(BEFORE));
    }
    bench.load("reports").unwrap();
    for shop in ["a", "b"] {
        has(&bench, &format!("/reports/{shop}"), &source(AFTER));
    }
    let _ = bench.api.asked();
    bench
}

fn of_shop(bench: &Bench, shop: &str) -> Vec<String> {
    bench.database.rows(&format!("SELECT at, kind, n FROM shop.reports WHERE shop = '{shop}' ORDER BY at, kind"))
}

#[test]
fn rows_of_the_windows_that_do_not_come_again_go() {
    let bench = loaded();
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!(bench.api.asked(), ["/reports/a/4-8#0", "/reports/b/4-8#0"]);
    assert_eq!(
        (of_shop(&bench, "a"), of_shop(&bench, "b"), counted(&bench, "reports")),
        (MERGED.map(String::from).into(), MERGED.map(String::from).into(), [2, 2, 2])
    );
    assert!(bench.log().contains("2 rows of the windows that were asked for did not come again"), "{}", bench.log());
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!(counted(&bench, "reports"), [0, 0, 0]);
}

#[test]
fn an_empty_answer_empties_the_window() {
    let bench = loaded();
    has(&bench, "/reports/a", &Source::new());
    has(&bench, "/reports/b", &Source::new());
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!((of_shop(&bench, "a"), of_shop(&bench, "b")), (vec!["1|1|1".to_string()], vec!["1|1|1".to_string()]));
    assert_eq!(counted(&bench, "reports"), [0, 0, 6]);
}

#[test]
fn what_is_left_out_keeps_its_rows() {
    let bench = loaded();
    bench.api.forbids(&["/reports/b/4-8"]);
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!((of_shop(&bench, "a"), of_shop(&bench, "b")), (MERGED.map(String::from).into(), OLD.map(String::from).into()));
    // Of a window that is asked for in halves, one half.
    let bench = loaded();
    let many: Vec<(u8, u8, u8)> = (0..7).map(|kind| (6, kind, 1)).collect();
    has(&bench, "/reports/a", &source(&many));
    bench.api.has("/reports/a/4-6", &[""]);
    bench.api.forbids(&["/reports/a/6-8"]);
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!((of_shop(&bench, "a"), of_shop(&bench, "b")), (OLD.map(String::from).into(), MERGED.map(String::from).into()));
}

#[test]
fn a_refresh_that_fails_keeps_all_rows() {
    let bench = loaded();
    bench.api.breaks("/reports/b/4-8", 0);
    bench.run("reports", LoadAction::Refresh).unwrap_err();
    assert_eq!((of_shop(&bench, "a"), of_shop(&bench, "b")), (OLD.map(String::from).into(), OLD.map(String::from).into()));
    bench.api.is_mended();
    bench.run("reports", LoadAction::Refresh).unwrap();
    assert_eq!((of_shop(&bench, "a"), of_shop(&bench, "b")), (MERGED.map(String::from).into(), MERGED.map(String::from).into()));
}

#[test]
fn a_refresh_killed_at_any_statement_removes_all_or_nothing_and_the_next_one_ends_alike() {
    let bench = loaded();
    let killed = killed_everywhere(&bench, |bench| drop(bench.run("reports", LoadAction::Refresh)));
    assert!(killed.len() > 3);
    let of = |state: &super::memory::State| rows(state, "reports", &["shop", "at", "kind", "n"]).into_iter().collect::<BTreeSet<String>>();
    let of_both =
        |rows: [&str; 4]| ["a", "b"].iter().flat_map(|shop| rows.map(|row| format!("{shop}|{row}"))).collect::<BTreeSet<String>>();
    for killed in killed {
        let before = of(&killed.before);
        assert!(before == of_both(OLD) || before == of_both(MERGED), "killed at statement {}: {before:?}", killed.last);
        assert_eq!(of(&killed.after), of_both(MERGED), "killed at statement {}", killed.last);
    }
}

fn rows_of(source: &Source) -> Vec<String> {
    let text = |kind: &Option<u8>| kind.map_or("NULL".to_string(), |kind| kind.to_string());
    let mut rows: Vec<String> = source.iter().map(|((at, kind), n)| format!("{at}|{}|{n}", text(kind))).collect();
    rows.sort();
    rows
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    let source = prop::collection::btree_map((0..8u8, prop::option::weighted(0.8, 0..3u8)), 0..3u8, 0..6);
    prop::collection::vec(source, 2..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn in_the_windows_a_table_has_what_the_source_has(sources in sources(), is_keyless: bool) {
        let bench = Bench::new();
        let (table, path) = if is_keyless { ("keyless_reports", "/keyless") } else { ("reports", "/reports/a") };
        let mut known = Source::new();
        for (idx, source) in sources.into_iter().enumerate() {
            has(&bench, path, &source);
            bench.run(table, if idx == 0 { LoadAction::Load } else { LoadAction::Refresh }).unwrap();
            let before = known.clone();
            known.retain(|(at, _), _| *at < 4 && idx > 0);
            known.extend(source.into_iter().filter(|((at, _), _)| *at >= 4 || idx == 0));
            let mut found = bench.database.rows(&format!("SELECT at, kind, n FROM shop.{table}"));
            found.sort();
            prop_assert_eq!(found, rows_of(&known));
            let with_key = |rows: &Source| rows.iter().map(|(key, n)| (*key, *n)).collect::<Vec<_>>();
            let came = with_key(&known).into_iter().filter(|(key, n)| before.get(key) != Some(n)).collect::<Vec<_>>();
            let went = with_key(&before).into_iter().filter(|(key, n)| known.get(key) != Some(n)).count();
            let changed = came.iter().filter(|(key, _)| !is_keyless && key.1.is_some() && before.contains_key(key)).count();
            prop_assert_eq!(counted(&bench, table), [came.len() - changed, changed, went - changed].map(|n| n as u64));
        }
    }
}

#[test]
fn rows_that_are_gone_are_marked_where_the_table_keeps_them() {
    let bench = Bench::new();
    has(&bench, "/marked", &source(BEFORE));
    bench.load("marked_reports").unwrap();
    has(&bench, "/marked", &source(AFTER));
    let stored = || bench.database.rows("SELECT at, kind, n, _deleted_at IS NOT NULL FROM shop.marked_reports ORDER BY at, kind");
    bench.run("marked_reports", LoadAction::Refresh).unwrap();
    assert_eq!(
        (stored(), counted(&bench, "marked_reports")),
        (vec!["1|1|1|false".into(), "5|1|2|false".into(), "5|2|1|true".into(), "6|1|1|false".into(), "7|1|1|false".into()], [1, 1, 1])
    );
    has(&bench, "/marked", &source(BEFORE));
    bench.run("marked_reports", LoadAction::Refresh).unwrap();
    assert_eq!(
        (stored(), counted(&bench, "marked_reports")),
        (vec!["1|1|1|false".into(), "5|1|1|false".into(), "5|2|1|false".into(), "6|1|1|true".into(), "7|1|1|false".into()], [1, 1, 1])
    );
}
