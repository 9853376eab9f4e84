//! How a complete load becomes the table: all at once, with what users added, or not at all.

use super::bench::{Bench, FIRST, SECOND};
use super::memory::{Commit, Rule};
use crate::load::LoadAction;
use crate::{DatabaseErrorType, Error, ErrorKind};
use std::collections::BTreeSet;

/// A table with one old row, and other rows at the API.
fn loaded_before() -> Bench {
    let bench = Bench::new();
    bench.api.has("/items", &[r#"{"id": 9, "name": "old", "price": 1}"#]);
    bench.load("items").unwrap();
    bench.api.has("/items", &[FIRST, SECOND]);
    bench
}

const OLD: [&str; 1] = ["9|old|1"];
const NEW: [&str; 3] = ["1|nail|2", "2|saw|30", "3|plane|45"];

fn items(bench: &Bench) -> Vec<String> {
    bench.database.rows("SELECT id, name, price FROM shop.items ORDER BY id")
}

/// Returns the last commit, which is the publication.
fn published(bench: &Bench) -> Commit {
    bench.database.commits().pop().unwrap()
}

#[test]
fn a_statement_that_fails_leaves_all_old_rows_or_all_new_ones() {
    let base = loaded_before();
    let (mut outcomes, mut states) = ([0, 0], BTreeSet::new());
    for at in 0.. {
        let bench = base.reopened();
        let mut number = 0;
        bench.database.fails(move |_| {
            number += 1;
            (number == at + 1).then(|| Error::database("IO Error: no space left"))
        });
        let outcome = bench.run("items", LoadAction::Reload);
        bench.database.works_again();
        match &outcome {
            Ok(_) => assert_eq!(items(&bench), NEW, "statement {at}"),
            Err(_) => assert_eq!(items(&bench), OLD, "statement {at}"),
        }
        outcomes[usize::from(outcome.is_ok())] += 1;
        if bench.database.n_statements() <= at {
            break;
        }
        if states.insert(bench.database.commits().len()) {
            bench.run("items", LoadAction::Reload).unwrap();
            assert_eq!(items(&bench), NEW, "after statement {at}");
        }
    }
    assert!(outcomes[0] > 40, "{outcomes:?}");
}

#[test]
fn a_commit_that_fails_publishes_nothing_and_what_was_stored_is_used_again() {
    let bench = loaded_before();
    bench.database.fails(|transacted| {
        (transacted.has("RENAME TO \"items\"") && transacted.is_at("COMMIT")).then(|| Error::database("IO Error: no space left"))
    });
    assert!(bench.run("items", LoadAction::Reload).unwrap_err().message().contains("no space left"));
    assert_eq!((items(&bench), bench.rows("items__loading").len()), (OLD.map(String::from).to_vec(), 3));
    bench.database.works_again();
    let _ = bench.api.asked();
    bench.run("items", LoadAction::Reload).unwrap();
    assert_eq!((items(&bench), bench.api.asked()), (NEW.map(String::from).to_vec(), Vec::new()));
}

#[test]
fn what_the_log_was_to_say_is_said_when_a_commit_failed() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST]);
    bench.database.fails(|transacted| {
        (transacted.has("RENAME TO \"items\"") && transacted.is_at("COMMIT")).then(|| Error::database("IO Error: no space left"))
    });
    bench.load("items").unwrap_err();
    assert!(bench.log().contains("IO Error: no space left") && !bench.log().contains("published"), "{}", bench.log());
}

#[test]
fn the_comments_are_the_specs_where_the_user_wrote_none() {
    let bench = loaded_before();
    bench.database.run("COMMENT ON COLUMN shop.items.price IS 'in euros'; COMMENT ON TABLE shop.items IS 'mine'");
    bench.run("items", LoadAction::Reload).unwrap();
    let state = bench.database.state();
    let table = state.table("shop", "items").unwrap();
    let comment = |name: &str| table.columns[table.column(name).unwrap()].comment.as_deref();
    assert_eq!(
        (table.comment.as_deref(), comment("name"), comment("price"), comment("id")),
        (Some("mine"), Some("What it is called"), Some("in euros"), None)
    );
}

#[test]
fn a_table_without_constraints_is_the_staging_table_renamed() {
    let bench = loaded_before();
    bench.database.run("ALTER TABLE shop.items ALTER COLUMN name SET DEFAULT 'none'");
    bench.run("items", LoadAction::Reload).unwrap();
    let transaction = published(&bench).transaction;
    let of = |part: &str| transaction.place_of(part);
    assert!(of("DROP TABLE IF EXISTS \"lake\".\"shop\".\"items\"") < of("SET DEFAULT 'none'"));
    assert!(of("SET DEFAULT 'none'") < of("RENAME TO \"items\""));
    assert!(!transaction.has("INSERT INTO \"lake\".\"shop\".\"items\""));
    let state = bench.database.state();
    let table = state.table("shop", "items").unwrap();
    assert_eq!(table.columns[table.column("name").unwrap()].default.as_deref(), Some("'none'"));
}

