//! Records into columns: each field's value goes straight to the column of its path.

use super::batch::Batch;
use super::bounds::{check_fields, RowBound};
use super::builder::ColumnBuilder;
use super::fate::Fate;
use super::field_tree::{FieldId, FieldTree, Objects, Route, META_ROOT, NONE, RECORD_ROOT};
use super::left_out::{place_of, LeftOut};
use super::named::NamedColumns;
use super::names::{self, NameSet};
use super::plan::RowPlan;
use super::records::{meta_start, RecordGroup};
use super::source::{deleted_source, row_source, set_source, ColumnSource, DELETED, SET};
use super::types::TableSchema;
use crate::document::{Node, View};
use crate::spec::{ColumnReading, ParamValue};
use crate::Result;
use std::collections::HashMap;

/// The place of records that are left out, as that of a field.
const SKIPPED: u64 = u64::MAX;
/// The place of a record that says that a row is gone.
const GONE: u64 = u64::MAX - 1;

/// What a record that is not an object is called.
const VALUE: &str = "value";

/// The records of a page as rows.
#[derive(Debug, Clone)]
pub struct FlatPage {
    pub batch: Batch,
    /// How many records there were, those included that are left out.
    pub n_records: usize,
    /// Hash of the records: equal for equal ones, the fields that become no column included.
    pub fingerprint: u64,
}

/// What a conversion came to.
pub(super) enum Flattened {
    Page(FlatPage),
    /// Values were converted to a type from which their texts cannot be told; converted with these columns, they are texts at once.
    Again(TableSchema),
}

