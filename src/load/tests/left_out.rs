//! Parameter sets that the API refuses: one of several is left out, and when nothing else is left, no row is lost.

use super::bench::{Bench, FIRST, SECOND};
use crate::load::LoadAction;

/// Returns a bench whose API has rows of a table without params, of one with listed ones, and of one with those of another table.
fn bench() -> Bench {
    let bench = Bench::new();
    for path in ["/items", "/parts/a", "/parts/b", "/parts/c", "/lines/1", "/lines/2", "/events", "/events?since"] {
        bench.api.has(path, &[FIRST]);
    }
    bench
}

fn n_rows(bench: &Bench, table: &str) -> usize {
    bench.database.rows(&format!("SELECT id FROM shop.{table}")).len()
}

/// Loads a table and returns why that failed.
fn failure(bench: &Bench, table: &str, action: LoadAction) -> String {
    bench.run(table, action).unwrap_err().to_string()
}

#[test]
fn a_table_whose_only_request_is_refused_fails_instead_of_being_empty() {
    let bench = bench();
    bench.api.forbids(&["/items"]);
    let message = failure(&bench, "items", LoadAction::Load);
    assert!(message.contains("returned 403 (Forbidden): a scope is missing"), "{message}");
    assert!(bench.database.state().table("shop", "items").is_none());
    bench.api.forbids(&[]);
    bench.run("items", LoadAction::Load).unwrap();
    assert_eq!(n_rows(&bench, "items"), 2);
    for action in [LoadAction::Reload, LoadAction::Refresh] {
        bench.api.forbids(&["/items"]);
        let message = failure(&bench, "items", action);
        assert!(message.ends_with("its rows stay"), "{message}");
        assert_eq!(n_rows(&bench, "items"), 2);
        // What is refused is asked for again.
        bench.api.forbids(&[]);
        bench.run("items", action).unwrap();
        assert_eq!(n_rows(&bench, "items"), 2);
    }
}

#[test]
fn one_set_of_several_is_left_out_and_all_of_them_are_an_error() {
    let bench = bench();
    bench.api.forbids(&["/parts/b"]);
    bench.run("parts", LoadAction::Load).unwrap();
    assert_eq!(n_rows(&bench, "parts"), 4);
    bench.api.forbids(&["/parts/a", "/parts/b", "/parts/c"]);
    failure(&bench, "parts", LoadAction::Reload);
    assert_eq!(n_rows(&bench, "parts"), 4);
    bench.api.forbids(&[]);
    bench.run("parts", LoadAction::Reload).unwrap();
    assert_eq!(n_rows(&bench, "parts"), 6);
}

#[test]
fn what_the_rows_of_another_table_ask_for_may_all_be_left_out_where_no_row_is_lost() {
    let bench = bench();
    bench.run("items", LoadAction::Load).unwrap();
    bench.api.forbids(&["/lines/1", "/lines/2"]);
    bench.run("lines", LoadAction::Load).unwrap();
    bench.run("lines", LoadAction::Reload).unwrap();
    assert_eq!(n_rows(&bench, "lines"), 0);
    bench.api.forbids(&["/lines/2"]);
    bench.run("lines", LoadAction::Reload).unwrap();
    assert_eq!(n_rows(&bench, "lines"), 2);
    bench.api.forbids(&["/lines/1", "/lines/2"]);
    let message = failure(&bench, "lines", LoadAction::Reload);
    assert!(message.contains("each of 2 parameter sets"), "{message}");
    assert_eq!(n_rows(&bench, "lines"), 2);
}

#[test]
fn a_refresh_by_updates_that_is_refused_loses_no_change() {
    let bench = bench();
    bench.run("events", LoadAction::Load).unwrap();
    bench.api.forbids(&["/events?since"]);
    failure(&bench, "events", LoadAction::Refresh);
    bench.api.forbids(&[]);
    bench.api.has("/events?since", &[SECOND]);
    bench.run("events", LoadAction::Refresh).unwrap();
    assert_eq!(n_rows(&bench, "events"), 3);
}
