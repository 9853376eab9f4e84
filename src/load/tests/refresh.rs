//! The law of refreshes with tokens: after any changes and deletions at the source, however its answers are cut into pages, and whenever a
//! token expires or a load ends early, a table has what the source has.

use super::bench::Bench;
use crate::load::LoadAction;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens at the source before a refresh.
#[derive(Debug, Clone)]
struct Step {
    /// Rows that are put (a name) or deleted (none), by their ids.
    changes: BTreeMap<u8, Option<u8>>,
    is_expired: bool,
    page_size: usize,
    /// The page that is an error the first time.
    broken: Option<usize>,
}

fn step() -> impl Strategy<Value = Step> {
    let changes = prop::collection::btree_map(0_u8..12, prop::option::weighted(0.6, 0_u8..4), 0..6);
    (changes, prop::bool::weighted(0.2), 1_usize..4, prop::option::weighted(0.2, 0_usize..3))
        .prop_map(|(changes, is_expired, page_size, broken)| Step { changes, is_expired, page_size, broken })
}

fn pages_of(records: &[String], page_size: usize) -> Vec<String> {
    records.chunks(page_size).map(|records| records.join(", ")).collect()
}

fn record(id: u8, name: Option<u8>) -> String {
    match name {
        Some(name) => format!("{{\"id\": {id}, \"name\": \"{name}\"}}"),
        None => format!("{{\"id\": {id}, \"gone\": true}}"),
    }
}

/// Lets the API have the rows there are, and those that changed since the token before.
fn offer(bench: &Bench, rows: &BTreeMap<u8, u8>, step: &Step, number: usize) {
    let has = |path: &str, records: Vec<String>| {
        let pages = pages_of(&records, step.page_size);
        bench.api.has(path, &pages.iter().map(String::as_str).collect::<Vec<_>>());
    };
    has("/feed", rows.iter().map(|(id, name)| record(*id, Some(*name))).collect());
    has(&format!("/feed?sync=t{number}"), step.changes.iter().map(|(id, name)| record(*id, *name)).collect());
    bench.api.gives_token(&format!("t{}", number + 1));
    if step.is_expired {
        bench.api.forgets_token(&format!("t{number}"));
    }
    if let Some(page) = step.broken {
        bench.api.breaks(&format!("/feed?sync=t{number}"), page);
    }
}

fn check(steps: &[Step]) {
    let bench = Bench::new();
    let mut rows: BTreeMap<u8, u8> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        for (id, name) in &step.changes {
            match name {
                Some(name) => rows.insert(*id, *name),
                None => rows.remove(id),
            };
        }
        offer(&bench, &rows, step, number);
        if bench.run("feed", LoadAction::Refresh).is_err() {
            assert!(step.broken.is_some(), "{steps:?}");
            bench.api.is_mended();
            bench.run("feed", LoadAction::Refresh).unwrap();
        }
        bench.api.is_mended();
        let expected: Vec<String> = rows.iter().map(|(id, name)| format!("{id}|{name}")).collect();
        assert_eq!(bench.database.rows("SELECT id, name FROM shop.feed ORDER BY id"), expected, "step {number} of {steps:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_table_has_what_the_source_has(steps in prop::collection::vec(step(), 1..6)) {
        check(&steps);
    }
}

#[test]
fn later_changes_are_asked_for_with_the_token_of_the_last_page() {
    let bench = Bench::new();
    let step = |changes: &[(u8, Option<u8>)], is_expired| Step {
        changes: changes.iter().copied().collect(),
        is_expired,
        page_size: 1,
        broken: None,
    };
    offer(&bench, &BTreeMap::from([(1, 1), (2, 2)]), &step(&[(1, Some(1)), (2, Some(2))], false), 0);
    bench.load("feed").unwrap();
    assert_eq!(bench.api.asked(), ["/feed#0", "/feed#1"]);
    offer(&bench, &BTreeMap::from([(2, 3)]), &step(&[(1, None), (2, Some(3))], false), 1);
    bench.run("feed", LoadAction::Refresh).unwrap();
    assert_eq!(bench.api.asked(), ["/feed?sync=t1#0", "/feed?sync=t1#1"]);
    assert!(bench.log().contains("1 rows came that say that a row is gone at the source"), "{}", bench.log());
    offer(&bench, &BTreeMap::from([(5, 5)]), &step(&[(2, None), (5, Some(5))], true), 2);
    bench.run("feed", LoadAction::Refresh).unwrap();
    assert_eq!(bench.api.asked(), ["/feed?sync=t2#0", "/feed#0"]);
    assert!(bench.log().contains("the API does not know the token of the last load any more; starting over"), "{}", bench.log());
    assert_eq!(bench.database.rows("SELECT id, name FROM shop.feed"), ["5|5"]);
    let state = "SELECT parameter_set, place FROM unify.load_state WHERE table_name = 'feed' AND status = 'token'";
    assert_eq!(bench.database.rows(state).len(), 1);
}
