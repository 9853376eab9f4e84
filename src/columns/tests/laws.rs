//! Laws: nothing is lost, pages may be cut anywhere, and times are read as a calendar library reads them.

use super::super::{date_of, timestamp_of, BoundColumns, Column, ColumnSource};
use super::*;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => any::<i16>().prop_map(Value::from),
        1 => Just("18446744073709551617").prop_map(|digits| serde_json::from_str(digits).unwrap()),
        1 => Just(Value::from(0.5)),
        2 => "[a-b]{1,3}".prop_map(Value::from),
        1 => Just(Value::from("2023-01-31")),
        1 => Just(Value::from("2023-01-31T10:20:30Z")),
    ]
}

/// A value without empty objects, which are columns or not depending on what the page has seen before.
fn field() -> impl Strategy<Value = Value> {
    let list = proptest::collection::vec(scalar(), 0..3).prop_map(Value::from);
    prop_oneof![6 => scalar(), 1 => list].prop_recursive(2, 12, 3, |inner| {
        proptest::collection::btree_map("[a-c]{1,2}", inner, 1..3).prop_map(|entries| Value::Object(entries.into_iter().collect()))
    })
}

fn record() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-d]", field(), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// Adds the leaves below a value, by their keys: what must not get lost.
fn leaves(value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(entries) => entries.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), out)),
        value => {
            out.insert(path.to_string(), plain(&value.to_string()));
        }
    }
}

/// Brings the ways to write one value together: as number, text, JSON, date and time.
fn plain(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(elements)) => format!("{:?}", elements.iter().map(|element| plain(&element.to_string())).collect::<Vec<_>>()),
        Ok(Value::String(inner)) => plain_scalar(&inner),
        _ if text.starts_with('[') && text.ends_with(']') => {
            let inner = &text[1..text.len() - 1];
            let elements = inner.split(", ").filter(|_| !inner.is_empty());
            format!("{:?}", elements.map(|element| plain_scalar(if element == "NULL" { "null" } else { element })).collect::<Vec<_>>())
        }
        _ => plain_scalar(text),
    }
}

fn plain_scalar(text: &str) -> String {
    if let Some(micros) = timestamp_of(text).or_else(|| date_of(text).map(|days| i64::from(days) * 86_400_000_000)) {
        return timestamp_text(micros);
    }
    match text.parse::<f64>() {
        Ok(value) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && value.abs() < 1e15 => value.to_string(),
        _ => text.to_string(),
    }
}

/// Returns the keys that a column comes from.
fn place_of(column: &Column) -> String {
    match &column.source {
        ColumnSource::Record(keys) => format!("/{}", keys.join("/")),
        other => format!("{other:?}"),
    }
}

/// Returns the cells that are not null by the keys they came from.
fn cells(batch: &Batch, row_idx: usize) -> BTreeMap<String, String> {
    let columns = batch.schema.columns.iter().zip(&batch.columns);
    columns.filter_map(|(column, vector)| Some((place_of(column), plain(&cell(vector, row_idx)?)))).collect()
}

fn page(records: &[Value]) -> String {
    Value::from(records.to_vec()).to_string()
}

