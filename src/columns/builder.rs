//! One column while a page is converted: values appended at the narrowest type that holds them all.

use super::batch::{ColumnData, ColumnVector, Validity};
use super::conform::{check_text_len, widened};
use super::lists;
use super::temporal::{date_of, timestamp_of, timestamp_of_date};
use super::text;
use super::types::{Column, ColumnType};
use crate::json::{write_double, write_text, View};
use crate::spec::ScalarType;
use crate::{Error, Result};
use std::io::Write as _;

/// The most rows that room is made for at once.
const MOST_RESERVED: usize = 4096;

/// A column that grows. Rows that are skipped are null; `originals` live as long as the page.
#[derive(Debug)]
pub(super) struct ColumnBuilder<'d> {
    pub(super) data: ColumnData,
    pub(super) validity: Validity,
    /// The texts that dates and timestamps came from, empty for nulls; for a list those of its elements.
    pub(super) originals: Vec<&'d str>,
    /// Whether the type is declared, and so stays.
    pub(super) declared: bool,
    n_rows: usize,
}

impl<'d> ColumnBuilder<'d> {
    /// Starts a column, with room for `n_rows`.
    pub(super) fn new(column: &Column, n_rows: usize) -> ColumnBuilder<'d> {
        let n_rows = n_rows.min(MOST_RESERVED);
        let validity = Validity { bytes: Vec::with_capacity(n_rows), has_nulls: false };
        let data = ColumnData::empty(column.column_type, n_rows);
        ColumnBuilder { data, validity, originals: Vec::new(), declared: column.declared, n_rows }
    }

    /// Sets row `row_idx`, the first without a value, widening the column as needed. Null is no value.
    #[inline]
    pub(super) fn push(&mut self, row_idx: usize, view: View<'d>) -> Result<()> {
        if matches!(view, View::Null) {
            return Ok(());
        }
        self.skip_to(row_idx);
        if self.try_push(&view) {
            self.validity.bytes.push(1);
            return Ok(());
        }
        self.push_widening(view)
    }

    #[cold]
    fn push_widening(&mut self, view: View<'d>) -> Result<()> {
        let to = self.data.column_type().widened(type_of(&view));
        self.widen(to)?;
        if !self.try_push(&view) {
            return Err(Error::internal(format!("{} does not take a value it was widened for", to.sql_name())));
        }
        self.validity.bytes.push(1);
        Ok(())
    }

    /// Sets row `row_idx` to the value as JSON, which the column then is.
    pub(super) fn push_json(&mut self, row_idx: usize, view: View<'d>) -> Result<()> {
        self.skip_to(row_idx);
        self.widen(ColumnType::Json)?;
        self.push(row_idx, view)
    }

    /// Makes the rows before `row_idx` that have no value null.
    #[inline]
    pub(super) fn skip_to(&mut self, row_idx: usize) {
        if self.validity.bytes.len() < row_idx {
            self.resize(row_idx);
        }
    }

    /// Removes the rows from `n_rows` on.
    pub(super) fn forget_from(&mut self, n_rows: usize) {
        if self.validity.bytes.len() > n_rows {
            self.resize(n_rows);
        }
    }

    /// Removes the rows from `n_rows` on, or appends nulls up to there.
    pub(super) fn resize(&mut self, n_rows: usize) {
        self.data.resize(n_rows);
        self.validity.has_nulls |= n_rows > self.validity.bytes.len();
        self.validity.bytes.resize(n_rows, 0);
        self.fit_originals();
    }

    fn fit_originals(&mut self) {
        let n_originals = match &self.data {
            ColumnData::Date(_) | ColumnData::Timestamp(_) => self.validity.bytes.len(),
            ColumnData::List { child, .. } if lists::holds_times(&child.data) => child.validity.bytes.len(),
            _ => 0,
        };
        self.originals.resize(n_originals, "");
    }

    /// Returns the rows so far, filled up with nulls to `n_rows`.
    pub(super) fn finish(mut self, n_rows: usize) -> Result<ColumnVector> {
        self.skip_to(n_rows);
        let vector = ColumnVector { data: self.data, validity: self.validity };
        check_text_len(vector.text_bytes())?;
        Ok(vector)
    }

    fn widen(&mut self, to: ColumnType) -> Result<()> {
        if self.data.column_type() == to {
            return Ok(());
        }
        let n_rows = self.validity.bytes.len();
        let data = std::mem::replace(&mut self.data, ColumnData::Undecided);
        if data == ColumnData::Undecided {
            self.data = ColumnData::empty(to, self.n_rows);
            self.resize(n_rows);
            return Ok(());
        }
        let vector = ColumnVector { data, validity: std::mem::take(&mut self.validity) };
        let vector = widened(vector, to, &self.originals)?;
        (self.data, self.validity) = (vector.data, vector.validity);
        self.fit_originals();
        Ok(())
    }

    /// Appends the value when the column's type holds it as it is.
    #[inline]
    pub(super) fn try_push(&mut self, view: &View<'d>) -> bool {
        match view {
            View::Array(elements) => lists::try_push(&mut self.data, &mut self.originals, elements.clone()),
            View::Object(entries) => {
                let ColumnData::Json(texts) = &mut self.data else {
                    return false;
                };
                texts.push_with(|out| entries.clone().write_json(out));
                true
            }
            scalar => try_push_scalar(&mut self.data, &mut self.originals, scalar),
        }
    }
}

