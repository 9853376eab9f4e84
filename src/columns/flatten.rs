//! Records into columns: each field's value goes straight to the column of its path.

use super::batch::{Batch, ColumnData};
use super::bounds::{check_cells, check_fields, RowBound};
use super::builder::ColumnBuilder;
use super::field_tree::{FieldId, FieldTree, Objects, Route, META_ROOT, NONE, RECORD_ROOT};
use super::form::Form;
use super::left_out::{place_of, LeftOut};
use super::names::{self, NameSet};
use super::plan::RowPlan;
use super::reading::{self, Read};
use super::records::{meta_start, RecordGroup};
use super::source::{deleted_source, row_source, set_source, ColumnSource, DELETED, SET};
use super::types::{Column, ColumnType, TableSchema};
use crate::document::{ArrayIter, Node, ObjectIter, View};
use crate::spec::{ColumnReading, FieldCondition, ParamValue};
use crate::{Error, Result};
use std::collections::HashMap;

/// The most columns of a table.
const MAX_COLUMNS: usize = 10_000;

/// The place of records that are left out, as that of a field.
const SKIPPED: u64 = u64::MAX;

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

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Row,
    /// A row that says that it is gone at the source.
    Gone,
    LeftOut,
}

impl RowPlan {
    /// Returns what becomes of a record.
    #[inline]
    pub(super) fn fate_of(&self, record: Node<'_>) -> Fate {
        let is_so = |condition: &Option<FieldCondition>| condition.as_ref().is_some_and(|condition| condition.matches(record));
        let is_deleted = is_so(&self.deleted_when);
        match is_so(&self.skip_when) || (is_deleted && !self.marks_deleted) {
            true => Fate::LeftOut,
            false if is_deleted => Fate::Gone,
            false => Fate::Row,
        }
    }
}