proptest! {
    #[test]
    fn a_page_that_fits_bound_columns_loses_nothing(
        first in proptest::collection::vec(record(), 0..4),
        later in proptest::collection::vec(record(), 1..5),
    ) {
        let known = convert_with(&table_def(), &page(&first), &TableSchema::default(), &[]).unwrap().schema;
        let bound = BoundColumns::new(known, true);
        let batch = convert_with(&table_def(), &page(&later), bound.page_schema(), &[]).unwrap();
        let sources: BTreeMap<String, String> =
            batch.schema.columns.iter().map(|column| (column.name.clone(), place_of(column))).collect();
        match bound.fit(batch) {
            Err(err) => prop_assert!(err.message().contains("was bound as"), "{}", err),
            Ok(fitted) => {
                prop_assert_eq!(&fitted.schema, bound.schema());
                for (row_idx, record) in later.iter().enumerate() {
                    let mut expected = BTreeMap::new();
                    leaves(record, "", &mut expected);
                    let mut found = cells(&fitted, row_idx);
                    if let Some(rest) = cell(fitted.columns.last().unwrap(), row_idx) {
                        found.remove("/");
                        let rest: serde_json::Map<String, Value> = serde_json::from_str(&rest).unwrap();
                        found.extend(rest.iter().map(|(name, value)| (sources[name].clone(), plain(&value.to_string()))));
                    }
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn a_batch_may_be_split_anywhere(records in proptest::collection::vec(record(), 0..8), n_rows in 0usize..9) {
        let whole = load(&table_def(), &[&page(&records)]).unwrap();
        let mut first = whole.clone();
        let rest = first.split_off(n_rows);
        check_shape(&rest);
        prop_assert_eq!(first.n_rows, n_rows.min(whole.n_rows));
        prop_assert_eq!(joined(vec![first, rest]), whole);
    }

    #[test]
    fn no_leaf_is_lost(records in proptest::collection::vec(record(), 1..8)) {
        let batch = load(&table_def(), &[&page(&records)]).unwrap();
        prop_assert_eq!(batch.n_rows, records.len());
        for (row_idx, record) in records.iter().enumerate() {
            let mut expected = BTreeMap::new();
            leaves(record, "", &mut expected);
            prop_assert_eq!(cells(&batch, row_idx), expected, "row {}", row_idx);
        }
    }

    #[test]
    fn pages_may_be_cut_anywhere(records in proptest::collection::vec(record(), 2..8), cut in 1..7_usize) {
        let (first, second) = records.split_at(cut.min(records.len()));
        let whole = load(&table_def(), &[&page(&records)]).unwrap();
        let in_turn = load(&table_def(), &[&page(first), &page(second)]).unwrap();
        let apart = load_as_job(&table_def(), &[&page(first), &page(second)], true).unwrap();
        for other in [&in_turn, &apart] {
            for row_idx in 0..records.len() {
                prop_assert_eq!(cells(other, row_idx), cells(&whole, row_idx), "row {}", row_idx);
            }
            for column in &whole.schema.columns {
                let found = other.schema.columns.iter().find(|known| known.source == column.source);
                let widens_alike = found.is_some_and(|known| known.column_type == column.column_type);
                prop_assert!(widens_alike || column.column_type == ColumnType::Json, "{:?} became {:?}", column, found);
            }
        }
    }

    #[test]
    fn arbitrary_pages_never_panic(value in crate::document::tests::json_value()) {
        let batch = convert_with(&table_def(), &value.to_string(), &TableSchema::default(), &[]).unwrap();
        let _ = batch.conform(&TableSchema::default());
    }

    #[test]
    fn timestamps_are_those_of_the_calendar(seconds in -62_135_596_800_i64..253_402_300_799, nanos in 0..1_000_000_000_i64, offset in -840..840_i32) {
        let offset = time::UtcOffset::from_whole_seconds(offset * 60).unwrap();
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::nanoseconds(nanos);
        if let Some(local) = moment.checked_to_offset(offset).filter(|local| (1..=9999).contains(&local.year())) {
            let text = local.format(&Rfc3339).unwrap();
            prop_assert_eq!(timestamp_of(&text), Some(seconds * 1_000_000 + nanos / 1_000), "{}", text);
        }
        prop_assert_eq!(date_of(&date_text((seconds.div_euclid(86_400)) as i32)), Some(seconds.div_euclid(86_400) as i32));
    }

    #[test]
    fn what_reads_as_a_timestamp_is_one(text in "[0-2][0-9]{3}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])") {
        let expected = OffsetDateTime::parse(&text, &Rfc3339).ok().filter(|moment| !text.starts_with("0000") && !text[17..].starts_with("60") && moment.to_offset(time::UtcOffset::UTC).year() >= 1);
        let micros = expected.map(|moment| (moment.unix_timestamp_nanos().div_euclid(1_000)) as i64);
        prop_assert_eq!(timestamp_of(&text), micros, "{}", text);
    }

    #[test]
    fn temporal_parsing_never_panics(text in "\\PC{0,30}", almost in "[0-9:T+.Z -]{0,35}") {
        for text in [text, almost] {
            let _ = (date_of(&text), timestamp_of(&text));
        }
    }
}
