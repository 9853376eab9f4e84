//! Lists as values of one column: typed where all elements are scalars of one kind, JSON otherwise.

use super::batch::{ColumnData, ColumnVector};
use super::form::Form;
use super::scalars;
use super::types::ColumnType;
use crate::document::{ArrayIter, View};
use crate::spec::ScalarType;

/// Returns the narrowest type that holds a list of these elements, and their form as far as it decides about types.
pub(super) fn type_of(elements: ArrayIter<'_>) -> (ColumnType, Form) {
    let mut list = ColumnType::List(None);
    let mut form = Form::default();
    for element in elements {
        let view = element.view();
        let (element_type, element_form) = scalars::type_of(&view);
        form = form.joined(element_form);
        let element_type = match (element_type, &view) {
            (ColumnType::Undecided, _) => ColumnType::List(None),
            // As a text the number would be one of another kind.
            (ColumnType::Scalar(ScalarType::Varchar), View::BigNumber(_)) => ColumnType::Json,
            (ColumnType::Scalar(scalar), _) => ColumnType::List(Some(scalar)),
            (ColumnType::List(_) | ColumnType::Json | ColumnType::Native(_), _) => ColumnType::Json,
        };
        list = list.widened_as(element_type, form);
    }
    (list, form)
}

/// Appends a list when the column's type holds it as it is.
pub(super) fn try_push(data: &mut ColumnData, form: &mut Form, elements: ArrayIter<'_>) -> bool {
    match data {
        ColumnData::Json(texts) => {
            texts.push_with(|out| elements.write_json(out));
            true
        }
        ColumnData::List { ends, child } => {
            let n_before = child.validity.bytes.len();
            for element in elements {
                if !try_push_element(child, form, &element.view()) {
                    child.resize(n_before);
                    return false;
                }
            }
            ends.push(child.validity.bytes.len() as u32);
            true
        }
        _ => false,
    }
}

#[inline]
pub(super) fn try_push_element(child: &mut ColumnVector, form: &mut Form, view: &View<'_>) -> bool {
    if matches!(view, View::Null) {
        let n_elements = child.validity.bytes.len() + 1;
        child.resize(n_elements);
        return true;
    }
    if matches!(child.data, ColumnData::Varchar(_)) && !matches!(view, View::Text(_)) {
        return false;
    }
    let pushed = scalars::try_push(&mut child.data, form, view);
    if pushed {
        child.validity.bytes.push(1);
    }
    pushed
}
