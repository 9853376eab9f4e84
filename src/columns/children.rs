//! Lists inside the records of a table, as rows of tables of their own.

use super::batch::{Batch, ColumnData};
use super::bounds::check_cells;
use super::fate::Fate;
use super::passes::flattened;
use super::plan::{ChildPlan, RowPlan};
use super::records::{position_in, RecordGroup};
use super::source::{row_source, ColumnSource};
use super::types::{ColumnType, TableSchema};
use crate::document::{Node, View};
use crate::spec::{ParamValue, TableDef};
use crate::Result;

/// Bits of a row's number that are left for its place in its page: no page has more rows.
const ROW_BITS: u32 = 32;

/// Returns the number of a page's first row.
pub fn first_number(page: u64) -> i64 {
    i64::try_from(page << ROW_BITS).unwrap_or(i64::MAX)
}

/// Returns how many pages were numbered when this is the greatest number of a row.
pub fn pages_numbered(greatest: i64) -> u64 {
    u64::try_from(greatest).map_or(0, |greatest| (greatest >> ROW_BITS) + 1)
}

/// The lists of a page that are converted.
#[derive(Clone, Copy)]
pub struct Lists<'s> {
    /// The columns of each child so far.
    pub schemas: &'s [TableSchema],
    /// The number of the page's first row of the table itself.
    pub first_number: i64,
    /// How many of the page's records became rows there: the first ones.
    pub n_rows: usize,
}

/// A record whose lists are looked for.
#[derive(Clone, Copy)]
struct Parent<'d> {
    record: Node<'d>,
    /// Whether it says that its row is gone.
    is_gone: bool,
}

impl RowPlan {
    /// Makes rows of the lists in each record, for these tables. What the plan says of pages holds for the lists, too.
    #[must_use]
    pub fn with_children(self, children: &[&TableDef]) -> RowPlan {
        let plan_of = |table_def: &&TableDef| {
            let mut rows = RowPlan::new(table_def).at_most(self.most_bytes);
            rows.has_nanoseconds = self.has_nanoseconds;
            rows.marks_parents = self.replaces_children;
            rows.marks_sets = self.marks_sets;
            rows.numbers_rows = true;
            Some(ChildPlan { rows, def: table_def.child.clone()? })
        };
        let plans: Vec<ChildPlan> = children.iter().filter_map(plan_of).collect();
        let mut plan = self.without_lists(children);
        plan.numbers_rows = !plans.is_empty();
        plan.children = plans.into();
        plan
    }

    /// Leaves out the lists that are tables of their own.
    #[must_use]
    pub fn without_lists(mut self, children: &[&TableDef]) -> RowPlan {
        let lists = children.iter().filter_map(|table_def| table_def.child.as_ref()).filter(|child_def| !child_def.keep);
        self.lists.extend(lists.map(|child_def| child_def.path.clone()));
        self
    }

    /// Returns whether lists of the records are rows of other tables.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// Returns the columns of each child that are known before the first page, as [`RowPlan::initial_schema`] does.
    pub fn child_schemas(&self, params: &[(String, ColumnType)]) -> Vec<TableSchema> {
        self.children.iter().map(|child| child.rows.initial_schema(params)).collect()
    }

    /// Converts the lists of a page: a batch for each child.
    pub fn children_of(&self, document: Node<'_>, lists: Lists<'_>, params: &[ParamValue]) -> Result<Vec<Batch>> {
        self.with_groups(document, |groups| {
            let mut parents = self.parents_in(groups);
            parents.truncate(lists.n_rows);
            let of_child = |(child, schema): (&ChildPlan, &TableSchema)| {
                let batch = child.batch_of(&parents, schema, params, lists.first_number);
                batch.map_err(|err| err.within(format_args!("child '{}'", child.def.path.join("."))))
            };
            self.children.iter().zip(lists.schemas).map(of_child).collect()
        })
    }

    /// Returns the records that become rows, in their order.
    fn parents_in<'d>(&self, groups: &[RecordGroup<'d>]) -> Vec<Parent<'d>> {
        let mut parents = Vec::new();
        let mut add = |record: Node<'d>| match self.fate_of(record) {
            Fate::LeftOut => {}
            Fate::Gone => parents.push(Parent { record, is_gone: true }),
            Fate::Row => parents.push(Parent { record, is_gone: false }),
        };
        for group in groups {
            match group.records.view() {
                View::Null => {}
                View::Array(records) => records.for_each(&mut add),
                _ => add(group.records),
            }
        }
        parents
    }
}

