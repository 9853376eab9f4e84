//! Rows that are gone at the source and stay, and what loads say they changed: whatever happens at the source, and in whatever order.

use super::bench::Bench;
use crate::load::LoadAction;
use crate::Error;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the source has: the value and the parts of each row by its id.
type Source = BTreeMap<u8, (u8, BTreeSet<u8>)>;

/// A change at the source, and how the table is brought up to date then.
#[derive(Debug, Clone)]
struct Round {
    put: Vec<(u8, u8, BTreeSet<u8>)>,
    dropped: BTreeSet<u8>,
    is_update: bool,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let put = prop::collection::vec((0..4u8, 0..3u8, prop::collection::btree_set(0..3u8, 0..3)), 0..4);
    let round = (put, prop::collection::btree_set(0..4u8, 0..3), any::<bool>());
    prop::collection::vec(round.prop_map(|(put, dropped, is_update)| Round { put, dropped, is_update }), 1..5)
}

fn record(id: u8, row: &(u8, BTreeSet<u8>)) -> String {
    let (value, parts) = row;
    let parts: Vec<String> = parts.iter().map(|no| format!("{{\"no\": {no}, \"value\": {value}}}")).collect();
    format!("{{\"id\": {id}, \"value\": {value}, \"parts\": [{}]}}", parts.join(", "))
}

/// The rows that a table is to have, by their keys: their values, and whether they are gone.
type Rows = BTreeMap<String, (u8, bool)>;

/// Returns the rows of the table, and those of its child.
fn live(source: &Source) -> [Rows; 2] {
    let own = source.iter().map(|(id, (value, _))| (id.to_string(), (*value, false)));
    let parts = source.iter().flat_map(|(id, (value, parts))| parts.iter().map(move |no| (format!("{id}|{no}"), (*value, false))));
    [own.collect(), parts.collect()]
}

/// Returns what is to be there when `rows` are, after `known`.
fn kept(known: &Rows, rows: &Rows) -> Rows {
    let gone = known.iter().filter(|(key, _)| !rows.contains_key(*key)).map(|(key, (value, _))| (key.clone(), (*value, true)));
    rows.iter().map(|(key, row)| (key.clone(), *row)).chain(gone).collect()
}

/// Returns how many rows are added, changed and removed between the rows that are there.
fn counts(known: &Rows, rows: &Rows) -> [usize; 3] {
    let there = |rows: &Rows| -> BTreeMap<String, u8> {
        rows.iter().filter(|(_, (_, is_gone))| !is_gone).map(|(key, (value, _))| (key.clone(), *value)).collect()
    };
    let (before, after) = (there(known), there(rows));
    let changed = after.iter().filter(|(key, value)| before.get(*key).is_some_and(|known| known != *value)).count();
    let missing = |from: &BTreeMap<String, u8>, other: &BTreeMap<String, u8>| from.keys().filter(|key| !other.contains_key(*key)).count();
    [missing(&after, &before), changed, missing(&before, &after)]
}

fn stored(bench: &Bench) -> [Rows; 2] {
    let rows_of = |sql: &str| {
        let rows = bench.database.rows(sql);
        let row = |row: String| {
            let mut parts: Vec<&str> = row.split('|').collect();
            let (is_gone, value) = (parts.pop().unwrap() == "true", parts.pop().unwrap().parse().unwrap());
            (parts.join("|"), (value, is_gone))
        };
        rows.into_iter().map(row).collect()
    };
    [
        rows_of("SELECT id, value, _deleted_at IS NOT NULL FROM shop.marked"),
        rows_of("SELECT marked, no, value, _deleted_at IS NOT NULL FROM shop.marked_parts"),
    ]
}

fn counted(bench: &Bench, table: &str) -> [usize; 3] {
    let changes = bench.loader.reader().changes(&bench.target(table)).unwrap().changes;
    [changes.added, changes.changed, changes.removed].map(|count| count as usize)
}

