//! How the staging table takes pages that do not fit its columns.

use super::bench::{Bench, FIRST};
use super::memory::State;
use crate::columns::TableSchema;

/// Returns whether the columns that are noted of a staging table are those it has.
fn is_noted_as_it_is(state: &State) -> bool {
    let Some(table) = state.table("shop", "items__loading") else { return true };
    let noted = state.texts("unify", "load_state", &["table_name", "parameter_set", "columns"]);
    let noted = noted.iter().find(|row| row[0] == "items__loading" && row[1].is_empty()).unwrap();
    let schema = TableSchema::from_text(&noted[2]).unwrap();
    let noted = schema.columns.iter().map(|column| (column.name.as_str(), column.column_type.sql_name()));
    noted.eq(table.columns.iter().map(|column| (column.name.as_str(), column.sql_type.as_str().into())))
}

/// Loads pages, each a commit of its own, and checks the rows.
fn check_pages(pages: &[&str], select: &str, expected: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.api.has("/items", pages);
    bench.load("items").unwrap();
    assert_eq!(bench.database.rows(&format!("SELECT {select} FROM shop.items ORDER BY id")), expected);
    for commit in bench.database.commits() {
        assert!(is_noted_as_it_is(&commit.state), "{:#?}", commit.transaction);
    }
    bench
}

#[test]
fn a_page_that_does_not_fit_widens_its_column_in_the_transaction_of_its_rows() {
    let bench = check_pages(&[FIRST, r#"{"id": 3, "name": "plane", "price": "free"}"#], "id, price", &["1|2", "2|30", "3|free"]);
    let commits = bench.database.commits();
    let widened = commits.iter().find(|commit| commit.transaction.has("SET DATA TYPE VARCHAR")).unwrap();
    let steps = ["SET columns =", "SET DATA TYPE VARCHAR", "APPEND items__loading 1", "COMMIT"];
    assert!(steps.map(|part| widened.transaction.place_of(part)).is_sorted(), "{:#?}", widened.transaction);
}

#[test]
fn whole_numbers_become_numbers_with_a_fraction() {
    check_pages(&[FIRST, r#"{"id": 3, "name": "plane", "price": 4.5}"#], "id, price", &["1|2.0", "2|30.0", "3|4.5"]);
}

#[test]
fn a_new_field_adds_a_column_and_earlier_rows_have_no_value() {
    check_pages(&[FIRST, r#"{"id": 3, "name": "plane", "price": 1, "maker": "me"}"#], "id, maker", &["1|NULL", "2|NULL", "3|me"]);
}

#[test]
fn where_stored_values_cannot_be_told_as_they_came_the_load_starts_over_wider() {
    let pages =
        [r#"{"id": 1, "name": "nail", "price": 1}, {"id": 2, "name": "saw", "price": 1.0}"#, r#"{"id": 3, "name": "plane", "price": "x"}"#];
    let bench = check_pages(&pages, "id, price", &["1|1", "2|1.0", "3|x"]);
    assert_eq!(bench.api.asked(), ["/items#0", "/items#1", "/items#0", "/items#1"]);
    assert!(bench.log().contains("column 'price' takes other values now"), "{}", bench.log());
}

#[test]
fn a_column_that_never_has_a_value_is_there_all_the_same() {
    check_pages(&[r#"{"id": 1, "name": "nail", "price": 2, "note": null}"#], "id, note", &["1|NULL"]);
}
