//! Columns that name no source: each takes the field that has its name when flattened. Several fields may: `order_id` and the `id` of
//! `order`, or `ID` and `id`. In each row the one that is spelt like the column wins, then the one with the fewest keys; the others
//! are columns of their own. So it does not matter which page a row is on, or what came before it.
//!
//! Pages where each name has one field are converted straight on. Where a second one turns up the page is converted anew, and
//! such values wait for the end of their row.

use super::field_tree::{FieldId, Route};
use super::source::ColumnSource;
use super::types::TableSchema;
use crate::document::View;
use std::cmp::Ordering;
use std::collections::HashMap;

/// The columns that name no source, and the fields that have their names.
#[derive(Debug, Default)]
pub(super) struct NamedColumns<'d> {
    /// By folded name.
    pub(super) columns: HashMap<String, NamedColumn>,
    pub(super) candidates: Vec<Candidate>,
    /// The values of the row that have no column yet, each with the position of its candidate.
    pub(super) waiting: Vec<(u32, View<'d>)>,
    /// Whether values wait for the end of their row.
    pub(super) waits: bool,
    /// Whether a column has several fields although values do not wait: then the page is converted anew.
    pub(super) has_rivals: bool,
}

#[derive(Debug)]
pub(super) struct NamedColumn {
    pub(super) idx: u32,
    /// Whether a field has it already.
    pub(super) is_taken: bool,
}

/// A field that has the name of a column.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) id: FieldId,
    /// The column of that name.
    pub(super) idx: u32,
    pub(super) is_spelt_so: bool,
    pub(super) keys: Vec<String>,
    /// Where the field's value goes in rows in which another field has the column.
    pub(super) own: Route,
    /// Whether it goes there in each row: the spec declares that column, too.
    pub(super) is_declared: bool,
}

impl Candidate {
    /// Compares two fields of one column: the lesser one has it.
    pub(super) fn compare(&self, other: &Candidate) -> Ordering {
        let rank = |candidate: &Candidate| (!candidate.is_spelt_so, candidate.keys.len());
        rank(self).cmp(&rank(other)).then_with(|| self.keys.cmp(&other.keys))
    }
}

impl NamedColumns<'_> {
    pub(super) fn of(schema: &TableSchema, waits: bool) -> Self {
        let named = |(idx, source): (usize, &ColumnSource)| match source {
            ColumnSource::Named(name) => Some((name.to_lowercase(), NamedColumn { idx: idx as u32, is_taken: false })),
            _ => None,
        };
        let columns = schema.columns.iter().map(|column| &column.source).enumerate().filter_map(named).collect();
        NamedColumns { columns, candidates: Vec::new(), waiting: Vec::new(), waits, has_rivals: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns the column to which others are added that take the same field's values; it becomes `idx` where there is none.
    pub(super) fn shared_of(&mut self, candidate: u32, idx: u32) -> u32 {
        let candidate = &mut self.candidates[candidate as usize];
        match candidate.own {
            Route::Column(first) => first,
            _ => {
                (candidate.own, candidate.is_declared) = (Route::Column(idx), true);
                idx
            }
        }
    }

    /// Takes back what a field has in this row.
    pub(super) fn forget(&mut self, candidate: u32) -> Route {
        self.waiting.retain(|(known, _)| *known != candidate);
        self.candidates[candidate as usize].own
    }
}
