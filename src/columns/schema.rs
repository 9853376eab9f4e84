//! How a table's columns grow: union with later columns, and what changed from one state to the next.

use super::form::Form;
use super::names::NameSet;
use super::source::{deleted_at_source, deleted_source, set_source, ColumnSource};
use super::types::{Column, ColumnType, TableSchema};
use crate::spec::{ScalarType, DELETED_AT};
use std::collections::HashMap;

/// A difference between two states of a table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaChange {
    /// The later schema's column `idx` is new.
    Added { idx: usize },
    /// The type of the later schema's column `idx` became wider; `form` is that of the values it had before.
    Widened { idx: usize, from: ColumnType, to: ColumnType, form: Form },
}

impl TableSchema {
    /// Returns the name of the column that holds a copied param.
    pub fn param_column(&self, param: &str) -> Option<&str> {
        let is_of = |column: &&Column| matches!(&column.source, ColumnSource::Param(name) if name == param);
        self.columns.iter().find(is_of).map(|column| column.name.as_str())
    }

    /// Returns whether there is a column of that name; names compare without case, as DuckDB's do.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Adds columns of these names that are not there yet. Each takes the field of its flattened name, when one turns up.
    pub fn add_named<'n>(&mut self, names: impl Iterator<Item = &'n String>) {
        for name in names {
            if !self.has_column(name) {
                let (source, column_type) = (ColumnSource::Named(name.clone()), ColumnType::Undecided);
                self.columns.push(Column { name: name.clone(), source, column_type, declared: false, form: Form::default() });
            }
        }
    }

    /// Returns the positions of the columns by their sources.
    pub(super) fn by_source(&self) -> HashMap<&ColumnSource, usize> {
        self.columns.iter().enumerate().map(|(idx, column)| (&column.source, idx)).collect()
    }

    /// Returns the union: this schema's columns in their order, widened to hold the later ones' values, then the columns only
    /// `later` has, renamed where their names are taken. Declared types stay.
    #[must_use]
    pub fn merged(&self, later: &TableSchema) -> TableSchema {
        let by_source = self.by_source();
        let mut names = NameSet::of(self.columns.iter().map(|column| column.name.as_str()));
        let mut merged = self.clone();
        for column in &later.columns {
            let Some(&idx) = by_source.get(&column.source) else {
                let name = names.take(&column.name);
                merged.columns.push(Column { name, ..column.clone() });
                continue;
            };
            let known = &mut merged.columns[idx];
            known.form = known.form.joined(column.form);
            if !known.declared {
                known.column_type = known.column_type.widened_as(column.column_type, known.form);
            }
        }
        merged
    }

    /// Returns what `later` adds and widens. Columns are matched by source.
    pub fn changes_to(&self, later: &TableSchema) -> Vec<SchemaChange> {
        let by_source = self.by_source();
        let mut changes = Vec::new();
        for (idx, column) in later.columns.iter().enumerate() {
            let to = column.column_type;
            match by_source.get(&column.source).map(|&known| &self.columns[known]) {
                None => changes.push(SchemaChange::Added { idx }),
                Some(known) if known.column_type != to => {
                    changes.push(SchemaChange::Widened { idx, from: known.column_type, to, form: known.form });
                }
                Some(_) => {}
            }
        }
        changes
    }

    /// Returns the name of a column whose values, as they are, cannot become those of `later`: a digit would be lost, or their texts would
    /// be others than those that came. `None` when there is none.
    pub fn stuck<'l>(&self, later: &'l TableSchema) -> Option<&'l str> {
        self.changes_to(later).iter().find_map(|change| match *change {
            SchemaChange::Widened { idx, from, to, form } if !form.keeps(from, to) => Some(later.columns[idx].name.as_str()),
            _ => None,
        })
    }

    /// Returns whether each value of `earlier` columns becomes one of these: no column is missing, of a narrower type, or of quite another one.
    pub fn takes(&self, earlier: &TableSchema) -> bool {
        let by_source = self.by_source();
        let has_all = earlier.columns.iter().all(|column| by_source.contains_key(&column.source));
        has_all
            && earlier.changes_to(self).iter().all(|change| match *change {
                SchemaChange::Widened { from, to, .. } => from.widened(to) == to,
                SchemaChange::Added { .. } => true,
            })
    }

    /// Returns the column that marks rows as gone at the source, where such rows came.
    pub fn deleted(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.source == deleted_source())
    }

    /// Returns the column that says since when rows are gone, where gone rows are kept.
    pub fn deleted_at(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.source == deleted_at_source())
    }

    /// Returns the columns with the one that says since when rows are gone.
    #[must_use]
    pub fn with_deleted_at(mut self) -> TableSchema {
        if self.deleted_at().is_none() {
            let name = NameSet::of(self.columns.iter().map(|column| column.name.as_str())).take(DELETED_AT);
            let column_type = ColumnType::Scalar(ScalarType::Timestamp);
            self.columns.push(Column { name, source: deleted_at_source(), column_type, declared: true, form: Form::default() });
        }
        self
    }

    /// Returns the columns as they are when they have rows of `earlier` columns besides.
    #[must_use]
    pub fn with_rows_of(mut self, earlier: &TableSchema) -> TableSchema {
        for column in &mut self.columns {
            if let Some(known) = earlier.columns.iter().find(|known| known.source == column.source) {
                column.form = column.form.joined(known.form);
            }
        }
        self
    }

    /// Returns the column that says which parameter set a row is of, where rows may have to be found again.
    pub fn set_column(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.source == set_source())
    }

    /// Returns the columns without the one that says which parameter set a row is of.
    #[must_use]
    pub fn without_set_column(mut self) -> TableSchema {
        self.columns.retain(|column| column.source != set_source());
        self
    }

    /// Returns the columns for a table to which no row was added yet.
    #[must_use]
    pub fn without_rows(mut self) -> TableSchema {
        self.columns.iter_mut().for_each(|column| column.form = column.form.without_rows());
        self
    }

    /// Returns the columns that saw nothing but null where other rows have an object, whose fields are columns of their own.
    pub fn redundant(&self) -> Vec<usize> {
        let is_object = |source: &ColumnSource| self.columns.iter().any(|other| source.is_above(&other.source));
        let undecided = |column: &Column| column.column_type == ColumnType::Undecided && !column.declared;
        (0..self.columns.len()).filter(|&idx| undecided(&self.columns[idx]) && is_object(&self.columns[idx].source)).collect()
    }
}
