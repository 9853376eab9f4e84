//! The pages of a table as rows.

use super::bounds::check_cells;
use super::flatten::FlatPage;
use super::left_out::record_hash;
use super::passes::flattened;
use super::plan::RowPlan;
use super::records::{record_groups, RecordGroup};
use super::shape::{field_names, shaped, Place, Shaped};
use super::tree::{unfolded, Entries, Unfolded};
use super::types::TableSchema;
use crate::document::{Node, View};
use crate::spec::{ParamValue, RecordForm};
use crate::Result;

impl RowPlan {
    /// Converts a page.
    ///
    /// `schema` has the table's columns so far; the batch's schema is the same with wider types where needed and new columns at
    /// the end. `param_values` are the values of `copy_params_to_output`, in its order. Fails when the records are not where
    /// the table says, when a value does not fit a declared type, and beyond the limits on columns and text.
    pub fn rows_of(&self, document: Node<'_>, schema: &TableSchema, param_values: &[ParamValue]) -> Result<FlatPage> {
        self.with_groups(document, |groups| self.rows_of_groups(groups, schema, param_values))
    }

    /// Converts a page without its last record, as [`RowPlan::rows_of`] does.
    pub fn rows_but_last(&self, document: Node<'_>, schema: &TableSchema, param_values: &[ParamValue]) -> Result<FlatPage> {
        self.with_groups(document, |groups| {
            let Some(idx) = groups.iter().rposition(|group| group.n_records() > 0) else {
                return self.rows_of_groups(groups, schema, param_values);
            };
            let (last, before) = (&groups[idx], &groups[..idx]);
            let mut kept: Vec<Node<'_>> = match last.records.view() {
                View::Array(records) => records.collect(),
                _ => Vec::new(),
            };
            kept.pop();
            let rest = RecordGroup { records: Node::of_elements(&kept), ..last.clone() };
            let groups: Vec<RecordGroup<'_>> = before.iter().cloned().chain([rest]).collect();
            self.rows_of_groups(&groups, schema, param_values)
        })
    }

    /// Returns the records of a document, or the only one; `None` where the path leads to several lists, and where their form says what they are.
    pub fn records_of<'d>(&self, document: Node<'d>) -> Result<Option<Node<'d>>> {
        if self.form != RecordForm::Plain || self.tree.is_some() || self.path.is_object {
            return Ok(None);
        }
        Ok(match record_groups(document, &self.path)?.as_slice() {
            [group] => Some(group.records),
            _ => None,
        })
    }

    /// Finds the records of a document, as objects whatever their form.
    pub(super) fn with_groups<T>(&self, document: Node<'_>, work: impl FnOnce(&[RecordGroup<'_>]) -> Result<T>) -> Result<T> {
        let groups = record_groups(document, &self.path)?;
        let Some(tree) = &self.tree else { return self.with_shaped(document, &groups, work) };
        let unfolded: Vec<Unfolded<'_>> = groups.iter().map(|group| unfolded(tree, group, self.most_bytes)).collect::<Result<_>>()?;
        let entries: Vec<Vec<Entries<'_>>> = unfolded.iter().map(|unfolded| unfolded.entries(tree)).collect::<Result<_>>()?;
        let records: Vec<Vec<Node<'_>>> =
            entries.iter().map(|records| records.iter().map(|entries| Node::of_entries(entries)).collect()).collect();
        let of_records = groups.iter().zip(&records);
        let groups: Vec<RecordGroup<'_>> =
            of_records.map(|(group, records)| RecordGroup { records: Node::of_elements(records), ..group.clone() }).collect();
        self.with_shaped(document, &groups, work)
    }

    /// Makes objects of the records of groups, whatever their form.
    fn with_shaped<T>(
        &self,
        document: Node<'_>,
        groups: &[RecordGroup<'_>],
        work: impl FnOnce(&[RecordGroup<'_>]) -> Result<T>,
    ) -> Result<T> {
        if self.form == RecordForm::Plain {
            return work(groups);
        }
        let names = field_names(&self.form, document, groups)?;
        let place = Place { names: &names, keys: &self.path.keys };
        let shaped: Vec<Shaped<'_>> =
            groups.iter().map(|group| shaped(&self.form, group, place, self.most_bytes)).collect::<Result<_>>()?;
        let records: Vec<Vec<Node<'_>>> = shaped.iter().map(Shaped::nodes).collect();
        let of_objects = groups.iter().zip(&records);
        let groups: Vec<RecordGroup<'_>> =
            of_objects.map(|(group, records)| RecordGroup { records: Node::of_elements(records), ..group.clone() }).collect();
        work(&groups)
    }

    fn rows_of_groups(&self, groups: &[RecordGroup<'_>], schema: &TableSchema, param_values: &[ParamValue]) -> Result<FlatPage> {
        let n_rows = groups.iter().map(|group| group.n_records()).sum();
        check_cells(n_rows, schema.columns.len(), self.most_bytes)?;
        flattened(self, schema, n_rows, |flattener| {
            flattener.set_params(param_values)?;
            groups.iter().try_for_each(|group| flattener.push_group(group))
        })
    }

    /// Calls `look` with the last record of a document, if it has one.
    pub fn with_last_record<T>(&self, document: Node<'_>, look: impl FnOnce(Option<Node<'_>>) -> Result<T>) -> Result<T> {
        self.with_groups(document, |groups| look(groups.iter().rev().find_map(last_of)))
    }

    /// Returns the hash of each record of a document: equal for equal records, whatever of them becomes a column.
    pub fn record_hashes(&self, document: Node<'_>) -> Result<Vec<u64>> {
        let hashes_of = |group: &RecordGroup<'_>| match group.records.view() {
            View::Null => Vec::new(),
            View::Array(records) => records.map(|record| record_hash(&record.view())).collect(),
            view => vec![record_hash(&view)],
        };
        self.with_groups(document, |groups| Ok(groups.iter().flat_map(hashes_of).collect()))
    }
}

/// Returns the last record of a group, if it has one.
fn last_of<'d>(group: &RecordGroup<'d>) -> Option<Node<'d>> {
    match group.records.view() {
        View::Null => None,
        View::Array(records) => records.last(),
        _ => Some(group.records),
    }
}
