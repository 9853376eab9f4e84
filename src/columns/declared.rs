//! Values for columns whose type the spec declares: converted where nothing is lost, refused otherwise.

use super::batch::ColumnData;
use super::builder::ColumnBuilder;
use super::lists;
use super::temporal::{date_of, date_of_timestamp, timestamp_of};
use crate::json::{ArrayIter, View};

impl<'d> ColumnBuilder<'d> {
    /// Sets row `row_idx` to the value, converted to the column's type; returns whether the type has room for it.
    ///
    /// Texts that say a number, a boolean, a date or a timestamp count as one, 0 and 1 as booleans, a timestamp as its date,
    /// and VARCHAR takes lists and objects as JSON text.
    pub(super) fn push_declared(&mut self, row_idx: usize, view: &View<'d>) -> bool {
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

    fn try_push_converted(&mut self, view: &View<'d>) -> bool {
        match view {
            View::Text(text) => try_push_meaning(&mut self.data, &mut self.originals, text),
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
                _ => false,
            },
            number => try_push_number(&mut self.data, number),
        }
    }

    fn try_push_list(&mut self, elements: ArrayIter<'d>) -> bool {
        let ColumnData::List { ends, child } = &mut self.data else {
            return false;
        };
        let (n_before, n_originals) = (child.validity.bytes.len(), self.originals.len());
        for element in elements {
            let view = element.view();
            if lists::try_push_element(child, &mut self.originals, &view) {
                continue;
            }
            let pushed = match &view {
                View::Text(text) => try_push_meaning(&mut child.data, &mut self.originals, text),
                View::Array(_) | View::Object(_) => match &mut child.data {
                    ColumnData::Varchar(texts) => {
                        texts.push_with(|out| element.write_json(out));
                        true
                    }
                    _ => false,
                },
                scalar => {
                    super::builder::try_push_scalar(&mut child.data, &mut self.originals, scalar)
                        || try_push_number(&mut child.data, scalar)
                }
            };
            if !pushed {
                child.resize(n_before);
                self.originals.truncate(n_originals);
                return false;
            }
            child.validity.bytes.push(1);
        }
        ends.push(child.validity.bytes.len() as u32);
        true
    }
}

fn try_push_number(data: &mut ColumnData, view: &View<'_>) -> bool {
    match (data, view) {
        (ColumnData::BigInt(values), View::Double(value)) if value.fract() == 0.0 && value.abs() < 9.2e18 => values.push(*value as i64),
        (ColumnData::HugeInt(values), View::Double(value)) if value.fract() == 0.0 && value.abs() < 1.7e38 => values.push(*value as i128),
        (ColumnData::Double(values), View::Integer(value)) => values.push(*value as f64),
        (ColumnData::Double(values), View::BigNumber(number)) => match number.to_string().parse::<f64>() {
            Ok(value) if value.is_finite() => values.push(value),
            _ => return false,
        },
        (ColumnData::Boolean(values), View::Integer(value @ (0 | 1))) => values.push(*value == 1),
        _ => return false,
    }
    true
}

fn try_push_meaning<'d>(data: &mut ColumnData, originals: &mut Vec<&'d str>, text: &'d str) -> bool {
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
        ColumnData::Double(values) => match trimmed.parse::<f64>() {
            Ok(value) if value.is_finite() => values.push(value),
            _ => return false,
        },
        ColumnData::Date(values) => match date_of(trimmed).or_else(|| timestamp_of(trimmed).map(date_of_timestamp)) {
            Some(days) => {
                values.push(days);
                originals.push(text);
            }
            None => return false,
        },
        _ => return false,
    }
    true
}
