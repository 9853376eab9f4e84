//! Which types columns get, and how they widen.

use super::super::{date_of, timestamp_of};
use super::*;

/// Checks the type and the cells of values of one column in one page.
#[track_caller]
fn check_values(values: &str, expected: &str) {
    let records: Vec<String> =
        serde_json::from_str::<Vec<serde_json::Value>>(values).unwrap().iter().map(|v| format!("{{\"x\":{v}}}")).collect();
    check(&table_def(), &[&format!("[{}]", records.join(","))], &format!("x {expected}"));
}

/// Checks the same values, each on a page of its own.
#[track_caller]
fn check_pages(values: &str, expected: &str) {
    let pages: Vec<String> =
        serde_json::from_str::<Vec<serde_json::Value>>(values).unwrap().iter().map(|v| format!("[{{\"x\":{v}}}]")).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    check(&table_def(), &pages, &format!("x {expected}"));
}

#[test]
fn integers_widen_without_losing_a_digit() {
    check_values("[1, null, -3]", "BIGINT: 1 | NULL | -3");
    check_values("[1, null, 9223372036854775808]", "HUGEINT: 1 | NULL | 9223372036854775808");
    check_values("[1, 18446744073709551617]", "HUGEINT: 1 | 18446744073709551617");
    for check in [check_values, check_pages] {
        check(
            r#"[1, null, 9223372036854775808, 18446744073709551617, "text"]"#,
            "VARCHAR: 1 | NULL | 9223372036854775808 | 18446744073709551617 | text",
        );
        check("[1, 340282366920938463463374607431768211457]", "VARCHAR: 1 | 340282366920938463463374607431768211457");
        check("[18446744073709551617, 0.5]", "VARCHAR: 18446744073709551617 | 0.5");
        check("[0.5, 18446744073709551617]", "VARCHAR: 0.5 | 18446744073709551617");
    }
}

#[test]
fn numbers_and_integers_are_double() {
    check_values("[1, 2.5, null, 3]", "DOUBLE: 1.0 | 2.5 | NULL | 3.0");
    check_pages("[1, 2.5, null, 3]", "DOUBLE: 1.0 | 2.5 | NULL | 3.0");
    for check in [check_values, check_pages] {
        check("[1, 2.5, \"a\"]", "VARCHAR: 1 | 2.5 | a");
        check("[1.0, 2.5, \"a\"]", "VARCHAR: 1.0 | 2.5 | a");
    }
    check_values("[1, 1.0, \"a\"]", "VARCHAR: 1 | 1.0 | a");
    check_values(
        r#"[1.0, 1e20, 1e-5, 123456.75, 1e15, 1e16, "a"]"#,
        "VARCHAR: 1.0 | 1e+20 | 1e-05 | 123456.75 | 1000000000000000.0 | 1e+16 | a",
    );
}

