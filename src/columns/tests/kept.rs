//! The law of one column: however its rows are cut into pages, its type and values are the same, a text is what was sent, and what was
//! sent apart stays apart.

use super::super::temporal::moment_of;
use super::*;
use crate::columns::date_of;
use proptest::prelude::*;
use std::collections::HashMap;

/// Values of one kind, as JSON.
const POOLS: &[&[&str]] = &[
    &["0", "1", "-7"],
    &["9007199254740993", "-1909699624467843944", "1909699624467843945", "18446744073709551617"],
    &["1.0", "2.0"],
    &["0.5", "12.5", "1e20", "1e-7", "-0.0"],
    &["52.520006600000002", "281474976710656.13", "0.30000000000000004"],
    &["0.1234567890123456789", "12345678901234567.89", "1e400", "340282366920938463463374607431768211457"],
    &["true", "false"],
    &["\"total\"", "\"\"", "\"1\"", "\"tr\\u00fcb\"", "\"A\"", "\"a\""],
    &["\"2026-01-01\"", "\"1500-02-03\""],
    &["\"2026-01-01T00:00:00Z\"", "\"2026-01-01T01:02:03Z\"", "\"0001-01-01T00:00:00Z\""],
    &["\"2026-01-01T00:00:00.000Z\"", "\"2026-01-01T01:02:03.120Z\""],
    &["\"2026-01-01 00:00:00\"", "\"2026-01-01 01:02:03\""],
    &["\"2026-01-01T05:30+05:30\"", "\"2026-01-01T06:30+05:30\""],
    &["\"2026-01-01T00:00:00.000000001Z\"", "\"2026-01-01T00:00:00.000000002Z\"", "\"2026-01-01T00:00:00.1234567Z\""],
    &["\"1500-01-01T00:00:00.000000001Z\""],
    &["null"],
    &["[]", "[1]", "[null,9007199254740993]"],
    &["[1.0]", "[0.5]"],
    &["[\"2026-01-01T00:00:00Z\"]", "[\"2026-01-01T00:00:00.000000001Z\"]"],
    &["[\"a\",null]"],
    &["[true]", "[[1]]"],
];

/// The values of a column, of few kinds.
fn values() -> impl Strategy<Value = Vec<&'static str>> {
    let pools = prop::sample::subsequence(POOLS.to_vec(), 1..4);
    pools.prop_flat_map(|pools| prop::collection::vec(prop::sample::select(pools.concat()), 1..9))
}

fn page_of(values: &[&str]) -> String {
    let records: Vec<String> = values.iter().map(|value| format!("{{\"x\":{value}}}")).collect();
    format!("[{}]", records.join(","))
}

fn loaded(pages: &[&[&str]], side_by_side: bool) -> Batch {
    let pages: Vec<String> = pages.iter().map(|values| page_of(values)).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    load_as_job(&table_def(), &pages, side_by_side).unwrap()
}

/// Returns the column's type and cells.
fn column_of(batch: &Batch) -> (ColumnType, Vec<Option<String>>) {
    (batch.schema.columns[0].column_type, (0..batch.n_rows).map(|idx| cell(&batch.columns[0], idx)).collect())
}

/// Returns the text that a value sent has in a VARCHAR column.
fn text_of(sent: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(sent).unwrap() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(_) if sent == "1e20" => "1e+20".into(),
        serde_json::Value::Number(_) if sent == "1e-7" => "1e-07".into(),
        serde_json::Value::Number(_) if sent == "1e400" => "1e+400".into(),
        _ => sent.to_string(),
    }
}

