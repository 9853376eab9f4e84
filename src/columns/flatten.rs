//! Records into columns: each field's value goes straight to the column of its path.

use super::batch::{Batch, ColumnData};
use super::builder::ColumnBuilder;
use super::field_tree::{FieldId, FieldTree, Objects, Route, META_ROOT, NONE, RECORD_ROOT};
use super::left_out::{place_of, LeftOut};
use super::names::{self, NameSet};
use super::plan::RowPlan;
use super::records::{meta_start, RecordGroup};
use super::schema::{meta_source, param_source, record_source, Source};
use super::types::{Column, ColumnType, TableSchema};
use crate::json::{Node, ObjectIter, View};
use crate::spec::ParamValue;
use crate::{Error, Result};
use std::collections::HashMap;

/// The most columns of a table.
const MAX_COLUMNS: usize = 10_000;

/// The most cells of a page.
const MAX_CELLS: usize = 1 << 28;

/// What a record that is no object is called.
const VALUE: &str = "value";

/// The records of a page as rows.
#[derive(Debug, Clone)]
pub struct FlatPage {
    pub batch: Batch,
    /// Hash of the records: equal for equal ones, the fields that become no column included.
    pub fingerprint: u64,
}

/// The conversion of one page.
pub(super) struct Flattener<'p, 'd> {
    plan: &'p RowPlan,
    tree: FieldTree,
    schema: TableSchema,
    builders: Vec<ColumnBuilder<'d>>,
    /// Filled when the first name is needed.
    names: Option<NameSet>,
    /// Declared columns without a source, by folded name, until a field of that name turns up.
    unbound: HashMap<String, u32>,
    meta_fields: Vec<FieldId>,
    params: Vec<(u32, View<'d>)>,
    left_out: LeftOut,
    row_idx: usize,
    n_rows: usize,
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
    /// Starts with the columns of `schema`, with room for `n_rows`.
    pub(super) fn new(plan: &'p RowPlan, schema: &TableSchema, n_rows: usize) -> Flattener<'p, 'd> {
        let mut tree = FieldTree::new();
        let mut unbound = HashMap::new();
        for (idx, column) in schema.columns.iter().enumerate() {
            let (root, keys) = match Source::of(&column.source) {
                Source::Param => continue,
                Source::Named(name) => {
                    unbound.insert(name.to_lowercase(), idx as u32);
                    continue;
                }
                Source::Meta(keys) => (META_ROOT, keys),
                Source::Record(keys) => (RECORD_ROOT, keys),
            };
            let id = tree.insert(root, &keys);
            let field = tree.field_mut(id);
            field.route = Route::Column(idx as u32);
            if plan.declares(&column.source) {
                field.objects = Objects::Whole;
            }
        }
        let meta_fields = plan.meta_paths.iter().map(|path| tree.insert(META_ROOT, path)).collect();
        let builders = schema.columns.iter().map(|column| ColumnBuilder::new(column, n_rows)).collect();
        let schema = schema.clone();
        let mut flattener = Flattener {
            plan,
            tree,
            schema,
            builders,
            names: None,
            unbound,
            meta_fields,
            params: Vec::new(),
            left_out: LeftOut::default(),
            row_idx: 0,
            n_rows,
        };
        for id in META_ROOT + 1..flattener.tree.fields.len() as FieldId {
            flattener.prepare(id);
        }
        flattener
    }

    /// Sets the values of the copied params, which all rows get.
    pub(super) fn set_params(&mut self, param_values: &'d [ParamValue]) -> Result<()> {
        for (name, value) in self.plan.params.iter().zip(param_values) {
            let source = param_source(name);
            let idx = match self.schema.columns.iter().position(|column| column.source == source) {
                Some(idx) => idx as u32,
                None => self.add_column(&names::flattened(std::slice::from_ref(name)), source)?,
            };
            let view = match value {
                ParamValue::Null => View::Null,
                ParamValue::Boolean(value) => View::Boolean(*value),
                ParamValue::Integer(value) => View::Integer(*value),
                ParamValue::Double(value) => View::Double(*value),
                ParamValue::Text(text) => View::Text(text),
                ParamValue::Template(template) => template.as_literal().map_or(View::Null, View::Text),
            };
            self.params.push((idx, view));
        }
        Ok(())
    }

    /// Appends the records of a group.
    pub(super) fn push_group(&mut self, group: &RecordGroup<'d>) -> Result<()> {
        let meta_values = self.meta_values(group);
        match group.records.view() {
            View::Null => Ok(()),
            View::Array(mut records) => records.try_for_each(|record| self.push_record(record, &meta_values)),
            _ => self.push_record(group.records, &meta_values),
        }
    }

    /// Returns the rows.
    pub(super) fn finish(mut self) -> Result<FlatPage> {
        if self.schema.columns.is_empty() && self.row_idx > 0 {
            self.add_column(VALUE, record_source(vec![VALUE.to_string()]))?;
        }
        let n_rows = self.row_idx;
        let n_cells = n_rows.saturating_mul(self.builders.len());
        if n_cells > MAX_CELLS {
            let n_columns = self.builders.len();
            return Err(Error::data(format!("{n_rows} rows of {n_columns} columns are too many for one page; ask for smaller pages")));
        }
        let mut columns = Vec::with_capacity(self.builders.len());
        for (column, builder) in self.schema.columns.iter_mut().zip(self.builders) {
            let vector = builder.finish(n_rows).map_err(|err| err.within(format_args!("column '{}'", column.name)))?;
            if !column.declared {
                column.column_type = vector.data.column_type();
            }
            columns.push(vector);
        }
        let batch = Batch { schema: self.schema, columns, n_rows };
        let fingerprint = batch.fingerprint().wrapping_add(self.left_out.sum);
        Ok(FlatPage { batch, fingerprint })
    }

    fn meta_values(&self, group: &RecordGroup<'d>) -> Vec<MetaValue<'p, 'd>> {
        let plan = self.plan;
        let value_of = |meta_path: &'p Vec<String>| match meta_start(meta_path, &plan.path, group) {
            None => MetaValue::OfRecord(&meta_path[plan.path.len()..]),
            Some((ancestor, n_common)) if n_common == meta_path.len() => MetaValue::Fields { ancestor, except: &plan.path[n_common] },
            Some((ancestor, n_common)) => MetaValue::Same(ancestor.at(&meta_path[n_common..])),
        };
        plan.meta_paths.iter().map(value_of).collect()
    }

