//! Scalars: the type each needs, and how a column whose type fits one takes it.

use super::batch::ColumnData;
use super::form::{self, Form};
use super::temporal::{date_of, moment_of, timestamp_of_date, Moment};
use super::text;
use super::types::ColumnType;
use crate::document::{write_double, write_text, BigNumber, View};
use crate::spec::ScalarType;
use std::io::Write as _;

/// Appends a scalar when the type holds it as it is.
#[inline]
pub(super) fn try_push(data: &mut ColumnData, form: &mut Form, view: &View<'_>) -> bool {
    match *view {
        View::Text(text) => try_push_text(data, form, text),
        View::Integer(value) => try_push_integer(data, form, value),
        View::Boolean(value) => {
            let label = if value { "true" } else { "false" };
            match data {
                ColumnData::Boolean(values) => values.push(value),
                ColumnData::Varchar(texts) | ColumnData::Json(texts) => texts.push(label),
                _ => return false,
            }
            form.add(form::BOOLEAN);
            true
        }
        View::Double(value) => {
            match data {
                ColumnData::Double(values) => values.push(value),
                ColumnData::Varchar(texts) => texts.push_with(|out| text::write_double(out, value)),
                ColumnData::Json(texts) => texts.push_with(|out| write_double(out, value)),
                _ => return false,
            }
            form.add_double(value);
            true
        }
        View::BigNumber(number) => try_push_big(data, form, number),
        View::Null | View::Array(_) | View::Object(_) => false,
    }
}

/// Appends a number that only its digits represent; of a DOUBLE that has them all it is noted that its text is another.
fn try_push_big(data: &mut ColumnData, form: &mut Form, number: BigNumber<'_>) -> bool {
    match data {
        ColumnData::Varchar(texts) | ColumnData::Json(texts) => texts.push(&number.to_string()),
        ColumnData::Double(values) => match number.as_double() {
            Some(value) => {
                values.push(value);
                form.add_double(value);
            }
            None => return false,
        },
        _ => return false,
    }
    form.add(form::DIGITS);
    true
}

#[inline]
fn try_push_text(data: &mut ColumnData, form: &mut Form, text: &str) -> bool {
    match data {
        ColumnData::Varchar(texts) => {
            texts.push(text);
            form.add(form::TEXT);
        }
        ColumnData::Json(texts) => texts.push_with(|out| write_text(out, text)),
        ColumnData::Timestamp(values) => match moment_of(text) {
            Some(moment) if moment.nanos == 0 => {
                values.push(moment.micros);
                form.add_moment(&moment);
            }
            Some(_) => return false,
            None => match date_of(text).map(timestamp_of_date) {
                Some(micros) => {
                    values.push(micros);
                    form.add_date(micros);
                }
                None => return false,
            },
        },
        ColumnData::TimestampNs(values) => return try_push_nanos(values, form, text),
        ColumnData::Date(values) => {
            let Some(days) = date_of(text) else {
                return false;
            };
            values.push(days);
            form.add_date(timestamp_of_date(days));
        }
        _ => return false,
    }
    true
}

fn try_push_nanos(values: &mut Vec<i64>, form: &mut Form, text: &str) -> bool {
    if let Some(moment) = moment_of(text) {
        if !form::is_near(moment.micros) {
            return false;
        }
        values.push(nanos_of(&moment));
        form.add_moment(&moment);
        return true;
    }
    match date_of(text).map(timestamp_of_date) {
        Some(micros) if form::is_near(micros) => {
            values.push(micros * 1000);
            form.add_date(micros);
            true
        }
        _ => false,
    }
}

/// Returns the nanoseconds since 1970 of a moment that a TIMESTAMP_NS holds.
fn nanos_of(moment: &Moment<'_>) -> i64 {
    moment.micros * 1000 + moment.nanos
}

#[inline]
fn try_push_integer(data: &mut ColumnData, form: &mut Form, value: i128) -> bool {
    match (data, i64::try_from(value)) {
        (ColumnData::BigInt(values), Ok(small)) => values.push(small),
        (ColumnData::Double(values), Ok(small)) if !form::is_wide(value) => values.push(small as f64),
        (ColumnData::HugeInt(values), _) => values.push(value),
        (ColumnData::Varchar(texts) | ColumnData::Json(texts), _) => texts.push_with(|out| {
            // Writing to memory does not fail.
            let _ = write!(out, "{value}");
        }),
        _ => return false,
    }
    form.add_integer(value);
    true
}

/// Returns the narrowest type that holds the value, and its form as far as it decides about types. Lists and objects are JSON.
pub(super) fn type_of(view: &View<'_>) -> (ColumnType, Form) {
    let mut form = Form::default();
    let scalar = match view {
        View::Null => return (ColumnType::Undecided, form),
        View::Array(_) | View::Object(_) => return (ColumnType::Json, form),
        View::Boolean(_) => ScalarType::Boolean,
        View::Integer(value) => {
            form.add_integer(*value);
            if i64::try_from(*value).is_ok() {
                ScalarType::BigInt
            } else {
                ScalarType::HugeInt
            }
        }
        View::BigNumber(number) if number.as_double().is_some() => ScalarType::Double,
        View::BigNumber(_) => ScalarType::Varchar,
        View::Double(_) => ScalarType::Double,
        View::Text(text) => type_of_text(text, &mut form),
    };
    (ColumnType::Scalar(scalar), form)
}

fn type_of_text(text: &str, form: &mut Form) -> ScalarType {
    if let Some(days) = date_of(text) {
        form.add_date(timestamp_of_date(days));
        return ScalarType::Date;
    }
    match moment_of(text) {
        Some(moment) if moment.nanos == 0 => {
            form.add_moment(&moment);
            ScalarType::Timestamp
        }
        Some(moment) if form::is_near(moment.micros) => ScalarType::TimestampNs,
        _ => ScalarType::Varchar,
    }
}
