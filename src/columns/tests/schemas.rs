//! Unions of schemas, their differences, and batches fitted to them.

use super::super::{Column, ColumnSource, Form, SchemaChange};
use super::*;
use crate::spec::ScalarType;

fn schema_of(body: &str) -> TableSchema {
    convert_with(&table_def(), body, &TableSchema::default(), &[]).unwrap().schema
}

#[test]
fn pages_converted_side_by_side_meet_in_the_union() {
    let first = convert_with(&table_def(), r#"[{"a":1,"x":{"y":1}}]"#, &TableSchema::default(), &[]).unwrap();
    let second = convert_with(&table_def(), r#"[{"b":true,"a":2.5,"x_y":"t"}]"#, &TableSchema::default(), &[]).unwrap();
    let union = first.schema.merged(&second.schema);
    assert_eq!(show(&first.conform(&union).unwrap()), "a DOUBLE: 1.0\nx_y BIGINT: 1\nb BOOLEAN: NULL\nx_y_1 VARCHAR: NULL\n");
    assert_eq!(show(&second.conform(&union).unwrap()), "a DOUBLE: 2.5\nx_y BIGINT: NULL\nb BOOLEAN: true\nx_y_1 VARCHAR: t\n");
}

#[test]
fn changes_are_what_was_added_and_widened() {
    let before = schema_of(r#"[{"a":1,"b":"x"}]"#);
    let after = before.merged(&schema_of(r#"[{"c":1,"a":"x"}]"#));
    let (from, to) = (ColumnType::Scalar(ScalarType::BigInt), ColumnType::Scalar(ScalarType::Varchar));
    assert_eq!(
        before.changes_to(&after),
        [SchemaChange::Widened { idx: 0, from, to, form: before.columns[0].form }, SchemaChange::Added { idx: 2 }]
    );
    assert_eq!(after.changes_to(&after), []);
}

#[test]
fn a_declared_type_stays_in_the_union() {
    let declared = Column {
        name: "a".into(),
        source: ColumnSource::Record(vec!["a".into()]),
        column_type: ColumnType::Json,
        declared: true,
        form: Form::default(),
    };
    let before = TableSchema { columns: vec![declared.clone()] };
    let merged = before.merged(&schema_of(r#"[{"a":1}]"#)).without_rows();
    assert_eq!(merged.columns, [declared]);
}

#[test]
fn a_batch_is_not_narrowed() {
    let batch = convert_with(&table_def(), r#"[{"a":"x"}]"#, &TableSchema::default(), &[]).unwrap();
    assert!(batch.clone().conform(&schema_of(r#"[{"a":1}]"#)).is_err());
    assert!(batch.conform(&schema_of(r#"[{"b":1}]"#)).is_err());
}

#[test]
fn redundant_columns_may_be_missing_in_the_table() {
    let mut batch = convert_with(&table_def(), r#"[{"a":null,"b":1},{"a":{"c":1}}]"#, &TableSchema::default(), &[]).unwrap();
    let redundant = batch.schema.redundant();
    assert_eq!(redundant, [0]);
    let mut schema = batch.schema.clone();
    schema.columns.remove(0);
    batch = batch.conform(&schema).unwrap();
    assert_eq!(show(&batch), "b BIGINT: 1 | NULL\na_c BIGINT: NULL | 1\n");
}

#[test]
fn sizes_count_texts_and_values() {
    let batch = convert_with(&table_def(), r#"[{"a":"four","b":["xy"],"c":1}]"#, &TableSchema::default(), &[]).unwrap();
    assert_eq!(batch.text_bytes(), 6);
    assert_eq!(batch.approximate_bytes(), (1 + 4 + 4) + (1 + 4) + (1 + 4 + 2) + (1 + 8));
}