#[test]
fn a_load_that_fails_anywhere_marks_all_or_nothing_and_the_next_one_each_row_once() {
    let parts = BTreeSet::from([0, 1]);
    let before: Source = (1..4).map(|id| (id, (0, parts.clone()))).collect();
    let after: Source = BTreeMap::from([(1, (1, parts.clone())), (5, (2, parts))]);
    let base = Bench::new();
    let has = |source: &Source| {
        let pages: Vec<String> = source.iter().map(|(id, row)| record(*id, row)).collect();
        base.api.has("/marked", &pages.iter().map(String::as_str).collect::<Vec<_>>());
    };
    has(&before);
    base.load("marked").unwrap();
    let known = live(&before);
    has(&after);
    let there = live(&after);
    let expected = [kept(&known[0], &there[0]), kept(&known[1], &there[1])];
    let mut states = BTreeSet::new();
    for at in 0.. {
        let bench = base.reopened();
        let mut number = 0;
        bench.database.fails(move |_| {
            number += 1;
            (number == at + 1).then(|| Error::database("IO Error: no space left"))
        });
        let outcome = bench.run("marked", LoadAction::Reload);
        bench.database.works_again();
        assert_eq!(stored(&bench), if outcome.is_ok() { expected.clone() } else { known.clone() }, "statement {at}");
        if bench.database.n_statements() <= at {
            break;
        }
        if states.insert(bench.database.commits().len()) {
            let later = bench.reopened();
            let report = later.run("marked", LoadAction::Reload).unwrap();
            // Those that are gone are not counted, whoever staged them.
            assert_eq!((stored(&later), report.rows), (expected.clone(), 2), "after statement {at}");
        }
    }
    assert!(states.len() > 3, "{states:?}");
}

#[test]
fn rows_stay_when_there_is_nothing_left_to_ask_for() {
    let bench = Bench::new();
    bench.api.has("/items", &[r#"{"id": 1}"#]);
    bench.api.has("/lines/1", &[r#"{"id": 7}"#]);
    bench.load("marked_lines").unwrap();
    bench.api.has("/items", &[]);
    bench.run("items", LoadAction::Reload).unwrap();
    bench.run("marked_lines", LoadAction::Reload).unwrap();
    assert_eq!(bench.database.rows("SELECT item, id, _deleted_at IS NOT NULL FROM shop.marked_lines"), ["1|7|true"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_row_that_was_loaded_is_lost(rounds in rounds()) {
        let bench = Bench::new();
        let mut source: Source = BTreeMap::from([(0, (0, BTreeSet::from([0]))), (9, (0, BTreeSet::from([0, 1])))]);
        let pages = |source: &Source| source.iter().map(|(id, row)| record(*id, row)).collect::<Vec<String>>();
        let has = |path: &str, pages: &[String]| bench.api.has(path, &pages.iter().map(String::as_str).collect::<Vec<_>>());
        has("/marked", &pages(&source));
        bench.load("marked").unwrap();
        let mut known = live(&source);
        prop_assert_eq!(&stored(&bench), &known);
        for round in rounds {
            let mut told = Source::new();
            for (id, value, parts) in round.put {
                told.insert(id, (value, parts.clone()));
                source.insert(id, (value, parts));
            }
            let dropped: Vec<u8> = round.dropped.iter().copied().filter(|id| source.remove(id).is_some()).collect();
            dropped.iter().for_each(|id| drop(told.remove(id)));
            let gone = round.dropped.iter().map(|id| format!("{{\"id\": {id}, \"gone\": true, \"parts\": [{{\"no\": 7}}]}}"));
            has("/marked", &pages(&source));
            has("/marked?since", &pages(&told).into_iter().chain(gone).collect::<Vec<String>>());
            bench.run("marked", if round.is_update { LoadAction::Refresh } else { LoadAction::Reload }).unwrap();
            let there = live(&source);
            let expected = [kept(&known[0], &there[0]), kept(&known[1], &there[1])];
            prop_assert_eq!(&stored(&bench), &expected);
            for (idx, table) in ["marked", "marked_parts"].into_iter().enumerate() {
                prop_assert_eq!(counted(&bench, table), counts(&known[idx], &expected[idx]), "{}", table);
            }
            known = expected;
        }
    }
}
