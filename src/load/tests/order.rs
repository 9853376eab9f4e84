//! In which order a load commits what it writes, and what every commit leaves for a process that comes next.

use super::bench::{checkpoints, rows_by_page, Bench, FIRST, ITEMS, SECOND};
use super::memory::{Commit, Nature};
use crate::load::LoadAction;
use crate::session::{Attached, Database};
use crate::{Error, ErrorKind};

/// Loads the table of three pages, each a commit of its own.
fn loaded() -> Bench {
    let bench = Bench::new();
    bench.api.has("/items", ITEMS);
    bench.load("items").unwrap();
    bench
}

fn commits_with(bench: &Bench, part: &str) -> Vec<Commit> {
    bench.database.commits().into_iter().filter(|commit| commit.transaction.has(part)).collect()
}

#[test]
fn the_start_of_a_load_is_recorded_before_its_first_page_is_stored() {
    let commits = loaded().database.commits();
    let place_of = |part: &str| commits.iter().position(|commit| commit.transaction.has(part)).unwrap();
    assert!(place_of("'load_start'") < place_of("APPEND items__loading"));
}

#[test]
fn nothing_is_asked_of_the_api_before_the_start_is_recorded() {
    let bench = Bench::new();
    bench.api.has("/items", ITEMS);
    bench.database.fails(|transacted| transacted.is_at("'load_start'").then(|| Error::database("IO Error: no space left")));
    assert_eq!(bench.load("items").unwrap_err().kind(), ErrorKind::Database);
    assert_eq!(bench.api.asked(), Vec::<String>::new());
}

#[test]
fn every_page_is_stored_with_the_place_it_reaches() {
    let bench = loaded();
    let appended = commits_with(&bench, "APPEND items__loading");
    assert_eq!(appended.len(), ITEMS.len());
    for commit in &appended {
        let place = commit.transaction.last_place_of("INSERT INTO \"lake\".unify.\"load_state\"");
        assert!(commit.transaction.last_place_of("APPEND") < place, "{:#?}", commit.transaction);
    }
}

#[test]
fn after_every_commit_the_stored_rows_are_those_of_the_stored_places() {
    let bench = loaded();
    let mut seen = Vec::new();
    for commit in bench.database.commits() {
        let n_rows = commit.state.table("shop", "items__loading").map_or(0, |table| table.rows.len());
        let n_pages = checkpoints(&commit.state, "items").values().map(|place| place.n_pages(ITEMS.len())).sum();
        if commit.state.table("shop", "items").is_none() {
            assert_eq!(n_rows, rows_by_page(ITEMS, n_pages), "{:#?}", commit.transaction);
            seen.push(n_pages);
        }
    }
    seen.dedup();
    assert_eq!(seen, [0, 1, 2, 3]);
}

#[test]
fn the_staging_table_is_noted_with_its_columns_when_it_is_made() {
    let bench = loaded();
    let [made] = commits_with(&bench, "CREATE TABLE \"lake\".\"shop\".\"items__loading\"").try_into().unwrap();
    let noted = made.state.texts("unify", "load_state", &["table_name", "parameter_set", "status"]);
    assert!(noted.contains(&["items__loading", "", "loading"].map(String::from).to_vec()), "{noted:?}");
}

#[test]
fn a_staging_table_is_never_there_without_its_note() {
    for commit in loaded().database.commits() {
        let noted = commit.state.texts("unify", "load_state", &["table_name", "parameter_set"]);
        let is_noted = noted.contains(&["items__loading", ""].map(String::from).to_vec());
        assert_eq!(commit.state.table("shop", "items__loading").is_some(), is_noted, "{:#?}", commit.transaction);
    }
}

#[test]
fn publication_is_one_transaction() {
    let bench = loaded();
    let [published] = commits_with(&bench, "RENAME TO \"items\"").try_into().unwrap();
    let of = |part: &str| published.transaction.place_of(part);
    assert!(of("RENAME TO") < of("DELETE FROM \"lake\".unify.load_state"));
    assert!(of("DELETE FROM \"lake\".unify.load_state") < of("'complete'"));
    assert!(of("'complete'") < of("'load_end'"));
    assert!(of("'load_end'") < of("published, rows: 5"));
    assert_eq!(published.transaction.statements.last().map(String::as_str), Some("COMMIT"));
}