#[test]
fn a_table_with_constraints_is_made_anew_and_filled_before_its_indexes_are_made() {
    let bench = loaded_before();
    bench.database.run(
        "ALTER TABLE shop.items ADD PRIMARY KEY (id); ALTER TABLE shop.items ALTER COLUMN name SET NOT NULL; \
         CREATE UNIQUE INDEX by_name ON shop.items (name)",
    );
    bench.run("items", LoadAction::Reload).unwrap();
    let transaction = published(&bench).transaction;
    let steps = [
        "DROP TABLE IF EXISTS \"lake\".\"shop\".\"items\"",
        "CREATE TABLE \"lake\".\"shop\".\"items\"",
        "INSERT INTO \"lake\".\"shop\".\"items\"",
        "DROP TABLE \"lake\".\"shop\".\"items__loading\"",
        "CREATE UNIQUE INDEX \"by_name\"",
        "COMMENT ON TABLE",
        "'complete'",
    ];
    assert!(steps.map(|part| transaction.place_of(part)).is_sorted(), "{transaction:#?}");
    let state = bench.database.state();
    let table = state.table("shop", "items").unwrap();
    assert!(
        matches!(table.rules.as_slice(), [Rule::NotNull(name), Rule::Unique(_, key)] if name == "name" && key == &["id"]),
        "{:?}",
        table.rules
    );
    assert_eq!((table.indexes.len(), items(&bench)), (1, NEW.map(String::from).to_vec()));
}

