//! Values for columns whose type the spec declares: converted where nothing is lost, refused otherwise.

use super::batch::ColumnData;
use super::builder::ColumnBuilder;
use super::decimal::{decimal_of, units_of};
use super::form::{self, Form};
use super::lists;
use super::scalars;
use super::temporal::{date_of, date_of_parts, date_of_timestamp, timestamp_of};
use crate::document::{has_digits, write_double, ArrayIter, ObjectIter, View};

impl ColumnBuilder {
    /// Sets row `row_idx` to the value, converted to the column's type; returns whether the type can hold it.
    ///
    /// Texts that say a number, a boolean, a date or a timestamp count as one, 0 and 1 as booleans, a timestamp as its date, and an object with
    /// year, month and day as a date. VARCHAR takes lists and objects as JSON text.
    pub(super) fn push_declared(&mut self, row_idx: usize, view: &View<'_>) -> bool {
        if matches!(view, View::Null) {
            return true;
        }
        self.skip_to(row_idx);
        let pushed = self.try_push(view) || self.try_push_converted(view);
        if pushed {
            self.validity.bytes.push(1);
        }
        pushed
    }

    fn try_push_converted(&mut self, view: &View<'_>) -> bool {
        match view {
            View::Text(text) => try_push_meaning(&mut self.data, &mut self.form, text),
            View::Array(elements) => match &mut self.data {
                ColumnData::Varchar(texts) => {
                    texts.push_with(|out| elements.clone().write_json(out));
                    true
                }
                ColumnData::List { .. } => self.try_push_list(elements.clone()),
                _ => false,
            },
            View::Object(entries) => match &mut self.data {
                ColumnData::Varchar(texts) => {
                    texts.push_with(|out| entries.clone().write_json(out));
                    true
                }
                ColumnData::Date(days) => match day_of(entries.clone()) {
                    Some(day) => {
                        days.push(day);
                        true
                    }
                    None => false,
                },
                _ => false,
            },
            number => try_push_number(&mut self.data, &mut self.form, number),
        }
    }

    fn try_push_list(&mut self, elements: ArrayIter<'_>) -> bool {
        let ColumnData::List { ends, child } = &mut self.data else {
            return false;
        };
        let n_before = child.validity.bytes.len();
        for element in elements {
            let view = element.view();
            if lists::try_push_element(child, &mut self.form, &view) {
                continue;
            }
            let pushed = match &view {
                View::Text(text) => try_push_meaning(&mut child.data, &mut self.form, text),
                View::Array(_) | View::Object(_) => match &mut child.data {
                    ColumnData::Varchar(texts) => {
                        texts.push_with(|out| element.write_json(out));
                        true
                    }
                    _ => false,
                },
                scalar => {
                    scalars::try_push(&mut child.data, &mut self.form, scalar) || try_push_number(&mut child.data, &mut self.form, scalar)
                }
            };
            if !pushed {
                child.resize(n_before);
                return false;
            }
            child.validity.bytes.push(1);
        }
        ends.push(child.validity.bytes.len() as u32);
        true
    }
}

/// Appends a number; notes where digits of it are cut.
fn try_push_number(data: &mut ColumnData, form: &mut Form, view: &View<'_>) -> bool {
    match (data, view) {
        (data @ ColumnData::Decimal { .. }, number) => return digits_of(number).is_some_and(|digits| try_push_decimal(data, &digits)),
        (ColumnData::BigInt(values), number) => match whole_of(number).and_then(|value| i64::try_from(value).ok()) {
            Some(value) => values.push(value),
            None => return false,
        },
        (ColumnData::HugeInt(values), number) => match whole_of(number) {
            Some(value) => values.push(value),
            None => return false,
        },
        (ColumnData::Double(values), View::Integer(value)) => {
            form.add(if *value as f64 as i128 == *value { 0 } else { form::CUT });
            values.push(*value as f64);
        }
        (ColumnData::Double(values), View::BigNumber(number)) => return try_push_digits(values, form, &number.to_string()),
        (ColumnData::Boolean(values), View::Integer(value @ (0 | 1))) => values.push(*value == 1),
        _ => return false,
    }
    true
}

/// Returns the day that an object says with its year, month and day, such as
/// [google.type.Date](https://github.com/googleapis/googleapis/blob/master/google/type/date.proto); `None` where one is missing or not of the
/// calendar.
fn day_of(entries: ObjectIter<'_>) -> Option<i32> {
    let [mut year, mut month, mut day] = [None; 3];
    for (key, value) in entries {
        let part = match key {
            "year" => &mut year,
            "month" => &mut month,
            "day" => &mut day,
            _ => return None,
        };
        *part = match value.view() {
            View::Integer(number) => i64::try_from(number).ok(),
            _ => None,
        };
    }
    date_of_parts(year?, month?, day?)
}

/// Returns the digits of a number as it came, but for its zeros: the shortest text of a DOUBLE says the number that was sent.
fn digits_of(number: &View<'_>) -> Option<String> {
    match number {
        View::Integer(value) => Some(value.to_string()),
        View::BigNumber(number) => Some(number.to_string()),
        View::Double(value) => {
            let mut text = Vec::new();
            write_double(&mut text, *value);
            String::from_utf8(text).ok()
        }
        _ => None,
    }
}

/// Returns the whole number that a number with a point or an exponent is, digit by digit; `None` when it is not whole.
fn whole_of(number: &View<'_>) -> Option<i128> {
    match number {
        View::Double(value) if form::kind_of_double(*value) == form::WHOLE => Some(*value as i128),
        View::Double(value) if value.fract() != 0.0 => None,
        View::Double(_) | View::BigNumber(_) => units_of(&digits_of(number)?, 0),
        _ => None,
    }
}

/// Appends a number to decimals, if they hold it as it is.
fn try_push_decimal(data: &mut ColumnData, text: &str) -> bool {
    let ColumnData::Decimal { values, width, scale } = data else { return false };
    match decimal_of(text, *width, *scale) {
        Some(value) => {
            values.push(value);
            true
        }
        None => false,
    }
}

/// Appends the DOUBLE next to a number; notes where that has not all its digits.
fn try_push_digits(values: &mut Vec<f64>, form: &mut Form, digits: &str) -> bool {
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => {
            form.add(if has_digits(value, digits) { 0 } else { form::CUT });
            values.push(value);
            true
        }
        _ => false,
    }
}

fn try_push_meaning(data: &mut ColumnData, form: &mut Form, text: &str) -> bool {
    let trimmed = text.trim();
    match data {
        ColumnData::Boolean(values) => match trimmed {
            "true" | "True" | "TRUE" | "1" => values.push(true),
            "false" | "False" | "FALSE" | "0" => values.push(false),
            _ => return false,
        },
        ColumnData::BigInt(values) => match trimmed.parse() {
            Ok(value) => values.push(value),
            Err(_) => return false,
        },
        ColumnData::HugeInt(values) => match trimmed.parse() {
            Ok(value) => values.push(value),
            Err(_) => return false,
        },
        ColumnData::Double(values) => return try_push_digits(values, form, trimmed),
        data @ ColumnData::Decimal { .. } => return try_push_decimal(data, trimmed),
        ColumnData::Date(values) => match date_of(trimmed).or_else(|| timestamp_of(trimmed).map(date_of_timestamp)) {
            Some(days) => values.push(days),
            None => return false,
        },
        // Nanoseconds.
        ColumnData::Timestamp(values) => match timestamp_of(text) {
            Some(micros) => {
                form.add(form::CUT);
                values.push(micros);
            }
            None => return false,
        },
        _ => return false,
    }
    true
}