#[test]
fn booleans_mixed_with_anything_are_text() {
    for check in [check_values, check_pages] {
        check(r#"[true, "no", false]"#, "VARCHAR: true | no | false");
        check("[true, 1]", "VARCHAR: true | 1");
        check("[2.5, false]", "VARCHAR: 2.5 | false");
        check("[true, null, false]", "BOOLEAN: true | NULL | false");
    }
}

#[test]
fn look_alikes_are_text() {
    for text in [
        "555-123-4567",
        "978-3-16-148410-0",
        "01:23:45:67:89:ab",
        "1.2.3",
        "2023-13-45",
        "20230101",
        "2023-02-29",
        "2023-1-1",
        "0000-01-01",
    ] {
        check_values(&format!("[\"{text}\", null]"), &format!("VARCHAR: {text} | NULL"));
    }
    for text in [
        "2023-01-01T10",
        "2023-01-01T25:00:00Z",
        "2023-01-01T10:60Z",
        "2023-01-01 10:00:00 UTC",
        "2023-01-01T10:00:00.1234567890Z",
        "2023-01-01t10:00:00Z",
    ] {
        check_values(&format!("[\"{text}\"]"), &format!("VARCHAR: {text}"));
    }
    check_values(r#"["123", "4.5", "true", ""]"#, "VARCHAR: 123 | 4.5 | true | ");
}

#[test]
fn dates_and_timestamps() {
    check_values(r#"["2023-01-31", null, "0001-01-01"]"#, "DATE: 2023-01-31 | NULL | 0001-01-01");
    check_values(
        r#"["2023-01-31T10:20:30Z", "2023-01-31 10:20", "2023-01-31T10:20:30.123456+02:00", "2024-02-29T23:59:59.5-0130", "2023-01-01T00:00:00+05"]"#,
        "TIMESTAMP: 2023-01-31 10:20:30 | 2023-01-31 10:20:00 | 2023-01-31 08:20:30.123456 | 2024-03-01 01:29:59.5 | 2022-12-31 19:00:00",
    );
    check_values(r#"["2023-01-31", "2023-02-01T10:00:00"]"#, "TIMESTAMP: 2023-01-31 00:00:00 | 2023-02-01 10:00:00");
    check_values(r#"["2023-02-01T10:00:00", "2023-01-31"]"#, "TIMESTAMP: 2023-02-01 10:00:00 | 2023-01-31 00:00:00");
    assert_eq!(timestamp_of("0001-01-01T00:00:00+01:00"), None);
    assert_eq!(timestamp_of("9999-12-31T23:59:59-01:00"), None);
    assert_eq!((date_of("1970-01-01"), timestamp_of("1970-01-01 00:00")), (Some(0), Some(0)));
}

#[test]
fn times_with_other_text_keep_their_text_within_a_page() {
    check_values(r#"["2023-01-31T10:20:30.000Z", "soon"]"#, "VARCHAR: 2023-01-31T10:20:30.000Z | soon");
    check_values(r#"[null, "2023-01-31", "2023-02-01T10:00:00+02:00", 7]"#, "VARCHAR: NULL | 2023-01-31 | 2023-02-01T10:00:00+02:00 | 7");
    check_pages(r#"["2023-01-31T10:20:30.120Z", "soon"]"#, "VARCHAR: 2023-01-31T10:20:30.120Z | soon");
    check_pages(r#"["2023-01-31", 5]"#, "VARCHAR: 2023-01-31 | 5");
    check_values(r#"[null, "2023-01-31T10:00Z", [1]]"#, "JSON: NULL | \"2023-01-31T10:00Z\" | [1]");
    check_values(r#"[[null], ["2023-01-31T10:00Z"], [null, "x"]]"#, "VARCHAR[]: [NULL] | [2023-01-31T10:00Z] | [NULL, x]");
}

#[test]
fn numbers_never_make_a_date() {
    check_values("[20230101, 1672531200]", "BIGINT: 20230101 | 1672531200");
    check_values(r#"["2023-01-01", 20230101]"#, "VARCHAR: 2023-01-01 | 20230101");
}

#[test]
fn nulls_decide_nothing() {
    let nulls: Vec<String> = (0..1000).map(|_| "{\"x\":null}".to_string()).collect();
    let page = format!("[{}]", nulls.join(","));
    let batch = load(&table_def(), &[&page, r#"[{"x":{"y":1}}]"#]).unwrap();
    assert_eq!(batch.n_rows, 1001);
    let types: Vec<(&str, ColumnType)> = batch.schema.columns.iter().map(|c| (c.name.as_str(), c.column_type)).collect();
    assert_eq!(types, [("x", ColumnType::Undecided), ("x_y", ColumnType::Scalar(crate::spec::ScalarType::BigInt))]);
    assert_eq!(batch.schema.redundant(), [0]);
    check_values("[null, null, 5]", "BIGINT: NULL | NULL | 5");
}

#[test]
fn lists_of_one_scalar_type_are_lists() {
    check_values(r#"[["a", "b"], [], null, ["c", null]]"#, "VARCHAR[]: [a, b] | [] | NULL | [c, NULL]");
    check_values("[[1], [2.5, 3]]", "DOUBLE[]: [1.0] | [2.5, 3.0]");
    check_values("[[1], [9223372036854775808]]", "HUGEINT[]: [1] | [9223372036854775808]");
    check_values(r#"[["2023-01-31"], ["2023-02-01"]]"#, "DATE[]: [2023-01-31] | [2023-02-01]");
    check_values("[[], [null], null]", "VARCHAR[]: [] | [NULL] | NULL");
    check_pages("[[], null, [null], [1, 2]]", "BIGINT[]: [] | NULL | [NULL] | [1, 2]");
    check_pages(r#"[["2023-01-31T10:00Z"], ["2023-01-31T12:00Z"], ["x"]]"#, "VARCHAR[]: [2023-01-31T10:00Z] | [2023-01-31T12:00Z] | [x]");
}

#[test]
fn other_lists_are_json() {
    for check in [check_values, check_pages] {
        check(r#"[[1, "a"], [true]]"#, r#"JSON: [1,"a"] | [true]"#);
        check("[[[1, 2], [3]], []]", "JSON: [[1,2],[3]] | []");
        check(r#"[[{"a":1}], null]"#, r#"JSON: [{"a":1}] | NULL"#);
        check(r#"["a\"b", [1, null], 2, 2.5, true]"#, r#"JSON: "a\"b" | [1,null] | 2 | 2.5 | true"#);
        check(r#"[["a"], [1]]"#, r#"JSON: ["a"] | [1]"#);
        check("[[18446744073709551617], [0.5]]", "JSON: [18446744073709551617] | [0.5]");
    }
    check_values("[[340282366920938463463374607431768211457, 1]]", "JSON: [340282366920938463463374607431768211457,1]");
}

#[test]
fn texts_keep_nul_bytes() {
    check_values("[\"a\\u0000b\"]", "VARCHAR: a\0b");
}

#[test]
fn temporal_text_round_trips() {
    for text in ["2023-01-31 10:20:30.123456", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.1"] {
        assert_eq!(timestamp_text(timestamp_of(text).unwrap()), text);
    }
}
