//! Values of the in-memory database: how they compare, what a cast makes of them, and those of appended batches.

use super::state::Row;
use crate::columns::{date_text, timestamp_text, Batch, ColumnData, ColumnVector};
use crate::session::Value;
use crate::{Error, Result};
use std::cmp::Ordering;

/// What separates the elements of a list of texts.
pub(super) const LIST_SEPARATOR: char = '\u{1f}';

/// Returns how two values compare; `None` where one is null.
pub(super) fn compare(a: &Value, b: &Value) -> Result<Option<Ordering>> {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    };
    Ok(Some(match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return Ok(None),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => {
                return Err(Error::of_database(
                    crate::DatabaseErrorType::Binder,
                    format!("Binder Error: Cannot compare {a:?} with {b:?} - an explicit cast is required"),
                ))
            }
        },
    }))
}

/// Returns a text that is the same for values that GROUP BY and DISTINCT take for one.
pub(super) fn identity_of(row: &[Value]) -> String {
    format!("{row:?}")
}

pub(super) fn cast(value: Value, sql_type: &str) -> Result<Value> {
    let unknown = |value: &Value| Err(Error::internal(format!("the in-memory database does not cast {value:?} to {sql_type}")));
    Ok(match (sql_type, value) {
        (_, Value::Null) => Value::Null,
        ("VARCHAR" | "JSON", value) => Value::Text(text_of(&value)),
        ("BIGINT" | "HUGEINT" | "INTEGER" | "DECIMAL(38,0)", value @ Value::Integer(_)) => value,
        ("BIGINT" | "HUGEINT", Value::Double(number)) => Value::Integer(number as i128),
        ("DOUBLE", Value::Integer(number)) => Value::Double(number as f64),
        ("DOUBLE", value @ Value::Double(_)) => value,
        ("BOOLEAN", value @ Value::Boolean(_)) => value,
        ("BOOLEAN", Value::Text(text)) if matches!(text.as_str(), "true" | "false") => Value::Boolean(text == "true"),
        ("TIMESTAMP", value @ Value::Timestamp(_)) => value,
        (_, value) => return unknown(&value),
    })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Boolean(value) => value.to_string(),
        Value::Timestamp(micros) => timestamp_text(*micros),
        Value::Null | Value::Map(_) | Value::Texts(_) => String::new(),
    }
}

/// Returns the rows of a batch.
pub(super) fn rows_of(batch: &Batch) -> Result<Vec<Row>> {
    (0..batch.n_rows).map(|idx| batch.columns.iter().map(|vector| value_at(vector, idx)).collect()).collect()
}

fn value_at(vector: &ColumnVector, idx: usize) -> Result<Value> {
    if !vector.validity.is_valid(idx) {
        return Ok(Value::Null);
    }
    Ok(match &vector.data {
        ColumnData::Undecided => Value::Null,
        ColumnData::Boolean(values) => Value::Boolean(values[idx]),
        ColumnData::BigInt(values) => Value::Integer(values[idx].into()),
        ColumnData::HugeInt(values) => Value::Integer(values[idx]),
        ColumnData::Double(values) => Value::Double(values[idx]),
        ColumnData::Date(values) => Value::Text(date_text(values[idx])),
        ColumnData::Timestamp(values) => Value::Timestamp(values[idx]),
        ColumnData::Varchar(texts) | ColumnData::Json(texts) => Value::Text(texts.get(idx).to_string()),
        ColumnData::TimestampNs(_) | ColumnData::Decimal { .. } | ColumnData::List { .. } => {
            return Err(Error::internal("the in-memory database keeps neither lists nor nanoseconds"));
        }
    })
}