    fn push_record(&mut self, record: Node<'d>, meta_values: &[MetaValue<'p, 'd>]) -> Result<()> {
        for idx in 0..self.params.len() {
            let (column_idx, view) = self.params[idx].clone();
            self.builders[column_idx as usize].push(self.row_idx, view)?;
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
                MetaValue::OfRecord(keys) => match record.at(keys) {
                    Some(node) => self.push_value(id, node)?,
                    None => self.push_missing(id)?,
                },
            }
        }
        match record.view() {
            View::Object(entries) => self.push_entries(RECORD_ROOT, entries)?,
            View::Null => {}
            _ => {
                if let Some(id) = self.entry(RECORD_ROOT, NONE, VALUE) {
                    self.push_value(id, record)?;
                }
            }
        }
        self.row_idx += 1;
        Ok(())
    }

    fn push_entries(&mut self, parent: FieldId, entries: impl Iterator<Item = (&'d str, Node<'d>)>) -> Result<()> {
        let mut previous = NONE;
        for (key, node) in entries {
            let id = match self.tree.predicted(parent, previous, key) {
                Some(id) => id,
                None => match self.entry(parent, previous, key) {
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
    fn entry(&mut self, parent: FieldId, previous: FieldId, key: &str) -> Option<FieldId> {
        if let Some(id) = self.tree.found(parent, previous, key) {
            return Some(id);
        }
        if self.tree.field(parent).objects == Objects::Whole {
            return None;
        }
        let id = self.tree.add(parent, previous, key);
        self.prepare(id);
        Some(id)
    }

    /// Decides about a new field what does not depend on its values.
    fn prepare(&mut self, id: FieldId) {
        if self.tree.root_of(id) == META_ROOT {
            return;
        }
        if self.tree.field(id).depth > self.plan.levels {
            self.tree.field_mut(id).objects = Objects::Whole;
        }
        if self.unbound.is_empty() || self.tree.field(id).route != Route::Unknown {
            return;
        }
        let flattened = names::flattened(&self.tree.keys(id));
        let stripped = self.plan.column_name(&flattened);
        let bound = self.unbound.remove(&stripped.to_lowercase()).or_else(|| self.unbound.remove(&flattened.to_lowercase()));
        if let Some(idx) = bound {
            let field = self.tree.field_mut(id);
            field.route = Route::Column(idx);
            field.objects = Objects::Whole;
        }
    }

    fn push_value(&mut self, id: FieldId, node: Node<'d>) -> Result<()> {
        let field = &mut self.tree.fields[id as usize];
        if field.seen == self.row_idx + 1 {
            self.forget_row(id);
        }
        let field = &mut self.tree.fields[id as usize];
        field.seen = self.row_idx + 1;
        match (node.view(), field.objects) {
            (View::Object(entries), Objects::Flatten) if !entries.is_empty() => self.push_entries(id, entries),
            // An empty object says nothing where others of its place have fields.
            (View::Object(_), Objects::Flatten) if !field.children.is_empty() => Ok(()),
            (View::Object(entries), _) => self.push_whole(id, entries),
            (view, _) => self.push_leaf(id, view),
        }
    }

    fn push_missing(&mut self, id: FieldId) -> Result<()> {
        if self.tree.field(id).children.is_empty() {
            self.push_leaf(id, View::Null)?;
        }
        Ok(())
    }

    /// Pushes an object as JSON, and those of its fields that are columns besides.
    fn push_whole(&mut self, id: FieldId, entries: ObjectIter<'d>) -> Result<()> {
        self.push_leaf(id, View::Object(entries.clone()))?;
        if self.tree.field(id).children.is_empty() {
            return Ok(());
        }
        self.push_entries(id, entries)
    }

    #[inline]
    fn push_leaf(&mut self, id: FieldId, view: View<'d>) -> Result<()> {
        let route = match self.tree.fields[id as usize].route {
            Route::Unknown => self.decide(id)?,
            known => known,
        };
        let idx = match route {
            Route::Column(idx) => idx as usize,
            Route::Skipped { place } => {
                self.left_out.add(place, self.row_idx, &view);
                return Ok(());
            }
            Route::Unknown => return Err(Error::internal("a field that is neither a column nor left out")),
        };
        let builder = &mut self.builders[idx];
        if builder.declared {
            let kind = view.kind();
            if matches!(builder.data, ColumnData::Date(_)) {
                // The time of a day is left out.
                self.left_out.add(idx as u64, self.row_idx, &view);
            }
            return if builder.push_declared(self.row_idx, &view) { Ok(()) } else { Err(self.misfit(idx, kind)) };
        }
        if self.plan.lists_as_json && matches!(view, View::Array(_)) {
            return builder.push_json(self.row_idx, view);
        }
        builder.push(self.row_idx, view)
    }

    #[cold]
    fn misfit(&self, idx: usize, kind: &str) -> Error {
        let column = &self.schema.columns[idx];
        let (name, row, type_name) = (&column.name, self.row_idx + 1, column.column_type.sql_name());
        Error::data(format!(
            "column '{name}', row {row} of the page: found {kind} that is no {type_name}, the type the spec declares; declare a wider type"
        ))
    }

    /// Gives a field its column, unless it is not selected.
    #[cold]
    fn decide(&mut self, id: FieldId) -> Result<Route> {
        let keys = self.tree.keys(id);
        let flattened = names::flattened(&keys);
        let (name, source) = if self.tree.root_of(id) == META_ROOT {
            (flattened, meta_source(keys))
        } else if self.plan.selects(&flattened) {
            (self.plan.column_name(&flattened), record_source(keys))
        } else {
            let route = Route::Skipped { place: place_of(&keys) };
            self.tree.field_mut(id).route = route;
            return Ok(route);
        };
        let route = Route::Column(self.add_column(&name, source)?);
        self.tree.field_mut(id).route = route;
        Ok(route)
    }

    fn add_column(&mut self, name: &str, source: Vec<String>) -> Result<u32> {
        let idx = self.schema.columns.len();
        if idx >= MAX_COLUMNS {
            return Err(Error::data(format!("more than {MAX_COLUMNS} columns; set 'nested: json' or 'select' in the table's spec")));
        }
        let columns = &self.schema.columns;
        let names = self.names.get_or_insert_with(|| NameSet::of(columns.iter().map(|column| column.name.as_str())));
        let column = Column { name: names.take(name), source, column_type: ColumnType::Undecided, declared: false };
        self.builders.push(ColumnBuilder::new(&column, self.n_rows));
        self.schema.columns.push(column);
        Ok(idx as u32)
    }

    /// Takes back what the row has at a key that comes a second time: of equal keys the last wins.
    #[cold]
    fn forget_row(&mut self, id: FieldId) {
        let field = self.tree.field_mut(id);
        field.seen = 0;
        let children = field.children.clone();
        if let Route::Column(idx) = field.route {
            self.builders[idx as usize].forget_from(self.row_idx);
        }
        for child in children {
            self.forget_row(child);
        }
    }
}
