//! Values of one type as values of a wider one.

use super::batch::{Batch, ColumnData, ColumnVector, TextColumn};
use super::types::{ColumnType, TableSchema};
use super::{temporal, text};
use crate::json::{write_double, write_text};
use crate::spec::ScalarType;
use crate::{Error, Result};
use std::io::Write as _;

impl Batch {
    /// Fits the batch to a wider schema: columns in its order, matched by source; missing ones null, narrower ones widened.
    ///
    /// Fails when the schema has no room for a value, which a schema [`TableSchema::merged`] with the batch's always has.
    pub fn conform(self, schema: &TableSchema) -> Result<Batch> {
        if self.schema == *schema {
            return Ok(self);
        }
        let n_rows = self.n_rows;
        let mut columns: Vec<Option<ColumnVector>> = schema.columns.iter().map(|_| None).collect();
        let by_source = schema.by_source();
        for (column, vector) in self.schema.columns.iter().zip(self.columns) {
            match by_source.get(column.source.as_slice()) {
                Some(&idx) => {
                    let to = schema.columns[idx].column_type;
                    columns[idx] = Some(widened(vector, to, &[]).map_err(|err| err.within(format_args!("column '{}'", column.name)))?);
                }
                None if vector.data == ColumnData::Undecided => {}
                None => return Err(Error::internal(format!("column '{}' of a batch is missing in the table", column.name))),
            }
        }
        let nulls =
            |(vector, column_type): (Option<ColumnVector>, ColumnType)| vector.unwrap_or_else(|| ColumnVector::nulls(column_type, n_rows));
        let types = schema.columns.iter().map(|column| column.column_type);
        let columns = columns.into_iter().zip(types).map(nulls).collect();
        Ok(Batch { schema: schema.clone(), columns, n_rows })
    }
}

/// Converts a column to a wider type. `originals` are the texts that dates and timestamps (of a list: its elements) came
/// from, where they are known.
pub(super) fn widened(vector: ColumnVector, to: ColumnType, originals: &[&str]) -> Result<ColumnVector> {
    let from = vector.data.column_type();
    if from == to {
        return Ok(vector);
    }
    let n_rows = vector.validity.bytes.len();
    if from == ColumnType::Undecided {
        return Ok(ColumnVector::nulls(to, n_rows));
    }
    if from.widened(to) != to {
        return Err(Error::internal(format!("{} does not become {}", from.sql_name(), to.sql_name())));
    }
    let cells = Cells { vector: &vector, originals };
    let data = match (to, &vector.data) {
        (ColumnType::Json, _) => ColumnData::Json(cells.texts(|idx, out| cells.write_json(idx, out))?),
        (ColumnType::Scalar(ScalarType::Varchar), _) => ColumnData::Varchar(cells.texts(|idx, out| cells.write_text(idx, out))?),
        (ColumnType::Scalar(ScalarType::HugeInt), ColumnData::BigInt(values)) => {
            ColumnData::HugeInt(values.iter().map(|&value| i128::from(value)).collect())
        }
        (ColumnType::Scalar(ScalarType::Double), ColumnData::BigInt(values)) => {
            ColumnData::Double(values.iter().map(|&value| value as f64).collect())
        }
        (ColumnType::Scalar(ScalarType::Timestamp), ColumnData::Date(values)) => {
            ColumnData::Timestamp(values.iter().map(|&days| temporal::timestamp_of_date(days)).collect())
        }
        (ColumnType::List(Some(element)), ColumnData::List { ends, child }) => {
            let child = widened((**child).clone(), ColumnType::Scalar(element), originals)?;
            ColumnData::List { ends: ends.clone(), child: Box::new(child) }
        }
        _ => return Err(Error::internal(format!("no way from {} to {}", from.sql_name(), to.sql_name()))),
    };
    Ok(ColumnVector { data, validity: vector.validity })
}

struct Cells<'v> {
    vector: &'v ColumnVector,
    originals: &'v [&'v str],
}

impl Cells<'_> {
    fn texts(&self, write: impl Fn(usize, &mut Vec<u8>)) -> Result<TextColumn> {
        let validity = &self.vector.validity;
        let mut texts = TextColumn::with_capacity(validity.bytes.len());
        for idx in 0..validity.bytes.len() {
            texts.push_with(|out| {
                if validity.is_valid(idx) {
                    write(idx, out);
                }
            });
        }
        check_text_len(texts.bytes.len())?;
        Ok(texts)
    }

    fn original(&self, idx: usize) -> Option<&str> {
        self.originals.get(idx).copied().filter(|text| !text.is_empty())
    }

    /// Appends the value as DuckDB casts it to VARCHAR, dates and timestamps as they came where that is known.
    fn write_text(&self, idx: usize, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = match &self.vector.data {
            ColumnData::Undecided => Ok(()),
            ColumnData::Boolean(values) => write!(out, "{}", values[idx]),
            ColumnData::BigInt(values) => write!(out, "{}", values[idx]),
            ColumnData::HugeInt(values) => write!(out, "{}", values[idx]),
            ColumnData::Double(values) => return text::write_double(out, values[idx]),
            ColumnData::Date(values) => match self.original(idx) {
                Some(original) => out.write_all(original.as_bytes()),
                None => return temporal::write_date(out, values[idx]),
            },
            ColumnData::Timestamp(values) => match self.original(idx) {
                Some(original) => out.write_all(original.as_bytes()),
                None => return temporal::write_timestamp(out, values[idx]),
            },
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => out.write_all(texts.get(idx).as_bytes()),
            ColumnData::List { .. } => return self.write_json(idx, out),
        };
    }

    /// Appends the value as JSON.
    fn write_json(&self, idx: usize, out: &mut Vec<u8>) {
        match &self.vector.data {
            ColumnData::Undecided => out.extend_from_slice(b"null"),
            ColumnData::Double(values) => write_double(out, values[idx]),
            ColumnData::Varchar(texts) => write_text(out, texts.get(idx)),
            ColumnData::Date(_) | ColumnData::Timestamp(_) => {
                out.push(b'"');
                self.write_text(idx, out);
                out.push(b'"');
            }
            ColumnData::List { ends, child } => {
                let elements = Cells { vector: child, originals: self.originals };
                let start = if idx == 0 { 0 } else { ends[idx - 1] };
                out.push(b'[');
                for element_idx in start as usize..ends[idx] as usize {
                    if element_idx > start as usize {
                        out.push(b',');
                    }
                    if child.validity.is_valid(element_idx) {
                        elements.write_json(element_idx, out);
                    } else {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
            ColumnData::Boolean(_) | ColumnData::BigInt(_) | ColumnData::HugeInt(_) | ColumnData::Json(_) => self.write_text(idx, out),
        }
    }
}

/// Fails when a batch's texts are too long for their positions.
pub(super) fn check_text_len(n_bytes: usize) -> Result<()> {
    if u32::try_from(n_bytes).is_ok() {
        return Ok(());
    }
    Err(Error::data(format!("{n_bytes} bytes of text in one column of a page; expected fewer than 4 GiB, ask for smaller pages")))
}