/// The conversion of one page.
pub(super) struct Flattener<'p, 'd> {
    plan: &'p RowPlan,
    tree: FieldTree,
    schema: TableSchema,
    builders: Vec<ColumnBuilder>,
    /// Filled when the first name is needed.
    names: Option<NameSet>,
    /// Declared columns without a source, by folded name, until a field of that name turns up.
    unbound: HashMap<String, u32>,
    /// The other columns that take the values of a column's field.
    sharing: HashMap<u32, Vec<u32>>,
    meta_fields: Vec<FieldId>,
    params: Vec<(u32, View<'d>)>,
    left_out: LeftOut,
    /// What is done with the values of each column; empty where nothing is with any.
    readings: Vec<Option<&'p ColumnReading>>,
    n_records: usize,
    row_idx: usize,
    n_rows: usize,
    bound: RowBound,
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
    /// Starts with the columns of `schema`, with capacity for `n_rows`.
    pub(super) fn new(plan: &'p RowPlan, schema: &TableSchema, n_rows: usize) -> Flattener<'p, 'd> {
        let mut tree = FieldTree::new();
        let mut unbound = HashMap::new();
        for (idx, column) in schema.columns.iter().enumerate() {
            let (root, keys) = match &column.source {
                ColumnSource::Param(_) | ColumnSource::Again { .. } => continue,
                ColumnSource::Named(name) => {
                    unbound.insert(name.to_lowercase(), idx as u32);
                    continue;
                }
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
        let schema = schema.clone();
        let mut flattener = Flattener {
            plan,
            tree,
            schema,
            builders,
            names: None,
            unbound,
            sharing: HashMap::new(),
            meta_fields,
            params: Vec::new(),
            left_out: LeftOut::default(),
            readings,
            n_records: 0,
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
    fn share(&mut self, id: FieldId, idx: u32) {
        let field = self.tree.field_mut(id);
        field.objects = Objects::Whole;
        match field.route {
            Route::Column(first) => self.sharing.entry(first).or_default().push(idx),
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
                return Ok(());
            }
            Fate::Gone => self.mark_row()?,
            Fate::Row => {}
        }
        self.push_record(record, meta_values)
    }

    /// Marks the next row as gone.
    fn mark_row(&mut self) -> Result<()> {
        let idx = self.deleted_column()?;
        self.builders[idx as usize].push(self.row_idx, View::Boolean(true))
    }

    /// Appends the records of a list, with what is copied from the record it is in, whose row has this number. Where the children of that
    /// record are to be replaced, a marked row says so.
    pub(super) fn push_list(&mut self, list: Option<Node<'d>>, above: Vec<Option<Node<'d>>>, number: i64) -> Result<()> {
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
        match list.map(|list| (list, list.view())) {
            None | Some((_, View::Null)) => Ok(()),
            Some((_, View::Array(mut records))) => records.try_for_each(|record| self.push_kept(record, &meta_values)),
            Some((list, _)) => self.push_kept(list, &meta_values),
        }
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
                MetaValue::OfRecord(keys) => match record.and_then(|record| record.at(keys)) {
                    Some(node) => self.push_value(id, node)?,
                    None => self.push_missing(id)?,
                },
            }
        }
        Ok(())
    }

    fn push_record(&mut self, record: Node<'d>, meta_values: &[MetaValue<'p, 'd>]) -> Result<()> {
        self.push_above(Some(record), meta_values)?;
        match record.view() {
            View::Object(entries) => self.push_entries(RECORD_ROOT, entries)?,
            View::Null => {}
            _ => {
                if let Some(id) = self.entry(RECORD_ROOT, NONE, VALUE)? {
                    self.push_value(id, record)?;
                }
            }
        }
        self.row_idx += 1;
        self.bound.check(self.row_idx, &self.builders)
    }

    fn push_entries(&mut self, parent: FieldId, entries: impl Iterator<Item = (&'d str, Node<'d>)>) -> Result<()> {
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
    fn entry(&mut self, parent: FieldId, previous: FieldId, key: &str) -> Result<Option<FieldId>> {
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

    /// Decides about a new field what does not depend on its values.
    fn prepare(&mut self, id: FieldId) {
        if self.tree.root_of(id) == META_ROOT {
            return;
        }
        if self.tree.field(id).depth > self.plan.levels {
            self.tree.field_mut(id).objects = Objects::Whole;
        }
        if self.unbound.is_empty() || matches!(self.tree.field(id).route, Route::Skipped { .. }) {
            return;
        }
        let flattened = names::flattened(&self.tree.keys(id));
        if let Route::Column(first) = self.tree.field(id).route {
            // A declared column that is called as the source of another one is takes its values as well.
            if self.plan.declares(&self.schema.columns[first as usize].source) {
                if let Some(idx) = self.unbound.remove(&flattened.to_lowercase()) {
                    self.share(id, idx);
                }
            }
            return;
        }
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
            (View::Array(elements), _) if !field.children.is_empty() && self.plan.has_positions() => {
                self.push_positions(id, elements.clone())?;
                self.push_leaf(id, View::Array(elements))
            }
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

    /// Pushes the elements of a list whose positions the spec declares.
    fn push_positions(&mut self, id: FieldId, elements: ArrayIter<'d>) -> Result<()> {
        for child in self.tree.field(id).children.clone() {
            if !self.plan.declares_position(&self.tree.keys(child)) {
                continue;
            }
            let position = self.tree.field(child).key.parse::<usize>().ok();
            if let Some(element) = position.and_then(|position| elements.clone().nth(position)) {
                self.push_value(child, element)?;
            }
        }
        Ok(())
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
        if !self.sharing.is_empty() {
            let n_others = self.sharing.get(&(idx as u32)).map_or(0, Vec::len);
            for position in 0..n_others {
                self.push_column(self.sharing[&(idx as u32)][position] as usize, view.clone())?;
            }
        }
        self.push_column(idx, view)
    }

    #[inline]
    fn push_column(&mut self, idx: usize, view: View<'_>) -> Result<()> {
        match self.readings.get(idx) {
            Some(Some(reading)) => self.push_read(idx, reading, &view),
            _ => self.push_into(idx, view),
        }
    }

    /// Pushes a value as the spec says that the column's values are written.
    fn push_read(&mut self, idx: usize, reading: &ColumnReading, view: &View<'_>) -> Result<()> {
        let column_type = self.schema.columns[idx].column_type;
        match reading::read(reading, column_type, view) {
            Read::AsItIs => self.push_into(idx, view.clone()),
            Read::Null => self.push_into(idx, View::Null),
            Read::Text(text) => self.push_into(idx, View::Text(&text)),
            Read::Misfit => {
                let format = reading.moment.as_ref().map_or("", |format| format.as_text());
                let (name, row, kind) = (&self.schema.columns[idx].name, self.row_idx + 1, view.kind());
                Err(Error::data(format!("column '{name}', row {row} of the page: found {kind} that is not written as '{format}'")))
            }
        }
    }

    #[inline]
    fn push_into(&mut self, idx: usize, view: View<'_>) -> Result<()> {
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
            "column '{name}', row {row} of the page: found {kind} that is not a {type_name}, the type the spec declares; declare a wider type"
        ))
    }

    /// Gives a field its column, unless it is not selected.
    #[cold]
    fn decide(&mut self, id: FieldId) -> Result<Route> {
        let keys = self.tree.keys(id);
        let flattened = names::flattened(&keys);
        let (name, source) = if self.tree.root_of(id) == META_ROOT {
            (self.plan.column_name(&flattened), ColumnSource::Meta(keys))
        } else if self.plan.selects(&flattened) {
            (self.plan.column_name(&flattened), ColumnSource::Record(keys))
        } else {
            let route = Route::Skipped { place: place_of(&keys) };
            self.tree.field_mut(id).route = route;
            return Ok(route);
        };
        let route = Route::Column(self.add_column(&name, source)?);
        self.tree.field_mut(id).route = route;
        Ok(route)
    }

    fn add_column(&mut self, name: &str, source: ColumnSource) -> Result<u32> {
        let idx = self.schema.columns.len();
        if idx >= MAX_COLUMNS {
            return Err(Error::data(format!("more than {MAX_COLUMNS} columns; set 'nested: json' or 'select' in the table's spec")));
        }
        check_cells(self.n_rows, idx + 1, self.plan.most_bytes)?;
        let columns = &self.schema.columns;
        let names = self.names.get_or_insert_with(|| NameSet::of(columns.iter().map(|column| column.name.as_str())));
        let column = Column { name: names.take(name), source, column_type: ColumnType::Undecided, declared: false, form: Form::default() };
        self.builders.push(ColumnBuilder::new(&column, self.n_rows, self.plan.has_nanoseconds));
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
            let others = self.sharing.get(&idx).into_iter().flatten();
            for idx in others.chain([&idx]) {
                self.builders[*idx as usize].forget_from(self.row_idx);
            }
        }
        for child in children {
            self.forget_row(child);
        }
    }
}