#[test]
fn a_table_is_there_exactly_when_it_is_noted_as_complete_and_its_end_is_recorded() {
    for commit in loaded().database.commits() {
        let is_there = commit.state.table("shop", "items").is_some();
        let noted = commit.state.texts("unify", "load_state", &["table_name", "status"]);
        let ends = commit.state.texts("unify", "loading_jobs", &["action", "status"]);
        assert_eq!(noted.contains(&["items", "complete"].map(String::from).to_vec()), is_there, "{:#?}", commit.transaction);
        assert_eq!(ends.contains(&["load_end", "success"].map(String::from).to_vec()), is_there, "{:#?}", commit.transaction);
    }
}

#[test]
fn publication_is_the_last_commit_and_leaves_nothing_of_the_load() {
    let bench = loaded();
    let commits = bench.database.commits();
    assert!(commits.last().unwrap().transaction.has("RENAME TO \"items\""));
    let tables: Vec<String> = bench.database.state().tables.keys().filter(|key| key.0 == "shop").map(|key| key.1.clone()).collect();
    assert_eq!(tables, ["items"]);
    assert_eq!(
        bench.database.rows("SELECT table_name, parameter_set, status FROM unify.load_state ORDER BY table_name"),
        ["||schema", "cheap_items||complete", "items||complete"]
    );
    assert_eq!(bench.records(), ["1|NULL|items|load_start|NULL|success", "2|1|items|create|NULL|success", "3|1|items|load_end|5|success"]);
}

#[test]
fn a_schema_is_there_exactly_when_it_is_noted_as_unifys() {
    let bench = loaded();
    for commit in bench.database.commits() {
        let noted = commit.state.texts("unify", "load_state", &["table_schema", "table_name", "status"]);
        let is_noted = noted.contains(&["shop", "", "schema"].map(String::from).to_vec());
        assert_eq!(commit.state.schemas.contains("shop"), is_noted, "{:#?}", commit.transaction);
    }
    assert!(bench.database.state().schemas.contains("shop"));
}

#[test]
fn the_records_are_made_in_one_transaction_with_their_version() {
    const RECORDS: [&str; 7] = ["changed_rows", "load_state", "loading_jobs", "loading_log", "meta", "schema_changes", "table_changes"];
    for commit in loaded().database.commits() {
        let names: Vec<&str> = commit.state.tables.keys().filter(|key| key.0 == "unify").map(|key| key.1.as_str()).collect();
        assert_eq!(names, RECORDS, "{:#?}", commit.transaction);
        assert_eq!(commit.state.texts("unify", "meta", &["version"]), [["1"]]);
    }
}

#[test]
fn a_table_that_is_loaded_is_left_alone() {
    let bench = loaded();
    let (n_commits, _) = (bench.database.commits().len(), bench.api.asked());
    assert_eq!(bench.load("items").unwrap().action, "none");
    assert_eq!(bench.database.commits().len(), n_commits);
    assert_eq!(bench.api.asked(), Vec::<String>::new());
}

#[test]
fn a_failure_is_recorded_and_what_came_before_it_stays_out_of_sight() {
    let bench = Bench::new();
    bench.api.has("/items", ITEMS);
    bench.api.breaks("/items", 2);
    assert_eq!(bench.load("items").unwrap_err().kind(), ErrorKind::Api);
    assert_eq!(bench.records(), ["1|NULL|items|load_start|NULL|success", "2|1|items|load_end|NULL|error"]);
    assert!(bench.database.state().table("shop", "items").is_none());
    assert_eq!(bench.rows("items__loading").len(), rows_by_page(ITEMS, 2));
}

#[test]
fn parents_are_loaded_and_recorded_before_their_rows_are_asked_for() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST, SECOND]);
    for (path, id) in [("/lines/1", 10), ("/lines/2", 20), ("/lines/3", 30)] {
        bench.api.has(path, &[&format!("{{\"id\": {id}}}")]);
    }
    bench.load("lines").unwrap();
    assert_eq!(bench.api.asked(), ["/items#0", "/items#1", "/lines/1#0", "/lines/2#0", "/lines/3#0"]);
    assert_eq!(bench.database.rows("SELECT item, id FROM shop.lines ORDER BY id"), ["1|10", "2|20", "3|30"]);
    let ended = |table: &str| commits_with(&bench, &format!("RENAME TO \"{table}\""))[0].state.clone();
    assert!(ended("items").table("shop", "lines__loading").is_none());
    assert!(ended("lines").table("shop", "items").is_some());
}

