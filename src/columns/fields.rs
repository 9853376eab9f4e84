//! The value of a field into its column.

use super::batch::ColumnData;
use super::bounds::check_cells;
use super::builder::ColumnBuilder;
use super::field_tree::{FieldId, Objects, Route, META_ROOT};
use super::flatten::Flattener;
use super::form::Form;
use super::left_out::place_of;
use super::names::{self, NameSet};
use super::reading::{self, Read};
use super::source::ColumnSource;
use super::types::{Column, ColumnType};
use crate::document::{ArrayIter, Node, ObjectIter, View};
use crate::spec::ColumnReading;
use crate::{Error, Result};

/// The most columns of a table.
const MAX_COLUMNS: usize = 10_000;

impl<'d> Flattener<'_, 'd> {
    /// Decides about a new field what does not depend on its values.
    pub(super) fn prepare(&mut self, id: FieldId) {
        if self.tree.root_of(id) == META_ROOT {
            return;
        }
        if self.tree.field(id).depth > self.plan.levels {
            self.tree.field_mut(id).objects = Objects::Whole;
        }
        self.bind(id);
    }

    pub(super) fn push_value(&mut self, id: FieldId, node: Node<'d>) -> Result<()> {
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

    pub(super) fn push_missing(&mut self, id: FieldId) -> Result<()> {
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
                self.push_known(child, element)?;
            }
        }
        Ok(())
    }

    /// Pushes what is a column already of an element of a list. The list is a column, too, so that nothing else needs one.
    fn push_known(&mut self, id: FieldId, node: Node<'d>) -> Result<()> {
        if matches!(self.tree.field(id).route, Route::Column(_)) {
            return self.push_value(id, node);
        }
        match node.view() {
            View::Object(mut entries) => entries.try_for_each(|(key, node)| match self.tree.child(id, key) {
                Some(child) => self.push_known(child, node),
                None => Ok(()),
            }),
            View::Array(elements) => self.push_positions(id, elements),
            _ => Ok(()),
        }
    }

    #[inline]
    fn push_leaf(&mut self, id: FieldId, view: View<'d>) -> Result<()> {
        let route = match self.tree.fields[id as usize].route {
            Route::Unknown => self.decide(id)?,
            known => known,
        };
        self.push_routed(route, view)
    }

    /// Pushes a value where its field's values go.
    #[inline]
    pub(super) fn push_routed(&mut self, route: Route, view: View<'d>) -> Result<()> {
        match route {
            Route::Column(idx) => self.push_shared(idx, view),
            Route::Waiting(candidate) => self.put_off(candidate, view),
            Route::Skipped { place } => {
                self.left_out.add(place, self.row_idx, &view);
                Ok(())
            }
            Route::Unknown => Err(Error::internal("a field that is neither a column nor left out")),
        }
    }

    /// Pushes a value into a column and those that take the same values.
    #[inline]
    pub(super) fn push_shared(&mut self, idx: u32, view: View<'d>) -> Result<()> {
        if !self.sharing.is_empty() {
            let n_others = self.sharing.get(&idx).map_or(0, Vec::len);
            for position in 0..n_others {
                self.push_column(self.sharing[&idx][position] as usize, view.clone())?;
            }
        }
        self.push_column(idx as usize, view)
    }

    #[inline]
    pub(super) fn push_column(&mut self, idx: usize, view: View<'_>) -> Result<()> {
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
    pub(super) fn decide(&mut self, id: FieldId) -> Result<Route> {
        let route = self.route_of(id)?;
        self.tree.field_mut(id).route = route;
        Ok(route)
    }

    /// Returns where the values of a field go that has no column yet.
    pub(super) fn route_of(&mut self, id: FieldId) -> Result<Route> {
        let keys = self.tree.keys(id);
        let flattened = names::flattened(&keys);
        let (name, source) = if self.tree.root_of(id) == META_ROOT {
            (self.plan.column_name(&flattened), ColumnSource::Meta(keys))
        } else if self.plan.selects(&flattened) {
            let name = self.plan.column_name(&flattened);
            self.prefer_key(&name, &keys)?;
            (name, ColumnSource::Record(keys))
        } else {
            return Ok(Route::Skipped { place: place_of(&keys) });
        };
        Ok(Route::Column(self.add_column(&name, source)?))
    }

    pub(super) fn add_column(&mut self, name: &str, source: ColumnSource) -> Result<u32> {
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
        let route = match field.route {
            Route::Waiting(candidate) => self.named.forget(candidate),
            known => known,
        };
        if let Route::Column(idx) = route {
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