impl ChildPlan {
    fn batch_of(&self, parents: &[Parent<'_>], schema: &TableSchema, params: &[ParamValue], first_number: i64) -> Result<Batch> {
        let lists: Vec<Vec<Node<'_>>> = parents.iter().map(|parent| self.lists_in(parent)).collect();
        let n_marks = if self.rows.marks_parents { parents.len() } else { 0 };
        let n_rows = n_marks + lists.iter().flatten().map(|list| n_records(*list)).sum::<usize>();
        check_cells(n_rows, schema.columns.len(), self.rows.most_bytes)?;
        let page = flattened(&self.rows, schema, n_rows, |flattener| {
            flattener.set_params(params)?;
            for ((parent, lists), number) in parents.iter().zip(&lists).zip(first_number..) {
                let above = self.def.copy.iter().map(|(_, path)| parent.record.at(path)).collect();
                flattener.push_lists(lists, above, number)?;
            }
            Ok(())
        })?;
        Ok(page.batch)
    }

    /// Returns the lists in a record: of each element, where the path leads through a list. Those that are absent, null or empty are left out.
    fn lists_in<'d>(&self, parent: &Parent<'d>) -> Vec<Node<'d>> {
        let mut lists = Vec::new();
        if !parent.is_gone {
            add_lists(parent.record, &self.def.path, &mut lists);
        }
        lists
    }
}

/// Adds the lists that a path leads to. Documents are nested no deeper than the parser allows.
fn add_lists<'d>(node: Node<'d>, path: &[String], lists: &mut Vec<Node<'d>>) {
    let Some((key, rest)) = path.split_first() else {
        if n_records(node) > 0 {
            lists.push(node);
        }
        return;
    };
    let child = match node.view() {
        View::Array(mut elements) => match position_in(elements.clone(), key) {
            Some(position) => elements.nth(position),
            None => return elements.for_each(|element| add_lists(element, path, lists)),
        },
        _ => node.get(key),
    };
    if let Some(child) = child {
        add_lists(child, rest, lists);
    }
}

/// Returns how many records stand where a list may be: some APIs write a list of one as that one, and an empty one as an empty object.
fn n_records(list: Node<'_>) -> usize {
    match list.view() {
        View::Null => 0,
        View::Array(elements) => elements.len(),
        View::Object(entries) => usize::from(!entries.is_empty()),
        _ => 1,
    }
}

impl Batch {
    /// Gives the rows numbers from `first` on, where the columns have a place for them.
    pub fn number_rows(&mut self, first: i64) {
        let source = row_source();
        let Some(idx) = self.schema.columns.iter().position(|column| column.source == source) else { return };
        let vector = &mut self.columns[idx];
        vector.data = ColumnData::BigInt((first..).take(self.n_rows).collect());
        vector.validity.bytes = vec![1; self.n_rows];
        vector.validity.has_nulls = false;
    }
}

impl TableSchema {
    /// Returns the column of a staging table that tells the rows of one load apart: a child's row has the number of its parent's.
    pub fn row_number(&self) -> Option<&str> {
        let source = row_source();
        self.columns.iter().find(|column| column.source == source).map(|column| column.name.as_str())
    }

    /// Returns the columns without those that only a staging table has.
    #[must_use]
    pub fn without_marks(mut self) -> TableSchema {
        self.columns.retain(|column| !column.source.is_mark());
        self
    }

    /// Returns whether there is no column that the table itself would have.
    pub fn is_blank(&self) -> bool {
        self.columns.iter().all(|column| column.source.is_mark())
    }

    /// Returns the name of the column that a field of the parent's record, copied under `name`, or a copied param is in.
    pub fn copied_column(&self, name: &str) -> Option<&str> {
        let is_it = |source: &ColumnSource| matches!(source, ColumnSource::Meta(keys) if keys.len() == 1 && keys[0] == name);
        let copied = self.columns.iter().find(|column| is_it(&column.source)).map(|column| column.name.as_str());
        copied.or_else(|| self.param_column(name))
    }
}
