//! What a table's definition says about its rows, prepared once for all pages.

use super::flatten::{FlatPage, Flattener};
use super::names::{self, NameSet};
use super::records::record_groups;
use super::schema::{column_source, param_source};
use super::types::{Column, ColumnType, TableSchema};
use crate::json::Node;
use crate::spec::{ColumnPattern, Nested, ParamValue, TableDef};
use crate::Result;
use std::collections::HashSet;

/// How the pages of one table become rows.
#[derive(Debug, Clone)]
pub struct RowPlan {
    /// The keys from the body to the records.
    pub(super) path: Vec<String>,
    pub(super) meta_paths: Vec<Vec<String>>,
    pub(super) params: Vec<String>,
    pub(super) only_columns: bool,
    /// How many levels of objects are flattened.
    pub(super) levels: usize,
    /// Whether lists are kept as JSON even when their elements are of one type.
    pub(super) lists_as_json: bool,
    select: Vec<ColumnPattern>,
    strip_prefixes: Vec<String>,
    declared: Vec<Column>,
    declared_sources: HashSet<Vec<String>>,
}

impl RowPlan {
    /// Prepares the conversion of a table's pages.
    pub fn new(table_def: &TableDef) -> RowPlan {
        let mut path = table_def.result_body_path.clone();
        if let Some(object_path) = &table_def.result_object_path {
            path.extend(object_path.split('.').map(str::to_string));
        }
        let as_one_object = table_def.result_object_path.is_some();
        let levels = match table_def.nested {
            _ if as_one_object => 0,
            Nested::Flatten => usize::MAX,
            Nested::Json => 0,
            Nested::Depth(levels) => levels,
        };
        let declared: Vec<Column> = table_def
            .columns
            .iter()
            .map(|spec| Column {
                name: spec.name.clone(),
                source: spec.source.clone().unwrap_or_else(|| column_source(&spec.name)),
                column_type: spec.data_type.map_or(ColumnType::Undecided, ColumnType::from),
                declared: spec.data_type.is_some(),
            })
            .collect();
        RowPlan {
            path,
            meta_paths: table_def.result_meta_paths.clone(),
            params: table_def.copy_params_to_output.clone(),
            only_columns: table_def.only_columns,
            levels,
            lists_as_json: as_one_object,
            select: table_def.select.clone(),
            strip_prefixes: table_def.strip_prefixes.clone(),
            declared_sources: declared.iter().map(|column| column.source.clone()).collect(),
            declared,
        }
    }

    /// Returns the columns known before the first page: the copied params, whose types are given in the order of
    /// `copy_params_to_output`, then the declared columns.
    pub fn initial_schema(&self, params: &[(String, ColumnType)]) -> TableSchema {
        let mut names = NameSet::default();
        let mut schema = TableSchema::default();
        for (param, column_type) in params {
            let name = names.take(&names::flattened(std::slice::from_ref(param)));
            schema.columns.push(Column { name, source: param_source(param), column_type: *column_type, declared: false });
        }
        for column in &self.declared {
            let name = names.take(&names::flattened(std::slice::from_ref(&column.name)));
            schema.columns.push(Column { name, ..column.clone() });
        }
        schema
    }

    /// Converts a page.
    ///
    /// `schema` has the table's columns so far; the batch's schema is the same with wider types where needed and new columns at
    /// the end. `param_values` are the values of `copy_params_to_output`, in its order. Fails when the records are not where
    /// the table says, when a value does not fit a declared type, and beyond the limits on columns and text.
    pub fn rows_of<'d>(&self, document: Node<'d>, schema: &TableSchema, param_values: &'d [ParamValue]) -> Result<FlatPage> {
        let groups = record_groups(document, &self.path)?;
        let n_rows = groups.iter().map(|group| group.n_records()).sum();
        let mut flattener = Flattener::new(self, schema, n_rows);
        flattener.set_params(param_values)?;
        for group in &groups {
            flattener.push_group(group)?;
        }
        flattener.finish()
    }

    /// Returns whether the spec asks for this source: then its objects are kept whole.
    pub(super) fn declares(&self, source: &[String]) -> bool {
        self.declared_sources.contains(source)
    }

    /// Returns whether the field of this flattened name becomes a column.
    pub(super) fn selects(&self, flattened: &str) -> bool {
        !self.only_columns && (self.select.is_empty() || self.select.iter().any(|pattern| pattern.matches(flattened)))
    }

    /// Returns the flattened name as the column is called, prefixes removed.
    pub(super) fn column_name(&self, flattened: &str) -> String {
        names::stripped(flattened, &self.strip_prefixes)
    }
}