#[test]
fn a_database_that_cannot_be_written_is_not_loaded_into() {
    let bench = Bench::new();
    bench.database.set_nature(|nature| nature.is_read_only = true);
    let err = bench.load("items").unwrap_err();
    assert!(err.message().contains("database 'lake' is read-only"), "{err}");
    assert_eq!((bench.database.commits().len(), bench.api.asked()), (0, Vec::new()));
}

#[test]
fn records_of_a_newer_version_are_left_as_they_are() {
    let bench = loaded();
    bench.database.run("INSERT INTO unify.meta VALUES (99, '9.9.9', NULL)");
    let n_commits = bench.database.commits().len();
    let _ = bench.api.asked();
    let err = bench.run("items", LoadAction::Reload).unwrap_err();
    assert!(err.message().contains("were written by Unify 9.9.9 in version 99"), "{err}");
    assert_eq!((bench.database.commits().len(), bench.api.asked()), (n_commits, Vec::new()));
}

#[test]
fn records_of_an_older_version_get_what_they_lack() {
    let bench = loaded();
    bench.database.run("ALTER TABLE unify.load_state DROP COLUMN sets; DELETE FROM unify.meta");
    let reopened = bench.reopened();
    reopened.run("items", LoadAction::Reload).unwrap();
    let migrated = &reopened.database.commits()[0];
    assert_eq!(migrated.state.texts("unify", "meta", &["version"]), [["1"]]);
    assert!(migrated.transaction.has("ADD COLUMN \"sets\" VARCHAR"));
    assert_eq!(reopened.rows("items").len(), 5);
}

#[test]
fn a_table_that_was_dropped_is_noted_and_loaded_again() {
    let bench = loaded();
    bench.database.run("DROP TABLE shop.items");
    bench.load("items").unwrap();
    assert_eq!(bench.rows("items").len(), 5);
    assert_eq!(bench.records()[3..5], ["4|NULL|items|drop|NULL|success", "5|NULL|items|load_start|NULL|success"]);
}

#[test]
fn a_schema_that_somebody_else_made_is_left_alone() {
    let bench = Bench::new();
    bench.database.run("CREATE SCHEMA shop");
    let err = bench.load("items").unwrap_err();
    assert!(err.message().contains("schema 'shop' exists and was not made by Unify"), "{err}");
    assert_eq!(bench.api.asked(), Vec::<String>::new());
}

#[test]
fn what_another_process_did_meanwhile_makes_a_transaction_begin_again_and_stores_nothing_twice() {
    let database = super::memory::MemoryDatabase::new(Nature { database_type: "ducklake", ..Nature::default() });
    let bench = Bench::of(super::bench::Api::start(), database);
    bench.api.has("/items", &[FIRST]);
    let mut n_conflicts = 0;
    bench.database.fails(move |transacted| {
        let is_in_the_way = n_conflicts < 2 && transacted.has("APPEND") && transacted.is_at("COMMIT");
        n_conflicts += usize::from(is_in_the_way);
        is_in_the_way.then(|| {
            Error::of_database(
                crate::DatabaseErrorType::Transaction,
                "TransactionContext Error: Failed to commit: Transaction conflict - attempting to insert",
            )
        })
    });
    bench.load("items").unwrap();
    assert_eq!(bench.rows("items").len(), 2);
    assert_eq!(commits_with(&bench, "APPEND").len(), 1);
}

/// The address of another kind of database may hold a password.
#[test]
fn the_path_of_a_database_is_known_of_files_alone() {
    for (database_type, path) in [("duckdb", "a path"), ("ducklake", ""), ("postgres", "")] {
        let database = super::memory::MemoryDatabase::new(Nature { database_type, ..Nature::default() });
        let attached = Attached::of(database.connect().unwrap().as_mut(), "lake").unwrap();
        assert_eq!(attached.path, path, "{database_type}");
    }
}
