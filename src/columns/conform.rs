//! Values of one type as values of a wider one.

use super::batch::{Batch, ColumnData, ColumnVector, TextColumn};
use super::decimal::write_decimal;
use super::form::{self, Form};
use super::moments::MomentStyle;
use super::types::{ColumnType, TableSchema};
use super::{temporal, text};
use crate::document::{write_double, write_text};
use crate::spec::ScalarType;
use crate::{Error, Result};
use std::io::Write as _;

/// The most cells that are added to a batch at once.
const MOST_CELLS: usize = 4 << 20;

impl Batch {
    /// Returns the batches in groups, each to be fitted to the schema when the one before is done with: the columns that rows of an earlier
    /// page lack are many cells when there are many rows and many columns.
    pub fn groups_for(batches: Vec<Batch>, schema: &TableSchema) -> Vec<Vec<Batch>> {
        let mut groups: Vec<Vec<Batch>> = vec![Vec::new()];
        let mut n_cells = 0;
        for batch in batches {
            let n_new = schema.columns.len().saturating_sub(batch.columns.len());
            let most_rows = (MOST_CELLS / n_new.max(1)).max(1);
            let mut left = Some(batch);
            while let Some(mut part) = left.take() {
                if part.n_rows > most_rows {
                    left = Some(part.split_off(most_rows));
                }
                n_cells += part.n_rows * n_new;
                if n_cells > MOST_CELLS {
                    n_cells = part.n_rows * n_new;
                    groups.push(Vec::new());
                }
                match groups.last_mut() {
                    Some(group) => group.push(part),
                    None => groups.push(vec![part]),
                }
            }
        }
        groups
    }

    /// Returns whether the rows lack few cells of the schema: whether [`Batch::groups_for`] leaves them together.
    pub fn is_soon_fitted_to(&self, schema: &TableSchema) -> bool {
        self.n_rows.saturating_mul(schema.columns.len().saturating_sub(self.columns.len())) <= MOST_CELLS
    }

