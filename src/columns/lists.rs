//! Lists as values of one column: typed where all elements are scalars of one kind, JSON otherwise.

use super::batch::{ColumnData, ColumnVector};
use super::builder::{self, try_push_scalar};
use super::types::ColumnType;
use crate::json::{ArrayIter, View};

/// Returns whether the values, or the elements of lists, are dates or timestamps.
pub(super) fn holds_times(data: &ColumnData) -> bool {
    match data {
        ColumnData::Date(_) | ColumnData::Timestamp(_) => true,
        ColumnData::List { child, .. } => holds_times(&child.data),
        _ => false,
    }
}

/// Returns the narrowest type that holds a list of these elements.
pub(super) fn type_of(elements: ArrayIter<'_>) -> ColumnType {
    let mut list = ColumnType::List(None);
    for element in elements {
        let view = element.view();
        let element_type = match (builder::type_of(&view), &view) {
            (ColumnType::Undecided, _) => ColumnType::List(None),
            // As a text the number would be one of another kind.
            (_, View::BigNumber(_)) => ColumnType::Json,
            (ColumnType::Scalar(scalar), _) => ColumnType::List(Some(scalar)),
            (ColumnType::List(_) | ColumnType::Json, _) => ColumnType::Json,
        };
        list = list.widened(element_type);
    }
    list
}

/// Appends a list when the column's type holds it as it is.
pub(super) fn try_push<'d>(data: &mut ColumnData, originals: &mut Vec<&'d str>, elements: ArrayIter<'d>) -> bool {
    match data {
        ColumnData::Json(texts) => {
            texts.push_with(|out| elements.write_json(out));
            true
        }
        ColumnData::List { ends, child } => {
            let (n_before, n_originals) = (child.validity.bytes.len(), originals.len());
            for element in elements {
                if !try_push_element(child, originals, &element.view()) {
                    child.resize(n_before);
                    originals.truncate(n_originals);
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
pub(super) fn try_push_element<'d>(child: &mut ColumnVector, originals: &mut Vec<&'d str>, view: &View<'d>) -> bool {
    if matches!(view, View::Null) {
        let n_elements = child.validity.bytes.len() + 1;
        child.resize(n_elements);
        if holds_times(&child.data) {
            originals.push("");
        }
        return true;
    }
    if matches!(child.data, ColumnData::Varchar(_)) && !matches!(view, View::Text(_)) {
        return false;
    }
    let pushed = try_push_scalar(&mut child.data, originals, view);
    if pushed {
        child.validity.bytes.push(1);
    }
    pushed
}
