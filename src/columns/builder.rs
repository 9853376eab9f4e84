//! One column while a page is converted: values appended at the narrowest type that holds them all.

use super::batch::{ColumnData, ColumnVector, Validity};
use super::conform::{check_text_len, widened};
use super::form::Form;
use super::lists;
use super::scalars;
use super::types::{Column, ColumnType};
use crate::document::View;
use crate::{Error, Result};

/// The most rows whose memory is taken at once.
const MOST_RESERVED: usize = 4096;

/// A column that grows. Rows that are skipped are null.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    pub(super) data: ColumnData,
    pub(super) validity: Validity,
    /// What the column's values, those of earlier pages included, looked like.
    pub(super) form: Form,
    /// Whether values became nulls, because their texts could not be told from what they had become.
    pub(super) is_lossy: bool,
    /// Whether the type is declared, and so stays.
    pub(super) declared: bool,
    has_nanoseconds: bool,
    n_rows: usize,
}

impl ColumnBuilder {
    /// Starts a column, with capacity for `n_rows`.
    pub(super) fn new(column: &Column, n_rows: usize, has_nanoseconds: bool) -> ColumnBuilder {
        let n_rows = n_rows.min(MOST_RESERVED);
        let validity = Validity { bytes: Vec::with_capacity(n_rows), has_nulls: false };
        let data = ColumnData::empty(column.column_type, n_rows);
        ColumnBuilder { data, validity, form: column.form, is_lossy: false, declared: column.declared, has_nanoseconds, n_rows }
    }

    /// Sets row `row_idx`, the first without a value, widening the column as needed. Null is not a value.
    #[inline]
    pub(super) fn push(&mut self, row_idx: usize, view: View<'_>) -> Result<()> {
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
    fn push_widening(&mut self, view: View<'_>) -> Result<()> {
        let (of_value, form) = type_of(&view);
        let to = self.data.column_type().widened_as(of_value, self.form.joined(form));
        self.widen(if self.has_nanoseconds { to } else { to.without_nanoseconds() })?;
        if !self.try_push(&view) {
            return Err(Error::internal(format!("{} does not take a value it was widened for", to.sql_name())));
        }
        self.validity.bytes.push(1);
        Ok(())
    }

    /// Sets row `row_idx` to the value as JSON, which the column then is.
    pub(super) fn push_json(&mut self, row_idx: usize, view: View<'_>) -> Result<()> {
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
    }

    /// Returns the rows so far, filled up with nulls to `n_rows`.
    pub(super) fn finish(mut self, n_rows: usize) -> Result<ColumnVector> {
        self.skip_to(n_rows);
        let vector = ColumnVector { data: self.data, validity: self.validity };
        check_text_len(vector.text_bytes())?;
        Ok(vector)
    }

    /// Returns about how much memory the rows so far take.
    pub(super) fn approximate_bytes(&self) -> usize {
        let n_rows = self.validity.bytes.len();
        n_rows + self.data.approximate_bytes(n_rows)
    }

    fn widen(&mut self, to: ColumnType) -> Result<()> {
        let from = self.data.column_type();
        if from == to {
            return Ok(());
        }
        let n_rows = self.validity.bytes.len();
        let data = std::mem::replace(&mut self.data, ColumnData::Undecided);
        if data == ColumnData::Undecided || !self.form.keeps(from, to) {
            self.is_lossy |= self.validity.bytes.contains(&1);
            self.data = ColumnData::empty(to, self.n_rows);
            self.validity.bytes.clear();
            self.resize(n_rows);
            return Ok(());
        }
        let vector = ColumnVector { data, validity: std::mem::take(&mut self.validity) };
        let vector = widened(vector, to, &self.form)?;
        (self.data, self.validity) = (vector.data, vector.validity);
        Ok(())
    }

    /// Appends the value when the column's type holds it as it is.
    #[inline]
    pub(super) fn try_push(&mut self, view: &View<'_>) -> bool {
        match view {
            View::Array(elements) => lists::try_push(&mut self.data, &mut self.form, elements.clone()),
            View::Object(entries) => {
                let ColumnData::Json(texts) = &mut self.data else {
                    return false;
                };
                texts.push_with(|out| entries.clone().write_json(out));
                true
            }
            scalar => scalars::try_push(&mut self.data, &mut self.form, scalar),
        }
    }
}

/// Returns the narrowest type that holds the value, and its form as far as it decides about types.
fn type_of(view: &View<'_>) -> (ColumnType, Form) {
    match view {
        View::Array(elements) => lists::type_of(elements.clone()),
        other => scalars::type_of(other),
    }
}
