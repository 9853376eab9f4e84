//! The law of columns that name no source: which field such a column takes depends on the row alone.

use super::*;
use crate::spec::ScalarType;
use proptest::prelude::*;
use std::collections::BTreeMap;

const BIGINT: Option<DeclaredType> = Some(DeclaredType::Scalar(ScalarType::BigInt));
const VARCHAR: Option<DeclaredType> = Some(DeclaredType::Scalar(ScalarType::Varchar));

/// Fields that all become `a_b` when flattened, the one first that wins.
const RIVALS: &[&str] = &["\"a_b\":", "\"a\":{\"b\":", "\"A_b\":", "\"A\":{\"B\":"];

fn record(number: usize, values: &[(usize, i64)]) -> String {
    let fields = values.iter().map(|(rival, value)| {
        let close = if RIVALS[*rival].contains('{') { "}" } else { "" };
        format!(",{}{value}{close}", RIVALS[*rival])
    });
    format!("{{\"n\":{number}{}}}", fields.collect::<String>())
}

/// The cells of each row that are not null, those of rivals that lost as a list: their columns are called as they turned up.
fn rows_of(batch: &Batch) -> Vec<(Option<String>, Vec<String>)> {
    let cell_of = |row: usize, column: usize| cell(&batch.columns[column], row);
    let is_other = |idx: &usize| batch.schema.columns[*idx].name.to_lowercase().starts_with("a_b_");
    let others: Vec<usize> = (0..batch.columns.len()).filter(is_other).collect();
    let sorted = |mut values: Vec<String>| {
        values.sort();
        values
    };
    (0..batch.n_rows).map(|row| (cell_of(row, 0), sorted(others.iter().filter_map(|&idx| cell_of(row, idx)).collect()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_column_has_the_best_field_of_each_row_and_nothing_is_lost(
        rows in prop::collection::vec(prop::collection::btree_map(0..RIVALS.len(), any::<i8>(), 0..4), 1..7),
        shuffles in prop::collection::vec(any::<bool>(), 7),
        cuts in prop::collection::vec(any::<bool>(), 7),
        side_by_side in any::<bool>(),
    ) {
        let mut pages: Vec<Vec<String>> = vec![Vec::new()];
        for (number, (row, (reverse, cut))) in rows.iter().zip(shuffles.iter().zip(&cuts)).enumerate() {
            let mut values: Vec<(usize, i64)> = row.iter().map(|(rival, value)| (*rival, i64::from(*value))).collect();
            if *reverse {
                values.reverse();
            }
            if *cut {
                pages.push(Vec::new());
            }
            pages.last_mut().unwrap().push(record(number, &values));
        }
        let pages: Vec<String> = pages.iter().map(|records| format!("[{}]", records.join(","))).collect();
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        let expected_of = |row: &BTreeMap<usize, i8>| {
            let mut others: Vec<String> = row.values().skip(1).map(i8::to_string).collect();
            others.sort();
            (row.values().next().map(i8::to_string), others)
        };
        let expected: Vec<_> = rows.iter().map(expected_of).collect();
        for data_type in [BIGINT, None] {
            let table_def = with(|t| t.columns = vec![column("a_b", data_type, None)]);
            let batch = load_as_job(&table_def, &pages, side_by_side).unwrap();
            prop_assert_eq!(&batch.schema.columns[0].name, "a_b");
            if expected.iter().any(|(value, _)| value.is_some()) {
                prop_assert_eq!(batch.schema.columns[0].column_type, ColumnType::Scalar(ScalarType::BigInt));
            }
            prop_assert_eq!(rows_of(&batch), expected.clone());
        }
    }
}

#[test]
fn a_field_further_down_does_not_have_to_fit() {
    let table_def = with(|t| t.columns = vec![column("order_id", BIGINT, None)]);
    let first = r#"[{"order_id":1},{"order":{"id":"x"},"order_id":2}]"#;
    let expected = "order_id BIGINT: 1 | 2\n order_id_1 VARCHAR: NULL | x";
    check(&table_def, &[first], expected);
    check(&table_def, &[r#"[{"order":{"id":"x"},"order_id":1}]"#], "order_id BIGINT: 1\n order_id_1 VARCHAR: x");
    let undeclared = with(|t| t.columns = vec![column("order_id", None, None)]);
    check(&undeclared, &[first], expected);
    let page = r#"[{"order":{"id":"x"}}]"#;
    check_error(
        &table_def,
        page,
        "column 'order_id', row 1 of the page: found a text that is not a BIGINT, the type the spec declares; declare a wider type",
    );
}

#[test]
fn of_equal_keys_the_last_has_the_column() {
    let table_def = with(|t| t.columns = vec![column("a_b", None, None)]);
    let page =
        r#"[{"a":{"b":1},"a_b":2,"a":{"b":3}},{"a_b":4,"a":{"b":5},"a_b":6},{"a":{"b":7},"a":{}},{"a_b":8,"a":{"b":9},"a":{"c":0}}]"#;
    check(&table_def, &[page, page], "a_b BIGINT: 2 | 6 | NULL | 8 | 2 | 6 | NULL | 8\n a_b_1 BIGINT: 3 | 5 | NULL | NULL | 3 | 5 | NULL | NULL\n a_c BIGINT: NULL | NULL | NULL | 0 | NULL | NULL | NULL | 0");
}

#[test]
fn a_field_of_a_declared_column_is_that_column_in_each_row() {
    let table_def = with(|t| {
        t.columns = vec![column("a_b", None, None), column("x", VARCHAR, Some("a.b")), column("y", None, Some("a.b"))];
    });
    check(&table_def, &[r#"[{"a":{"b":1}}]"#, r#"[{"a":{"b":2},"a_b":3}]"#], "a_b BIGINT: 1 | 3\n x VARCHAR: 1 | 2\n y BIGINT: 1 | 2");
}

#[test]
fn what_is_not_selected_does_not_come_along() {
    let table_def = with(|t| {
        t.columns = vec![column("a_b", None, None)];
        t.only_columns = true;
    });
    let page = |below: &str| format!(r#"[{{"a":{{"b":{below}}},"a_b":3}}]"#);
    check(&table_def, &[&page("1"), &page("2")], "a_b BIGINT: 3 | 3");
    assert_ne!(fingerprint(&table_def, &page("1")), fingerprint(&table_def, &page("2")));
}

#[test]
fn prefixes_do_not_hide_the_field_of_the_record_itself() {
    let table_def = with(|t| {
        t.columns = vec![column("id", None, None)];
        t.strip_prefixes = vec!["fields_".into()];
    });
    check(&table_def, &[r#"[{"fields":{"id":1}}]"#, r#"[{"fields":{"id":2},"id":3}]"#], "id BIGINT: 1 | 3\n id_1 BIGINT: NULL | 2");
}

#[test]
fn an_undeclared_key_is_the_field_of_the_record_itself() {
    let table_def = with(|t| t.key_columns = vec!["order_id".into()]);
    let page = r#"[{"order":{"id":9,"x":true},"order_id":1},{"order":{"id":9},"order_id":2}]"#;
    check(&table_def, &[page], "order_id BIGINT: 1 | 2\n order_id_1 BIGINT: 9 | 9\n order_x BOOLEAN: true | NULL");
    let by_case = with(|t| t.key_columns = vec!["id".into()]);
    check(&by_case, &[r#"[{"ID":9,"id":1}]"#], "id BIGINT: 1\n ID_1 BIGINT: 9");
    // Where there is none it is the one further down.
    check(&table_def, &[r#"[{"order":{"id":1},"x":2}]"#], "order_id BIGINT: 1\n x BIGINT: 2");
    check(&table_def, &[r#"[{"order":{"id":1},"order_id":{"y":2}}]"#], "order_id BIGINT: 1\n order_id_y BIGINT: 2");
}
