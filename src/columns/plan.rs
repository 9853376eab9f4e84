//! What a table's definition says about its rows, prepared once for all pages.

use super::fate::{Fate, TellingFields};
use super::form::Form;
use super::names::{self, NameSet};
use super::records::RecordPath;
use super::source::{deleted_source, row_source, ColumnSource, DELETED, ROW};
use super::types::{Column, ColumnType, TableSchema};
use crate::document::{stripped, Node};
use crate::spec::{ChildDef, ColumnPattern, ColumnReading, ColumnSpec, FieldCondition, Nested, RecordForm, ScalarType, TableDef, TreeDef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a page may take unless settings say so.
const MOST_BYTES: u64 = 768 << 20;

/// How the pages of one table become rows.
#[derive(Debug, Clone)]
pub struct RowPlan {
    pub(super) path: RecordPath,
    pub(super) meta_paths: Vec<Vec<String>>,
    pub(super) params: Vec<String>,
    pub(super) only_columns: bool,
    /// How many levels of objects are flattened.
    pub(super) levels: usize,
    /// Whether lists are kept as JSON even when their elements are of one type.
    pub(super) lists_as_json: bool,
    /// Whether the table's database has TIMESTAMP_NS; otherwise moments with nanoseconds are texts.
    pub has_nanoseconds: bool,
    /// The most bytes that a page may take while it is parsed and converted.
    pub(super) most_bytes: u64,
    pub(super) tree: Option<TreeDef>,
    pub(super) form: RecordForm,
    pub(super) skip_when: Option<FieldCondition>,
    /// Records that say that a row is gone.
    pub(super) deleted_when: Option<FieldCondition>,
    /// Whether those become rows that say so, rather than being left out.
    pub(super) marks_deleted: bool,
    /// Which of their fields such rows have.
    telling: TellingFields,
    /// Whether rows say which parameter set they are of.
    pub(super) marks_sets: bool,
    /// Whether the rows have numbers in the staging table, by which the rows of children know their parents.
    pub(super) numbers_rows: bool,
    /// Whether each record becomes a row of each child that says that its children are replaced.
    pub(super) replaces_children: bool,
    /// Of a child: whether each record of its parent becomes a row that says that its children are replaced.
    pub(super) marks_parents: bool,
    /// Lists of the records that become no column.
    pub(super) lists: Vec<Vec<String>>,
    pub(super) children: Arc<[ChildPlan]>,
    /// The names of what is copied from the parent's record.
    copies: Vec<String>,
    /// What is done with the values of declared columns, where something is.
    pub(super) readings: HashMap<ColumnSource, ColumnReading>,
    select: Vec<ColumnPattern>,
    strip_prefixes: Vec<String>,
    /// The key columns that the spec does not declare.
    bare_keys: Vec<String>,
    declared: Vec<Column>,
    declared_sources: HashSet<ColumnSource>,
    /// The keys that lead to elements of lists, should there be lists, in the declared sources.
    positions: HashSet<Vec<String>>,
}

/// How the lists of one child become rows.
#[derive(Debug, Clone)]
pub(super) struct ChildPlan {
    pub(super) rows: RowPlan,
    pub(super) def: ChildDef,
}

impl RowPlan {
    /// Prepares the conversion of a table's pages.
    pub fn new(table_def: &TableDef) -> RowPlan {
        let path = RecordPath::new(table_def);
        let as_one_object = path.is_object;
        let levels = match table_def.nested {
            _ if as_one_object => 0,
            Nested::Flatten => usize::MAX,
            Nested::Json => 0,
            Nested::Depth(levels) => levels,
        };
        let sources = sources_of(&table_def.columns, &table_def.copy_params_to_output);
        let declared: Vec<Column> = table_def
            .columns
            .iter()
            .zip(&sources)
            .map(|(spec, source)| Column {
                name: spec.name.clone(),
                source: source.clone(),
                column_type: spec.data_type.map_or(ColumnType::Undecided, ColumnType::from),
                declared: spec.data_type.is_some(),
                form: Form::default(),
            })
            .collect();
        RowPlan {
            path,
            meta_paths: table_def.result_meta_paths.clone(),
            params: table_def.copy_params_to_output.clone(),
            only_columns: table_def.only_columns,
            levels,
            lists_as_json: as_one_object,
            has_nanoseconds: true,
            most_bytes: MOST_BYTES,
            tree: table_def.answer.tree.clone(),
            form: table_def.answer.records.clone(),
            skip_when: table_def.answer.skip_when.clone(),
            deleted_when: table_def.answer.deleted_when.clone(),
            marks_deleted: false,
            telling: TellingFields::new(table_def, &declared),
            marks_sets: false,
            numbers_rows: false,
            replaces_children: false,
            marks_parents: false,
            lists: Vec::new(),
            children: Arc::new([]),
            copies: table_def.child.iter().flat_map(|child_def| child_def.copy.iter().map(|(name, _)| name.clone())).collect(),
            readings: sources
                .into_iter()
                .zip(&table_def.columns)
                .filter_map(|(source, spec)| Some((source, spec.reading.clone()?)))
                .collect(),
            select: table_def.select.clone(),
            strip_prefixes: table_def.strip_prefixes.clone(),
            bare_keys: bare_keys_of(table_def),
            positions: declared.iter().flat_map(|column| positions_of(&column.source)).collect(),
            declared_sources: declared.iter().map(|column| column.source.clone()).collect(),
            declared,
        }
    }

    /// Makes a record that says that a row is gone a row with a mark ([`TableSchema::deleted`]), which has the fields that tell the row.
    #[must_use]
    pub fn marking_deleted(self) -> RowPlan {
        RowPlan { marks_deleted: true, ..self }
    }

    /// Makes each record a row of each child, with a mark, for its children to be replaced.
    #[must_use]
    pub fn replacing_children(self) -> RowPlan {
        RowPlan { replaces_children: true, ..self }
    }

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

    /// Returns whether a record that says that a row is gone is to have this field.
    pub(super) fn tells_row(&self, key: &str) -> bool {
        self.telling.has(key)
    }

    /// Gives rows a column that says which parameter set they are of ([`TableSchema::set_column`]): its value comes behind those of the params.
    #[must_use]
    pub fn marking_sets(mut self) -> RowPlan {
        self.marks_sets = true;
        self
    }

    /// Sets the most bytes that a page may take while it is parsed and converted.
    #[must_use]
    pub fn at_most(self, most_bytes: u64) -> RowPlan {
        RowPlan { most_bytes, ..self }
    }

    /// Returns the most bytes that a page may take while it is parsed and converted.
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// Returns the columns known before the first page: the copied params, whose types are given in the order of
    /// `copy_params_to_output`, what is copied from the parent's record, what only the staging table has, then the declared columns.
    pub fn initial_schema(&self, params: &[(String, ColumnType)]) -> TableSchema {
        let mut names = NameSet::default();
        let mut schema = TableSchema::default();
        for (param, column_type) in params {
            let source = ColumnSource::Param(param.clone());
            let declared = self.declared.iter().find(|column| column.source == source && column.declared);
            schema.columns.push(Column {
                name: names.take(&names::flattened(std::slice::from_ref(param))),
                source,
                column_type: declared.map_or(*column_type, |column| column.column_type),
                declared: declared.is_some(),
                form: Form::default(),
            });
        }
        let copies = self.copies.iter().map(|name| (name.as_str(), ColumnSource::Meta(vec![name.clone()]), ColumnType::Undecided));
        let number = self.numbers_rows.then(|| (ROW, row_source(), ColumnType::Scalar(ScalarType::BigInt)));
        let mark = self.marks_parents.then(|| (DELETED, deleted_source(), ColumnType::Scalar(ScalarType::Boolean)));
        for (name, source, column_type) in copies.chain(number).chain(mark) {
            let name = names.take(&names::flattened(&[name.to_string()]));
            schema.columns.push(Column { name, source, column_type, declared: false, form: Form::default() });
        }
        let is_param = |column: &&Column| params.iter().any(|(param, _)| column.source == ColumnSource::Param(param.clone()));
        for column in self.declared.iter().filter(|column| !is_param(column)) {
            let name = names.take(&names::flattened(std::slice::from_ref(&column.name)));
            schema.columns.push(Column { name, ..column.clone() });
        }
        schema
    }

    /// Returns whether the spec asks for this source: then its objects are kept whole.
    pub(super) fn declares(&self, source: &ColumnSource) -> bool {
        self.declared_sources.contains(source)
    }

    /// Returns the undeclared key column of that name; names compare without case, as DuckDB's do.
    pub(super) fn key_named(&self, name: &str) -> Option<&str> {
        self.bare_keys.iter().map(String::as_str).find(|key| key.eq_ignore_ascii_case(name))
    }

    pub(super) fn has_positions(&self) -> bool {
        !self.positions.is_empty()
    }

    /// Returns whether these keys lead to an element of a list, should there be a list, that the spec asks for.
    pub(super) fn declares_position(&self, keys: &[String]) -> bool {
        self.positions.contains(keys)
    }

    /// Returns whether the field of this flattened name becomes a column.
    pub(super) fn selects(&self, flattened: &str) -> bool {
        !self.only_columns && (self.select.is_empty() || self.select.iter().any(|pattern| pattern.matches(flattened)))
    }

    /// Returns the flattened name as the column is called, prefixes removed.
    pub(super) fn column_name(&self, flattened: &str) -> String {
        stripped(flattened, &self.strip_prefixes)
    }
}

fn bare_keys_of(table_def: &TableDef) -> Vec<String> {
    let is_declared = |key: &String| table_def.columns.iter().any(|column| column.name.eq_ignore_ascii_case(key));
    table_def.key_columns.iter().filter(|key| !is_declared(key)).cloned().collect()
}

/// Returns where the values of declared columns come from, of which no two are the same: a column without a source that has the name of a copied
/// param is that param's.
fn sources_of(specs: &[ColumnSpec], params: &[String]) -> Vec<ColumnSource> {
    let mut seen = HashSet::new();
    let flat = |name: &String| names::flattened(std::slice::from_ref(name)).to_lowercase();
    let param_of = |spec: &ColumnSpec| params.iter().find(|param| flat(param) == flat(&spec.name));
    let source_of = |spec: &ColumnSpec| match &spec.source {
        Some(keys) if spec.is_meta => ColumnSource::Meta(keys.clone()),
        Some(keys) if seen.insert(keys.clone()) => ColumnSource::Record(keys.clone()),
        Some(keys) => ColumnSource::Again { column: spec.name.clone(), keys: keys.clone() },
        None => match param_of(spec) {
            Some(param) => ColumnSource::Param(param.clone()),
            None => ColumnSource::Named(spec.name.clone()),
        },
    };
    specs.iter().map(source_of).collect()
}

/// Returns the parts of a source that end with a number.
fn positions_of(source: &ColumnSource) -> Vec<Vec<String>> {
    let ColumnSource::Record(keys) = source else { return Vec::new() };
    (1..keys.len()).filter(|&idx| keys[idx].parse::<usize>().is_ok()).map(|idx| keys[..=idx].to_vec()).collect()
}