/// Appends a scalar when the type holds it as it is.
#[inline]
pub(super) fn try_push_scalar<'d>(data: &mut ColumnData, originals: &mut Vec<&'d str>, view: &View<'d>) -> bool {
    match *view {
        View::Text(text) => try_push_text(data, originals, text),
        View::Integer(value) => try_push_integer(data, value),
        View::Boolean(value) => {
            let label = if value { "true" } else { "false" };
            match data {
                ColumnData::Boolean(values) => values.push(value),
                ColumnData::Varchar(texts) | ColumnData::Json(texts) => texts.push(label),
                _ => return false,
            }
            true
        }
        View::Double(value) => {
            match data {
                ColumnData::Double(values) => values.push(value),
                ColumnData::Varchar(texts) => texts.push_with(|out| text::write_double(out, value)),
                ColumnData::Json(texts) => texts.push_with(|out| write_double(out, value)),
                _ => return false,
            }
            true
        }
        View::BigNumber(number) => match data {
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => {
                texts.push(&number.to_string());
                true
            }
            _ => false,
        },
        View::Null | View::Array(_) | View::Object(_) => false,
    }
}

#[inline]
fn try_push_text<'d>(data: &mut ColumnData, originals: &mut Vec<&'d str>, text: &'d str) -> bool {
    match data {
        ColumnData::Varchar(texts) => texts.push(text),
        ColumnData::Json(texts) => texts.push_with(|out| write_text(out, text)),
        ColumnData::Timestamp(values) => {
            let Some(micros) = timestamp_of(text).or_else(|| date_of(text).map(timestamp_of_date)) else {
                return false;
            };
            values.push(micros);
            originals.push(text);
        }
        ColumnData::Date(values) => {
            let Some(days) = date_of(text) else {
                return false;
            };
            values.push(days);
            originals.push(text);
        }
        _ => return false,
    }
    true
}

#[inline]
fn try_push_integer(data: &mut ColumnData, value: i128) -> bool {
    match (data, i64::try_from(value)) {
        (ColumnData::BigInt(values), Ok(small)) => values.push(small),
        (ColumnData::Double(values), Ok(small)) => values.push(small as f64),
        (ColumnData::HugeInt(values), _) => values.push(value),
        (ColumnData::Varchar(texts) | ColumnData::Json(texts), _) => texts.push_with(|out| {
            // Writing to memory does not fail.
            let _ = write!(out, "{value}");
        }),
        _ => return false,
    }
    true
}

/// Returns the narrowest type that holds the value.
pub(super) fn type_of(view: &View<'_>) -> ColumnType {
    match view {
        View::Null => ColumnType::Undecided,
        View::Array(elements) => lists::type_of(elements.clone()),
        View::Object(_) => ColumnType::Json,
        View::Boolean(_) => ColumnType::Scalar(ScalarType::Boolean),
        View::Integer(value) if i64::try_from(*value).is_ok() => ColumnType::Scalar(ScalarType::BigInt),
        View::Integer(_) => ColumnType::Scalar(ScalarType::HugeInt),
        View::BigNumber(_) => ColumnType::Scalar(ScalarType::Varchar),
        View::Double(_) => ColumnType::Scalar(ScalarType::Double),
        View::Text(text) if date_of(text).is_some() => ColumnType::Scalar(ScalarType::Date),
        View::Text(text) if timestamp_of(text).is_some() => ColumnType::Scalar(ScalarType::Timestamp),
        View::Text(_) => ColumnType::Scalar(ScalarType::Varchar),
    }
}
