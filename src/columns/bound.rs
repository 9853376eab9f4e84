//! Columns that a statement was bound with before all pages are there: later pages fit them, or are an error.

use super::batch::{Batch, ColumnData, ColumnVector, TextColumn, Validity};
use super::conform::{check_text_len, rewritten};
use super::form::Form;
use super::names::NameSet;
use super::source::ColumnSource;
use super::types::{Column, ColumnType, TableSchema};
use crate::document::write_text;
use crate::spec::ScalarType;
use crate::{Error, Result};

/// The column of fields that were not known when the statement was bound.
const REST: &str = "_rest";

/// Columns that stay as they are, whatever comes.
#[derive(Debug, Clone)]
pub struct BoundColumns {
    /// As the statement has them: those of the pages, then `_rest` if there is one.
    bound: TableSchema,
    /// As pages are converted.
    pages: TableSchema,
}

impl BoundColumns {
    /// Fixes the columns known so far. What saw no value takes any: texts as they are, everything else as text; lists without elements are
    /// JSON. `has_rest` adds a column for fields that come later, as a JSON object by name; without one they are an error.
    pub fn new(mut known: TableSchema, has_rest: bool) -> BoundColumns {
        for idx in known.redundant().into_iter().rev() {
            known.columns.remove(idx);
        }
        for column in &mut known.columns {
            match column.column_type {
                ColumnType::Undecided => {
                    column.column_type = ColumnType::Scalar(ScalarType::Varchar);
                    column.declared = true;
                }
                ColumnType::List(None) => column.column_type = ColumnType::Json,
                ColumnType::Scalar(_) | ColumnType::List(Some(_)) | ColumnType::Json | ColumnType::Native(_) => {}
            }
        }
        let mut bound = known.clone();
        if has_rest {
            let name = NameSet::of(known.columns.iter().map(|column| column.name.as_str())).take(REST);
            bound.columns.push(Column {
                name,
                source: ColumnSource::Record(Vec::new()),
                column_type: ColumnType::Json,
                declared: true,
                form: Form::default(),
            });
        }
        BoundColumns { bound, pages: known }
    }

    /// Returns the columns as the statement has them.
    pub fn schema(&self) -> &TableSchema {
        &self.bound
    }

    /// Returns the columns to convert pages with.
    pub fn page_schema(&self) -> &TableSchema {
        &self.pages
    }

    /// Fits a page to the columns. Fails when a column cannot hold a value as it is.
    pub fn fit(&self, batch: Batch) -> Result<Batch> {
        let n_rows = batch.n_rows;
        let by_source = self.pages.by_source();
        let mut columns: Vec<Option<ColumnVector>> = self.pages.columns.iter().map(|_| None).collect();
        let mut rest = Vec::new();
        for (column, vector) in batch.schema.columns.iter().zip(batch.columns) {
            match by_source.get(&column.source) {
                Some(&idx) => columns[idx] = Some(fitted(&self.pages.columns[idx], vector, &column.form)?),
                None if vector.data == ColumnData::Undecided => {}
                None => rest.push((column.name.as_str(), vector, column.form)),
            }
        }
        let nulls =
            |(vector, column): (Option<ColumnVector>, &Column)| vector.unwrap_or_else(|| ColumnVector::nulls(column.column_type, n_rows));
        let mut columns: Vec<ColumnVector> = columns.into_iter().zip(&self.pages.columns).map(nulls).collect();
        if self.bound.columns.len() > self.pages.columns.len() {
            columns.push(objects_of(rest, n_rows)?);
        } else if let Some((name, ..)) = rest.first() {
            return Err(Error::data(format!("a later page has a field '{name}' that was not known when the statement was bound")));
        }
        Ok(Batch { schema: self.bound.clone(), columns, n_rows })
    }
}

/// Returns the values as those of the column's type.
fn fitted(column: &Column, vector: ColumnVector, form: &Form) -> Result<ColumnVector> {
    let (from, to) = (vector.data.column_type(), column.column_type);
    if let (ColumnType::Scalar(ScalarType::Varchar), ColumnData::Json(_)) = (to, &vector.data) {
        if column.declared {
            let ColumnVector { data: ColumnData::Json(texts), validity } = vector else {
                return Err(Error::internal("a column of JSON has no texts"));
            };
            return Ok(ColumnVector { data: ColumnData::Varchar(texts), validity });
        }
    }
    if from.widened_as(to, *form) == to {
        return rewritten(vector, to, form).map_err(|err| err.within(format_args!("column '{}'", column.name)));
    }
    Err(Error::data(format!(
        "column '{}' was bound as {}, and a later page has a value that needs {}",
        column.name,
        to.sql_name(),
        from.sql_name()
    )))
}

/// Returns each row's fields as a JSON object; null for a row without any.
fn objects_of(fields: Vec<(&str, ColumnVector, Form)>, n_rows: usize) -> Result<ColumnVector> {
    let mut fields_as_json = Vec::with_capacity(fields.len());
    for (name, vector, form) in fields {
        let vector = rewritten(vector, ColumnType::Json, &form)?;
        let ColumnData::Json(texts) = vector.data else { return Err(Error::internal("JSON that is none")) };
        fields_as_json.push((name, texts, vector.validity));
    }
    let mut texts = TextColumn::with_capacity(n_rows);
    let mut validity = Validity::default();
    for row_idx in 0..n_rows {
        let mut object = Vec::new();
        for (name, values, validity) in &fields_as_json {
            if validity.is_valid(row_idx) {
                object.push(if object.is_empty() { b'{' } else { b',' });
                write_text(&mut object, name);
                object.push(b':');
                object.extend_from_slice(values.get(row_idx).as_bytes());
            }
        }
        validity.push(!object.is_empty());
        texts.push_with(|out| {
            if !object.is_empty() {
                out.extend_from_slice(&object);
                out.push(b'}');
            }
        });
    }
    check_text_len(texts.bytes.len())?;
    Ok(ColumnVector { data: ColumnData::Json(texts), validity })
}