/// Returns what makes a value another one than those sent beside it: for moments and numbers what they say.
fn meaning_of(sent: &str, column_type: ColumnType) -> String {
    if column_type == ColumnType::Json || column_type == ColumnType::Scalar(crate::spec::ScalarType::Varchar) {
        return sent.to_string();
    }
    let text = text_of(sent);
    if let Some(moment) = moment_of(&text) {
        return format!("{}.{}", moment.micros, moment.nanos);
    }
    if let Some(days) = date_of(&text) {
        return format!("{}.0", i64::from(days) * 86_400_000_000);
    }
    match text.parse::<i128>() {
        Ok(number) => number.to_string(),
        Err(_) => text.parse::<f64>().map_or(sent.to_string(), |number| if number == 0.0 { "0".into() } else { number.to_string() }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_column_is_the_same_however_its_pages_are_cut(values in values(), cuts in prop::collection::vec(any::<bool>(), 9)) {
        let whole = column_of(&loaded(&[&values], false));
        let mut pages: Vec<Vec<&str>> = vec![Vec::new()];
        for (value, cut) in values.iter().zip(&cuts) {
            if *cut {
                pages.push(Vec::new());
            }
            pages.last_mut().unwrap().push(value);
        }
        let pages: Vec<&[&str]> = pages.iter().map(Vec::as_slice).collect();
        for side_by_side in [false, true] {
            prop_assert_eq!(&column_of(&loaded(&pages, side_by_side)), &whole, "side by side: {}", side_by_side);
        }
    }

    #[test]
    fn a_text_is_what_was_sent(values in values()) {
        let (column_type, cells) = column_of(&loaded(&values.iter().map(std::slice::from_ref).collect::<Vec<_>>(), false));
        if column_type == ColumnType::Scalar(crate::spec::ScalarType::Varchar) {
            let sent: Vec<Option<String>> = values.iter().map(|value| (*value != "null").then(|| text_of(value))).collect();
            prop_assert_eq!(cells, sent);
        }
    }

    #[test]
    fn what_was_sent_apart_stays_apart(values in values()) {
        let (column_type, cells) = column_of(&loaded(&values.iter().map(std::slice::from_ref).collect::<Vec<_>>(), true));
        let mut by_meaning: HashMap<String, Option<String>> = HashMap::new();
        let mut by_cell: HashMap<Option<String>, String> = HashMap::new();
        let is_scalar = matches!(column_type, ColumnType::Scalar(_));
        for (value, cell) in values.iter().zip(cells).filter(|_| is_scalar) {
            // 1 and "1" have one text.
            let text = if column_type == ColumnType::Scalar(crate::spec::ScalarType::Varchar) && *value != "null" { text_of(value) } else { value.to_string() };
            let meaning = if text == *value { meaning_of(value, column_type) } else { text };
            let cell = cell.map(|cell| if cell == "-0.0" { "0.0".into() } else { cell });
            prop_assert_eq!(by_meaning.entry(meaning.clone()).or_insert(cell.clone()), &cell, "{}", value);
            prop_assert_eq!(by_cell.entry(cell).or_insert(meaning.clone()), &meaning, "{}", value);
        }
    }
}

#[test]
fn moments_with_nanoseconds_keep_them() {
    let check = |values: &[&str], expected: &str| super::check(&table_def(), &[&page_of(values)], &format!("x {expected}"));
    check(&["\"2026-01-01T00:00:00.123456789Z\"", "\"2026-01-01\""], "TIMESTAMP_NS: 2026-01-01 00:00:00.123456789 | 2026-01-01 00:00:00");
    check(&["\"2026-01-01T00:00:00.1230000Z\""], "TIMESTAMP: 2026-01-01 00:00:00.123");
    check(
        &["\"2026-01-01T00:00:00.123456789Z\"", "\"0001-01-01T00:00:00.000000000Z\""],
        "VARCHAR: 2026-01-01T00:00:00.123456789Z | 0001-01-01T00:00:00.000000000Z",
    );
    check(
        &["[\"2026-01-01T00:00:00Z\"]", "[\"2026-01-01T00:00:00.000000001Z\"]"],
        "TIMESTAMP_NS[]: [2026-01-01 00:00:00] | [2026-01-01 00:00:00.000000001]",
    );
}

#[test]
fn a_database_without_nanoseconds_gets_texts() {
    let mut plan = RowPlan::new(&table_def());
    plan.has_nanoseconds = false;
    let mut bytes =
        br#"[{"x":"2026-01-01T00:00:00Z","l":["2026-01-01T00:00:00.000000001Z"]},{"x":"2026-01-01T00:00:00.000000001Z"}]"#.to_vec();
    let batch = plan.rows_of(parse(&mut bytes).unwrap().root(), &TableSchema::default(), &[]).unwrap().batch;
    assert_eq!(
        show(&batch),
        "x VARCHAR: 2026-01-01T00:00:00Z | 2026-01-01T00:00:00.000000001Z\nl VARCHAR[]: [2026-01-01T00:00:00.000000001Z] | NULL\n"
    );
}

#[test]
fn digits_that_a_declared_type_cuts_are_noted() {
    use crate::spec::ScalarType::{Double, Timestamp, TimestampNs};
    let is_cut = |scalar, value: &str| {
        let table_def = TableDef { columns: vec![column("x", Some(DeclaredType::Scalar(scalar)), None)], ..table_def() };
        let schema = RowPlan::new(&table_def).initial_schema(&[]);
        convert_with(&table_def, &page_of(&[value]), &schema, &[]).unwrap().schema.columns[0].form.is_cut()
    };
    for (scalar, value) in [
        (Double, "9007199254740993"),
        (Double, "0.1234567890123456789"),
        (Double, "\"0.1234567890123456789\""),
        (Timestamp, "\"2026-01-01T00:00:00.123456789Z\""),
    ] {
        assert!(is_cut(scalar, value), "{value}");
    }
    for (scalar, value) in [
        (Double, "9007199254740992"),
        (Double, "0.1"),
        (Double, "\"0.5\""),
        (Timestamp, "\"2026-01-01T00:00:00.123456Z\""),
        (TimestampNs, "\"2026-01-01T00:00:00.123456789Z\""),
    ] {
        assert!(!is_cut(scalar, value), "{value}");
    }
}