    /// Fits the batch to a wider schema: columns in its order, matched by source; missing ones null, narrower ones widened.
    ///
    /// Fails when the schema cannot hold a value. A schema [`TableSchema::merged`] with the batch's always can.
    pub fn conform(self, schema: &TableSchema) -> Result<Batch> {
        if self.schema == *schema {
            return Ok(self);
        }
        let n_rows = self.n_rows;
        let mut columns: Vec<Option<ColumnVector>> = schema.columns.iter().map(|_| None).collect();
        let by_source = schema.by_source();
        for (column, vector) in self.schema.columns.iter().zip(self.columns) {
            match by_source.get(&column.source) {
                Some(&idx) => {
                    let to = schema.columns[idx].column_type;
                    columns[idx] =
                        Some(widened(vector, to, &column.form).map_err(|err| err.within(format_args!("column '{}'", column.name)))?);
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

/// Converts a column of values of this form to a wider type. Fails when that does not keep them ([`Form::keeps`]).
pub(super) fn widened(vector: ColumnVector, to: ColumnType, form: &Form) -> Result<ColumnVector> {
    let from = vector.data.column_type();
    if ColumnData::empty(to, 0).column_type() == from && matches!(to, ColumnType::Native(_)) {
        return Ok(vector);
    }
    match form.keeps(from, to) {
        true => rewritten(vector, to, form),
        false => Err(Error::internal(format!("{} does not become {} as it came", from.sql_name(), to.sql_name()))),
    }
}

/// Converts a column to a wider type. Where the form does not tell how values came, their texts are in UTC, and numbers those of DuckDB.
pub(super) fn rewritten(vector: ColumnVector, to: ColumnType, form: &Form) -> Result<ColumnVector> {
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
    let cells = Cells { vector: &vector, form, style: form.moment_style().unwrap_or_default() };
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
        (ColumnType::Scalar(ScalarType::TimestampNs), ColumnData::Date(values)) => {
            ColumnData::TimestampNs(values.iter().map(|&days| temporal::timestamp_of_date(days) * 1000).collect())
        }
        (ColumnType::Scalar(ScalarType::TimestampNs), ColumnData::Timestamp(values)) => {
            ColumnData::TimestampNs(values.iter().map(|&micros| micros.wrapping_mul(1000)).collect())
        }
        (ColumnType::List(Some(element)), ColumnData::List { ends, child }) => {
            let child = rewritten((**child).clone(), ColumnType::Scalar(element), form)?;
            ColumnData::List { ends: ends.clone(), child: Box::new(child) }
        }
        _ => return Err(Error::internal(format!("no way from {} to {}", from.sql_name(), to.sql_name()))),
    };
    Ok(ColumnVector { data, validity: vector.validity })
}

struct Cells<'v> {
    vector: &'v ColumnVector,
    form: &'v Form,
    style: MomentStyle,
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

    /// Appends the value as text: as it came, and as DuckDB casts it to VARCHAR where several texts say the same number.
    fn write_text(&self, idx: usize, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = match &self.vector.data {
            ColumnData::Undecided => Ok(()),
            ColumnData::Boolean(values) => write!(out, "{}", values[idx]),
            ColumnData::BigInt(values) => write!(out, "{}", values[idx]),
            ColumnData::HugeInt(values) => write!(out, "{}", values[idx]),
            ColumnData::Double(values) => match self.plain_integer(values[idx]) {
                Some(value) => write!(out, "{value}"),
                None => return text::write_double(out, values[idx]),
            },
            ColumnData::Decimal { values, scale, .. } => return write_decimal(out, values[idx], *scale),
            ColumnData::Date(values) => return temporal::write_date(out, values[idx]),
            ColumnData::Timestamp(values) => return self.style.write(out, values[idx], 0),
            ColumnData::TimestampNs(values) => return self.style.write(out, values[idx].div_euclid(1000), values[idx].rem_euclid(1000)),
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => out.write_all(texts.get(idx).as_bytes()),
            ColumnData::List { .. } => return self.write_json(idx, out),
        };
    }

    /// Returns the integer that the number came as.
    fn plain_integer(&self, value: f64) -> Option<i64> {
        (self.form.has_plain_integers() && form::kind_of_double(value) == form::WHOLE).then_some(value as i64)
    }

    /// Appends the value as JSON.
    fn write_json(&self, idx: usize, out: &mut Vec<u8>) {
        match &self.vector.data {
            ColumnData::Undecided => out.extend_from_slice(b"null"),
            ColumnData::Double(values) => match self.plain_integer(values[idx]) {
                Some(_) => self.write_text(idx, out),
                None => write_double(out, values[idx]),
            },
            ColumnData::Varchar(texts) if self.form.is_bare() => out.extend_from_slice(text::as_json_number(texts.get(idx)).as_bytes()),
            ColumnData::Varchar(texts) => write_text(out, texts.get(idx)),
            ColumnData::Date(_) | ColumnData::Timestamp(_) | ColumnData::TimestampNs(_) => {
                out.push(b'"');
                self.write_text(idx, out);
                out.push(b'"');
            }
            ColumnData::List { ends, child } => {
                let elements = Cells { vector: child, form: self.form, style: self.style.clone() };
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
            ColumnData::Boolean(_) | ColumnData::BigInt(_) | ColumnData::HugeInt(_) | ColumnData::Decimal { .. } | ColumnData::Json(_) => {
                self.write_text(idx, out)
            }
        }
    }
}

/// Fails when a batch's texts are too long for their positions.
pub(super) fn check_text_len(n_bytes: usize) -> Result<()> {
    if u32::try_from(n_bytes).is_ok() {
        return Ok(());
    }
    Err(Error::data(format!("one column of a page has {n_bytes} bytes of text; expected fewer than 4 GiB; ask for smaller pages")))
}