/// The conversion of one page.
pub(super) struct Flattener<'p, 'd> {
    pub(super) plan: &'p RowPlan,
    pub(super) tree: FieldTree,
    pub(super) schema: TableSchema,
    pub(super) builders: Vec<ColumnBuilder>,
    /// Filled when the first name is needed.
    pub(super) names: Option<NameSet>,
    pub(super) named: NamedColumns<'d>,
    /// The other columns that take the values of a column's field.
    pub(super) sharing: HashMap<u32, Vec<u32>>,
    pub(super) meta_fields: Vec<FieldId>,
    pub(super) params: Vec<(u32, View<'d>)>,
    pub(super) left_out: LeftOut,
    /// What is done with the values of each column; empty where nothing is with any.
    pub(super) readings: Vec<Option<&'p ColumnReading>>,
    pub(super) n_records: usize,
    /// The record of the row.
    pub(super) record: Option<Node<'d>>,
    pub(super) row_idx: usize,
    pub(super) n_rows: usize,
    pub(super) bound: RowBound,
}

/// A value from above the records, for all records of a group.
enum MetaValue<'p, 'd> {
    Same(Option<Node<'d>>),
    /// The fields of an ancestor, without the one that leads to the records.
    Fields {
        ancestor: Node<'d>,
        except: &'p str,
    },
    OfRecord(&'p [String]),
}

impl<'p, 'd> Flattener<'p, 'd> {
    /// Starts with the columns of `schema`, with capacity for `n_rows`. `waits` is whether values of columns that name no source wait for the
    /// end of their row.
    pub(super) fn new(plan: &'p RowPlan, schema: &TableSchema, n_rows: usize, waits: bool) -> Flattener<'p, 'd> {
        let mut tree = FieldTree::new();
        for (idx, column) in schema.columns.iter().enumerate() {
            let (root, keys) = match &column.source {
                ColumnSource::Param(_) | ColumnSource::Again { .. } | ColumnSource::Named(_) => continue,
                ColumnSource::Meta(keys) => (META_ROOT, keys),
                ColumnSource::Record(keys) => (RECORD_ROOT, keys),
            };
            let id = tree.insert(root, keys);
            let field = tree.field_mut(id);
            field.route = Route::Column(idx as u32);
            if plan.declares(&column.source) {
                field.objects = Objects::Whole;
            }
        }
        for path in &plan.lists {
            let id = tree.insert(RECORD_ROOT, path);
            let field = tree.field_mut(id);
            field.objects = Objects::Whole;
            if field.route == Route::Unknown {
                field.route = Route::Skipped { place: place_of(path) };
            }
        }
        let meta_fields = plan.meta_paths.iter().map(|path| tree.insert(META_ROOT, path)).collect();
        let builders = schema.columns.iter().map(|column| ColumnBuilder::new(column, n_rows, plan.has_nanoseconds)).collect();
        let readings = match plan.readings.is_empty() {
            true => Vec::new(),
            false => schema.columns.iter().map(|column| plan.readings.get(&column.source)).collect(),
        };
        let (schema, named) = (schema.clone(), NamedColumns::of(schema, waits));
        let mut flattener = Flattener {
            plan,
            tree,
            schema,
            builders,
            names: None,
            named,
            sharing: HashMap::new(),
            meta_fields,
            params: Vec::new(),
            left_out: LeftOut::default(),
            readings,
            n_records: 0,
            record: None,
            row_idx: 0,
            n_rows,
            bound: RowBound::new(plan.most_bytes),
        };
        for id in META_ROOT + 1..flattener.tree.fields.len() as FieldId {
            flattener.prepare(id);
        }
        flattener.share_sources();
        flattener
    }

    /// Gives the values of fields to the columns that have them as their source once more.
    fn share_sources(&mut self) {
        for idx in 0..self.schema.columns.len() {
            if let ColumnSource::Again { keys, .. } = &self.schema.columns[idx].source {
                let id = self.tree.insert(RECORD_ROOT, keys);
                self.share(id, idx as u32);
            }
        }
    }

    /// Gives the values of a field to one more column.
    pub(super) fn share(&mut self, id: FieldId, idx: u32) {
        let field = self.tree.field_mut(id);
        field.objects = Objects::Whole;
        match field.route {
            Route::Column(first) => self.sharing.entry(first).or_default().push(idx),
            Route::Waiting(candidate) => {
                let first = self.named.shared_of(candidate, idx);
                if first != idx {
                    self.sharing.entry(first).or_default().push(idx);
                }
            }
            Route::Unknown | Route::Skipped { .. } => field.route = Route::Column(idx),
        }
    }

    /// Sets the values of the copied params, which all rows get.
    pub(super) fn set_params(&mut self, param_values: &'d [ParamValue]) -> Result<()> {
        let named = |name: &String| (names::flattened(std::slice::from_ref(name)), ColumnSource::Param(name.clone()));
        let of_set = self.plan.marks_sets.then(|| (SET.to_string(), set_source()));
        let columns: Vec<(String, ColumnSource)> = self.plan.params.iter().map(named).chain(of_set).collect();
        for ((name, source), value) in columns.into_iter().zip(param_values) {
            let idx = match self.schema.columns.iter().position(|column| column.source == source) {
                Some(idx) => idx as u32,
                None => self.add_column(&name, source)?,
            };
            let view = match value {
                ParamValue::Null => View::Null,
                ParamValue::Boolean(value) => View::Boolean(*value),
                ParamValue::Integer(value) => View::Integer(*value),
                ParamValue::Double(value) => View::Double(*value),
                ParamValue::Text(text) | ParamValue::Raw(text) => View::Text(text),
                ParamValue::Template(template) => template.as_literal().map_or(View::Null, View::Text),
                // Many values are copied as one text.
                ParamValue::Many { .. } => View::Null,
            };
            self.params.push((idx, view));
        }
        Ok(())
    }

    /// Appends the records of a group.
    pub(super) fn push_group(&mut self, group: &RecordGroup<'d>) -> Result<()> {
        let meta_values = self.meta_values(group);
        if !meta_values.is_empty() {
            // Their values may be long, and each row has them.
            self.bound.expect_other_rows(self.row_idx, &self.builders)?;
        }
        match group.records.view() {
            View::Null => Ok(()),
            View::Array(mut records) => records.try_for_each(|record| self.push_kept(record, &meta_values)),
            _ => self.push_kept(group.records, &meta_values),
        }
    }

    /// Returns the rows, or the columns with which to begin again.
    pub(super) fn finish(mut self) -> Result<Flattened> {
        if self.builders.iter().any(|builder| builder.is_lossy) {
            return Ok(Flattened::Again(self.wider()));
        }
        if self.schema.columns.is_empty() && self.row_idx > 0 {
            self.add_column(VALUE, ColumnSource::Record(vec![VALUE.to_string()]))?;
        }
        let n_rows = self.row_idx;
        let mut columns = Vec::with_capacity(self.builders.len());
        for (column, builder) in self.schema.columns.iter_mut().zip(self.builders) {
            let form = builder.form;
            let vector = builder.finish(n_rows).map_err(|err| err.within(format_args!("column '{}'", column.name)))?;
            column.form = form;
            if !column.declared {
                column.column_type = vector.data.column_type();
            }
            columns.push(vector);
        }
        let batch = Batch { schema: self.schema, columns, n_rows };
        let fingerprint = batch.fingerprint().wrapping_add(self.left_out.sum);
        Ok(Flattened::Page(FlatPage { batch, n_records: self.n_records, fingerprint }))
    }

    /// Returns the columns, those that lost texts with the type they came to.
    fn wider(self) -> TableSchema {
        let mut schema = self.schema;
        for (column, builder) in schema.columns.iter_mut().zip(&self.builders) {
            if builder.is_lossy {
                column.column_type = builder.data.column_type();
            }
        }
        schema
    }

    fn meta_values(&self, group: &RecordGroup<'d>) -> Vec<MetaValue<'p, 'd>> {
        let plan = self.plan;
        let value_of = |meta_path: &'p Vec<String>| match meta_start(meta_path, &plan.path.keys, group) {
            None => MetaValue::OfRecord(&meta_path[plan.path.keys.len()..]),
            Some((ancestor, n_common)) if n_common == meta_path.len() => MetaValue::Fields { ancestor, except: &plan.path.keys[n_common] },
            Some((ancestor, n_common)) => MetaValue::Same(ancestor.at(&meta_path[n_common..])),
        };
        plan.meta_paths.iter().map(value_of).collect()
    }

    /// Appends a record, unless the spec leaves it out.
    fn push_kept(&mut self, record: Node<'d>, meta_values: &[MetaValue<'p, 'd>]) -> Result<()> {
        self.n_records += 1;
        match self.plan.fate_of(record) {
            Fate::LeftOut => {
                self.left_out.add(SKIPPED, self.n_records, &record.view());
                Ok(())
            }
            Fate::Gone => {
                self.left_out.add(GONE, self.n_records, &record.view());
                self.mark_row()?;
                self.push_record(record, meta_values, true)
            }
            Fate::Row => self.push_record(record, meta_values, false),
        }
    }

    /// Marks the next row as gone.
    fn mark_row(&mut self) -> Result<()> {
        let idx = self.deleted_column()?;
        self.builders[idx as usize].push(self.row_idx, View::Boolean(true))
    }

    /// Appends the records of lists, with what is copied from the record they are in, whose row has this number. Where the children of that
    /// record are to be replaced, a marked row says so.
    pub(super) fn push_lists(&mut self, lists: &[Node<'d>], above: Vec<Option<Node<'d>>>, number: i64) -> Result<()> {
        let source = row_source();
        if let Some(idx) = self.schema.columns.iter().position(|column| column.source == source) {
            self.params.retain(|(known, _)| *known as usize != idx);
            self.params.push((idx as u32, View::Integer(i128::from(number))));
        }
        let meta_values: Vec<MetaValue<'p, 'd>> = above.into_iter().map(MetaValue::Same).collect();
        if self.plan.marks_parents {
            self.push_above(None, &meta_values)?;
            self.mark_row()?;
            self.row_idx += 1;
            self.bound.check(self.row_idx, &self.builders)?;
        }
        lists.iter().try_for_each(|list| match list.view() {
            View::Null => Ok(()),
            View::Array(mut records) => records.try_for_each(|record| self.push_kept(record, &meta_values)),
            _ => self.push_kept(*list, &meta_values),
        })
    }

    /// Returns the column that marks rows as gone.
    fn deleted_column(&mut self) -> Result<u32> {
        let source = deleted_source();
        match self.schema.columns.iter().position(|column| column.source == source) {
            Some(idx) => Ok(idx as u32),
            None => self.add_column(DELETED, source),
        }
    }

    /// Pushes what a row has from above its record.
    #[inline]
    fn push_above(&mut self, record: Option<Node<'d>>, meta_values: &[MetaValue<'p, 'd>]) -> Result<()> {
        for idx in 0..self.params.len() {
            let (column_idx, view) = self.params[idx].clone();
            self.push_column(column_idx as usize, view)?;
        }
        for (idx, meta_value) in meta_values.iter().enumerate() {
            let id = self.meta_fields[idx];
            match meta_value {
                MetaValue::Same(Some(node)) => self.push_value(id, *node)?,
                MetaValue::Same(None) => self.push_missing(id)?,
                MetaValue::Fields { ancestor, except } => {
                    if let View::Object(entries) = ancestor.view() {
                        self.push_entries(id, entries.filter(|(key, _)| key != except))?;
                    }
                }
                MetaValue::OfRecord(keys) => match record.and_then(|record| record.at(keys)) {
                    Some(node) => self.push_value(id, node)?,
                    None => self.push_missing(id)?,
                },
            }
        }
        Ok(())
    }

    /// Appends a record: of one that `is_gone` the fields that tell its row. Others may be of other types than those of rows.
    fn push_record(&mut self, record: Node<'d>, meta_values: &[MetaValue<'p, 'd>], is_gone: bool) -> Result<()> {
        self.record = Some(record);
        self.push_above(Some(record), meta_values)?;
        match record.view() {
            View::Object(entries) if is_gone => {
                let plan = self.plan;
                self.push_entries(RECORD_ROOT, entries.filter(|(key, _)| plan.tells_row(key)))?;
            }
            View::Object(entries) => self.push_entries(RECORD_ROOT, entries)?,
            View::Null => {}
            _ => {
                if let Some(id) = self.entry(RECORD_ROOT, NONE, VALUE)? {
                    self.push_value(id, record)?;
                }
            }
        }
        self.settle()?;
        self.row_idx += 1;
        self.bound.check(self.row_idx, &self.builders)
    }

    pub(super) fn push_entries(&mut self, parent: FieldId, entries: impl Iterator<Item = (&'d str, Node<'d>)>) -> Result<()> {
        let mut previous = NONE;
        for (key, node) in entries {
            let id = match self.tree.predicted(parent, previous, key) {
                Some(id) => id,
                None => match self.entry(parent, previous, key)? {
                    Some(id) => id,
                    None => continue,
                },
            };
            previous = id;
            self.push_value(id, node)?;
        }
        Ok(())
    }

    /// Returns the field of that key, added if need be; none below an object that is kept whole.
    pub(super) fn entry(&mut self, parent: FieldId, previous: FieldId, key: &str) -> Result<Option<FieldId>> {
        if let Some(id) = self.tree.found(parent, previous, key) {
            return Ok(Some(id));
        }
        if self.tree.field(parent).objects == Objects::Whole {
            return Ok(None);
        }
        check_fields(self.tree.fields.len(), self.plan.most_bytes)?;
        let id = self.tree.add(parent, previous, key);
        self.prepare(id);
        Ok(Some(id))
    }
}
