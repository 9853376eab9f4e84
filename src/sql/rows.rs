//! Rows that functions make themselves: few, of scalars, one batch.

use crate::columns::{Batch, Column, ColumnData, ColumnSource, ColumnType, ColumnVector, Form, TableSchema, TextColumn, Validity};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::{Bound, BoundCall, ParameterDef, ParameterType, StatementContext};
use crate::{Error, Result};

/// Whether a function leaves out the columns that a terminal of 120 columns has no room for.
pub(super) const BRIEF: ParameterDef = ParameterDef { name: "brief", parameter_type: ParameterType::Boolean };

/// Returns a schema with these columns.
pub(super) fn schema_of<T: Copy + Into<ColumnType>>(columns: &[(&str, T)]) -> TableSchema {
    let column = |(name, column_type): &(&str, T)| Column {
        name: name.to_string(),
        source: ColumnSource::Record(vec![name.to_string()]),
        column_type: (*column_type).into(),
        declared: true,
        form: Form::default(),
    };
    TableSchema { columns: columns.iter().map(column).collect() }
}

/// Returns the rows as a batch. Fails when a value does not have its column's type.
pub(super) fn batch_of(schema: &TableSchema, rows: &[Vec<Value>]) -> Result<Batch> {
    let mut columns = Vec::new();
    for (column_idx, column) in schema.columns.iter().enumerate() {
        let mut validity = Validity::default();
        let mut data = empty_data(column)?;
        for row in rows {
            let value = row.get(column_idx).unwrap_or(&Value::Null);
            validity.push(*value != Value::Null);
            push(&mut data, value).ok_or_else(|| Error::internal(format!("column '{}' cannot hold {value:?}", column.name)))?;
        }
        columns.push(ColumnVector { data, validity });
    }
    Ok(Batch { schema: schema.clone(), columns, n_rows: rows.len() })
}

/// Returns a text, or null.
pub(super) fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::Text(text.to_string()))
}

/// Returns a whole number.
pub(super) fn integer(value: impl Into<i128>) -> Value {
    Value::Integer(value.into())
}

fn empty_data(column: &Column) -> Result<ColumnData> {
    match column.column_type {
        ColumnType::Scalar(ScalarType::Boolean) => Ok(ColumnData::Boolean(Vec::new())),
        ColumnType::Scalar(ScalarType::BigInt) => Ok(ColumnData::BigInt(Vec::new())),
        ColumnType::Scalar(ScalarType::Double) => Ok(ColumnData::Double(Vec::new())),
        ColumnType::Scalar(ScalarType::Timestamp) => Ok(ColumnData::Timestamp(Vec::new())),
        ColumnType::Scalar(ScalarType::Varchar) => Ok(ColumnData::Varchar(TextColumn::default())),
        ColumnType::Json => Ok(ColumnData::Json(TextColumn::default())),
        other => Err(Error::internal(format!("no function has a column of type {}", other.sql_name()))),
    }
}

fn push(data: &mut ColumnData, value: &Value) -> Option<()> {
    match (data, value) {
        (ColumnData::Boolean(values), Value::Boolean(value)) => values.push(*value),
        (ColumnData::Boolean(values), Value::Null) => values.push(false),
        (ColumnData::BigInt(values), Value::Integer(value)) => values.push(i64::try_from(*value).ok()?),
        (ColumnData::BigInt(values) | ColumnData::Timestamp(values), Value::Null) => values.push(0),
        (ColumnData::Timestamp(values), Value::Timestamp(value)) => values.push(*value),
        (ColumnData::Double(values), Value::Double(value)) => values.push(*value),
        (ColumnData::Double(values), Value::Null) => values.push(0.0),
        (ColumnData::Varchar(texts) | ColumnData::Json(texts), Value::Text(text)) => texts.push(text),
        (ColumnData::Varchar(texts) | ColumnData::Json(texts), Value::Null) => texts.push(""),
        _ => return None,
    }
    Some(())
}

/// Binds a call with these columns whose rows `rows` makes at each execution.
pub(super) fn bound_rows<F>(columns: &[(&str, ScalarType)], rows: F) -> Bound
where
    F: Fn(&StatementContext<'_>) -> Result<Vec<Vec<Value>>> + Send + Sync + 'static,
{
    bound_rows_without(columns, |_| false, rows)
}

/// Binds a call with these columns but those that `is_left_out`; `rows` makes rows of all of them.
pub(super) fn bound_rows_without<F>(columns: &[(&str, ScalarType)], is_left_out: impl Fn(&str) -> bool, rows: F) -> Bound
where
    F: Fn(&StatementContext<'_>) -> Result<Vec<Vec<Value>>> + Send + Sync + 'static,
{
    let left_out: Vec<usize> = (0..columns.len()).filter(|idx| is_left_out(columns[*idx].0)).collect();
    let kept: Vec<(&str, ScalarType)> = columns.iter().filter(|(name, _)| !is_left_out(name)).copied().collect();
    Bound::Rows(Box::new(RowsCall { schema: schema_of(&kept), rows, left_out }))
}

/// A bound call that makes its rows with a closure at each execution.
struct RowsCall<F> {
    schema: TableSchema,
    rows: F,
    /// Positions in the rows of the values that are left out.
    left_out: Vec<usize>,
}

impl<F> BoundCall for RowsCall<F>
where
    F: Fn(&StatementContext<'_>) -> Result<Vec<Vec<Value>>> + Send + Sync,
{
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn run(&self, ctx: &StatementContext<'_>) -> Result<Vec<Batch>> {
        let mut rows = (self.rows)(ctx)?;
        for row in &mut rows {
            let mut idx = 0;
            row.retain(|_| {
                idx += 1;
                !self.left_out.contains(&(idx - 1))
            });
        }
        Ok(vec![batch_of(&self.schema, &rows)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_columns() {
        let schema = schema_of(&[("a", ScalarType::Varchar), ("b", ScalarType::BigInt)]);
        let batch = batch_of(&schema, &[vec![text(Some("x")), integer(7)], vec![text(None), Value::Null]]).unwrap();
        assert_eq!(batch.n_rows, 2);
        assert_eq!(batch.columns[1].data, ColumnData::BigInt(vec![7, 0]));
        assert_eq!(batch.columns[1].validity.bytes, [1, 0]);
        let ColumnData::Varchar(texts) = &batch.columns[0].data else { panic!("no text") };
        assert_eq!((texts.get(0), texts.get(1)), ("x", ""));
    }

    #[test]
    fn a_value_of_another_type_is_an_error() {
        assert!(batch_of(&schema_of(&[("a", ScalarType::BigInt)]), &[vec![text(Some("x"))]]).is_err());
    }
}
