//! How a table's columns grow: union with later columns, and what changed from one state to the next.

use super::names::NameSet;
use super::types::{Column, ColumnType, TableSchema};
use std::collections::HashMap;

/// A difference between two states of a table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaChange {
    /// The later schema's column `idx` is new.
    Added { idx: usize },
    /// The type of the later schema's column `idx` became wider.
    Widened { idx: usize, from: ColumnType, to: ColumnType },
}

/// First elements of sources that are no keys of the record.
const PARAM: &str = "$param";
const META: &str = "$meta";
const COLUMN: &str = "$column";

/// What a column's source means.
pub(super) enum Source<'s> {
    /// A copied param.
    Param,
    /// A declared column that takes the field of its flattened name, wherever that is.
    Named(&'s str),
    /// Keys from the body down.
    Meta(Vec<String>),
    /// Keys from the record down.
    Record(Vec<String>),
}

impl Source<'_> {
    pub(super) fn of(source: &[String]) -> Source<'_> {
        match source {
            [marker, _] if marker == PARAM => Source::Param,
            [marker, name] if marker == COLUMN => Source::Named(name),
            [marker, keys @ ..] if marker == META => Source::Meta(keys.to_vec()),
            [escaped, keys @ ..] if escaped.starts_with('$') && is_marker_like(&escaped[1..]) => {
                Source::Record(std::iter::once(escaped[1..].to_string()).chain(keys.iter().cloned()).collect())
            }
            keys => Source::Record(keys.to_vec()),
        }
    }
}

pub(super) fn param_source(name: &str) -> Vec<String> {
    vec![PARAM.to_string(), name.to_string()]
}

pub(super) fn column_source(name: &str) -> Vec<String> {
    vec![COLUMN.to_string(), name.to_string()]
}

pub(super) fn meta_source(mut keys: Vec<String>) -> Vec<String> {
    keys.insert(0, META.to_string());
    keys
}

/// Returns the keys, the first with one more `$` when it could be taken for a marker.
pub(super) fn record_source(mut keys: Vec<String>) -> Vec<String> {
    if let Some(first) = keys.first_mut().filter(|first| is_marker_like(first)) {
        first.insert(0, '$');
    }
    keys
}

/// Returns whether the key is a marker, or one with more `$` before it.
fn is_marker_like(key: &str) -> bool {
    key.starts_with('$') && [PARAM, META, COLUMN].contains(&&*format!("${}", key.trim_start_matches('$')))
}

impl Column {
    /// Returns where the values come from, for people: keys joined with dots.
    pub fn source_path(&self) -> String {
        match Source::of(&self.source) {
            Source::Param | Source::Named(_) => self.source[1..].join("."),
            Source::Meta(keys) | Source::Record(keys) => keys.join("."),
        }
    }
}

impl TableSchema {
    /// Returns the name of the column that holds a copied param.
    pub fn param_column(&self, param: &str) -> Option<&str> {
        self.columns.iter().find(|column| column.source == param_source(param)).map(|column| column.name.as_str())
    }

    /// Returns the positions of the columns by their sources.
    pub(super) fn by_source(&self) -> HashMap<&[String], usize> {
        self.columns.iter().enumerate().map(|(idx, column)| (column.source.as_slice(), idx)).collect()
    }

    /// Returns the union: this schema's columns in their order, widened to hold the later ones' values, then the columns only
    /// `later` has, renamed where their names are taken. Declared types stay.
    #[must_use]
    pub fn merged(&self, later: &TableSchema) -> TableSchema {
        let by_source = self.by_source();
        let mut names = NameSet::of(self.columns.iter().map(|column| column.name.as_str()));
        let mut merged = self.clone();
        for column in &later.columns {
            let Some(&idx) = by_source.get(column.source.as_slice()) else {
                let name = names.take(&column.name);
                merged.columns.push(Column { name, ..column.clone() });
                continue;
            };
            let known = &mut merged.columns[idx];
            if !known.declared {
                known.column_type = known.column_type.widened(column.column_type);
            }
        }
        merged
    }

    /// Returns what `later` adds and widens. Columns are matched by source.
    pub fn changes_to(&self, later: &TableSchema) -> Vec<SchemaChange> {
        let by_source = self.by_source();
        let mut changes = Vec::new();
        for (idx, column) in later.columns.iter().enumerate() {
            match by_source.get(column.source.as_slice()).map(|&known| self.columns[known].column_type) {
                None => changes.push(SchemaChange::Added { idx }),
                Some(from) if from != column.column_type => changes.push(SchemaChange::Widened { idx, from, to: column.column_type }),
                Some(_) => {}
            }
        }
        changes
    }

    /// Returns the columns that saw nothing but null where other rows have an object, whose fields are columns of their own.
    pub fn redundant(&self) -> Vec<usize> {
        let is_object =
            |source: &[String]| self.columns.iter().any(|other| other.source.len() > source.len() && other.source.starts_with(source));
        let undecided = |column: &Column| column.column_type == ColumnType::Undecided && !column.declared;
        (0..self.columns.len()).filter(|&idx| undecided(&self.columns[idx]) && is_object(&self.columns[idx].source)).collect()
    }
}