/// Checks that rows which do not fit what a statement added are refused, and that the next load asks for them anew.
fn check_refused(added: &str, expected: &str) {
    let bench = loaded_before();
    bench.database.run(added);
    let err = bench.run("items", LoadAction::Reload).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Refused, "{err}");
    assert!(err.message().contains(expected), "{err}");
    assert_eq!(items(&bench), OLD);
    let state = bench.database.state();
    assert!(state.table("shop", "items__loading").is_none());
    assert!(!state.texts("unify", "load_state", &["table_name"]).concat().contains(&"items__loading".to_string()));
    let _ = bench.api.asked();
    bench.api.has("/items", &[r#"{"id": 1, "name": "nail", "price": 1}"#]);
    bench.run("items", LoadAction::Reload).unwrap();
    assert_eq!((items(&bench), bench.api.asked()), (vec!["1|nail|1".to_string()], vec!["/items#0".to_string()]));
}

#[test]
fn rows_that_break_a_constraint_are_refused_and_the_table_stays() {
    check_refused("ALTER TABLE shop.items ADD CHECK (price < 40)", "do not fit CHECK((price < 40)), which was added to the table");
}

#[test]
fn rows_that_break_a_unique_index_are_refused_and_the_table_stays() {
    let bench = loaded_before();
    bench.api.has("/items", &[r#"{"id": 1, "name": "nail"}, {"id": 2, "name": "nail"}"#]);
    bench.database.run("CREATE UNIQUE INDEX by_name ON shop.items (name)");
    let err = bench.run("items", LoadAction::Reload).unwrap_err();
    assert!(err.message().contains("remove what was added with DROP INDEX \"lake\".\"shop\".\"by_name\""), "{err}");
    assert_eq!((err.kind(), items(&bench)), (ErrorKind::Refused, OLD.map(String::from).to_vec()));
}

#[test]
fn rows_without_a_constrained_column_are_refused() {
    let bench = loaded_before();
    bench.api.has("/items", &[r#"{"id": 1, "name": "nail"}"#]);
    bench.database.run("ALTER TABLE shop.items ALTER COLUMN price SET NOT NULL");
    let err = bench.run("items", LoadAction::Reload).unwrap_err();
    assert!(err.message().contains("NOT NULL of column 'price'"), "{err}");
    assert_eq!((err.kind(), items(&bench)), (ErrorKind::Refused, OLD.map(String::from).to_vec()));
}

#[test]
fn a_view_is_made_and_noted_with_its_table() {
    let bench = loaded_before();
    for commit in bench.database.commits() {
        let is_there = commit.state.table("shop", "items").is_some();
        let noted = commit.state.texts("unify", "load_state", &["table_name"]).concat();
        assert_eq!(commit.state.views.len(), usize::from(is_there));
        assert_eq!(noted.contains(&"cheap_items".to_string()), is_there);
    }
    assert_eq!(bench.rows("cheap_items"), ["9|old"]);
}

#[test]
fn a_view_is_made_again_only_when_its_table_has_other_columns() {
    let bench = loaded_before();
    let made = |page: &'static str| {
        let n_before = bench.database.commits().len();
        bench.api.has("/items", &[page]);
        bench.run("items", LoadAction::Reload).unwrap();
        bench.database.commits()[n_before..].iter().any(|commit| commit.transaction.has("CREATE OR REPLACE VIEW"))
    };
    assert!(!made(r#"{"id": 3, "name": "peg", "price": 2}"#));
    assert!(made(r#"{"id": 3, "name": "peg", "price": 2, "made_of": "oak"}"#));
    assert!(!made(r#"{"id": 4, "name": "pin", "price": 3, "made_of": "tin"}"#));
    bench.database.run("DROP VIEW shop.cheap_items");
    assert!(made(r#"{"id": 4, "name": "pin", "price": 3, "made_of": "tin"}"#));
    assert_eq!(bench.rows("cheap_items"), ["4|pin"]);
}

#[test]
fn a_view_that_could_not_be_made_is_tried_again() {
    const WIDER: &str = r#"{"id": 3, "name": "peg", "price": 2, "made_of": "oak"}"#;
    let bench = loaded_before();
    let noted = || bench.database.rows("SELECT place FROM unify.load_state WHERE table_name = 'cheap_items'");
    bench.database.fails(|transacted| {
        let is_view = transacted.is_at("CREATE OR REPLACE VIEW");
        is_view.then(|| Error::of_database(DatabaseErrorType::Binder, "Binder Error: column types changed"))
    });
    bench.api.has("/items", &[WIDER]);
    bench.run("items", LoadAction::Reload).unwrap();
    assert!(bench.log().contains("view 'cheap_items' was not made: "), "{}", bench.log());
    assert_eq!(noted(), ["NULL"]);
    bench.database.works_again();
    // Its table has the same columns as before.
    bench.run("items", LoadAction::Reload).unwrap();
    assert_ne!(noted(), ["NULL"]);
}

#[test]
fn a_view_that_cannot_be_made_is_left_out_and_the_table_is_not() {
    let bench = Bench::new();
    bench.api.has("/items", &[r#"{"id": 1, "name": "nail"}"#]);
    bench.load("items").unwrap();
    let state = bench.database.state();
    assert!(state.views.is_empty() && state.table("shop", "items").is_some());
    assert!(bench.log().contains("view 'cheap_items' was not made: "), "{}", bench.log());
    assert_eq!(bench.records().len(), 3);
}

#[test]
fn a_view_that_somebody_else_made_stays() {
    let bench = Bench::new();
    bench.load("parts").unwrap();
    bench.database.run("CREATE OR REPLACE VIEW shop.cheap_items AS SELECT 7 AS mine");
    bench.api.has("/items", &[FIRST]);
    bench.load("items").unwrap();
    assert_eq!(bench.rows("cheap_items"), ["7"]);
    assert_eq!(bench.rows("items").len(), 2);
}

/// Runs statements of somebody else while the load stores its rows.
fn meanwhile(bench: &Bench, sql: &'static str) {
    let (database, mut is_over) = (bench.database.clone(), false);
    bench.database.fails(move |transacted| {
        if transacted.is_at("APPEND items__loading") && !is_over {
            is_over = true;
            database.aside(sql);
        }
        None
    });
}

#[test]
fn a_table_that_somebody_made_meanwhile_is_not_replaced() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST]);
    meanwhile(&bench, "CREATE TABLE shop.items (mine VARCHAR); INSERT INTO shop.items VALUES ('precious')");
    let err = bench.load("items").unwrap_err();
    assert!(err.message().contains("'shop.items' exists and was not made by Unify"), "{err}");
    assert_eq!(bench.rows("items"), ["precious"]);
}

#[test]
fn a_table_that_somebody_put_in_the_place_of_the_old_one_meanwhile_is_not_replaced() {
    let bench = loaded_before();
    meanwhile(&bench, "DROP TABLE shop.items; CREATE TABLE shop.items (mine VARCHAR); INSERT INTO shop.items VALUES ('precious')");
    let err = bench.run("items", LoadAction::Reload).unwrap_err();
    assert!(err.message().contains("the columns of 'shop.items' changed since Unify loaded it"), "{err}");
    assert_eq!(bench.rows("items"), ["precious"]);
}

#[test]
fn a_table_that_somebody_dropped_meanwhile_is_made_anew() {
    let bench = loaded_before();
    meanwhile(&bench, "DROP TABLE shop.items");
    bench.run("items", LoadAction::Reload).unwrap();
    assert_eq!(items(&bench), NEW);
}

#[test]
fn a_table_without_rows_is_there_with_its_key() {
    let bench = Bench::new();
    bench.load("items").unwrap();
    let state = bench.database.state();
    let names: Vec<&str> = state.table("shop", "items").unwrap().columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, bench.records().last().unwrap().as_str()), (vec!["name", "id"], "3|1|items|load_end|0|success"));
}

#[test]
fn rows_that_came_twice_are_taken_back_in_a_transaction_before_the_publication() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST, r#"{"id": 2, "name": "saw", "price": 30}"#, r#"{"id": 1, "name": "tack", "price": 1}"#]);
    bench.load("items").unwrap();
    assert_eq!(items(&bench), ["1|tack|1", "2|saw|30"]);
    let commits = bench.database.commits();
    let taken_back = commits.iter().position(|commit| commit.transaction.has("unify_repeated")).unwrap();
    assert_eq!(taken_back, commits.len() - 2);
    assert!(!commits[taken_back].transaction.has("RENAME TO") && commits[taken_back + 1].transaction.has("RENAME TO \"items\""));
    assert!(bench.log().contains("published, rows: 2"), "{}", bench.log());
}

#[test]
fn a_refresh_merges_what_changed_by_key_in_one_transaction() {
    let bench = events(&[r#"{"id": 2, "at": 5}"#, r#"{"id": 3, "at": 6}"#]);
    assert_eq!(bench.api.asked(), ["/events?since#0", "/events?since#1"]);
    assert_eq!(bench.rows("events"), ["1|1", "2|5", "3|6"]);
    let transaction = published(&bench).transaction;
    let steps = [
        "DELETE FROM \"lake\".\"shop\".\"events\"",
        "INSERT INTO \"lake\".\"shop\".\"events\"",
        "DROP TABLE \"lake\".\"shop\".\"events__loading\"",
        "'complete'",
        "'refresh_end'",
        "COMMIT",
    ];
    assert!(steps.map(|part| transaction.place_of(part)).is_sorted(), "{transaction:#?}");
}

/// Loads events 1 and 2, and refreshes them by these pages.
fn events(changed: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.api.has("/events", &[r#"{"id": 1, "at": 1}, {"id": 2, "at": 1}"#]);
    bench.load("events").unwrap();
    let _ = bench.api.asked();
    bench.api.has("/events?since", changed);
    bench.run("events", LoadAction::Refresh).unwrap();
    bench
}

#[test]
fn a_refresh_that_brings_nothing_is_one_transaction_after_the_record_of_its_start() {
    let bench = events(&[r#"{"id": 2, "at": 5}"#]);
    let (n_before, began) = (bench.database.commits().len(), began(&bench));
    bench.api.has("/events?since", &[""]);
    bench.run("events", LoadAction::Refresh).unwrap();
    let commits = bench.database.commits().split_off(n_before);
    let changing: Vec<_> = commits.iter().filter(|commit| commit.transaction.has("INSERT")).collect();
    let [start, end] = changing.as_slice() else { panic!("{changing:#?}") };
    assert!(start.transaction.has("'refresh_start'") && end.transaction.has("'refresh_end'"));
    // Those of its records it makes where they are missing.
    assert!(commits.iter().all(|commit| !commit.transaction.has("CREATE TABLE \"")), "{commits:#?}");
    assert_eq!(bench.rows("events"), ["1|1", "2|5"]);
    assert_ne!(self::began(&bench), began);
}

/// Returns when the load or refresh began whose rows the events are.
fn began(bench: &Bench) -> Vec<String> {
    bench.database.rows("SELECT started FROM unify.load_state WHERE table_name = 'events' AND parameter_set = ''")
}

#[test]
fn of_changes_with_one_key_the_last_stays() {
    let bench = events(&[r#"{"id": 2, "at": 5}"#, r#"{"id": 2, "at": 8}"#, r#"{"id": 2, "at": 7}"#]);
    assert_eq!(bench.rows("events"), ["1|1", "2|7"]);
    assert!(bench.log().contains("2 new rows came again later with the same key (id): the last of each stays"), "{}", bench.log());
}

#[test]
fn changes_without_a_key_are_added_once_however_often_they_come() {
    let bench = events(&[r#"{"id": null, "at": 5}"#]);
    bench.run("events", LoadAction::Refresh).unwrap();
    bench.run("events", LoadAction::Refresh).unwrap();
    assert_eq!(bench.database.rows("SELECT id, at FROM shop.events ORDER BY id, at"), ["1|1", "2|1", "NULL|5"]);
}

#[test]
fn a_new_field_of_a_change_is_a_new_column_and_is_recorded() {
    let bench = events(&[r#"{"id": 2, "at": "late", "by": "me"}"#]);
    assert_eq!(bench.database.rows("SELECT id, at, by FROM shop.events ORDER BY id"), ["1|1|NULL", "2|late|me"]);
    assert_eq!(
        bench.database.rows("SELECT column_name, change, from_type, to_type FROM unify.schema_changes ORDER BY column_name"),
        ["at|widened|BIGINT|VARCHAR", "by|added|NULL|VARCHAR"]
    );
}
